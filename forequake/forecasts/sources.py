"""Where a model's forecast comes from: a file, or a built-in reference."""

import hashlib
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.config import LoadedExperiment, ModelSpec, ReferenceModel
from forequake.datasets import source_file
from forequake.errors import ForecastError
from forequake.forecasts.fitting import fit_to_experiment
from forequake.forecasts.gridded import GriddedRates
from forequake.forecasts.readers import read_forecast, reader_of
from forequake.forecasts.reference import UniformInputs, uniform_rates
from forequake.quantities import Sha256
from forequake.regions import Region

__all__ = ["content_of", "read_model", "reader_of_model"]

#: In the place of a file's reader, for the reference that needs no file.
_UNIFORM_READER: Final = "uniform/1"


def reader_of_model(model: ModelSpec) -> str:
    """Give the name and version of what understands the model's source."""
    return reader_of(source_file(model.path)) if model.kind == "file" else _UNIFORM_READER


def content_of(loaded: LoadedExperiment, model: ModelSpec) -> Sha256:
    """Hash a model's source: the bytes of its file, or the definition of a built-in reference.

    Raises
    ------
    ForecastError
        Where the file cannot be read.
    """
    if isinstance(model, ReferenceModel):
        return _uniform(model).key
    path = loaded.locate(model.path)
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        message = f"{path}: the forecast of model {model.name!r} cannot be read ({error.strerror})"
        raise ForecastError(message) from error


def read_model(
    loaded: LoadedExperiment, model: ModelSpec, region: Region, magnitudes: NDArray[np.float64]
) -> GriddedRates:
    """Read a model's rates, checked against the experiment's grid, over the model's own length of time.

    Raises
    ------
    ForecastError
        Where the file is damaged, or made for other cells or magnitudes.
    """
    if isinstance(model, ReferenceModel):
        definition = _uniform(model)
        return uniform_rates(region, magnitudes, total=definition.total, b_value=definition.b_value)
    return fit_to_experiment(read_forecast(loaded.locate(model.path)), region, magnitudes)


def _uniform(model: ReferenceModel) -> UniformInputs:
    return UniformInputs(total=model.total, b_value=model.b_value)
