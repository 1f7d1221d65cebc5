"""The tests of gridded forecasts beside pyCSEP's: California, Italy, a global grid of half a degree.

Each test is run by pyCSEP and by forequake in turn, with the same rates, events and seed, and their quantiles
are compared. forequake's time is that of `evaluate` with plain rates and a new observation: the events are
put on the grid and the sums of the rates are computed within it, each time. pyCSEP's is that of its function
on a forecast and a catalog that exist already.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import Turns, cpu_ms, median_cpu_ms
from forequake.catalogs import Events
from forequake.evaluations import Evaluated, Observation, TestParameters, evaluate, find_test
from forequake.evaluations.kernels import (
    BinRates,
    PreparedForecast,
    observed_log_likelihood,
    simulated_log_likelihoods,
)
from forequake.evaluations.kernels.cumulative import CumulativeRates
from forequake.forecasts import fit_to_experiment, read_forecast
from forequake.regions import Region, build_region, named_region
from forequake.regions.specs import GlobalRegion

__all__ = [
    "CASES",
    "GriddedCase",
    "binary_rows",
    "gridded_case",
    "parts_of_conditional_likelihood",
    "poisson_rows",
]

CASES: Final = ("california", "italy", "global")
_SIMULATIONS: Final = 1000
_SEED: Final = 42
_POISSON: Final = ("L", "CL", "S", "M")
_BINARY: Final = ("binary S", "binary CL", "Brier")
_COMPARED: Final = ("T", "W")
_PLAIN: Final = ("N", *_COMPARED)


@dataclass(frozen=True, eq=False)
class GriddedCase:
    """A forecast, a reference, and events that are drawn from the forecast."""

    name: str
    region: Region
    magnitudes: NDArray[np.float64]
    rates: NDArray[np.float64]
    reference: NDArray[np.float64]
    events: Events

    def observation(self) -> Observation:
        """Give the events, not yet on the grid."""
        return Observation(region=self.region, magnitudes=self.magnitudes, events=self.events)


def gridded_case(name: str) -> GriddedCase:
    """Make one of the `CASES`: Helmstetter's forecasts for California, drawn rates for the others."""
    random = np.random.default_rng(7)
    if name == "california":
        from csep.utils import datasets

        region, magnitudes = named_region("california_relm_region"), np.round(np.arange(41) * 0.1 + 4.95, 2)
        files = (datasets.helmstetter_mainshock_fname, datasets.helmstetter_aftershock_fname)
        rates, reference = (
            fit_to_experiment(read_forecast(Path(file)), region, magnitudes).rates for file in files
        )
    else:
        bins, total = (41, 15.0) if name == "italy" else (31, 100.0)
        region = (
            named_region("italy_csep_region")
            if name == "italy"
            else build_region(GlobalRegion(cell_size=0.5), Path)
        )
        magnitudes = np.round(np.arange(bins) * 0.1 + (4.95 if name == "italy" else 5.95), 2)
        falling = 10.0 ** (-0.1 * np.arange(bins))
        rates, reference = (
            random.lognormal(0.0, 2.0, (len(region), 1)) * falling * random.uniform(0.9, 1.1, (1, bins))
            for _ in range(2)
        )
        rates, reference = rates * (total / rates.sum()), reference * (total / reference.sum())
    return GriddedCase(name, region, magnitudes, rates, reference, _drawn(region, magnitudes, rates, random))


def _drawn(
    region: Region, magnitudes: NDArray[np.float64], rates: NDArray[np.float64], random: np.random.Generator
) -> Events:
    """Draw as many events as the forecast expects, rounded, each in the middle of its bin."""
    count = round(float(rates.sum()))
    places = random.choice(rates.size, size=count, p=rates.ravel() / rates.sum())
    cells, bins = np.divmod(places, len(magnitudes))
    west, east, south, north = region.corners[cells].T
    return Events(
        time_us=np.arange(count, dtype=np.int64),
        longitude=(west + east) / 2,
        latitude=(south + north) / 2,
        depth_km=np.full(count, 10.0),
        magnitude=magnitudes[bins] + 0.05,
        event_id=np.array([str(number) for number in range(count)], dtype=np.str_),
    )


class _PyCsep:
    """pyCSEP's objects for a case, and its functions."""

    def __init__(self, case: GriddedCase) -> None:
        from csep.core import binomial_evaluations as binary
        from csep.core import brier_evaluations as brier
        from csep.core import poisson_evaluations as poisson
        from csep.core.catalogs import CSEPCatalog
        from csep.core.forecasts import GriddedForecast
        from csep.core.regions import CartesianGrid2D

        grid = CartesianGrid2D.from_origins(
            case.region.origins, dh=case.region.cell_size, magnitudes=case.magnitudes, name=case.name
        )
        events = case.events
        columns = (events.latitude, events.longitude, events.depth_km, events.magnitude)
        rows = [(str(n), n, *values) for n, values in enumerate(zip(*columns, strict=True))]
        self._catalog = CSEPCatalog(data=rows, region=grid, compute_stats=False)
        self._forecasts = [
            GriddedForecast(data=data, region=grid, magnitudes=case.magnitudes)
            for data in (case.rates, case.reference)
        ]
        self._functions: dict[str, Callable[..., Any]] = {
            "N": poisson.number_test,
            "T": poisson.paired_t_test,
            "W": poisson.w_test,
            "L": poisson.likelihood_test,
            "CL": poisson.conditional_likelihood_test,
            "S": poisson.spatial_test,
            "M": poisson.magnitude_test,
            "binary S": binary.binary_spatial_test,
            "binary CL": binary.binary_conditional_likelihood_test,
            "Brier": brier.brier_score_test,
        }

    def run(self, test: str, simulations: int) -> Any:
        function = self._functions[test]
        if test == "N":
            return function(self._forecasts[0], self._catalog)
        if test in _PLAIN:
            return function(*self._forecasts, self._catalog)
        return function(self._forecasts[0], self._catalog, num_simulations=simulations, seed=_SEED)


