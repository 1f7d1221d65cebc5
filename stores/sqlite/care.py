"""Looking for damage in a store, and mending what can be built again.

Every step reads one page in one transaction and yields after it, so that a check may run beside writers, and
a caller that stops half-way leaves nothing open.
"""

import sqlite3
from collections.abc import Iterator
from typing import Final

from forequake.errors import CorruptRecord, NotFound, SchemaVersion
from forequake.quantities import Sha256
from forequake.results import Record
from stores._codec import KINDS, decode, decode_run
from stores.blobs import CHUNK, BlobFolder
from stores.exchange import Finding
from stores.sqlite.connections import Connections
from stores.sqlite.latest import Latest, label_of, latest_of_bindings, stored_latest, write_latest
from stores.sqlite.tables import encoded_after

__all__ = ["check"]

_PAGE: Final = 200
_TABLES: Final = (("consistency", "comparison"), ("distribution",))
#: SQLite names at most so many faults of a file.
_FAULTS: Final = 20


def check(connections: Connections, blobs: BlobFolder, *, repair: bool) -> Iterator[Finding]:
    """Look for damage, reading everything; see `ResultsStore.check`."""
    faults = list(_file_faults(connections))
    yield from faults
    if faults:
        return  # what a damaged file says of its records is not worth reading
    referenced: dict[Sha256, str] = {}
    with connections.reading() as db:
        others = [
            (kind,) for (kind,) in db.execute("SELECT DISTINCT kind FROM records ORDER BY kind").fetchall()
        ]
    for kinds in (*_TABLES, *others):
        yield from _records(connections, kinds, referenced)
    yield from _runs(connections)
    yield from _blobs(connections, blobs, referenced)
    yield from _bindings(connections)
    yield from _latest(connections, repair=repair)


def _error(code: str, message: str) -> Finding:
    return Finding(code=code, severity="error", message=message)


def _file_faults(connections: Connections) -> Iterator[Finding]:
    try:
        with connections.reading() as db:
            lines = [line for (line,) in db.execute(f"PRAGMA integrity_check({_FAULTS})")]
    except CorruptRecord as error:
        yield _error("damaged_file", str(error))
        return
    for line in lines:
        if line != "ok":
            yield _error("damaged_file", f"{connections.name} is damaged: {line}; go back to a backup")


def _records(
    connections: Connections, kinds: tuple[str, ...], referenced: dict[Sha256, str]
) -> Iterator[Finding]:
    """Read all records of a table, and note which blobs they refer to."""
    after: Sha256 | None = None
    while True:
        with connections.reading() as db:
            page = encoded_after(db, kinds, after, _PAGE)
        for encoded in page:
            try:
                record = decode(encoded, KINDS.get(encoded.kind, Record))
            except SchemaVersion as error:
                yield Finding(code="newer_record", severity="note", message=str(error))
            except CorruptRecord as error:
                yield _error("corrupt_record", str(error))
            else:
                referenced.update((sha, f"the {encoded.kind} record {encoded.key}") for sha in record.blobs)
        if len(page) < _PAGE:
            return
        after = page[-1].key


def _runs(connections: Connections) -> Iterator[Finding]:
    after = ""
    while True:
        with connections.reading() as db:
            page = db.execute(
                "SELECT id, body FROM runs WHERE id > ? ORDER BY id LIMIT ?", (after, _PAGE)
            ).fetchall()
        for key, body in page:
            try:
                decode_run(body)
            except SchemaVersion as error:
                yield Finding(code="newer_record", severity="note", message=f"{key}: {error}")
            except CorruptRecord as error:
                yield _error("corrupt_record", f"{key}: {error}")
        if len(page) < _PAGE:
            return
        after = page[-1][0]


def _blobs(connections: Connections, blobs: BlobFolder, referenced: dict[Sha256, str]) -> Iterator[Finding]:
    with connections.reading() as db:
        rows = dict(db.execute("SELECT sha, size FROM blobs ORDER BY sha").fetchall())
    for sha in sorted(referenced.keys() - rows.keys()):
        yield _error("missing_blob", f"{referenced[sha]} refers to the blob {sha}, which is not there")
    for sha, size in rows.items():
        user = referenced.get(sha)
        fault = _blob_fault(blobs, sha, size)
        if fault is not None:
            whose = user or "no record"
            code = "missing_blob" if fault == _GONE else "corrupt_blob"
            message = f"the blob {sha}, to which {whose} refers, {fault}; put the same bytes again"
            yield Finding(code=code, severity="error" if user else "note", message=message)
        elif user is None:
            message = f"no record refers to the blob {sha}; a sweep removes it when it is old enough"
            yield Finding(code="unreferenced_blob", severity="note", message=message)
    for sha in sorted(set(blobs.files()) - rows.keys()):
        message = f"the file {blobs.path(sha)} belongs to no blob; a sweep removes it when it is old enough"
        yield Finding(code="unreferenced_blob", severity="note", message=message)


