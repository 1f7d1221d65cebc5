"""A store as it stood at a time: what permanent links show, whatever came since.

All pages read through one store object, so that a page cannot mix what is with what was. The address that
pages give with each question says which store it is; answers are kept in memory under it.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Final

from pydantic import TypeAdapter, ValidationError

from forequake.quantities import Sha256, UtcDatetime
from forequake.results import Outcome, RunRecord, RunState, UnitRecord, UnitState
from forequake.windows import TimeWindow
from stores import (
    BoundResult,
    Coverage,
    ExperimentSummary,
    Overview,
    OverviewCell,
    Page,
    ReadOnlyStore,
    ResultQuery,
    ResultRow,
    ResultsStore,
)

__all__ = ["PastStore", "address_at", "moment_of", "parted", "written"]

#: Between a store's address and a time; no address has a line break.
_MARK: Final = "\nas of "
_TIME: Final = TypeAdapter(UtcDatetime)
_PAGE: Final = 10_000
#: While a run is under way, it tells that it lives at least so often.
_HEARTBEAT: Final = timedelta(minutes=2)


def written(moment: datetime) -> str:
    """Write a time as it stands in a link: to the microsecond, since results of one second differ.

    Examples
    --------
    >>> from datetime import UTC
    >>> written(datetime(2024, 5, 1, 12, tzinfo=UTC))
    '2024-05-01T12:00:00.000000Z'
    """
    return f"{moment:%Y-%m-%dT%H:%M:%S.%f}Z"


def moment_of(text: str) -> datetime | None:
    """Read a time of a link; None where it is none.

    Examples
    --------
    >>> moment_of("2024-05-01T12:00:00Z").hour, moment_of("noon")
    (12, None)
    """
    try:
        return _TIME.validate_strings(text)
    except ValidationError:
        return None


def address_at(address: str, moment: datetime | None) -> str:
    """Give the address of a store as it stood at a time; None stands for now.

    Examples
    --------
    >>> parted(address_at("sqlite:///s", moment_of("2024-05-01T12:00:00Z")))[0], parted("sqlite:///s")
    ('sqlite:///s', ('sqlite:///s', None))
    """
    return address if moment is None else f"{address}{_MARK}{written(moment)}"


def parted(address: str) -> tuple[str, datetime | None]:
    """Take an address of `address_at` apart."""
    plain, _, moment = address.partition(_MARK)
    return plain, moment_of(moment) if moment else None


class PastStore(ReadOnlyStore):
    """A store without what came after a time.

    Where no run was under way since, its answers are those of the store, as fast; else results are read one
    by one. Computations that had ended badly by then and were repeated since are not told any more.
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
        counts: dict[tuple[str, str, str | None], Counter[Outcome]] = defaultdict(Counter)
        last: dict[tuple[str, str, str | None], datetime] = {}
        windows = set()
        for row in self._rows(experiment):
            place = row.label.test, row.label.model, row.label.reference
            counts[place][row.outcome] += 1
            last[place] = max(last.get(place, row.computed_at), row.computed_at)
            windows.add(row.label.window)
        cells = tuple(
            OverviewCell(
                test=place[0],
                model=place[1],
                reference=place[2],
                outcomes=dict(found),
                n_windows=found.total(),
                last_computed_at=last[place],
            )
            for place, found in sorted(counts.items(), key=lambda item: (*item[0][:2], item[0][2] or ""))
        )
        return now.model_copy(
            update={
                "cells": cells,
                "n_windows": len(windows),
                "last_computed_at": max(last.values(), default=None),
            }
        )

    def coverage(self, experiment: str, start_from: datetime | None = None) -> Coverage:
        if not self._changed(experiment):
            return super().coverage(experiment, start_from)
        counts: Counter[tuple[TimeWindow, str]] = Counter(
            (row.label.window, row.label.model) for row in self._rows(experiment, start_from)
        )
        windows = sorted({window for window, _ in counts}, key=lambda window: (window.start, window.end))
        models = sorted({model for _, model in counts})
        table = tuple(tuple(counts[window, model] for model in models) for window in windows)
        return Coverage(windows=tuple(windows), models=tuple(models), counts=table)

    def _rows(self, experiment: str, start_from: datetime | None = None) -> Iterator[ResultRow]:
        query = ResultQuery(experiment=experiment, start_from=start_from, limit=_PAGE)
        while True:
            page = self.latest(query)
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
