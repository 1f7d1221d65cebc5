"""Whole experiments for benchmarks, their forecasts and catalogs generated: the same each time."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from benchmarks.forecast_files import write_xml
from forequake.forecasts import ForecastTable
from forequake.regions import named_region

__all__ = ["DAILY_TESTS", "ITALY_MODELS", "ITALY_TESTS", "write_daily", "write_italy"]

_SEED: Final = 20_100
_SIMULATED: Final = "func_kwargs: {seed: 23, num_simulations: 1000}"
_RELATIVE: Final = "ref_model: flat"
#: Name, function and keys of the ten tests that floatCSEP 0.5.2 really runs. Its plots are never drawn here,
#: but it wants to know one for each test.
ITALY_TESTS: Final = (
    ("N", "poisson_evaluations.number_test", ""),
    ("L", "poisson_evaluations.likelihood_test", _SIMULATED),
    ("CL", "poisson_evaluations.conditional_likelihood_test", _SIMULATED),
    ("S", "poisson_evaluations.spatial_test", _SIMULATED),
    ("M", "poisson_evaluations.magnitude_test", _SIMULATED),
    ("T", "poisson_evaluations.paired_t_test", _RELATIVE),
    ("W", "poisson_evaluations.w_test", _RELATIVE),
    ("LL", "sequential_likelihood", ""),
    ("IG", "sequential_information_gain", _RELATIVE),
    ("batch", "vector_poisson_t_w_test", ""),
)
ITALY_MODELS: Final = ("flat", "patchy", "rough")
_ITALY_START: Final = datetime(2010, 1, 1)  # noqa: DTZ001 - written without a zone, as floatCSEP reads it
_ITALY_YEARS: Final = 12
#: Events that a model of Italy expects in a year.
_ITALY_RATE: Final = 2.0

#: The tests of the daily experiment; none needs a reference, so that each model has all of them.
DAILY_TESTS: Final = (
    ("N", "poisson_evaluations.number_test", ""),
    ("CL", "poisson_evaluations.conditional_likelihood_test", ""),
    ("S", "poisson_evaluations.spatial_test", ""),
    ("M", "poisson_evaluations.magnitude_test", ""),
    ("LL", "sequential_likelihood", ""),
)
_DAILY_START: Final = datetime(2016, 1, 1)  # noqa: DTZ001
_DAILY_MAGNITUDES: Final = np.round(np.arange(21) * 0.1 + 3.0, 1)
#: Central Italy: west, east, south, north.
_DAILY_BOX: Final = (12.5, 13.5, 42.0, 43.0)
#: Events that are observed on a day, on average.
_DAILY_RATE: Final = 2.0


def write_italy(folder: Path) -> Path:
    """Write three models of Italy's 8,993 cells and 41 bins as ForecastML, and ten tests of four windows.

    Returns
    -------
    Path
        Of the configuration, which floatCSEP reads as well.
    """
    random = np.random.default_rng(_SEED)
    region, magnitudes = named_region("italy_csep_region"), np.round(np.arange(41) * 0.1 + 4.95, 2)
    falling = 10.0 ** (-0.1 * np.arange(41))
    (folder / "models").mkdir(parents=True)
    middles = region.corners[:, ::2] + 0.05
    for number, name in enumerate(ITALY_MODELS):
        rates = random.lognormal(0.0, 0.7 * number, (len(region), 1)) * falling
        # Few digits, as in forecasts that are submitted.
        digits = [float(f"{rate:.6e}") for rate in (rates * (_ITALY_RATE / rates.sum())).ravel()]
        table = ForecastTable(
            path=folder, corners=region.corners, magnitudes=magnitudes, rates=np.reshape(digits, rates.shape)
        )
        file = write_xml(folder, table)
        text = file.read_text(encoding="utf-8").replace("        <bin", "  <bin")  # 13 MB
        (folder / "models" / f"{name}.xml").write_text(text, encoding="utf-8")
        file.unlink()
    end = _ITALY_START.replace(year=_ITALY_START.year + _ITALY_YEARS)
    count = round(_ITALY_RATE * _ITALY_YEARS)
    cells = middles[random.choice(len(region), count)]
    _write_catalog(folder, _ITALY_START, end, cells, _magnitudes_drawn(random, count, magnitudes), random)
    _write_config(
        folder,
        "italy",
        f"start_date: {_ITALY_START.isoformat()}, end_date: {end.isoformat()}, horizon: 3-years",
        "region: italy_csep_region, mag_min: 4.95, mag_max: 8.95, mag_bin: 0.1, depth_min: 0, depth_max: 30",
        [f"{name}: {{path: models/{name}.xml, forecast_unit: 1}}" for name in ITALY_MODELS],
        ITALY_TESTS,
    )
    return folder / "config.yml"


def write_daily(folder: Path, windows: int, models: int = 10) -> Path:
    """Write models that have a forecast of 100 cells and 21 bins for each day, and five tests.

    Returns
    -------
    Path
        Of the configuration.
    """
    random = np.random.default_rng(_SEED)
    west, east, south, north = _DAILY_BOX
    corners = named_region("italy_csep_region").corners
    middles = corners[:, ::2] + 0.05
    inside = (
        (middles[:, 0] > west) & (middles[:, 0] < east) & (middles[:, 1] > south) & (middles[:, 1] < north)
    )
    corners, middles = corners[inside], middles[inside]
    (folder / "models").mkdir(parents=True)
    lines = [" ".join(f"{degrees:.1f}" for degrees in corner) for corner in corners[:, ::2]]
    (folder / "region.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
    names = [f"m{number}" for number in range(models)]
    days = [_DAILY_START + timedelta(days=number) for number in range(windows + 1)]
    for name in names:
        _write_days(folder / "models" / name, name, corners, days, random)
    count = round(_DAILY_RATE * windows)
    drawn = _magnitudes_drawn(random, count, _DAILY_MAGNITUDES)
    _write_catalog(folder, days[0], days[-1], middles[random.choice(len(middles), count)], drawn, random)
    _write_config(
        folder,
        "daily",
        "exp_class: td, horizon: 1-days, "
        f"start_date: {days[0].isoformat()}, end_date: {days[-1].isoformat()}",
        "region: region.txt, mag_min: 3.0, mag_max: 5.0, mag_bin: 0.1",
        [f"{name}: {{path: models/{name}, class: td, forecast_type: gridded}}" for name in names],
        DAILY_TESTS,
    )
    return folder / "config.yml"


def _write_days(
    folder: Path,
    name: str,
    corners: NDArray[np.float64],
    days: Sequence[datetime],
    random: np.random.Generator,
) -> None:
    """Write a forecast for each day, whose cells take their rates from a pool that is put into words once."""
    (folder / "forecasts").mkdir(parents=True)
    falling = 10.0 ** (-0.1 * np.arange(len(_DAILY_MAGNITUDES)))
    pool = random.lognormal(0.0, 1.0, (1000, 1)) * falling
    pool *= _DAILY_RATE / (len(corners) * pool.sum(axis=1).mean())
    words = [", ".join(map(repr, rates)) for rates in pool.tolist()]
    heading = ", ".join(
        ["lon_min, lon_max, lat_min, lat_max, depth_min, depth_max", *map(str, _DAILY_MAGNITUDES.tolist())]
    )
    places = [", ".join(f"{degrees:.1f}" for degrees in corner) + ", 0, 30, " for corner in corners]
    for start, end in pairwise(days):
        drawn = random.integers(len(words), size=len(places)).tolist()
        lines = [heading, *(place + words[number] for place, number in zip(places, drawn, strict=True)), ""]
        file = folder / "forecasts" / f"{name}_{start.date()}_{end.date()}.csv"
        file.write_text("\n".join(lines), encoding="utf-8")


def _magnitudes_drawn(
    random: np.random.Generator, count: int, edges: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Draw magnitudes in the middles of bins, each bin with 0.8 times the events of the one before."""
    falling = 10.0 ** (-0.1 * np.arange(len(edges)))
    return edges[random.choice(len(edges), count, p=falling / falling.sum())] + 0.05


