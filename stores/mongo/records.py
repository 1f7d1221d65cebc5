"""Records in their collections: results, whole distributions, and everything else.

A body is kept as a document, so that other programs can ask for its fields; where MongoDB cannot hold it (a
number beyond 64 bits, a null in a name, what is nested too deeply) or the driver would read something else (a
reference to another document), it is kept as its JSON text.
"""

import json
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import Any, Final, TypeVar

from bson import encode as to_bson
from bson.errors import InvalidDocument
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from forequake.errors import CorruptRecord, NotFound, StoreUnavailable
from forequake.quantities import Sha256
from forequake.results import Record
from stores._codec import KINDS, RESULT_KINDS, Encoded, decode, kinds_of
from stores._comparison import differs
from stores.exchange import PutReport
from stores.mongo.faults import DUPLICATE
from stores.mongo.server import Document

__all__ = [
    "bodies_of",
    "encoded_after",
    "existing",
    "get",
    "get_many",
    "in_pieces",
    "insert_new",
    "kinds_stored",
    "present",
    "put",
    "scan",
]

R = TypeVar("R", bound=Record)
T = TypeVar("T")

#: The field of the long array, by collection.
_PACKED: Final = {"results": "q201", "distributions": "data"}
#: So many keys are asked for at a time: a question to the server may have 16 MB.
_PIECE: Final = 20_000
#: Documents may be nested 180 levels deep; not all who write to a server or read from it go so far.
_DEEPEST: Final = 100
#: Sorts behind every key.
_BEHIND: Final = "g"


def put(
    db: Database[Document], records: Sequence[Record], encoded: Sequence[Encoded], store: str
) -> PutReport:
    """Write records where their keys are free, and compare the others with what stands there.

    Raises
    ------
    CorruptRecord, SchemaVersion
        Where a record that is present cannot be read to compare it; the new ones are written.
    """
    fresh = _insert(db, encoded)
    words: dict[str, list[Sha256]] = {"written": [], "present": [], "divergent": []}
    stood = _standing(db, [form for position, form in enumerate(encoded) if position not in fresh])
    for position, (record, form) in enumerate(zip(records, encoded, strict=True)):
        if position in fresh:
            words["written"].append(record.key)
            continue
        found = stood.get(_place(form.kind, form.key))
        if found is None:
            # Seen by the insertion and not by a new primary, just after an election: a repetition writes it.
            message = f"{store}: the record {record.key} stands and cannot be read yet; try again"
            raise StoreUnavailable(message)
        words["divergent" if differs(decode(found, Record), record) else "present"].append(record.key)
    return PutReport(**{word: tuple(keys) for word, keys in words.items()})


def _insert(db: Database[Document], encoded: Sequence[Encoded]) -> frozenset[int]:
    """Write what is new; give the positions of what was written."""
    first: dict[tuple[str, Sha256], int] = {}
    for position, form in enumerate(encoded):  # of two with one key in a batch the first is written
        first.setdefault(_place(form.kind, form.key), position)
    batches: dict[str, list[int]] = {}
    for position in first.values():
        batches.setdefault(_collection(encoded[position].kind), []).append(position)
    written: set[int] = set()
    for collection, positions in batches.items():
        stood = insert_new(db, collection, [_document(encoded[position]) for position in positions])
        written.update(set(positions) - {positions[index] for index in stood})
    return frozenset(written)


def _standing(db: Database[Document], encoded: Sequence[Encoded]) -> dict[tuple[str, Sha256], Encoded]:
    """Read the records that stand at the places of others; a result there may be of another kind."""
    wanted: dict[str, list[Document | str]] = {}
    for form in encoded:
        wanted.setdefault(_collection(form.kind), []).append(_id(form.kind, form.key))
    found = [
        _encoded(collection, each)
        for collection, ids in wanted.items()
        for each in db[collection].find({"_id": {"$in": ids}})
    ]
    return {_place(form.kind, form.key): form for form in found}


def insert_new(db: Database[Document], collection: str, documents: Sequence[Document]) -> list[int]:
    """Insert the documents whose ids are free; give the positions of the others."""
    if not documents:
        return []
    try:
        db[collection].insert_many(documents, ordered=False)
    except BulkWriteError as error:
        faults = (error.details or {}).get("writeErrors", [])
        if (error.details or {}).get("writeConcernErrors") or any(
            fault["code"] != DUPLICATE for fault in faults
        ):
            raise
        return [fault["index"] for fault in faults]
    return []


def get(db: Database[Document], kind: type[R], key: Sha256, store: str) -> R:
    """Read a record; see `ResultsStore.get`."""
    found = _find(db, kind, key)
    if found is None or (found.kind not in kinds_of(kind) and found.kind in KINDS):
        message = f"{store} has no {kind.__name__} with the key {key}"
        raise NotFound(message)
    return decode(found, kind)


def get_many(db: Database[Document], kind: type[R], keys: Collection[Sha256]) -> dict[Sha256, R]:
    """Read those records that are there; see `ResultsStore.get_many`."""
    kinds = kinds_of(kind)
    collection = _collection(kinds[0])
    found = (
        _encoded(collection, document)
        for piece in in_pieces(keys, _PIECE)
        for document in db[collection].find({"_id": {"$in": [_id(kinds[0], key) for key in piece]}})
    )
    return {encoded.key: decode(encoded, kind) for encoded in found if encoded.kind in kinds}


