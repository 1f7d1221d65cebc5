"""How fast the tests of gridded forecasts are, beside pyCSEP in the same process. Run by ``make bench``.

Each test is run by pyCSEP and by forequake in turn, with the same rates, events and seed, in one thread, and
their quantiles are compared. forequake's time is that of `evaluate` with plain rates and a new observation:
the events are put on the grid and the sums of the rates are computed within it, each time. pyCSEP's is that
of its function on a forecast and a catalog that exist already. Times are CPU times; a line ``ratio NAME
VALUE`` gives the median over the alternations of pyCSEP's time by forequake's, and the quartiles.

The floor is what no implementation can go below: drawing the random numbers and reading the rates once.
"""

import argparse
import os
import platform
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy is loaded

import numpy as np
from numpy.typing import NDArray

from benchmarks.results import write_section
from forequake.catalogs import Events
from forequake.evaluations import Evaluated, Observation, TestParameters, evaluate, find_test
from forequake.forecasts import fit_to_experiment, read_forecast
from forequake.regions import Region, build_region, named_region
from forequake.regions.specs import GlobalRegion

_HEADING: Final = "Tests of gridded forecasts"
_SIMULATIONS: Final = 1000
_SEED: Final = 42
_POISSON: Final = ("L", "CL", "S", "M")
_BINARY: Final = ("binary S", "binary CL", "Brier")
_PLAIN: Final = ("N", "T", "W")
_CASES: Final = ("california", "italy", "global")


@dataclass(frozen=True, eq=False)
class _Case:
    """A forecast, a reference, and events that are drawn from the forecast."""

    name: str
    region: Region
    magnitudes: NDArray[np.float64]
    rates: NDArray[np.float64]
    reference: NDArray[np.float64]
    events: Events

    def observation(self) -> Observation:
        return Observation(region=self.region, magnitudes=self.magnitudes, events=self.events)


def _case(name: str) -> _Case:
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
    return _Case(name, region, magnitudes, rates, reference, _drawn(region, magnitudes, rates, random))


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

    def __init__(self, case: _Case) -> None:
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


def _ours(case: _Case, test: str, simulations: int) -> Evaluated:
    definition = find_test(test)
    return evaluate(
        test,
        TestParameters.for_test(definition, num_simulations=simulations if definition.simulated else None),
        case.rates,
        case.observation(),
        reference=case.reference if definition.kind == "comparison" else None,
        seed=_SEED if definition.simulated else None,
    )


def _cpu_ms(call: Callable[[], Any]) -> tuple[float, Any]:
    start = time.process_time_ns()
    given = call()
    return (time.process_time_ns() - start) / 1e6, given


def _check(test: str, ours: Evaluated, theirs: Any) -> None:
    """Stop where the two do not say the same."""
    named = {} if ours.quantiles is None else ours.quantiles.named()
    expected = {"N": ("delta1", "delta2"), "T": ("t", "t_critical"), "W": ("p",)}.get(test, ("q",))
    found = [named[name] for name in expected]
    wanted = np.atleast_1d(theirs.quantile).astype(float)[: len(found)]
    if not np.allclose(found, wanted, rtol=1e-9, atol=0):
        message = f"{test}: forequake has {found}, pyCSEP {wanted.tolist()}"
        raise SystemExit(message)


def _alternate(
    case: _Case, theirs: _PyCsep, test: str, alternations: int, simulations: int
) -> NDArray[np.float64]:
    """Give pyCSEP's and forequake's CPU times in milliseconds; shape (2, alternations)."""
    _ours(case, test, simulations)  # loads what the first call loads
    times = np.empty((2, alternations))
    for turn in range(alternations):
        times[0, turn], reference = _cpu_ms(lambda: theirs.run(test, simulations))
        times[1, turn], result = _cpu_ms(lambda: _ours(case, test, simulations))
        _check(test, result, reference)
    return times


