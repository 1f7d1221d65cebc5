"""Records in their tables: results, whole distributions, and everything else."""

import json
import sqlite3
from collections.abc import Collection, Sequence
from typing import Final, TypeVar

from forequake.errors import CorruptRecord, NotFound
from forequake.quantities import Sha256
from forequake.results import Record
from stores._codec import KINDS, RESULT_KINDS, Encoded, decode, kinds_of

__all__ = [
    "bodies_of",
    "encoded_after",
    "existing",
    "find",
    "get",
    "get_many",
    "insert",
    "missing_blobs",
    "scan",
    "standing",
]

R = TypeVar("R", bound=Record)

#: How each table gives the columns of `Encoded`, and what it holds.
_SELECTS: Final = {
    "results": "SELECT kind, key, v, canon, body, q201 FROM results WHERE true",
    "distributions": "SELECT 'distribution', key, v, canon, body, data FROM distributions WHERE true",
    "records": "SELECT kind, key, v, canon, body, NULL FROM records WHERE kind = :kind",
}

_EXISTING: Final = {
    table: f"SELECT key FROM {table} WHERE {only} AND key IN (SELECT value FROM json_each(?2))"  # noqa: S608
    for table, only in {
        "results": "kind IN (SELECT value FROM json_each(?1))",
        "distributions": "?1 = '[\"distribution\"]'",
        "records": "kind IN (SELECT value FROM json_each(?1))",
    }.items()
}


def _table(kind: str) -> str:
    if kind in RESULT_KINDS:
        return "results"
    return "distributions" if kind == "distribution" else "records"


def insert(db: sqlite3.Connection, record: Encoded) -> bool:
    """Write a record if its key is free; tell whether it was."""
    kind, key, version, canon, body, packed = record
    match _table(kind):
        case "results":
            done = db.execute(
                "INSERT INTO results (key, v, kind, canon, body, q201) VALUES (?, ?, ?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                (key, version, kind, canon, body, packed),
            )
        case "distributions":
            done = db.execute(
                "INSERT INTO distributions (key, v, canon, body, data) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                (key, version, canon, body, packed),
            )
        case _:
            done = db.execute(
                "INSERT INTO records (kind, key, v, canon, body) VALUES (?, ?, ?, ?, ?) "
                "ON CONFLICT DO NOTHING",
                (kind, key, version, canon, body),
            )
    return done.rowcount == 1


def find(db: sqlite3.Connection, kind: type[Record], key: Sha256) -> Encoded | None:
    """Read a record in its stored form, or None; of the results, one of any kind.

    A result of another kind counts as found, so that who asks can say what stands under the key.
    """
    name = kinds_of(kind)[0]
    row = db.execute(f"{_SELECTS[_table(name)]} AND key = :key", {"kind": name, "key": key}).fetchone()
    return None if row is None else Encoded(*row)


def get(db: sqlite3.Connection, kind: type[R], key: Sha256, store: str) -> R:
    """Read a record; see `ResultsStore.get`."""
    found = find(db, kind, key)
    if found is None or (found.kind not in kinds_of(kind) and found.kind in KINDS):
        message = f"{store} has no {kind.__name__} with the key {key}"
        raise NotFound(message)
    return decode(found, kind)


def get_many(db: sqlite3.Connection, kind: type[R], keys: Collection[Sha256]) -> dict[Sha256, R]:
    """Read those records that are there; see `ResultsStore.get_many`."""
    kinds = kinds_of(kind)
    rows = db.execute(
        f"{_SELECTS[_table(kinds[0])]} AND key IN (SELECT value FROM json_each(:keys))",  # noqa: S608
        {"kind": kinds[0], "keys": json.dumps(list(keys))},
    )
    found = [encoded for encoded in (Encoded(*row) for row in rows) if encoded.kind in kinds]
    return {encoded.key: decode(encoded, kind) for encoded in found}


def standing(db: sqlite3.Connection, record: Record, store: str) -> Record:
    """Read the record that stands under another's key, which for a result may be of another kind."""
    found = find(db, type(record), record.key)
    if found is None:
        message = f"{store} has lost the record {record.key} while it was put: check the store"
        raise CorruptRecord(message)
    return decode(found, Record)


def existing(db: sqlite3.Connection, kind: type[Record], keys: Collection[Sha256]) -> frozenset[Sha256]:
    """Tell which keys are present; see `ResultsStore.existing`."""
    kinds = kinds_of(kind)
    found = db.execute(_EXISTING[_table(kinds[0])], (json.dumps(kinds), json.dumps(list(keys))))
    return frozenset(key for (key,) in found)


def encoded_after(
    db: sqlite3.Connection, kinds: Sequence[str], after: Sha256 | None, limit: int
) -> list[Encoded]:
    """Read records of one table in their stored form, in the order of their keys."""
    table = _table(kinds[0])
    only = f" AND kind = '{kinds[0]}'" if table == "results" and len(kinds) == 1 else ""
    rows = db.execute(
        f"{_SELECTS[table]}{only} AND key > :after ORDER BY key LIMIT :limit",
        {"kind": kinds[0], "after": after or "", "limit": limit},
    )
    return [Encoded(*row) for row in rows]


def scan(db: sqlite3.Connection, kind: type[R], after: Sha256 | None, limit: int) -> list[R]:
    """Read records in the order of their keys; see `ResultsStore.scan`."""
    return [decode(encoded, kind) for encoded in encoded_after(db, kinds_of(kind), after, limit)]


def bodies_of(db: sqlite3.Connection, keys: Collection[Sha256]) -> dict[Sha256, Encoded]:
    """Read results by their keys, without their distributions."""
    rows = db.execute(
        "SELECT kind, key, v, canon, body, NULL FROM results WHERE key IN (SELECT value FROM json_each(?))",
        (json.dumps(list(keys)),),
    )
    return {row[1]: Encoded(*row) for row in rows}


def missing_blobs(db: sqlite3.Connection, records: Collection[Record]) -> list[Sha256]:
    """Give the blobs that records refer to and that the store does not have."""
    wanted = sorted({sha for record in records for sha in record.blobs})
    rows = db.execute(
        "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT sha FROM blobs)", (json.dumps(wanted),)
    )
    return [sha for (sha,) in rows]
