"""UCERF3-ETAS's merged binary catalogs: big-endian, a header and a block of events for each catalog."""

import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from forequake.errors import ForecastError
from forequake.forecasts.catalog_based.text import Rows, opened

__all__ = ["ucerf3_rows"]

_EVENT: Final = [
    ("rupture_id", ">i4"),
    ("parent_id", ">i4"),
    ("generation", ">i2"),
    ("origin_time", ">i8"),  # milliseconds since 1970
    ("latitude", ">f8"),
    ("longitude", ">f8"),
    ("depth", ">f8"),
    ("magnitude", ">f8"),
    ("dist_to_parent", ">f8"),
    ("erf_index", ">i4"),
    ("fss_index", ">i4"),
    ("grid_node_index", ">i4"),
]
#: Bytes of a catalog's header before the number of its events, from version 3 on: what the simulation was.
_ABOUT_BYTES: Final = 72
_KNOWN_VERSIONS: Final = range(1, 5)
_PIECE_ROWS: Final = 20_000
#: More than any catalog has: what asks for more is another kind of file.
_MOST_BYTES: Final = 1 << 30


def ucerf3_rows(path: Path) -> Iterator[Rows]:
    """Read merged catalogs (``.bin``, or ``.bin.gz``) in pieces; the catalogs are numbered from 0.

    Raises
    ------
    ForecastError
        Where the file is cut short, of an unknown version, or cannot be read.
    """
    try:
        with opened(path) as file:
            number = int(_read(path, file, ">i4", 1)[0])
            waiting: list[tuple[int, NDArray[np.void]]] = []
            n_rows = 0
            for catalog in range(number):
                waiting.append((catalog, _one_catalog(path, file)))
                n_rows += 1 + len(waiting[-1][1])
                if n_rows > _PIECE_ROWS:
                    yield _rows(waiting)
                    waiting, n_rows = [], 0
            if file.read(1):
                message = f"{path}: more bytes follow the {number} catalogs that the file announces"
                raise ForecastError(message)
            if waiting:
                yield _rows(waiting)
    except (OSError, EOFError, zlib.error) as error:
        message = f"{path}: the forecast cannot be read ({error})"
        raise ForecastError(message) from error


def _one_catalog(path: Path, file: BinaryIO) -> NDArray[np.void]:
    version = int(_read(path, file, ">i2", 1)[0])
    if version not in _KNOWN_VERSIONS:
        message = f"{path}: a catalog is of version {version}; known are 1 to {_KNOWN_VERSIONS[-1]}"
        raise ForecastError(message)
    if version >= 3:
        _read(path, file, "u1", _ABOUT_BYTES)
    size = int(_read(path, file, ">i4", 1)[0])
    form = np.dtype(_EVENT if version == 1 else [*_EVENT, ("etas_k", ">f8")])
    return _read(path, file, form, size)[["origin_time", "latitude", "longitude", "depth", "magnitude"]]


def _read(path: Path, file: BinaryIO, form: np.dtype[np.void] | str, count: int) -> NDArray[np.void]:
    kind = np.dtype(form)
    wanted = kind.itemsize * count
    data = file.read(wanted) if 0 <= wanted < _MOST_BYTES else b""
    if len(data) != wanted:
        message = f"{path}: the file is cut short, or not UCERF3-ETAS's merged catalogs"
        raise ForecastError(message)
    values: NDArray[np.void] = np.frombuffer(data, dtype=kind)
    return values


def _rows(catalogs: list[tuple[int, NDArray[np.void]]]) -> Rows:
    """Put catalogs together; an empty one is a row that only names it."""
    sizes = np.array([max(len(events), 1) for _, events in catalogs])
    ids = np.repeat(np.array([catalog for catalog, _ in catalogs], dtype=np.int64), sizes)
    is_event = np.repeat(np.array([len(events) > 0 for _, events in catalogs]), sizes)
    events = np.concatenate([found for _, found in catalogs])
    columns = {}
    for name in ("longitude", "latitude", "depth", "magnitude"):
        columns[name] = np.full(len(ids), np.nan)
        columns[name][is_event] = events[name]
    times = np.zeros(len(ids), dtype=np.int64)
    times[is_event] = events["origin_time"].astype(np.int64) * 1000
    return Rows(
        catalog_id=ids,
        is_event=is_event,
        time_us=times,
        longitude=columns["longitude"],
        latitude=columns["latitude"],
        depth_km=columns["depth"],
        magnitude=columns["magnitude"],
    )
