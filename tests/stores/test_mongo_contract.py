"""The contract that all stores have, with MongoDB: a server alone, and a replica set of one."""

import gzip
import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from bson import Binary
from pymongo import MongoClient

from stores.mongo.schema import COLLECTIONS
from stores.testing import Damage
from stores.testing.contract import ResultsStoreContract
from stores.testing.mongod import database_url

#: One for this process: a server may be given from outside.
_DATABASE = f"contract-{uuid.uuid4().hex[:8]}"


class MongoDamage(Damage):
    """Writes into the database itself."""

    def __init__(self, url: str) -> None:
        self._db = MongoClient[dict[str, Any]](url).get_default_database()

    def close(self) -> None:
        self._db.client.close()

    def _change(self, kind: str, key: str, change: Mapping[str, Any]) -> None:
        collection, identity = self._place(kind, key)
        assert self._db[collection].update_one({"_id": identity}, change).modified_count == 1

    def _place(self, kind: str, key: str) -> tuple[str, Any]:
        if kind in ("consistency", "comparison"):
            return "results", key
        if kind == "distribution":
            return "distributions", key
        return "records", {"kind": kind, "key": key}

    def spoil_body(self, kind: str, key: str) -> None:
        self._change(kind, key, {"$set": {"body": "cut short"}})

    def spoil_canon(self, kind: str, key: str) -> None:
        self._change(kind, key, [{"$set": {"canon": {"$concat": ["$canon", " "]}}}])  # type: ignore[arg-type]

    def rewrite(self, kind: str, key: str, version: int, body: Mapping[str, object]) -> None:
        self._change(kind, key, {"$set": {"v": version, "body": dict(body)}})

    def drop_result(self, key: str) -> None:
        assert self._db["results"].delete_one({"_id": key}).deleted_count == 1

    def spoil_latest(self, slot: str) -> None:
        changed = self._db["latest"].update_one({"_id": slot}, {"$set": {"outcome": "score_only"}})
        assert changed.modified_count == 1

    def drop_latest(self, slot: str) -> None:
        assert self._db["latest"].delete_one({"_id": slot}).deleted_count == 1

    def drop_blob(self, sha: str) -> None:
        assert self._db["blobs"].update_one({"_id": sha}, {"$unset": {"data": ""}}).modified_count == 1

    def spoil_blob(self, sha: str) -> None:
        blob = self._db["blobs"].find_one({"_id": sha})
        assert blob is not None
        content = bytes(255 - byte for byte in gzip.decompress(blob["data"]))
        self._db["blobs"].update_one({"_id": sha}, {"$set": {"data": Binary(gzip.compress(content))}})


def emptied(url: str) -> str:
    """Empty the collections of a store: making them anew for each test would take most of the time."""
    with MongoClient[dict[str, Any]](url) as client:
        for collection in COLLECTIONS:
            if collection != "meta":
                client.get_default_database()[collection].delete_many({})
    return url


class _MongoContract(ResultsStoreContract):
    @pytest.fixture
    def damage(self, url: str) -> Iterator[Damage]:
        damage = MongoDamage(url)
        yield damage
        damage.close()


@pytest.mark.contract
@pytest.mark.mongo
class TestStandaloneContract(_MongoContract):
    @pytest.fixture
    def url(self, mongo_standalone: str) -> str:
        return emptied(database_url(mongo_standalone, _DATABASE))


@pytest.mark.contract
@pytest.mark.mongo
class TestReplicaSetContract(_MongoContract):
    @pytest.fixture
    def url(self, mongo_replica_set: str) -> str:
        return emptied(database_url(mongo_replica_set, _DATABASE))
