"""Where a model's forecast comes from: a file, or a built-in reference."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.config import FileModel, LoadedExperiment, ReferenceModel, WindowModel
from forequake.datasets import source_file
from forequake.forecasts.brought import file_of
from forequake.forecasts.catalog_based import catalog_content, catalog_reader_of
from forequake.forecasts.fitted import file_content, fitted_rates
from forequake.forecasts.gridded import GriddedRates
from forequake.forecasts.readers import reader_of
from forequake.forecasts.references.uniform import UniformInputs, uniform_rates
from forequake.quantities import Sha256
from forequake.regions import Region

__all__ = ["content_for", "content_of", "read_model", "reader_for", "reader_of_model"]

#: In the place of a file's reader, for the reference that needs no file.
_UNIFORM_READER: Final = "uniform/1"


def reader_of_model(model: FileModel | ReferenceModel) -> str:
    """Give the name and version of what understands the source of a model that serves all windows."""
    if isinstance(model, ReferenceModel):
        return _UNIFORM_READER
    return reader_for(model, source_file(model.path))


def reader_for(model: FileModel | WindowModel, path: Path) -> str:
    """Give the name and version of what understands a file of the model."""
    read_by = catalog_reader_of if model.forecast_type == "catalog" else reader_of
    return read_by(path, model.format)


def content_of(
    loaded: LoadedExperiment,
    model: FileModel | ReferenceModel,
    say: Callable[[str], None] = lambda words: None,
) -> Sha256:
    """Hash a model's source: the bytes of its file, or the definition of a built-in reference.

    Parameters
    ----------
    say
        Told what is fetched.

    Raises
    ------
    ForecastError
        Where the file cannot be read.
    SourceError, SourceUnavailable
        Where the model's source brings it, and cannot be had.
    """
    if isinstance(model, ReferenceModel):
        return _uniform(model).key
    return content_for(model, file_of(loaded, model, say))


def content_for(model: FileModel | WindowModel, path: Path) -> Sha256:
    """Hash what a file of the model holds.

    Raises
    ------
    ForecastError
        Where it cannot be read.
    """
    return catalog_content(path) if model.forecast_type == "catalog" else file_content(path, model.format)


def read_model(
    loaded: LoadedExperiment,
    model: FileModel | ReferenceModel,
    region: Region,
    magnitudes: NDArray[np.float64],
    *,
    content: Sha256 | None = None,
) -> GriddedRates:
    """Read a model's rates, checked against the experiment's grid, over the model's own length of time.

    A file that was read before for the same grid and policy is not parsed again.

    Parameters
    ----------
    content
        What `content_of` gave, where it is known: it saves hashing the file.

    Raises
    ------
    ForecastError
        Where the file is damaged, or made for other cells or magnitudes.
    """
    if isinstance(model, ReferenceModel):
        definition = _uniform(model)
        return uniform_rates(region, magnitudes, total=definition.total, b_value=definition.b_value)
    path, policy = file_of(loaded, model), loaded.config.forecast_quality
    return fitted_rates(path, region, magnitudes, policy, format=model.format, content=content)


def _uniform(model: ReferenceModel) -> UniformInputs:
    return UniformInputs(total=model.total, b_value=model.b_value)
