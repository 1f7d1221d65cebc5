"""A whole experiment with floatCSEP and with forequake, start to end. Run by ``make bench-experiment``.

Both programs run the same folder: three models of Italy as ForecastML of 13 MB, ten tests, four windows. CPU
time is that of all processes: the program, its children, and Prefect's server while it runs and five seconds
longer, since it writes what it was told a little later. floatCSEP reads, computes and writes its results; its
pictures and its report are left out.
"""

import argparse
import json
import math
import os
import platform
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, Final, NamedTuple

from benchmarks.experiment_files import ITALY_MODELS, ITALY_TESTS, write_italy
from benchmarks.processes import Spent, load_in_words, run_measured, tree_seconds
from forequake.results import DistributionRecord
from stores import ResultQuery, ResultRow, ResultsStore, open_store

__all__ = ["main"]

_FILE: Final = Path(__file__).with_name("EXPERIMENT.md")
_PINNED: Final = "floatcsep==0.5.2"
#: What the program is called in its own environment, which the first run makes and git ignores.
_ENVIRONMENT: Final = Path(__file__).parents[1] / ".venv-floatcsep"
#: The steps of ``floatcsep run`` before its pictures.
_THEIR_RUN: Final = """
import sys, warnings
warnings.simplefilter("ignore")
from floatcsep.experiment import Experiment
experiment = Experiment.from_yml(config_yml=sys.argv[1])
experiment.stage_models()
experiment.set_tasks()
experiment.run()
"""
_OUR_RUN: Final = "from flows.cli import main; main()"
#: So long after a run the server has recorded all of it.
_AFTER_SECONDS: Final = 5.0
#: Results agree where they differ by no more than this, relative.
_SAME: Final = 1e-9
#: Statistics are tied where they differ by no more than this, relative.
_TIE: Final = 1e-12

#: What was run, and its name in the lines of ratios.
_ROWS: Final = {
    "floatCSEP": "floatcsep",
    "forequake for the first time": "experiment_first_time",
    "forequake, server cold": "experiment_server_cold",
    "forequake, server warm": "experiment_server_warm",
    "forequake, all stored": "experiment_all_stored",
}
_PAGE: Final = """# A whole experiment, start to end

Measured by `make bench-experiment` (`FLOATCSEP=/path/to/python` names a Python that has floatCSEP 0.5.2; else
one is made): {models} models of Italy (8,993 cells, 41 bins, ForecastML of 13 MB each), {tests} tests,
4 windows; {cores} cores, Python {python}, Prefect {prefect}; medians, number of turns: {repeats}.
Seconds of CPU time of all processes, imports included.
{load}

| | CPU s | the program | Prefect's server | wall s | floatCSEP's CPU by this |
|---|---:|---:|---:|---:|---:|
{rows}

- floatCSEP reads, computes and writes its results; its pictures and its report are left out.
- For the first time: no server and no database of it, no cache; regions are built, forecasts read as text.
- Server cold: it does not run and is started; its database is there. Server warm: it runs. Both times the
  store is new and the caches are empty.
- All stored: the same again, which computes nothing.
- The server's time is counted until five seconds after the run, since it writes what it was told a little
  later.

{results} results of forequake were compared with floatCSEP's, {numbers} numbers (statistics, quantiles,
simulated values): none differs by more than 1e-9. For this the W-test has `compat: pycsep`: forequake's own
is exact for few events. Simulated values that equal the observed one but for rounding count as equal.
"""


class Took(NamedTuple):
    """Seconds of one run.

    Attributes
    ----------
    program
        CPU of the program and its children.
    server
        CPU of Prefect's server, from its start where the run started it.
    """

    wall: float
    program: float
    server: float

    @property
    def cpu(self) -> float:
        """All of it."""
        return self.program + self.server


