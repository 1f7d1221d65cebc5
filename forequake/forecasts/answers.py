"""Forecasts as a model's function gave them: rates on the experiment's own grid, or compact catalogs."""

from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forequake.array_files import read_array
from forequake.errors import ForecastError
from forequake.forecasts.catalog_based import CatalogForecast, catalogs_from_file
from forequake.forecasts.catalog_based.quality import reading_findings
from forequake.forecasts.fitting import fit_to_experiment
from forequake.forecasts.gridded import ForecastTable, GriddedRates
from forequake.forecasts.policy import QualityPolicy
from forequake.quantities import Sha256
from forequake.regions import Region

__all__ = ["answered_catalogs", "answered_rates"]


def answered_rates(
    path: Path, function: str, region: Region, magnitudes: NDArray[np.float64], policy: QualityPolicy
) -> GriddedRates:
    """Read the rates that a function gave, and check them as those of a file.

    Parameters
    ----------
    function
        For messages.

    Raises
    ------
    ForecastError
        Where there are none of the right shape, and as `forequake.forecasts.fit_to_experiment`.
    """
    try:
        rates = read_array(path)
    except (OSError, ValueError, EOFError) as error:
        message = f"{function}: the rates cannot be read ({error})"
        raise ForecastError(message) from error
    if rates.dtype != np.float64 or rates.shape != (len(region), len(magnitudes)):
        message = (
            f"{function}: {rates.dtype} rates of shape {rates.shape} are not those of the region's cells"
        )
        raise ForecastError(message)
    table = ForecastTable(Path(function), region.corners, magnitudes, rates)
    return fit_to_experiment(table, region, magnitudes, policy)


def answered_catalogs(
    path: Path, function: str, n_catalogs: int | None, policy: QualityPolicy, content: Sha256 | None = None
) -> CatalogForecast:
    """Map the catalogs that a function gave, and check them as those of a file.

    Parameters
    ----------
    function
        For messages.
    content
        SHA-256 of the file; with it a copy is mapped, which stays when the file goes.

    Raises
    ------
    ForecastError
        As `forequake.forecasts.catalog_based.read_catalog_forecast`, for values that no event has.
    """
    if content is None:
        forecast = CatalogForecast.from_compact(path)
    else:
        with path.open("rb") as file:
            forecast = catalogs_from_file(file, content)
    forecast = replace(forecast, source=function)
    return replace(forecast, findings=reading_findings(forecast, n_catalogs, policy))
