"""Quadtree cells: quadkeys, their corners in degrees, and the order in which they follow one another.

A cell of level z is one of 4**z that the world is divided into in the web Mercator projection. It stands here
as its level and its code, which is its quadkey read as a number to the base of four. Cells of all levels lie
on one curve: in units of the deepest level, a cell begins at ``code * 4**(deepest - level)``.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from forequake.errors import RegionError
from forequake.regions.specs import DEEPEST_ZOOM

__all__ = [
    "corners_of_quadkeys",
    "corners_of_tiles",
    "divided",
    "latitude_of_line",
    "quadkeys_of",
    "rows_of_latitudes",
    "tiles_of_corners",
    "tiles_of_quadkeys",
    "woven",
]

_ZERO = ord("0")


def tiles_of_quadkeys(quadkeys: Sequence[str] | NDArray[np.str_]) -> NDArray[np.int64]:
    """Read quadkeys.

    Returns
    -------
    array of int64, shape (cells, 2)
        Level and code of each.

    Raises
    ------
    RegionError
        Where one is no quadkey.
    """
    for number, key in enumerate(quadkeys, 1):
        if not 1 <= len(key) <= DEEPEST_ZOOM or key.strip("0123"):
            message = (
                f"{str(key)[:40]!r} (number {number}) is no quadkey, which is 1 to {DEEPEST_ZOOM} digits "
                "from 0 to 3"
            )
            raise RegionError(message)
    if not len(quadkeys):
        return np.zeros((0, 2), dtype=np.int64)
    texts = np.asarray(quadkeys, dtype=np.bytes_)
    digits = texts.view(np.uint8).reshape(len(texts), -1).astype(np.int64)
    levels = np.count_nonzero(digits, axis=1)
    codes = np.zeros(len(texts), dtype=np.int64)
    for place in range(digits.shape[1]):
        there = digits[:, place] > 0
        codes[there] = codes[there] * 4 + digits[there, place] - _ZERO
    return np.column_stack([levels, codes])


def quadkeys_of(tiles: NDArray[np.int64]) -> list[str]:
    """Write the quadkeys of cells given by level and code."""
    return [
        "".join(str(code >> 2 * place & 3) for place in reversed(range(level)))
        for level, code in tiles.tolist()
    ]


def corners_of_quadkeys(quadkeys: Sequence[str] | NDArray[np.str_]) -> NDArray[np.float64]:
    """Give west, east, south, north of quadtree cells in degrees; shape (cells, 4).

    Raises
    ------
    RegionError
        Where one is no quadkey.
    """
    return corners_of_tiles(tiles_of_quadkeys(quadkeys))


def corners_of_tiles(tiles: NDArray[np.int64]) -> NDArray[np.float64]:
    """Give west, east, south, north of cells in degrees: to the last bit those of pyCSEP (mercantile).

    Parameters
    ----------
    tiles : array of int64, shape (cells, 2)
        Level and code.

    Returns
    -------
    array of float64, shape (cells, 4)
    """
    level, code = tiles.T
    column, row = _unwoven(code), _unwoven(code >> 1)
    size = 2.0**level
    west = column / size * 360.0 - 180.0
    east = (column + 1) / size * 360.0 - 180.0
    # Levels share lines: counted in the deepest level, each line is computed once.
    north_line = row << (DEEPEST_ZOOM - level)
    south_line = (row + 1) << (DEEPEST_ZOOM - level)
    lines, numbers = np.unique(np.concatenate([south_line, north_line]), return_inverse=True)
    latitudes = np.array([latitude_of_line(line, DEEPEST_ZOOM) for line in lines.tolist()])
    south, north = latitudes[numbers].reshape(2, -1)
    return np.column_stack([west, east, south, north])


def divided(
    longitude: NDArray[np.float64], latitude: NDArray[np.float64], *, threshold: int, zoom: int
) -> NDArray[np.int64]:
    """Divide the world until no cell holds more than `threshold` points, or is of the level `zoom`.

    Parameters
    ----------
    longitude, latitude : array of float64, shape (points,)
        Degrees; longitudes from -180 to 180. Points beyond 85.05 degrees north and south count nowhere.

    Returns
    -------
    array of int64, shape (cells, 2)
        Level and code, in the order of the quadkeys: that of pyCSEP's ``QuadtreeGrid2D.from_catalog``.
    """
    tiles: list[tuple[int, int]] = []
    edge = latitude_of_line(0, 0)
    inside = (longitude >= -180.0) & (longitude < 180.0) & (latitude >= -edge) & (latitude < edge)
    # What is still to look at, the next one last: level, column, row, points in it.
    open_cells = [(0, 0, 0, longitude[inside], latitude[inside])]
    while open_cells:
        level, column, row, east, north = open_cells.pop()
        if level > 0 and (len(east) <= threshold or level >= zoom):
            code = woven(np.array([column]), np.array([row]))
            tiles.append((level, int(code[0])))
            continue
        right = east >= (2 * column + 1) / 2.0 ** (level + 1) * 360.0 - 180.0
        lower = north < latitude_of_line(2 * row + 1, level + 1)
        for down, across in ((1, 1), (1, 0), (0, 1), (0, 0)):
            held = (lower == down) & (right == across)
            open_cells.append((level + 1, 2 * column + across, 2 * row + down, east[held], north[held]))
    return np.array(tiles, dtype=np.int64)


def latitude_of_line(line: int, level: int) -> float:
    """Give the latitude of a level's line, counted from the north, in degrees."""
    return math.degrees(math.atan(math.sinh(math.pi * (1 - 2 * line / 2.0**level))))


def tiles_of_corners(corners: NDArray[np.float64]) -> NDArray[np.int64]:
    """Give level and code of quadtree cells from west, east, south and north; shape (cells, 2)."""
    west, east, _, north = corners.T
    level = np.rint(np.log2(360.0 / (east - west))).astype(np.int64)
    size = 2.0**level
    column = np.rint((west + 180.0) / 360.0 * size).astype(np.int64)
    row = rows_of_latitudes(north, level)
    return np.column_stack([level, woven(column, row)])


def rows_of_latitudes(latitude: NDArray[np.float64], level: NDArray[np.int64] | int) -> NDArray[np.int64]:
    """Give the number of the nearest line of a level, counted from the north."""
    share = (1 - np.arcsinh(np.tan(np.radians(latitude))) / np.pi) / 2
    rows: NDArray[np.int64] = np.rint(share * 2.0**level).astype(np.int64)
    return rows


def woven(column: NDArray[np.int64], row: NDArray[np.int64]) -> NDArray[np.int64]:
    """Give the code of the cell in a column and row (counted from the north) of a level."""
    return _spread(column) | _spread(row) << 1


# A coordinate's bits and the gaps between them, halved step by step.
_STEPS = (
    (16, 0x0000FFFF0000FFFF),
    (8, 0x00FF00FF00FF00FF),
    (4, 0x0F0F0F0F0F0F0F0F),
    (2, 0x3333333333333333),
    (1, 0x5555555555555555),
)


def _spread(bits: NDArray[np.int64]) -> NDArray[np.int64]:
    """Put a zero before each bit."""
    for shift, mask in _STEPS:
        bits = (bits | bits << shift) & mask
    return bits


def _unwoven(code: NDArray[np.int64]) -> NDArray[np.int64]:
    """Take every second bit, from the lowest on."""
    bits = code & _STEPS[-1][1]
    for (shift, _), (_, mask) in zip(
        reversed(_STEPS), [*reversed(_STEPS[:-1]), (0, 0xFFFFFFFF)], strict=True
    ):
        bits = (bits | bits >> shift) & mask
    return bits
