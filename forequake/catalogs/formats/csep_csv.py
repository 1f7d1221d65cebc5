"""pyCSEP's text form of a catalog."""

from pathlib import Path
from typing import Final

from forequake.catalogs.formats._rows import Columns, Table, TableForm, read_table
from forequake.catalogs.source_events import SourceEvents

__all__ = ["read_csep_csv"]

_FORM: Final = TableForm(
    delimiters=",",
    kinds={0: "number", 1: "number", 2: "number", 3: "time", 4: "number", 6: "text"},
    headings=frozenset({"lon", "longitude"}),
    quotes=True,
)


def read_csep_csv(path: Path) -> SourceEvents:
    """Read what ``CSEPCatalog.write_ascii`` writes.

    Columns: longitude, latitude, magnitude, time (ISO 8601, UTC), depth in kilometres, catalog id, event id.
    A heading is optional. A missing depth is NaN; an event without an id has none, where pyCSEP gives it the
    number of its row.

    Raises
    ------
    CatalogError
        With the file and the line.
    """
    return read_table(path, _FORM, _columns)


def _columns(rows: Table) -> Columns:
    rows.require(5, "lon, lat, magnitude, time, depth, catalog_id, event_id")
    return {
        "longitude": rows.numbers(0, "longitude"),
        "latitude": rows.numbers(1, "latitude"),
        "magnitude": rows.numbers(2, "magnitude"),
        "time_us": rows.times(3),
        "depth_km": rows.numbers(4, "depth", optional=True),
        "event_id": rows.ids(6),
    }
