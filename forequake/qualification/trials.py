"""Runs of a model to compare with each other, each as an experiment would run it."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Final

from pydantic import JsonValue

from forequake.catalogs import Events
from forequake.config import FolderModel
from forequake.config.model_specs import ProgramSpec
from forequake.errors import InputError, ModelFailed
from forequake.model_runs import Watch, request_of_window, run_shelf
from forequake.models.environments import BuiltEnvironment
from forequake.models.functions import StagedFunction
from forequake.models.programs import StagedProgram
from forequake.models.runs import ModelRequest, ModelRun, run_model
from forequake.models.sources import StagedSource
from forequake.qualification.content import Content, content_of
from forequake.qualification.subject import Subject, config_with
from forequake.windows import TimeWindow

__all__ = ["Trial", "Trials"]

_TRACE: Final = re.compile(r"^Traceback \(most recent call last\)", re.MULTILINE)


@dataclass(frozen=True)
class Trial:
    """One run, and what came of it.

    Attributes
    ----------
    failure
        Why it gave no forecast; None where it did.
    cause
        As of `ModelFailed`; ``input`` where its arguments could not be written.
    said
        The end of what it printed.
    """

    request: ModelRequest
    run: ModelRun | None = None
    content: Content | None = None
    failure: str | None = None
    cause: str = ""
    said: str = ""

    @property
    def crashed(self) -> bool:
        """Whether it ended by an error that it did not expect."""
        return self.failure is not None and (self.cause != "exit_code" or bool(_TRACE.search(self.said)))

    @property
    def last_words(self) -> str:
        """The last line that it printed; of a function, what it raised."""
        if self.request.function is not None:
            return (self.failure or "").partition("\n")[0]
        return next((line.strip() for line in reversed(self.said.splitlines()) if line.strip()), "")


@dataclass
class Trials:
    """Runs a model again and again, with one circumstance changed each time.

    Attributes
    ----------
    folder
        For forecasts, each in a folder of its own.
    on_run
        Told before each run what it is for, and how many there were.
    """

    subject: Subject
    program: StagedProgram | StagedFunction
    environment: BuiltEnvironment
    folder: Path
    watch: Watch
    on_run: Callable[[str, int], None] = lambda what, number: None
    done: list[Trial] = field(default_factory=list)

    def adopt(self, model: FolderModel, words: str) -> None:
        """Go on with a model that is defined otherwise, and note why."""
        if isinstance(self.program, StagedProgram) and isinstance(model.program, ProgramSpec):
            self.program = replace(self.program, spec=model.program)
        self.subject = replace(self.subject, model=model, notes=(*self.subject.notes, words))

    def run(
        self,
        what: str,
        *,
        window: TimeWindow | None = None,
        events: Events | None = None,
        model: FolderModel | None = None,
        arguments: Mapping[str, JsonValue] | None = None,
        source: StagedSource | None = None,
        seed: tuple[int, str | None] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> Trial:
        """Run the model.

        Parameters
        ----------
        what
            For people.
        window, events, model, source, variables
            Instead of those of an experiment.
        arguments
            Beside those of the model.
        seed
            The seed, and the argument that gives it where the model does not say which.

        Raises
        ------
        Interrupted
            Where the watch was asked to stop.
        """
        self.on_run(what, len(self.done))
        place = self.folder / f"{len(self.done):02d}"
        place.mkdir()
        experiment = self.subject.experiment
        if window is not None:  # it has its dates to itself, as the windows of an experiment mostly have
            alone = config_with(experiment.config, windows=(window,))
            experiment = replace(experiment, config=alone)
        request = request_of_window(
            experiment,
            self.subject.model if model is None else model,
            self.subject.window if window is None else window,
            self.program,
            self.environment,
            place,
            replace(self.watch, say=lambda words: None),
        )
        changes: dict[str, Any] = {"shelf": run_shelf()}
        if events is not None:
            changes["input_catalog"] = events
        if arguments is not None:
            changes["arguments"] = {**request.arguments, **arguments}
        if source is not None:
            changes["source"] = source
        if seed is not None:
            changes |= {"seed": seed[0], "seed_argument": seed[1] or request.seed_argument}
        if variables is not None:
            changes["variables"] = {**request.variables, **variables}
        trial = self._ended(replace(request, **changes))
        self.done.append(replace(trial, content=None))  # which may be large, and is compared at once
        return trial

    def _ended(self, request: ModelRequest) -> Trial:
        begins = f"model {request.model!r}, window {request.window.id}: "
        try:
            run = run_model(request)
        except ModelFailed as error:
            words = str(error).removeprefix(begins)
            return Trial(request, failure=words, cause=error.cause, said=error.output)
        except InputError as error:
            return Trial(request, failure=str(error), cause="input")
        try:
            content = content_of(run.output, request, self.subject.experiment, self.folder / "compact")
        except InputError as error:  # what the check of a run lets pass and a test would not
            words = str(error).replace(f"{run.output.parent}/", "")
            return Trial(request, run=run, failure=words, cause="unreadable_output", said=run.log)
        return Trial(request, run=run, content=content, said=run.log)
