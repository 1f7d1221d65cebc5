"""The tests of catalog-based forecasts beside pyCSEP's, on UCERF3's 10,000 catalogs after Landers.

Both start from the simulated events in memory. pyCSEP's tests count each catalog's events in cells or bins
every time they look at it; its mean rates are computed once and shared. forequake counts all events once for
all tests.
"""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from benchmarks.results import Turns, cpu_ms, median_cpu_ms
from forequake.datasets import locate_dataset
from forequake.evaluations import TESTS, Observation
from forequake.evaluations.simulated_catalogs import catalog_test
from forequake.forecasts.catalog_based import CatalogForecast, CountedEvents, read_catalog_forecast
from forequake.regions import Region, named_region

__all__ = ["Case", "catalog_rows", "landers"]

_TESTS: Final = tuple(test for test in TESTS.values() if test.forecast == "catalog")
_MAGNITUDES: Final = np.round(4.95 + 0.1 * np.arange(41), 2)
_SEED: Final = 123


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


def _pycsep_run(case: Case) -> dict[str, float]:
    """Give the milliseconds of each test, and of the mean rates as ``counting``."""
    from csep.core import catalog_evaluations

    forecast = _pycsep_forecast(case)
    times = {"counting": cpu_ms(forecast.get_expected_rates)[0]}
    for test in _TESTS:
        function = getattr(catalog_evaluations, (test.floatcsep or "").rpartition(".")[2])
        seed = {"seed": _SEED} if test.seeded else {}
        times[test.short] = cpu_ms(partial(function, forecast, case.pycsep_observed, **seed))[0]
    return times


def _our_run(case: Case) -> dict[str, float]:
    counting, counted = cpu_ms(partial(_count, case))
    times = {"counting": counting}
    for test in _TESTS:
        seed = _SEED if test.seeded else None
        run = partial(catalog_test, test.name, counted, case.observation, alpha=0.05, seed=seed)
        times[test.short] = cpu_ms(run)[0]
    return times


def _floors(case: Case) -> dict[str, float]:
    """Give the milliseconds to draw the random numbers and to read the columns of the events once."""
    counted = _count(case)
    shape = (counted.n_catalogs, len(case.observation.events))

    def read() -> None:
        for column in (counted.catalog, counted.cell, counted.bin):
            column.sum()

    def draw_and_read() -> None:
        np.random.RandomState(_SEED).random_sample(shape)
        read()

    reading, both = median_cpu_ms(read), median_cpu_ms(draw_and_read)
    return {"counting": reading} | {test.short: both if test.seeded else reading for test in _TESTS}


def catalog_rows(case: Case, *, turns: int) -> Iterator[str]:
    """Give the rows of the six tests and of all of them, and print their ratios."""
    _our_run(case)  # loads what the first call loads
    runs = [(_pycsep_run(case), _our_run(case)) for _ in range(turns)]
    floors = _floors(case)
    parts = [
        Turns(
            name=f"landers {name}",
            times=np.array([[run[0][name], run[1][name]] for run in runs]).T,
            floor=floor,
        )
        for name, floor in floors.items()
    ]
    for part in parts:
        yield part.row()
    yield Turns.together("landers suite without counting", parts[1:]).row()
    yield Turns.together("landers suite", parts).row()