def _write_catalog(
    folder: Path,
    start: datetime,
    end: datetime,
    places: NDArray[np.float64],
    magnitudes: NDArray[np.float64],
    random: np.random.Generator,
) -> None:
    """Write events at random times of a span, in pyCSEP's form."""
    seconds = np.sort(random.uniform(1.0, (end - start).total_seconds() - 1.0, len(places)))
    lines = ["lon,lat,mag,time_string,depth,cat_id,event_id"]
    for number, (place, magnitude, since) in enumerate(zip(places, magnitudes, seconds, strict=True)):
        moment = (start + timedelta(seconds=round(since))).isoformat()
        lines.append(f"{place[0]:.2f},{place[1]:.2f},{magnitude:.2f},{moment},10.0,0,{number}")
    (folder / "catalog.csep").write_text("\n".join(lines) + "\n", encoding="utf-8")


def _write_config(
    folder: Path,
    name: str,
    times: str,
    region: str,
    models: Sequence[str],
    tests: Sequence[tuple[str, str, str]],
) -> None:
    words = [f"{test}: {{func: {func}{f', {keys}' if keys else ''}}}" for test, func, keys in tests]
    lines = [
        f"name: {name}",
        "seed: 23",
        f"time_config: {{{times}}}",
        f"region_config: {{{region}}}",
        "catalog: catalog.csep",
        "models:",
        *(f"- {model}" for model in models),
        "tests:",
        *(f"- {test}" for test in words),
    ]
    (folder / "config.yml").write_text("\n".join(lines) + "\n", encoding="utf-8")
