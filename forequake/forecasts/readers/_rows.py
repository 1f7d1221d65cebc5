"""Rows of one rate each, collected into cells and magnitude bins whatever their order."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.errors import ForecastError

__all__ = ["RowCollector", "RowTable"]

#: Corners, magnitudes, rates and where they are given: the fields of a `ForecastTable`.
RowTable = tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_] | None]

#: Corners and edges are one where they are equal to so many decimals.
_DECIMALS: Final = 6
#: Rows that leave more than this many places of their table empty for each one they fill are no table.
_SPARSEST: Final = 50


@dataclass
class RowCollector:
    """Takes rows in batches; holds one corner a cell, and one rate a row, while they come in CSEP's order.

    In that order every cell has all magnitude bins one after the other. From the first row that breaks it
    on, the rows are held whole, and are sorted in the end.

    Attributes
    ----------
    path
        For messages.
    """

    path: Path
    _bins: NDArray[np.float64] = field(default_factory=lambda: np.empty(0))
    _corners: list[NDArray[np.float64]] = field(default_factory=list)
    _rates: list[NDArray[np.float64]] = field(default_factory=list)
    _left: NDArray[np.float64] = field(default_factory=lambda: np.empty((6, 0)))
    _loose: list[NDArray[np.float64]] | None = None

    def add(
        self,
        corners: list[NDArray[np.float64]],
        magnitudes: NDArray[np.float64],
        rates: NDArray[np.float64],
    ) -> None:
        """Take rows.

        Parameters
        ----------
        corners : list of four arrays of float64, shape (rows,)
            West, east, south, north.
        magnitudes, rates : array of float64, shape (rows,)
            Lower edge of the bin, and its rate.
        """
        rows = np.concatenate([self._left, np.array([*corners, magnitudes, rates])], axis=1)
        if self._loose is not None:
            self._loose.append(rows)
            return
        if not len(self._bins):
            self._bins = _first_cell(rows)
        n_bins = len(self._bins)
        whole = rows.shape[1] // n_bins * n_bins
        cells = rows[:, :whole].reshape(6, -1, n_bins)
        regular = bool((cells[:4] == cells[:4, :, :1]).all() and (cells[4] == self._bins).all())
        if regular and np.all(np.diff(self._bins) > 0):
            self._corners.append(cells[:4, :, 0].T.copy())  # not a view, which would hold all rows
            self._rates.append(cells[5].copy())
            self._left = rows[:, whole:]
        else:
            self._loose = [*self._undone(), rows]
            self._left = np.empty((6, 0))

    def table(self) -> RowTable:
        """Give all that was taken.

        Raises
        ------
        ForecastError
            Where nothing was taken, or the rows have too little in common.
        """
        if self._loose is None and not self._left.shape[1] and self._corners:
            magnitudes = np.round(self._bins, _DECIMALS)
            if np.all(np.diff(magnitudes) > 0):
                return np.concatenate(self._corners), magnitudes, np.concatenate(self._rates), None
        loose = self._loose if self._loose is not None else [*self._undone(), self._left]
        rows = np.concatenate(loose, axis=1) if loose else self._left
        if not rows.shape[1]:
            message = f"{self.path}: the file has no rates"
            raise ForecastError(message)
        return self._sorted(rows)

    def _undone(self) -> list[NDArray[np.float64]]:
        """Give what was taken in CSEP's order as single rows again."""
        n_bins = len(self._bins)
        return [
            np.vstack(
                [np.repeat(corners.T, n_bins, axis=1), np.tile(self._bins, len(corners)), rates.ravel()]
            )
            for corners, rates in zip(self._corners, self._rates, strict=True)
        ]

    def _sorted(self, rows: NDArray[np.float64]) -> RowTable:
        """Put rows into a table: cells in order of their first row; a repeated row begins a new cell."""
        with np.errstate(over="ignore"):  # no corner is so large, and the fitting says so
            rounded = np.round(rows[:5], _DECIMALS) + 0.0
        _, first, cells = np.unique(rounded[:4], axis=1, return_index=True, return_inverse=True)
        rank = np.argsort(np.argsort(first))
        cells = rank[cells.ravel()]
        magnitudes, bins = np.unique(rounded[4], return_inverse=True)
        if len(first) * len(magnitudes) > _SPARSEST * rows.shape[1] + 1_000_000:
            message = (
                f"{self.path}: {rows.shape[1]} rows speak of {len(first)} cells and {len(magnitudes)} "
                "magnitudes; nearly all of their combinations have no rate"
            )
            raise ForecastError(message)
        times = _times_before(cells * len(magnitudes) + bins)
        lines, place = np.unique(np.column_stack([times, cells]), axis=0, return_inverse=True)
        corners = rows[:4, np.sort(first)].T
        rates = np.zeros((len(lines), len(magnitudes)))
        given = np.zeros(rates.shape, dtype=bool)
        rates[place.ravel(), bins] = rows[5]
        given[place.ravel(), bins] = True
        return corners[lines[:, 1]], magnitudes, rates, None if given.all() else given


def _first_cell(rows: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the magnitudes of the rows up to the first one of another cell."""
    other = (rows[:4] != rows[:4, :1]).any(axis=0)
    return rows[4, : int(np.argmax(other)) if other.any() else len(other)]


def _times_before(values: NDArray[np.intp]) -> NDArray[np.intp]:
    """Count, for each value, how many before it are equal to it."""
    order = np.argsort(values, kind="stable")
    ordered = values[order]
    new = np.append(True, ordered[1:] != ordered[:-1])
    since = np.arange(len(values)) - np.maximum.accumulate(np.where(new, np.arange(len(values)), 0))
    times = np.empty(len(values), dtype=np.intp)
    times[order] = since
    return times
