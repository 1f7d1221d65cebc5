"""Counts of a large experiment are kept beside it, and read only while nothing has changed."""

import uuid
from typing import Any

import pytest
from pymongo import MongoClient

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
        db["latest"].delete_many({"test": "N"})  # behind the store's back: what is kept is what is read
        assert store.overview("bulk") == counted
        assert [each.n_results for each in store.experiments()] == [10_020]
        begun = store.runs("bulk")[0]
        result, label = sample_result(1), sample_label("N", "another", experiment="bulk")
        store.put([result])
        run = RunRef(id=begun.id, experiment="bulk", run_no=begun.run_no)
        store.publish(run, [Binding(label=label, key=result.key)])
        again = store.overview("bulk")
        assert again.token > counted.token
        assert sum(cell.n_windows for cell in again.cells) == 10_020 * 2 // 3 + 1
        assert [each.n_results for each in store.experiments()] == [10_020 * 2 // 3 + 1]
        client.drop_database(db.name)
