"""What is in a forecast, and how two of them differ."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forequake.experiments import Experiment
from forequake.forecasts import fit_to_experiment, rate_findings, read_forecast
from forequake.forecasts.answers import answered_catalogs, answered_rates
from forequake.forecasts.catalog_based import CatalogForecast, fit_catalogs, read_catalog_forecast
from forequake.models.runs import ModelRequest
from forequake.results import QualityFinding

__all__ = ["Content", "content_of", "difference", "other_words"]

_COLUMNS: Final = ("time_us", "longitude", "latitude", "depth_km", "magnitude")
_MOST_SHOWN: Final = 60


@dataclass(frozen=True, eq=False)
class Content:
    """A forecast as a test would see it.

    Attributes
    ----------
    path
        Its file.
    expected
        Events that it expects in the window, region and magnitudes; of catalogs their mean.
    n_events, n_listed, n_catalogs
        Of catalogs: events in the file, catalogs that have a line in it, and all of them.
    columns
        The numbers to compare: rates, or times, places and magnitudes.
    """

    path: Path
    expected: float
    findings: tuple[QualityFinding, ...]
    columns: dict[str, NDArray[Any]]
    n_events: int | None = None
    n_listed: int | None = None
    n_catalogs: int | None = None


def content_of(path: Path, request: ModelRequest, experiment: Experiment, compact: Path) -> Content:
    """Read a forecast that a run gave.

    Parameters
    ----------
    compact
        A folder for the compact form of catalogs.

    Raises
    ------
    ForecastError
        Where a test would refuse it.
    """
    expected = request.expected
    if expected.forecast_type == "catalog":
        compact.mkdir(exist_ok=True)
        if request.function is None:
            forecast = read_catalog_forecast(
                path,
                expected.format,
                n_catalogs=expected.n_catalogs,
                policy=expected.policy,
                folder=compact,
            )
        else:
            forecast = answered_catalogs(path, request.function, expected.n_catalogs, expected.policy)
        fitted = fit_catalogs(
            forecast,
            region=expected.region,
            magnitudes=expected.magnitudes,
            window=request.window,
            depth_km=expected.depth_km,
            policy=expected.policy,
        )
        return Content(
            path,
            len(fitted.counted) / max(len(forecast), 1),
            fitted.findings,
            _columns(forecast),
            n_events=forecast.n_events,
            n_listed=forecast.header.n_listed,
            n_catalogs=len(forecast),
        )
    cells, edges, policy = expected.region, expected.magnitudes, expected.policy
    if request.function is None:
        rates = fit_to_experiment(read_forecast(path, expected.format), cells, edges, policy)
    else:
        rates = answered_rates(path, request.function, cells, edges, policy)
    scale = experiment.scale(experiment.model(request.model), request.window)
    total = float(rates.rates.sum()) * scale
    return Content(
        path,
        total,
        (*rates.findings, *rate_findings(total, request.window.years, float(expected.magnitudes[0]))),
        {"rate": np.asarray(rates.rates, dtype=np.float64)},
    )


def _columns(forecast: CatalogForecast) -> dict[str, NDArray[Any]]:
    sizes = np.diff(forecast.offsets).astype(np.float64)
    return {"number of events": sizes} | {
        name: getattr(forecast, name)
        for name in _COLUMNS  # mapped, not copied
    }


def difference(one: Content, other: Content) -> str | None:
    """Say how the numbers of two forecasts differ, None where they are the same."""
    parts = []
    for name, values in one.columns.items():
        beside = other.columns.get(name)
        if beside is None or beside.shape != values.shape:
            return f"{_amount(one)} against {_amount(other)}"
        unlike = ~((values == beside) | (np.isnan(values) & np.isnan(beside)))
        if unlike.any():
            parts.append(_unlike(name, values[unlike], beside[unlike], values.size))
    if not parts:
        return None
    total = "" if one.expected == other.expected else f"; {_amount(one)} against {_amount(other)}"
    return ", ".join(parts) + total


def other_words(one: Content, other: Content) -> str | None:
    """Say where the files of two forecasts with the same numbers differ, None where they do not."""
    first, second = one.path.read_bytes(), other.path.read_bytes()
    return None if first == second else _first_line(first, second)


def _unlike(name: str, one: NDArray[Any], other: NDArray[Any], size: int) -> str:
    largest = np.maximum(np.abs(one), np.abs(other))
    with np.errstate(invalid="ignore", divide="ignore"):
        relative = np.nanmax(np.where(largest > 0, np.abs(one - other) / largest, 0.0))
    if name == "time_us":
        return f"time: {len(one)} of {size} differ, by up to {np.nanmax(np.abs(one - other)) / 1e6:.3g} s"
    return f"{name}: {len(one)} of {size} differ, by up to {relative:.2g} of the value"


def _amount(content: Content) -> str:
    if content.n_events is None:
        return f"{content.expected:.6g} expected events"
    return f"{content.n_events} events in {content.n_catalogs} catalogs"


def _first_line(one: bytes, other: bytes) -> str:
    lines = zip(one.splitlines(), other.splitlines(), strict=False)
    for number, (first, second) in enumerate(lines, start=1):
        if first != second:
            words = [line.decode("utf-8", errors="replace").strip()[:_MOST_SHOWN] for line in (first, second)]
            return f"line {number} is {words[0]!r} and {words[1]!r}"
    return "one is longer than the other"
