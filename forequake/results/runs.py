"""Records of experiments, of their runs, and of the units of work that are under way or ended badly."""

from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final, Literal

from pydantic import Field, JsonValue

from forequake.keys import ADDED_LATER
from forequake.quantities import Sha256, UtcDatetime
from forequake.results._record import BlobRef, Label, Record, RecordModel
from forequake.results.timings import RunTimings

__all__ = [
    "BAD_ENDS",
    "EnvironmentRecord",
    "ExperimentRecord",
    "ForecastSource",
    "ResolvedInputs",
    "RunChange",
    "RunCounts",
    "RunDraft",
    "RunRecord",
    "RunState",
    "UnitEnd",
    "UnitError",
    "UnitRecord",
    "UnitState",
]


class ForecastSource(RecordModel):
    """What a forecast is read from.

    Attributes
    ----------
    content
        SHA-256 of the file's bytes.
    reader
        Name and version of the reader that understands them.
    unit_years
        Years that the rates stand for, where the source tells; None where the model does.
    """

    content: Sha256
    reader: str
    unit_years: Annotated[float | None, ADDED_LATER] = Field(default=None, gt=0, allow_inf_nan=False)


class ResolvedInputs(RecordModel):
    """What the files and sources of an experiment held when it was resolved, by content.

    Attributes
    ----------
    region, catalog
        Keys of the `RegionRecord` and of the `CatalogSnapshot`.
    models
        Name of each model whose source serves all windows, and the SHA-256 of that file's bytes, or of the
        definition of a built-in reference.
    forecasts
        Name of each time-dependent model, and by the ids of windows the forecasts that were there. Of a
        reference that learns, the definition and the past of each window that had begun.
    input_catalog
        Key of the `CatalogSnapshot` from which models learn, where it is another one.
    own_files
        The files of users' own tests, by their paths in the experiment's folder.
    """

    region: Sha256
    catalog: Sha256
    models: dict[str, Sha256]
    forecasts: Annotated[dict[str, dict[str, ForecastSource]], ADDED_LATER] = Field(default_factory=dict)
    input_catalog: Annotated[Sha256 | None, ADDED_LATER] = None
    own_files: Annotated[dict[str, BlobRef], ADDED_LATER] = Field(default_factory=dict)


class ExperimentRecord(Record):
    """An experiment as it was resolved: its files with all defaults written out, and what they held.

    Attributes
    ----------
    config
        The experiment's configuration as JSON.
    inputs
        The contents that a run computes with, whatever becomes of the files meanwhile.
    """

    kind: Literal["experiment"] = "experiment"

    name: str
    config: dict[str, JsonValue]
    inputs: ResolvedInputs

    @property
    def embargo_until(self) -> datetime | None:
        """Until when the experiment is not for the public; None where it always is.

        A time without a zone is one in UTC.

        Raises
        ------
        ValueError
            Where the configuration says something else than a time.
        """
        told = self.config.get("embargo_until")
        if told is None:
            return None
        moment = datetime.fromisoformat(str(told))
        return moment if moment.tzinfo is not None else moment.replace(tzinfo=UTC)

    @property
    def blobs(self) -> tuple[Sha256, ...]:
        """The code of users' own tests."""
        return tuple(file.sha256 for file in self.inputs.own_files.values())


class EnvironmentRecord(Record):
    """Where something was computed.

    Attributes
    ----------
    packages
        Installed distributions and their versions.
    image_digest
        Of the container image, where there is one.
    """

    kind: Literal["environment"] = "environment"

    python: str
    platform: str
    packages: dict[str, str]
    image_digest: str | None = None


class RunState(StrEnum):
    """How a run stands; all but ``running`` are final."""

    RUNNING = "running"
    COMPLETED = "completed"
    FAILED = "failed"
    INTERRUPTED = "interrupted"
    CRASHED = "crashed"


class RunCounts(RecordModel):
    """Units of a run by what became of them; `waiting` ones speak of windows that have not ended.

    `sealed` are forecasts, not results: those that programs made before their windows ended.
    """

    cached: int = 0
    computed: int = 0
    failed: int = 0
    upstream_failed: int = 0
    skipped: int = 0
    undefined: int = 0
    waiting: int = 0
    sealed: int = 0


class RunDraft(RecordModel):
    """What a run says of itself before it begins.

    Attributes
    ----------
    experiment, experiment_key
        Name, and key of the `ExperimentRecord` that the run resolved.
    owner
        The process, as ``host/boot/pid/start``: tells later whether it still lives.
    command
        What repeats the run, word by word.
    git_commit, git_dirty
        Of the repository that holds the experiment's files, where there is one.
    """

    experiment: str
    experiment_key: Sha256
    owner: str
    command: tuple[str, ...] = ()
    git_commit: str | None = None
    git_dirty: bool | None = None
    environment: Sha256 | None = None
    host: str = ""
    seed: int | None = None
    label: str | None = None
    notes: str = ""
    tags: tuple[str, ...] = ()
    flow_run_id: str | None = None


class RunRecord(RunDraft):
    """One run: what it said of itself, and what became of it.

    Attributes
    ----------
    id
        A UUID.
    run_no
        The experiment's counter: a later run has the larger number.
    heartbeat_at
        When the run was last known to live, by the store's clock.
    timings
        What it took by then; None where none was kept.
    """

    id: str
    run_no: int = Field(ge=1)
    state: RunState = RunState.RUNNING
    started_at: UtcDatetime
    heartbeat_at: UtcDatetime
    ended_at: UtcDatetime | None = None
    counts: RunCounts = RunCounts()
    timings: RunTimings | None = None
    schema_version: int = 1


class RunChange(RecordModel):
    """What changes in a run; None leaves as it was. Every change is also a heartbeat."""

    state: RunState | None = None
    counts: RunCounts | None = None
    timings: RunTimings | None = None
    flow_run_id: str | None = None
    notes: str | None = None
    tags: tuple[str, ...] | None = None


class UnitState(StrEnum):
    """How a unit of work stands.

    A store keeps the first six. The others follow from the plan and from the results that exist.
    """

    RUNNING = "running"
    FAILED = "failed"
    TIMED_OUT = "timed_out"
    KILLED = "killed"
    CRASHED = "crashed"
    UPSTREAM_FAILED = "upstream_failed"
    PLANNED = "planned"
    WAITING = "waiting"
    CACHED = "cached"
    SKIPPED = "skipped"
    SUCCEEDED = "succeeded"


#: The states in which a unit stays on a store's list after its block was finished or its process has gone.
BAD_ENDS: Final = frozenset(
    {
        UnitState.FAILED,
        UnitState.TIMED_OUT,
        UnitState.KILLED,
        UnitState.CRASHED,
        UnitState.UPSTREAM_FAILED,
    }
)


class UnitError(RecordModel):
    """Why a unit ended badly, for a person: the kind of error and its message, never a secret."""

    kind: str
    message: str


class UnitEnd(RecordModel):
    """How a unit of a block ended; ``succeeded`` removes it from the units that need attention."""

    label: Label
    state: UnitState
    error: UnitError | None = None


class UnitRecord(RecordModel):
    """A unit of work that is under way or ended badly.

    Attributes
    ----------
    attempts
        How often it was begun since it last succeeded.
    owner
        Who has it, or had it last.
    """

    label: Label
    state: UnitState
    attempts: int = Field(ge=0)
    error: UnitError | None = None
    owner: str
    changed_at: UtcDatetime
