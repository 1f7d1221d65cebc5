"""Stored rates, summed up while they are read: those of a global forecast would fill the memory."""

from dataclasses import dataclass
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from forequake.errors import CorruptRecord

__all__ = ["SummedRates", "summed_rates"]

#: Rates that are in memory at once.
_MOST: Final = 1 << 20
_RATE: Final = np.dtype("<f8")


@dataclass(frozen=True, eq=False)
class SummedRates:
    """Unscaled rates, summed up.

    Attributes
    ----------
    per_cell : array of float64, shape (cells,)
        Over the magnitude bins from the one on that was asked for.
    per_bin : array of float64, shape (bins,)
        Over all cells.
    at_events : array of float64, shape (events,)
        In the cells and bins of events.
    """

    per_cell: NDArray[np.float64]
    per_bin: NDArray[np.float64]
    at_events: NDArray[np.float64]


def summed_rates(
    file: BinaryIO, cells: NDArray[np.intp], bins: NDArray[np.intp], from_bin: int = 0
) -> SummedRates:
    """Sum up what `forequake.forecasts.gridded.GriddedRates.to_bytes` wrote, block by block.

    Parameters
    ----------
    cells, bins : array of int, shape (events,)
        Of events.
    from_bin
        The first magnitude bin that counts in the sum of a cell.

    Raises
    ------
    CorruptRecord
        Where the file ends too early or is no array of rates.
    """
    n_cells, n_bins = _shape(file)
    per_cell, per_bin, at_events = np.empty(n_cells), np.zeros(n_bins), np.zeros(len(cells))
    step = max(_MOST // n_bins, 1)
    for first in range(0, n_cells, step):
        last = min(first + step, n_cells)
        data = file.read((last - first) * n_bins * _RATE.itemsize)
        if len(data) < (last - first) * n_bins * _RATE.itemsize:
            message = "the rates of a forecast end too early"
            raise CorruptRecord(message)
        rates = np.frombuffer(data, dtype=_RATE).reshape(-1, n_bins)
        per_cell[first:last] = rates[:, from_bin:].sum(axis=1)
        per_bin += rates.sum(axis=0)
        here = (cells >= first) & (cells < last)
        at_events[here] = rates[cells[here] - first, bins[here]]
    file.read(1)  # at its end a blob's hash is checked
    return SummedRates(per_cell, per_bin, at_events)


def _shape(file: BinaryIO) -> tuple[int, int]:
    """Read the head of an array: its numbers of cells and bins."""
    try:
        np.lib.format.read_magic(file)
        shape, by_columns, kind = np.lib.format.read_array_header_1_0(file)
    except ValueError as error:
        message = f"the rates of a forecast are no array: {error}"
        raise CorruptRecord(message) from error
    if by_columns or len(shape) != 2 or kind != _RATE:
        message = f"the rates of a forecast are stored as an array of shape {shape} and type {kind}"
        raise CorruptRecord(message)
    return shape[0], shape[1]
