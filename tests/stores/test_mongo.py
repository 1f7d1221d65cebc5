"""What is the MongoDB store's own: documents, GridFS, forks, foreign databases, indexes, lost answers."""

import contextlib
import hashlib
import io
import json
import os
import random
import threading
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from pymongo import MongoClient, monitoring
from pymongo.database import Database
from pymongo.errors import OperationFailure

from forequake.errors import (
    Conflict,
    CorruptRecord,
    InputError,
    NotFound,
    SchemaVersion,
    StoreError,
    StoreUnavailable,
)
from forequake.results import EvaluationRecord, ExperimentRecord
from stores import Binding, Block, ResultQuery, ResultsStore, RunRef, open_store
from stores.mongo import MongoStore
from stores.mongo.blobs import INLINE
from stores.mongo.faults import told
from stores.testing._contract_mongo import emptied
from stores.testing.filling import fill_store
from stores.testing.mongod import Mongod, database_url
from stores.testing.samples import sample_experiment, sample_label, sample_region, sample_result, sample_run

pytestmark = [pytest.mark.contract, pytest.mark.mongo]

_DATABASE = f"own-{uuid.uuid4().hex[:8]}"
#: Bytes that no compression makes small.
_LARGE = random.Random(7).randbytes(INLINE + (3 << 20))


@pytest.fixture
def url(mongo_standalone: str) -> str:
    return emptied(database_url(mongo_standalone, _DATABASE))


@pytest.fixture
def store(url: str) -> Iterator[ResultsStore]:
    with open_store(url) as store:
        yield store


@pytest.fixture
def db(url: str) -> Iterator[Database[dict[str, Any]]]:
    with MongoClient[dict[str, Any]](url) as client:
        yield client.get_default_database()


@pytest.fixture
def fresh(mongo_standalone: str) -> Iterator[str]:
    """Give the address of a database that is not there, and drop it afterwards."""
    name = f"fresh-{uuid.uuid4().hex[:8]}"
    yield database_url(mongo_standalone, name)
    with MongoClient[dict[str, Any]](mongo_standalone) as client:
        client.drop_database(name)


# --- documents ---------------------------------------------------------------------------------------------


def test_other_programs_can_ask_for_the_fields_of_a_record(
    store: ResultsStore, db: Database[dict[str, Any]]
) -> None:
    result = sample_result(5, test="L")
    store.put([result])
    (found,) = db["results"].find({"body.test": "poisson_likelihood", "body.statistic": {"$lt": 1e9}})
    assert found["body"]["statistic"] == result.statistic
    assert json.loads(result.model_dump_json())["computed_at"] == found["body"]["computed_at"]


def _nested(depth: int) -> dict[str, Any]:
    return {"deeper": _nested(depth - 1)} if depth else {}


@pytest.mark.parametrize(
    "unholdable",
    [{"number": 1 << 70}, {"a\0b": 1}, {"schema": {"$ref": "#/a", "$id": "b"}}, _nested(190)],
    ids=["number", "name", "reference", "depth"],
)
def test_what_mongodb_cannot_hold_is_kept_as_text(
    store: ResultsStore, db: Database[dict[str, Any]], unholdable: dict[str, Any]
) -> None:
    plain = sample_experiment()
    record = ExperimentRecord.model_validate({**dict(plain), "config": {**plain.config, **unholdable}})
    store.put([record])
    assert store.get(ExperimentRecord, record.key) == record
    assert isinstance((db["records"].find_one() or {})["body"], str)


def test_the_server_refuses_rows_that_lack_what_is_indexed(
    store: ResultsStore, db: Database[dict[str, Any]]
) -> None:
    with pytest.raises(OperationFailure, match="failed validation"):
        db["latest"].insert_one({"_id": "slot", "experiment": 3})
    assert store.experiments() == []