@dataclass(frozen=True)
class Ours:
    """forequake in folders of its own, with a server of its own.

    Attributes
    ----------
    config
        The experiment.
    home
        Where stores, caches and the server's files lie.
    """

    config: Path
    home: Path

    def run(self, store: str, config: Path | None = None) -> Took:
        """Run the experiment, or another one, into a store that may have results already."""
        number = self._server()
        before = tree_seconds(number)
        spent = self._call("run", str(config or self.config), "--store", self.url(store))
        time.sleep(_AFTER_SECONDS)
        if self._server() != number:  # the run started it
            number, before = self._server(), 0.0
        return Took(spent.wall, spent.cpu, tree_seconds(number) - before)

    def stop_server(self) -> None:
        """End the server, so that the next run starts it."""
        self._call("server", "stop")

    def forget_caches(self) -> None:
        """Take away what was built or read before: regions, and forecasts as arrays."""
        shutil.rmtree(self.home / "cache", ignore_errors=True)

    def url(self, store: str) -> str:
        """Give the address of a store."""
        return f"sqlite:///{self.home / store}.sqlite"

    def _call(self, *words: str) -> Spent:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT", "FORE"))}
        folders = {"XDG_DATA_HOME": str(self.home / "data"), "XDG_CACHE_HOME": str(self.home / "cache")}
        spent = run_measured([sys.executable, "-c", _OUR_RUN, *words], kept | folders, self.home)
        if spent.code != 0:
            sys.exit(spent.output)
        return spent

    def _server(self) -> int:
        states = list((self.home / "data").rglob("server.json"))
        return int(json.loads(states[0].read_text(encoding="utf-8"))["pid"]) if states else 0


def their_python(named: str | None) -> str:
    """Give a Python that has floatCSEP, made where none is named."""
    if named is not None:
        return named
    python = _ENVIRONMENT / "bin" / "python"
    if not (_ENVIRONMENT / ".ready").exists():
        print(f"Making {_ENVIRONMENT.name} with {_PINNED}: a few minutes", flush=True)
        subprocess.run([sys.executable, "-m", "venv", str(_ENVIRONMENT)], check=True)
        subprocess.run([str(python), "-m", "pip", "install", "-qq", _PINNED], check=True)
        (_ENVIRONMENT / ".ready").touch()
    return str(python)


def _run_theirs(python: str, config: Path, home: Path) -> Took:
    shutil.rmtree(config.parent / "results", ignore_errors=True)
    spent = run_measured([python, "-W", "ignore", "-c", _THEIR_RUN, str(config)], os.environ, home)
    if spent.code != 0:
        sys.exit(spent.output)
    return Took(spent.wall, spent.cpu, 0.0)


def _comparable(config: Path) -> Path:
    """Give the experiment with pyCSEP's W-test, which takes a normal distribution for few events, too."""
    text = config.read_text(encoding="utf-8")
    plain = "w_test, ref_model: flat"
    changed = config.with_name("compared.yml")
    changed.write_text(text.replace(plain, f"{plain}, func_kwargs: {{compat: pycsep}}"), encoding="utf-8")
    return changed


def _compare(ours: ResultsStore, theirs: Path) -> tuple[int, int]:
    """Compare all numbers that both programs have; give how many results and how many numbers agreed."""
    rows = ours.latest(ResultQuery(experiment="italy", limit=10_000)).rows
    results = numbers = 0
    for row in rows:
        for what, found, wanted in _pairs(ours, row, theirs):
            if not math.isclose(found, wanted, rel_tol=_SAME, abs_tol=_SAME):
                sys.exit(f"{row.label.test} {row.label.model} {row.label.window.id}: {what} {found} {wanted}")
            numbers += 1
        results += 1
    return results, numbers


def _pairs(ours: ResultsStore, row: ResultRow, theirs: Path) -> Iterator[tuple[str, float, float]]:
    """Give a name and both values of each number of a result; what floatCSEP does not have is left out."""
    window = f"{row.label.window.start.date()}_{row.label.window.end.date()}"
    folders = sorted(folder for folder in theirs.iterdir() if folder.is_dir())
    over_all = row.kind == "score"  # theirs are in the last window, a number for each
    folder = folders[-1] if over_all else theirs / window
    file = folder / "evaluations" / f"{row.label.test}_{row.label.model}.json"
    if not file.exists() or row.statistic is None:
        return  # a batch of an earlier window, or a test that we call undefined
    found: dict[str, Any] = json.loads(file.read_text(encoding="utf-8"))
    yield from _named_pairs(ours, row, found, window, folders)


