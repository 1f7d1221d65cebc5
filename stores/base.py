"""The interface of a results store. Its docstrings are the contract; `stores.testing` checks it."""

from abc import abstractmethod
from collections.abc import Collection, Iterator, Sequence
from datetime import timedelta
from types import TracebackType
from typing import BinaryIO, Self, TypeVar

from forequake.quantities import Sha256
from forequake.results import (
    BlobRef,
    Record,
    RunChange,
    RunDraft,
    RunRecord,
    RunState,
    StageTiming,
    UnitEnd,
    UnitRecord,
    UnitState,
)
from stores.counted import CountedResults
from stores.exchange import (
    Binding,
    Block,
    BoundResult,
    Claim,
    Finding,
    Page,
    PublishReport,
    PutReport,
    ResultQuery,
    ResultRow,
    RunRef,
    SweepReport,
)

__all__ = ["LEASE", "RENEWAL", "ResultsStore"]

R = TypeVar("R", bound=Record)

#: How long a claim holds without being renewed.
LEASE = timedelta(seconds=120)
#: How often a worker renews its claims.
RENEWAL = timedelta(seconds=30)


class ResultsStore(CountedResults):
    """Where records, results, runs, claims and blobs live.

    Values and labels are kept apart. A value (a record) is immutable under the key of its inputs and may
    serve many experiments. Which value an experiment has in a slot is an append-only history of bindings,
    and the current one is the slot's latest row. The order of writing is: blob, record, binding, latest.

    A store may be shared by threads. On return from a method that writes, the data are durable and every
    other process reads them. A record is written whole or not at all; a batch may be cut between records.
    `put`, `publish` and `put_blob` may be repeated at will. Times are the store's own clock, in UTC.

    Every method raises `StoreUnavailable` where the store does not answer (worth retrying), `AccessDenied`
    where it refuses, and, if it writes, `StoreFull` where there is no space. No message holds a password.

    Attributes
    ----------
    name
        The store's address as it may be shown to anybody, without a password.
    """

    name: str

    # --- records -----------------------------------------------------------------------------------

    @abstractmethod
    def put(self, records: Sequence[Record]) -> PutReport:
        """Write records under their keys; never overwrite.

        A record whose key is present is compared, all fields but its `circumstances`: floats within 1e-9
        (relative, and absolute below 1), everything else exactly. A second value that differs is reported
        as divergent, and the first stays. Each record of the batch counts once, as written, present or
        divergent, in the order of the batch.

        Raises
        ------
        NotFound
            Where a record refers to a blob that is not in the store; nothing is written then.
        CorruptRecord, SchemaVersion
            Where a record that is present cannot be read to compare it; the new ones are written.
        TypeError
            Where a record is of no kind that is stored; nothing is written then.
        ValueError
            Where a record holds a NaN, or an infinity in free JSON; nothing is written then.
        """

    @abstractmethod
    def get(self, kind: type[R], key: Sha256) -> R:
        """Read one record; a base such as `EvaluationRecord` reads any of its kinds.

        Raises
        ------
        NotFound
            Where no record of this kind has the key.
        CorruptRecord
            Where the stored text cannot be read as this kind, or is not what its key names.
        SchemaVersion
            Where a newer forequake wrote the record.
        """

    @abstractmethod
    def get_many(self, kind: type[R], keys: Collection[Sha256]) -> dict[Sha256, R]:
        """Read those of the records that are present as this kind, by their keys.

        Raises
        ------
        CorruptRecord, SchemaVersion
            Where one of them cannot be read.
        """

    @abstractmethod
    def existing(self, kind: type[Record], keys: Collection[Sha256]) -> frozenset[Sha256]:
        """Tell which of the keys are present as this kind, without reading the records."""

    @abstractmethod
    def scan(self, kind: type[R], after: Sha256 | None = None, limit: int = 1000) -> list[R]:
        """Read records in the order of their keys, those behind `after`, at most `limit`.

        Raises
        ------
        CorruptRecord, SchemaVersion
            Where one of them cannot be read.
        """

    # --- results in their places ---------------------------------------------------------------------

    @abstractmethod
    def publish(self, run: RunRef, bindings: Sequence[Binding]) -> PublishReport:
        """Say which results an experiment has, and make them the latest where no later run has spoken.

        A key that equals the latest one appends nothing, but the later of the two runs now vouches for it.
        Where an earlier run is told by a later one that it is outdated, its binding enters the history, and
        if the later run had appended none of its own (its value being unchanged), that one is appended now:
        so the highest `run_no` of the history always gives the latest value. Publishing the same again
        changes nothing.

        Raises
        ------
        NotFound
            Where the run or one of the results is not in the store; nothing is published then.
        Conflict
            Where the same run has another result in one of the places already: a run says one thing.
        ValueError
            Where a label is of another experiment than the run; nothing is published then.
        """

    @abstractmethod
    def latest(self, query: ResultQuery) -> Page[ResultRow]:
        """Read a page of the results that an experiment has now, or had at `query.as_of`.

        As of a time, a slot's value is the one of the highest `run_no` that was bound by then. A row's
        `bound_at` is the time of its value's binding. Its `run_no` is the run that vouched for it last or,
        as of a time, the run that bound it. An unknown experiment gives an empty page.

        Raises
        ------
        NotFound
            Where the cursor is not one of this store's.
        """

    @abstractmethod
    def history(self, slot: Sha256) -> list[BoundResult]:
        """Read all values that a slot has had, in the order of `run_no`."""

    # --- runs ------------------------------------------------------------------------------------------

    @abstractmethod
    def begin_run(self, draft: RunDraft) -> RunRecord:
        """Write a new run in the state ``running`` and give it the experiment's next `run_no`.

        Numbers are unique and growing, from 1, also for runs that begin at once in several processes.

        Raises
        ------
        NotFound
            Where `draft.experiment_key` is not in the store.
        """

    @abstractmethod
    def update_run(self, run: RunRef, change: RunChange, *, expect: RunState) -> RunRecord:
        """Change a run and refresh its heartbeat; a final state sets `ended_at`, ``running`` clears it.

        Raises
        ------
        NotFound
            Where there is no such run.
        Conflict
            Where the run is not in the state `expect`.
        """

    @abstractmethod
    def runs(self, experiment: str | None, limit: int = 50) -> list[RunRecord]:
        """List runs of one or of all experiments, those that started last first."""

    @abstractmethod
    def timings(self, experiment: str, limit: int = 1) -> tuple[StageTiming, ...]:
        """Add up what an experiment's last runs took, in the order of stages and models.

        Runs are read one by one, so that also years of them take little memory. An unknown experiment, and
        runs whose times were not kept, give nothing.

        Parameters
        ----------
        limit
            How many runs: those with the highest `run_no`.
        """

    # --- work --------------------------------------------------------------------------------------------

    @abstractmethod
    def claim(self, blocks: Sequence[Block], owner: str, ttl: timedelta = LEASE) -> list[Claim]:
        """Take those of the blocks that nobody holds, for `ttl`.

        A claimed block's units are ``running`` from then on, each with one more attempt. Of several that
        ask at once exactly one gets a block; asking for a block that one holds already gives nothing.
        """

    @abstractmethod
    def renew(self, owner: str, ttl: timedelta = LEASE) -> frozenset[str]:
        """Extend all leases of `owner` by `ttl` from now; give the blocks that it lost meanwhile.

        A lease that ran out but that nobody else took is extended too. Lost are the blocks that another
        owner took since, unless `owner` took them back; each is told once.
        """

    @abstractmethod
    def finish(self, claim: Claim, ends: Sequence[UnitEnd]) -> None:
        """Write how the units of a block ended, and give the block back.

        Units that succeeded leave the list of units; those in one of the bad states that a store keeps stay
        there with state and error. A unit of the claim that is not among `ends` leaves the list as well: it
        is to be planned again. Finishing the same again changes nothing.

        Raises
        ------
        ClaimLost
            Where the block was claimed anew since; nothing is written then.
        """

    @abstractmethod
    def release(self, owner: str) -> int:
        """End all leases of an owner that is known to be dead; give the number of those that still held.

        Its running units read as ``crashed`` from then on, as they would when the leases run out. An owner
        that lives after all is in the same place as one whose leases ran out.
        """

    @abstractmethod
    def units(self, experiment: str, states: Collection[UnitState] = ()) -> list[UnitRecord]:
        """List the units that are under way or ended badly; no states mean all.

        A unit that is ``running`` under a lease that ran out reads as ``crashed``.
        """

    # --- blobs -------------------------------------------------------------------------------------------

    @abstractmethod
    def put_blob(self, source: BinaryIO) -> BlobRef:
        """Keep bytes under their SHA-256; if they are there already, refresh their age.

        The stream is read to its end in pieces and not closed; what it raises is passed on, and nothing is
        kept then.
        """

    @abstractmethod
    def open_blob(self, sha: Sha256) -> BinaryIO:
        """Open a blob for reading from its start; the caller closes it.

        Reading raises `CorruptRecord`, at the latest at the end, where the bytes are not those of the hash.

        Raises
        ------
        NotFound
            Where there is no such blob.
        """

    # --- copying -----------------------------------------------------------------------------------------

    @abstractmethod
    def bindings(self, after: tuple[Sha256, int] | None = None, limit: int = 1000) -> list[BoundResult]:
        """Read all bindings of all experiments, in the order of slot and run, at most `limit`.

        Parameters
        ----------
        after
            The slot and the `run_no` of a binding: those behind it are read, whether or not it is there.
        """

    @abstractmethod
    def adopt(
        self,
        *,
        runs: Sequence[RunRecord] = (),
        bindings: Sequence[BoundResult] = (),
        units: Sequence[UnitRecord] = (),
    ) -> None:
        """Take over runs, bindings and units as another store has them, with their ids, numbers and times.

        The order of writing is: runs, bindings, latest rows, units. Adopting the same again changes nothing,
        the token of the experiment neither.

        A run of the same id is replaced. The next run of its experiment gets a number above all that were
        adopted, and `ExperimentSummary.record_key` is that of the run with the highest number.

        A binding enters the history as it is, and after all of the call the slot's latest row is what the
        highest `run_no` of the history gives. Where it has the key that it had before the call, a later run
        that vouched for it still does. (To take over which run vouched last, `publish` the latest binding
        once more, by that run.)

        A unit in one of the bad states that a store keeps is listed as it is, in place of what stood in its
        slot, and nobody holds it; one that ``succeeded`` leaves the list.

        Raises
        ------
        NotFound
            Where a run's experiment record, the run of a binding (in the store or among `runs`), or its
            result is missing; nothing is written then.
        Conflict
            Where a run's number is another run's or its id has another number; or where a slot has another
            key, or another time, under the binding's `run_no`; nothing is written then.
        ValueError
            Where a unit is in a state that is neither bad nor ``succeeded``; nothing is written then.
        """

    # --- care --------------------------------------------------------------------------------------------

    @abstractmethod
    def check(self, *, repair: bool = False) -> Iterator[Finding]:
        """Look for damage, reading everything; a healthy store gives no finding of severity ``error``.

        With `repair`, the latest rows are built again from the bindings where they are wrong. Records and
        blobs are never changed. What `summarise` kept is forgotten then.
        """

    @abstractmethod
    def sweep(self, older_than: timedelta = timedelta(days=1), *, dry_run: bool) -> SweepReport:
        """Remove blobs that no record refers to and that were put longer ago than `older_than`.

        Raises
        ------
        CorruptRecord, SchemaVersion
            Where a record cannot be read, which may refer to any blob; nothing is removed then.
        """

    @abstractmethod
    def close(self) -> None:
        """Let go of files and connections; the store cannot be used afterwards.

        `open_store` gives the same store to all who ask in a process, so this is for the last of them.
        """

    @property
    @abstractmethod
    def closed(self) -> bool:
        """Whether `close` was called."""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
