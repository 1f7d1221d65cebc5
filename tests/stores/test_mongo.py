"""What is the MongoDB store's own: documents, GridFS, forks, foreign databases, indexes, lost answers."""

import contextlib
import gzip
import io
import json
import os
import random
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from bson import Binary
from pymongo import MongoClient, monitoring
from pymongo.database import Database
from pymongo.errors import OperationFailure

from forequake.errors import (
    Conflict,
    CorruptRecord,
    InputError,
    NotFound,
    SchemaVersion,
)
from forequake.results import EvaluationRecord, ExperimentRecord
from stores import ResultQuery, ResultsStore, open_store, store_exists
from stores.mongo import MongoStore
from stores.mongo.blobs import INLINE
from stores.testing._contract_mongo import emptied
from stores.testing.filling import fill_store
from stores.testing.mongod import database_url
from stores.testing.samples import sample_experiment, sample_region, sample_result, sample_run

pytestmark = [pytest.mark.contract, pytest.mark.mongo]

_DATABASE = f"own-{uuid.uuid4().hex[:8]}"
#: Bytes that no compression makes small.
_LARGE = random.Random(7).randbytes(INLINE + (3 << 20))


@pytest.fixture
def url(mongo_standalone: str) -> str:
    return emptied(database_url(mongo_standalone, _DATABASE))


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


def test_asking_for_a_store_makes_none(fresh: str) -> None:
    assert not store_exists(fresh)
    with MongoClient[dict[str, Any]](fresh) as client:
        assert client.get_default_database().list_collection_names() == []
    MongoStore(fresh).close()
    assert store_exists(fresh)


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


def test_blobs_of_before_are_read(store: ResultsStore, db: Database[dict[str, Any]]) -> None:
    blob = store.put_blob(io.BytesIO(b"abc" * 1000))
    before = {"$set": {"data": Binary(gzip.compress(b"abc" * 1000))}}
    assert db["blobs"].update_one({"_id": blob.sha256}, before).modified_count == 1
    with store.open_blob(blob.sha256) as file:
        assert file.read() == b"abc" * 1000


def test_a_swept_large_blob_frees_its_file(store: ResultsStore, db: Database[dict[str, Any]]) -> None:
    blob = store.put_blob(io.BytesIO(_LARGE))
    report = store.sweep(timedelta(seconds=-2), dry_run=False)
    assert report.removed == (blob.sha256,)
    assert report.bytes_freed > INLINE
    assert db["fs.chunks"].count_documents({}) == 0
