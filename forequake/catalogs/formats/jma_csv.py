"""Catalogs of the Japan Meteorological Agency as pyCSEP has them prepared."""

from pathlib import Path

import numpy as np

from forequake.catalogs.formats._rows import Columns, Rows, csv_rows, gather
from forequake.catalogs.formats._times import iso_times
from forequake.catalogs.source_events import SourceEvents

__all__ = ["read_jma_csv"]


def read_jma_csv(path: Path) -> SourceEvents:
    """Read timestamp;longitude;latitude;depth;magnitude.

    A timestamp carries its zone (2011-03-11T14:46:18.120000+0900) and is converted to UTC. One without a zone
    is refused, as pyCSEP does: the agency counts in its local time, nine hours ahead.

    Raises
    ------
    CatalogError
        With the file and the line.
    """
    return gather(_columns(rows) for rows in csv_rows(path, ";", _is_heading))


def _is_heading(row: list[str]) -> bool:
    return row[0].strip().lower() == "timestamp"


def _columns(rows: Rows) -> Columns:
    rows.require(5, "timestamp;longitude;latitude;depth;magnitude")
    return {
        "time_us": iso_times(rows.column(0), rows.place, zone_required=True),
        "longitude": rows.numbers(1, "longitude"),
        "latitude": rows.numbers(2, "latitude"),
        "depth_km": rows.numbers(3, "depth", optional=True),
        "magnitude": rows.numbers(4, "magnitude"),
        "event_id": np.full(len(rows), "", dtype=np.str_),
    }
