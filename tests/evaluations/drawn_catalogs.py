"""Simulated catalogs and target events on a small grid, and pyCSEP's own tests of them."""

import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forequake.catalogs import Events
from forequake.evaluations import Observation
from forequake.forecasts.catalog_based import CatalogForecast, CountedEvents, LeftOut
from forequake.forecasts.catalog_based.compact import Header
from forequake.regions import Region
from forequake.windows import TimeWindow

NAMES: Final = (
    "catalog_number",
    "catalog_spatial",
    "catalog_pseudolikelihood",
    "catalog_magnitude",
    "catalog_resampled_magnitude",
    "catalog_mll_magnitude",
)
SEEDED: Final = NAMES[4:]
MAGNITUDES: Final = np.round(4.95 + 0.1 * np.arange(12), 2)
WINDOW: Final = TimeWindow(start=datetime(2020, 1, 1, tzinfo=UTC), end=datetime(2020, 1, 8, tzinfo=UTC))
_FUNCTIONS: Final = {
    "catalog_number": "number_test",
    "catalog_spatial": "spatial_test",
    "catalog_pseudolikelihood": "pseudolikelihood_test",
    "catalog_magnitude": "magnitude_test",
    "catalog_resampled_magnitude": "resampled_magnitude_test",
    "catalog_mll_magnitude": "MLL_magnitude_test",
}


@dataclass(frozen=True, eq=False)
class Drawn:
    """A forecast, what of it counts, and what was observed."""

    forecast: CatalogForecast
    counted: CountedEvents
    observation: Observation


def grid(columns: int, rows: int) -> Region:
    """Give cells of one degree, from 10 degrees east and 40 degrees north on."""
    return Region("small", np.array([[10.0 + x, 40.0 + y] for x in range(columns) for y in range(rows)]), 1.0)


def events_in(region: Region, cells: NDArray[np.intp], magnitudes: NDArray[np.float64]) -> Events:
    """Give events in the middle of cells."""
    number = len(cells)
    return Events(
        time_us=np.arange(number, dtype=np.int64),
        longitude=region.origins[cells, 0] + region.cell_size / 2,
        latitude=region.origins[cells, 1] + region.cell_size / 2,
        depth_km=np.zeros(number),
        magnitude=magnitudes.astype(np.float64),
        event_id=np.arange(number).astype(np.str_),
    )


def counted_events(catalogs: list[list[tuple[int, int]]], n_cells: int, n_bins: int) -> CountedEvents:
    """Give counted events from the cells and bins of each catalog's events."""
    places = np.array([place for events in catalogs for place in events], dtype=np.int32).reshape(-1, 2)
    owners = [number for number, events in enumerate(catalogs) for _ in events]
    return CountedEvents(
        n_catalogs=len(catalogs),
        n_cells=n_cells,
        n_bins=n_bins,
        event=np.arange(len(places)),
        catalog=np.array(owners, dtype=np.int32),
        cell=places[:, 0],
        bin=places[:, 1],
        left_out=LeftOut(),
    )


def draw(seed: int, *, n_catalogs: int = 60, mean: float = 5.0) -> Drawn:
    """Draw catalogs of several sizes, an empty one among them, and target events from much the same rates."""
    random = np.random.default_rng(seed)
    region = grid(5, 4)
    weights = random.gamma(0.3, size=20)
    sizes = random.poisson(mean * random.gamma(1.0, size=n_catalogs))
    sizes[0] = 0
    number = int(sizes.sum())
    events = events_in(
        region, random.choice(20, number, p=weights / weights.sum()), _magnitudes(random, number)
    )
    offsets = np.concatenate([[0], np.cumsum(sizes)])
    forecast = CatalogForecast(
        path=Path("drawn"),
        header=Header(n_catalogs, number, n_catalogs, 0, n_catalogs - 1, 0),
        offsets=offsets,
        time_us=events.time_us,
        longitude=events.longitude,
        latitude=events.latitude,
        depth_km=events.depth_km,
        magnitude=events.magnitude,
    )
    observed = int(random.integers(1, 12))
    target = random.choice(20, observed, p=(weights + 0.05) / (weights + 0.05).sum())
    return Drawn(
        forecast=forecast,
        counted=forecast.within(region=region, magnitudes=MAGNITUDES),
        observation=Observation(region, MAGNITUDES, events_in(region, target, _magnitudes(random, observed))),
    )


def _magnitudes(random: np.random.Generator, number: int) -> NDArray[np.float64]:
    # No edges among them: pyCSEP's full MLL-test bins those in another way than everything else.
    return 4.95 + np.minimum(np.floor(random.exponential(0.3, number) * 10) / 10, 3) + 0.04


class PyCsep:
    """pyCSEP's own tests of a drawn forecast, on a grid of its own; mean rates are computed once.

    Parameters
    ----------
    region
        pyCSEP's grid with its magnitudes.
    """

    def __init__(self, drawn: Drawn, region: Any) -> None:
        from csep.core.catalogs import CSEPCatalog

        from tests.evaluations.csep_catalogs import csep_forecast

        events = drawn.observation.events
        columns = (events.latitude, events.longitude, events.depth_km, events.magnitude)
        rows = [(str(n), n, *values) for n, values in enumerate(zip(*columns, strict=True))]
        self._catalog = CSEPCatalog(data=rows, region=region, compute_stats=False)
        self._forecast = csep_forecast(drawn.forecast, drawn.counted, region, WINDOW)

    def __call__(self, test: str, *, seed: int | None = None, **arguments: bool) -> Any:
        """Call a test's function, with its own `seed` where it draws."""
        from csep.core import catalog_evaluations

        function = getattr(catalog_evaluations, _FUNCTIONS[test])
        seeded = {"seed": seed} if test in SEEDED else {}
        state = np.random.get_state()  # noqa: NPY002  # pyCSEP draws from it
        with warnings.catch_warnings(), np.errstate(all="ignore"):
            warnings.simplefilter("ignore")
            result = function(self._forecast, self._catalog, **seeded, **arguments)
        np.random.set_state(state)  # noqa: NPY002
        return result
