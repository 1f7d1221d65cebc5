"""What a large experiment's results tell is kept beside it, and read only while nothing has changed."""

import uuid
from typing import Any

import pytest
from pymongo import MongoClient

from forequake.results import RunChange, RunState
from stores import RunRef, _answers, open_store
from stores.testing import fill_store
from stores.testing.mongod import database_url

pytestmark = [pytest.mark.contract, pytest.mark.mongo]


def test_a_run_that_died_outdates_what_is_kept(
    mongo_standalone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_answers, "MANY", 10)
    url = database_url(mongo_standalone, f"counts-{uuid.uuid4().hex[:8]}")
    with open_store(url) as store, MongoClient[dict[str, Any]](url) as client:
        db = client.get_default_database()
        begun = fill_store(store)
        run = RunRef(id=begun.id, experiment="sample", run_no=begun.run_no)
        counted = store.overview("sample")
        assert store.summarise("sample")
        # As if it had died between a row and the token.
        db["latest"].delete_one({"experiment": "sample", "test": "N"})
        assert store.overview("sample") == counted
        store.update_run(run, RunChange(state=RunState.CRASHED), expect=RunState.COMPLETED)
        again = store.overview("sample")
        assert again.token > counted.token
        total, before = (sum(cell.n_windows for cell in each.cells) for each in (again, counted))
        assert total == before - 1
        assert store.summarise("sample")
        client.drop_database(db.name)


def test_pieces_of_two_times_are_not_read_together(
    mongo_standalone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_answers, "MANY", 10)
    monkeypatch.setattr("stores._columns.PIECE", 4)
    url = database_url(mongo_standalone, f"counts-{uuid.uuid4().hex[:8]}")
    with open_store(url) as store, MongoClient[dict[str, Any]](url) as client:
        db = client.get_default_database()
        fill_store(store)
        store.summarise("sample")
        (first, *others) = db["kept"].find({"what": "columns", "_id.test": "N"})
        assert [first["parts"], len(others)] == [3, 2]
        columns = store.columns("sample", "N")
        assert columns is not None
        assert len(columns) == 12
        # As a process leaves it that is killed while it writes the pieces of a later token.
        db["kept"].update_one({"_id": first["_id"]}, {"$set": {"token": first["token"] + 1}})
        db["latest"].delete_one({"experiment": "sample", "test": "N"})
        columns = store.columns("sample", "N")
        assert columns is not None
        assert len(columns) == 11
        db["kept"].update_many({"what": "overview"}, {"$set": {"body": b"damaged"}})
        assert sum(cell.n_windows for cell in store.overview("sample").cells if cell.test == "N") == 11
        client.drop_database(db.name)
