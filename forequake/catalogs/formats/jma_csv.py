"""Catalogs of the Japan Meteorological Agency as pyCSEP has them prepared."""

from pathlib import Path
from typing import Final

import numpy as np

from forequake.catalogs.formats._rows import Columns, Table, TableForm, read_table
from forequake.catalogs.source_events import SourceEvents

__all__ = ["read_jma_csv"]

_FORM: Final = TableForm(
    delimiters=";",
    kinds={0: "zoned time", 1: "number", 2: "number", 3: "number", 4: "number"},
    headings=frozenset({"timestamp"}),
    quotes=True,
)


def read_jma_csv(path: Path) -> SourceEvents:
    """Read timestamp;longitude;latitude;depth;magnitude.

    A timestamp carries its zone (2011-03-11T14:46:18.120000+0900) and is converted to UTC. One without a zone
    is refused, as pyCSEP does: the agency counts in its local time, nine hours ahead.

    Raises
    ------
    CatalogError
        With the file and the line.
    """
    return read_table(path, _FORM, _columns)


def _columns(rows: Table) -> Columns:
    rows.require(5, "timestamp;longitude;latitude;depth;magnitude")
    return {
        "time_us": rows.times(0, zone_required=True),
        "longitude": rows.numbers(1, "longitude"),
        "latitude": rows.numbers(2, "latitude"),
        "depth_km": rows.numbers(3, "depth", optional=True),
        "magnitude": rows.numbers(4, "magnitude"),
        "event_id": np.full(len(rows), "", dtype=np.str_),
    }
