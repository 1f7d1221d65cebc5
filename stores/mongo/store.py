"""The results store on a MongoDB server."""

from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import BinaryIO, TypeVar

from forequake.errors import NotFound
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
from stores import _answers
from stores._checking import check
from stores._codec import encode
from stores._rows import coverage_of
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
from stores.mongo import adoption, blobs, places, queries, runs, sweeping, work
from stores.mongo import records as documents
from stores.mongo.address import mongo_address
from stores.mongo.care import MongoHoldings
from stores.mongo.kept import MongoAnswers, keep, outdate
from stores.mongo.schema import prepare
from stores.mongo.server import Server

__all__ = ["MongoStore", "is_set_up"]

R = TypeVar("R", bound=Record)


def is_set_up(url: str) -> bool:
    """Tell whether the database of an address holds a store, without making one.

    Raises
    ------
    InputError
        Where this is not an address of a store.
    AccessDenied, StoreUnavailable
        Where the server does not let this user in, or does not answer.
    """
    server = Server(mongo_address(url))
    try:
        with server.talking() as db:
            return db["meta"].find_one({"_id": "schema"}) is not None
    finally:
        server.close()


class MongoStore(ResultsStore):
    """A store in a database of a MongoDB server. The methods are documented in `ResultsStore`.

    Any number of processes on any number of machines may use it at once. The server may stand alone or be a
    replica set, and needs no transactions. The times of the store are the server's, in milliseconds. A user
    who may only read may open a store that has been set up.

    Parameters
    ----------
    url
        ``mongodb://user:password@host:27017/database``, with the driver's options; without a database,
        ``forequake``.
    hasty
        Whether to give up within seconds where no server answers, as for somebody who looks at a page.

    Raises
    ------
    InputError
        Where this is not an address of a store, or the database belongs to another program.
    AccessDenied, SchemaVersion, StoreUnavailable
        Where the server does not let this user in, was set up by a newer forequake, or does not answer.
    """

    def __init__(self, url: str, *, hasty: bool = False) -> None:
        address = mongo_address(url)
        self.name = address.name
        self._server = Server(address, hasty=hasty)
        self._claims = work.Claims()
        self._untold: set[str] = set()
        try:
            with self._server.talking() as db:
                prepare(db, self.name)
        except BaseException:
            self._server.close()
            raise

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._server.closed

    # --- records -------------------------------------------------------------------------------------------

    def put(self, records: Sequence[Record]) -> PutReport:  # noqa: D102 - documented in the interface
        encoded = [encode(record) for record in records]
        shas = sorted({sha for record in records for sha in record.blobs})
        with self._server.talking() as db:
            missing = blobs.refresh(db, shas)
            if missing:
                message = f"{self.name} has no blob {missing[0]}: put it before the record that refers to it"
                raise NotFound(message)
            return documents.put(db, records, encoded, self.name)

    def get(self, kind: type[R], key: Sha256) -> R:  # noqa: D102
        with self._server.talking() as db:
            return documents.get(db, kind, key, self.name)

    def get_many(self, kind: type[R], keys: Collection[Sha256]) -> dict[Sha256, R]:  # noqa: D102
        with self._server.talking() as db:
            return documents.get_many(db, kind, keys)

    def existing(self, kind: type[Record], keys: Collection[Sha256]) -> frozenset[Sha256]:  # noqa: D102
        with self._server.talking() as db:
            return documents.existing(db, kind, keys)

    def scan(self, kind: type[R], after: Sha256 | None = None, limit: int = 1000) -> list[R]:  # noqa: D102
        with self._server.talking() as db:
            return documents.scan(db, kind, after, limit)

    # --- results in their places ---------------------------------------------------------------------------

    def publish(self, run: RunRef, bindings: Sequence[Binding]) -> PublishReport:  # noqa: D102
        with self._server.talking() as db:
            return places.publish(db, run, bindings, self.name, self._untold)

    def latest(self, query: ResultQuery) -> Page[ResultRow]:  # noqa: D102
        with self._server.talking() as db:
            page = queries.latest_page if query.as_of is None else queries.page_as_of
            return page(db, query, self.name)

    def history(self, slot: Sha256) -> list[BoundResult]:  # noqa: D102
        with self._server.talking() as db:
            return places.history(db, slot)

    def overview(self, experiment: str) -> Overview:  # noqa: D102
        with self._asking(experiment) as answers:
            return _answers.overview(answers)

    def coverage(self, experiment: str, start_from: datetime | None = None) -> Coverage:  # noqa: D102
        with self._server.talking() as db:
            answers = MongoAnswers.of(db, experiment)
            return coverage_of(()) if answers is None else _answers.coverage(answers, start_from)

    def columns(  # noqa: D102
        self, experiment: str, test: str, start_from: datetime | None = None
    ) -> ResultColumns | None:
        with self._server.talking() as db:
            answers = MongoAnswers.of(db, experiment)
            return None if answers is None else _answers.columns(answers, test, start_from)

    def summarise(self, experiment: str) -> bool:  # noqa: D102
        def write(token: int, topic: _answers.Topic, bodies: Sequence[_answers.Body]) -> None:
            with self._server.talking() as db:
                keep(db, experiment, token, topic, bodies)

        return _answers.summarise(lambda: self._asking(experiment), write)

    @contextmanager
    def _asking(self, experiment: str) -> Iterator[MongoAnswers]:
        with self._server.talking() as db:
            answers = MongoAnswers.of(db, experiment)
            if answers is None:
                message = f"{self.name} has no experiment {experiment!r}"
                raise NotFound(message)
            yield answers

    def experiments(self) -> list[ExperimentSummary]:  # noqa: D102
        with self._server.talking() as db:
            return queries.experiments(db)

    # --- runs ----------------------------------------------------------------------------------------------

    def begin_run(self, draft: RunDraft) -> RunRecord:  # noqa: D102
        with self._server.talking() as db:
            return runs.begin_run(db, draft, self.name)

    def update_run(self, run: RunRef, change: RunChange, *, expect: RunState) -> RunRecord:  # noqa: D102
        with self._server.talking() as db:
            return runs.update_run(db, run, change, expect, self.name)

    def runs(self, experiment: str | None, limit: int = 50) -> list[RunRecord]:  # noqa: D102
        with self._server.talking() as db:
            return runs.runs(db, experiment, limit)

    def timings(self, experiment: str, limit: int = 1) -> tuple[StageTiming, ...]:  # noqa: D102
        with self._server.talking() as db:
            return runs.timings(db, experiment, limit)

    # --- work ----------------------------------------------------------------------------------------------

    def claim(self, blocks: Sequence[Block], owner: str, ttl: timedelta = LEASE) -> list[Claim]:  # noqa: D102
        with self._server.talking() as db:
            return self._claims.claim(db, blocks, owner, ttl)

    def renew(self, owner: str, ttl: timedelta = LEASE) -> frozenset[str]:  # noqa: D102
        with self._server.talking() as db:
            return work.renew(db, owner, ttl)

    def finish(self, claim: Claim, ends: Sequence[UnitEnd]) -> None:  # noqa: D102
        with self._server.talking() as db:
            work.finish(db, claim, ends, self.name)

    def release(self, owner: str) -> int:  # noqa: D102
        with self._server.talking() as db:
            return work.release(db, owner)

    def units(self, experiment: str, states: Collection[UnitState] = ()) -> list[UnitRecord]:  # noqa: D102
        with self._server.talking() as db:
            return work.units(db, experiment, states)

    # --- blobs ---------------------------------------------------------------------------------------------

    def put_blob(self, source: BinaryIO) -> BlobRef:  # noqa: D102
        return blobs.put_blob(self._server, source)

    def open_blob(self, sha: Sha256) -> BinaryIO:  # noqa: D102
        return blobs.open_blob(self._server, sha)

    # --- copying -------------------------------------------------------------------------------------------

    def bindings(  # noqa: D102
        self, after: tuple[Sha256, int] | None = None, limit: int = 1000
    ) -> list[BoundResult]:
        with self._server.talking() as db:
            found = places.bindings_after(db, after or ("", 0), limit)
            return [places.bound_result(each) for each in found]

    def adopt(  # noqa: D102
        self,
        *,
        runs: Sequence[RunRecord] = (),
        bindings: Sequence[BoundResult] = (),
        units: Sequence[UnitRecord] = (),
    ) -> None:
        with self._server.talking() as db:
            adoption.adopt(db, runs, bindings, units, self.name)

    # --- care ----------------------------------------------------------------------------------------------

    def check(self, *, repair: bool = False) -> Iterator[Finding]:  # noqa: D102
        if repair:
            with self._server.talking() as db:
                outdate(db)
        return check(MongoHoldings(self._server), repair=repair)

    def sweep(  # noqa: D102
        self, older_than: timedelta = timedelta(days=1), *, dry_run: bool
    ) -> SweepReport:
        with self._server.talking() as db:
            return sweeping.sweep(db, older_than, dry_run=dry_run)

    def close(self) -> None:  # noqa: D102
        self._server.close()
