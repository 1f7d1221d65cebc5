"""The one place where forequake calls pyCSEP's tests; nothing untyped leaves it.

Import it inside functions: pyCSEP costs more than a second. `likelihood_test` and `w_test` change what
belongs to the whole process (NumPy's global generator, the filters of warnings) and are called in the worker
process only; all others may be called from any thread.
"""

from dataclasses import dataclass

import numpy as np
from csep.core import poisson_evaluations
from csep.core.catalogs import CSEPCatalog
from csep.core.forecasts import GriddedForecast
from csep.core.regions import CartesianGrid2D
from numpy.typing import NDArray

from forequake.evaluations.inputs import Observation
from forequake.regions import Region

__all__ = [
    "FAILURES",
    "Paired",
    "Simulated",
    "likelihood_test",
    "number_test",
    "paired_t_test",
    "rates_at_events",
    "simulated_test",
    "w_test",
]

#: What pyCSEP, NumPy and SciPy raise when a computation cannot be carried through.
FAILURES = (ArithmeticError, AssertionError, LookupError, MemoryError, RuntimeError, TypeError, ValueError)

# The functions of `numpy_test(forecast, catalog, num_simulations, seed, random_numbers)` that take their
# random numbers from outside, so that they need not touch NumPy's global generator.
_SIMULATED = {
    "poisson_conditional_likelihood": poisson_evaluations.conditional_likelihood_test,
    "poisson_spatial": poisson_evaluations.spatial_test,
    "poisson_magnitude": poisson_evaluations.magnitude_test,
}


@dataclass(frozen=True, eq=False)
class Simulated:
    """An observed log-likelihood among simulated ones.

    Attributes
    ----------
    statistic
        Observed joint log-likelihood, in nats; -infinity where an event has a zero rate.
    quantile
        P(simulated <= observed).
    sample : array of float64, shape (num_simulations,)
    """

    statistic: float
    quantile: float
    sample: NDArray[np.float64]


@dataclass(frozen=True)
class Paired:
    """The paired t-test: information gain per event in nats, its t, the critical t, its interval."""

    information_gain: float
    t: float
    t_critical: float
    interval: tuple[float, float]


class _Cells(CartesianGrid2D):  # type: ignore[misc]  # pyCSEP is untyped
    """pyCSEP's grid as far as its tests ask: the number of cells, the bins, and the cell of a point.

    The cell of a point is the region's own answer, so that events are counted in the cells by which they were
    cut. pyCSEP's grid of polygons, which is not built here, gives the same cells but within 1e-11 degrees of
    an edge, and costs 50 ms and more. Each forecast and catalog gets a grid of its own, since pyCSEP writes
    the magnitudes into it.
    """

    def __init__(self, region: Region, magnitudes: NDArray[np.float64]) -> None:
        self._region = region
        self.name = region.name
        self.dh = region.cell_size
        self.magnitudes = magnitudes
        self.num_mag_bins = len(magnitudes)

    @property
    def num_nodes(self) -> int:
        return len(self._region)

    def origins(self) -> NDArray[np.float64]:
        return self._region.origins

    def get_index_of(self, lons: NDArray[np.float64], lats: NDArray[np.float64]) -> NDArray[np.intp]:
        return self._region.cells_of(lons, lats)


def number_test(rates: NDArray[np.float64], observation: Observation) -> tuple[float, float]:
    """Give delta1 = P(X >= N) and delta2 = P(X <= N) of ``poisson_evaluations.number_test``.

    pyCSEP takes delta1 as 1 - P(X <= N - 1e-6), which is 1 - P(X <= N - 1) since X is a whole number; so a
    delta1 below 1e-16 is 0.
    """
    with np.errstate(all="ignore"):
        result = poisson_evaluations.number_test(_forecast(rates, observation), _catalog(observation))
    delta1, delta2 = result.quantile
    return float(delta1), float(delta2)


