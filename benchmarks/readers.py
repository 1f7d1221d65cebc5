"""How fast forecasts are read, beside pyCSEP and floatCSEP in the same run. Run by ``make bench-readers``.

The readers take turns on the same file, and their rates are compared bit by bit before anything is measured.
A line ``ratio NAME VALUE`` says how many times less CPU time forequake takes; imports are not counted.
floatCSEP's parsers are measured where the Python that has them is named; it runs beside this program.
"""

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.catalog_based_readers import catalog_based_table
from benchmarks.forecast_files import write_csv, write_gear1, write_hdf5, write_quadtree, write_xml
from forequake.datasets import locate_dataset
from forequake.forecasts import file_content, fit_to_experiment, fitted_rates, read_forecast
from forequake.forecasts.arrays import ArrayCache
from forequake.regions import Region, named_region

_REPEATS: Final = 7
_FILE: Final = Path(__file__).with_name("READERS.md")

#: Reads lines of [parser, path], answers each with [CPU seconds, SHA-256 of the rates].
_THEIR_WORKER: Final = """
import hashlib, json, sys, time, warnings
warnings.simplefilter("ignore")
import numpy
from floatcsep.utils.file_io import GriddedForecastParsers
print(json.dumps("ready"), flush=True)
for line in sys.stdin:
    parser, path = json.loads(line)
    begun = time.process_time()
    rates = getattr(GriddedForecastParsers, parser)(path)[0]
    seconds = time.process_time() - begun
    rates = numpy.ascontiguousarray(rates, dtype=float)
    print(json.dumps([seconds, hashlib.sha256(rates.tobytes()).hexdigest()]), flush=True)
"""


@dataclass(frozen=True)
class Case:
    """A file that several readers understand.

    Attributes
    ----------
    pycsep
        Reads the file to its rates; None where pyCSEP has no reader of the form.
    floatcsep
        Name of floatCSEP's parser, where it has one.
    """

    name: str
    path: Path
    pycsep: Callable[[str], Any] | None = None
    floatcsep: str | None = None


class TheirParsers:
    """floatCSEP's parsers in a process of their own Python."""

    def __init__(self, python: str) -> None:
        command = [python, "-W", "ignore", "-c", _THEIR_WORKER]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self._answer()

    def read(self, parser: str, path: Path) -> tuple[float, str]:
        """Read a file; give CPU seconds and the SHA-256 of the rates."""
        assert self._process.stdin is not None  # noqa: S101 - as it was opened
        self._process.stdin.write(json.dumps([parser, str(path)]) + "\n")
        self._process.stdin.flush()
        seconds, digest = self._answer()
        return seconds, digest

    def close(self) -> None:
        """End the process."""
        self._process.communicate()

    def _answer(self) -> Any:
        assert self._process.stdout is not None  # noqa: S101 - as it was opened
        return json.loads(self._process.stdout.readline())


def _cases(folder: Path) -> list[Case]:
    import csep
    from csep.utils import readers

    def dat(path: str) -> Any:
        return csep.load_gridded_forecast(path).data

    def gear1(path: str) -> Any:
        magnitudes = np.round(5.95 + 0.1 * np.arange(31), 2)
        return readers.read_GEAR1_format(path, str(Path(path).with_name("areas_region.dat")), magnitudes)[0]

    california = locate_dataset("csep:helmstetter_mainshock")
    italy = locate_dataset("csep:hires_ssm_italy")
    table = read_forecast(italy)
    quadtree, rows = write_quadtree(folder, table.magnitudes)
    return [
        Case("dat_california", california, dat, "dat"),
        Case("dat_italy", italy, dat, "dat"),
        Case("dat_gear1_downsampled", locate_dataset("csep:gear1_downsampled"), dat, "dat"),
        Case("csv_italy", write_csv(folder, table), None, "csv"),
        Case("xml_italy", write_xml(folder, table), None, "xml"),
        Case("hdf5_italy", write_hdf5(folder, table), None, "hdf5"),
        Case("quadtree_csv", quadtree, lambda path: readers.quadtree_csv_loader(path)[0], "quadtree"),
        Case("quadtree_ascii", rows, lambda path: readers.quadtree_ascii_loader(path)[0]),
        Case("gear1", write_gear1(folder), gear1),
    ]


def _seconds(read: Callable[[], object]) -> float:
    begun = time.process_time()
    read()
    return time.process_time() - begun


def _digest(rates: NDArray[np.float64]) -> str:
    return hashlib.sha256(np.ascontiguousarray(rates, dtype=float).tobytes()).hexdigest()


