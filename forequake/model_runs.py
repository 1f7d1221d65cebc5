"""The forecast of a window by a model's program: run where no file has it, and read like any other."""

import shutil
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Final

from platformdirs import user_cache_path

from forequake.command_lines import command_words
from forequake.config import FolderModel, LoadedExperiment, SubmissionModel, WindowModel
from forequake.errors import ForecastError, InputError, ModelFailed
from forequake.experiments import Experiment
from forequake.forecasts.arrivals import forecast_file
from forequake.models.demands import Demand
from forequake.models.environments import BuiltEnvironment, runs_itself
from forequake.models.functions import StagedFunction
from forequake.models.holds import held_folder
from forequake.models.programs import StagedProgram, run_seed
from forequake.models.runs import (
    ExpectedForecast,
    ModelLimits,
    ModelRequest,
    ModelRun,
    declared_variables,
    place_below_start,
    prospective_status,
    run_model,
)
from forequake.models.sources import StagedSource
from forequake.quantities import now
from forequake.ready_programs import ReadyPrograms
from forequake.results import ModelRunRecord, ProspectiveStatus, SealRecord, Stage
from forequake.run_status import RunFollower, RunStatus
from forequake.seals import Sealed
from forequake.windows import TimeWindow

__all__ = ["ForecastFile", "Watch", "forecast_of_window", "programs_of", "request_of_window", "run_shelf"]

#: Of what a program prints, so much of its end is recorded.
_LOG_LETTERS: Final = 4000


@dataclass(frozen=True)
class Watch:
    """Who looks at a run: told what goes on and how far a model is, and able to end it."""

    say: Callable[[str], None] = lambda words: None
    stop: threading.Event = field(default_factory=threading.Event)
    show: Callable[[RunStatus], None] = lambda status: None


@dataclass(frozen=True)
class ForecastFile:
    """A file with a forecast, and the run that made it where a program or a function did.

    Attributes
    ----------
    function
        The function whose answer the file is (see `forequake.forecasts.answers`); None of other files.
    """

    path: Path
    run: ModelRunRecord | None = None
    prospective: ProspectiveStatus = ProspectiveStatus.RETROSPECTIVE
    function: str | None = None


def run_shelf() -> Path:
    """Give the folder for the private folders of runs, in the user's cache."""
    shelf = user_cache_path("forequake") / "runs"
    shelf.mkdir(parents=True, exist_ok=True)
    return shelf


def programs_of(
    loaded: LoadedExperiment,
    experiment: Experiment,
    model: str,
    watch: Watch,
    windows: Iterable[TimeWindow],
    rebuild: Demand | None = None,
) -> ReadyPrograms | None:
    """Give a model's program for some windows; None where it has none."""
    spec = experiment.model(model)
    if not isinstance(spec, FolderModel) or spec.program is None:
        return None
    return ReadyPrograms(
        loaded, experiment, spec, say=watch.say, stop=watch.stop, windows=windows, rebuild=rebuild
    )


@contextmanager
def _unsealed(sealed: Sealed, seal: SealRecord) -> Iterator[Path]:
    """Write the bytes of a sealed forecast under the name by which they are read."""
    if seal.file is None:
        message = f"the sealed forecast of model {seal.model!r} for {seal.window.id} has no content"
        raise ForecastError(message)
    with held_folder(run_shelf(), "made-") as folder:
        path = folder / seal.name
        with sealed.open(seal.file.sha256) as data, path.open("wb") as file:
            shutil.copyfileobj(data, file)
        yield path


@contextmanager
def forecast_of_window(
    loaded: LoadedExperiment,
    experiment: Experiment,
    model: WindowModel,
    window: TimeWindow,
    watch: Watch,
    ready: ReadyPrograms | None = None,
) -> Iterator[ForecastFile]:
    """Give the file with the forecast of a window; one that is sealed or made is there inside the block only.

    Parameters
    ----------
    ready
        What several windows share; None makes the program ready for this one alone.

    Raises
    ------
    ForecastError
        Where the forecast's file, or what decides it, changed since the run began.
    ModelFailed, SourceError, EnvironmentFailed
        Where the program made no forecast that can be used.
    Interrupted
        Where the run was asked to stop meanwhile.
    """
    if (seal := experiment.sealed.find(model.name, window)) is not None:
        with _unsealed(experiment.sealed, seal) as path:
            yield ForecastFile(path, seal.run, seal.prospective, seal.function)
        return
    if isinstance(model, FolderModel):
        ready = ready or ReadyPrograms(loaded, experiment, model, say=watch.say, stop=watch.stop)
    if isinstance(model, SubmissionModel) or ready is None or not ready.makes(window):
        content = experiment.forecast_inputs(model.name, window).content
        yield ForecastFile(forecast_file(loaded, model, window, content))
        return
    usable = ready.for_window(window)
    program, environment = usable.program, usable.environment
    with held_folder(run_shelf(), "made-") as folder:
        request = request_of_window(experiment, model, window, program, environment, folder, watch)
        try:
            run = run_model(request)
        except InputError as error:
            message = f"model {model.name!r}, window {window.id}: {error}"
            raise ModelFailed(message, cause="cannot_start") from error
        status = _status(experiment, model, window, program.source, run.sealed_at)
        record = _record(program, environment, request, run, usable.source_seconds)
        try:
            yield ForecastFile(run.output, record, status, request.function)
        except ForecastError as error:
            raise ModelFailed(str(error), cause="unreadable_output", output=run.log) from error


