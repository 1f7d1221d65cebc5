"""The keys of a model."""

import re
from pathlib import PurePosixPath
from typing import Annotated, Final, Literal

from pydantic import AfterValidator, BeforeValidator, Field, JsonValue, WithJsonSchema

from forequake.config._commands import check_command
from forequake.config._moments import Moment
from forequake.config._names import fault_of_name
from forequake.config._placeholders import check_placeholders
from forequake.config._refusals import refuse, refuse_word
from forequake.config._section import Metadata, Section, Unused, as_json, key, shown_as
from forequake.config._time_shape import ClassWord, Lead, Length
from forequake.config._variables import SeedArgument, VariablesOfProgram
from forequake.config.model_specs import (
    ARGUMENT_ENDINGS,
    BUILDS,
    DEFAULT_BACKGROUND,
    DEFAULT_MAG_BIN,
    DEFAULT_NEIGHBOURS,
    Build,
    Kernel,
    Years,
)
from forequake.config.spec_base import ForecastType
from forequake.config.submission_specs import LatePolicy
from forequake.quantities import Magnitude

__all__ = ["CATALOG_FORMATS", "GRIDDED_FORMATS", "PROGRAM_KEYS", "TIME_DEPENDENT_KEYS", "ModelSection"]

#: Words for the format of a gridded forecast's file, and the reader they mean; None lets the file tell.
GRIDDED_FORMATS: Final[dict[str, str | None]] = {
    "csv": "csv",
    "dat": "dat",
    "xml": "xml",
    "hdf5": "hdf5",
    "h5": "hdf5",
    "quadtree": "quadtree",
    "qtree": "quadtree",
    "gear1": "gear1",
    "csep": None,
}
#: The same for a catalog-based forecast's file.
CATALOG_FORMATS: Final[dict[str, str | None]] = {"csv": "csv", "ucerf3": "ucerf3", "csep": None}
_FORMATS: Final = tuple({**GRIDDED_FORMATS, **CATALOG_FORMATS})
#: Keys that say how a command runs.
PROGRAM_KEYS: Final = ("build", "force_build", "limits", "variables", "seed_argument", "lead_time")
#: Keys that only a time-dependent model uses; floatCSEP passes over them in others.
TIME_DEPENDENT_KEYS: Final = ("func", "func_kwargs", "args_file", "input_cat", "prefix", *PROGRAM_KEYS)
#: Older releases of floatCSEP called an environment of pip so.
_OLD_BUILDS: Final = {"pip": "venv"}
_DOI: Final = re.compile(r"(?:.*zenodo\.|.*/)?([1-9][0-9]{0,14})/?")


def _check_build(value: object) -> object:
    known = _OLD_BUILDS.get(value, value) if isinstance(value, str) else value
    if known not in BUILDS:
        refuse_word("kind of environment", str(value), BUILDS)
    return known


def _read_record(value: object) -> int:
    """Read the number of a record on Zenodo, also from its address or its DOI."""
    parts = (
        _DOI.fullmatch(str(value)) if isinstance(value, int | str) and not isinstance(value, bool) else None
    )
    if parts is None:
        refuse("expected the number of a record on Zenodo, such as 6289795")
    return int(parts[1])


def _check_format(text: str) -> str:
    word = text.lower().removeprefix(".")
    if word not in _FORMATS:
        refuse_word("format of a forecast", text, _FORMATS)
    return word


def _input_name(text: str) -> str:
    """Give the name of a file in the model's folder input, which may be written with that folder."""
    path = PurePosixPath(text)
    name = str(path.relative_to("input")) if path.parts[:1] == ("input",) else text
    if fault_of_name(name) is not None:
        refuse("expected the name of a file in the model's folder input")
    return name


def _args_name(text: str) -> str:
    """Give the name of the file of arguments, whose ending is its form."""
    name = _input_name(text)
    ending = PurePosixPath(name).suffix.lower()
    if ending not in ARGUMENT_ENDINGS:
        refuse_word("ending of a file of arguments", ending or name, ARGUMENT_ENDINGS)
    return name


