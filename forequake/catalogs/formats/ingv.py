"""Two catalogs of INGV: HORUS, and the European-Mediterranean RCMT catalog."""

from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.catalogs.formats._rows import (
    Columns,
    Rows,
    Table,
    TableForm,
    gather,
    read_table,
    text_rows,
)
from forequake.catalogs.formats._times import calendar_times, iso_time
from forequake.catalogs.source_events import SourceEvents

__all__ = ["read_ingv_emrcmt", "read_ingv_horus"]

_HORUS: Final = "Year Mo Da Ho Mi Se Lat Lon Depth Mw"
#: Column of HORUS, where the file has it, that marks what is no earthquake with an x.
_HORUS_TYPE: Final = 13
_HORUS_FORM: Final = TableForm(
    delimiters="\t ",
    kinds={**dict.fromkeys(range(10), "number"), _HORUS_TYPE: "text"},
    headings=frozenset({"year"}),
    quotes=False,
)
_RCMT_FORM: Final = TableForm(delimiters=",", kinds={}, headings=frozenset({"ev_id"}), quotes=True)
_RCMT_MAGNITUDE: Final = 61
#: Magnitudes beyond these are typing errors; the catalog writes -9.9 where it has none.
_RCMT_LIMITS: Final = (0.0, 10.0)
_NO_MAGNITUDE: Final = "whose Mw is not between 0 and 10"
_REPEATED: Final = "with the id of an earlier one"


def read_ingv_horus(path: Path) -> SourceEvents:
    """Read HORUS: year, month, day, hour, minute, second, latitude, longitude, depth and Mw, after a heading.

    Minutes and seconds from 60 on run over, as HORUS writes them. Where the file has a column ``Ev. type``,
    events marked x are no earthquakes, so that the default rules leave them out; pyCSEP keeps them. Seconds
    keep their fraction and coordinates their digits, where pyCSEP cuts the one off and rounds the others to
    single precision. HORUS has no event ids (pyCSEP puts the time there).

    Raises
    ------
    CatalogError
        With the file and the line.
    """
    return read_table(path, _HORUS_FORM, _horus_columns, magnitude_type="Mw")


def _horus_columns(rows: Table) -> Columns:
    rows.require(10, _HORUS)
    second = rows.numbers(5, "second", limits=(0, 120))
    times = calendar_times(
        rows.numbers(0, "year"),
        rows.numbers(1, "month"),
        rows.numbers(2, "day"),
        rows.numbers(3, "hour"),
        rows.numbers(4, "minute"),
        second,
        rows.place,
    )
    return {
        "time_us": times,
        "latitude": rows.numbers(6, "latitude"),
        "longitude": rows.numbers(7, "longitude"),
        "depth_km": rows.numbers(8, "depth", optional=True),
        "magnitude": rows.numbers(9, "magnitude"),
        "event_id": np.full(len(rows), "", dtype=np.str_),
        "event_type": _horus_types(rows),
    }


def _horus_types(rows: Table) -> NDArray[np.str_]:
    marks = [mark.lower() for mark in rows.texts(_HORUS_TYPE)]
    return np.where(np.array(marks) == "x", "not an earthquake", "earthquake")


def read_ingv_emrcmt(path: Path) -> SourceEvents:
    """Read the table of 64 columns: id, date, time, tenths, latitude, longitude, depth, and Mw as the 62nd.

    These are hypocentres, not centroids. As pyCSEP does, blanks in times are zeros (``12: 5: 7``), a missing
    second is 0, events whose Mw is not between 0 and 10 are passed over, and so are repeated ids, the first
    of which stays; the notes tell of both. Unlike pyCSEP, tenths of seconds and ids are kept, and of several
    repetitions each is taken out (pyCSEP takes out neighbours from the second one on).

    Raises
    ------
    CatalogError
        With the file and the line, also for a date that does not exist.
    """
    seen: set[str] = set()
    passed = {_NO_MAGNITUDE: 0, _REPEATED: 0}
    source = gather(
        [_rcmt_columns(rows, seen, passed) for rows in text_rows(path, _RCMT_FORM)],
        event_type="earthquake",
        magnitude_type="Mw",
    )
    notes = [
        f"{path.name}: {count} {'event' if count == 1 else 'events'} passed over, {reason}"
        for reason, count in passed.items()
        if count
    ]
    return SourceEvents(source.events, source.event_type, source.magnitude_type, tuple(notes))


def _rcmt_columns(rows: Rows, seen: set[str], passed: dict[str, int]) -> Columns:
    rows.require(_RCMT_MAGNITUDE + 1, "the columns of the European-Mediterranean RCMT catalog, Mw the 62nd")
    magnitude = rows.numbers(_RCMT_MAGNITUDE, "magnitude", limits=(-1e6, 1e6))
    least, greatest = _RCMT_LIMITS
    kept = []
    for row, name in enumerate(rows.ids(0)):
        if not least < magnitude[row] < greatest:
            passed[_NO_MAGNITUDE] += 1
        elif name and name in seen:
            passed[_REPEATED] += 1
        else:
            seen.add(str(name))
            kept.append(row)
    chosen = Rows(rows.path, [rows.lines[row] for row in kept], [rows.cells[row] for row in kept])
    return {
        "event_id": chosen.ids(0),
        "time_us": np.array([_rcmt_time(chosen, row) for row in range(len(kept))], dtype=np.int64),
        "latitude": chosen.numbers(4, "latitude"),
        "longitude": chosen.numbers(5, "longitude"),
        "depth_km": chosen.numbers(6, "depth", optional=True),
        "magnitude": magnitude[kept],
    }


def _rcmt_time(rows: Rows, row: int) -> int:
    date, time, tenths = (rows.cells[row][column] for column in (1, 2, 3))
    clock = time.replace(" ", "0")
    if clock.endswith(":"):
        clock += "00"
    text = f"{date.strip().replace('/', '-')}T{clock}.{tenths.replace(' ', '') or '0'}"
    return iso_time(rows.place(row), text)
