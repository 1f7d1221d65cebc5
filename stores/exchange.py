"""What passes between a results store and its callers, beside the records themselves."""

from typing import Generic, Literal, TypeVar

from pydantic import Field

from forequake.quantities import Score, Sha256, UtcDatetime
from forequake.results import (
    Label,
    Outcome,
    Quantiles,
    RecordModel,
    RunCounts,
    RunState,
    Side,
)
from forequake.windows import TimeWindow

__all__ = [
    "Binding",
    "Block",
    "BoundResult",
    "Claim",
    "Coverage",
    "ExperimentSummary",
    "Finding",
    "Overview",
    "OverviewCell",
    "Page",
    "PublishReport",
    "PutReport",
    "ResultQuery",
    "ResultRow",
    "RunRef",
    "SweepReport",
]

T = TypeVar("T")


class PutReport(RecordModel):
    """What `put` did, by key.

    Attributes
    ----------
    written
        Keys that were free.
    present
        Keys under which the same value stood already.
    divergent
        Keys under which another value stood already; the first one stays.
    """

    written: tuple[Sha256, ...] = ()
    present: tuple[Sha256, ...] = ()
    divergent: tuple[Sha256, ...] = ()


class RunRef(RecordModel):
    """Names a run to the store."""

    id: str
    experiment: str
    run_no: int = Field(ge=1)


class Binding(RecordModel):
    """Says that an experiment has this result in this place."""

    label: Label
    key: Sha256


class BoundResult(Binding):
    """A binding as the store keeps it: by which run, and since when by the store's clock."""

    run_no: int = Field(ge=1)
    bound_at: UtcDatetime


class PublishReport(RecordModel):
    """What `publish` did, counted in slots.

    Attributes
    ----------
    appended
        A new binding was written and is now the latest.
    unchanged
        The latest value already had the key; nothing was appended.
    outdated
        A later run had spoken already; the binding entered the history only.
    """

    appended: int = 0
    unchanged: int = 0
    outdated: int = 0


class ResultRow(RecordModel):
    """A result in its place: all that a table or a picture of many results needs.

    Attributes as in `forequake.results.EvaluationRecord` and `BoundResult`, where `test` is forequake's name
    of the test and `label.test` the experiment's; for `run_no` see `stores.base.ResultsStore.latest`.
    """

    label: Label
    key: Sha256
    run_no: int
    bound_at: UtcDatetime
    kind: str
    test: str
    statistic: Score | None
    quantiles: Quantiles | None
    outcome: Outcome
    reason: str | None
    alpha: float
    side: Side
    n_observed: int
    n_forecast: Score
    information_gain: Score | None = None
    interval: tuple[Score, Score] | None = None
    seed: int | None
    computed_at: UtcDatetime


class ResultQuery(RecordModel):
    """Which results of one experiment; empty tuples mean all.

    Attributes
    ----------
    start_from, start_before
        Only windows that start in [start_from, start_before).
    window
        Only this one: of windows that grow from one start, no other is read.
    as_of
        The values that stood at that time, instead of the latest.
    limit, cursor
        At most `limit` rows, from where the page that gave the cursor ended. Rows come in the order of
        window start, test, model, slot.
    """

    experiment: str
    tests: tuple[str, ...] = ()
    models: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...] = ()
    start_from: UtcDatetime | None = None
    start_before: UtcDatetime | None = None
    window: TimeWindow | None = None
    as_of: UtcDatetime | None = None
    limit: int = Field(default=1000, ge=1, le=10_000)
    cursor: str | None = None


class Page(RecordModel, Generic[T]):
    """A bounded part of an answer; `cursor` asks for the next one and is None on the last."""

    rows: tuple[T, ...]
    cursor: str | None = None


class OverviewCell(RecordModel):
    """The results of one test of one model, over all windows, counted by outcome."""

    test: str
    model: str
    reference: str | None
    outcomes: dict[Outcome, int]
    n_windows: int
    last_computed_at: UtcDatetime


class Overview(RecordModel):
    """An experiment at a glance.

    Attributes
    ----------
    token
        Changes whenever a latest result of the experiment changes: a cache may be keyed by it.
    """

    experiment: str
    token: int
    cells: tuple[OverviewCell, ...]
    n_windows: int
    last_computed_at: UtcDatetime | None


class Coverage(RecordModel):
    """How many latest results models have in windows.

    Attributes
    ----------
    windows
        Those with results, by their starts and ends; results over windows are in the one that spans them.
    models
        By name.
    counts : tuple of tuple of int, shape (windows, models)
        Number of results.
    """

    windows: tuple[TimeWindow, ...]
    models: tuple[str, ...]
    counts: tuple[tuple[int, ...], ...]


class ExperimentSummary(RecordModel):
    """One line about an experiment."""

    name: str
    record_key: Sha256
    n_results: int
    n_runs: int
    last_run_state: RunState | None = None
    last_run_counts: RunCounts | None = None
    last_started_at: UtcDatetime | None = None
    token: int


class Block(RecordModel):
    """A piece of work that one worker takes at a time: its id, and the units that it will begin.

    The id does not depend on what is already done, so that two runs of one experiment meet in it.
    """

    id: str
    units: tuple[Label, ...]


class Claim(RecordModel):
    """A lease on a block.

    Attributes
    ----------
    token
        Grows with every claim of the block: the fence against a worker that was thought dead.
    """

    block: str
    owner: str
    token: int = Field(ge=1)
    until: UtcDatetime


class Finding(RecordModel):
    """Something that a check of the store found.

    Attributes
    ----------
    code
        ``damaged_file``, ``corrupt_record``, ``missing_blob``, ``corrupt_blob``, ``dangling_binding``,
        ``wrong_latest``, ``unreferenced_blob`` or ``newer_record``.
    severity
        ``error`` where data are lost or wrong, ``note`` where nothing need be done.
    """

    code: str
    severity: Literal["error", "note"]
    message: str
    repaired: bool = False


class SweepReport(RecordModel):
    """What `sweep` removed, or would remove."""

    removed: tuple[Sha256, ...]
    bytes_freed: int
    dry_run: bool
