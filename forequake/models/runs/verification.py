"""Whether what a model wrote is a forecast of its window, its region and its magnitudes."""

import stat
from pathlib import Path

import numpy as np

from forequake.errors import ForecastError, ModelFailed
from forequake.forecasts import ForecastScope, fit_to_experiment, read_forecast
from forequake.forecasts.answers import answered_catalogs, answered_rates
from forequake.forecasts.catalog_based import fit_catalogs, read_catalog_forecast
from forequake.models.runs.request import ExpectedForecast
from forequake.windows import TimeWindow

__all__ = ["check_forecast", "find_output"]

_MOST_NAMED = 5


def find_output(folder: Path, names: tuple[str, ...], most_mb: int) -> Path:
    """Find the file that a model wrote.

    Parameters
    ----------
    folder
        The model's; a forecast must lie in it, also where a link leads to it.
    names
        Where it may be, the best first.

    Raises
    ------
    ModelFailed
        With the cause ``no_output``, ``unreadable_output`` or ``output_size``.
    """
    name = next((name for name in names if (folder / name).is_symlink() or (folder / name).exists()), None)
    if name is None:
        message = f"there is no forecast: {names[-1]} was expected{_instead(folder, names[-1])}"
        raise ModelFailed(message, cause="no_output")
    path = (folder / name).resolve()
    if not path.is_relative_to(folder.resolve()):
        message = f"{name} is a link that leads out of the model's folder"
        raise ModelFailed(message, cause="unreadable_output")
    if not path.exists():
        message = f"there is no forecast: {name} is a link that leads nowhere"
        raise ModelFailed(message, cause="no_output")
    about = path.stat()
    if not stat.S_ISREG(about.st_mode):
        message = f"{name} is not a file"
        raise ModelFailed(message, cause="unreadable_output")
    if not about.st_size:
        message = f"there is no forecast: {name} is empty"
        raise ModelFailed(message, cause="no_output")
    if about.st_size > most_mb << 20:
        message = f"{name} has {about.st_size >> 20} MB; at most {most_mb} are taken (output_mb)"
        raise ModelFailed(message, cause="output_size")
    return path


def _instead(folder: Path, name: str) -> str:
    place = (folder / name).parent
    found = sorted(file.name for file in place.iterdir()) if place.is_dir() else []
    if not found:
        return ""
    more = ", ..." if len(found) > _MOST_NAMED else ""
    return f"; beside it there is {', '.join(found[:_MOST_NAMED])}{more}"


def check_forecast(
    path: Path, expected: ExpectedForecast, window: TimeWindow, function: str | None = None
) -> None:
    """Make sure that a file is a forecast that can be tested in a window.

    Whoever reads it later reads it again, with its findings: here it is only decided whether the run failed.

    Parameters
    ----------
    function
        The one that gave the forecast, in the form of `forequake.forecasts.answers`; None of a program.

    Raises
    ------
    ModelFailed
        With the cause ``unreadable_output``, ``wrong_window`` or ``wrong_region``.
    """
    if expected.forecast_type == "catalog":
        _check_catalogs(path, expected, window, function)
    elif function is None:
        _check_rates(path, expected, window)
    else:
        _check_answer(path, expected, function)


def _check_catalogs(path: Path, expected: ExpectedForecast, window: TimeWindow, function: str | None) -> None:
    number, policy = expected.n_catalogs, expected.policy
    try:
        if function is None:
            forecast = read_catalog_forecast(path, expected.format, n_catalogs=number, policy=policy)
        else:
            forecast = answered_catalogs(path, function, number, policy)
    except ForecastError as error:
        raise ModelFailed(_words(path, error), cause="unreadable_output") from error
    counted = forecast.within(
        region=expected.region, magnitudes=expected.magnitudes, window=window, depth_km=expected.depth_km
    )
    out = counted.left_out.before + counted.left_out.after
    if out and (expected.policy == "refuse" or out == forecast.n_events):
        message = (
            f"{out} of the {forecast.n_events} events of the forecast are not in the window {window.id}: "
            f"{counted.left_out.before} before it, {counted.left_out.after} at its end or later"
        )
        raise ModelFailed(message, cause="wrong_window")
    try:
        fit_catalogs(
            forecast,
            region=expected.region,
            magnitudes=expected.magnitudes,
            window=window,
            depth_km=expected.depth_km,
            policy=expected.policy,
        )
    except ForecastError as error:
        raise ModelFailed(_words(path, error), cause="wrong_region") from error


def _check_answer(path: Path, expected: ExpectedForecast, function: str) -> None:
    try:
        answered_rates(path, function, expected.region, expected.magnitudes, expected.policy)
    except ForecastError as error:
        raise ModelFailed(str(error), cause="unreadable_output") from error


def _check_rates(path: Path, expected: ExpectedForecast, window: TimeWindow) -> None:
    try:
        table = read_forecast(path, expected.format)
    except ForecastError as error:
        raise ModelFailed(_words(path, error), cause="unreadable_output") from error
    _check_scope(table.scope, window)
    try:
        fit_to_experiment(table, expected.region, expected.magnitudes, expected.policy)
    except ForecastError as error:
        # Rates that are none are damage, wherever they lie.
        are_rates = table.rates.size > 0 and np.isfinite(table.rates).all() and table.rates.min() >= 0
        cause = "wrong_region" if are_rates else "unreadable_output"
        raise ModelFailed(_words(path, error), cause=cause) from error


def _check_scope(scope: ForecastScope, window: TimeWindow) -> None:
    begin, end = scope.valid_from, scope.valid_to
    if begin is None or end is None or begin <= window.start < window.end <= end:
        return
    message = (
        f"the forecast says that it is valid from {begin:%Y-%m-%dT%H:%M:%S}Z to {end:%Y-%m-%dT%H:%M:%S}Z, "
        f"which is not the window {window.id}"
    )
    raise ModelFailed(message, cause="wrong_window")


def _words(path: Path, error: ForecastError) -> str:
    """Give what is wrong with a file, without the path of a folder that will be gone."""
    return str(error).replace(str(path.parent), path.parent.name)
