"""Forecasts summed up: over magnitudes, and over the cells of each pixel of a map; no Streamlit.

Never whole: the rates of a global forecast fill gigabytes.
"""

from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from dashboard._rates import summed_rates
from dashboard.figures.events import SeenEvents, seen_events
from dashboard.figures.growth import Growth, poisson_growth, simulated_growth
from dashboard.figures.pixels import Pixels
from forequake.evaluations import Observation
from forequake.experiments import Experiment
from forequake.forecasts.catalog_based import CountedEvents
from forequake.quantities import Sha256
from forequake.results import CatalogForecastRecord, ForecastRecord
from forequake.shelf import ForecastShelf
from forequake.windows import TimeWindow
from stores import ResultsStore

__all__ = ["ForecastSums", "growth_of", "seen_in", "sums_of"]

#: The middle 95 % of the numbers of simulated catalogs.
_BAND: Final = (0.025, 0.975)


@dataclass(frozen=True, eq=False)
class ForecastSums:
    """A forecast for one window, summed up.

    Attributes
    ----------
    record
        Key of the forecast's record.
    kind
        Rates, or simulated catalogs.
    per_pixel : array of float64, shape (rows, columns)
        Expected number of events in each pixel of the region's map, from the magnitude bin on that was asked
        for.
    per_bin : array of float64, shape (bins,)
        Expected number of events in each magnitude bin, over all cells.
    band : array of float64, shape (2, bins), or None
        Between these lie the numbers of 95 % of the simulated catalogs.
    at_events : array of float64, shape (events,)
        Expected number in the cell and bin of each observed event of the window.
    n_catalogs
        Simulated catalogs.
    """

    record: Sha256
    kind: Literal["gridded", "catalog"]
    per_pixel: NDArray[np.float64]
    per_bin: NDArray[np.float64]
    band: NDArray[np.float64] | None
    at_events: NDArray[np.float64]
    n_catalogs: int | None

    @property
    def total(self) -> float:
        """Expected number of events in the window, over all cells and bins."""
        return float(self.per_bin.sum())


def seen_in(found: Experiment, window: TimeWindow, pixels: Pixels) -> SeenEvents:
    """Give all events of the catalog in a window and on the map, and why some do not count."""
    return seen_events(
        found.events,
        window=window,
        region=found.region,
        magnitude_min=found.config.magnitudes[0],
        depth_km=found.config.depth_km,
        pixels=pixels,
    )


def sums_of(
    store: ResultsStore,
    found: Experiment,
    pixels: Pixels,
    model: str,
    window: TimeWindow,
    from_bin: int = 0,
) -> ForecastSums:
    """Read a model's forecast for a window, and sum it up.

    Parameters
    ----------
    from_bin
        The first magnitude bin that counts in `ForecastSums.per_pixel`.

    Raises
    ------
    NotFound
        Where the forecast was never made, or the store has it no more.
    ForecastError
        Where there is none for the window.
    """
    key = found.forecast_key(model, window)
    if found.is_catalog_based(model):
        return _of_catalogs(store, found, pixels, key, model, window, from_bin)
    record = store.get(ForecastRecord, key)
    observation = found.observation(window)
    with store.open_blob(record.rates.sha256) as file:
        sums = summed_rates(file, observation.cells, observation.bins, from_bin)
    return ForecastSums(
        record=key,
        kind="gridded",
        per_pixel=pixels.sums(sums.per_cell) * record.scale,
        per_bin=sums.per_bin * record.scale,
        band=None,
        at_events=sums.at_events * record.scale,
        n_catalogs=None,
    )


def _of_catalogs(
    store: ResultsStore,
    found: Experiment,
    pixels: Pixels,
    key: Sha256,
    model: str,
    window: TimeWindow,
    from_bin: int,
) -> ForecastSums:
    record = store.get(CatalogForecastRecord, key)
    counted = ForecastShelf(found, store).catalogs(model, window)
    per_cell = np.bincount(counted.cell[counted.bin >= from_bin], minlength=counted.n_cells)
    observation = found.observation(window)
    at_events = _at(counted, observation) if len(observation.events) else np.zeros(0)
    return ForecastSums(
        record=key,
        kind="catalog",
        per_pixel=pixels.sums(per_cell.astype(np.float64)) / counted.n_catalogs,
        per_bin=counted.per_bin() / counted.n_catalogs,
        band=np.quantile(counted.per_catalog_and_bin(), _BAND, axis=0),
        at_events=at_events / counted.n_catalogs,
        n_catalogs=record.n_catalogs,
    )


def growth_of(
    store: ResultsStore, found: Experiment, model: str, window: TimeWindow, sums: ForecastSums
) -> Growth:
    """Give the numbers of events that a model expects up to each moment of a window.

    Parameters
    ----------
    sums
        Of the same forecast.

    Raises
    ------
    NotFound
        Where the store has the forecast no more.
    """
    if not found.is_catalog_based(model):
        return poisson_growth(sums.total, window)
    simulated = ForecastShelf(found, store).simulated(model, window)
    counted = simulated.counted
    return simulated_growth(
        simulated.forecast.time_us[counted.event], counted.catalog, counted.n_catalogs, window
    )


def _at(counted: CountedEvents, observation: Observation) -> NDArray[np.float64]:
    """Count simulated events in the cells and bins of observed ones."""
    n_bins = len(observation.magnitudes)
    places = counted.cell.astype(np.int64) * n_bins + counted.bin
    wanted, which = np.unique(observation.places, return_inverse=True)
    found = np.searchsorted(wanted, places)
    hits = found[(found < len(wanted)) & (wanted[np.minimum(found, len(wanted) - 1)] == places)]
    return np.bincount(hits, minlength=len(wanted)).astype(np.float64)[which]
