"""A store as it stood at a time: what permanent links show, whatever came since."""

from collections.abc import Collection, Iterable, Iterator
from datetime import datetime, timedelta
from typing import Final

from forequake.quantities import Sha256
from forequake.results import RunRecord, RunState, UnitRecord, UnitState
from stores._codec import to_us
from stores._read_only import ReadOnlyStore
from stores._standing import (
    Span,
    coverage_of_columns,
    only_of,
    overview_of_columns,
    questions,
    spans_of,
)
from stores.base import ResultsStore
from stores.columns import ResultColumns, joined
from stores.exchange import BoundResult, Coverage, ExperimentSummary, Overview, Page, ResultQuery, ResultRow

__all__ = ["PastStore"]

#: While a run is under way, it tells that it lives at least so often.
_HEARTBEAT: Final = timedelta(minutes=2)


class PastStore(ReadOnlyStore):
    """A store without what came after a time.

    Where no run was under way since, its answers are those of the store, as fast. Else counts and columns are
    made from the store's, and what was changed since is looked up. Computations that had ended badly by then
    and were repeated since are not told any more.
    """

    def __init__(self, store: ResultsStore, moment: datetime) -> None:
        super().__init__(store)
        self._moment = moment
        self._changed_since: set[str] = set()

    def experiments(self) -> list[ExperimentSummary]:
        return [
            self._summary(summary) if self._changed(summary.name) else summary
            for summary in super().experiments()
        ]

    def _summary(self, summary: ExperimentSummary) -> ExperimentSummary:
        runs = self.runs(summary.name)
        if not runs:
            return summary
        last = max(runs, key=lambda run: run.run_no)
        return summary.model_copy(
            update={
                "record_key": last.experiment_key,
                "last_run_state": last.state,
                "last_run_counts": last.counts,
                "last_started_at": last.started_at,
            }
        )

    def _changed(self, experiment: str) -> bool:
        """Tell whether a run of an experiment may have given it results since."""
        if experiment not in self._changed_since and any(
            (run.heartbeat_at + _HEARTBEAT if run.ended_at is None else run.ended_at) > self._moment
            for run in super().runs(experiment)
        ):
            self._changed_since.add(experiment)
        return experiment in self._changed_since

    def latest(self, query: ResultQuery) -> Page[ResultRow]:
        earlier = self._moment if query.as_of is None else min(query.as_of, self._moment)
        if query.as_of is None and not self._changed(query.experiment):
            return super().latest(query)
        return super().latest(query.model_copy(update={"as_of": earlier}))

    def history(self, slot: Sha256) -> list[BoundResult]:
        return [value for value in super().history(slot) if value.bound_at <= self._moment]

    def overview(self, experiment: str) -> Overview:
        now = super().overview(experiment)
        if not self._changed(experiment):
            return now
        return overview_of_columns(experiment, now.token, self._parts(experiment, _tests(now), None))

    def coverage(self, experiment: str, start_from: datetime | None = None) -> Coverage:
        if not self._changed(experiment):
            return super().coverage(experiment, start_from)
        tests = _tests(super().overview(experiment))
        return coverage_of_columns(self._parts(experiment, tests, start_from))

    def columns(self, experiment: str, test: str, start_from: datetime | None = None) -> ResultColumns | None:
        if not self._changed(experiment):
            return super().columns(experiment, test, start_from)
        parts = list(self._parts(experiment, [test], start_from))
        return joined(parts) if parts else None

    def _parts(
        self, experiment: str, tests: Iterable[str], start_from: datetime | None
    ) -> Iterator[ResultColumns]:
        """Give what stood of some tests; each result is in one of the parts."""
        changed = []
        windows: set[Span] = set()
        for test in tests:
            now = super().columns(experiment, test, start_from)
            if now is None:
                continue
            windows.update(spans_of(now))
            stood = now.bound <= to_us(self._moment)
            if stood.any():
                yield now if stood.all() else now.where(stood)
            if not stood.all():
                changed.append(now.where(~stood))
        if changed:
            asked = questions(changed, windows, self._moment)
            yield from only_of((row for query in asked for row in self._rows(query)), changed)

    def _rows(self, query: ResultQuery) -> Iterator[ResultRow]:
        while True:
            page = super().latest(query)
            yield from page.rows
            if page.cursor is None:
                return
            query = query.model_copy(update={"cursor": page.cursor})

    def runs(self, experiment: str | None, limit: int = 50) -> list[RunRecord]:
        return [
            run
            if run.ended_at is None or run.ended_at <= self._moment
            else run.model_copy(update={"state": RunState.RUNNING, "ended_at": None})
            for run in super().runs(experiment, limit)
            if run.started_at <= self._moment
        ]

    def units(self, experiment: str, states: Collection[UnitState] = ()) -> list[UnitRecord]:
        return [unit for unit in super().units(experiment, states) if unit.changed_at <= self._moment]


def _tests(overview: Overview) -> list[str]:
    return sorted({cell.test for cell in overview.cells})
