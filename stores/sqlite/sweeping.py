"""Putting blobs in, and removing those that no record refers to."""

import sqlite3
from contextlib import suppress
from typing import BinaryIO

from forequake.errors import NotFound
from forequake.quantities import Sha256, now
from forequake.results import BlobRef, Record
from stores._codec import KINDS, Encoded, decode, to_us
from stores.blobs import CHUNK, BlobFolder
from stores.exchange import SweepReport
from stores.sqlite.connections import Connections
from stores.sqlite.faults import told

__all__ = ["open_blob", "put_blob", "sweep"]

_PAGE = 500


def put_blob(connections: Connections, blobs: BlobFolder, source: BinaryIO) -> BlobRef:
    """Keep a stream under its hash; see `ResultsStore.put_blob`.

    The file gets its name inside the transaction that writes the row, so that no sweep can come between.
    A file that stands there already is replaced by the equal one: this mends a damaged blob.
    """
    with told(connections.name, connections.path):
        incoming = blobs.receive()
    try:
        while chunk := source.read(CHUNK):  # an error of the source is not the store's
            with told(connections.name, connections.path):
                incoming.write(chunk)
        with told(connections.name, connections.path):
            ref = incoming.finish()
        with connections.writing() as db:
            blobs.keep(ref.sha256, incoming.path)
            db.execute(
                "INSERT INTO blobs (sha, size, stored_us) VALUES (?, ?, ?) "
                "ON CONFLICT (sha) DO UPDATE SET size = excluded.size, stored_us = excluded.stored_us",
                (ref.sha256, ref.size, to_us(now())),
            )
    finally:
        incoming.discard()
    return ref


def open_blob(connections: Connections, blobs: BlobFolder, sha: Sha256) -> BinaryIO:
    """Open a blob; see `ResultsStore.open_blob`."""
    with connections.reading() as db:
        known = db.execute("SELECT 1 FROM blobs WHERE sha = ?", (sha,)).fetchone()
    if known is not None:
        with told(connections.name, connections.path), suppress(FileNotFoundError):
            return blobs.open(sha)
    message = f"{connections.name} has no blob {sha}"
    raise NotFound(message)


def sweep(connections: Connections, blobs: BlobFolder, before_us: int, *, dry_run: bool) -> SweepReport:
    """Remove old blobs that no record refers to, and leftovers of writers that died.

    Raises
    ------
    CorruptRecord, SchemaVersion
        Where a record cannot be read, and so may refer to any blob; nothing is removed then.
    """
    used: set[Sha256] = set()
    last = 0
    while True:  # most of the reading is done before anybody has to wait
        with connections.reading() as db:
            seen = _note_references(db, used, last)
        if seen == last:
            break
        last = seen
    if dry_run:
        with connections.reading() as db:
            removed = _unreferenced(db, used, before_us)
            freed = sum(blobs.stored_size(sha) for sha in removed)
            freed += _remove_strays(db, blobs, before_us, dry_run=True)
    else:
        with connections.writing() as db:
            while (seen := _note_references(db, used, last)) != last:
                last = seen
            removed = _unreferenced(db, used, before_us)
            freed = 0
            for sha in removed:
                freed += blobs.stored_size(sha)
                db.execute("DELETE FROM blobs WHERE sha = ?", (sha,))
                blobs.remove(sha)
            db.execute("DELETE FROM losses WHERE lost_us < ?", (before_us,))
            freed += _remove_strays(db, blobs, before_us, dry_run=False)
    freed += _remove_leftovers(connections, blobs, before_us, dry_run=dry_run)
    return SweepReport(removed=tuple(removed), bytes_freed=freed, dry_run=dry_run)


def _note_references(db: sqlite3.Connection, used: set[Sha256], after: int) -> int:
    """Add the blobs of the next records, in the order of writing; give the last row that was read."""
    for row, *columns in db.execute(
        "SELECT rowid, kind, key, v, canon, body, NULL FROM records WHERE rowid > ? ORDER BY rowid LIMIT ?",
        (after, _PAGE),
    ):
        encoded = Encoded(*columns)
        used.update(decode(encoded, KINDS.get(encoded.kind, Record)).blobs)
        after = row
    return after


def _unreferenced(db: sqlite3.Connection, used: set[Sha256], before_us: int) -> list[Sha256]:
    rows = db.execute("SELECT sha FROM blobs WHERE stored_us < ? ORDER BY sha", (before_us,))
    return [sha for (sha,) in rows if sha not in used]


def _remove_strays(db: sqlite3.Connection, blobs: BlobFolder, before_us: int, *, dry_run: bool) -> int:
    """Remove files without a row, which a writer left that died before it wrote one."""
    rows = {sha for (sha,) in db.execute("SELECT sha FROM blobs")}
    freed = 0
    for sha in set(blobs.files()) - rows:
        status = blobs.path(sha).stat()
        if status.st_mtime_ns // 1000 < before_us:
            if not dry_run:
                blobs.remove(sha)
            freed += status.st_size
    return freed


def _remove_leftovers(connections: Connections, blobs: BlobFolder, before_us: int, *, dry_run: bool) -> int:
    freed = 0
    with told(connections.name, connections.path):
        for path in blobs.leftovers(before_us / 1e6):
            freed += path.stat().st_size
            if not dry_run:
                path.unlink(missing_ok=True)
    return freed
