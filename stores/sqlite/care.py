"""What a check of an SQLite store reads, and how latest rows are built again.

Every step reads one page in one transaction.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from typing import BinaryIO, Final

from forequake.errors import CorruptRecord, NotFound, SchemaVersion
from forequake.quantities import Sha256
from stores._checking import BoundRow, Holdings, error_found, is_right
from stores._codec import RESULT_KINDS, Encoded
from stores._latest import Latest
from stores.blobs import BlobFolder
from stores.exchange import Finding
from stores.sqlite.connections import Connections
from stores.sqlite.latest import latest_of_bindings, stored_latest, write_latest
from stores.sqlite.sweeping import open_blob
from stores.sqlite.tables import encoded_after

__all__ = ["SqliteHoldings"]

_RESULTS: Final = (RESULT_KINDS, ("distribution",))
#: SQLite names at most so many faults of a file.
_FAULTS: Final = 20

_BINDINGS: Final = """
    SELECT b.slot, b.run_no, b.experiment, b.test, b.model, b.reference, b.start_us, b.end_us, b.key,
        r.key IS NOT NULL, u.id IS NOT NULL
    FROM bindings AS b LEFT JOIN results AS r ON r.key = b.key
        LEFT JOIN runs AS u ON u.experiment = b.experiment AND u.run_no = b.run_no
    WHERE (b.slot, b.run_no) > (?, ?) ORDER BY b.slot, b.run_no LIMIT ?
"""
_SLOTS: Final = """
    SELECT slot FROM (SELECT DISTINCT slot FROM bindings WHERE slot > ?1 ORDER BY slot LIMIT ?2)
    UNION SELECT slot FROM (SELECT slot FROM latest WHERE slot > ?1 ORDER BY slot LIMIT ?2)
    ORDER BY slot LIMIT ?2
"""


class SqliteHoldings(Holdings):
    """What a check reads."""

    def __init__(self, connections: Connections, blobs: BlobFolder) -> None:
        self._connections = connections
        self._blobs = blobs

    def faults(self) -> Iterator[Finding]:
        """Let SQLite look at its file."""
        name = self._connections.name
        try:
            with self._connections.reading() as db:
                lines = [line for (line,) in db.execute(f"PRAGMA integrity_check({_FAULTS})")]
        except CorruptRecord as error:
            yield error_found("damaged_file", str(error))
            return
        for line in lines:
            if line != "ok":
                yield error_found("damaged_file", f"{name} is damaged: {line}; go back to a backup")

    def kinds(self) -> list[tuple[str, ...]]:
        """Give the kinds, those of the results together."""
        with self._connections.reading() as db:
            others = db.execute("SELECT DISTINCT kind FROM records ORDER BY kind").fetchall()
        return [*_RESULTS, *((kind,) for (kind,) in others)]

    def records(self, kinds: Sequence[str], after: Sha256 | None, limit: int) -> list[Encoded]:
        """Read records in their stored form."""
        with self._connections.reading() as db:
            return encoded_after(db, kinds, after, limit)

    def runs(self, after: str, limit: int) -> list[tuple[str, str]]:
        """Read ids and bodies of runs."""
        with self._connections.reading() as db:
            return db.execute(
                "SELECT id, body FROM runs WHERE id > ? ORDER BY id LIMIT ?", (after, limit)
            ).fetchall()

    def blob_sizes(self) -> dict[Sha256, int]:
        """Give the sizes of blobs."""
        with self._connections.reading() as db:
            return dict(db.execute("SELECT sha, size FROM blobs ORDER BY sha").fetchall())

    def open_blob(self, sha: Sha256) -> BinaryIO:
        """Open a blob."""
        return open_blob(self._connections, self._blobs, sha)

    def strays(self) -> Iterator[str]:
        """Name files that have no row."""
        rows = self.blob_sizes().keys()
        return (f"the file {self._blobs.path(sha)}" for sha in sorted(set(self._blobs.files()) - rows))

    def bindings(self, after: tuple[Sha256, int], limit: int) -> list[BoundRow]:
        """Read bindings, and whether what they name is there."""
        with self._connections.reading() as db:
            page = db.execute(_BINDINGS, (*after, limit)).fetchall()
        return [
            BoundRow(slot, run_no, label, key, bool(has_result), bool(has_run))
            for slot, run_no, *label, key, has_result, has_run in page
        ]

    def places(self, after: Sha256, limit: int) -> list[tuple[Sha256, bool]]:
        """Compare latest rows with their bindings."""
        with self._connections.reading() as db:
            slots = [slot for (slot,) in db.execute(_SLOTS, (after, limit))]
            return [(slot, _stands_right(db, slot)) for slot in slots]

    def rebuild(self, slot: Sha256) -> bool:
        """Write the row that the bindings give, unless whoever published meanwhile has put it right."""
        with self._connections.writing() as db:
            return _stands_right(db, slot) or _rebuild(db, slot)


def _stands_right(db: sqlite3.Connection, slot: Sha256) -> bool:
    """Tell whether a latest row is right, or cannot be told wrong since its result is damaged itself."""
    try:
        expected = latest_of_bindings(db, slot)
    except (NotFound, CorruptRecord, SchemaVersion):
        return True  # each a finding of its own
    try:
        return is_right(expected, stored_latest(db, slot))
    except CorruptRecord:
        return False


def _rebuild(db: sqlite3.Connection, slot: Sha256) -> bool:
    expected = latest_of_bindings(db, slot)
    try:
        stored = stored_latest(db, slot)
    except CorruptRecord:
        stored = None
    db.execute("DELETE FROM latest WHERE slot = ?", (slot,))
    experiment = None
    if expected is not None:
        experiment = expected.row.label.experiment
        if stored is not None and stored.row.run_no > expected.row.run_no:
            known = db.execute(
                "SELECT 1 FROM runs WHERE experiment = ? AND run_no = ?", (experiment, stored.row.run_no)
            ).fetchone()
            if known is not None:  # the run that vouched last is kept, since no binding tells it
                vouched = expected.row.model_copy(update={"run_no": stored.row.run_no})
                expected = Latest(vouched, expected.bound_run)
        write_latest(db, slot, expected)
    elif stored is not None:
        experiment = stored.row.label.experiment
    db.execute("UPDATE experiments SET token = token + 1 WHERE ?1 IS NULL OR name = ?1", (experiment,))
    return True