def test_pages_and_series_are_read_by_an_index(store: ResultsStore, db: Database[dict[str, Any]]) -> None:
    fill_store(store, models=("alpha", "beta"), tests=("N", "L"), windows=20)
    order = [("start_us", 1), ("test", 1), ("model", 1), ("_id", 1)]
    for wanted, examined in (({"experiment": "sample"}, 5), ({"experiment": "sample", "test": "N"}, 20)):
        plan = db["latest"].find(wanted).sort(order).limit(5).explain()
        assert "COLLSCAN" not in json.dumps(plan, default=str)
        assert '"stage": "SORT"' not in json.dumps(plan["queryPlanner"]["winningPlan"], default=str)
        assert plan["executionStats"]["totalDocsExamined"] <= examined
    assert len(store.latest(ResultQuery(experiment="sample", limit=5)).rows) == 5


# --- setting up --------------------------------------------------------------------------------------------


def test_many_may_set_up_one_database_at_once(fresh: str) -> None:
    with ThreadPoolExecutor(6) as pool:
        opened = list(pool.map(lambda _: MongoStore(fresh), range(6)))
    for store in opened:
        assert store.experiments() == []
        store.close()


def test_a_set_up_that_was_cut_off_is_completed(fresh: str) -> None:
    MongoStore(fresh).close()
    with MongoClient[dict[str, Any]](fresh) as client:
        db = client.get_default_database()
        db["meta"].delete_many({})
        db["latest"].drop()
        MongoStore(fresh).close()
        assert len(db["latest"].index_information()) == 3


def test_a_database_of_another_program_is_refused_and_left_alone(fresh: str) -> None:
    with MongoClient[dict[str, Any]](fresh) as client:
        db = client.get_default_database()
        db["invoices"].insert_one({"sum": 3})
        with pytest.raises(InputError, match="holds 'invoices', which is no collection of forequake"):
            MongoStore(fresh)
        assert db.list_collection_names() == ["invoices"]


def test_a_store_of_a_newer_forequake_is_refused(fresh: str) -> None:
    MongoStore(fresh).close()
    with MongoClient[dict[str, Any]](fresh) as client:
        client.get_default_database()["meta"].update_one({"_id": "schema"}, {"$set": {"n": 99}})
    with pytest.raises(SchemaVersion, match="made by a newer forequake"):
        MongoStore(fresh)


def test_a_child_of_a_fork_makes_its_own_connection(url: str, store: ResultsStore) -> None:
    store.put([sample_result(0)])
    child = os.fork()
    if child == 0:  # no assertion may leave the child: it would run the rest of the suite
        try:
            store.put([sample_result(1)])
            with open_store(url) as other:
                os._exit(0 if len(other.scan(EvaluationRecord)) == 2 else 3)
        finally:
            os._exit(4)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
    assert len(store.scan(EvaluationRecord)) == 2


class _Openings(monitoring.TopologyListener):
    def __init__(self) -> None:
        self.count = 0

    def opened(self, event: monitoring.TopologyOpenedEvent) -> None:
        self.count += 1

    def description_changed(self, event: monitoring.TopologyDescriptionChangedEvent) -> None:
        pass

    def closed(self, event: monitoring.TopologyClosedEvent) -> None:
        pass


def test_threads_of_a_child_share_one_client(store: ResultsStore) -> None:
    store.experiments()
    child = os.fork()
    if child == 0:
        try:
            openings = _Openings()
            monitoring.register(openings)
            start = threading.Barrier(6)
            with ThreadPoolExecutor(6) as threads:
                list(threads.map(lambda _: (start.wait(10), store.experiments()), range(6)))
            os._exit(openings.count)
        finally:
            os._exit(99)
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 1


