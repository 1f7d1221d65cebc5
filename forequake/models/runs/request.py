"""What one run of a model is asked for, and what it gives."""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from forequake.catalogs import Events
from forequake.config.spec_base import ForecastType
from forequake.forecasts.policy import QualityPolicy
from forequake.models.environments import BuiltEnvironment
from forequake.models.sources import StagedSource
from forequake.processes import ProgramLimits
from forequake.quantities import Sha256
from forequake.regions import Region
from forequake.windows import TimeWindow

__all__ = ["ExpectedForecast", "ModelLimits", "ModelRequest", "ModelRun"]


@dataclass(frozen=True)
class ModelLimits:
    """What one run of a model may use.

    Attributes
    ----------
    program
        Time, memory, disk and processes of its program.
    output_mb
        Of the forecast's file.
    """

    program: ProgramLimits = field(default_factory=ProgramLimits)
    output_mb: int = 4096


@dataclass(frozen=True)
class ExpectedForecast:
    """What a model's forecast must be.

    Attributes
    ----------
    format
        Name of the reader; None goes by the file's ending.
    n_catalogs
        As of `forequake.config.FolderModel`.
    magnitudes : array of float64, shape (bins,)
        Lower edges of the experiment's magnitude bins.
    depth_km
        Least and greatest depth of the experiment.
    """

    forecast_type: ForecastType
    region: Region
    magnitudes: NDArray[np.float64]
    format: str | None = None
    n_catalogs: int | None = None
    depth_km: tuple[float, float] | None = None
    policy: QualityPolicy = "refuse"


@dataclass(frozen=True)
class ModelRequest:
    """One run of a model.

    Attributes
    ----------
    model
        Its name, for messages.
    argv
        Program and arguments (see `forequake.command_lines.command_words`). Empty runs what an image runs by
        itself.
    place
        Where a private copy of the source lies below the folder in which the program starts; None starts it
        in the copy.
    arguments, args_file
        See `forequake.models.runs.render_arguments`; the file stands in the model's folder ``input``.
    function
        What is called in place of a program, as ``file.py:function`` or ``package.module:function``. Then
        `argv` is only told, and neither a file of arguments nor one of the catalog is written.
    input_catalog, input_name
        The events that the model may know, all before the window, and the name of their file in ``input``.
    known_until
        All these events are before; None: before the window.
    output_names
        Where the forecast may be, relative to the model's folder, the best first.
    expected
        What it must be.
    destination
        Where the forecast's file goes; what is there is replaced, and only by a whole file that is right.
    shelf
        The folder for the private folders of runs, best on the destination's disk.
    seed, seed_argument
        The seed, and the dotted name of the argument by which the model takes it; None gives it as the
        variable ``FOREQUAKE_SEED`` alone.
    variables, secret
        Environment variables that the model needs besides those that every program has, and the names of
        those whose values are neither told nor stored.
    say
        Told what is going on, in lines for people.
    on_progress
        Told how far the model is: each JSON object with a number ``progress`` that it prints as a line.
    on_life
        Told once a second while the program runs: ``seconds`` since it began, seconds that it has been
        ``silent``, and what it ``said`` last to people.
    stop
        Where it is set, the run is ended.
    keep
        Whether the private folder stays.
    """

    model: str
    argv: tuple[str, ...]
    environment: BuiltEnvironment
    source: StagedSource
    window: TimeWindow
    input_catalog: Events
    output_names: tuple[str, ...]
    expected: ExpectedForecast
    destination: Path
    shelf: Path
    arguments: Mapping[str, JsonValue] = field(default_factory=dict)
    args_file: str = "args.txt"
    input_name: str = "catalog.csv"
    limits: ModelLimits = field(default_factory=ModelLimits)
    place: PurePosixPath | None = None
    seed: int | None = None
    seed_argument: str | None = None
    variables: Mapping[str, str] = field(default_factory=dict)
    secret: frozenset[str] = frozenset()
    say: Callable[[str], None] = lambda line: None
    on_progress: Callable[[Mapping[str, Any]], None] = lambda progress: None
    on_life: Callable[[Mapping[str, Any]], None] = lambda life: None
    stop: threading.Event = field(default_factory=threading.Event)
    keep: bool = False
    function: str | None = None
    known_until: datetime | None = None


@dataclass(frozen=True)
class ModelRun:
    """A run of a model that gave a forecast.

    Attributes
    ----------
    output
        The forecast's file, at the destination.
    sha256
        Of the file.
    sealed_at
        When the hash was taken.
    arguments
        The file of arguments as the model read it.
    seconds
        Of the stages ``input``, ``run`` and ``check``.
    exit_code, cpu_seconds, peak_memory, peak_disk
        Of the program with all its processes; memory and disk in bytes.
    isolated, another_user
        Whether the network was out of reach, and whether the model ran as a user that is nobody else's.
    notes
        What one should know of the run, such as why it was not isolated.
    log
        The end of what the model printed.
    progress
        Its last word on how far it was.
    folder
        The private folder, where it was kept.
    """

    output: Path
    sha256: Sha256
    sealed_at: datetime
    arguments: str
    seconds: Mapping[str, float]
    exit_code: int
    cpu_seconds: float
    peak_memory: int
    peak_disk: int
    isolated: bool
    another_user: bool
    notes: tuple[str, ...]
    log: str
    progress: Mapping[str, Any] | None
    folder: Path | None
