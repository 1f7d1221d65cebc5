"""What the public may see of a store: no experiment under embargo, and nothing of how it is operated.

All pages read through one store object, so that a page cannot forget to leave something out.
"""

import json
import os
import time
from collections.abc import Callable, Collection
from datetime import datetime
from typing import Any, Final, TypeVar, cast

from dashboard._without_places import last_part, without_places
from dashboard.launch import PUBLIC_VARIABLE
from forequake.errors import ForequakeError, NotFound
from forequake.quantities import Sha256, now
from forequake.results import (
    BlobRef,
    CatalogForecastRecord,
    CatalogRetrieval,
    EvaluationRecord,
    ExperimentRecord,
    ForecastRecord,
    ModelRunRecord,
    Record,
    ResolvedInputs,
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
    ResultColumns,
    ResultQuery,
    ResultRow,
    ResultsStore,
)

__all__ = ["PublicStore", "is_public"]

R = TypeVar("R", bound=Record)

#: So long a list of open experiments is taken as it was, in seconds.
_FRESH: Final = 4.0
#: Stands for a name that is not for the public, where a configuration needs one.
_HIDDEN: Final = "not told"
#: Of what labels a run the only word that is for everybody: what began it.
_OPEN_TAGS: Final = frozenset({"scheduled"})


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
        except (ForequakeError, ValueError, TypeError):
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

    def columns(self, experiment: str, test: str, start_from: datetime | None = None) -> ResultColumns | None:
        return super().columns(experiment, test, start_from) if experiment in self._names() else None

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
            "flow_run_id": None,
        }
        return [
            run.model_copy(update=hidden | {"tags": tuple(tag for tag in run.tags if tag in _OPEN_TAGS)})
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
        # All records of a kind would be those of hidden experiments, too. A retrieval tells of none.
        if not issubclass(kind, CatalogRetrieval):
            message = f"all records of the kind {kind.__name__} are not for the public"
            raise NotFound(message)
        return [self._shown(record) for record in super().scan(kind, after, limit)]

    def _shown(self, record: R) -> R:
        """Leave out of a record what tells of the machine that made it, and of hidden experiments."""
        if isinstance(record, ExperimentRecord):
            if record.name not in self._names():
                message = f"there is no record {record.key}"
                raise NotFound(message)
            return record.model_copy(
                update={
                    "config": self._without_stores(without_places(record.config)),
                    "inputs": record.inputs.model_copy(update={"own_files": _by_last_parts(record.inputs)}),
                    "canon": "",
                }
            )
        if isinstance(record, CatalogRetrieval):
            return cast(R, record.model_copy(update={"source": last_part(record.source), "canon": ""}))
        if isinstance(record, ForecastRecord | CatalogForecastRecord):
            update = {"source": last_part(record.source), "run": _without_machine(record.run)}
            return cast(R, record.model_copy(update=update))
        if isinstance(record, EvaluationRecord):
            # Of users' own tests it has their arguments, among which paths may be.
            told = json.loads(record.canon)
            kept = without_places(told)
            return record if kept == told else record.model_copy(update={"canon": json.dumps(kept)})
        return record

    def _without_stores(self, config: dict[str, Any]) -> dict[str, Any]:
        """Leave out in which store submitted forecasts are sealed, and by which hidden experiment."""
        for model in config.get("models") or ():
            sealed = model.get("store") if isinstance(model, dict) else None
            if isinstance(sealed, dict):
                sealed["name"] = _HIDDEN
                if sealed.get("experiment") not in self._names():
                    sealed["experiment"] = _HIDDEN
        return config


def _without_machine(run: ModelRunRecord | None) -> ModelRunRecord | None:
    """Leave out of the run of a program what tells of the machine it ran on."""
    if run is None:
        return None
    return run.model_copy(
        update={
            "origin": last_part(run.origin),
            "command": tuple(without_places(word, paths=True) for word in run.command),
            "arguments": without_places(run.arguments, paths=True),
            "log": "",
            "notes": (),
            "variables": {},
        }
    )


def _by_last_parts(inputs: ResolvedInputs) -> dict[str, BlobRef]:
    """Name files of users' own tests by the last parts of their paths, with numbers where these agree."""
    found: dict[str, BlobRef] = {}
    for path, file in inputs.own_files.items():
        name = last_part(path)
        found[name if name not in found else f"{name} ({len(found) + 1})"] = file
    return found
