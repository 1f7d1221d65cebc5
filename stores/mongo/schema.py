"""The collections of a MongoDB store, and how a database becomes one."""

from collections.abc import Sequence
from typing import Any, Final

from pymongo import ASCENDING, DESCENDING, IndexModel
from pymongo.database import Database
from pymongo.errors import CollectionInvalid, OperationFailure

from forequake.errors import CorruptRecord, InputError, SchemaVersion
from stores.mongo.server import Document

__all__ = ["COLLECTIONS", "SCHEMA", "prepare"]

#: The version of the collections; raised with every change of them that older programs must not see.
SCHEMA: Final = 1

_EXISTS: Final = 48

_Type = str | list[str]
_WHOLE: Final = ["int", "long"]  # the driver writes small numbers in fewer bytes
_PLACE: Final[dict[str, _Type]] = {
    "experiment": "string",
    "test": "string",
    "model": "string",
    "start_us": _WHOLE,
    "end_us": _WHOLE,
}
_STORED: Final[dict[str, _Type]] = {"v": _WHOLE, "canon": "string"}

#: What each collection's documents must have, and of which type. Scores are numbers: whole ones as well.
_FIELDS: Final[dict[str, dict[str, _Type]]] = {
    "meta": {},
    "experiments": {"record_key": "string", "last_run": _WHOLE, "token": _WHOLE},
    "runs": {"experiment": "string", "run_no": _WHOLE, "state": "string", "started_us": _WHOLE},
    "records": _STORED,
    "results": {**_STORED, "kind": "string"},
    "distributions": _STORED,
    "bindings": {**_PLACE, "key": "string", "bound_us": _WHOLE},
    "latest": {**_PLACE, "key": "string", "run_no": _WHOLE, "outcome": "string", "n_fore": "number"},
    "kept": {"experiment": "string", "what": "string", "token": _WHOLE},
    "claims": {"owner": "string", "token": _WHOLE, "until_us": _WHOLE},
    "units": {**_PLACE, "state": "string", "block": "string", "token": _WHOLE},
    "blobs": {"size": _WHOLE, "stored_us": _WHOLE},
    "fs.files": {},
    "fs.chunks": {},
}

_Keys = Sequence[tuple[str, int]]
_INDEXES: Final[dict[str, tuple[_Keys, ...]]] = {
    "runs": (
        (("state", ASCENDING), ("heartbeat_us", ASCENDING)),
        (("started_us", DESCENDING), ("run_no", DESCENDING)),
        (("experiment", ASCENDING), ("started_us", DESCENDING), ("run_no", DESCENDING)),
    ),
    "bindings": (
        (("_id.slot", ASCENDING), ("_id.run_no", ASCENDING)),
        (
            ("experiment", ASCENDING),
            ("start_us", ASCENDING),
            ("test", ASCENDING),
            ("model", ASCENDING),
            ("_id.slot", ASCENDING),
            ("_id.run_no", DESCENDING),
        ),
        (("key", ASCENDING),),
    ),
    "latest": (
        (
            ("experiment", ASCENDING),
            ("start_us", ASCENDING),
            ("test", ASCENDING),
            ("model", ASCENDING),
            ("_id", ASCENDING),
            ("end_us", ASCENDING),
        ),
        # Series of some tests of some models, and all that an overview counts.
        (
            ("experiment", ASCENDING),
            ("test", ASCENDING),
            ("model", ASCENDING),
            ("reference", ASCENDING),
            ("outcome", ASCENDING),
            ("computed_us", ASCENDING),
        ),
    ),
    "claims": ((("owner", ASCENDING),), (("until_us", ASCENDING),), (("losers.owner", ASCENDING),)),
    "units": ((("experiment", ASCENDING), ("state", ASCENDING)), (("block", ASCENDING),)),
    "blobs": ((("stored_us", ASCENDING),), (("file_id", ASCENDING),)),
    # What the driver makes with the first file, and may make only with the right to.
    "fs.files": ((("filename", ASCENDING), ("uploadDate", ASCENDING)),),
}
_UNIQUE: Final[dict[str, tuple[_Keys, ...]]] = {
    "runs": ((("experiment", ASCENDING), ("run_no", ASCENDING)),),
    "fs.chunks": ((("files_id", ASCENDING), ("n", ASCENDING)),),
}

#: The collections of a store.
COLLECTIONS: Final = tuple(_FIELDS)


def prepare(db: Database[Document], name: str) -> None:
    """Make the collections where the database is empty, and refuse what is no store of this version.

    Several processes may do it at once.

    Raises
    ------
    InputError
        Where the database belongs to another program.
    SchemaVersion
        Where a newer forequake made it.
    """
    version = _version(db, name)
    if version is None:
        _refuse_foreign(db, name)
        _create(db)
        db["meta"].update_one({"_id": "schema"}, {"$setOnInsert": {"n": SCHEMA}}, upsert=True)
        version = _version(db, name) or SCHEMA
    if version > SCHEMA:
        message = (
            f"{name} was made by a newer forequake (tables {version}, this one knows {SCHEMA}): use that"
        )
        raise SchemaVersion(message)


def _version(db: Database[Document], name: str) -> int | None:
    found = db["meta"].find_one({"_id": "schema"})
    if found is None:
        return None
    version = found.get("n")
    if not isinstance(version, int):
        message = f"{name} has no version in its collection meta: go back to a backup"
        raise CorruptRecord(message)
    return version


def _refuse_foreign(db: Database[Document], name: str) -> None:
    others = sorted(
        found
        for found in db.list_collection_names()
        if not found.startswith("system.") and found not in _FIELDS
    )
    if others:
        message = (
            f"{name}: the database holds {others[0]!r}, which is no collection of forequake; name another "
            "database in the address"
        )
        raise InputError(message)


def _create(db: Database[Document]) -> None:
    for collection, fields in _FIELDS.items():
        options: dict[str, Any] = {"validator": _validator(fields)} if fields else {}
        try:
            db.create_collection(collection, check_exists=False, **options)
        except CollectionInvalid:
            continue
        except OperationFailure as error:
            if error.code != _EXISTS:  # another process was first
                raise
    for collection in COLLECTIONS:
        indexes = [IndexModel(list(keys)) for keys in _INDEXES.get(collection, ())]
        indexes += [IndexModel(list(keys), unique=True) for keys in _UNIQUE.get(collection, ())]
        if indexes:
            db[collection].create_indexes(indexes)


def _validator(fields: dict[str, _Type]) -> Document:
    properties = {field: {"bsonType": kind} for field, kind in fields.items()}
    return {"$jsonSchema": {"bsonType": "object", "required": sorted(fields), "properties": properties}}