_GONE: Final = "has no file"


def _blob_fault(blobs: BlobFolder, sha: Sha256, size: int) -> str | None:
    try:
        count = 0
        with blobs.open(sha) as file:
            while chunk := file.read(CHUNK):
                count += len(chunk)
    except FileNotFoundError:
        return _GONE
    except CorruptRecord as error:
        return f"is damaged ({error})"
    return None if count == size else f"has {count} bytes instead of {size}"


_BINDINGS: Final = """
    SELECT b.slot, b.run_no, b.experiment, b.test, b.model, b.reference, b.start_us, b.end_us, b.key,
        r.key IS NOT NULL, u.id IS NOT NULL
    FROM bindings AS b LEFT JOIN results AS r ON r.key = b.key
        LEFT JOIN runs AS u ON u.experiment = b.experiment AND u.run_no = b.run_no
    WHERE (b.slot, b.run_no) > (?, ?) ORDER BY b.slot, b.run_no LIMIT ?
"""


def _bindings(connections: Connections) -> Iterator[Finding]:
    after: tuple[str, int] = ("", 0)
    while True:
        with connections.reading() as db:
            page = db.execute(_BINDINGS, (*after, _PAGE)).fetchall()
        for slot, run_no, *label, key, has_result, has_run in page:
            shown = f"the binding of slot {slot} by run {run_no}"
            if not has_result:
                yield _error("dangling_binding", f"{shown} names the result {key}, which is not there")
            if not has_run:
                yield _error("dangling_binding", f"{shown} names a run of {label[0]!r} that is not there")
            try:
                place = label_of(*label).slot
            except CorruptRecord as error:
                yield _error("corrupt_record", f"{shown}: {error}")
            else:
                if place != slot:
                    yield _error("corrupt_record", f"{shown} has the label of slot {place}")
        if len(page) < _PAGE:
            return
        after = (page[-1][0], page[-1][1])


_SLOTS: Final = """
    SELECT slot FROM (SELECT DISTINCT slot FROM bindings WHERE slot > ?1 ORDER BY slot LIMIT ?2)
    UNION SELECT slot FROM (SELECT slot FROM latest WHERE slot > ?1 ORDER BY slot LIMIT ?2)
    ORDER BY slot LIMIT ?2
"""


def _latest(connections: Connections, *, repair: bool) -> Iterator[Finding]:
    """Compare the latest rows with what the bindings give."""
    after = ""
    while True:
        with connections.reading() as db:
            slots = [slot for (slot,) in db.execute(_SLOTS, (after, _PAGE))]
            wrong = [slot for slot in slots if not _is_right(db, slot)]
        for slot in wrong:
            repaired = False
            if repair:
                with connections.writing() as db:
                    # Whoever published meanwhile may have put it right.
                    repaired = _is_right(db, slot) or _rebuild(db, slot)
            advice = "built again" if repaired else "a check with repair builds it again"
            message = f"the latest row of slot {slot} is not what its bindings give; {advice}"
            yield Finding(code="wrong_latest", severity="error", message=message, repaired=repaired)
        if len(slots) < _PAGE:
            return
        after = slots[-1]


def _is_right(db: sqlite3.Connection, slot: Sha256) -> bool:
    """Tell whether a latest row is right, or cannot be told wrong since its result is damaged itself."""
    try:
        expected = latest_of_bindings(db, slot)
    except (NotFound, CorruptRecord, SchemaVersion):
        return True  # each a finding of its own
    try:
        stored = stored_latest(db, slot)
    except CorruptRecord:
        return False
    if expected is None or stored is None:
        return expected is stored
    # The row may be vouched for by a later run than the one that bound its value.
    vouched = stored.row.model_copy(update={"run_no": expected.row.run_no})
    return stored.row.run_no >= stored.bound_run and Latest(vouched, stored.bound_run) == expected


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
