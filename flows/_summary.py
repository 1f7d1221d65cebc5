"""What an experiment has now, as its files were in its latest run."""

import re
from collections.abc import Callable, Iterable, Iterator

from pydantic import ValidationError

from forequake.config import ExperimentConfig
from forequake.evaluations.registry import COMPAT_FLAG, TESTS
from forequake.places import labels_of
from forequake.quantities import Sha256
from forequake.results import EvaluationRecord, ExperimentRecord, Label, UnitRecord
from stores import ResultQuery, ResultRow, ResultsStore

__all__ = [
    "all_rows",
    "artifact_key",
    "current_config",
    "current_rows",
    "current_units",
    "with_pycsep_numbers",
]


def all_rows(store: ResultsStore, query: ResultQuery) -> Iterator[ResultRow]:
    """Read all pages of a query."""
    while True:
        page = store.latest(query)
        yield from page.rows
        if page.cursor is None:
            return
        query = query.model_copy(update={"cursor": page.cursor})


def current_rows(store: ResultsStore, experiment: str) -> tuple[list[ResultRow], int]:
    """Read the results that an experiment has as its files were in its latest run.

    Returns
    -------
    list of ResultRow
        In the order of windows.
    int
        Number of results of earlier versions of the files, with models, tests or windows that are gone.
    """
    has = _is_current(store, experiment)
    rows = list(all_rows(store, ResultQuery(experiment=experiment, limit=10_000)))
    current = [row for row in rows if has(row.label)]
    current.sort(key=lambda row: (row.label.window.start, row.label.window.end))
    return current, len(rows) - len(current)


def current_units(store: ResultsStore, experiment: str) -> list[UnitRecord]:
    """Read the units that are under way or ended badly, as far as the latest run's files still have them."""
    has = _is_current(store, experiment)
    return [unit for unit in store.units(experiment) if has(unit.label)]


def current_config(store: ResultsStore, experiment: str) -> ExperimentConfig | None:
    """Read an experiment's configuration of its latest run; None where another version wrote it."""
    latest = next(summary for summary in store.experiments() if summary.name == experiment)
    try:
        return ExperimentConfig.model_validate(store.get(ExperimentRecord, latest.record_key).config)
    except ValidationError:
        return None


def _is_current(store: ResultsStore, experiment: str) -> Callable[[Label], bool]:
    """Give what tells whether the files of the latest run have a place."""
    config = current_config(store, experiment)
    if config is None:  # better too much than nothing
        return lambda label: True
    places = {_place(label) for label in labels_of(config)}
    return lambda label: _place(label) in places


def _place(label: Label) -> tuple[object, ...]:
    """Tell places of one experiment apart: as slots do, and quicker."""
    return label.test, label.model, label.reference, label.window.start, label.window.end


def with_pycsep_numbers(store: ResultsStore, experiment: str, rows: Iterable[ResultRow]) -> frozenset[Sha256]:
    """Give the keys of results with the numbers of pyCSEP: those of tests with ``compat: pycsep``.

    What the latest run vouched for is as its configuration says; other results are looked up one by one.
    """
    config, runs = current_config(store, experiment), store.runs(experiment, 1)
    asked = None if config is None else {test.name for test in config.tests if test.compat}

    def has(row: ResultRow) -> bool:
        known = TESTS.get(row.test)
        if known is None or not known.has_pycsep_numbers:
            return False
        if asked is not None and runs and row.run_no == runs[0].run_no:
            return row.label.test in asked
        return COMPAT_FLAG in store.get(EvaluationRecord, row.key).flags

    return frozenset(row.key for row in rows if has(row))


def artifact_key(experiment: str) -> str:
    """Give the name under which Prefect keeps the history of an experiment's outcome matrix."""
    words = re.sub(r"[^a-z0-9]+", "-", experiment.lower()).strip("-")
    return f"outcomes-{words}" if words else "outcomes"
