"""What the public may see of a store: no experiment under embargo, and nothing of how it is operated.

All pages read through one store object, so that a page cannot forget to leave something out.
"""

import os
import re
import time
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, Final, TypeVar, cast

from dashboard.launch import PUBLIC_VARIABLE
from forequake.errors import ForequakeError, NotFound
from forequake.quantities import Sha256, now
from forequake.results import (
    CatalogForecastRecord,
    ExperimentRecord,
    ForecastRecord,
    Record,
    RunRecord,
    StageTiming,
    UnitRecord,
    UnitState,
)
from stores import (
    BoundResult,
    Coverage,
    ExperimentSummary,
    Overview,
    Page,
    ReadOnlyStore,
    ResultQuery,
    ResultRow,
    ResultsStore,
)

__all__ = ["PublicStore", "is_public"]

R = TypeVar("R", bound=Record)

#: So long a list of open experiments is taken as it was, in seconds.
_FRESH: Final = 4.0
#: A path from the root of a disk, a home, or a share.
_ABSOLUTE: Final = re.compile(r"(?:[/~]|[A-Za-z]:[\\/]|\\\\).*[\\/]")


def is_public() -> bool:
    """Tell whether the dashboard is for the public."""
    return os.environ.get(PUBLIC_VARIABLE, "") not in ("", "0")


class PublicStore(ReadOnlyStore):
    """A store without experiments under embargo, and without hosts, paths, logs and the words of errors.

    An experiment is open where the record of its latest run says nothing of an embargo, or of one that has
    ended. One whose record cannot be read is not.
    """

    def __init__(self, store: ResultsStore, clock: Callable[[], datetime] = now) -> None:
        super().__init__(store)
        self.name = "the results store"
        self._clock = clock
        self._open: tuple[float, dict[str, ExperimentSummary]] = (-_FRESH, {})

    # --- which experiments ---------------------------------------------------------------------------------

    def experiments(self) -> list[ExperimentSummary]:
        found = [summary for summary in super().experiments() if self._is_open(summary)]
        self._open = (time.monotonic(), {summary.name: summary for summary in found})
        return found

    def _is_open(self, summary: ExperimentSummary) -> bool:
        try:
            until = super().get(ExperimentRecord, summary.record_key).embargo_until
        except (ForequakeError, ValueError):
            return False
        return until is None or until <= self._clock()

    def _names(self) -> Collection[str]:
        if time.monotonic() - self._open[0] > _FRESH:
            self.experiments()
        return self._open[1]

    def _check(self, experiment: str) -> None:
        if experiment not in self._names():
            message = f"there is no experiment {experiment!r}"
            raise NotFound(message)

    def overview(self, experiment: str) -> Overview:
        self._check(experiment)
        return super().overview(experiment)

    def coverage(self, experiment: str, start_from: datetime | None = None) -> Coverage:
        self._check(experiment)
        return super().coverage(experiment, start_from)

    def latest(self, query: ResultQuery) -> Page[ResultRow]:
        return super().latest(query) if query.experiment in self._names() else Page(rows=())

    def history(self, slot: Sha256) -> list[BoundResult]:
        return [value for value in super().history(slot) if value.label.experiment in self._names()]

    def bindings(self, after: tuple[Sha256, int] | None = None, limit: int = 1000) -> list[BoundResult]:
        message = "all bindings of a store are not for the public"
        raise NotFound(message)

    def timings(self, experiment: str, limit: int = 1) -> tuple[StageTiming, ...]:
        return super().timings(experiment, limit) if experiment in self._names() else ()

    # --- without what is of the operation ------------------------------------------------------------------

    def runs(self, experiment: str | None, limit: int = 50) -> list[RunRecord]:
        hidden: dict[str, Any] = {
            "owner": "",
            "host": "",
            "command": (),
            "notes": "",
            "label": None,
            "tags": (),
            "flow_run_id": None,
        }
        return [
            run.model_copy(update=hidden)
            for run in super().runs(experiment, limit)
            if run.experiment in self._names()
        ]

    def units(self, experiment: str, states: Collection[UnitState] = ()) -> list[UnitRecord]:
        if experiment not in self._names():
            return []
        return [
            unit.model_copy(
                update={
                    "owner": "",
                    "error": unit.error and unit.error.model_copy(update={"message": ""}),
                }
            )
            for unit in super().units(experiment, states)
        ]

    def get(self, kind: type[R], key: Sha256) -> R:
        return self._shown(super().get(kind, key))

    def get_many(self, kind: type[R], keys: Collection[Sha256]) -> dict[Sha256, R]:
        return {key: self._shown(record) for key, record in super().get_many(kind, keys).items()}

    def scan(self, kind: type[R], after: Sha256 | None = None, limit: int = 1000) -> list[R]:
        if issubclass(kind, ExperimentRecord):
            message = "all records of experiments are not for the public"
            raise NotFound(message)
        return [self._shown(record) for record in super().scan(kind, after, limit)]

    def _shown(self, record: R) -> R:
        """Leave out of a record what tells of the machine that made it."""
        if isinstance(record, ExperimentRecord):
            if record.name not in self._names():
                message = f"there is no record {record.key}"
                raise NotFound(message)
            return record.model_copy(update={"config": _without_folders(record.config)})
        if isinstance(record, ForecastRecord | CatalogForecastRecord):
            run = record.run
            if run is not None:
                command = tuple(_without_folders(word) for word in run.command)
                run = run.model_copy(update={"log": "", "notes": (), "variables": {}, "command": command})
            update = {"source": _without_folders(record.source), "run": run}
            return cast(R, record.model_copy(update=update))
        return record


def _without_folders(value: Any) -> Any:
    """Leave of absolute paths the last part."""
    match value:
        case str():
            return _ABSOLUTE.sub("", value) if _ABSOLUTE.match(value) else value
        case dict():
            return {name: _without_folders(part) for name, part in value.items()}
        case list():
            return [_without_folders(part) for part in value]
    return value
