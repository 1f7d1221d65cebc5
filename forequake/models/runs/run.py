"""One run of a model: a private folder, its program under a supervisor, and a forecast that is checked."""

import errno
import hashlib
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Final

from forequake.errors import EvaluationError, ModelFailed, SourceChanged
from forequake.models.environments import Invocation
from forequake.models.runs.folder import fill
from forequake.models.runs.function_answer import answer_of, frames_at_the_end
from forequake.models.runs.function_folder import SOURCE, fill_for_function, runner_words
from forequake.models.runs.input_catalog import check_before
from forequake.models.runs.own_package import import_folder
from forequake.models.runs.request import ModelRequest, ModelRun
from forequake.models.runs.variables import Secrets
from forequake.models.runs.verification import check_forecast, find_output
from forequake.models.sources import verify
from forequake.processes import ProgramEnding, ProgramRun, foreign_environment
from forequake.quantities import Sha256, now
from forequake.results import Stage
from forequake.run_status import printable
from forequake.timers import Timing

__all__ = ["CAUSES", "run_model"]

#: The words of `ModelFailed.cause`, with what each means.
CAUSES: Final = {
    "look_ahead": "the input catalog has an event that is not before the window",
    "source_changed": "the source is not what was fetched",
    "cannot_start": "there is no such program, or the run's folder could not be made",
    "exit_code": "the program ended with an exit code that is not 0",
    "killed": "a signal ended the program, from outside or for a fault of its own",
    "timeout": "it took too long, by the clock or by the processor",
    "silence": "it printed nothing for too long",
    "memory": "it took too much memory",
    "processes": "it had too many processes",
    "disk": "it wrote too much",
    "no_output": "it ended well, and the forecast is not there or empty",
    "output_size": "the forecast's file is too large",
    "unreadable_output": "the forecast cannot be read, or its rates are none",
    "wrong_window": "the forecast is for another time",
    "wrong_region": "the forecast is for other cells or magnitudes",
}
_BY_ENDING: Final = {"signal": "killed", "cpu": "timeout", "lost": "killed"}
_MOST_LAST_WORDS: Final = 300


def run_model(request: ModelRequest) -> ModelRun:
    """Run a model once, and put its forecast where it belongs.

    The model works in a private folder with a copy of its source, which is removed afterwards. Nothing
    appears at the destination before the forecast was read and fits window, region and magnitudes.

    Raises
    ------
    ModelFailed
        Where no such forecast came of it; the cause is one of `CAUSES`.
    InputError
        Where what is asked for cannot be written down for the model.
    Interrupted
        Where the request's `stop` was set meanwhile.
    """
    with _told_as(request):
        check_before(request.input_catalog, request.window, request.known_until)
        return _run(request)


@contextmanager
def _told_as(request: ModelRequest) -> Iterator[None]:
    """Say of every failure which model and which window it is of."""
    try:
        yield
    except ModelFailed as error:
        message = f"model {request.model!r}, window {request.window.id}: {error}"
        raise ModelFailed(message, cause=error.cause, output=error.output) from error
    except SourceChanged as error:
        message = f"model {request.model!r}, window {request.window.id}: {error}"
        raise ModelFailed(message, cause="source_changed") from error
    except (OSError, EvaluationError) as error:
        message = f"model {request.model!r}, window {request.window.id}: it cannot be run here: {error}"
        raise ModelFailed(message, cause="cannot_start") from error


def _run(request: ModelRequest) -> ModelRun:
    # A contained program's client needs our own user.
    contained = request.environment.image_digest is not None
    of_it = request.model, request.window
    with ProgramRun(request.shelf, another_user=not contained, stop=request.stop) as run:
        start = run.folder / "model" if request.place is None else run.folder / "experiment"
        folder = start if request.place is None else start / request.place
        with Timing(Stage.INPUT, *of_it) as filling:
            verify(request.source)
            for name in ("home", "tmp"):
                (run.folder / name).mkdir()
            arguments = (fill if request.function is None else fill_for_function)(folder, request)
        request.say(f"{request.model}: running for {request.window.id}")
        with Timing(Stage.RUN, *of_it) as running:
            ending = _execute(run, start, folder, request)
        if request.keep:
            run.keep()
        with Timing(Stage.CHECK, *of_it) as checking:
            verify(request.source)
            if ending.kind != "exited" or (ending.code != 0 and request.function is None):
                raise _failure(ending, request, folder)
            try:
                if request.function is None:
                    found = find_output(folder, request.output_names, request.limits.output_mb)
                else:
                    found = answer_of(folder, request, ending)
                check_forecast(found, request.expected, request.window, request.function)
            except ModelFailed as error:
                raise ModelFailed(str(error), cause=error.cause, output=ending.output) from error
            sha256 = _move(found, run.folder / "sealed", request.destination)
        return ModelRun(
            output=request.destination,
            sha256=sha256,
            sealed_at=now(),
            arguments=arguments,
            seconds={timing.stage.value: timing.seconds for timing in (filling, running, checking)},
            exit_code=0,
            cpu_seconds=ending.cpu_seconds,
            peak_memory=ending.peak_memory,
            peak_disk=ending.peak_disk,
            isolated=ending.isolated or contained,
            another_user=ending.another_user or contained,
            notes=_notes(ending, contained=contained),
            log=ending.output,
            progress=ending.progress,
            folder=run.folder if request.keep else None,
        )