def _file_name(text: str) -> str:
    fault = fault_of_name(text)
    if fault is not None:
        refuse(fault)
    return text


def _not_empty(text: str) -> str:
    if not text.strip():
        refuse("must not be empty")
    return text


_Text = Annotated[str, AfterValidator(_not_empty)]
_Command = Annotated[str, AfterValidator(check_command), AfterValidator(check_placeholders)]
_Several = Annotated[int, Field(gt=0)]
_Format = Annotated[str, AfterValidator(_check_format), WithJsonSchema({"enum": list(_FORMATS)})]
_Build = Annotated[Build, BeforeValidator(_check_build), WithJsonSchema({"enum": [*BUILDS, *_OLD_BUILDS]})]
_Record = Annotated[int, BeforeValidator(_read_record), WithJsonSchema({"type": ["integer", "string"]})]
_InputName = Annotated[str, AfterValidator(_input_name)]
_ArgsName = Annotated[str, AfterValidator(_args_name)]
_FileName = Annotated[str, AfterValidator(_file_name)]
_Arguments = Annotated[
    dict[str, JsonValue],
    BeforeValidator(as_json),
    AfterValidator(check_placeholders),
    WithJsonSchema({"type": "object"}),
]
_Variants = Annotated[dict[str, object], WithJsonSchema({"type": "object", "minProperties": 1})]
_Limits = Annotated[dict[str, object], shown_as("LimitsSection")]
_Flavours = Annotated[dict[str, _Text], Field(min_length=1)]


