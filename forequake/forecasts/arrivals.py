"""Forecasts of time-dependent models: one file a window, which may not be there yet."""

from pathlib import Path

from forequake.config import (
    ExperimentConfig,
    FileModel,
    FolderModel,
    LearningReference,
    LoadedExperiment,
    ModelSpec,
)
from forequake.errors import ForecastError
from forequake.forecasts.sources import content_for, reader_for
from forequake.quantities import Sha256
from forequake.results import ForecastSource
from forequake.windows import TimeWindow, forecast_file_names

__all__ = ["absence", "arrived", "forecast_file"]


def absence(config: ExperimentConfig, model: ModelSpec, window: TimeWindow) -> str:
    """Say of a forecast that is not there where it was expected, and what would bring it."""
    if isinstance(model, LearningReference):
        return f"the reference {model.name!r} learns from all before the window; it had not begun: run again"
    if isinstance(model, FolderModel) and model.program is not None:
        return f"the program of model {model.name!r} runs when the window has begun; run again"
    if isinstance(model, FolderModel):
        # Of all the places the one that people know: floatCSEP's, with dates alone where they suffice.
        name = forecast_file_names(window, alone=window.id in config.alone_on_their_dates)[-1]
        place = next(place for place in _places(config, model, window) if name in place)
        text = f"there is no forecast of model {model.name!r} for this window; expected {place}"
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
            content = content_for(model, path)
            sources[window.id] = ForecastSource(content=content, reader=reader_for(model, path))
    return sources


def forecast_file(
    loaded: LoadedExperiment, model: FileModel | FolderModel, window: TimeWindow, content: Sha256
) -> Path:
    """Find the file with the forecast of a window.

    Parameters
    ----------
    content
        What it held when the experiment was resolved.

    Raises
    ------
    ForecastError
        Where the file is gone or changed since.
    """
    if isinstance(model, FileModel):
        path: Path | None = loaded.locate(model.path)
    else:
        path = _find(loaded, model, window)
    if path is None or content_for(model, path) != content:
        message = (
            f"{path or absence(loaded.config, model, window)}: the forecast of model {model.name!r} changed "
            "while the run began; run again"
        )
        raise ForecastError(message)
    return path


def _find(loaded: LoadedExperiment, model: FolderModel, window: TimeWindow) -> Path | None:
    places = _places(loaded.config, model, window)
    return next((path for place in places if (path := loaded.folder / place).is_file()), None)


def _places(config: ExperimentConfig, model: FolderModel, window: TimeWindow) -> tuple[str, ...]:
    return model.forecast_paths(window, alone=window.id in config.alone_on_their_dates)