def _execute(run: ProgramRun, start: Path, folder: Path, request: ModelRequest) -> ProgramEnding:
    variables = foreign_environment(run.folder) | {"PYTHONUNBUFFERED": "1"} | dict(request.variables)
    if request.seed is not None:
        variables["FOREQUAKE_SEED"] = str(request.seed)
    limits, prefix = request.limits.program, request.environment.prefix
    copy = folder if request.function is None else folder / SOURCE
    own = None if prefix is None or request.environment.build is None else import_folder(prefix, copy)
    secrets = Secrets({name: variables[name] for name in request.secret})
    wrapped = request.environment.command(
        Invocation(
            argv=request.argv if request.function is None else runner_words(folder),
            variables=variables,
            secret=request.secret,
            folder=folder,
            source=request.source.folder,
            run_id=run.mark,
            user=(os.geteuid(), os.getegid()),
            memory_mb=limits.memory_mb,
            processes=limits.processes,
            imports=own,
        )
    )
    ending = run.run(
        wrapped.argv,
        start,
        wrapped.variables,
        limits,
        places=_places(request.environment.prefix),
        isolate=not wrapped.is_contained,
        stop=wrapped.stop or (),
        stop_environment=wrapped.stop_variables,
        on_progress=lambda progress: request.on_progress(secrets.out_of_all(progress)),
        on_life=lambda life: request.on_life(secrets.out_of_all(life)),
    )
    told, progress = secrets.out_of(ending.output), secrets.out_of_all(ending.progress)
    return replace(ending, output=told, progress=progress)


def _places(prefix: Path | None) -> tuple[Path, ...]:
    """List the folders that a program of an environment must be able to read: its own, and its Python's."""
    if prefix is None:
        return ()
    try:
        lines = (prefix / "pyvenv.cfg").read_text(encoding="utf-8").splitlines()
    except OSError:
        return (prefix,)
    pairs = {key.strip(): value.strip() for key, _, value in (line.partition("=") for line in lines)}
    return (prefix, Path(pairs["home"]).resolve().parent) if "home" in pairs else (prefix,)


def _failure(ending: ProgramEnding, request: ModelRequest, folder: Path) -> ModelFailed:
    limits = request.limits.program
    words = {
        "exited": f"its program ended with exit code {ending.code}",
        "signal": f"{ending.detail} ended its program after {ending.seconds:.1f} s",
        "timeout": f"it was ended after {limits.seconds:g} s, the most that it may take",
        "cpu": f"it was ended after {limits.cpu_seconds or 0:g} s of processor time, the most it may take",
        "silence": f"it was ended since it printed nothing for {limits.silence_seconds or 0:g} s",
        "memory": f"it was ended since it took more than {limits.memory_mb} MB of memory",
        "processes": f"it was ended since it had more than {limits.processes} processes",
        "disk": f"it was ended since it wrote more than {limits.disk_mb} MB, or too many files",
        "cannot_start": f"its program cannot be started: {ending.detail}",
        "lost": f"the process that watched it has gone: {ending.detail}",
    }[ending.kind]
    said = next((line.strip() for line in reversed(ending.output.splitlines()) if line.strip()), "")
    last = f"; it said last: {printable(said, _MOST_LAST_WORDS)}" if said else ""
    if request.function is not None:
        last += "".join(f"\n  {line}" for line in frames_at_the_end(folder))
    causes = {"exited": "exit_code"} | _BY_ENDING
    return ModelFailed(words + last, cause=causes.get(ending.kind, ending.kind), output=ending.output)


def _notes(ending: ProgramEnding, *, contained: bool) -> tuple[str, ...]:
    notes = () if contained else ending.why
    if ending.left:
        some = "a process" if ending.left == 1 else f"{ending.left} processes"
        notes = (*notes, f"it left {some} running when it ended; that was ended")
    return notes


def _move(found: Path, sealed: Path, destination: Path) -> Sha256:
    """Put a copy of a file at its place at one stroke, as ours alone to write, and give its hash."""
    destination.parent.mkdir(parents=True, exist_ok=True)
    with found.open("rb") as source, sealed.open("xb") as target:
        shutil.copyfileobj(source, target, 1 << 20)
        target.flush()
        os.fsync(target.fileno())
    with sealed.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    sealed.chmod(0o644)
    try:
        sealed.replace(destination)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        beside = destination.with_name(f".{destination.name}.{sealed.parent.name}")
        try:
            shutil.copy2(sealed, beside)
            beside.replace(destination)
        finally:
            beside.unlink(missing_ok=True)
    return digest
