"""Forecasts of time-dependent models: one file a window, which may not be there yet."""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from forequake.config import ExperimentConfig, FileModel, FolderModel, LoadedExperiment, ModelSpec
from forequake.errors import ForecastError
from forequake.forecasts.fitted import file_content, fitted_rates
from forequake.forecasts.gridded import GriddedRates
from forequake.forecasts.readers import reader_of
from forequake.quantities import Sha256
from forequake.regions import Region
from forequake.results import ForecastSource
from forequake.windows import TimeWindow, forecast_file_names

__all__ = ["absence", "arrived", "read_arrived"]


def absence(config: ExperimentConfig, model: ModelSpec, window: TimeWindow) -> str:
    """Say of a forecast that is not there where it was expected, and what this version does not do."""
    if isinstance(model, FolderModel):
        # Of all the places the one that people know: floatCSEP's, with dates alone where they suffice.
        name = forecast_file_names(window, alone=window.id in config.alone_on_their_dates)[-1]
        place = next(place for place in _places(config, model, window) if name in place)
        text = f"there is no forecast of model {model.name!r} for this window; expected {place}"
        if model.program is not None:
            text += "; this version does not run models' programs: let the model write its forecasts there"
    else:
        assert isinstance(model, FileModel)  # noqa: S101  # a built-in reference is always there
        text = f"the forecast of model {model.name!r} is not there; expected {model.path}"
    if model.source is not None:
        text += f"; this version does not fetch models from {model.source.kind}: fetch it there yourself"
    return text


def arrived(loaded: LoadedExperiment, model: FolderModel) -> dict[str, ForecastSource]:
    """Give the content of each forecast that is there, by the id of its window.

    Raises
    ------
    ForecastError
        Where a file is there and cannot be read.
    """
    sources: dict[str, ForecastSource] = {}
    for window in loaded.config.windows:
        path = _find(loaded, model, window)
        if path is not None:
            reader = reader_of(path, model.format)
            content = file_content(path, model.format)
            sources[window.id] = ForecastSource(content=content, reader=reader)
    return sources


def read_arrived(
    loaded: LoadedExperiment,
    model: FolderModel,
    window: TimeWindow,
    content: Sha256,
    region: Region,
    magnitudes: NDArray[np.float64],
) -> GriddedRates:
    """Read the forecast of a window, checked against the experiment's grid.

    Parameters
    ----------
    content
        What its file held when the experiment was resolved.

    Raises
    ------
    ForecastError
        Where the file is gone, changed or damaged, or made for other cells or magnitudes.
    """
    path = _find(loaded, model, window)
    if path is None or file_content(path, model.format) != content:
        message = (
            f"{path or _places(loaded.config, model, window)[0]}: the forecast of model {model.name!r} "
            "changed while the run began; run again"
        )
        raise ForecastError(message)
    policy = loaded.config.forecast_quality
    return fitted_rates(path, region, magnitudes, policy, format=model.format, content=content)


def _find(loaded: LoadedExperiment, model: FolderModel, window: TimeWindow) -> Path | None:
    places = _places(loaded.config, model, window)
    return next((path for place in places if (path := loaded.folder / place).is_file()), None)


def _places(config: ExperimentConfig, model: FolderModel, window: TimeWindow) -> tuple[str, ...]:
    return model.forecast_paths(window, alone=window.id in config.alone_on_their_dates)
