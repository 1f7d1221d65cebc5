"""Forecasts that programs make before anybody can know how their windows end: which of them are due."""

from collections.abc import Collection

from forequake.config import FolderModel
from forequake.experiments import Experiment
from forequake.forecasts.sources import content_for, reader_for
from forequake.model_runs import ForecastFile
from forequake.models.functions import SEALED_FUNCTION_READER
from forequake.models.programs import MAKERS
from forequake.quantities import now
from forequake.results import ForecastSource
from forequake.seals import has_program
from forequake.windows import TimeWindow

__all__ = ["due_ahead", "sealed_source"]


def due_ahead(
    experiment: Experiment, models: Collection[str] = (), windows: Collection[str] = ()
) -> dict[str, list[TimeWindow]]:
    """Give the windows for which programs may run now, by the names of models.

    Their time of issue has come, they have not ended, and no forecast of them is sealed. What is sealed then
    stands: a later revision of the catalog, or another version of the program, makes no new forecast.

    Parameters
    ----------
    models, windows
        Names and ids of those that are meant; empty means all.
    """
    moment = now()
    due: dict[str, list[TimeWindow]] = {}
    for model in experiment.config.models:
        if not has_program(model) or (models and model.name not in models):
            continue
        for window in experiment.config.windows:
            source = experiment.source(model.name, window)
            if (
                source is not None
                and source.reader in MAKERS
                and window.end > moment
                and (not windows or window.id in windows)
            ):
                due.setdefault(model.name, []).append(window)
    return due


def sealed_source(model: FolderModel, file: ForecastFile) -> ForecastSource:
    """Give what a forecast that was made is read from once it is sealed: its own bytes."""
    if file.function is not None and file.run is not None:
        return ForecastSource(content=file.run.output, reader=SEALED_FUNCTION_READER)
    return ForecastSource(content=content_for(model, file.path), reader=reader_for(model, file.path))
