"""The results store in one SQLite file, with its blobs in a folder beside it."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import BinaryIO, TypeVar

from forequake.errors import CorruptRecord, NotFound
from forequake.quantities import Sha256, now
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
from stores import _answers
from stores._checking import check
from stores._codec import encode, to_us
from stores._comparison import differs
from stores._rows import coverage_of
from stores.base import LEASE, ResultsStore
from stores.blobs import BlobFolder
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
from stores.sqlite import adoption, publication, queries, runs, sweeping, tables, work
from stores.sqlite.care import SqliteHoldings
from stores.sqlite.connections import Connections
from stores.sqlite.filesystems import refuse_network_filesystem
from stores.sqlite.kept import SqliteAnswers, keep, outdate

__all__ = ["SqliteStore"]

R = TypeVar("R", bound=Record)


class SqliteStore(ResultsStore):
    """A store in a file on a local disk; needs no server. The methods are documented in `ResultsStore`.

    Any number of processes and threads of one machine may use it at once. A user without the right to write
    may read it.

    Parameters
    ----------
    path : absolute path
        The database file, which is made with its folder where it is missing.
    name
        The store's address as it may be shown.
    max_page_count
        The largest number of pages that the file may have, or None for no limit.
    busy_timeout
        How long to wait for another writer, in seconds.

    Raises
    ------
    InputError
        Where the file lies on a network file system, or belongs to another program.
    AccessDenied, CorruptRecord, SchemaVersion, StoreFull, StoreUnavailable
        Where the file cannot be made, read or understood.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        *,
        max_page_count: int | None = None,
        busy_timeout: float = 30.0,
        read_only: bool = False,
    ) -> None:
        refuse_network_filesystem(path)
        self.name = name
        self._connections = Connections(
            path, name, max_page_count=max_page_count, busy_timeout=busy_timeout, read_only=read_only
        )
        self._blobs = BlobFolder(path.with_name(f"{path.name}.blobs"))
        with self._connections.reading():
            pass  # opens the file, and so tells at once whether it is a store

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._connections.closed

    # --- records -------------------------------------------------------------------------------------------

    def put(self, records: Sequence[Record]) -> PutReport:  # noqa: D102 - documented in the interface
        encoded = [encode(record) for record in records]
        written: list[Sha256] = []
        stood: list[Record] = []
        with self._connections.writing() as db:
            missing = tables.missing_blobs(db, records)
            if missing:
                message = f"{self.name} has no blob {missing[0]}: put it before the record that refers to it"
                raise NotFound(message)
            for record, stored_form in zip(records, encoded, strict=True):
                if tables.insert(db, stored_form):
                    written.append(record.key)
                else:
                    stood.append(record)
        present: list[Sha256] = []
        divergent: list[Sha256] = []
        if stood:
            # Read after the others are safe: a damaged record that stands keeps no other from being written.
            with self._connections.reading() as db:
                for record in stood:
                    first = tables.standing(db, record, self.name)
                    (divergent if differs(first, record) else present).append(record.key)
        return PutReport(written=tuple(written), present=tuple(present), divergent=tuple(divergent))

    def get(self, kind: type[R], key: Sha256) -> R:  # noqa: D102
        with self._connections.reading() as db:
            return tables.get(db, kind, key, self.name)

    def get_many(self, kind: type[R], keys: Collection[Sha256]) -> dict[Sha256, R]:  # noqa: D102
        with self._connections.reading() as db:
            return tables.get_many(db, kind, keys)

    def existing(self, kind: type[Record], keys: Collection[Sha256]) -> frozenset[Sha256]:  # noqa: D102
        with self._connections.reading() as db:
            return tables.existing(db, kind, keys)

    def scan(self, kind: type[R], after: Sha256 | None = None, limit: int = 1000) -> list[R]:  # noqa: D102
        with self._connections.reading() as db:
            return tables.scan(db, kind, after, limit)

    # --- results in their places ---------------------------------------------------------------------------

    def publish(self, run: RunRef, bindings: Sequence[Binding]) -> PublishReport:  # noqa: D102
        with self._connections.writing() as db:
            return publication.publish(db, run, bindings, _now_us(), self.name)

    def latest(self, query: ResultQuery) -> Page[ResultRow]:  # noqa: D102
        with self._connections.reading() as db:
            page = queries.latest_page if query.as_of is None else queries.page_as_of
            return page(db, query, self.name)

    def history(self, slot: Sha256) -> list[BoundResult]:  # noqa: D102
        with self._connections.reading() as db:
            return publication.history(db, slot)

    def overview(self, experiment: str) -> Overview:  # noqa: D102
        with self._asking(experiment) as answers:
            return _answers.overview(answers)

    def coverage(self, experiment: str, start_from: datetime | None = None) -> Coverage:  # noqa: D102
        with self._connections.reading() as db:
            answers = SqliteAnswers.of(db, experiment)
            return coverage_of(()) if answers is None else _answers.coverage(answers, start_from)

    def columns(  # noqa: D102
        self, experiment: str, test: str, start_from: datetime | None = None
    ) -> ResultColumns | None:
        with self._connections.reading() as db:
            answers = SqliteAnswers.of(db, experiment)
            return None if answers is None else _answers.columns(answers, test, start_from)

    def summarise(self, experiment: str) -> bool:  # noqa: D102
        def write(token: int, topic: _answers.Topic, bodies: Sequence[_answers.Body]) -> None:
            with self._connections.writing() as db:
                keep(db, experiment, token, topic, bodies)

        return _answers.summarise(lambda: self._asking(experiment), write)

    @contextmanager
    def _asking(self, experiment: str) -> Iterator[SqliteAnswers]:
        with self._connections.reading() as db:
            answers = SqliteAnswers.of(db, experiment)
            if answers is None:
                message = f"{self.name} has no experiment {experiment!r}"
                raise NotFound(message)
            yield answers

    def experiments(self) -> list[ExperimentSummary]:  # noqa: D102
        with self._connections.reading() as db:
            return queries.experiments(db)

    # --- runs ----------------------------------------------------------------------------------------------

    def begin_run(self, draft: RunDraft) -> RunRecord:  # noqa: D102
        with self._connections.writing() as db:
            return runs.begin_run(db, draft, _now_us(), self.name)

    def update_run(self, run: RunRef, change: RunChange, *, expect: RunState) -> RunRecord:  # noqa: D102
        with self._connections.writing() as db:
            return runs.update_run(db, run, change, expect, _now_us(), self.name)

    def runs(self, experiment: str | None, limit: int = 50) -> list[RunRecord]:  # noqa: D102
        with self._connections.reading() as db:
            return runs.runs(db, experiment, limit)

    def timings(self, experiment: str, limit: int = 1) -> tuple[StageTiming, ...]:  # noqa: D102
        with self._connections.reading() as db:
            return runs.timings(db, experiment, limit)

    # --- work ----------------------------------------------------------------------------------------------

    def claim(self, blocks: Sequence[Block], owner: str, ttl: timedelta = LEASE) -> list[Claim]:  # noqa: D102
        with self._connections.writing() as db:
            return work.claim(db, blocks, owner, _now_us(), _us(ttl))

    def renew(self, owner: str, ttl: timedelta = LEASE) -> frozenset[str]:  # noqa: D102
        with self._connections.writing() as db:
            return work.renew(db, owner, _now_us(), _us(ttl))

    def finish(self, claim: Claim, ends: Sequence[UnitEnd]) -> None:  # noqa: D102
        with self._connections.writing() as db:
            work.finish(db, claim, ends, _now_us(), self.name)

    def release(self, owner: str) -> int:  # noqa: D102
        with self._connections.writing() as db:
            return work.release(db, owner, _now_us())

    def units(self, experiment: str, states: Collection[UnitState] = ()) -> list[UnitRecord]:  # noqa: D102
        with self._connections.reading() as db:
            return work.units(db, experiment, states, _now_us())

    # --- blobs ---------------------------------------------------------------------------------------------

    def put_blob(self, source: BinaryIO) -> BlobRef:  # noqa: D102
        return sweeping.put_blob(self._connections, self._blobs, source)

    def open_blob(self, sha: Sha256) -> BinaryIO:  # noqa: D102
        return sweeping.open_blob(self._connections, self._blobs, sha)

    # --- copying -------------------------------------------------------------------------------------------

    def bindings(  # noqa: D102
        self, after: tuple[Sha256, int] | None = None, limit: int = 1000
    ) -> list[BoundResult]:
        with self._connections.reading() as db:
            return publication.bindings(db, after, limit)

    def adopt(  # noqa: D102
        self,
        *,
        runs: Sequence[RunRecord] = (),
        bindings: Sequence[BoundResult] = (),
        units: Sequence[UnitRecord] = (),
    ) -> None:
        with self._connections.writing() as db:
            adoption.adopt(db, runs, bindings, units, self.name)

    # --- care ----------------------------------------------------------------------------------------------

    def check(self, *, repair: bool = False) -> Iterator[Finding]:  # noqa: D102
        if repair:
            with suppress(CorruptRecord), self._connections.writing() as db:  # damage is told below
                outdate(db)
        return check(SqliteHoldings(self._connections, self._blobs), repair=repair)

    def sweep(  # noqa: D102
        self, older_than: timedelta = timedelta(days=1), *, dry_run: bool
    ) -> SweepReport:
        before_us = _now_us() - _us(older_than)
        return sweeping.sweep(self._connections, self._blobs, before_us, dry_run=dry_run)

    def close(self) -> None:  # noqa: D102
        self._connections.close()


def _now_us() -> int:
    return to_us(now())


def _us(span: timedelta) -> int:
    return span // timedelta(microseconds=1)