def _row(name: str, times: NDArray[np.float64], simulations: int) -> str:
    """Print a ratio; give its row of the table."""
    ratios = times[0] / times[1]
    low, middle, high = np.percentile(ratios, [25, 50, 75])
    print(f"ratio {name.replace(' ', '_')} {middle:.1f}  (quartiles {low:.1f} to {high:.1f})", flush=True)
    theirs, ours = np.median(times, axis=1)
    return (
        f"| {name} | {simulations or ''} | {len(ratios)} | {theirs:.1f} | {ours:.2f} | {middle:.1f} | "
        f"{low:.1f} to {high:.1f} |"
    )


def _floor_ms(case: _Case, simulations: int) -> float:
    """Time the random numbers of a test with the observed number of events, and one sum of the rates."""
    generator = np.random.RandomState(_SEED)
    count = simulations * len(case.events)
    times = [_cpu_ms(lambda: (generator.random_sample(count), case.rates.sum()))[0] for _ in range(21)]
    return float(np.median(times))


def _rows(case: _Case, options: argparse.Namespace) -> Iterator[str]:
    theirs = _PyCsep(case)
    floor = _floor_ms(case, _SIMULATIONS)
    print(f"floor {case.name} {floor:.2f} ms", flush=True)
    yield (
        f"| *{case.name}: {len(case.region)} x {len(case.magnitudes)}, {len(case.events)} events, floor "
        f"{floor:.2f} ms* | | | | | | |"
    )
    for test in _PLAIN:
        yield _row(f"{case.name} {test}", _alternate(case, theirs, test, options.alternations, 1), 0)
    for group, tests in (("L+CL+S+M", _POISSON), ("binary and Brier", _BINARY)):
        slow = group != "L+CL+S+M" or case.name == "global"
        slowest = case.name == "global" and tests == _BINARY
        simulations = options.slow_simulations if slowest else _SIMULATIONS
        turns = min(options.alternations, options.slow_alternations) if slow else options.alternations
        if simulations == 0:
            continue
        all_times = []
        for test in tests:
            all_times.append(_alternate(case, theirs, test, turns, simulations))
            yield _row(f"{case.name} {test}", all_times[-1], simulations)
        yield _row(f"{case.name} {group}", np.sum(all_times, axis=0), simulations)


def main() -> None:
    """Measure, print the ratios, and write them down."""
    parser = argparse.ArgumentParser(description="Measure the tests of gridded forecasts beside pyCSEP.")
    parser.add_argument("--cases", nargs="+", choices=_CASES, default=list(_CASES))
    parser.add_argument("--alternations", type=int, default=9)
    parser.add_argument(
        "--slow-alternations",
        type=int,
        default=9,
        help="of what takes pyCSEP more than ten seconds: binary tests, Brier, and all on the global grid",
    )
    parser.add_argument(
        "--slow-simulations",
        type=int,
        default=0,
        help="of binary tests and Brier on the global grid, where pyCSEP takes minutes for 1000; 0: none",
    )
    options = parser.parse_args()
    warnings.simplefilter("ignore")  # pyCSEP's about few events
    np.seterr(all="ignore")
    rows = [row for name in options.cases for row in _rows(_case(name), options)]
    text = [
        f"Written by `make bench` on {platform.machine()} with Python {platform.python_version()} and NumPy "
        f"{np.__version__}, one thread, CPU time in milliseconds; medians of so many turns each, ratios with "
        "their quartiles. forequake computes the sums of the forecast anew for each test. The floor is the "
        "time to draw the random numbers and to sum the rates once. Events are drawn from the forecast.",
        "",
        "| test | simulations | turns | pyCSEP ms | forequake ms | ratio | quartiles |",
        "| --- | ---: | ---: | ---: | ---: | ---: | --- |",
        *rows,
    ]
    write_section(_HEADING, "\n".join(text))


if __name__ == "__main__":
    main()
