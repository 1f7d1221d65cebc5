"""ZMAP's table, which CSEP1 used for catalogs."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.catalogs.formats._rows import Columns, Table, TableForm, read_table
from forequake.catalogs.formats._times import calendar_times
from forequake.catalogs.source_events import SourceEvents
from forequake.errors import CatalogError

__all__ = ["read_zmap"]

_FORM: Final = TableForm(
    delimiters=", ",
    kinds=dict.fromkeys(range(10), "number"),
    headings=frozenset({"lon", "longitude"}),
    quotes=False,
)
_COLUMNS = "longitude latitude year month day magnitude depth hour minute second"


def read_zmap(path: Path) -> SourceEvents:
    """Read longitude, latitude, year, month, day, magnitude, depth, hour, minute and second.

    Columns stand apart by blanks, tabs or commas; further ones (errors, network) are passed over, and so are
    lines that begin with # or %. Times are in UTC. pyCSEP 0.8 reads no such file: its reader ends with an
    IndexError at the first event.

    The year may be whole or decimal; month to second give the rest either way. A decimal year is only asked
    for its year, and with tolerance, since 2010-12-31T23:59:59 is often rounded to 2011.0000; four decimals
    are worth an hour. Seconds may have a fraction; CSEP1's own files have none.

    Raises
    ------
    CatalogError
        With the file and the line, also where a decimal year is of another time of the year than its month
        and day.
    """
    return read_table(path, _FORM, _columns)


def _columns(rows: Table) -> Columns:
    rows.require(10, _COLUMNS)
    month, day = rows.numbers(3, "month"), rows.numbers(4, "day")
    hour, minute = rows.numbers(7, "hour"), rows.numbers(8, "minute")
    second = rows.numbers(9, "second")
    year = rows.numbers(2, "year")
    if (year != np.floor(year)).any():
        year = _whole_years(year, month, day, hour, rows.place)
    return {
        "longitude": rows.numbers(0, "longitude"),
        "latitude": rows.numbers(1, "latitude"),
        "time_us": calendar_times(year, month, day, hour, minute, second, rows.place),
        "magnitude": rows.numbers(5, "magnitude"),
        "depth_km": rows.numbers(6, "depth", optional=True),
        "event_id": np.full(len(rows), "", dtype=np.str_),
    }


def _whole_years(
    decimal: NDArray[np.float64],
    month: NDArray[np.float64],
    day: NDArray[np.float64],
    hour: NDArray[np.float64],
    place: Callable[[int], str],
) -> NDArray[np.float64]:
    """Take the year from a decimal one: that in which month and day are nearest to it."""
    passed = ((month - 1) * 30.44 + (day - 1) + hour / 24) / 365.25
    year: NDArray[np.float64] = np.rint(decimal - passed)
    # A month's start is within two days of the mean one.
    if (bad := np.abs(decimal - passed - year) > 4 / 365).any():
        row = int(bad.argmax())
        message = (
            f"{place(row)}: the decimal year {decimal[row]:.6f} is not in month {month[row]:.0f}, "
            f"day {day[row]:.0f}; expected {_COLUMNS}"
        )
        raise CatalogError(message)
    return year
