"""Forecasts that a model's program makes: what decides each of them, known before it runs."""

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Annotated, Final

import numpy as np
from pydantic import JsonValue

from forequake.catalogs import Events
from forequake.config.model_specs import Build, CallableSpec, FolderModel, ProgramSpec, SourceSpec
from forequake.config.specs import ExperimentConfig
from forequake.errors import ForecastError, SourceError
from forequake.keys import ADDED_LATER, KeyInputs
from forequake.models.demands import Demand
from forequake.models.environments import chosen_build, environment_key
from forequake.models.functions import FUNCTION_READER, FunctionInputs, StagedFunction, stage_function
from forequake.models.sources import PathSource, StagedSource, fetch_source
from forequake.patience import Patience
from forequake.quantities import Sha256
from forequake.results import ForecastSource
from forequake.windows import TimeWindow

__all__ = [
    "MAKERS",
    "PROGRAM_READER",
    "ProgramInputs",
    "StagedProgram",
    "program_sources",
    "run_seed",
    "stage_program",
]

#: Changes with what a program is given in a run; it counts in the keys of forecasts.
_RUN_VERSION: Final = 1
#: In the place of a file's reader, where a program makes the file.
PROGRAM_READER: Final = f"program/{_RUN_VERSION}"
#: In the place of a file's reader, where a run makes the forecast.
MAKERS: Final = frozenset({PROGRAM_READER, FUNCTION_READER})
#: For asking anew a source that is there.
_RENEWAL_PATIENCE: Final = Patience(tries=2, request_seconds=600.0, total_seconds=900.0)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


class ProgramInputs(KeyInputs):
    """All that decides a forecast that a program makes, beside what is read of its file.

    Attributes
    ----------
    source, inputs
        Hashes of the model's files and of its folder ``input``, if there is one.
    environment
        Key of the declared environment.
    command, arguments, args_file, input_catalog
        As of `forequake.config.ProgramSpec`.
    output
        Prefix and format of the forecast's file.
    past
        SHA-256 of the events before the window's time of issue, which is its start without a lead time.
    seed
        Which the program is given.
    variables, seed_argument
        As of `forequake.config.ProgramSpec`: of a variable that is passed on, the name alone.
    """

    what = "program_forecast"
    v = _RUN_VERSION

    source: Sha256
    inputs: Sha256 | None
    environment: Sha256
    command: str
    arguments: Mapping[str, JsonValue]
    args_file: str
    input_catalog: str
    output: tuple[str, str]
    past: Sha256
    window: TimeWindow
    seed: int
    variables: Annotated[Mapping[str, str | None], ADDED_LATER] = {}
    seed_argument: Annotated[str | None, ADDED_LATER] = None


class _SeedInputs(KeyInputs):
    what = "model_seed"

    seed: int
    model: str
    window: TimeWindow


@dataclass(frozen=True)
class StagedProgram:
    """A model's program with its files, ready to run.

    Attributes
    ----------
    build, environment
        Kind and key of what it runs in, which is built when it first runs.
    """

    spec: ProgramSpec
    source: StagedSource
    build: Build | None
    environment: Sha256


def stage_program(
    folder: Path, model: FolderModel, say: Callable[[str], None], demand: Demand | None = None
) -> StagedProgram | StagedFunction:
    """Fetch the files of a model's program, or of its function.

    Parameters
    ----------
    folder
        Of the experiment. The model's own folder counts where it is there, else its source is fetched.
    demand
        How new what is fetched must be; None takes what is there.

    Raises
    ------
    SourceError, SourceUnavailable
        Where they cannot be had.
    EnvironmentFailed
        Where they do not say what they run in.
    """
    if model.program is None:
        message = f"the model {model.name!r} has no program"
        raise ForecastError(message)
    if isinstance(model.program, CallableSpec):
        return stage_function(folder, model, model.program, say)
    if model.source is None or (folder / model.path).is_dir():
        if demand is not None and model.source is not None:
            say(f"{model.name}: its folder {model.path} is there and counts; nothing is fetched")
        source = fetch_source(PathSource(model.path), folder, say=say)
    else:
        source = _fetched(model.name, model.source, folder, say, demand)
    build = chosen_build(model.program.build, source.folder)
    return StagedProgram(model.program, source, build, environment_key(build, source))