def _status(
    experiment: Experiment, model: FolderModel, window: TimeWindow, source: StagedSource, sealed: datetime
) -> ProspectiveStatus:
    """Tell how a forecast stands to its window; files that made a sealed one were fixed by then."""
    return prospective_status(
        window,
        sealed=sealed,
        retrieved=experiment.read_at or now(),
        fixed=min([source.fetched_at, *experiment.sealed.uses_of(model.name, source.tree)]),
        known_until=model.issue_time(window),
    )


def request_of_window(
    experiment: Experiment,
    model: FolderModel,
    window: TimeWindow,
    program: StagedProgram | StagedFunction,
    environment: BuiltEnvironment,
    folder: Path,
    watch: Watch,
) -> ModelRequest:
    """Say what a model's program or function is asked for in a window of an experiment.

    Parameters
    ----------
    folder
        Where its forecast goes; private folders of runs are made beside it.
    """
    config, follower = experiment.config, RunFollower(watch.show)
    issued = model.issue_time(window)
    names = model.output_names(window, alone=window.id in config.alone_on_their_dates)
    inside = tuple(str(Path("forecasts") / name) for name in names)
    request = ModelRequest(
        model=model.name,
        argv=(),
        environment=environment,
        source=program.source,
        window=window,
        input_catalog=experiment.learned_from.before(issued),
        known_until=issued,
        output_names=inside,
        expected=ExpectedForecast(
            forecast_type=model.forecast_type,
            region=experiment.region,
            magnitudes=experiment.magnitudes,
            format=model.format,
            n_catalogs=model.n_catalogs,
            depth_km=config.depth_km,
            policy=config.forecast_quality,
        ),
        destination=folder / Path(inside[-1]).name,
        shelf=folder.parent,
        arguments=program.spec.arguments,
        limits=ModelLimits(program.spec.limits.program, program.spec.limits.output_mb),
        seed=run_seed(config.seed or 0, model.name, window),
        variables=declared_variables(program.spec.variables),
        secret=frozenset(name for name, value in program.spec.variables.items() if value is None),
        say=watch.say,
        on_progress=follower.progress,
        on_life=follower.life,
        stop=watch.stop,
    )
    if isinstance(program, StagedFunction):
        return replace(request, argv=(program.spec.function,), function=program.spec.function)
    return replace(
        request,
        argv=_argv(program, watch),
        place=_place(model, program),
        seed_argument=program.spec.seed_argument,
        args_file=program.spec.args_file,
        input_name=program.spec.input_catalog,
    )


def _argv(program: StagedProgram, watch: Watch) -> tuple[str, ...]:
    if program.build == "docker" and runs_itself(program.source.folder):
        watch.say(f"the image runs what its Dockerfile says, not {program.spec.command!r}")
        return ()
    return command_words(program.spec.command)


def _place(model: FolderModel, program: StagedProgram) -> PurePosixPath | None:
    """Tell where the model lies below the folder in which its command starts; images have their own."""
    if program.build == "docker":
        return None
    source = program.source
    inputs = () if source.inputs is None else (f"input/{name}" for name in source.inputs.entries)
    return place_below_start(program.spec.command, model.path, {*source.files, *inputs})


def _record(
    program: StagedProgram | StagedFunction,
    environment: BuiltEnvironment,
    request: ModelRequest,
    run: ModelRun,
    sourcing_seconds: float,
) -> ModelRunRecord:
    built = {} if environment.seconds is None else {Stage.BUILD.value: environment.seconds}
    return ModelRunRecord(
        origin=program.source.origin,
        commit=program.source.commit,
        tree=program.source.tree,
        environment=environment.key,
        build=environment.build,
        python=environment.python,
        packages=dict(environment.packages),
        image_digest=environment.image_digest,
        command=request.argv,
        arguments=run.arguments,
        seed=request.seed or 0,
        seed_argument=request.seed_argument,
        variables=dict(program.spec.variables),
        limits=program.spec.limits.model_dump(),
        n_input_events=len(request.input_catalog),
        output=run.sha256,
        sealed_at=run.sealed_at,
        seconds={Stage.SOURCE.value: sourcing_seconds, **built, **run.seconds},
        cpu_seconds=run.cpu_seconds,
        peak_memory=run.peak_memory,
        isolated=run.isolated,
        another_user=run.another_user,
        notes=run.notes,
        log=run.log[-_LOG_LETTERS:],
    )