def test_runs_that_begin_while_others_are_adopted_get_numbers_of_their_own(store: ResultsStore) -> None:
    experiment = sample_experiment()
    store.put([experiment])
    first = store.begin_run(sample_run(experiment))
    numbers = range(2, 42)

    def adopt() -> None:
        for number in numbers:
            with contextlib.suppress(Conflict):
                run = first.model_copy(update={"id": str(uuid.uuid4()), "run_no": number})
                store.adopt(runs=[run])

    with ThreadPoolExecutor(1) as thread:
        adopting = thread.submit(adopt)
        begun = [store.begin_run(sample_run(experiment)) for _ in numbers]
        adopting.result()
    assert len({run.run_no for run in begun}) == len(numbers)
    assert {run.id for run in begun} < {run.id for run in store.runs("sample", 1000)}


# --- large blobs -------------------------------------------------------------------------------------------


def _read(store: ResultsStore, sha: str) -> bytes:
    with store.open_blob(sha) as stream:
        return stream.read()


def test_a_large_blob_stands_once_however_often_it_is_put(
    store: ResultsStore, db: Database[dict[str, Any]]
) -> None:
    blob = store.put_blob(io.BytesIO(_LARGE))
    store.put([sample_region(blob)])
    first = db["blobs"].find_one({"_id": blob.sha256}) or {}
    assert "data" not in first
    with store.open_blob(blob.sha256) as reader:  # who reads keeps on reading
        reader.read(10)
        with ThreadPoolExecutor(3) as pool:
            again = list(pool.map(lambda _: store.put_blob(io.BytesIO(_LARGE)), range(3)))
        assert again == [blob] * 3
        assert reader.read() == _LARGE[10:]
    assert (db["blobs"].find_one({"_id": blob.sha256}) or {})["file_id"] == first["file_id"]
    assert db["fs.files"].count_documents({}) == 1
    assert list(store.check()) == []


def test_damage_of_a_large_blob_is_told_and_mended(store: ResultsStore, db: Database[dict[str, Any]]) -> None:
    blob = store.put_blob(io.BytesIO(_LARGE))
    store.put([sample_region(blob)])
    for spoil, error in (
        (lambda: db["fs.chunks"].delete_one({"n": 2}), CorruptRecord),
        (lambda: db["fs.chunks"].update_one({"n": 1}, {"$set": {"data": b"x" * 100}}), CorruptRecord),
        (lambda: db["fs.files"].delete_many({}), NotFound),
    ):
        spoil()
        with pytest.raises(error, match=blob.sha256):
            _read(store, blob.sha256)
        assert {finding.code for finding in store.check()} & {"corrupt_blob", "missing_blob"}
        store.put_blob(io.BytesIO(_LARGE))
        assert _read(store, blob.sha256) == _LARGE
    store.sweep(timedelta(seconds=-2), dry_run=False)
    assert db["fs.files"].count_documents({}) == 1
    assert list(store.check()) == []


class _CutOff(io.RawIOBase):
    def __init__(self) -> None:
        self._pieces = [_LARGE[:INLINE], _LARGE[INLINE:]]

    def read(self, size: int = -1, /) -> bytes:
        if not self._pieces:
            message = "the source went away"
            raise ConnectionResetError(message)
        return self._pieces.pop(0)


def test_what_a_broken_upload_left_is_named_and_swept(
    store: ResultsStore, db: Database[dict[str, Any]]
) -> None:
    with pytest.raises(ConnectionResetError):
        store.put_blob(_CutOff())  # type: ignore[arg-type] # a raw stream is enough
    assert db["fs.chunks"].count_documents({}) == 0
    # A process that was killed could not do that.
    blob = store.put_blob(io.BytesIO(_LARGE))
    db["blobs"].delete_many({})
    db["fs.files"].delete_many({})
    (finding,) = store.check()
    assert (finding.code, finding.severity) == ("unreferenced_blob", "note")
    assert store.sweep(dry_run=False).bytes_freed == 0
    assert db["fs.chunks"].count_documents({}) > 0
    store.sweep(timedelta(seconds=-2), dry_run=False)
    assert db["fs.chunks"].count_documents({}) == 0
    with pytest.raises(NotFound):
        store.open_blob(blob.sha256)


