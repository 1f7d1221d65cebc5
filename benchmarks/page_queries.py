"""How long the store takes for each question that a page of the dashboard asks.

The questions are those of `dashboard._data`, `dashboard._grids` and `dashboard._past`; what a page keeps in
memory afterwards is not asked twice. The store is one that `fill` filled: 25 models, 1,000 windows, 20 tests,
half a million results.
"""

import argparse
import os
import platform
import time
from collections.abc import Callable, Iterator
from typing import NamedTuple

from dashboard._experiment import MOST_IN_COLUMNS, MOST_ROWS, PAGE
from forequake.results import DistributionRecord, EvaluationRecord, ExperimentRecord, Record
from stores import PastStore, PutReport, ResultColumns, ResultQuery, ResultsStore, open_store
from stores.testing import fill_store

__all__ = ["LIMIT", "Question", "fill", "questions", "seconds"]

#: What a question may take, in seconds.
LIMIT = 0.15
_MODELS = 25
_WINDOWS = 1_000
_TESTS = (
    *("N", "M", "S", "L", "CL", "T", "W", "IG", "LL", "NBD-N", "binary S", "binary CL", "binary T", "Brier"),
    *("batch T/W", "catalog N", "catalog S", "PL", "catalog M", "ROC"),
)
#: What a comparison of two states reads of each (`dashboard._past`).
_STATE = 2_000
_REPEATS = 5


class Question(NamedTuple):
    """What a page asks of the store."""

    page: str
    what: str
    ask: Callable[[], object]


def fill(store: ResultsStore, experiment: str = "half", *, windows: int = _WINDOWS) -> None:
    """Put models x tests x windows into a store, as a run leaves them, but for whole simulated samples."""
    put = store.put

    def put_without_samples(records: list[Record]) -> PutReport:
        return put([record for record in records if not isinstance(record, DistributionRecord)])

    store.put = put_without_samples  # type: ignore[method-assign, assignment]
    models = [f"model-{number:02d}" for number in range(_MODELS)]
    fill_store(store, models=models, tests=_TESTS, windows=windows, experiment=experiment, failed=40)
    del store.put
    store.summarise(experiment)