def _fetched(
    name: str, spec: SourceSpec, folder: Path, say: Callable[[str], None], demand: Demand | None
) -> StagedSource:
    if demand is None:
        return fetch_source(spec, folder, say=say)
    if demand.strict:
        return fetch_source(spec, folder, say=say, refresh=demand.since)
    try:
        return fetch_source(spec, folder, say=say, refresh=demand.since, patience=_RENEWAL_PATIENCE)
    except SourceError as error:  # the server is away, or the repository has gone
        say(f"{name}: {error}; what was fetched before is used")
        return fetch_source(spec, folder, say=say)


def program_sources(
    model: FolderModel,
    program: StagedProgram | StagedFunction,
    learning: Events,
    windows: Iterable[TimeWindow],
    config: ExperimentConfig,
    region: Sha256,
) -> dict[str, ForecastSource]:
    """Give what decides the forecasts of windows, by the ids of windows; nothing runs yet.

    Parameters
    ----------
    learning
        The whole catalog from which models learn, in order of time.
    windows
        Those whose time of issue has come: the past of others is not complete yet.
    config, region
        The experiment's, and the key of its cells, which a function is told.
    """
    chosen = list(windows)
    issued = {window: model.issue_time(window) for window in chosen}
    pasts = _pasts(learning, issued.values())
    sources = {}
    for window in chosen:
        past, seed = pasts[issued[window]], run_seed(config.seed or 0, model.name, window)
        if isinstance(program, StagedProgram):
            content, reader = _program_inputs(model, program, past, window, seed).key, PROGRAM_READER
        else:
            inputs = FunctionInputs(
                source=program.source.tree,
                environment=program.environment,
                function=program.spec.function,
                arguments=program.spec.arguments,
                forecast_type=model.forecast_type,
                n_catalogs=model.n_catalogs,
                past=past,
                region=region,
                magnitudes=config.magnitudes,
                depth_km=config.depth_km,
                window=window,
                seed=seed,
                variables=program.spec.variables,
            )
            content, reader = inputs.key, FUNCTION_READER
        sources[window.id] = ForecastSource(content=content, reader=reader)
    return sources


def _program_inputs(
    model: FolderModel, program: StagedProgram, past: Sha256, window: TimeWindow, seed: int
) -> ProgramInputs:
    return ProgramInputs(
        source=program.source.tree,
        inputs=None if program.source.inputs is None else program.source.inputs.sha256,
        environment=program.environment,
        command=program.spec.command,
        arguments=program.spec.arguments,
        args_file=program.spec.args_file,
        input_catalog=program.spec.input_catalog,
        output=(model.prefix, model.format),
        past=past,
        window=window,
        seed=seed,
        variables=program.spec.variables,
        seed_argument=program.spec.seed_argument,
    )


def run_seed(seed: int, model: str, window: TimeWindow) -> int:
    """Derive the seed of a model's run from that of the experiment: from 1 to 2^31 - 1.

    R, Java and Fortran take no seed that does not fit into 31 bits.
    """
    return int(_SeedInputs(seed=seed, model=model, window=window).key[:8], 16) >> 1 or 1


def _pasts(events: Events, starts: Iterable[datetime]) -> dict[datetime, Sha256]:
    """Hash the events before each moment; what several have in common is hashed once."""
    columns = (events.longitude, events.latitude, events.depth_km, events.magnitude)
    # Row by row, so that the hash does not depend on where the windows begin.
    rows = np.rec.fromarrays([events.time_us.astype("<i8"), *(column.astype("<f8") for column in columns)])
    numbers, names, done = hashlib.sha256(), hashlib.sha256(), 0
    pasts: dict[datetime, Sha256] = {}
    for start in sorted(set(starts)):
        until = int(np.searchsorted(events.time_us, (start - _EPOCH) // _MICROSECOND))
        numbers.update(rows[done:until].tobytes())
        names.update("".join(f"{name}\n" for name in events.event_id[done:until]).encode())
        done = until
        pasts[start] = hashlib.sha256(numbers.digest() + names.digest()).hexdigest()
    return pasts
