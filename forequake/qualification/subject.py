"""What is qualified: a model of an experiment, or a folder that stands for one."""

import json
import re
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
import yaml
from pydantic import JsonValue, ValidationError

from forequake.catalogs import Events
from forequake.config import ExperimentConfig, FolderModel, LoadedExperiment, load_experiment
from forequake.config._model_shape import CATALOG_FORMATS
from forequake.config.model_specs import BUILDS, GitSource, ZenodoSource
from forequake.config.program_keys import RunLimits
from forequake.errors import ConfigError, InputError, unknown
from forequake.experiments import Experiment
from forequake.keys import KeyInputs
from forequake.models.environments.built import Say
from forequake.models.sources import PathSource, SourceOrPath, fetch_source
from forequake.qualification.proposals import (
    FolderOptions,
    own_arguments,
    proposed_args_file,
    proposed_build,
    proposed_command,
    seed_argument,
    simulations_argument,
)
from forequake.qualification.simulated import simulated_catalog
from forequake.quantities import Sha256
from forequake.regions import build_region
from forequake.resolution import resolve
from forequake.results import ExperimentRecord, ResolvedInputs
from forequake.windows import TimeWindow

__all__ = ["Subject", "config_with", "subject_of_experiment", "subject_of_folder"]

#: A box of two degrees in California, where nobody says anything else.
_REGION: Final = {"box": {"west": -118.6, "east": -116.6, "south": 34.8, "north": 36.8, "cell_size": 0.1}}
_MAGNITUDES: Final = (3.5, 8.0, 0.1)
_MAGNITUDE_KEYS: Final = ("mag_min", "mag_max", "mag_bin")
_WINDOW: Final = "2021-06-01_2021-06-02"
#: Events go on for so many windows after the cut-off.
_WINDOWS_AFTER: Final = 3
_ADDRESS: Final = re.compile(r"(https?|ssh|file|git)://|[\w.+-]+@[\w.-]+:")
_ZENODO: Final = re.compile(r"zenodo:(\d+)")
#: What an option of the command is called in the configuration that is made of it.
_OPTIONS: Final = {
    "func": "--func",
    "build": "--build",
    "fmt": "--format",
    "forecast_type": "--type",
    "prefix": "--prefix",
    "n_sims": "--n-sims",
    "args_file": "--args-file",
    "seed_argument": "--seed-argument",
    "func_kwargs": "--arg",
    "region": "--region",
    "time_windows": "--window",
}


class _Unstored(KeyInputs):
    what = "qualification"

    region: Sha256
    catalog: Sha256


@dataclass(frozen=True)
class Subject:
    """A model that is to qualify, in an experiment that is never stored.

    Attributes
    ----------
    experiment
        Its learning catalog goes on after the window's start.
    window
        Of the forecasts that are asked for.
    notes
        What was chosen where nobody said it.
    prefix_is_known
        Whether somebody said how the names of forecasts begin.
    """

    loaded: LoadedExperiment
    experiment: Experiment
    model: FolderModel
    window: TimeWindow
    notes: tuple[str, ...] = ()
    prefix_is_known: bool = True

    @property
    def later(self) -> Events:
        """The events that the model may not know."""
        events = self.experiment.learned_from
        return events.take(np.arange(len(events.before(self.window.start)), len(events)))


def subject_of_experiment(
    config: Path,
    name: str | None,
    options: FolderOptions,
    *,
    own_catalog: bool = False,
    catalog_seed: int = 1,
) -> Subject:
    """Take a model from an experiment, with its region, magnitudes and arguments.

    Parameters
    ----------
    name
        Of the model; None where only one of them has a program.
    options
        What is given goes before what the experiment says.
    own_catalog
        Learn from the experiment's own catalog instead of a simulated one.
    catalog_seed
        Of the simulated catalog.

    Raises
    ------
    InputError
        Where the experiment cannot be read, or has no such model or window.
    """
    loaded = load_experiment(config)
    model = _overridden(_chosen(loaded, name), options)
    window = _window_of(loaded, options.window)
    alone = config_with(loaded.config, models=(model,), tests=())
    loaded = replace(loaded, config=alone)
    if own_catalog:
        # Without models: nothing is staged that is not looked at.
        bare = replace(loaded, config=config_with(alone, models=()))
        experiment = replace(resolve(bare), config=alone)
        return Subject(loaded, experiment, model, window)
    return Subject(loaded, _with_simulated(loaded, window, catalog_seed), model, window)


def config_with(config: ExperimentConfig, **changes: Any) -> ExperimentConfig:
    """Give a configuration with other fields; also one that could not be run, such as one without tests."""
    return ExperimentConfig.model_construct(**{**dict(config), **changes})


def _chosen(loaded: LoadedExperiment, name: str | None) -> FolderModel:
    models = {model.name: model for model in loaded.config.models}
    programs = [
        model.name
        for model in models.values()
        if isinstance(model, FolderModel) and model.program is not None
    ]
    if name is None and len(programs) == 1:
        name = programs[0]
    if name is None:
        listed = ", ".join(programs) or "none"
        message = f"say which model with --model; those with a program are: {listed}"
        raise InputError(message)
    if name not in models:
        raise InputError(unknown("model", name, models))
    model = models[name]
    if not isinstance(model, FolderModel) or name not in programs:
        message = f"the model {name!r} has no program that could be asked; there is one in: "
        raise InputError(message + (", ".join(programs) or "none"))
    return model


