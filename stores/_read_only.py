"""A store of which only reading is left: what looks at results cannot change them."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime, timedelta
from typing import BinaryIO, Never, TypeVar

from forequake.errors import AccessDenied
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
from stores.base import LEASE, ResultsStore
from stores.columns import ResultColumns
from stores.exchange import (
    Binding,
    Block,
    BoundResult,
    Claim,
    Coverage,
    ExperimentSummary,
    Finding,
    Overview,
    Page,
    PublishReport,
    PutReport,
    ResultQuery,
    ResultRow,
    RunRef,
    SweepReport,
)

__all__ = ["ReadOnlyStore"]

R = TypeVar("R", bound=Record)


class ReadOnlyStore(ResultsStore):
    """Passes all questions on to a store, and refuses all that would change it with `AccessDenied`.

    A subclass may hide part of what there is.
    """

    def __init__(self, store: ResultsStore) -> None:
        self._store = store
        self.name = store.name

    def get(self, kind: type[R], key: Sha256) -> R:
        return self._store.get(kind, key)

    def get_many(self, kind: type[R], keys: Collection[Sha256]) -> dict[Sha256, R]:
        return self._store.get_many(kind, keys)

    def existing(self, kind: type[Record], keys: Collection[Sha256]) -> frozenset[Sha256]:
        return self._store.existing(kind, keys)

    def scan(self, kind: type[R], after: Sha256 | None = None, limit: int = 1000) -> list[R]:
        return self._store.scan(kind, after, limit)

    def latest(self, query: ResultQuery) -> Page[ResultRow]:
        return self._store.latest(query)

    def history(self, slot: Sha256) -> list[BoundResult]:
        return self._store.history(slot)

    def overview(self, experiment: str) -> Overview:
        return self._store.overview(experiment)

    def coverage(self, experiment: str, start_from: datetime | None = None) -> Coverage:
        return self._store.coverage(experiment, start_from)

    def columns(self, experiment: str, test: str, start_from: datetime | None = None) -> ResultColumns | None:
        return self._store.columns(experiment, test, start_from)

    def experiments(self) -> list[ExperimentSummary]:
        return self._store.experiments()

    def runs(self, experiment: str | None, limit: int = 50) -> list[RunRecord]:
        return self._store.runs(experiment, limit)

    def timings(self, experiment: str, limit: int = 1) -> tuple[StageTiming, ...]:
        return self._store.timings(experiment, limit)

    def units(self, experiment: str, states: Collection[UnitState] = ()) -> list[UnitRecord]:
        return self._store.units(experiment, states)

    def open_blob(self, sha: Sha256) -> BinaryIO:
        return self._store.open_blob(sha)

    def bindings(self, after: tuple[Sha256, int] | None = None, limit: int = 1000) -> list[BoundResult]:
        return self._store.bindings(after, limit)

    def close(self) -> None:
        self._store.close()

    @property
    def closed(self) -> bool:
        return self._store.closed

    # --- what is refused -----------------------------------------------------------------------------------

    def put(self, records: Sequence[Record]) -> PutReport:
        self._refuse()

    def publish(self, run: RunRef, bindings: Sequence[Binding]) -> PublishReport:
        self._refuse()

    def summarise(self, experiment: str) -> bool:
        self._refuse()

    def begin_run(self, draft: RunDraft) -> RunRecord:
        self._refuse()

    def update_run(self, run: RunRef, change: RunChange, *, expect: RunState) -> RunRecord:
        self._refuse()

    def claim(self, blocks: Sequence[Block], owner: str, ttl: timedelta = LEASE) -> list[Claim]:
        self._refuse()

    def renew(self, owner: str, ttl: timedelta = LEASE) -> frozenset[str]:
        self._refuse()

    def finish(self, claim: Claim, ends: Sequence[UnitEnd]) -> None:
        self._refuse()

    def release(self, owner: str) -> int:
        self._refuse()

    def put_blob(self, source: BinaryIO) -> BlobRef:
        self._refuse()

    def adopt(
        self,
        *,
        runs: Sequence[RunRecord] = (),
        bindings: Sequence[BoundResult] = (),
        units: Sequence[UnitRecord] = (),
    ) -> None:
        self._refuse()

    def check(self, *, repair: bool = False) -> Iterator[Finding]:
        if repair:
            self._refuse()
        return self._store.check()

    def sweep(self, older_than: timedelta = timedelta(days=1), *, dry_run: bool) -> SweepReport:
        if not dry_run:
            self._refuse()
        return self._store.sweep(older_than, dry_run=True)

    def _refuse(self) -> Never:
        message = f"{self.name} is open for reading only"
        raise AccessDenied(message)
