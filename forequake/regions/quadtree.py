"""Regions of quadtree cells, of one level or of several."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from forequake.errors import RegionError
from forequake.keys import KeyInputs, array_digest
from forequake.quantities import Sha256
from forequake.regions.cells import Arrays, Region
from forequake.regions.tiles import corners_of_tiles, quadkeys_of, rows_of_latitudes, tiles_of_corners, woven

__all__ = ["QuadtreeRegion"]


class _QuadtreeInputs(KeyInputs):
    what = "region"

    tiles: Sha256


class _Curve(NamedTuple):
    """Where the cells begin and end on the curve of the deepest level, sorted, and their numbers."""

    begin: NDArray[np.int64]
    end: NDArray[np.int64]
    number: NDArray[np.int32]


class _Lines(NamedTuple):
    """All edges of cells, increasing: degrees, and columns and rows of the deepest level."""

    longitude: NDArray[np.float64]
    column: NDArray[np.int64]
    latitude: NDArray[np.float64]
    row: NDArray[np.int64]


@dataclass(frozen=True, eq=False)
class QuadtreeRegion(Region):
    """Quadtree cells, which do not overlap; their order is the order of every array over them.

    Attributes
    ----------
    tiles : array of int64, shape (cells, 2)
        Level and code of each cell (see `forequake.regions.tiles`).
    """

    tiles: NDArray[np.int64] = field(kw_only=True)

    grid = "quadtree"

    @classmethod
    def from_tiles(cls, tiles: NDArray[np.int64], *, name: str) -> Self:
        """Lay out cells given by level and code.

        Raises
        ------
        RegionError
            Where two cells overlap.
        """
        region = cls._from_parts(tiles, corners_of_tiles(tiles), name=name, derived={})
        begin, end, number = region._curve
        over = np.flatnonzero(begin[1:] < end[:-1])
        if len(over):
            outer, inner = quadkeys_of(tiles[number[over[0] : over[0] + 2]])
            what = "is given twice" if inner == outer else f"lies in the cell {outer}"
            message = f"quadtree cells overlap: {inner} {what}"
            raise RegionError(message)
        return region

    @classmethod
    def from_corners(cls, corners: NDArray[np.float64], *, name: str) -> Self:
        """Lay out quadtree cells given by west, east, south and north; shape (cells, 4)."""
        return cls.from_tiles(tiles_of_corners(corners), name=name)

    @classmethod
    def from_arrays(cls, arrays: Arrays, *, name: str) -> Self:
        """Take what `to_arrays` gave."""
        return cls._from_parts(arrays["tiles"], arrays["corners"], name=name, derived=arrays)

    @classmethod
    def _from_parts(
        cls, tiles: NDArray[np.int64], corners: NDArray[np.float64], *, name: str, derived: Arrays
    ) -> Self:
        size = 360.0 / 2.0 ** int(tiles[:, 0].max())
        derived = {**derived, "corners": corners}
        return cls(name=name, origins=corners[:, [0, 2]], cell_size=size, tiles=tiles, derived=derived)

    @property
    def quadkeys(self) -> list[str]:
        """The cells' quadkeys, as pyCSEP and files of forecasts have them."""
        return quadkeys_of(self.tiles)

    @cached_property
    def inputs(self) -> KeyInputs:
        """What the key is made of: the cells' levels and codes, in their order."""
        return _QuadtreeInputs(tiles=array_digest(self.tiles))

    @property
    def corners(self) -> NDArray[np.float64]:
        """West, east, south and north of each cell in degrees; shape (cells, 4)."""
        corners: NDArray[np.float64] = self.derived["corners"]
        return corners

    @property
    def widths(self) -> NDArray[np.float64]:
        """From west to east, in degrees; shape (cells,)."""
        return np.ldexp(360.0, -self.tiles[:, 0])

    @cached_property
    def _curve(self) -> _Curve:
        if "number" in self.derived:
            return _Curve(self.derived["begin"], self.derived["end"], self.derived["number"])
        level, code = self.tiles.T
        shift = 2 * (level.max() - level)
        begin, end = code << shift, (code + 1) << shift
        number = np.lexsort((level, begin))  # a cell before those that it holds: overlaps are neighbours
        return _Curve(begin[number], end[number], number.astype(np.int32))

    @cached_property
    def _lines(self) -> _Lines:
        if "row" in self.derived:
            return _Lines(*(self.derived[name] for name in _Lines._fields))
        level = int(self.tiles[:, 0].max())
        longitude, latitude = np.unique(self.corners[:, :2]), np.unique(self.corners[:, 2:])
        column = np.rint((longitude + 180.0) / 360.0 * 2.0**level).astype(np.int64)
        return _Lines(longitude, column, latitude, rows_of_latitudes(latitude, level))

    @property
    def box(self) -> tuple[float, float, float, float]:
        """West, east, south and north of the box around all cells, in degrees."""
        longitude, latitude = self._lines.longitude, self._lines.latitude
        return float(longitude[0]), float(longitude[-1]), float(latitude[0]), float(latitude[-1])

    def _cells_at(
        self, east: NDArray[np.float64], north: NDArray[np.float64], rounding: NDArray[np.float64] | float
    ) -> NDArray[np.intp]:
        lines, curve = self._lines, self._curve
        column = np.searchsorted(lines.longitude, east, "right") - 1
        row = np.searchsorted(lines.latitude, north, "right") - 1
        inside = (column >= 0) & (row >= 0) & (east < lines.longitude[-1]) & (north < lines.latitude[-1])
        # Between two neighbouring lines all points lie in the same cell, so any place there will do: the
        # lower left one. Rows count from the north, and the one above a line has the lesser number.
        place = woven(lines.column[column[inside]], lines.row[row[inside]] - 1)
        found = np.searchsorted(curve.begin, place, "right") - 1
        cells = np.full(len(east), -1, dtype=np.intp)
        cells[inside] = np.where((found >= 0) & (place < curve.end[found]), curve.number[found], -1)
        return cells

    def to_arrays(self) -> Arrays:
        """Give the cells, and what follows from them and takes time: what a cache keeps."""
        return {
            "tiles": self.tiles,
            "corners": self.corners,
            **self._curve._asdict(),
            **self._lines._asdict(),
        }

    @property
    def cells(self) -> NDArray[np.float64]:
        """What gives the cells: `corners`."""
        return self.corners
