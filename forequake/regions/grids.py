"""Square cells on a regular grid: checked where they come from outside, laid out where they are a rule."""

from typing import Final

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forequake.errors import RegionError
from forequake.regions.cells import Region

__all__ = ["WORLD", "Box", "box_region", "check_box", "square_region"]

#: West, east, south, north in degrees.
Box = tuple[float, float, float, float]
#: All of it, from the date line on.
WORLD: Final[Box] = (-180.0, 180.0, -90.0, 90.0)
#: Places of the rectangle that encloses a region; a global grid of 0.05 degrees has half as many.
_MOST_PLACES: Final = 50_000_000
#: The share of a cell by which a corner may miss its place on the grid.
_OFF_GRID: Final = 1e-3


def square_region(name: str, origins: ArrayLike, cell_size: float) -> Region:
    """Check cells of one size that somebody gave one by one.

    Parameters
    ----------
    name
        Of the region, and for messages: a file's path.
    origins : array_like, shape (cells, 2)
        Lower left corners, degrees east and north.

    Raises
    ------
    RegionError
        Where a cell is given twice (also a whole turn apart), lies off the grid of the others or beyond a
        pole, or the cells are too small for the space between them.
    """
    corners = np.asarray(origins, dtype=np.float64).reshape(-1, 2)
    lowest = corners.min(axis=0)
    extent = np.ptp(corners, axis=0) / cell_size + 1
    if np.prod(extent) > _MOST_PLACES:
        message = f"{name}: cells of {cell_size:g} degrees are too small for corners that lie so far apart"
        raise RegionError(message)
    places = np.rint((corners - lowest) / cell_size)
    off = np.abs(lowest + places * cell_size - corners).max(axis=1) > cell_size * _OFF_GRID
    if off.any():
        message = (
            f"{name}: the corner {_point(corners[np.argmax(off)])} does not lie on a grid of {cell_size:g} "
            f"degrees from {_point(lowest)} on ({int(off.sum())} of {len(corners)} corners do not)"
        )
        raise RegionError(message)
    turned = np.column_stack([np.rint(corners[:, 0] * 1e6) % 360_000_000, places[:, 1]])
    _, first, times = np.unique(turned, axis=0, return_index=True, return_counts=True)
    if len(first) < len(corners):
        message = (
            f"{name}: {len(corners) - len(first)} cells are given twice, first "
            f"{_point(corners[first[times > 1].min()])}"
        )
        raise RegionError(message)
    if corners[:, 1].max() + cell_size > 90.0 + cell_size * _OFF_GRID:
        message = (
            f"{name}: cells of {cell_size:g} degrees from {corners[:, 1].max():g} on pass the north pole"
        )
        raise RegionError(message)
    return Region(name=name, origins=corners, cell_size=cell_size)


def box_region(name: str, box: Box, cell_size: float) -> Region:
    """Lay square cells over a box, column by column from its lower left corner on.

    With `WORLD` it is pyCSEP's ``global_region``.

    Raises
    ------
    RegionError
        See `check_box`.
    """
    west, _, south, _ = box
    n_columns, n_rows = check_box(box, cell_size)
    # Rounded as decimals are, so that 0.1 degrees gives -179.9 and no sum of errors.
    longitude = np.round(west + np.arange(n_columns) * cell_size, 10)
    latitude = np.round(south + np.arange(n_rows) * cell_size, 10)
    origins = np.column_stack([np.repeat(longitude, n_rows), np.tile(latitude, n_columns)])
    return Region(name=name, origins=origins, cell_size=cell_size)


def check_box(box: Box, cell_size: float) -> tuple[int, int]:
    """Give the numbers of columns and rows of cells in a box.

    Raises
    ------
    RegionError
        Where the box is empty, wider than a turn or no multiple of the cells, or has too many of them.
    """
    west, east, south, north = box
    if not (west < east and south < north):
        message = (
            f"the box from {west:g}, {south:g} to {east:g}, {north:g} is empty: west must be less "
            "than east (170 and 190 cross the date line) and south less than north"
        )
        raise RegionError(message)
    if east - west > 360.0:
        message = f"the box from {west:g} to {east:g} degrees east is wider than the world"
        raise RegionError(message)
    columns, rows = (east - west) / cell_size, (north - south) / cell_size
    if columns * rows > _MOST_PLACES:
        message = (
            f"{columns * rows:.3g} cells of {cell_size:g} degrees are too many; at most "
            f"{_MOST_PLACES:.3g} can be used"
        )
        raise RegionError(message)
    n_columns, n_rows = max(round(columns), 1), max(round(rows), 1)
    if max(abs(columns - n_columns), abs(rows - n_rows)) > _OFF_GRID:
        message = (
            f"{east - west:g} by {north - south:g} degrees are not a whole number of cells of "
            f"{cell_size:g} degrees; cells of {(north - south) / n_rows:g} degrees would fit the height"
        )
        raise RegionError(message)
    return n_columns, n_rows


def _point(corner: NDArray[np.float64]) -> str:
    return f"{corner[0]:g}, {corner[1]:g}"