def _ours(case: GriddedCase, test: str, simulations: int) -> Evaluated:
    definition = find_test(test)
    return evaluate(
        test,
        TestParameters.for_test(definition, num_simulations=simulations if definition.simulated else None),
        case.rates,
        case.observation(),
        reference=case.reference if definition.kind == "comparison" else None,
        seed=_SEED if definition.simulated else None,
    )


def _check(test: str, ours: Evaluated, theirs: Any) -> None:
    """Stop where the two do not say the same."""
    named = {} if ours.quantiles is None else ours.quantiles.named()
    expected = {"N": ("delta1", "delta2"), "T": ("t", "t_critical"), "W": ("p",)}.get(test, ("q",))
    found = [named[name] for name in expected]
    wanted = np.atleast_1d(theirs.quantile).astype(float)[: len(found)]
    if not np.allclose(found, wanted, rtol=1e-9, atol=0):
        message = f"{test}: forequake has {found}, pyCSEP {wanted.tolist()}"
        raise SystemExit(message)


def _alternate(case: GriddedCase, theirs: _PyCsep, test: str, turns: int, simulations: int) -> Turns:
    """Run both in turn."""
    _ours(case, test, simulations)  # loads what the first call loads
    times = np.empty((2, turns))
    for turn in range(turns):
        times[0, turn], reference = cpu_ms(lambda: theirs.run(test, simulations))
        times[1, turn], result = cpu_ms(lambda: _ours(case, test, simulations))
        _check(test, result, reference)
    floor = _floor_ms(case, test, simulations)
    return Turns(name=f"{case.name} {test}", times=times, floor=floor, simulations=simulations)


def _floor_ms(case: GriddedCase, test: str, simulations: int) -> float:
    """Time the random numbers that a test takes at least, and one sum of the rates that it reads."""
    generator = np.random.RandomState(_SEED)
    active = len(np.unique(case.observation().cells if test == "binary S" else case.observation().places))
    total = float(case.rates.sum())

    def numbers_and_rates() -> None:
        case.rates.sum()
        if test in _COMPARED:
            case.reference.sum()
        if test == "L":  # the size of a catalog and its events alternate in the stream of random numbers
            for _ in range(simulations):
                generator.random_sample(generator.poisson(total))
        elif simulations:
            generator.random_sample(simulations * (active if test in _BINARY else len(case.events)))

    return median_cpu_ms(numbers_and_rates)


def poisson_rows(case: GriddedCase, turns: int) -> Iterator[str]:
    """Give the rows of N, T, W, L, CL, S, M, and of the last four together; print their ratios."""
    theirs = _PyCsep(case)
    for test in _PLAIN:
        yield _alternate(case, theirs, test, turns, 0).row()
    parts = []
    for test in _POISSON:
        parts.append(_alternate(case, theirs, test, turns, _SIMULATIONS))
        yield parts[-1].row()
    yield Turns.together(f"{case.name} {'+'.join(_POISSON)}", parts).row()


def binary_rows(case: GriddedCase, turns: int) -> Iterator[str]:
    """Give the rows of the binary tests and Brier, one by one and together; print their ratios."""
    theirs = _PyCsep(case)
    parts = []
    for test in _BINARY:
        parts.append(_alternate(case, theirs, test, turns, _SIMULATIONS))
        yield parts[-1].row()
    yield Turns.together(f"{case.name} binary and Brier", parts).row()


def parts_of_conditional_likelihood(case: GriddedCase) -> dict[str, float]:
    """Give what the parts of the CL-test take, in milliseconds of CPU time."""
    observation, shape = case.observation(), (_SIMULATIONS, len(case.events))
    rates = PreparedForecast.of(case.rates).joint
    numbers = np.random.RandomState(_SEED).random_sample(shape)

    def draw() -> None:
        np.random.RandomState(_SEED).random_sample(shape)

    def likelihoods() -> None:
        simulated_log_likelihoods(
            rates, events=shape[1], simulations=shape[0], seed=_SEED, scale=1.0, expected=rates.total
        )
        observed_log_likelihood(rates, observation.places, scale=1.0, expected=rates.total)

    likelihoods()  # computes the sums
    parts = {
        "check of the rates": median_cpu_ms(lambda: PreparedForecast.of(case.rates)),
        "their sum": median_cpu_ms(lambda: BinRates(rates.rates).total),
        "cumulative sum": median_cpu_ms(lambda: CumulativeRates.of(rates.rates, rates.total)),
        "random numbers": median_cpu_ms(draw),
        "their order within each catalog": median_cpu_ms(lambda: np.sort(numbers, axis=1)),
    }
    numbers.sort(axis=1)
    parts["their bins"] = median_cpu_ms(lambda: rates.bins_of(numbers.reshape(-1)))
    drawn = ("random numbers", "their order within each catalog", "their bins")
    parts["likelihoods"] = median_cpu_ms(likelihoods) - sum(parts[name] for name in drawn)
    whole = median_cpu_ms(lambda: _ours(case, "CL", _SIMULATIONS))
    parts["events on the grid, quantiles of the sample, the result"] = whole - sum(parts.values())
    parts["whole test"] = whole
    return parts
