"""Models that are Python functions: their source, and what decides each forecast before it is made."""

import shutil
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from pydantic import JsonValue

from forequake.config.functions import faults_of_function
from forequake.config.model_specs import Build, CallableSpec, FolderModel
from forequake.config.spec_base import ForecastType
from forequake.errors import SourceError
from forequake.keys import KeyInputs
from forequake.models.environments import chosen_build, environment_key
from forequake.models.runs import RUNNER_VERSION
from forequake.models.sources import PathSource, StagedSource, fetch_source
from forequake.quantities import Sha256
from forequake.windows import TimeWindow

__all__ = ["FUNCTION_READER", "SEALED_FUNCTION_READER", "FunctionInputs", "StagedFunction", "stage_function"]

#: In the place of a file's reader, where a function gives the forecast.
FUNCTION_READER: Final = f"function/{RUNNER_VERSION}"
#: The same for an answer that was sealed, which is known by its bytes.
SEALED_FUNCTION_READER: Final = f"sealed-function/{RUNNER_VERSION}"
#: What does not belong to a function's source: forecasts that programs of floatCSEP leave there.
_LEFT_OUT: Final = frozenset({"forecasts"})


class FunctionInputs(KeyInputs):
    """All that decides a forecast that a function gives.

    Attributes
    ----------
    source
        Hash of the model's files.
    environment
        Key of the declared environment.
    function, arguments, variables
        As of `forequake.config.CallableSpec`.
    past
        SHA-256 of the events before the window's start.
    forecast_type, n_catalogs, region, magnitudes, depth_km, window, seed
        What the function is told.
    """

    what = "function_forecast"
    v = RUNNER_VERSION

    source: Sha256
    environment: Sha256
    function: str
    arguments: Mapping[str, JsonValue]
    forecast_type: ForecastType
    n_catalogs: int | None
    past: Sha256
    region: Sha256
    magnitudes: tuple[float, ...]
    depth_km: tuple[float, float] | None
    window: TimeWindow
    seed: int
    variables: Mapping[str, str | None]


@dataclass(frozen=True)
class StagedFunction:
    """A model's function with its files, ready to be called.

    Attributes
    ----------
    build, environment
        Kind and key of what it runs in, which is built when it is first called.
    """

    spec: CallableSpec
    source: StagedSource
    build: Build | None
    environment: Sha256


def stage_function(
    folder: Path, model: FolderModel, spec: CallableSpec, say: Callable[[str], None]
) -> StagedFunction:
    """Fetch the files of a model that is a function, and look whether it is there.

    Parameters
    ----------
    folder
        Of the experiment. The model's own folder counts where it is there, else its source is fetched.

    Raises
    ------
    SourceError, SourceUnavailable
        Where they cannot be had, or the function is not in them.
    EnvironmentFailed
        Where they do not say what they run in.
    """
    place = folder / model.path
    if model.source is None and not place.is_dir():
        source = _alone(place, say)
    else:
        found = PathSource(model.path) if model.source is None or place.is_dir() else model.source
        source = fetch_source(found, folder, say=say, leave_out=_LEFT_OUT)
    build = chosen_build(spec.build, source.folder)
    faults = faults_of_function(
        source.folder, spec.function, spec.arguments, may_be_installed=build is not None
    )
    for fault in faults:
        near = "" if fault.near is None else f"; did you mean {fault.near!r}?"
        message = f"{spec.function} of {source.origin}: {fault.message}{near}"
        raise SourceError(message)
    return StagedFunction(spec, source, build, environment_key(build, source))


def _alone(file: Path, say: Callable[[str], None]) -> StagedSource:
    """Take one file as the whole source: what lies beside it is the experiment's."""
    with tempfile.TemporaryDirectory(prefix="forequake-") as name:
        try:
            shutil.copyfile(file, Path(name) / file.name)
        except OSError as error:
            message = f"{file}, the file of a model, cannot be read ({error.strerror})"
            raise SourceError(message) from error
        source = fetch_source(PathSource(name), Path(name), say=say, leave_out=())
    return replace(source, origin=str(file))
