"""How tests damage and empty a MongoDB store: in its database itself."""

from collections.abc import Mapping
from typing import Any

from bson import Binary
from pymongo import MongoClient

from stores._codec import RESULT_KINDS
from stores.mongo.schema import COLLECTIONS
from stores.testing.damage import Damage, spoiled

__all__ = ["MongoDamage", "emptied"]


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
        if kind in RESULT_KINDS:
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
        self._db["blobs"].update_one({"_id": sha}, {"$set": {"data": Binary(spoiled(blob["data"]))}})


def emptied(url: str) -> str:
    """Empty the collections of a store: making them anew for each test would take most of the time."""
    with MongoClient[dict[str, Any]](url) as client:
        for collection in COLLECTIONS:
            if collection != "meta":
                client.get_default_database()[collection].delete_many({})
    return url
