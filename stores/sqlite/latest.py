"""The latest row of each slot: a result in its place, as columns."""

import sqlite3
from datetime import datetime
from typing import Final, NamedTuple

from pydantic import TypeAdapter, ValidationError

from forequake.errors import CorruptRecord, NotFound
from forequake.quantities import Sha256
from forequake.results import Label, Quantiles
from forequake.windows import TimeWindow
from stores._codec import Encoded, from_us, to_us
from stores._rows import result_row
from stores.exchange import ResultRow

__all__ = [
    "LATEST",
    "Latest",
    "label_columns",
    "label_of",
    "latest_of_bindings",
    "read_latest",
    "stored_latest",
    "write_latest",
]

#: The columns of `latest` in the order of its values; the first seven are the slot and its label.
LATEST: Final = (
    "slot, experiment, test, model, reference, start_us, end_us, key, run_no, bound_run, bound_us, kind, "
    "evaluation, statistic, quantiles, outcome, reason, alpha, side, n_obs, n_fore, information_gain, "
    "interval_low, interval_high, seed, computed_us"
)
_COLUMNS: Final = tuple(LATEST.split(", "))
_QUANTILES: Final = TypeAdapter[Quantiles](Quantiles)

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


class Latest(NamedTuple):
    """A latest row, and which run bound its value."""

    row: ResultRow
    bound_run: int


def write_latest(db: sqlite3.Connection, slot: Sha256, latest: Latest) -> None:
    """Write a slot's latest row unless a later run wrote the one that stands."""
    row = latest.row
    low, high = (None, None) if row.interval is None else row.interval
    db.execute(
        _UPSERT,
        (
            *label_columns(row.label, slot),
            row.key,
            row.run_no,
            latest.bound_run,
            to_us(row.bound_at),
            row.kind,
            row.test,
            row.statistic,
            None if row.quantiles is None else row.quantiles.model_dump_json(),
            row.outcome.value,
            row.reason,
            row.alpha,
            row.side.value,
            row.n_observed,
            row.n_forecast,
            row.information_gain,
            low,
            high,
            row.seed,
            to_us(row.computed_at),
        ),
    )


def read_latest(values: tuple[object, ...]) -> Latest:
    """Read a row of `latest`, its columns in the order of `LATEST`.

    Raises
    ------
    CorruptRecord
        Where the values are not those of a row.
    """
    slot, *label = values[:7]
    fields = dict(zip(_COLUMNS[7:], values[7:], strict=True))
    bound_run = _whole(fields.pop("bound_run"))
    quantiles, low, high = (fields.pop(name) for name in ("quantiles", "interval_low", "interval_high"))
    try:
        row = ResultRow.model_validate(
            {
                "label": label_of(*label),
                "bound_at": _time(fields.pop("bound_us")),
                "test": fields.pop("evaluation"),
                "quantiles": None if quantiles is None else _QUANTILES.validate_json(str(quantiles)),
                "n_observed": fields.pop("n_obs"),
                "n_forecast": fields.pop("n_fore"),
                "interval": None if low is None or high is None else (low, high),
                "computed_at": _time(fields.pop("computed_us")),
                **fields,
            }
        )
    except ValidationError as error:
        message = f"the latest row of the slot {slot} cannot be read; check the store with repair"
        raise CorruptRecord(message) from error
    return Latest(row, bound_run)


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


def label_of(
    experiment: object, test: object, model: object, reference: object, start_us: object, end_us: object
) -> Label:
    """Read a label from its columns.

    Raises
    ------
    CorruptRecord
        Where the columns do not hold one.
    """
    try:
        return Label.model_validate(
            {
                "experiment": experiment,
                "test": test,
                "model": model,
                "reference": reference,
                "window": TimeWindow(start=_time(start_us), end=_time(end_us)),
            }
        )
    except ValidationError as error:
        message = (
            f"the label of {test!r}, {model!r} in {experiment!r} cannot be read: {error.error_count()} faults"
        )
        raise CorruptRecord(message) from error


def label_columns(label: Label, slot: Sha256) -> tuple[str | int | None, ...]:
    """Give the slot and the label as the first seven columns of every table of places."""
    window = label.window
    return (
        slot,
        label.experiment,
        label.test,
        label.model,
        label.reference,
        to_us(window.start),
        to_us(window.end),
    )


def _time(microseconds: object) -> datetime:
    try:
        return from_us(_whole(microseconds))
    except OverflowError as error:
        message = f"{microseconds} microseconds are no time of this calendar"
        raise CorruptRecord(message) from error


def _whole(value: object) -> int:
    if not isinstance(value, int):
        message = f"{value!r} stands where a whole number should"
        raise CorruptRecord(message)
    return value