def _overridden(model: FolderModel, options: FolderOptions) -> FolderModel:
    program = model.program
    if program is None:
        message = f"the model {model.name!r} has no program"
        raise InputError(message)
    if options.build not in (None, "none", *BUILDS):
        message = f"--build: {unknown('kind of environment', str(options.build), ('none', *BUILDS))}"
        raise InputError(message)
    changes: dict[str, Any] = {
        "command": options.func or program.command,
        "arguments": {**program.arguments, **options.arguments},
        "build": {None: program.build, "none": None}.get(options.build, options.build),
        "args_file": options.args_file or program.args_file,
        "seed_argument": options.seed_argument or program.seed_argument,
        "limits": _limits(program.limits, options.limits),
    }
    fields: dict[str, Any] = {"program": program.model_copy(update=changes)}
    fields |= {"prefix": options.prefix} if options.prefix else {}
    fields |= {"n_catalogs": options.n_sims} if options.n_sims else {}
    return model.model_copy(update=fields)


def _limits(own: RunLimits, given: Mapping[str, float]) -> RunLimits:
    try:
        return RunLimits.model_validate({**own.model_dump(), **given})
    except ValidationError as error:
        first = error.errors()[0]
        option = str(first["loc"][0]).replace("_", "-")
        message = f"--{option}: {first['msg'][0].lower()}{first['msg'][1:]}, got {first['input']}"
        raise InputError(message) from error


def _window_of(loaded: LoadedExperiment, text: str | None) -> TimeWindow:
    windows = {window.id: window for window in loaded.config.windows}
    if text is None:
        return loaded.config.windows[0]
    if text in windows:
        return windows[text]
    near = [window for window in windows.values() if _same(window, text)]
    if len(near) == 1:
        return near[0]
    message = f"--window: {unknown('window', text, windows)}"
    raise InputError(message)


def _same(window: TimeWindow, text: str) -> bool:
    try:
        return _read_window(text) == window
    except InputError:
        return False


def _with_simulated(loaded: LoadedExperiment, window: TimeWindow, seed: int) -> Experiment:
    config = loaded.config
    region = build_region(config.region, loaded.locate)
    events = simulated_catalog(
        region,
        cut_off=window.start,
        until=window.end + _WINDOWS_AFTER * (window.end - window.start),
        magnitude_min=config.magnitudes[0],
        depth_km=config.depth_km,
        seed=seed,
    )
    inputs = ResolvedInputs(region=region.inputs.key, catalog=events.inputs.key, models={})
    of = _Unstored(region=inputs.region, catalog=inputs.catalog)
    shown = config.model_dump(mode="json")
    record = ExperimentRecord(key=of.key, canon=of.canon, name=config.name, config=shown, inputs=inputs)
    return Experiment(record=record, config=config, region=region, events=events)


def subject_of_folder(text: str, options: FolderOptions, say: Say, *, catalog_seed: int = 1) -> Subject:
    """Take a model from its folder, a repository or a record, and find out what it does not say.

    Parameters
    ----------
    text
        A folder, the address of a git repository, or ``zenodo:NUMBER``.

    Raises
    ------
    InputError
        Where it cannot be had, or what it does not say cannot be found out.
    """
    spec, keys, name = _source(text, options.revision)
    source = fetch_source(spec, Path.cwd(), say=say)
    notes = list(source.notes)
    args_file = options.args_file or proposed_args_file(source)
    build = proposed_build(source) if options.build is None else options.build
    build = None if build == "none" else build
    command = options.func or proposed_command(source, name, args_file, build)
    if options.func is None:
        notes.append(f"the command is taken to be {command!r} (--func)")
    if options.build is None:
        notes.append(f"the environment is taken to be {build or 'that of forequake'} (--build)")
    own = own_arguments(source, args_file)
    prefix = options.prefix or str(options.arguments.get("prefix") or own.get("prefix") or name)
    given: dict[str, JsonValue] = dict(options.arguments)
    if "prefix" in own:
        given.setdefault("prefix", prefix)
    seed = options.seed_argument or seed_argument({key: own[key] for key in own if key not in given})
    if seed is not None and options.seed_argument is None:
        notes.append(f"the seed is given as the argument {seed} (--seed-argument)")
    entry: dict[str, Any] = {
        **keys,
        "kind": "folder",
        "func": command,
        "func_kwargs": given,
        "args_file": args_file,
        "seed_argument": seed,
        "build": build,
        "prefix": prefix,
        "fmt": options.format,
        "forecast_type": options.forecast_type,
        "limits": _limits(RunLimits(), options.limits).model_dump(include=set(options.limits)) or None,
        "n_sims": options.n_sims or _simulations({**own, **given}),
    }
    entry = {key: value for key, value in entry.items() if value is not None}
    edges = _edges(options, {**own, **given})
    region = _region(options.region)
    if options.region is None:
        notes.append("the region is taken to be a box of two degrees in California (--region)")
    window = _read_window(options.window or _WINDOW)
    config = {
        "name": "qualification",
        "time_config": {"time_windows": [[_plain(window.start), _plain(window.end)]]},
        "region_config": {"region": region, **dict(zip(_MAGNITUDE_KEYS, edges, strict=True))},
        "catalog": "catalog.csv",
        "models": [{name: entry}],
        "tests": [{"N": {"func": f"{_family(options)}_evaluations.number_test"}}],
    }
    loaded = _loaded(config)
    (model,) = loaded.config.models
    if not isinstance(model, FolderModel):
        message = f"{text}: expected a model that has a program"
        raise InputError(message)
    known = options.prefix is not None or "prefix" in {**own, **given}
    experiment = _with_simulated(loaded, window, catalog_seed)
    return Subject(loaded, experiment, model, window, tuple(notes), prefix_is_known=known)


