"""Going through all that a store holds, page by page, in an order that every store has."""

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, Generic, NamedTuple, TypeVar

from forequake.quantities import Sha256
from forequake.results import (
    CatalogForecastRecord,
    CatalogRetrieval,
    CatalogSnapshot,
    DistributionRecord,
    EnvironmentRecord,
    EvaluationRecord,
    ExperimentRecord,
    ForecastRecord,
    Label,
    Record,
    RegionRecord,
    RunRecord,
    SealRecord,
    UnitRecord,
    UnitState,
)
from stores.base import ResultsStore
from stores.exchange import BoundResult, ResultQuery, ResultRow

__all__ = [
    "EACH_KIND",
    "EXPERIMENTS",
    "RESULTS",
    "Keyed",
    "Kind",
    "all_bindings",
    "all_records",
    "all_rows",
    "all_runs",
    "ended_units",
    "in_step",
    "pages_of",
]

T = TypeVar("T")
R = TypeVar("R", bound=Record)

_PAGE: Final = 1000
#: More runs than an experiment ever has.
_MANY: Final = 1 << 30


class Keyed(NamedTuple, Generic[T]):
    """One thing of a walk, with what the walk is sorted by."""

    key: tuple[Any, ...]
    value: T


class Kind(NamedTuple):
    """A kind of record as a walk reads it.

    Attributes
    ----------
    words
        What its records are called, in the plural.
    page
        How many are read at once.
    """

    words: str
    record: type[Record]
    page: int


EXPERIMENTS: Final = Kind("experiment records", ExperimentRecord, 100)
RESULTS: Final = Kind("results", EvaluationRecord, 500)
#: Every kind of record, those first to which others refer.
EACH_KIND: Final = (
    Kind("environments", EnvironmentRecord, 500),
    Kind("regions", RegionRecord, 500),
    Kind("catalogs", CatalogSnapshot, 500),
    Kind("catalog retrievals", CatalogRetrieval, 500),
    Kind("forecasts", ForecastRecord, 500),
    Kind("catalog-based forecasts", CatalogForecastRecord, 500),
    Kind("sealed forecasts", SealRecord, 500),
    EXPERIMENTS,
    RESULTS,
    Kind("distributions", DistributionRecord, 100),
)


def pages_of(store: ResultsStore, kind: type[R], page: int) -> Iterator[list[R]]:
    """Give all records of a kind in the order of their keys, page by page."""
    after: Sha256 | None = None
    while records := store.scan(kind, after, page):
        yield records
        if len(records) < page:
            return
        after = records[-1].key


def all_records(store: ResultsStore, kind: Kind) -> Iterator[Keyed[Record]]:
    """Give all records of a kind by their keys."""
    for page in pages_of(store, kind.record, kind.page):
        for record in page:
            yield Keyed((record.key,), record)


def all_bindings(store: ResultsStore) -> Iterator[Keyed[BoundResult]]:
    """Give all bindings by slot and run number."""
    after: tuple[Sha256, int] | None = None
    while bindings := store.bindings(after, _PAGE):
        for bound in bindings:
            after = (_slot(bound.label), bound.run_no)
            yield Keyed(after, bound)
        if len(bindings) < _PAGE:
            return


def all_rows(store: ResultsStore, experiment: str) -> Iterator[Keyed[ResultRow]]:
    """Give all latest rows of an experiment by what they are sorted by."""
    query = ResultQuery(experiment=experiment, limit=_PAGE)
    while True:
        page = store.latest(query)
        for row in page.rows:
            label = row.label
            yield Keyed((label.window.start, label.test, label.model, _slot(label)), row)
        if page.cursor is None:
            return
        query = query.model_copy(update={"cursor": page.cursor})


def all_runs(store: ResultsStore, experiment: str) -> list[RunRecord]:
    """Give all runs of an experiment in the order of their numbers."""
    return sorted(store.runs(experiment, _MANY), key=lambda run: run.run_no)


def ended_units(store: ResultsStore, experiment: str) -> dict[Sha256, UnitRecord]:
    """Give the units of an experiment that ended badly, by their slots."""
    units = store.units(experiment)
    return {unit.label.slot: unit for unit in units if unit.state is not UnitState.RUNNING}


@lru_cache(maxsize=8192)  # two walks in step ask for each slot twice
def _slot(label: Label) -> Sha256:
    return label.slot


def in_step(one: Iterator[Keyed[T]], other: Iterator[Keyed[T]]) -> Iterator[tuple[T | None, T | None]]:
    """Go through two walks at once; what only one of them has comes beside None."""
    mine, theirs = next(one, None), next(other, None)
    while mine is not None and theirs is not None:
        if mine.key == theirs.key:
            yield mine.value, theirs.value
            mine, theirs = next(one, None), next(other, None)
        elif mine.key < theirs.key:
            yield mine.value, None
            mine = next(one, None)
        else:
            yield None, theirs.value
            theirs = next(other, None)
    while mine is not None:
        yield mine.value, None
        mine = next(one, None)
    while theirs is not None:
        yield None, theirs.value
        theirs = next(other, None)