def existing(db: Database[Document], kind: type[Record], keys: Collection[Sha256]) -> frozenset[Sha256]:
    """Tell which keys are present; see `ResultsStore.existing`."""
    kinds = kinds_of(kind)
    collection = _collection(kinds[0])
    found: set[Sha256] = set()
    for piece in in_pieces(keys, _PIECE):
        if collection == "records":
            only: Document = {"_id": {"$in": [{"kind": kinds[0], "key": key} for key in piece]}}
            found.update(each["_id"]["key"] for each in db[collection].find(only, {"_id": 1}))
            continue
        only = {"_id": {"$in": piece}}
        if collection == "results":
            only["kind"] = {"$in": list(kinds)}
        found.update(each["_id"] for each in db[collection].find(only, {"_id": 1}))
    return frozenset(found)


def encoded_after(
    db: Database[Document], kinds: Sequence[str], after: Sha256 | None, limit: int
) -> list[Encoded]:
    """Read records of one collection in their stored form, in the order of their keys."""
    collection = _collection(kinds[0])
    behind = after or ""
    if collection == "records":
        only: Document = {
            "_id": {"$gt": {"kind": kinds[0], "key": behind}, "$lt": {"kind": kinds[0], "key": _BEHIND}}
        }
    else:
        only = {"_id": {"$gt": behind}}
        if collection == "results" and len(kinds) == 1:
            only["kind"] = kinds[0]
    if limit < 1:  # which MongoDB takes for no limit
        return []
    found = db[collection].find(only).sort("_id", 1).limit(limit)
    return [_encoded(collection, document) for document in found]


def scan(db: Database[Document], kind: type[R], after: Sha256 | None, limit: int) -> list[R]:
    """Read records in the order of their keys; see `ResultsStore.scan`."""
    return [decode(encoded, kind) for encoded in encoded_after(db, kinds_of(kind), after, limit)]


def bodies_of(db: Database[Document], keys: Collection[Sha256]) -> dict[Sha256, Encoded]:
    """Read results by their keys, without their distributions."""
    results: dict[Sha256, Encoded] = {}
    for piece in in_pieces(keys, _PIECE):
        for document in db["results"].find({"_id": {"$in": piece}}, {"q201": 0}):
            results[document["_id"]] = _encoded("results", document)
    return results


def present(db: Database[Document], collection: str, keys: Collection[Sha256]) -> set[Sha256]:
    """Tell which ids a collection has."""
    found: set[Sha256] = set()
    for piece in in_pieces(keys, _PIECE):
        found.update(each["_id"] for each in db[collection].find({"_id": {"$in": piece}}, {"_id": 1}))
    return found


def kinds_stored(db: Database[Document]) -> list[str]:
    """Give the kinds that stand in the collection of other records."""
    return sorted(str(kind) for kind in db["records"].distinct("_id.kind"))


def in_pieces(things: Iterable[T], size: int) -> Iterator[list[T]]:
    """Give things in lists of at most `size`."""
    every = list(things)
    for begin in range(0, len(every), size):
        yield every[begin : begin + size]


def _collection(kind: str) -> str:
    if kind in RESULT_KINDS:
        return "results"
    return "distributions" if kind == "distribution" else "records"


def _place(kind: str, key: Sha256) -> tuple[str, Sha256]:
    """Name the place of a record: the kinds of results share theirs."""
    collection = _collection(kind)
    return (kind if collection == "records" else collection), key


def _id(kind: str, key: Sha256) -> Document | str:
    return {"kind": kind, "key": key} if _collection(kind) == "records" else key


def _find(db: Database[Document], kind: type[Record], key: Sha256) -> Encoded | None:
    """Read a record in its stored form, or None; of the results, one of any kind."""
    name = kinds_of(kind)[0]
    collection = _collection(name)
    document = db[collection].find_one({"_id": _id(name, key)})
    return None if document is None else _encoded(collection, document)


def _document(record: Encoded) -> Document:
    collection = _collection(record.kind)
    document: Document = {
        "_id": _id(record.kind, record.key),
        "v": record.version,
        "canon": record.canon,
        "body": _body(record.body),
    }
    if collection == "results":
        document["kind"] = record.kind
    if record.packed is not None:
        document[_PACKED[collection]] = record.packed
    return document


def _encoded(collection: str, document: Document) -> Encoded:
    try:
        kind, key = _name(collection, document)
        body = document["body"]
        text = body if isinstance(body, str) else json.dumps(body, ensure_ascii=False, default=_no_json)
        packed = document.get(_PACKED.get(collection, ""))
        return Encoded(kind, key, int(document["v"]), str(document["canon"]), text, packed)
    except (KeyError, TypeError, ValueError) as error:
        message = (
            f"the record {document.get('_id')} in {collection} lacks a field or has a wrong one: {error}"
        )
        raise CorruptRecord(message) from error


def _name(collection: str, document: Document) -> tuple[str, Sha256]:
    match collection:
        case "records":
            return str(document["_id"]["kind"]), str(document["_id"]["key"])
        case "distributions":
            return "distribution", str(document["_id"])
    return str(document["kind"]), str(document["_id"])


def _body(text: str) -> Document | str:
    body: Document = json.loads(text)
    try:
        to_bson(body)
    except (InvalidDocument, OverflowError, RecursionError):
        return text
    return body if _plain(body) else text


def _plain(body: Document) -> bool:
    """Tell whether a body is no deeper than MongoDB takes it, and comes back as it is."""
    level: list[Any] = [body]
    for _ in range(_DEEPEST):
        if any(isinstance(value, dict) and "$ref" in value for value in level):
            return False  # the driver makes an object of its own of it
        level = [
            inner
            for value in level
            if isinstance(value, dict | list)
            for inner in (value.values() if isinstance(value, dict) else value)
        ]
        if not level:
            return True
    return False


def _no_json(value: Any) -> str:
    message = f"{type(value).__name__} is no JSON"
    raise TypeError(message)