def _source(text: str, revision: str | None) -> tuple[SourceOrPath, dict[str, Any], str]:
    """Tell where a model comes from: for fetching, as keys of a model, and its name."""
    record = _ZENODO.fullmatch(text)
    if record is not None:
        return ZenodoSource(record=int(record[1])), {"path": "model", "zenodo_id": int(record[1])}, "model"
    if _ADDRESS.match(text) and not Path(text).exists():
        name = re.split(r"[/:]", text.rstrip("/"))[-1].removesuffix(".git") or "model"
        keys = {"path": "model", "giturl": text, "repo_hash": revision}
        return GitSource(url=text, revision=revision), keys, _as_name(name)
    folder = Path(text).expanduser().absolute()
    if revision is not None:
        message = f"--revision belongs to a git repository, and {text} is none of an address"
        raise InputError(message)
    if not folder.is_dir():
        message = (
            f"{text}: expected a model's folder, the address of a git repository, zenodo:NUMBER, or the file "
            "of an experiment (with --model)"
        )
        raise InputError(message)
    return PathSource(folder), {"path": str(folder)}, _as_name(folder.resolve().name)


def _as_name(text: str) -> str:
    return re.sub(r"[^\w.+-]+", "-", text).strip("-.") or "model"


def _simulations(arguments: dict[str, JsonValue]) -> int | None:
    name = simulations_argument(arguments)
    try:
        return None if name is None else int(str(arguments[name])) or None
    except ValueError:
        return None


def _family(options: FolderOptions) -> str:
    """Tell which tests take the forecasts, as an experiment does."""
    by_format = "catalog" if (options.format or "csv").lower() in CATALOG_FORMATS else "gridded"
    return "catalog" if (options.forecast_type or by_format) == "catalog" else "poisson"


def _edges(options: FolderOptions, arguments: dict[str, JsonValue]) -> list[float]:
    edges = []
    for given, key, usual in zip(options.magnitudes, _MAGNITUDE_KEYS, _MAGNITUDES, strict=True):
        try:
            edges.append(float(str(arguments.get(key, usual))) if given is None else given)
        except ValueError:
            edges.append(usual)
    return edges


def _region(text: str | None) -> object:
    if text is None:
        return _REGION
    if Path(text).exists():
        return str(Path(text).absolute())
    try:
        return yaml.safe_load(text)
    except yaml.YAMLError:
        return text


def _read_window(text: str) -> TimeWindow:
    """Read two moments with an underscore between them; what has no offset is UTC."""
    try:
        start, end = (datetime.fromisoformat(part) for part in text.split("_"))
        moments = [moment if moment.tzinfo else moment.replace(tzinfo=UTC) for moment in (start, end)]
        window = TimeWindow(start=moments[0], end=moments[1])
    except (ValueError, ValidationError) as error:
        message = f"--window: expected two dates such as {_WINDOW}, the second one later, got {text!r}"
        raise InputError(message) from error
    if window.end - window.start > timedelta(days=36_525) or window.start.year < 1000:
        message = f"--window: {text!r} is longer than a century or too long ago"
        raise InputError(message)
    return window


def _plain(moment: datetime) -> str:
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat()


def _loaded(config: dict[str, Any]) -> LoadedExperiment:
    """Read a configuration as if it were an experiment's file; what is wrong is told of the options."""
    with tempfile.TemporaryDirectory(prefix="forequake-qualify-") as folder:
        file = Path(folder) / "config.yml"
        file.write_text(json.dumps(config), encoding="utf-8")
        (Path(folder) / "catalog.csv").write_text("", encoding="utf-8")
        try:
            return load_experiment(file)
        except ConfigError as error:
            raise ConfigError(
                replace(problem, file=None, line=None, key=_option(problem.key)) for problem in error.problems
            ) from error


def _option(key: str | None) -> str | None:
    if key is None:
        return None
    words = re.split(r"[.\[\]]+", key)
    return next((_OPTIONS[word] for word in reversed(words) if word in _OPTIONS), key)