def test_a_swept_large_blob_frees_its_file(store: ResultsStore, db: Database[dict[str, Any]]) -> None:
    blob = store.put_blob(io.BytesIO(_LARGE))
    report = store.sweep(timedelta(seconds=-2), dry_run=False)
    assert report.removed == (blob.sha256,)
    assert report.bytes_freed > INLINE
    assert db["fs.chunks"].count_documents({}) == 0


# --- answers that are lost ---------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def scripted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Start a server that can be told to answer with an error although it did what was asked."""
    arguments = ["--setParameter=enableTestCommands=1"]
    with Mongod(tmp_path_factory.mktemp("scripted"), arguments=arguments) as server:
        yield server.url


def _answer_with_an_error(url: str, command: str, mode: str | dict[str, int] | None = None) -> None:
    failure = {
        "failCommands": [command],
        "writeConcernError": {"code": 64, "errmsg": "waiting for replication timed out"},
    }
    with MongoClient[dict[str, Any]](url) as client:
        client.admin.command("configureFailPoint", "failCommand", mode=mode or {"times": 1}, data=failure)


def test_a_claim_whose_answer_was_lost_is_known_again(scripted: str) -> None:
    with MongoStore(database_url(scripted, "claims")) as store:
        block = Block(id="block", units=(sample_label(),))
        _answer_with_an_error(scripted, "findAndModify")
        with pytest.raises(StoreUnavailable) as told:
            store.claim([block], "me")
        assert told.value.transient
        assert store.claim([block], "you") == []
        (claim,) = store.claim([block], "me")
        assert claim.token == 1
        assert store.claim([block], "me") == []
        store.finish(claim, [])


def test_claims_of_a_call_that_broke_half_way_are_known_again(scripted: str) -> None:
    with MongoStore(database_url(scripted, "several")) as store:
        blocks = [Block(id=name, units=(sample_label(name),)) for name in ("N", "T")]
        assert store.claim(blocks[1:], "you", timedelta(0)) != []
        # The first block is taken, its units begin; the second is taken, and its units do not begin.
        _answer_with_an_error(scripted, "update", {"skip": 1})
        with pytest.raises(StoreUnavailable):
            store.claim(blocks, "me")
        _answer_with_an_error(scripted, "update", "off")
        claims = store.claim(blocks, "me")
        assert [(claim.block, claim.token) for claim in claims] == [("N", 1), ("T", 2)]


def test_threads_of_one_owner_do_not_claim_a_block_twice(store: ResultsStore) -> None:
    units = tuple(sample_label(window=number) for number in range(5))
    with ThreadPoolExecutor(4) as threads:
        for number in range(25):
            block = Block(id=f"block {number}", units=units)
            taken = list(threads.map(lambda _, block=block: store.claim([block], "me"), range(4)))
            assert sum(len(claims) for claims in taken) == 1


def test_a_large_blob_whose_answer_was_lost_is_whole(scripted: str) -> None:
    with MongoStore(database_url(scripted, "blobs")) as store:
        _answer_with_an_error(scripted, "findAndModify")
        with pytest.raises(StoreUnavailable):
            store.put_blob(io.BytesIO(_LARGE))
        assert _read(store, hashlib.sha256(_LARGE).hexdigest()) == _LARGE


def test_a_publication_whose_answer_was_lost_may_be_repeated(scripted: str) -> None:
    with MongoStore(database_url(scripted, "publish")) as store:
        experiment = sample_experiment()
        store.put([experiment, sample_result(0)])
        begun = store.begin_run(sample_run(experiment))
        run = RunRef(id=begun.id, experiment=begun.experiment, run_no=begun.run_no)
        binding = Binding(label=sample_label(), key=sample_result(0).key)
        for command in ("insert", "update"):
            _answer_with_an_error(scripted, command)
            with pytest.raises(StoreUnavailable):
                store.publish(run, [binding])
        store.publish(run, [binding])
        assert [bound.key for bound in store.history(sample_label().slot)] == [binding.key]
        (row,) = store.latest(ResultQuery(experiment="sample")).rows
        assert (row.key, row.run_no) == (binding.key, 1)
        assert list(store.check()) == []