def simulated_test(
    test: str, rates: NDArray[np.float64], observation: Observation, *, num_simulations: int, seed: int
) -> Simulated:
    """Compute the CL-, S- or M-test with random numbers that are drawn privately.

    The numbers are those that pyCSEP draws from the global generator for the same `seed`.

    Parameters
    ----------
    test
        ``poisson_conditional_likelihood``, ``poisson_spatial`` or ``poisson_magnitude``.
    rates : array of float64, shape (cells, bins)
        Expected numbers of events.
    """
    generator = np.random.RandomState(seed)  # the generator behind numpy.random.seed, but our own
    numbers = generator.random_sample((num_simulations, len(observation.events)))
    with np.errstate(all="ignore"):
        result = _SIMULATED[test](
            _forecast(rates, observation),
            _catalog(observation),
            num_simulations=num_simulations,
            random_numbers=numbers,
        )
    return _simulated(result)


def likelihood_test(
    rates: NDArray[np.float64], observation: Observation, *, num_simulations: int, seed: int
) -> Simulated:
    """Compute the L-test; it draws from NumPy's global generator: worker process only."""
    with np.errstate(all="ignore"):
        result = poisson_evaluations.likelihood_test(
            _forecast(rates, observation),
            _catalog(observation),
            num_simulations=num_simulations,
            seed=seed,
        )
    return _simulated(result)


def paired_t_test(
    rates: NDArray[np.float64],
    reference: NDArray[np.float64],
    observation: Observation,
    *,
    alpha: float,
) -> Paired:
    """Compute the T-test; the gain is positive where `rates` does better than `reference`."""
    with np.errstate(all="ignore"):
        result = poisson_evaluations.paired_t_test(
            _forecast(rates, observation),
            _forecast(reference, observation),
            _catalog(observation),
            alpha=alpha,
        )
    t, t_critical, _ = result.quantile
    lower, upper = result.test_distribution
    return Paired(
        information_gain=float(result.observed_statistic),
        t=float(t),
        t_critical=float(t_critical),
        interval=(float(lower), float(upper)),
    )


def w_test(
    rates: NDArray[np.float64], reference: NDArray[np.float64], observation: Observation
) -> tuple[float, float]:
    """Give z and its normal two-sided p; it warns about few events: worker process only."""
    with np.errstate(all="ignore"):
        result = poisson_evaluations.w_test(
            _forecast(rates, observation), _forecast(reference, observation), _catalog(observation)
        )
    return float(result.observed_statistic), float(result.quantile)


def rates_at_events(rates: NDArray[np.float64], observation: Observation) -> NDArray[np.float64]:
    """Give the expected number in the cell and bin of each target event, shape (events,)."""
    events = observation.events
    found = _forecast(rates, observation).get_rates(events.longitude, events.latitude, events.magnitude)
    return np.asarray(found, dtype=np.float64)


def _simulated(result: poisson_evaluations.EvaluationResult) -> Simulated:
    return Simulated(
        statistic=float(result.observed_statistic),
        quantile=float(result.quantile),
        sample=np.asarray(result.test_distribution, dtype=np.float64),
    )


def _forecast(rates: NDArray[np.float64], observation: Observation) -> GriddedForecast:
    cells = _Cells(observation.region, observation.magnitudes)
    return GriddedForecast(data=rates, region=cells, magnitudes=observation.magnitudes, name="forecast")


def _catalog(observation: Observation) -> CSEPCatalog:
    events = observation.events
    rows = np.zeros(len(events), dtype=CSEPCatalog.dtype)
    rows["origin_time"] = events.time_us // 1000  # pyCSEP counts milliseconds; no gridded test looks at them
    rows["longitude"] = events.longitude
    rows["latitude"] = events.latitude
    rows["depth"] = events.depth_km
    rows["magnitude"] = events.magnitude
    cells = _Cells(observation.region, observation.magnitudes)
    return CSEPCatalog(data=rows, region=cells, compute_stats=False, name="events")