class ModelSection(Section):
    """What follows a model's name."""

    kind: Literal["file", "folder", "callable", "reference", "submission"] | None = key(
        "file: one forecast for all windows; folder: one for each; callable: a Python function gives one for "
        "each; reference: built in; submission: others hand in one for each, in the folder path or in a "
        "store. Not given, the other keys tell."
    )
    path: str | None = key(
        "The file with the forecast, or the folder of a time-dependent model; relative to this file. "
        "Also a data set, csep:helmstetter_mainshock. Of a callable: the folder with its source, where "
        "that is more than one file."
    )
    filename: _Text | None = key("Old form: the file's name, in the folder that path names.")
    class_: ClassWord | None = key(
        "ti: one forecast for all windows, td: one for each. Not given: td where path is a folder or func "
        "is given.",
        alias="class",
    )
    model_class: ClassWord | None = key("Another name of class.")
    flavours: _Flavours | None = key(
        "Several models in one entry, {suffix: file}: each is named name@suffix, its file lies below path."
    )
    forecast_type: ForecastType | None = key(
        "gridded or catalog. Not given: gridded, but catalog for a time-dependent model in csv or ucerf3."
    )
    forecast_unit: Years | None = key(
        "What the rates stand for: years (default 1) in a time-independent model, days (default: the "
        "window's own length) in a time-dependent one."
    )
    fmt: _Format | None = key("Format of the forecasts' files; csv for those of a time-dependent model.")
    format: _Format | None = key("Another name of fmt.")
    n_sims: _Several | None = key(
        "Synthetic catalogs in each catalog-based forecast, those without events included; not given: "
        "counted in the file."
    )
    prefix: _FileName | None = key(
        "Begins the names of a time-dependent model's forecasts, path/forecasts/prefix_window.fmt; else the "
        "model's name does."
    )
    func: _Command | None = key(
        "Command that makes a forecast; {prefix} and {name} in it stand for the model's. Of a callable the "
        "function, my_model.py:forecast or package.module:forecast."
    )
    func_kwargs: _Arguments | None = key(
        "Written into args_file for the command, or handed to the function by name; with {prefix} and {name} "
        "as in func."
    )
    variants: _Variants | None = key(
        "Several models in one entry, named name@suffix, which differ in func_kwargs (references: in their "
        "own keys): {suffix: arguments}, or product or zip with lists of values; models.md tells more."
    )
    args_file: _ArgsName | None = key(
        "File in path/input from which the command reads its arguments.", "args.txt"
    )
    input_cat: _InputName | None = key(
        "File in path/input from which the command reads the past.", "catalog.csv"
    )
    build: _Build | None = key(
        "What the command's own environment is built with. Not given: venv for a package, else it runs in "
        "forequake's."
    )
    force_build: bool | None = key(
        "Whether the command's environment is built anew in each run that needs it, once; by a schedule at "
        "most once a day."
    )
    limits: _Limits | None = key("What a run of the command may use; goes before limits of all models.")
    variables: VariablesOfProgram | None = key(
        "Environment variables that the command needs, {NAME: value}, or names alone, which are passed on "
        "from the surroundings and not recorded."
    )
    seed_argument: SeedArgument | None = key(
        "Argument in args_file by which the command takes its seed, such as simulation.seed; the variable "
        "FOREQUAKE_SEED has it in any case."
    )
    zenodo_id: _Record | None = key("Record on Zenodo that brings path where it is not there.")
    giturl: _Text | None = key("Repository that brings path where it is not there; goes before zenodo_id.")
    repo_hash: _Text | None = key("Branch, tag or commit of the repository.")
    force_stage: bool | None = key(
        "Whether giturl or zenodo_id is asked in each run what it gives now, once; by a schedule at most "
        "once a day. Else what it gave first stands."
    )
    lead_time: Lead | None = key(
        "So long before a window begins func may run, given only the events before then; not given: when it "
        "begins."
    )
    store: _Text | None = key(
        "Of a submission: another store, by its name, whose forecasts are taken as they were sealed there."
    )
    experiment: _Text | None = key(
        "Of a submission: the experiment in that store; not given: this one's name."
    )
    model: _Text | None = key("Of a submission: the model in that store; not given: this one's name.")
    late: LatePolicy | None = key(
        "Of a submission that comes after its window began, where none came before: mark takes it and says "
        "so, refuse does not take it.",
        "mark",
    )
    reference: Literal["uniform", "smoothed_seismicity", "running_mean"] | None = key(
        "A built-in reference instead of a file; the last two learn from the events before each window."
    )
    total: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = key(
        "Of the reference uniform: events expected in forecast_unit years."
    )
    b_value: Annotated[float, Field(gt=0, le=10)] | None = key(
        "Of a reference's Gutenberg-Richter law; not given: 1 for uniform, estimated by those that learn."
    )
    mag_min: Magnitude | None = key(
        "Least magnitude that a reference learns from; not given: the experiment's."
    )
    mag_bin: Annotated[float, Field(ge=0, le=1)] | None = key(
        "Width of the magnitude bins in which a reference estimates b, at least the step to which magnitudes "
        "are rounded.",
        DEFAULT_MAG_BIN,
    )
    start_date: Moment | None = key(
        "From when on a reference learns; not given: from the learning catalog's own start."
    )
    end_date: Moment | None = key(
        "Until when a reference learns, though never from a window or later; not given: until the window."
    )
    last: Length | None = key(
        "Of a running_mean: the time before the window whose mean rate is taken; not given: all the past."
    )
    space: Literal["uniform", "smoothed"] | None = key(
        "Of a running_mean: events are expected in proportion to area, or where there were some.", "uniform"
    )
    kernel: Kernel | None = key(
        "By which past epicentres are spread: power_law, (r^2 + d^2)^-1.5, or gaussian, exp(-r^2 / 2 d^2).",
        "power_law",
    )
    neighbours: _Several | None = key(
        "The kernel's d is each event's distance to its neighbour of this number. Not given: "
        f"{DEFAULT_NEIGHBOURS}, unless bandwidth_km is."
    )
    bandwidth_km: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = key(
        "The kernel's d for all events alike, in kilometres."
    )
    background: Annotated[float, Field(gt=0, lt=1)] | None = key(
        "Share of the events that a smoothed reference spreads over all cells.", DEFAULT_BACKGROUND
    )

    authors: Metadata = key("For people.")
    doi: Metadata = key("For people.")
    description: Metadata = key("For people.")

    store_db: Unused = key("How floatCSEP keeps the forecast.")
    use_db: Unused = key("Old name of store_db.")
    db_type: Unused = key("How old releases of floatCSEP keep the forecast.")
    lazy_load: Unused = key("Whether floatCSEP keeps the forecast in memory.")
