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
    SubmissionModel,
    WindowModel,
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
    if isinstance(model, SubmissionModel):
        return _no_submission(config, model, window)
    if isinstance(model, FolderModel) and model.program is not None:
        return (
            f"the program of model {model.name!r} runs from {model.issue_time(window):%Y-%m-%d %H:%M:%S} UTC "
            "on; run again"
        )
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
    loaded: LoadedExperiment, model: WindowModel, say: Callable[[str], None] = lambda words: None
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
    folder = _folder(loaded, model, say)
    for window in loaded.config.windows:
        path = _find(loaded, folder, model, window)
        if path is not None:
            content = content_for(model, path)
            sources[window.id] = ForecastSource(content=content, reader=reader_for(model, path))
    return sources


def forecast_file(
    loaded: LoadedExperiment, model: FileModel | WindowModel, window: TimeWindow, content: Sha256
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
        path = _find(loaded, _folder(loaded, model, lambda words: None), model, window)
    if path is None or content_for(model, path) != content:
        message = (
            f"{path or absence(loaded.config, model, window)}: the forecast of model {model.name!r} changed "
            "while the run began; run again"
        )
        raise ForecastError(message)
    return path


def _find(loaded: LoadedExperiment, folder: Path, model: WindowModel, window: TimeWindow) -> Path | None:
    beside = PurePosixPath(model.path or "")
    places = (PurePosixPath(place).relative_to(beside) for place in _places(loaded.config, model, window))
    return next((path for place in places if (path := folder / place).is_file()), None)


def _folder(loaded: LoadedExperiment, model: WindowModel, say: Callable[[str], None]) -> Path:
    return (
        folder_of(loaded, model, say)
        if isinstance(model, FolderModel)
        else loaded.folder / (model.path or "")
    )


def _places(config: ExperimentConfig, model: WindowModel, window: TimeWindow) -> tuple[str, ...]:
    alone = window.id in config.alone_on_their_dates
    if isinstance(model, FolderModel):
        return model.forecast_paths(window, alone=alone)
    if model.path is None:
        return ()
    return tuple(str(PurePosixPath(model.path) / name) for name in model.file_names(window, alone=alone))


def _no_submission(config: ExperimentConfig, model: SubmissionModel, window: TimeWindow) -> str:
    text = f"no forecast of model {model.name!r} came for this window"
    if model.store is not None:
        return f"{text}; expected {model.store.model} of {model.store.experiment} in {model.store.name}"
    return f"{text}; expected {_places(config, model, window)[-1]}"
