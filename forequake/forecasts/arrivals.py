"""Forecasts of time-dependent models: one file a window, which may not be there yet."""

from collections.abc import Callable
from pathlib import Path, PurePosixPath

from forequake.config import (
    ExperimentConfig,
    FileModel,
    FolderModel,
    LearningReference,
    LoadedExperiment,
    ModelSpec,
)
from forequake.errors import ForecastError
from forequake.forecasts.brought import file_of, folder_of
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
        text += ", in the experiment's folder or else in its source"
    return text


def arrived(
    loaded: LoadedExperiment, model: FolderModel, say: Callable[[str], None] = lambda words: None
) -> dict[str, ForecastSource]:
    """Give the content of each forecast that is there, by the id of its window.

    Parameters
    ----------
    say
        Told what is fetched.

    Raises
    ------
    ForecastError
        Where a file is there and cannot be read.
    SourceError, SourceUnavailable
        Where the model's source brings its forecasts, and cannot be had.
    """
    sources: dict[str, ForecastSource] = {}
    folder = folder_of(loaded, model, say)
    for window in loaded.config.windows:
        path = _find(loaded, folder, model, window)
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
    SourceError, SourceUnavailable
        Where a source brings it, and cannot be had any more.
    """
    if isinstance(model, FileModel):
        path: Path | None = file_of(loaded, model)
    else:
        path = _find(loaded, folder_of(loaded, model), model, window)
    if path is None or content_for(model, path) != content:
        message = (
            f"{path or absence(loaded.config, model, window)}: the forecast of model {model.name!r} changed "
            "while the run began; run again"
        )
        raise ForecastError(message)
    return path


def _find(loaded: LoadedExperiment, folder: Path, model: FolderModel, window: TimeWindow) -> Path | None:
    places = (PurePosixPath(place).relative_to(model.path) for place in _places(loaded.config, model, window))
    return next((path for place in places if (path := folder / place).is_file()), None)


def _places(config: ExperimentConfig, model: FolderModel, window: TimeWindow) -> tuple[str, ...]:
    return model.forecast_paths(window, alone=window.id in config.alone_on_their_dates)
