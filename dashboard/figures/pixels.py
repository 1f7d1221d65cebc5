"""Regions as pixels of a map: every cell in its place, and large regions put together without losing events.

A map is a rectangle of pixels. Where a region has more places than can be drawn, neighbouring cells share a
pixel; where its cells are of several sizes, large ones are spread over several pixels by their area. So the
sum over all pixels is that over all cells, and sums divided by areas are densities, at whatever resolution.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from dashboard.coast import Box
from forequake.regions import QuadtreeRegion, Region
from forequake.regions.tiles import latitude_of_line, rows_of_latitudes

__all__ = ["MOST_PIXELS", "Pixels", "pixels_of"]

#: Pixels of a map at most: the ninth level of a quadtree; 720 x 360 of the world in cells of 0.1 degrees.
MOST_PIXELS: Final = 2**18
_EARTH_RADIUS_KM: Final = 6371.0  # that of `Region.area`
_TURN: Final = 360.0
#: So much may the number of cells in a turn miss a whole number.
_WHOLE: Final = 1e-6

Array = NDArray[np.float64]
Numbers = NDArray[np.integer[Any]]


@dataclass(frozen=True, eq=False)
class Pixels:
    """Where the cells of a region lie on a map.

    Attributes
    ----------
    longitude, latitude : array of float64, shape (columns + 1,), (rows + 1,)
        Edges of the pixels in degrees, increasing; longitudes may lie beyond 180, where the region crosses
        the date line.
    pixel : array of int32, shape (parts,)
        The pixel of each part of a cell, counted row by row from the south-west.
    cell : array of int32, shape (parts,), or None
        The cell of each part; None where each cell has one part, in their order.
    share : array of float64, shape (parts,), or None
        The part of the cell's area; None where it is all of it.
    area : array of float64, shape (rows, columns)
        Square kilometres of cells in each pixel; 0 outside of the region.
    n_cells
        Of the region.
    """

    longitude: Array
    latitude: Array
    pixel: NDArray[np.int32]
    cell: NDArray[np.int32] | None
    share: Array | None
    area: Array
    n_cells: int

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self.latitude) - 1, len(self.longitude) - 1

    @property
    def box(self) -> Box:
        """West, east, south and north of all pixels in degrees."""
        west, east = float(self.longitude[0]), float(self.longitude[-1])
        return west, east, float(self.latitude[0]), float(self.latitude[-1])

    @cached_property
    def inside(self) -> NDArray[np.bool_]:
        """Whether a pixel has cells; shape (rows, columns)."""
        return self.area > 0

    @cached_property
    def cells(self) -> Array:
        """The number of cells in each pixel, less than 1 where it is a part of one; shape (rows, columns)."""
        return self._binned(self.share)

    @property
    def most_together(self) -> int:
        """The greatest number of cells that share a pixel; 1 where every cell is drawn."""
        return max(round(float(self.cells.max())), 1)

    def sums(self, per_cell: Array) -> Array:
        """Add up what cells have; shape (rows, columns), 0 outside of the region.

        Parameters
        ----------
        per_cell : array of float64, shape (cells,)
            Amounts, such as expected numbers of events: a large cell's is shared by its pixels.
        """
        amounts = per_cell if self.cell is None else per_cell[self.cell]
        return self._binned(amounts if self.share is None else amounts * self.share)

    def _binned(self, weights: Array | None) -> Array:
        n_rows, n_columns = self.shape
        sums = np.bincount(self.pixel, weights=weights, minlength=n_rows * n_columns)
        return sums.reshape(n_rows, n_columns).astype(np.float64, copy=False)

    def turned(self, longitude: Array) -> Array:
        """Give longitudes in the turn round the globe that the map shows."""
        west, east = self.box[:2]
        middle = (west + east) / 2
        turned: Array = longitude - _TURN * np.round((longitude - middle) / _TURN)
        return turned


def pixels_of(region: Region, most: int = MOST_PIXELS) -> Pixels:
    """Lay a region out as at most `most` pixels.

    Square cells are put together k by k; of quadtree cells, pixels are those of one level.
    """
    return _of_tiles(region, most) if isinstance(region, QuadtreeRegion) else _of_squares(region, most)


def _of_squares(region: Region, most: int) -> Pixels:
    size = region.cell_size
    lowest = region.origins.min(axis=0)
    column = np.rint((region.origins[:, 0] - lowest[0]) / size).astype(np.int32)
    row = np.rint((region.origins[:, 1] - lowest[1]) / size).astype(np.int32)
    column, first = _joined_at_the_date_line(column, _TURN / size)
    n_columns, n_rows = int(column.max()) + 1, int(row.max()) + 1
    together = 1
    while -(-n_columns // together) * -(-n_rows // together) > most:
        together += 1
    west, south = float(lowest[0]) + first * size, float(lowest[1])
    latitude = _edges(south, n_rows, size, together)
    latitude[-1] = min(latitude[-1], 90.0)  # cells that do not divide the height end at the pole
    longitude = _edges(west, n_columns, size, together)
    column //= together
    pixel = ((row // together) * (len(longitude) - 1) + column).astype(np.int32)
    rows = np.minimum(south + np.arange(n_rows + 1) * size, 90.0)
    areas = _EARTH_RADIUS_KM**2 * np.radians(size) * np.diff(np.sin(np.radians(rows)))
    n_pixels = (len(latitude) - 1) * (len(longitude) - 1)
    area = np.bincount(pixel, weights=areas[row], minlength=n_pixels).astype(np.float64, copy=False)
    return Pixels(
        longitude=longitude,
        latitude=latitude,
        pixel=pixel,
        cell=None,
        share=None,
        area=area.reshape(len(latitude) - 1, len(longitude) - 1),
        n_cells=len(region),
    )


def _edges(lowest: float, count: int, size: float, together: int) -> Array:
    """Give the edges of pixels of several cells each; the last one ends with the cells."""
    places = np.append(np.arange(0, count, together), count)
    edges: Array = np.round(lowest + places * size, 9)
    return edges


def _joined_at_the_date_line(column: Numbers, turn: float) -> tuple[Numbers, int]:
    """Count columns from the widest gap in a turn on, so that a region at the date line is in one piece.

    Returns
    -------
    array of int64, int
        Columns from 0 on, and the first one as it was counted before.
    """
    present = np.flatnonzero(np.bincount(column - column.min())) + column.min()  # sorted, without sorting
    whole = round(turn)
    gaps = np.diff(present)
    if len(gaps) and abs(turn - whole) < _WHOLE:
        widest = int(np.argmax(gaps))
        if gaps[widest] > present[0] + whole - present[-1]:
            column = np.where(column <= present[widest], column + whole, column)
    first = int(column.min())
    return column - first, first


@dataclass(frozen=True)
class _Parts:
    """Cells or parts of them at one level of a quadtree: the cell, its column and its line from the north."""

    depth: int
    cell: Numbers
    column: Numbers
    line: Numbers
    first: int

    @property
    def shape(self) -> tuple[int, int]:
        return int(self.line.max() - self.line.min()) + 1, int(self.column.max()) + 1


def _of_tiles(region: QuadtreeRegion, most: int) -> Pixels:
    parts = next(
        parts
        for depth in range(int(region.tiles[:, 0].max()), -1, -1)
        if (parts := _parts(region, depth, most)) is not None
    )
    n_rows, n_columns = parts.shape
    size, north = 2.0**parts.depth, int(parts.line.min())
    south = north + n_rows
    latitude = np.array([latitude_of_line(line, parts.depth) for line in range(south, north - 1, -1)])
    bands = np.diff(np.sin(np.radians(latitude)))[::-1]  # from the north, as lines are counted
    pixel_area = _EARTH_RADIUS_KM**2 * 2 * np.pi / size * bands[parts.line - north]
    cell_area = region.area[parts.cell]
    spread = region.tiles[parts.cell, 0] < parts.depth
    area = np.where(spread, pixel_area, cell_area)
    pixel = ((south - 1 - parts.line) * n_columns + parts.column).astype(np.int32)
    sums = np.bincount(pixel, weights=area, minlength=n_rows * n_columns).astype(np.float64, copy=False)
    return Pixels(
        longitude=(parts.first + np.arange(n_columns + 1)) / size * _TURN - 180.0,
        latitude=latitude,
        pixel=pixel,
        cell=parts.cell.astype(np.int32),
        share=area / cell_area,
        area=sums.reshape(n_rows, n_columns),
        n_cells=len(region),
    )


def _parts(region: QuadtreeRegion, depth: int, most: int) -> _Parts | None:
    """Divide the cells above a level, and find those below in it; None where that makes too many pixels."""
    level = region.tiles[:, 0]
    column = np.rint((region.corners[:, 0] + 180.0) / _TURN * 2.0**level).astype(np.int64)
    line = rows_of_latitudes(region.corners[:, 3], level)
    steps = np.maximum(depth - level, 0)
    if depth and np.sum(4.0**steps) > most + len(region):
        return None
    times = 1 << 2 * steps
    cell = np.repeat(np.arange(len(region)), times)
    # Of a cell that is divided n by n, the parts are counted line by line.
    place = np.arange(len(cell)) - np.repeat(np.cumsum(times) - times, times)
    below, finer = np.maximum(level - depth, 0)[cell], steps[cell]
    columns = ((column[cell] >> below) << finer) + (place & ((1 << finer) - 1))
    lines = ((line[cell] >> below) << finer) + (place >> finer)
    columns, first = _joined_at_the_date_line(columns, 2.0**depth)
    parts = _Parts(depth=depth, cell=cell, column=columns, line=lines, first=first)
    n_rows, n_columns = parts.shape
    return parts if depth == 0 or n_rows * n_columns <= most else None
