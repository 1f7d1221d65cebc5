"""What a model of an experiment is: where its forecasts lie, and what makes or brings them."""

from datetime import datetime
from pathlib import PurePosixPath
from typing import Annotated, Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, model_validator

from forequake.config.program_keys import RunLimits
from forequake.config.spec_base import Days, ForecastType, window_file_names
from forequake.config.submission_specs import SubmissionModel
from forequake.quantities import Magnitude, UtcDatetime
from forequake.schedules import Horizon
from forequake.windows import TimeWindow

__all__ = [
    "ARGUMENT_ENDINGS",
    "BUILDS",
    "DEFAULT_BACKGROUND",
    "DEFAULT_MAG_BIN",
    "DEFAULT_NEIGHBOURS",
    "Build",
    "CallableSpec",
    "FileModel",
    "FolderModel",
    "GitSource",
    "Kernel",
    "LearningReference",
    "ModelSpec",
    "ProgramSpec",
    "ReferenceModel",
    "Smoothing",
    "SourceSpec",
    "WindowModel",
    "Years",
    "ZenodoSource",
    "forecast_type_of",
]

#: A length of time in years.
Years = Annotated[float, Field(gt=0, allow_inf_nan=False)]
#: How far an event's share lies from it; `forequake.forecasts.references.smoothing` has the formulas.
Kernel = Literal["power_law", "gaussian"]
#: Neighbour whose distance is that of an adaptive kernel, where nothing else is said.
DEFAULT_NEIGHBOURS: Final = 6
#: Share of the events that a smoothed reference spreads over all cells, where nothing else is said.
DEFAULT_BACKGROUND: Final = 0.01
#: Width of the magnitude bins in which b is estimated, where nothing else is said.
DEFAULT_MAG_BIN: Final = 0.1
#: Forms of a file of arguments, by its ending.
ARGUMENT_ENDINGS: Final = (".txt", ".json", ".yml", ".yaml")
#: What a model's own environment is built with.
Build = Literal["conda", "micromamba", "venv", "docker"]
#: The words of `Build`.
BUILDS: tuple[Build, ...] = ("conda", "micromamba", "venv", "docker")


