"""The tables of an SQLite store, and how a file becomes one."""

import sqlite3
from typing import Final

from forequake.errors import AccessDenied, CorruptRecord, InputError, SchemaVersion

__all__ = ["SCHEMA", "create", "has_kept", "version_of"]

#: The version of the tables; raised with every change of them.
SCHEMA: Final = 2

#: Marks a file as ours ("fqke"), so that another program's database is never taken for a store.
_APPLICATION_ID: Final = 0x66716B65

# Answers about all results of an experiment, in pieces (see stores/_answers.py): read only while it has the
# token. The body comes last, so that the others are read without it.
_KEPT: Final = """CREATE TABLE kept (
    experiment TEXT NOT NULL, what TEXT NOT NULL, test TEXT NOT NULL, part INTEGER NOT NULL,
    token INTEGER NOT NULL, n INTEGER NOT NULL, last_us INTEGER NOT NULL, body BLOB NOT NULL,
    PRIMARY KEY (experiment, what, test, part)
) STRICT"""

_TABLES: Final = (
    "CREATE TABLE meta (id TEXT PRIMARY KEY, n INTEGER NOT NULL) STRICT",
    """CREATE TABLE experiments (
        name TEXT PRIMARY KEY, record_key TEXT NOT NULL, next_run INTEGER NOT NULL, token INTEGER NOT NULL
    ) STRICT""",
    """CREATE TABLE runs (
        id TEXT PRIMARY KEY, experiment TEXT NOT NULL, run_no INTEGER NOT NULL, state TEXT NOT NULL,
        started_us INTEGER NOT NULL, heartbeat_us INTEGER NOT NULL, body TEXT NOT NULL,
        UNIQUE (experiment, run_no)
    ) STRICT""",
    "CREATE INDEX runs_by_heartbeat ON runs (state, heartbeat_us)",
    "CREATE INDEX runs_by_start ON runs (started_us)",
    """CREATE TABLE records (
        kind TEXT NOT NULL, key TEXT NOT NULL, v INTEGER NOT NULL, canon TEXT NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (kind, key)
    ) STRICT""",
    """CREATE TABLE results (
        key TEXT PRIMARY KEY, v INTEGER NOT NULL, kind TEXT NOT NULL, canon TEXT NOT NULL, body TEXT NOT NULL,
        q201 BLOB
    ) STRICT""",
    """CREATE TABLE distributions (
        key TEXT PRIMARY KEY, v INTEGER NOT NULL, canon TEXT NOT NULL, body TEXT NOT NULL, data BLOB
    ) STRICT""",
    """CREATE TABLE bindings (
        slot TEXT NOT NULL, run_no INTEGER NOT NULL, experiment TEXT NOT NULL, test TEXT NOT NULL,
        model TEXT NOT NULL, reference TEXT, start_us INTEGER NOT NULL, end_us INTEGER NOT NULL,
        key TEXT NOT NULL, bound_us INTEGER NOT NULL,
        PRIMARY KEY (slot, run_no)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX bindings_by_window ON bindings (experiment, start_us, test, model, slot)",
    "CREATE INDEX bindings_by_key ON bindings (key)",
    # run_no is the run that vouches for the value last, bound_run the one that bound it.
    """CREATE TABLE latest (
        slot TEXT PRIMARY KEY, experiment TEXT NOT NULL, test TEXT NOT NULL, model TEXT NOT NULL,
        reference TEXT, start_us INTEGER NOT NULL, end_us INTEGER NOT NULL,
        key TEXT NOT NULL, run_no INTEGER NOT NULL, bound_run INTEGER NOT NULL, bound_us INTEGER NOT NULL,
        kind TEXT NOT NULL, evaluation TEXT NOT NULL, statistic REAL, quantiles TEXT, outcome TEXT NOT NULL,
        reason TEXT, alpha REAL NOT NULL, side TEXT NOT NULL, n_obs INTEGER NOT NULL, n_fore REAL NOT NULL,
        information_gain REAL, interval_low REAL, interval_high REAL, seed INTEGER,
        computed_us INTEGER NOT NULL
    ) STRICT""",
    "CREATE INDEX latest_by_window ON latest (experiment, start_us, test, model, slot, end_us)",
    # Series of some tests of some models, and all that an overview counts.
    "CREATE INDEX latest_by_test ON latest (experiment, test, model, reference, outcome, computed_us)",
    # Claims are never deleted, or tokens would start again; a block that nobody holds has until_us 0.
    """CREATE TABLE claims (
        block TEXT PRIMARY KEY, owner TEXT NOT NULL, token INTEGER NOT NULL, until_us INTEGER NOT NULL
    ) STRICT""",
    "CREATE INDEX claims_by_owner ON claims (owner)",
    "CREATE INDEX claims_by_end ON claims (until_us)",
    # Blocks that were taken from an owner who has not been told yet.
    """CREATE TABLE losses (
        owner TEXT NOT NULL, block TEXT NOT NULL, lost_us INTEGER NOT NULL, PRIMARY KEY (owner, block)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE units (
        slot TEXT PRIMARY KEY, experiment TEXT NOT NULL, test TEXT NOT NULL, model TEXT NOT NULL,
        reference TEXT, start_us INTEGER NOT NULL, end_us INTEGER NOT NULL,
        state TEXT NOT NULL, attempts INTEGER NOT NULL, error TEXT, owner TEXT NOT NULL, block TEXT NOT NULL,
        token INTEGER NOT NULL, changed_us INTEGER NOT NULL
    ) STRICT""",
    "CREATE INDEX units_by_state ON units (experiment, state)",
    "CREATE INDEX units_by_block ON units (block)",
    """CREATE TABLE blobs (
        sha TEXT PRIMARY KEY, size INTEGER NOT NULL, stored_us INTEGER NOT NULL
    ) STRICT""",
    "CREATE INDEX blobs_by_age ON blobs (stored_us)",
    _KEPT,
)
#: From each version to what makes the next one of it.
_STEPS: Final = {1: (_KEPT,)}


def version_of(db: sqlite3.Connection, name: str) -> int:
    """Give the version of a store's tables; 0 where the database is empty.

    Raises
    ------
    InputError
        Where it is another program's database.
    SchemaVersion
        Where it was made by a newer forequake.
    CorruptRecord
        Where it is a store that does not say its version.
    """
    (application,) = db.execute("PRAGMA application_id").fetchone()
    (objects,) = db.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    if not objects:
        return 0
    if application != _APPLICATION_ID:
        message = f"{name} is a database of another program: name another file, which will be made"
        raise InputError(message)
    row = db.execute("SELECT n FROM meta WHERE id = 'schema'").fetchone()
    if row is None:
        message = f"{name} is damaged: it does not say the version of its tables; go back to a backup"
        raise CorruptRecord(message)
    version = int(row[0])
    if version > SCHEMA:
        message = (
            f"{name} was made by a newer forequake (tables {version}, this one knows {SCHEMA}): "
            "use that version or a later one"
        )
        raise SchemaVersion(message)
    return version


def has_kept(db: sqlite3.Connection) -> bool:
    """Tell whether there is a place for answers: a store of before that is only read has none."""
    found = db.execute("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = 'kept'").fetchone()
    return found is not None


def create(db: sqlite3.Connection, name: str, *, writable: bool, only_read: bool = False) -> None:
    """Make the tables in an empty database, and new ones in an older store, whole or not at all.

    Parameters
    ----------
    writable
        Whether the file may be written.
    only_read
        Whether an older store stays as it is, since nothing else is to be written.

    Raises
    ------
    AccessDenied
        Where the database is empty and may not be written.
    """
    version = version_of(db, name)
    if version == SCHEMA or (version and (only_read or not writable)):
        return
    if not writable:
        message = f"{name} is empty and may not be written by this user: let its owner run something first"
        raise AccessDenied(message)
    db.execute("BEGIN IMMEDIATE")
    try:
        version = version_of(db, name)  # another process may have been first
        if version == 0:
            db.execute(f"PRAGMA application_id={_APPLICATION_ID}")
            for table in _TABLES:
                db.execute(table)
            db.execute("INSERT INTO meta VALUES ('schema', ?)", (SCHEMA,))
        for step in range(version or SCHEMA, SCHEMA):
            for statement in _STEPS[step]:
                db.execute(statement)
            db.execute("UPDATE meta SET n = ? WHERE id = 'schema'", (step + 1,))
        db.execute("COMMIT")
    finally:
        if db.in_transaction:
            db.execute("ROLLBACK")
