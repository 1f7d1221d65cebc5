"""The latest row of each slot in its table."""

import sqlite3
from typing import Final

from forequake.errors import NotFound
from forequake.quantities import Sha256
from forequake.results import Label
from stores._codec import Encoded, from_us
from stores._latest import Latest, label_fields, label_of, latest_fields, latest_of
from stores._rows import result_row

__all__ = [
    "LATEST",
    "label_columns",
    "latest_of_bindings",
    "read_latest",
    "stored_latest",
    "write_latest",
]

#: The columns of `latest` in the order of its values; the first is the slot.
LATEST: Final = (
    "slot, experiment, test, model, reference, start_us, end_us, key, run_no, bound_run, bound_us, kind, "
    "evaluation, statistic, quantiles, outcome, reason, alpha, side, n_obs, n_fore, information_gain, "
    "interval_low, interval_high, seed, computed_us"
)
_COLUMNS: Final = tuple(LATEST.split(", "))

# A slow older run cannot win: the stored row gives way only to a run that is not older.
_UPSERT: Final = (
    f"INSERT INTO latest ({LATEST}) VALUES ({', '.join('?' * len(_COLUMNS))}) "  # noqa: S608 - our own names
    f"ON CONFLICT(slot) DO UPDATE SET {', '.join(f'{name} = excluded.{name}' for name in _COLUMNS[1:])} "
    "WHERE excluded.run_no >= run_no"
)
_LAST_BINDING: Final = """
    SELECT b.experiment, b.test, b.model, b.reference, b.start_us, b.end_us, b.run_no, b.bound_us,
        r.kind, r.key, r.v, r.canon, r.body
    FROM bindings AS b JOIN results AS r ON r.key = b.key
    WHERE b.slot = ?1 AND b.run_no = (SELECT max(run_no) FROM bindings WHERE slot = ?1)
"""


def write_latest(db: sqlite3.Connection, slot: Sha256, latest: Latest) -> None:
    """Write a slot's latest row unless a later run wrote the one that stands."""
    fields = latest_fields(latest)
    db.execute(_UPSERT, (slot, *(fields[name] for name in _COLUMNS[1:])))


def read_latest(values: tuple[object, ...]) -> Latest:
    """Read a row of `latest`, its columns in the order of `LATEST`.

    Raises
    ------
    CorruptRecord
        Where the values are not those of a row.
    """
    return latest_of(values[0], dict(zip(_COLUMNS[1:], values[1:], strict=True)))


def stored_latest(db: sqlite3.Connection, slot: Sha256) -> Latest | None:
    """Read the latest row of a slot, or None where it has none; see `read_latest` for errors."""
    row = db.execute(f"SELECT {LATEST} FROM latest WHERE slot = ?", (slot,)).fetchone()  # noqa: S608
    return None if row is None else read_latest(row)


def latest_of_bindings(db: sqlite3.Connection, slot: Sha256) -> Latest | None:
    """Give the latest row that the bindings of a slot give, or None where it has none.

    Raises
    ------
    NotFound
        Where the last binding's result is not there.
    """
    found = db.execute(_LAST_BINDING, (slot,)).fetchone()
    if found is None:
        if db.execute("SELECT 1 FROM bindings WHERE slot = ?", (slot,)).fetchone() is None:
            return None
        message = f"the last result of slot {slot} is not there"
        raise NotFound(message)
    *label, run_no, bound_us, kind, key, version, canon, body = found
    encoded = Encoded(kind, key, version, canon, body, None)
    row = result_row(label_of(*label), encoded, run_no=run_no, bound_at=from_us(bound_us))
    return Latest(row, run_no)


def label_columns(label: Label, slot: Sha256) -> tuple[str | int | None, ...]:
    """Give the slot and the label as the first seven columns of every table of places."""
    return (slot, *label_fields(label).values())
