"""The tests of catalog-based forecasts beside pyCSEP's, on UCERF3's 10,000 catalogs after Landers.

``make bench-catalog-tests`` prints one line for each test and for all of them: CPU time of pyCSEP and of
forequake, median and quartiles of alternating runs in one process, and ``ratio NAME VALUE``. Both start from
the simulated events in memory. pyCSEP's tests count each catalog's events in cells or bins every time they
look at it; its mean rates are computed once and shared. forequake counts all events once for all tests. The
suites without these sums come last but one, then with them. The floor is what drawing the random numbers and
reading the cell, bin and catalog of each event once cost.
"""

import argparse
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from forequake.datasets import locate_dataset
from forequake.evaluations import TESTS, Observation
from forequake.evaluations.simulated_catalogs import catalog_test
from forequake.forecasts.catalog_based import CatalogForecast, CountedEvents, read_catalog_forecast
from forequake.regions import Region, named_region

__all__ = ["Case", "landers", "main", "measure"]

_TESTS: Final = tuple(test for test in TESTS.values() if test.forecast == "catalog")
_MAGNITUDES: Final = np.round(4.95 + 0.1 * np.arange(41), 2)
_SEED: Final = 123
_ALTERNATIONS: Final = 9


class Case(NamedTuple):
    """A forecast and target events, for both."""

    forecast: CatalogForecast
    region: Region
    observation: Observation
    pycsep_catalogs: list[Any]
    pycsep_observed: Any


def landers(folder: Path) -> Case:
    """Read the forecast; one of its own catalogs of about the mean size is what was observed."""
    from csep.core.regions import california_relm_region

    from tests.evaluations.csep_catalogs import csep_catalogs

    forecast = read_catalog_forecast(locate_dataset("csep:ucerf3_ascii_format_landers"), folder=folder)
    region = named_region("california_relm_region")
    counted = forecast.within(region=region, magnitudes=_MAGNITUDES)
    sizes = counted.per_catalog()
    chosen = int(np.argmin(np.abs(sizes - sizes.mean())))
    catalogs = list(csep_catalogs(forecast, counted, california_relm_region(magnitudes=_MAGNITUDES)))
    observation = Observation(region, _MAGNITUDES, forecast.catalog(chosen))
    return Case(forecast, region, observation, catalogs, catalogs[chosen])


def _pycsep_forecast(case: Case) -> Any:
    from csep.core.forecasts import CatalogForecast as CsepForecast

    catalogs = case.pycsep_catalogs
    return CsepForecast(catalogs=catalogs, n_cat=len(catalogs), region=catalogs[0].region, name="Landers")


def _count(case: Case) -> CountedEvents:
    return case.forecast.within(region=case.region, magnitudes=_MAGNITUDES)


def _seconds(function: Callable[[], object]) -> float:
    begin = time.process_time()
    function()
    return time.process_time() - begin


def _pycsep_run(case: Case) -> dict[str, float]:
    from csep.core import catalog_evaluations

    forecast = _pycsep_forecast(case)
    seconds = {"sums": _seconds(forecast.get_expected_rates)}
    for test in _TESTS:
        function = getattr(catalog_evaluations, (test.floatcsep or "").rpartition(".")[2])
        seed = {"seed": _SEED} if test.seeded else {}
        seconds[test.name] = _seconds(partial(function, forecast, case.pycsep_observed, **seed))
    return seconds


def _our_run(case: Case) -> dict[str, float]:
    counted = _count(case)
    seconds = {"sums": _seconds(partial(_count, case))}
    for test in _TESTS:
        seed = _SEED if test.seeded else None
        seconds[test.name] = _seconds(
            partial(catalog_test, test.name, counted, case.observation, alpha=0.05, seed=seed)
        )
    return seconds


def _floor(case: Case) -> float:
    counted = _count(case)
    shape = (counted.n_catalogs, len(case.observation.events))

    def draw_and_read() -> None:
        for test in _TESTS:
            if test.seeded:
                np.random.RandomState(_SEED).random_sample(shape)
        for column in (counted.catalog, counted.cell, counted.bin):
            column.sum()

    return float(np.median([_seconds(draw_and_read) for _ in range(_ALTERNATIONS)]))


def measure(case: Case, alternations: int) -> dict[str, tuple[list[float], list[float]]]:
    """Give the seconds of pyCSEP and of forequake by name of what was run, the suites among them."""
    runs = [(_pycsep_run(case), _our_run(case)) for _ in range(alternations)]
    measured = {}
    for name in (test.name for test in _TESTS):
        measured[name] = ([run[0][name] for run in runs], [run[1][name] for run in runs])
    names = tuple(measured)
    for suite, parts in (("catalog_tests_without_sums", names), ("catalog_tests", ("sums", *names))):
        theirs, ours = ([sum(run[side][part] for part in parts) for run in runs] for side in (0, 1))
        measured[suite] = (theirs, ours)
    return measured


def _words(seconds: list[float]) -> str:
    low, middle, high = (float(value) * 1e3 for value in np.quantile(seconds, [0.25, 0.5, 0.75]))
    return f"{middle:.2f} ms ({low:.2f} to {high:.2f})"


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--alternations", type=int, default=_ALTERNATIONS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        case = landers(Path(folder))
        print(f"{len(case.forecast):,} catalogs, {case.forecast.n_events:,} events, ", end="")
        print(f"{len(case.observation.events)} target events")
        _our_run(case)
        for name, (theirs, ours) in measure(case, arguments.alternations).items():
            print(f"{name}: pyCSEP {_words(theirs)}, forequake {_words(ours)}")
            print(f"ratio {name} {np.median(theirs) / np.median(ours):.1f}")
        print(f"floor {_floor(case) * 1e3:.2f} ms")


if __name__ == "__main__":
    main()
