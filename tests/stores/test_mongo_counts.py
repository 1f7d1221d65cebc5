"""Counts of a large experiment are kept beside it, and read only while nothing has changed."""

import uuid
from typing import Any

import pytest
from pymongo import MongoClient

from forequake.results import RunChange, RunState
from stores import Binding, RunRef, open_store
from stores.testing import fill_bulk
from stores.testing.mongod import database_url
from stores.testing.samples import sample_label, sample_result

pytestmark = [pytest.mark.contract, pytest.mark.mongo]


def test_counts_are_kept_until_a_result_changes(mongo_standalone: str) -> None:
    url = database_url(mongo_standalone, f"counts-{uuid.uuid4().hex[:8]}")
    with open_store(url) as store, MongoClient[dict[str, Any]](url) as client:
        db = client.get_default_database()
        fill_bulk(store, 10_020)
        counted = store.overview("bulk")
        assert (counted.n_windows, sum(cell.n_windows for cell in counted.cells)) == (334, 10_020)
        assert db["experiments"].find_one({"_id": "bulk"}, {"counts.token": 1}) == {
            "_id": "bulk",
            "counts": {"token": counted.token},
        }
        tampered = {"$set": {"counts.n_windows": 999}}  # behind the store's back
        db["experiments"].update_one({"_id": "bulk"}, tampered)
        assert store.overview("bulk").n_windows == 999
        assert [each.n_results for each in store.experiments()] == [10_020]
        begun = store.runs("bulk")[0]
        result, label = sample_result(1), sample_label("N", "another", experiment="bulk")
        store.put([result])
        run = RunRef(id=begun.id, experiment="bulk", run_no=begun.run_no)
        store.publish(run, [Binding(label=label, key=result.key)])
        again = store.overview("bulk")
        assert again.token > counted.token
        assert (again.n_windows < 999, sum(cell.n_windows for cell in again.cells)) == (True, 10_021)
        for forget in (
            lambda: next(store.check(repair=True), None),
            lambda: store.update_run(run, RunChange(state=RunState.CRASHED), expect=RunState.RUNNING),
        ):
            db["experiments"].update_one({"_id": "bulk"}, tampered)
            forget()
            assert store.overview("bulk") == again
        client.drop_database(db.name)