def questions(store: ResultsStore, experiment: str) -> Iterator[Question]:
    """Give every question of every page; what they need to know is asked first."""
    counted = store.overview(experiment)
    windows = store.coverage(experiment).windows
    middle, models = windows[len(windows) // 2], sorted({cell.model for cell in counted.cells})
    tests = sorted({cell.test for cell in counted.cells})
    in_one = ResultQuery(experiment=experiment, window=middle, limit=PAGE)
    rows = store.latest(in_one).rows
    yield from _of_every_page(store, experiment)
    yield Question("Overview, Comparison, Map", "results of one window", lambda: store.latest(in_one))
    for page, test, most in _columns_of_pages(tests):
        since = None if len(windows) <= most else windows[-most].start
        what = f"columns of {test}"
        yield Question(page, what, lambda test=test, since=since: _columns(store, experiment, test, since))  # type: ignore[misc]
    keys = [row.key for row in rows if row.label.test == "S"]
    yield Question(
        "Consistency, Calibration", "whole results", lambda: store.get_many(EvaluationRecord, keys)
    )
    curves = [row.key for row in rows if row.label.test == "ROC"]
    yield Question("Alarms", "scores with curves", lambda: store.get_many(EvaluationRecord, curves))
    pairs = ResultQuery(experiment=experiment, tests=("T",), start_from=windows[-240:][0].start, limit=PAGE)
    yield Question("Comparison", "results of T, window by window", lambda: store.latest(pairs))
    series = ResultQuery(experiment=experiment, tests=("S",), models=(models[-1],), limit=PAGE)
    yield Question("Overview, Result, Alarms", "one test of one model", lambda: store.latest(series))
    row = rows[len(rows) // 2]
    yield Question("Result", "result", lambda: store.get(EvaluationRecord, row.key))
    yield Question("Result", "history of its place", lambda: store.history(row.label.slot))
    last = windows[-100:][0].start
    yield Question("Runs", "models by the last 100 windows", lambda: store.coverage(experiment, last))
    yield Question("Runs", "models by all windows", lambda: store.coverage(experiment))
    yield Question("Runs", "times of the last run", lambda: store.timings(experiment))
    state = ResultQuery(
        experiment=experiment, start_from=windows[-(_STATE // len(counted.cells)) :][0].start, limit=_STATE
    )
    run = store.runs(experiment)[0]
    then = run.heartbeat_at
    yield Question("Compare", "latest results, as many as it compares", lambda: store.latest(state))
    for what, query in (("as many as it compares", state), ("one window", in_one)):
        past = query.model_copy(update={"as_of": then})
        yield Question("Compare", f"results as of a time, {what}", lambda past=past: store.latest(past))  # type: ignore[misc]
    # In the last hundredth of the run, so that some windows came since.
    stood = PastStore(store, then - (then - run.started_at) / 100)
    yield Question("permanent link", "overview as of a time", lambda: stood.overview(experiment))
    yield Question("permanent link", "models by windows as of a time", lambda: stood.coverage(experiment))
    yield Question("permanent link", "columns of S as of a time", lambda: stood.columns(experiment, "S"))


def _of_every_page(store: ResultsStore, experiment: str) -> Iterator[Question]:
    record = next(each.record_key for each in store.experiments() if each.name == experiment)
    yield Question("every page", "experiments", store.experiments)
    yield Question("every page", "overview", lambda: store.overview(experiment))
    yield Question("every page", "failed and running units", lambda: store.units(experiment))
    yield Question("every page", "configuration", lambda: store.get(ExperimentRecord, record))
    yield Question("every page", "runs", lambda: store.runs(experiment))
    named = ResultQuery(experiment=experiment, tests=("ROC",), models=("model-07",), limit=1)
    yield Question("every page", "forequake's name of a test", lambda: store.latest(named))


def _columns_of_pages(tests: list[str]) -> Iterator[tuple[str, str, int]]:
    """Give pages, tests, and how many windows they read at most."""
    yield "every page (windows)", min(tests), 1 << 30
    yield "Overview (sums of scores)", "IG", 1 << 30
    yield "Over time, Calibration", "S", MOST_IN_COLUMNS // _MODELS
    yield "Over time, Calibration", "T", MOST_IN_COLUMNS // _MODELS
    yield "Comparison (all pairs)", "batch T/W", MOST_ROWS // (_MODELS * (_MODELS - 1))


def _columns(store: ResultsStore, experiment: str, test: str, since: object) -> ResultColumns | None:
    found = store.columns(experiment, test, since)  # type: ignore[arg-type]
    assert found is not None  # noqa: S101
    return found


def seconds(ask: Callable[[], object], repeats: int = _REPEATS) -> tuple[float, float]:
    """Time a question: CPU of this process and wall, each the least of some, in seconds."""
    times = []
    for _ in range(repeats):
        wall, cpu = time.perf_counter(), time.process_time()
        ask()
        times.append((time.process_time() - cpu, time.perf_counter() - wall))
    return min(cpu for cpu, _ in times), min(wall for _, wall in times)


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("store", help="address of a filled store; an empty one is filled")
    parser.add_argument("--experiment", default="half")
    given = parser.parse_args()
    store = open_store(given.store)
    if given.experiment not in {summary.name for summary in store.experiments()}:
        fill(store, given.experiment)
    store.summarise(given.experiment)
    number = next(each.n_results for each in store.experiments() if each.name == given.experiment)
    print(f"{number:,} results; Python {platform.python_version()}, {os.cpu_count()} CPUs\n")
    print("| page | question | CPU, ms | wall, ms |\n|---|---|---:|---:|")
    for page, what, ask in questions(store, given.experiment):
        cpu, wall = seconds(ask)
        mark = " **too long**" if cpu > LIMIT else ""
        print(f"| {page} | {what} | {cpu * 1e3:.1f}{mark} | {wall * 1e3:.1f} |")


if __name__ == "__main__":
    main()