def test_a_publication_that_was_cut_off_at_its_end_is_told_by_the_next(scripted: str) -> None:
    with MongoStore(database_url(scripted, "token")) as store:
        experiment = sample_experiment()
        store.put([experiment, sample_result(0)])
        begun = store.begin_run(sample_run(experiment))
        run = RunRef(id=begun.id, experiment=begun.experiment, run_no=begun.run_no)
        binding = Binding(label=sample_label(), key=sample_result(0).key)
        token = store.overview("sample").token
        with MongoClient[dict[str, Any]](scripted) as client:
            cut = {"failCommands": ["update"], "closeConnection": True}
            client.admin.command("configureFailPoint", "failCommand", mode="alwaysOn", data=cut)
            with pytest.raises(StoreUnavailable):
                store.publish(run, [binding])
            client.admin.command("configureFailPoint", "failCommand", mode="off")
        assert store.overview("sample").token == token
        assert store.publish(run, [binding]).unchanged == 1
        assert store.overview("sample").token > token
        changed = store.overview("sample").token
        store.publish(run, [binding])
        assert store.overview("sample").token == changed


def test_a_run_that_died_between_binding_and_row_does_not_win_later(
    store: ResultsStore, db: Database[dict[str, Any]]
) -> None:
    experiment, first, second = sample_experiment(), sample_result(0), sample_result(1)
    store.put([experiment, first, second])
    begun = [store.begin_run(sample_run(experiment)) for _ in range(4)]
    runs = [RunRef(id=run.id, experiment=run.experiment, run_no=run.run_no) for run in begun]
    bindings = [Binding(label=sample_label(), key=result.key) for result in (first, second)]
    store.publish(runs[0], bindings[:1])
    row = db["latest"].find_one() or {}
    store.publish(runs[1], bindings[1:])
    db["latest"].replace_one({"_id": row["_id"]}, row)  # as if it had not come so far
    assert store.publish(runs[2], bindings[:1]).appended == 1
    assert store.publish(runs[2], bindings[:1]).unchanged == 1
    assert store.publish(runs[1], bindings[1:]).outdated == 1
    keys = [bound.key for bound in store.history(sample_label().slot)]
    assert keys == [first.key, second.key, first.key]
    assert list(store.check()) == []
    assert store.publish(runs[3], bindings[:1]).unchanged == 1


def test_reading_that_the_server_forgot_may_be_begun_again(fresh: str) -> None:
    with MongoClient[dict[str, Any]](fresh) as client:
        db = client.get_default_database()
        db["many"].insert_many([{"_id": number} for number in range(300)])
        cursor = db["many"].find()
        next(cursor)
        db.command("killCursors", "many", cursors=[cursor.cursor_id])  # as an election may do
        with pytest.raises(StoreUnavailable, match="the store is not ready"), told("the store"):
            cursor.to_list()


def test_a_record_that_is_too_large_is_refused_in_plain_words(store: ResultsStore) -> None:
    plain = sample_experiment()
    config = {**plain.config, "words": "x" * (17 << 20)}
    with pytest.raises(StoreError, match="larger than the 16 MB") as refused:
        store.put([ExperimentRecord.model_validate({**dict(plain), "config": config})])
    assert not refused.value.transient
    assert list(store.check()) == []


def test_a_closed_store_refuses(fresh: str) -> None:
    store = MongoStore(fresh)
    store.close()
    with pytest.raises(StoreError, match="is closed: open it again"):
        store.experiments()
