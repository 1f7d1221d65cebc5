"""Small grids, the California example, and pyCSEP itself to compare with, on its own grid of polygons."""

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from forequake.catalogs import Events, read_catalog
from forequake.evaluations import Evaluated, Observation, TestParameters, evaluate, find_test
from forequake.forecasts import fit_to_experiment, read_forecast
from forequake.regions import QuadtreeRegion, Region, named_region
from forequake.windows import TimeWindow

Rates = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class California:
    """The example of a week after the Ridgecrest earthquakes."""

    mainshock: Rates
    aftershock: Rates
    observation: Observation


@pytest.fixture(scope="session")
def observe() -> Callable[..., Observation]:
    """Give an observation from (longitude, latitude, magnitude) triples."""

    def build(
        points: list[tuple[float, float, float]],
        *,
        columns: int = 4,
        rows: int = 3,
        magnitudes: tuple[float, ...] = (4.0, 4.5, 5.0),
    ) -> Observation:
        origins = np.array([[10.0 + x, 40.0 + y] for x in range(columns) for y in range(rows)])
        region = Region(name="small", origins=origins, cell_size=1.0)
        numbers = np.array(points, dtype=np.float64).reshape(-1, 3)
        events = Events(
            time_us=np.arange(len(points), dtype=np.int64),
            longitude=numbers[:, 0],
            latitude=numbers[:, 1],
            depth_km=np.zeros(len(points)),
            magnitude=numbers[:, 2],
            event_id=np.array([f"event-{n}" for n in range(len(points))], dtype=np.str_),
        )
        return Observation(region=region, magnitudes=np.array(magnitudes), events=events)

    return build


@pytest.fixture(scope="session")
def run() -> Callable[..., Evaluated]:
    """Evaluate a test by its letters with few simulations and seed 1."""

    def call(
        letters: str,
        rates: Rates,
        observation: Observation,
        *,
        reference: Rates | None = None,
        num_simulations: int = 50,
        seed: int = 1,
        alpha: float = 0.05,
        variance: float | None = None,
    ) -> Evaluated:
        definition = find_test(letters)
        simulations = num_simulations if definition.simulated else None
        if definition.needs_variance and variance is None:
            variance = 100.0
        return evaluate(
            letters,
            TestParameters.for_test(definition, alpha=alpha, num_simulations=simulations, variance=variance),
            rates,
            observation,
            reference=reference if definition.needs_reference else None,
            seed=seed if definition.simulated else None,
        )

    return call


@contextmanager
def _undisturbed() -> Iterator[None]:
    state = np.random.get_state()  # noqa: NPY002  # pyCSEP draws from it
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        yield
    np.random.set_state(state)  # noqa: NPY002


@pytest.fixture(scope="session")
def pycsep() -> Callable[..., Any]:
    """Call pyCSEP's own function with its own `seed`, on its own grid."""
    from csep.core import binomial_evaluations as binary
    from csep.core import brier_evaluations as brier
    from csep.core import poisson_evaluations as tests
    from csep.core.catalogs import CSEPCatalog
    from csep.core.forecasts import GriddedForecast
    from csep.core.regions import CartesianGrid2D, QuadtreeGrid2D

    functions = {
        "N": tests.number_test,
        "L": tests.likelihood_test,
        "CL": tests.conditional_likelihood_test,
        "S": tests.spatial_test,
        "M": tests.magnitude_test,
        "T": tests.paired_t_test,
        "W": tests.w_test,
        "NBD-N": binary.negative_binomial_number_test,
        "binary S": binary.binary_spatial_test,
        "binary CL": binary.binary_conditional_likelihood_test,
        "Brier": brier.brier_score_test,
        "binary T": binary.binary_paired_t_test,
    }

    @cache
    def grid_of(region: Region, edges: bytes) -> Any:
        magnitudes = np.frombuffer(edges)
        if isinstance(region, QuadtreeRegion):
            return QuadtreeGrid2D.from_quadkeys(region.quadkeys, magnitudes=magnitudes)
        return CartesianGrid2D.from_origins(
            region.origins, dh=region.cell_size, magnitudes=magnitudes, name="pyCSEP"
        )

    def call(
        letters: str,
        rates: Rates,
        observation: Observation,
        *,
        reference: Rates | None = None,
        num_simulations: int = 50,
        seed: int = 1,
        variance: float = 100.0,
    ) -> Any:
        region, events = observation.region, observation.events
        grid = grid_of(region, observation.magnitudes.tobytes())
        columns = (events.latitude, events.longitude, events.depth_km, events.magnitude)
        rows = [(str(n), n, *values) for n, values in enumerate(zip(*columns, strict=True))]
        catalog = CSEPCatalog(data=rows, region=grid, compute_stats=False)
        forecasts = [
            GriddedForecast(data=data, region=grid, magnitudes=observation.magnitudes)
            for data in (rates, reference)
            if data is not None
        ]
        with _undisturbed():
            if letters in ("T", "W", "binary T"):
                return functions[letters](*forecasts, catalog)
            if letters == "N":
                return functions[letters](forecasts[0], catalog)
            if letters == "NBD-N":
                return functions[letters](forecasts[0], catalog, variance)
            return functions[letters](forecasts[0], catalog, num_simulations=num_simulations, seed=seed)

    return call


@pytest.fixture(scope="session")
def california() -> California:
    """Load the data that pyCSEP brings along."""
    from csep.utils import datasets

    window = TimeWindow(
        start=datetime(2019, 7, 6, 3, 20, tzinfo=UTC), end=datetime(2019, 7, 13, 3, 20, tzinfo=UTC)
    )
    region = named_region("california_relm_region")
    magnitudes = np.round(np.arange(41) * 0.1 + 4.95, 2)
    events = read_catalog(Path(datasets.comcat_example_catalog_fname))
    files = (datasets.helmstetter_mainshock_fname, datasets.helmstetter_aftershock_fname)
    mainshock, aftershock = (
        fit_to_experiment(read_forecast(Path(file)), region, magnitudes).rates * (window.years / 5)
        for file in files
    )
    return California(
        mainshock=mainshock,
        aftershock=aftershock,
        observation=Observation(
            region=region,
            magnitudes=magnitudes,
            events=events.cut(
                window=window, region=region, magnitude_min=magnitudes[0], depth_km=(-20.0, 30.0)
            ),
        ),
    )