class _Spec(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class GitSource(_Spec):
    """A repository of git.

    Attributes
    ----------
    revision
        Branch, tag or commit; None is what the repository gives by default.
    """

    kind: Literal["git"] = "git"
    url: str
    revision: str | None = None


class ZenodoSource(_Spec):
    """The files of a record on Zenodo.

    Attributes
    ----------
    record
        The number at the end of the record's address.
    """

    kind: Literal["zenodo"] = "zenodo"
    record: int = Field(gt=0)


#: Whence a model's files are fetched where they are not there; `kind` tells which.
SourceSpec = Annotated[GitSource | ZenodoSource, Field(discriminator="kind")]


class ProgramSpec(_Spec):
    """A program that makes a forecast of a window.

    Attributes
    ----------
    command
        As in a shell, in the model's folder.
    arguments
        Written into the file of arguments, beside the window's dates.
    args_file, input_catalog
        Names of the files in the model's folder ``input`` from which the program reads its arguments and the
        catalog of the past.
    build
        What its own environment is built with; None runs it in forequake's.
    variables
        Environment variables that it needs; None passes on what the surroundings have, which is not recorded.
    seed_argument
        Dotted name of the argument that takes the seed; None gives it as a variable alone.
    limits, force_build
        What a run may use, and whether the environment is built anew for each run of the experiment:
        circumstances, which are left out of records and keys of experiments.
    """

    command: str
    arguments: dict[str, JsonValue] = {}
    args_file: str = "args.txt"
    input_catalog: str = "catalog.csv"
    build: Build | None = None
    variables: dict[str, str | None] = Field(default={}, exclude_if=lambda value: not value)
    seed_argument: str | None = Field(default=None, exclude_if=lambda value: value is None)
    limits: RunLimits = Field(default=RunLimits(), exclude=True)
    force_build: bool = Field(default=False, exclude=True)


class CallableSpec(_Spec):
    """A function that gives the forecast of a window.

    Attributes
    ----------
    function
        ``file.py:function`` or ``package.module:function``, in the model's folder.
    arguments
        Handed to the function by their names.
    build, variables, limits, force_build
        As of `ProgramSpec`.
    """

    function: str
    arguments: dict[str, JsonValue] = {}
    build: Build | None = None
    variables: dict[str, str | None] = Field(default={}, exclude_if=lambda value: not value)
    limits: RunLimits = Field(default=RunLimits(), exclude=True)
    force_build: bool = Field(default=False, exclude=True)


class FileModel(_Spec):
    """A time-independent model: one forecast, in a file.

    Attributes
    ----------
    path
        Relative to the experiment's folder (also where a models file in another folder names it), absolute,
        or a data set such as ``csep:helmstetter_mainshock``.
    format
        Name of the reader; None goes by the file's ending and content.
    forecast_unit
        Years that the file's rates stand for; it means nothing to catalogs, whose events have times.
    n_catalogs
        Synthetic catalogs of a catalog-based forecast, empty ones included; None counts those in the file.
    source
        What brings the file where it is not there.
    metadata
        What the file says for people: authors, doi.
    """

    kind: Literal["file"] = "file"
    name: str
    path: str
    format: str | None = None
    forecast_type: ForecastType = "gridded"
    forecast_unit: Years = 1.0
    n_catalogs: int | None = Field(default=None, gt=0)
    source: SourceSpec | None = None
    metadata: dict[str, JsonValue] = {}


class FolderModel(_Spec):
    """A time-dependent model: a forecast for each window, at ``path/forecasts/prefix_window.format``.

    `forecast_paths` gives all names that such a file may have.

    Attributes
    ----------
    path
        The model's folder, relative to the experiment's folder unless it is absolute; of a function whose
        source is one file, that file.
    prefix
        Begins the names of the forecasts' files.
    format
        Ending of the forecasts' files, which also tells their reader.
    forecast_unit
        Days that the rates of a gridded forecast stand for; None: the window's own length.
    n_catalogs
        Synthetic catalogs of each catalog-based forecast, empty ones included; None counts those in the file.
    program
        What makes forecasts that are not there, a command or a function; None where all are given as files.
    lead_time
        So long before a window begins the program may run, and the events from then on are kept from it, such
        as ``1 hour``; None: when it begins.
    source
        What brings the folder where it is not there.
    force_stage
        Whether the source is asked anew in each run of the experiment what it gives; a circumstance, which is
        left out of records and keys of experiments.
    metadata
        What the file says for people: authors, doi.
    """

    kind: Literal["folder"] = "folder"
    name: str
    path: str
    prefix: str
    format: str = "csv"
    forecast_type: ForecastType = "catalog"
    forecast_unit: Days | None = None
    n_catalogs: int | None = Field(default=None, gt=0)
    program: ProgramSpec | CallableSpec | None = None
    lead_time: str | None = Field(default=None, exclude_if=lambda value: value is None)
    source: SourceSpec | None = None
    force_stage: bool = Field(default=False, exclude=True)
    metadata: dict[str, JsonValue] = {}

    def issue_time(self, window: TimeWindow) -> datetime:
        """Give the moment from which on its program may run for a window: all that it learns from is before.

        Raises
        ------
        InputError
            Where that is before the calendar begins.
        """
        if self.lead_time is None:
            return window.start
        return Horizon.parse(self.lead_time).after(window.start, -1)

    def forecast_paths(self, window: TimeWindow, *, alone: bool = False) -> tuple[str, ...]:
        """List where the forecast of a window may lie, relative to the experiment's folder, the best first.

        Parameters
        ----------
        alone
            As of `forequake.windows.forecast_file_names`.
        """
        folder = PurePosixPath(self.path) / "forecasts"
        return tuple(
            str(folder / name) for name in window_file_names((self.prefix,), self.format, window, alone)
        )

    def output_names(self, window: TimeWindow, *, alone: bool = False) -> tuple[str, ...]:
        """List how its program may name the forecast of a window in a run's private folder, the best first.

        The program of a variant ``NAME@SUFFIX`` may write what stands before the @: it need not know which
        variant it is.
        """
        entry = self.prefix.rpartition("@")[0]
        prefixes = (self.prefix, *([entry] if entry else ()))
        return window_file_names(prefixes, self.format, window, alone)


class ReferenceModel(_Spec):
    """A built-in reference: rates in proportion to the cells' area, Gutenberg-Richter in magnitude.

    Attributes
    ----------
    total
        Expected number of events in `forecast_unit` years, over all cells and bins.
    b_value
        Of the Gutenberg-Richter law.
    """

    kind: Literal["reference"] = "reference"
    name: str
    reference: Literal["uniform"] = "uniform"
    total: float = Field(gt=0, allow_inf_nan=False)
    b_value: float = Field(default=1.0, gt=0, le=10)
    forecast_unit: Years = 1.0
    metadata: dict[str, JsonValue] = {}


class Smoothing(_Spec):
    """How past epicentres are spread over cells (see `forequake.forecasts.references`).

    Attributes
    ----------
    neighbours
        The kernel's distance d is that to the event's neighbour of this number; None: `bandwidth_km`.
    bandwidth_km
        One d for all events; None where it goes by `neighbours`.
    background
        Share of the events that is spread over all cells by their area, so that none has a rate of zero.
    """

    kernel: Kernel = "power_law"
    neighbours: int | None = Field(default=None, gt=0)
    bandwidth_km: float | None = Field(default=None, gt=0, allow_inf_nan=False)
    background: float = Field(default=DEFAULT_BACKGROUND, gt=0, lt=1)

    @model_validator(mode="after")
    def _one_distance(self) -> Self:
        if (self.neighbours is None) == (self.bandwidth_km is None):
            message = "a kernel's distance is given either by neighbours or by bandwidth_km"
            raise ValueError(message)
        return self


class LearningReference(_Spec):
    """A built-in reference that learns from the events before each window.

    Attributes
    ----------
    smoothing
        Where events are expected; None spreads them over all cells by their area.
    last
        The mean rate is that of this time before the window, such as ``30 days``; None takes all the past.
    mag_min
        Least magnitude of the events that it learns from; None takes the experiment's least one.
    mag_bin
        Width of the bins in which b is estimated.
    start, end
        Events from `start` on and before `end` are learned from, and always before the window only. None
        leaves it to the catalog.
    b_value
        Of the Gutenberg-Richter law; None estimates it.
    """

    kind: Literal["reference"] = "reference"
    name: str
    reference: Literal["smoothed_seismicity", "running_mean"]
    smoothing: Smoothing | None = None
    last: str | None = None
    mag_min: Magnitude | None = None
    mag_bin: float = Field(default=DEFAULT_MAG_BIN, ge=0, le=1)
    start: UtcDatetime | None = None
    end: UtcDatetime | None = None
    b_value: float | None = Field(default=None, gt=0, le=10)
    metadata: dict[str, JsonValue] = {}


_Reference = Annotated[ReferenceModel | LearningReference, Field(discriminator="reference")]
#: A model of the experiment; `kind` tells where its rates come from.
ModelSpec = Annotated[FileModel | FolderModel | SubmissionModel | _Reference, Field(discriminator="kind")]
#: A model that has a file for each window.
WindowModel = FolderModel | SubmissionModel


def forecast_type_of(model: ModelSpec) -> ForecastType:
    """Tell which kind of forecast a model gives."""
    return "gridded" if isinstance(model, ReferenceModel | LearningReference) else model.forecast_type
