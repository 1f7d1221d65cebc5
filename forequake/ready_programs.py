"""A model's program for the windows of a task: fetched, built and compared with the plan once."""

import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from forequake.config import FolderModel, LoadedExperiment
from forequake.errors import EnvironmentUnavailable, ForecastError, SourceChanged
from forequake.experiments import Experiment
from forequake.models.demands import Demand
from forequake.models.environments import BuiltEnvironment, prepare_environment
from forequake.models.functions import StagedFunction
from forequake.models.programs import MAKERS, StagedProgram, program_sources, stage_program
from forequake.models.runs import declared_variables
from forequake.models.signatures import Signature, signature
from forequake.models.sources import verify
from forequake.results import ForecastSource, Stage
from forequake.timers import Timing
from forequake.windows import TimeWindow

__all__ = ["ReadyProgram", "ReadyPrograms"]


@dataclass(frozen=True)
class ReadyProgram:
    """A program that can run at once.

    Attributes
    ----------
    source_seconds
        What fetching its files took, or looking at them, for this window.
    """

    program: StagedProgram | StagedFunction
    environment: BuiltEnvironment
    source_seconds: float


class ReadyPrograms:
    """The program of one model, made ready when a window first needs it.

    Before each use it is looked at whether source and environment still are what they were; what is not is
    fetched or built again.

    Parameters
    ----------
    windows
        For which it may be asked: what decides their forecasts is compared with the plan at once.
    rebuild
        How new the environment must be; None takes one that is there.
    say, stop
        Told what goes on; where it is set, a build is ended.
    """

    def __init__(
        self,
        loaded: LoadedExperiment,
        experiment: Experiment,
        model: FolderModel,
        *,
        say: Callable[[str], None],
        stop: threading.Event,
        windows: Iterable[TimeWindow] = (),
        rebuild: Demand | None = None,
    ) -> None:
        self._loaded, self._experiment, self.model = loaded, experiment, model
        self._say, self._stop = say, stop
        self._windows = tuple(windows)
        self._rebuild = rebuild
        self._ready: ReadyProgram | None = None
        self._prefix: Signature | None = None
        self._sources: dict[str, ForecastSource] = {}

    def makes(self, window: TimeWindow) -> bool:
        """Tell whether the program makes the forecast of a window: no file has it."""
        source = self._experiment.source(self.model.name, window)
        return source is not None and source.reader in MAKERS

    def for_window(self, window: TimeWindow) -> ReadyProgram:
        """Give the program, ready to run for a window.

        Raises
        ------
        ForecastError
            Where what decides the forecast changed since the run was planned.
        SourceError, EnvironmentFailed, ModelFailed
            Where its files, its environment or a variable cannot be had.
        Interrupted
            Where the run was asked to stop meanwhile.
        """
        with Timing(Stage.SOURCE, self.model.name, window) as sourcing:
            program = self._staged()
        if window.id not in self._sources:
            wanted = {one.id: one for one in (window, *self._windows) if self.makes(one)}
            self._sources |= program_sources(
                self.model,
                program,
                self._experiment.learned_from,
                wanted.values(),
                self._experiment.config,
                self._experiment.inputs.region,
            )
        if self._sources[window.id] != self._experiment.source(self.model.name, window):
            message = f"the program of model {self.model.name!r}, or what it learns from, changed; run again"
            raise ForecastError(message)
        if self._ready is None or not self._is_unchanged(self._ready.environment):
            declared_variables(program.spec.variables)  # before a build that may take long
            with Timing(Stage.BUILD, self.model.name, window):
                environment = self._environment(program)
            self._prefix = _look(environment)
            # Its build counts once.
            self._ready = ReadyProgram(program, replace(environment, seconds=None), 0.0)
            return ReadyProgram(program, environment, sourcing.seconds)
        return replace(self._ready, source_seconds=sourcing.seconds)

    def _staged(self) -> StagedProgram | StagedFunction:
        if self._ready is not None:
            try:
                verify(self._ready.program.source)
                return self._ready.program
            except SourceChanged as error:
                self._say(f"{self.model.name}: {error}; it is fetched again")
                self._ready = None
        self._sources.clear()
        return stage_program(self._loaded.folder, self.model, self._say)

    def _environment(self, program: StagedProgram | StagedFunction) -> BuiltEnvironment:
        say, stop, rebuild = self._say, self._stop, self._rebuild
        if rebuild is None:
            return prepare_environment(program.build, program.source, stop=stop, say=say)
        if program.build is None:
            say(f"{self.model.name}: it runs in forequake's own environment; nothing is built")
        try:
            return prepare_environment(program.build, program.source, force=rebuild.since, stop=stop, say=say)
        except EnvironmentUnavailable as error:
            if rebuild.strict:
                raise
            say(f"{self.model.name}: {error}; the environment that is there is used")
            return prepare_environment(program.build, program.source, stop=stop, say=say)

    def _is_unchanged(self, environment: BuiltEnvironment) -> bool:
        """Tell whether an environment of the model's own has what it had when it was asked.

        What is installed or removed is seen in folders. Images cannot change, and our own environment is that
        of this process.
        """
        if environment.build is None or environment.prefix is None:
            return True
        return self._prefix is not None and self._prefix == _look(environment)


def _look(environment: BuiltEnvironment) -> Signature | None:
    prefix: Path | None = environment.prefix
    return None if prefix is None else signature(prefix, folders_alone=True)
