"""Regions of square cells in degrees, and the magnitude bins that go with them."""

import io
from dataclasses import dataclass
from functools import cached_property
from typing import BinaryIO, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from forequake.keys import KeyInputs, array_digest
from forequake.quantities import Sha256

__all__ = ["SAME_CELL_DEGREES", "Region"]

#: Two cells are one where their corners lie this near: files and builders differ by rounding only.
SAME_CELL_DEGREES = 1e-6


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
        Side of a cell in degrees.
    """

    name: str
    origins: NDArray[np.float64]
    cell_size: float

    def __len__(self) -> int:
        return len(self.origins)

    @property
    def inputs(self) -> _RegionInputs:
        """What the key is made of: the corners to 1e-6 degrees, so that rounding makes no other region."""
        rounded = np.round(self.origins, 6) + 0.0
        return _RegionInputs(origins=array_digest(rounded), cell_size=round(self.cell_size, 6))

    @cached_property
    def _grid(self) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
        """The lowest corner, and the number of the cell at each place of the enclosing rectangle, or -1."""
        lowest = self.origins.min(axis=0)
        places = np.rint((self.origins - lowest) / self.cell_size).astype(np.intp)
        numbers = np.full(tuple(places.max(axis=0) + 1), -1, dtype=np.intp)
        numbers[places[:, 0], places[:, 1]] = np.arange(len(self.origins))
        return lowest, numbers

    def cells_of(self, longitude: ArrayLike, latitude: ArrayLike) -> NDArray[np.intp]:
        """Give the number of the cell that holds each point, or -1 outside.

        A cell holds its lower and left edge. A point nearer to an edge than its own rounding lies on it, by
        the rule of ``csep.utils.calc.bin1d_vec``.

        Parameters
        ----------
        longitude, latitude : array_like, shape (points,)
            Degrees east and north.
        """
        lowest, numbers = self._grid
        points = np.column_stack([np.asarray(longitude, float), np.asarray(latitude, float)])
        epsilon = np.finfo(float).eps
        slack = np.abs(lowest) * epsilon
        raised = points - lowest + np.abs(points) * epsilon + slack
        places = np.floor(raised / (self.cell_size - slack)).astype(np.intp)
        inside = np.all((places >= 0) & (places < numbers.shape), axis=1)
        cells = np.full(len(points), -1, dtype=np.intp)
        cells[inside] = numbers[places[inside, 0], places[inside, 1]]
        return cells

    def to_bytes(self) -> bytes:
        """Write the corners in ``.npy`` form."""
        buffer = io.BytesIO()
        np.save(buffer, self.origins, allow_pickle=False)
        return buffer.getvalue()

    @classmethod
    def from_file(cls, file: BinaryIO, *, name: str, cell_size: float) -> Self:
        """Read what `to_bytes` wrote."""
        origins = np.load(io.BytesIO(file.read()), allow_pickle=False)
        return cls(name=name, origins=origins, cell_size=cell_size)
