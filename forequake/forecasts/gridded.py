"""Gridded forecasts: what a file says, and the rates on an experiment's cells and magnitude bins."""

import io
import math
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from forequake.array_files import read_array
from forequake.results import QualityFinding

__all__ = ["ForecastScope", "ForecastTable", "GriddedRates", "rates_from_file"]


@dataclass(frozen=True)
class ForecastScope:
    """What a file says that its rates are for; None where it says nothing.

    Attributes
    ----------
    valid_from, valid_to
        The span of time, in UTC.
    depth_km
        Top and bottom of the layer; None also where a file gives something that is no depth, such as NaN.
    """

    valid_from: datetime | None = None
    valid_to: datetime | None = None
    depth_km: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        if self.depth_km is not None and not all(map(math.isfinite, self.depth_km)):
            object.__setattr__(self, "depth_km", None)


@dataclass(frozen=True, eq=False)
class ForecastTable:
    """What a file says, before it is laid on an experiment's cells and bins.

    Attributes
    ----------
    path
        For messages.
    corners : array of float64, shape (cells, 4)
        West, east, south, north of each cell, in degrees, in the order of the file. A cell that the file
        gives twice stands here twice.
    magnitudes : array of float64, shape (bins,)
        Lower edges, increasing; or middles, see `bin_width`.
    rates : array of float64, shape (cells, bins)
        Expected numbers of events, over the file's own length of time.
    given : array of bool, shape (cells, bins), optional
        Where the file has a rate; None where it has all. What is not given is zero in `rates`.
    bin_width
        Width of the magnitude bins where the format gives their middles, as ForecastML does.
    scope
        What the file says that it is for.
    findings
        What a reader of results should know.
    doubts
        What the policy ``refuse`` does not take; ``record`` makes findings of them.
    """

    path: Path
    corners: NDArray[np.float64]
    magnitudes: NDArray[np.float64]
    rates: NDArray[np.float64]
    given: NDArray[np.bool_] | None = None
    bin_width: float | None = None
    scope: ForecastScope = ForecastScope()
    findings: tuple[QualityFinding, ...] = ()
    doubts: tuple[QualityFinding, ...] = ()


@dataclass(frozen=True, eq=False)
class GriddedRates:
    """Unscaled rates on an experiment's grid.

    Attributes
    ----------
    rates : array of float64, shape (cells, magnitude bins)
        In the order of the region's cells. It may be mapped from a file and read-only.
    findings
        What a reader of results should know about the forecast.
    scope
        What the file says that it is for; `forequake.forecasts.scope_findings` compares it.
    """

    rates: NDArray[np.float64]
    findings: tuple[QualityFinding, ...] = field(default=())
    scope: ForecastScope = ForecastScope()

    def to_bytes(self) -> bytes:
        """Write the rates in ``.npy`` form."""
        buffer = io.BytesIO()
        np.save(buffer, np.asarray(self.rates), allow_pickle=False)
        return buffer.getvalue()


def rates_from_file(file: BinaryIO) -> NDArray[np.float64]:
    """Read the rates that `GriddedRates.to_bytes` wrote; shape (cells, magnitude bins)."""
    return read_array(io.BytesIO(file.read()))
