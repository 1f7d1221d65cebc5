"""UCERF3-ETAS's binary form of one catalog."""

from pathlib import Path
from typing import Final

import numpy as np

from forequake.catalogs.formats._values import checked_numbers
from forequake.catalogs.source_events import SourceEvents
from forequake.errors import CatalogError

__all__ = ["is_ucerf3", "read_ucerf3"]

_EVENT: Final = [
    ("rupture_id", ">i4"),
    ("parent_id", ">i4"),
    ("generation", ">i2"),
    ("origin_time", ">i8"),
    ("latitude", ">f8"),
    ("longitude", ">f8"),
    ("depth", ">f8"),
    ("magnitude", ">f8"),
    ("distance_to_parent", ">f8"),
    ("erf_index", ">i4"),
    ("fss_index", ">i4"),
    ("grid_node_index", ">i4"),
]
#: Bytes before the number of events, by the file's version: the version, and from 3 on the simulation's data.
_BEFORE_COUNT: Final = {1: 2, 2: 2, 3: 74, 4: 74}


def is_ucerf3(path: Path) -> bool:
    """Tell whether a file has exactly the length that its first bytes say as a catalog of this form."""
    with path.open("rb") as file:
        head = file.read(82)
    layout = _layout(head)
    return layout is not None and layout[0] + layout[1] * layout[2].itemsize == path.stat().st_size


def read_ucerf3(path: Path) -> SourceEvents:
    """Read one catalog as UCERF3-ETAS writes it; the ids are the numbers of the ruptures.

    Its bytes are those of one catalog in the merged form, which pyCSEP reads right. pyCSEP 0.8's reader of a
    single one takes the header and the events from the file's first byte on, so that it gives other events.

    Raises
    ------
    CatalogError
        Where the file is no such catalog. A file with many is a forecast, not an observed catalog.
    """
    try:
        fits = is_ucerf3(path)
        data = path.read_bytes()
    except OSError as error:
        message = f"{path}: the catalog cannot be read ({error.strerror})"
        raise CatalogError(message) from error
    layout = _layout(data)
    if layout is None or not fits:
        message = (
            f"{path}: not one catalog in UCERF3-ETAS's binary form; its length does not fit to its first "
            "bytes (a file with many synthetic catalogs is a catalog-based forecast)"
        )
        raise CatalogError(message)
    start, count, dtype = layout
    events = np.frombuffer(data, dtype=dtype, count=count, offset=start)

    def place(row: int) -> str:
        return f"{path}: event {row + 1}"

    return SourceEvents.in_order(
        time_us=checked_numbers(events["origin_time"].tolist(), "time in milliseconds", place).astype(
            np.int64
        )
        * 1000,
        longitude=checked_numbers(events["longitude"].tolist(), "longitude", place),
        latitude=checked_numbers(events["latitude"].tolist(), "latitude", place),
        depth_km=checked_numbers(events["depth"].tolist(), "depth", place, optional=True),
        magnitude=checked_numbers(events["magnitude"].tolist(), "magnitude", place),
        event_id=events["rupture_id"].astype(np.str_),
        event_type="earthquake",
        magnitude_type="Mw",
    )


def _layout(head: bytes) -> tuple[int, int, np.dtype[np.void]] | None:
    """Give where the events start, how many there are and their form; None where this is no such file."""
    version = int.from_bytes(head[:2], "big")
    before = _BEFORE_COUNT.get(version)
    if before is None or len(head) < before + 4:
        return None
    count = int.from_bytes(head[before : before + 4], "big", signed=True)
    if count < 0:
        return None
    return before + 4, count, np.dtype(_EVENT if version == 1 else [*_EVENT, ("etas_k", ">f8")])
