"""pyCSEP's text form of a catalog."""

from pathlib import Path

from forequake.catalogs.formats._rows import Columns, Rows, csv_rows, gather
from forequake.catalogs.formats._times import iso_times
from forequake.catalogs.source_events import SourceEvents

__all__ = ["read_csep_csv"]


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
    return gather(_columns(rows) for rows in csv_rows(path, ",", _is_heading))


def _is_heading(row: list[str]) -> bool:
    return row[0].strip().lower() in {"lon", "longitude"}


def _columns(rows: Rows) -> Columns:
    rows.require(5, "lon, lat, magnitude, time, depth, catalog_id, event_id")
    return {
        "longitude": rows.numbers(0, "longitude"),
        "latitude": rows.numbers(1, "latitude"),
        "magnitude": rows.numbers(2, "magnitude"),
        "time_us": iso_times(rows.column(3), rows.place),
        "depth_km": rows.numbers(4, "depth", optional=True),
        "event_id": rows.ids(6),
    }
