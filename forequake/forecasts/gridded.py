"""Gridded forecasts on an experiment's cells and magnitude bins, and what their reading found."""

import io
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

import numpy as np
from numpy.typing import NDArray

from forequake.errors import ForecastError
from forequake.regions import SAME_CELL_DEGREES, Region
from forequake.results import QualityFinding

__all__ = ["ForecastTable", "GriddedRates", "fit_to_experiment", "rates_from_file"]

#: Two magnitude edges are one where they lie this near: files print them with two decimals.
_SAME_MAGNITUDE: Final = 1e-6
#: More events than any forecast means: beyond it, sums and logarithms of rates lose their meaning too.
_MOST_EVENTS: Final = 1e12


@dataclass(frozen=True, eq=False)
class ForecastTable:
    """What a file says, before it is laid on an experiment's cells and bins.

    Attributes
    ----------
    path
        For messages.
    corners : array of float64, shape (rows, 4)
        West, east, south, north of each row's cell, in degrees.
    magnitudes : array of float64, shape (bins,)
        Lower edges, increasing.
    bins : array of intp, shape (rows,)
        Which of `magnitudes` each row speaks of.
    rates : array of float64, shape (rows,)
        Expected numbers of events, over the file's own length of time.
    findings
        What the reader of the format noticed.
    """

    path: Path
    corners: NDArray[np.float64]
    magnitudes: NDArray[np.float64]
    bins: NDArray[np.intp]
    rates: NDArray[np.float64]
    findings: tuple[QualityFinding, ...] = ()


@dataclass(frozen=True, eq=False)
class GriddedRates:
    """Unscaled rates on an experiment's grid.

    Attributes
    ----------
    rates : array of float64, shape (cells, magnitude bins)
        In the order of the region's cells.
    findings
        What a reader of results should know about the forecast.
    """

    rates: NDArray[np.float64]
    findings: tuple[QualityFinding, ...] = field(default=())

    def to_bytes(self) -> bytes:
        """Write the rates in ``.npy`` form."""
        buffer = io.BytesIO()
        np.save(buffer, self.rates, allow_pickle=False)
        return buffer.getvalue()


def rates_from_file(file: BinaryIO) -> NDArray[np.float64]:
    """Read the rates that `GriddedRates.to_bytes` wrote; shape (cells, magnitude bins)."""
    rates: NDArray[np.float64] = np.load(io.BytesIO(file.read()), allow_pickle=False)
    return rates


def fit_to_experiment(table: ForecastTable, region: Region, magnitudes: NDArray[np.float64]) -> GriddedRates:
    """Lay a forecast on an experiment's cells and bins, whatever the order of its rows.

    Cells and bins are compared with a tolerance. Missing bins at the top are taken as zero, with a finding,
    since the last bin of a forecast is open and floatCSEP's experiments rely on it; any other difference is
    refused, because a test would silently compare different things.

    Parameters
    ----------
    magnitudes : array of float64, shape (bins,)
        Lower edges of the experiment's magnitude bins.

    Raises
    ------
    ForecastError
        Where a rate is negative or not finite, a cell is not in the region, missing or repeated, or the
        magnitude bins are not the experiment's.
    """
    _refuse_bad_rates(table)
    _refuse_endless_total(table)
    cells = _cells(table, region)
    n_bins = _common_bins(table, magnitudes)
    rates = np.zeros((len(region), len(magnitudes)))
    given = np.zeros(rates.shape, dtype=np.intp)
    np.add.at(given, (cells, table.bins), 1)
    if (given > 1).any():
        cell, place = np.argwhere(given > 1)[0]
        message = (
            f"{table.path}: the cell at {_corner(region, cell)} is given more than once "
            f"for magnitude {magnitudes[place]:g}"
        )
        raise ForecastError(message)
    missing = given[:, :n_bins] == 0
    if missing.any():
        cell, place = np.argwhere(missing)[0]
        message = (
            f"{table.path}: {int(missing.any(axis=1).sum())} of the region's {len(region)} cells have no "
            f"rate, first the one at {_corner(region, cell)} for magnitude {magnitudes[place]:g}; the file "
            f"is cut short or made for another region than {region.name}"
        )
        raise ForecastError(message)
    rates[cells, table.bins] = table.rates
    return GriddedRates(rates=rates, findings=table.findings + _findings(rates, magnitudes, n_bins))


