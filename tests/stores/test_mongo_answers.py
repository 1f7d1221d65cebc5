"""What becomes of a MongoDB store where answers are lost, and processes die between two steps."""

import hashlib
import io
import random
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from pymongo import MongoClient
from pymongo.database import Database

from forequake.errors import (
    StoreError,
    StoreUnavailable,
)
from forequake.results import ExperimentRecord
from stores import Binding, Block, ResultQuery, ResultsStore, RunRef
from stores.mongo import MongoStore
from stores.mongo.blobs import INLINE
from stores.mongo.faults import told
from stores.testing._contract_mongo import emptied
from stores.testing.mongod import Mongod, database_url
from stores.testing.samples import sample_experiment, sample_label, sample_result, sample_run

pytestmark = [pytest.mark.contract, pytest.mark.mongo]

_DATABASE = f"answers-{uuid.uuid4().hex[:8]}"
#: Bytes that no compression makes small.
_LARGE = random.Random(7).randbytes(INLINE + (3 << 20))


@pytest.fixture
def url(mongo_standalone: str) -> str:
    return emptied(database_url(mongo_standalone, _DATABASE))


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
        with store.open_blob(hashlib.sha256(_LARGE).hexdigest()) as stream:
            assert stream.read() == _LARGE


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


def test_a_repair_believes_the_later_run_that_vouched(
    store: ResultsStore, db: Database[dict[str, Any]]
) -> None:
    experiment, first, second = sample_experiment(), sample_result(0), sample_result(1)
    store.put([experiment, first, second])
    begun = [store.begin_run(sample_run(experiment)) for _ in range(3)]
    runs = [RunRef(id=run.id, experiment=run.experiment, run_no=run.run_no) for run in begun]
    store.publish(runs[0], [Binding(label=sample_label(), key=first.key)])
    store.publish(runs[2], [Binding(label=sample_label(), key=first.key)])
    row = db["latest"].find_one() or {}
    store.publish(runs[1], [Binding(label=sample_label(), key=second.key)])
    # As if the second run had died behind its binding: no row, and none for the third.
    db["latest"].replace_one({"_id": row["_id"]}, row)
    db["bindings"].delete_one({"_id.run_no": 3})
    assert [finding.repaired for finding in store.check(repair=True)] == [True]
    keys = [bound.key for bound in store.history(sample_label().slot)]
    assert keys == [first.key, second.key, first.key]
    (latest,) = store.latest(ResultQuery(experiment="sample")).rows
    assert (latest.key, latest.run_no) == (first.key, 3)
    assert list(store.check()) == []


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
