"""Reading simulated catalogs: seconds and greatest memory, beside pyCSEP, each in a process of its own.

``make bench-catalog-forecasts`` writes the table into benchmarks/CATALOG_FORECASTS.md.
"""

import json
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

from forequake.datasets import locate_dataset

__all__ = ["Measured", "catalog_based_table", "main", "measure", "page"]

_LANDERS: Final = "csep:ucerf3_ascii_format_landers"
_TIMES_LARGER: Final = 10
_FILE: Final = Path(__file__).with_name("CATALOG_FORECASTS.md")
_OURS: Final = """
from forequake.forecasts.catalog_based import read_catalog_forecast
import numpy, pyarrow.csv
begin()
forecast = read_catalog_forecast(Path(sys.argv[1]), folder=Path(sys.argv[2]))
end(len(forecast), forecast.n_events)
"""
_THEIRS: Final = """
import csep
begin()
n_catalogs = n_events = 0
for catalog in csep.load_stochastic_event_sets(sys.argv[1], type="csv"):
    n_catalogs, n_events = n_catalogs + 1, n_events + catalog.event_count
end(n_catalogs, n_events)
"""
_CLOCK: Final = """
import json, sys, time
from pathlib import Path
def begin():
    global wall, cpu
    wall, cpu = time.perf_counter(), time.process_time()
def end(n_catalogs, n_events):
    seconds = time.perf_counter() - wall, time.process_time() - cpu
    status = Path("/proc/self/status").read_text().split()
    memory = int(status[status.index("VmHWM:") + 1]) / 1024
    print(json.dumps([n_catalogs, n_events, *seconds, memory]))
"""


class Measured(NamedTuple):
    """One reading of a whole file; seconds without imports, memory of the whole process in MB."""

    n_catalogs: int
    n_events: int
    wall: float
    cpu: float
    memory: float


def measure(code: str, *arguments: str) -> Measured:
    """Read a file in a fresh process."""
    command = [sys.executable, "-W", "ignore", "-c", _CLOCK + code, *arguments]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return Measured(*json.loads(done.stdout.splitlines()[-1]))


def _larger(source: Path, target: Path) -> None:
    """Write the catalogs of a file several times over, under further numbers."""
    heading, *rows = source.read_text(encoding="utf-8").splitlines()
    last = int(rows[-1].split(",")[5])
    with target.open("w", encoding="utf-8") as file:
        file.write(f"{heading}\n")
        for part in range(_TIMES_LARGER):
            for row in rows:
                *event, number, name = row.split(",")
                file.write(f"{','.join(event)},{int(number) + part * (last + 1)},{name}\n")


def _lines(folder: Path) -> Iterator[str]:
    landers = locate_dataset(_LANDERS)
    large = folder / "large.csv"
    _larger(landers, large)
    cases = (
        ("pyCSEP", _THEIRS, landers),
        ("forequake", _OURS, landers),
        ("forequake, read before", _OURS, landers),
        ("pyCSEP", _THEIRS, large),
        ("forequake", _OURS, large),
        ("forequake, read before", _OURS, large),
    )
    yield "| file | catalogs | events | reader | wall s | CPU s | greatest memory MB |"
    yield "|---|---|---|---|---|---|---|"
    for name, code, path in cases:
        found = measure(code, str(path), str(folder / "cache"))
        what = f"UCERF3 Landers{'' if path == landers else f', {_TIMES_LARGER} times'}"
        yield (
            f"| {what}, {path.stat().st_size / 1e6:.0f} MB | {found.n_catalogs:,} | {found.n_events:,} "
            f"| {name} | {found.wall:.2f} | {found.cpu:.2f} | {found.memory:.0f} |"
        )


def catalog_based_table() -> str:
    """Measure everything once, and give it as a table in Markdown."""
    with tempfile.TemporaryDirectory() as folder:
        return "\n".join(_lines(Path(folder)))


def page(table: str) -> str:
    """Give the page with the table."""
    version = platform.python_version()
    return f"""\
# Catalog-based forecasts: reading

Made by `make bench-catalog-forecasts` on {platform.machine()}, {os.cpu_count()} cores, Python {version}.
Each row is one reading of a whole file in a process of its own: seconds without imports, memory with them.
pyCSEP gives one catalog after the other and forgets it. forequake writes the compact form and looks at every
event for its findings; "read before" finds the compact form in the cache.

{table}
"""


def main() -> None:
    """Measure, and write the table."""
    _FILE.write_text(page(catalog_based_table()), encoding="utf-8")
    print(f"written to {_FILE.name}")


if __name__ == "__main__":
    main()
