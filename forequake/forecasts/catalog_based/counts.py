"""Which events of simulated catalogs count for a test, and where."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from forequake.regions import Region
from forequake.windows import TimeWindow

if TYPE_CHECKING:
    from forequake.forecasts.catalog_based.forecast import CatalogForecast

__all__ = ["COUNTING_VERSION", "CountedEvents", "LeftOut", "count_within", "magnitude_bins"]

#: Version of the rules by which events count; raised by hand with each change of them.
COUNTING_VERSION: Final = 1

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
#: Magnitude edges are evenly spaced where no step differs from the first by more.
_SAME_STEP: Final = 1e-6


@dataclass(frozen=True)
class LeftOut:
    """How many events of a forecast do not count, each reason over all of its events.

    Attributes
    ----------
    before, after
        Events before the window's start, and at its end or later.
    below
        Events below the least magnitude, or without one.
    other_depth
        Events outside the depths, or without one where depths are asked for.
    outside
        Events outside the region.
    """

    before: int = 0
    after: int = 0
    below: int = 0
    other_depth: int = 0
    outside: int = 0


@dataclass(frozen=True, eq=False)
class CountedEvents:
    """The events of a forecast that lie in a window, a region and magnitude bins, with their places.

    Attributes
    ----------
    n_catalogs, n_cells, n_bins
        Numbers of catalogs, of the region's cells, and of magnitude bins.
    event : array of int64, shape (counted events,)
        Which event of the forecast, in its order.
    catalog, cell, bin : array of int32, shape (counted events,)
        Its catalog, the region's cell and the magnitude bin that hold it. Catalogs come in order.
    left_out
        How many events do not count, and why.
    """

    n_catalogs: int
    n_cells: int
    n_bins: int
    event: NDArray[np.int64]
    catalog: NDArray[np.int32]
    cell: NDArray[np.int32]
    bin: NDArray[np.int32]
    left_out: LeftOut

    def __len__(self) -> int:
        return len(self.event)

    def per_catalog(self) -> NDArray[np.int64]:
        """Give the number of events of each catalog, shape (catalogs,): zero for the empty ones."""
        return np.bincount(self.catalog, minlength=self.n_catalogs).astype(np.int64, copy=False)

    def expected_rates(self) -> NDArray[np.float64]:
        """Give the mean number of events of a catalog in each cell and bin, shape (cells, bins).

        It is what ``csep.core.forecasts.CatalogForecast.get_expected_rates`` gives: sums of whole numbers
        divided by the number of catalogs, the empty ones among them.
        """
        places = self.cell.astype(np.int64) * self.n_bins + self.bin
        sums = np.bincount(places, minlength=self.n_cells * self.n_bins)
        return sums.reshape(self.n_cells, self.n_bins) / self.n_catalogs

    def spatial_rates(self) -> NDArray[np.float64]:
        """Give the mean number of events of a catalog in each cell, shape (cells,)."""
        return np.bincount(self.cell, minlength=self.n_cells) / self.n_catalogs

    def per_bin(self) -> NDArray[np.int64]:
        """Give the number of events of all catalogs in each magnitude bin, shape (bins,)."""
        return np.bincount(self.bin, minlength=self.n_bins).astype(np.int64, copy=False)

    def per_catalog_and_bin(self, begin: int = 0, end: int | None = None) -> NDArray[np.int64]:
        """Give the number of events of each catalog in each magnitude bin, shape (end - begin, bins).

        Parameters
        ----------
        begin, end
            The catalogs to look at, all where nothing is said.
        """
        last = self.n_catalogs if end is None else min(end, self.n_catalogs)
        where = slice(*np.searchsorted(self.catalog, np.array([begin, last], dtype=self.catalog.dtype)))
        places = (self.catalog[where].astype(np.int64) - begin) * self.n_bins + self.bin[where]
        sums = np.bincount(places, minlength=(last - begin) * self.n_bins)
        return sums.reshape(last - begin, self.n_bins).astype(np.int64, copy=False)


def count_within(
    forecast: "CatalogForecast",
    region: Region,
    magnitudes: NDArray[np.float64],
    window: TimeWindow | None,
    depth_km: tuple[float, float] | None,
) -> CountedEvents:
    """Do what `CatalogForecast.within` says, one piece of the events at a time."""
    found: list[tuple[NDArray[np.int64], NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]] = []
    reasons = np.zeros(5, dtype=np.int64)
    for where, catalogs in forecast.chunks():
        cells = region.cells_of(forecast.longitude[where], forecast.latitude[where])
        outs = (
            *_outside_time(forecast.time_us[where], window),
            ~(forecast.magnitude[where] >= magnitudes[0]),
            _outside_depth(forecast.depth_km[where], depth_km),
            cells < 0,
        )
        reasons += [int(out.sum()) for out in outs]
        chosen = np.flatnonzero(~np.logical_or.reduce(outs))
        bins = magnitude_bins(forecast.magnitude[where][chosen], magnitudes)
        found.append((where.start + chosen, catalogs[chosen], cells[chosen].astype(np.int32), bins))
    return CountedEvents(
        n_catalogs=len(forecast),
        n_cells=len(region),
        n_bins=len(magnitudes),
        event=np.concatenate([np.zeros(0, np.int64), *(piece[0] for piece in found)]),
        catalog=np.concatenate([np.zeros(0, np.int32), *(piece[1] for piece in found)]),
        cell=np.concatenate([np.zeros(0, np.int32), *(piece[2] for piece in found)]),
        bin=np.concatenate([np.zeros(0, np.int32), *(piece[3] for piece in found)]),
        left_out=LeftOut(*(int(number) for number in reasons)),
    )


def magnitude_bins(magnitude: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int32]:
    """Give the bin of each magnitude, shape (events,), by the rule of ``csep.utils.calc.bin1d_vec``.

    A magnitude nearer to an edge than its own rounding lies on it. Unlike pyCSEP's, bins of several widths
    are told apart.

    Parameters
    ----------
    magnitude : array of float64, shape (events,)
        None below the first edge.
    edges : array of float64, shape (bins,)
        Lower edges, increasing; the last bin is open.
    """
    epsilon = np.finfo(float).eps
    steps = np.diff(edges)
    slack = abs(edges[0]) * epsilon
    rounding = np.abs(magnitude) * epsilon + slack
    if len(steps) and np.all(np.abs(steps - steps[0]) < _SAME_STEP):
        places = np.floor((magnitude - edges[0] + rounding) / (steps[0] - slack))
    else:
        places = (np.searchsorted(edges, magnitude + rounding, side="right") - 1).astype(np.float64)
    bins: NDArray[np.int32] = np.clip(places, 0, len(edges) - 1).astype(np.int32)
    return bins


def _outside_time(
    times: NDArray[np.int64], window: TimeWindow | None
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which events lie before the window and which after it."""
    if window is None:
        nowhere = np.zeros(len(times), np.bool_)
        return nowhere, nowhere
    start, end = ((moment - _EPOCH) // _MICROSECOND for moment in (window.start, window.end))
    return times < start, times >= end


def _outside_depth(depths: NDArray[np.float64], depth_km: tuple[float, float] | None) -> NDArray[np.bool_]:
    if depth_km is None:
        return np.zeros(len(depths), np.bool_)
    least = -np.inf if depth_km[0] == 0 else depth_km[0]
    return ~((depths >= least) & (depths <= depth_km[1]))
