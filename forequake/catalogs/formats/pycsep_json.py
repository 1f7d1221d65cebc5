"""pyCSEP's JSON form of a catalog."""

import json
from pathlib import Path
from typing import Any

import numpy as np

from forequake.catalogs.formats._rows import open_text
from forequake.catalogs.formats._values import checked_numbers
from forequake.catalogs.source_events import SourceEvents
from forequake.errors import CatalogError

__all__ = ["read_pycsep_json"]

_EXPECTED = "[id, milliseconds, latitude, longitude, depth, magnitude]"


def read_pycsep_json(path: Path) -> SourceEvents:
    """Read what ``CSEPCatalog.write_json`` and floatCSEP write.

    Its times are whole milliseconds, so it keeps less than the text form of the same catalog.

    Raises
    ------
    CatalogError
        With the file, and the event counted from 1.
    """
    with open_text(path) as file:
        text = file.read()
    rows = _rows(path, text)
    for number, row in enumerate(rows, 1):
        if not isinstance(row, list) or len(row) != 6:
            message = f"{path}: event {number}: expected {_EXPECTED}"
            raise CatalogError(message)

    def place(row: int) -> str:
        return f"{path}: event {row + 1}"

    names, milliseconds, latitudes, longitudes, depths, magnitudes = (
        [row[column] for row in rows] for column in range(6)
    )
    times = np.rint(checked_numbers(milliseconds, "time in milliseconds", place))
    return SourceEvents.in_order(
        time_us=times.astype(np.int64) * 1000,
        longitude=checked_numbers(longitudes, "longitude", place),
        latitude=checked_numbers(latitudes, "latitude", place),
        depth_km=checked_numbers(depths, "depth", place, optional=True),
        magnitude=checked_numbers(magnitudes, "magnitude", place),
        event_id=["" if name is None else str(name) for name in names],
    )


def _rows(path: Path, text: str) -> list[Any]:
    try:
        content = json.loads(text)
    except ValueError as error:
        message = f"{path}: not a catalog in pyCSEP's JSON form ({error})"
        raise CatalogError(message) from error
    if isinstance(content, dict) and isinstance(content.get("catalog"), list):
        return list(content["catalog"])
    what = "the key 'catalog' with a list of events is missing"
    if isinstance(content, dict) and "features" in content:
        what = "this is GeoJSON; ask the service for QuakeML or for text, or name the service itself"
    message = f"{path}: not a catalog in pyCSEP's JSON form ({what})"
    raise CatalogError(message)