def _named_pairs(
    ours: ResultsStore, row: ResultRow, found: dict[str, Any], window: str, folders: list[Path]
) -> Iterator[tuple[str, float, float]]:
    named = {} if row.quantiles is None else row.quantiles.named()
    quantile, statistic = found["quantile"], row.statistic
    assert statistic is not None  # noqa: S101 - left out before
    if "family" in named:
        place = ITALY_MODELS.index(str(row.label.reference))
        yield "gain", statistic, found["observed_statistic"][place]
        yield "|t| - t_critical", abs(named["t"]) - named["t_critical"], quantile[0][place]
    elif "t" in named:
        yield "gain", statistic, found["observed_statistic"]
        yield "t", named["t"], quantile[0]
        yield "t_critical", named["t_critical"], quantile[1]
    elif "p" in named:
        yield "p", named["p"], quantile
    elif "delta1" in named:
        yield "delta1", named["delta1"], quantile[0]
        yield "delta2", named["delta2"], quantile[1]
    elif "q" in named:
        yield "statistic", statistic, found["observed_statistic"]
        yield "q", named["q"], _with_ties(quantile, statistic, found["test_distribution"])
        drawn = ours.get(DistributionRecord, row.key).values
        for our_draw, their_draw in zip(drawn, found["test_distribution"], strict=True):
            yield "simulated", our_draw, their_draw
    else:
        place = [each.name for each in folders].index(window)
        yield "score", statistic, found["observed_statistic"][place]


def _with_ties(quantile: float, observed: float, simulated: list[float]) -> float:
    """Count simulated values that equal the observed one but for rounding, which pyCSEP counts by chance."""
    near = [value for value in simulated if abs(value - observed) <= _TIE * abs(observed)]
    if not near:
        return quantile
    return sum(value <= observed or value in near for value in simulated) / len(simulated)


def _measure(python: str, home: Path, repeats: int) -> tuple[dict[str, list[Took]], tuple[int, int]]:
    """Run both in turn; give what each kind of run took."""
    config = write_italy(home / "italy")
    theirs = home / "theirs"
    shutil.copytree(config.parent, theirs)
    took: dict[str, list[Took]] = {name: [] for name in _ROWS}
    compared = 0, 0

    def note(name: str, one: Took) -> None:
        took[name].append(one)
        print(f"{name}: {one.cpu:.2f} s of CPU ({one.server:.2f} s the server), {one.wall:.2f} s", flush=True)

    for number in range(repeats):
        note("floatCSEP", _run_theirs(python, theirs / config.name, home))
        place = home / f"ours{number}"
        place.mkdir()
        ours = Ours(config, place)
        note("forequake for the first time", ours.run("first"))
        note("forequake, all stored", ours.run("first"))
        ours.forget_caches()
        note("forequake, server warm", ours.run("second"))
        ours.stop_server()
        ours.forget_caches()
        note("forequake, server cold", ours.run("third"))
        ours.run("compared", _comparable(config))
        with open_store(ours.url("compared")) as store:
            compared = _compare(store, theirs / "results")
        ours.stop_server()
        shutil.rmtree(place)
    return took, compared


def _say_ratios(took: dict[str, list[Took]]) -> list[str]:
    """Print a line ``ratio NAME VALUE`` for each run of ours; give the rows of the table."""
    theirs = [one.cpu for one in took["floatCSEP"]]
    rows = []
    for name, runs in took.items():
        values = [their / ours.cpu for their, ours in zip(theirs, runs, strict=True)]
        if name != "floatCSEP":
            print(f"ratio {_ROWS[name]} {median(values):.1f}", flush=True)
        cells = [
            name,
            f"{median(one.cpu for one in runs):.1f}",
            f"{median(one.program for one in runs):.1f}",
            f"{median(one.server for one in runs):.1f}",
            f"{median(one.wall for one in runs):.1f}",
            "" if name == "floatCSEP" else f"{median(values):.1f}",
        ]
        rows.append(f"| {' | '.join(cells)} |")
    return rows


def main() -> None:
    """Measure, compare the numbers, and write the page."""
    parser = argparse.ArgumentParser(description="Run a whole experiment with floatCSEP and with forequake.")
    parser.add_argument("--floatcsep-python", help=f"a Python that has {_PINNED}; none: it is installed")
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    python = their_python(options.floatcsep_python)
    with tempfile.TemporaryDirectory(prefix="forequake-bench-") as folder:
        took, (results, numbers) = _measure(python, Path(folder), options.repeats)
    rows = _say_ratios(took)
    text = _PAGE.format(
        models=len(ITALY_MODELS),
        tests=len(ITALY_TESTS),
        cores=os.cpu_count(),
        python=platform.python_version(),
        prefect=version("prefect"),
        repeats=options.repeats,
        rows="\n".join(rows),
        results=results,
        numbers=f"{numbers:,}",
        load=load_in_words(),
    )
    _FILE.write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
