"""Forecasts on quadtree tiles, in both of pyCSEP's forms: a table with a heading, or a line a rate."""

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.errors import ForecastError, RegionError
from forequake.forecasts.gridded import ForecastScope, ForecastTable
from forequake.forecasts.readers._rows import RowCollector
from forequake.forecasts.readers._text import Batch, Opening, TextTable, delimiter_of, opening, read_numbers
from forequake.regions import corners_of_quadkeys

__all__ = [
    "corners_of_tiles",
    "is_quadtree_row",
    "read_quadtree",
    "read_quadtree_rows",
    "read_quadtree_table",
]

_ROW: Final = "quadkey lon_min lon_max lat_min lat_max depth_min depth_max mag_min mag_max rate"
_QUADKEY: Final = re.compile("[0-3]{1,30}")
#: The columns of corners repeat what the quadkey says; so near they must come.
_SAME_TILE_DEGREES: Final = 1e-3


def is_quadtree_row(words: Sequence[str]) -> bool:
    """Tell whether the words of a line are a quadkey, its corners, and six numbers more."""
    if len(words) != 10 or not _QUADKEY.fullmatch(words[0]):
        return False
    try:
        corners = [float(word) for word in words[1:5]]
    except ValueError:
        return False
    expected = corners_of_quadkeys([words[0]])[0]
    return bool(np.abs(np.array(corners) - expected).max() < _SAME_TILE_DEGREES)


def read_quadtree(path: Path) -> ForecastTable:
    """Read a forecast on quadtree tiles in the form that its first line shows.

    Raises
    ------
    ForecastError
        Where the file cannot be read, or has neither form.
    """
    if "," in opening(path, comments=True).line:
        return read_quadtree_table(path)
    return read_quadtree_rows(path)


def read_quadtree_rows(path: Path) -> ForecastTable:
    """Read a line for each tile and magnitude bin, as ``csep.utils.readers.quadtree_ascii_loader`` does.

    Raises
    ------
    ForecastError
        Where the file cannot be read, or a line is not of the form.
    """
    first = opening(path, comments=True)
    words = first.line.split()
    if len(words) != 10:
        message = f"{path}:{first.number}: expected 10 columns ({_ROW}), got {len(words)}"
        raise ForecastError(message)
    table = TextTable(path, first.number - 1, 10, delimiter_of(first.line), keys=True)
    return read_numbers(table, lambda batches: _collect(path, batches))


def _collect(path: Path, batches: Iterator[Batch]) -> ForecastTable:
    rows = RowCollector(path)
    top, bottom = np.inf, -np.inf
    for batch in batches:
        columns = [np.asarray(column, dtype=np.float64) for column in batch[1:]]
        quadkeys = batch[0].astype(np.bytes_)
        begins = np.append(True, quadkeys[1:] != quadkeys[:-1])
        corners = corners_of_tiles(path, quadkeys[begins])[np.cumsum(begins) - 1]
        apart = np.abs(corners - np.column_stack(columns[:4])).max(axis=1)
        if not (apart < _SAME_TILE_DEGREES).all():
            tile = quadkeys[np.argmax(~(apart < _SAME_TILE_DEGREES))].decode()
            message = f"{path}: the corners of the tile {tile} are not those that its quadkey says"
            raise ForecastError(message)
        rows.add(list(corners.T), columns[6], columns[8])
        top, bottom = min(top, columns[4].min()), max(bottom, columns[5].max())
    table, magnitudes, rates, given = rows.table()
    scope = ForecastScope(depth_km=(float(top), float(bottom)))
    return ForecastTable(path, table, magnitudes, rates, given, scope=scope)


def read_quadtree_table(path: Path) -> ForecastTable:
    """Read a heading and a line for each tile, as ``csep.utils.readers.quadtree_csv_loader`` does.

    The columns are the quadkey, the top and bottom in km, and one for each magnitude bin, whose heading is
    its lower edge.

    Raises
    ------
    ForecastError
        Where the file cannot be read, or the heading or a line is not of the form.
    """
    first = opening(path, comments=False)
    magnitudes = _magnitudes(path, first)
    table = TextTable(path, first.number, 3 + len(magnitudes), ",", keys=True)
    keys, numbers = read_numbers(table, _columns)
    if not len(keys):
        message = f"{path}: the file has no rates"
        raise ForecastError(message)
    return ForecastTable(
        path=path,
        corners=corners_of_tiles(path, keys),
        magnitudes=magnitudes,
        rates=numbers[:, 2:].copy(),
        scope=ForecastScope(depth_km=(float(numbers[:, 0].min()), float(numbers[:, 1].max()))),
    )


def _magnitudes(path: Path, first: Opening) -> NDArray[np.float64]:
    words = [word.strip() for word in first.line.split(",")]
    try:
        magnitudes = np.array([float(word) for word in words[3:]])
    except ValueError as error:
        message = f"{path}:{first.number}: the columns from the fourth on must be magnitudes ({error})"
        raise ForecastError(message) from error
    if not len(magnitudes) or not np.all(np.diff(magnitudes) > 0):
        message = (
            f"{path}:{first.number}: expected a heading: quadkey, depth_min, depth_max, and magnitudes that "
            f"increase; got {first.line[:60]!r}"
        )
        raise ForecastError(message)
    return magnitudes


def _columns(batches: Iterator[Batch]) -> tuple[NDArray[np.bytes_], NDArray[np.float64]]:
    keys: list[NDArray[np.bytes_]] = [np.empty(0, dtype="S1")]
    numbers: list[NDArray[np.float64]] = []
    for batch in batches:
        keys.append(batch[0].astype(np.bytes_))
        numbers.append(np.column_stack(batch[1:]).astype(np.float64, copy=False))
    return np.concatenate(keys), np.concatenate(numbers) if numbers else np.empty((0, 2))


def corners_of_tiles(path: Path, quadkeys: NDArray[np.bytes_]) -> NDArray[np.float64]:
    """Give the corners of tiles as a `ForecastTable` has them.

    Raises
    ------
    ForecastError
        Where one is no quadkey.
    """
    try:
        return corners_of_quadkeys(np.char.strip(quadkeys).astype(np.str_))
    except (RegionError, UnicodeDecodeError) as error:
        message = f"{path}: {error}"
        raise ForecastError(message) from error
