"""Regions: cells in degrees, and the cell of a point."""

import io
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, BinaryIO, ClassVar, Final, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forequake.array_files import read_array
from forequake.keys import KeyInputs, array_digest
from forequake.quantities import Sha256

__all__ = ["SAME_CELL_DEGREES", "Arrays", "Region"]

#: Two cells are one where their corners lie this near: files and builders differ by rounding only.
SAME_CELL_DEGREES = 1e-6

#: Arrays by name.
Arrays = dict[str, NDArray[Any]]

_EARTH_RADIUS_KM: Final = 6371.0  # pyCSEP's
_EPSILON: Final = float(np.finfo(float).eps)
_TURN: Final = 360.0


class _RegionInputs(KeyInputs):
    what = "region"

    origins: Sha256
    cell_size: float


@dataclass(frozen=True, eq=False)
class Region:
    """Square cells of one size; their order is the order of every array over them.

    Attributes
    ----------
    name
        For people; not part of the key.
    origins : array of float64, shape (cells, 2)
        Lower left corners: degrees east, degrees north.
    cell_size
        Side of a cell in degrees; of the smallest cells, west to east, where they differ.
    derived
        Arrays that follow from the cells, where a cache has them.
    """

    name: str
    origins: NDArray[np.float64]
    cell_size: float
    derived: Arrays = field(default_factory=dict, repr=False, kw_only=True)

    #: What the cells are.
    grid: ClassVar[Literal["squares", "quadtree"]] = "squares"

    def __len__(self) -> int:
        return len(self.origins)

    @cached_property
    def inputs(self) -> KeyInputs:
        """What the key is made of: the corners to 1e-6 degrees, so that rounding makes no other region."""
        return _RegionInputs(origins=self._digest, cell_size=round(self.cell_size, 6))

    @cached_property
    def _digest(self) -> Sha256:
        if "digest" in self.derived:
            return self.derived["digest"].tobytes().hex()
        return array_digest(np.round(self.origins, 6) + 0.0)

    @cached_property
    def corners(self) -> NDArray[np.float64]:
        """West, east, south and north of each cell in degrees; shape (cells, 4)."""
        west, south = self.origins.T
        north = np.minimum(south + self.cell_size, 90.0)
        return np.column_stack([west, west + self.cell_size, south, north])

    @property
    def widths(self) -> NDArray[np.float64]:
        """From west to east, in degrees; shape (cells,)."""
        return np.full(len(self), self.cell_size)

    @cached_property
    def area(self) -> NDArray[np.float64]:
        """Square kilometres on a sphere of 6371 km radius, as in pyCSEP; shape (cells,)."""
        south, north = np.radians(self.corners[:, 2:].T)
        area: NDArray[np.float64] = (
            _EARTH_RADIUS_KM**2 * np.radians(self.widths) * (np.sin(north) - np.sin(south))
        )
        return area

    @cached_property
    def _grid(self) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """The lowest corner, and the number of the cell at each place of the enclosing rectangle, or -1."""
        if "numbers" in self.derived:
            return self.derived["lowest"], self.derived["numbers"]
        lowest = self.origins.min(axis=0)
        places = np.rint((self.origins - lowest) / self.cell_size).astype(np.intp)
        numbers = np.full(tuple(places.max(axis=0) + 1), -1, dtype=np.int32)
        numbers[places[:, 0], places[:, 1]] = np.arange(len(self.origins))
        return lowest, numbers

    @property
    def box(self) -> tuple[float, float, float, float]:
        """West, east, south and north of the box around all cells, in degrees."""
        (west, south), (n_columns, n_rows) = self._grid[0].tolist(), self._grid[1].shape
        return west, west + n_columns * self.cell_size, south, min(south + n_rows * self.cell_size, 90.0)

    def cells_of(self, longitude: ArrayLike, latitude: ArrayLike) -> NDArray[np.intp]:
        """Give the number of the cell that holds each point, or -1 outside.

        A cell holds its lower and left edge. In a square cell, a point nearer to an edge than its own
        rounding lies on it, by the rule of ``csep.utils.calc.bin1d_vec``; a quadtree cell's edges are exact,
        as in pyCSEP's ``QuadtreeGrid2D.get_index_of``. Longitudes are equal where they differ by a whole
        turn, and the pole belongs to the cells that reach it; pyCSEP knows neither.

        Parameters
        ----------
        longitude, latitude : array_like, shape (points,)
            Degrees east and north.
        """
        east, north = np.broadcast_arrays(
            np.atleast_1d(np.asarray(longitude, dtype=float)),
            np.atleast_1d(np.asarray(latitude, dtype=float)),
        )
        cells = self._cells_at(east, north, np.abs(east) * _EPSILON)
        first, last, _, _ = self.box
        for turn in (_TURN, -_TURN):
            turned = east + turn
            near = (turned >= first - SAME_CELL_DEGREES) & (turned <= last + SAME_CELL_DEGREES)
            missed = np.flatnonzero(near & (cells < 0))
            if len(missed):  # turning rounds once more, by the spacing of numbers near a turn
                cells[missed] = self._cells_at(turned[missed], north[missed], _TURN * _EPSILON)
        return cells

    def _cells_at(
        self, east: NDArray[np.float64], north: NDArray[np.float64], rounding: NDArray[np.float64] | float
    ) -> NDArray[np.intp]:
        lowest, numbers = self._grid
        columns = self._places(east, float(lowest[0]), rounding)
        rows = self._places(north, float(lowest[1]), np.abs(north) * _EPSILON)
        n_columns, n_rows = numbers.shape
        if abs(lowest[1] + n_rows * self.cell_size - 90.0) < SAME_CELL_DEGREES:
            rows[(rows == n_rows) & (north <= 90.0)] = n_rows - 1
        inside = (columns >= 0) & (columns < n_columns) & (rows >= 0) & (rows < n_rows)
        cells = np.full(len(east), -1, dtype=np.intp)
        cells[inside] = numbers[columns[inside].astype(np.intp), rows[inside].astype(np.intp)]
        return cells

    def _places(
        self, points: NDArray[np.float64], lowest: float, rounding: NDArray[np.float64] | float
    ) -> NDArray[np.float64]:
        """Count cells from the lowest corner on along one axis."""
        slack = abs(lowest) * _EPSILON
        places: NDArray[np.float64] = np.floor(
            (points - lowest + rounding + slack) / (self.cell_size - slack)
        )
        return places

    def to_arrays(self) -> Arrays:
        """Give the cells, and what follows from them and takes time: what a cache keeps."""
        lowest, numbers = self._grid
        digest = np.frombuffer(bytes.fromhex(self._digest), dtype=np.uint8)
        return {
            "origins": self.origins,
            "cell_size": np.array([self.cell_size]),
            "lowest": lowest,
            "numbers": numbers,
            "digest": digest,
        }

    @property
    def cells(self) -> NDArray[np.float64]:
        """What gives the cells: `origins`, or `corners` for a quadtree; `from_cells` takes it."""
        return self.origins

    def to_bytes(self) -> bytes:
        """Write `cells` in ``.npy`` form."""
        buffer = io.BytesIO()
        np.save(buffer, self.cells, allow_pickle=False)
        return buffer.getvalue()

    @classmethod
    def from_file(cls, file: BinaryIO, *, name: str, cell_size: float) -> "Region":
        """Read what `to_bytes` wrote, also of a quadtree."""
        cells = read_array(io.BytesIO(file.read()))
        return cls.from_cells(cells, name=name, cell_size=cell_size)

    @classmethod
    def from_cells(cls, cells: NDArray[np.float64], *, name: str, cell_size: float) -> "Region":
        """Lay out square cells by their origins, shape (cells, 2), or quadtree cells by their corners.

        Parameters
        ----------
        cells
            What the attribute of this name gives.
        cell_size
            Not used for quadtree cells, whose corners tell it.
        """
        if cells.shape[1] == 2:
            return Region(name=name, origins=cells, cell_size=cell_size)
        from forequake.regions.quadtree import QuadtreeRegion  # which is built on this module

        return QuadtreeRegion.from_corners(cells, name=name)