def _measure(case: Case, parsers: TheirParsers | None) -> dict[str, float]:
    """Give the median CPU seconds of each reader; they take turns."""
    expected = _digest(read_forecast(case.path).rates)
    times: dict[str, list[float]] = {"forequake": []}
    if case.pycsep is not None:
        if _digest(case.pycsep(str(case.path))) != expected:
            sys.exit(f"{case.name}: pyCSEP reads other rates")
        times["pyCSEP"] = []
    if case.floatcsep is not None and parsers is not None:
        if parsers.read(case.floatcsep, case.path)[1] != expected:
            sys.exit(f"{case.name}: floatCSEP reads other rates")
        times["floatCSEP"] = []
    for _ in range(_REPEATS):
        times["forequake"].append(_seconds(partial(read_forecast, case.path)))
        if case.pycsep is not None:
            times["pyCSEP"].append(_seconds(partial(case.pycsep, str(case.path))))
        if case.floatcsep is not None and parsers is not None:
            times["floatCSEP"].append(parsers.read(case.floatcsep, case.path)[0])
    return {reader: median(seconds) for reader, seconds in times.items()}


def _line(case: Case, seconds: dict[str, float]) -> str:
    """Print the ratios of a case, and give its line of the table."""
    shown = []
    for reader in ("pyCSEP", "floatCSEP"):
        if reader in seconds:
            ratio = seconds[reader] / seconds["forequake"]
            print(f"ratio {case.name}_{reader.lower()} {ratio:.1f}", flush=True)
            shown.append(f"{seconds[reader] * 1e3:,.0f} ({ratio:.1f})")
        else:
            shown.append("")
    table = read_forecast(case.path)
    size = f"{table.rates.shape[0]:,} × {table.rates.shape[1]} | {case.path.stat().st_size / 1e6:.1f}"
    return f"| {case.name} | {size} | {seconds['forequake'] * 1e3:,.1f} | {shown[0]} | {shown[1]} |"


def _afterwards(dataset: str, region: Region, cache: ArrayCache) -> list[str]:
    """Measure what follows the first reading: the fit to the experiment, and coming from the cache."""
    path = locate_dataset(f"csep:{dataset}")
    table, content = read_forecast(path), file_content(path)
    order = np.random.default_rng(1).permutation(len(region))
    mixed = replace(table, corners=table.corners[order], rates=table.rates[order])
    calls: dict[str, Callable[[], object]] = {
        "laid on the experiment's grid": lambda: fit_to_experiment(table, region, table.magnitudes),
        "the same, its cells in another order": lambda: fit_to_experiment(mixed, region, table.magnitudes),
        "from the cache, the file hashed first": lambda: fitted_rates(
            path, region, table.magnitudes, cache=cache
        ),
        "from the cache, its hash known": lambda: fitted_rates(
            path, region, table.magnitudes, cache=cache, content=content
        ),
    }
    lines = []
    for what, call in calls.items():
        call()
        milliseconds = median(_seconds(call) for _ in range(3 * _REPEATS)) * 1e3
        lines.append(f"| {dataset}, {what} | {milliseconds:.2f} |")
        print(f"{dataset}, {what}: {milliseconds:.2f} ms", flush=True)
    return lines


def main() -> None:
    """Measure all readers and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--floatcsep-python", help="a Python that has floatcsep, to measure its parsers too")
    parser.add_argument("--gridded-only", action="store_true", help="leave out the catalog-based forecasts")
    options = parser.parse_args()
    parsers = TheirParsers(options.floatcsep_python) if options.floatcsep_python else None
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        lines = [_line(case, _measure(case, parsers)) for case in _cases(folder)]
        cache = ArrayCache(folder / "cache")
        afterwards = [
            *_afterwards("helmstetter_mainshock", named_region("california_relm_region"), cache),
            *_afterwards("hires_ssm_italy", named_region("italy_csep_region"), cache),
        ]
    if parsers is not None:
        parsers.close()
    text = _TEXT.format(
        cores=os.cpu_count(),
        python=platform.python_version(),
        pycsep=version("pycsep"),
        repeats=_REPEATS,
        gridded="\n".join(lines),
        afterwards="\n".join(afterwards),
    )
    if options.gridded_only:
        print(text)
        return
    _FILE.write_text(f"{text}\n## Catalog-based forecasts\n\n{catalog_based_table()}\n", encoding="utf-8")


_TEXT: Final = """# How fast forecasts are read

Measured by `make bench-readers` (`FLOATCSEP=/path/to/python` names a Python that has floatcsep): {cores}
cores, Python {python}, pycsep {pycsep}. Imports are not counted.

## Gridded forecasts

The readers take turns on the same file; before that, their rates were equal bit by bit. Milliseconds of CPU
time, the median of {repeats}; in brackets how many times forequake's. pyCSEP and floatCSEP build the region
of each file as well, which forequake does not need: it lays the table on the experiment's, see below.

| file | cells × bins | MB | forequake | pyCSEP | floatCSEP |
|---|---:|---:|---:|---:|---:|
{gridded}

What follows the first reading, milliseconds of CPU time:

| | ms |
|---|---:|
{afterwards}
"""


if __name__ == "__main__":
    main()