def _refuse_bad_rates(table: ForecastTable) -> None:
    if not len(table.rates):
        message = f"{table.path}: the file has no rates"
        raise ForecastError(message)
    for bad, what in ((~np.isfinite(table.rates), "not finite"), (table.rates < 0, "negative")):
        if bad.any():
            row = int(np.argmax(bad))
            west, _, south, _ = table.corners[row]
            message = (
                f"{table.path}: {int(bad.sum())} rates are {what}, first {table.rates[row]} in the cell at "
                f"{west:g}, {south:g} for magnitude {table.magnitudes[table.bins[row]]:g}"
            )
            raise ForecastError(message)


def _refuse_endless_total(table: ForecastTable) -> None:
    with np.errstate(over="ignore"):
        total = table.rates.sum()
    if not total < _MOST_EVENTS:
        message = f"{table.path}: the rates add up to {total:g} events; that is no forecast of earthquakes"
        raise ForecastError(message)


def _cells(table: ForecastTable, region: Region) -> NDArray[np.intp]:
    """Find the region's cell of each row, by its centre; its corners must agree too."""
    west, east, south, north = table.corners.T
    cells = region.cells_of((west + east) / 2, (south + north) / 2)
    expected = region.origins[cells]
    apart = np.maximum.reduce(
        [
            np.abs(west - expected[:, 0]),
            np.abs(south - expected[:, 1]),
            np.abs(east - west - region.cell_size),
            np.abs(north - south - region.cell_size),
        ]
    )
    strange = (cells < 0) | (apart > SAME_CELL_DEGREES)
    if strange.any():
        row = int(np.argmax(strange))
        count = len(np.unique(table.corners[strange], axis=0))
        message = (
            f"{table.path}: {count} cells are not cells of the region {region.name} "
            f"({len(region)} cells of {region.cell_size:g} degrees), first the one from "
            f"{west[row]:g}, {south[row]:g} to {east[row]:g}, {north[row]:g}; the forecast is made for "
            "another region"
        )
        raise ForecastError(message)
    return cells


def _common_bins(table: ForecastTable, magnitudes: NDArray[np.float64]) -> int:
    """Give the number of the experiment's bins that the forecast has: all, or all but some at the top."""
    n_bins = len(table.magnitudes)
    if n_bins <= len(magnitudes) and np.all(np.abs(table.magnitudes - magnitudes[:n_bins]) < _SAME_MAGNITUDE):
        return n_bins
    message = (
        f"{table.path}: the magnitude bins are not the experiment's: {_edges(table.magnitudes)} "
        f"instead of {_edges(magnitudes)}"
    )
    raise ForecastError(message)


def _findings(
    rates: NDArray[np.float64], magnitudes: NDArray[np.float64], n_bins: int
) -> tuple[QualityFinding, ...]:
    findings: list[QualityFinding] = []
    zeros = int((rates[:, :n_bins] == 0).sum())
    if zeros:
        message = f"{zeros} of {rates[:, :n_bins].size} rates are zero: an event there refutes the forecast"
        findings.append(QualityFinding(code="zero_rates", severity="note", message=message, count=zeros))
    if n_bins < len(magnitudes):
        missing = len(magnitudes) - n_bins
        message = f"no rates for magnitudes from {magnitudes[n_bins]:g} on: taken as zero"
        findings.append(
            QualityFinding(code="missing_top_magnitudes", severity="warning", message=message, count=missing)
        )
    return tuple(findings)


def _corner(region: Region, cell: int) -> str:
    return f"{region.origins[cell, 0]:g}, {region.origins[cell, 1]:g}"


def _edges(magnitudes: NDArray[np.float64]) -> str:
    return f"{len(magnitudes)} bins from {magnitudes[0]:g} to {magnitudes[-1]:g}"
