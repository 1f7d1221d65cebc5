"""A model's folder that stands for a model of an experiment: what it does not say is found out."""

import json
import re
import tempfile
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import JsonValue

from forequake.config import FolderModel, LoadedExperiment, load_experiment
from forequake.config._model_shape import CATALOG_FORMATS
from forequake.config.model_specs import GitSource, ZenodoSource
from forequake.config.program_keys import RunLimits
from forequake.errors import ConfigError, InputError
from forequake.models.environments.built import Say
from forequake.models.sources import PathSource, SourceOrPath, StagedSource, fetch_source
from forequake.qualification.proposals import (
    FolderOptions,
    own_arguments,
    proposed_args_file,
    proposed_build,
    proposed_command,
    seed_argument,
    simulations_argument,
)
from forequake.qualification.subject import (
    USUAL_WINDOW,
    Subject,
    limits_with,
    read_window,
    with_simulated,
)

__all__ = ["subject_of_folder"]

#: A box of two degrees in California, where nobody says anything else.
_REGION: Final = {"box": {"west": -118.6, "east": -116.6, "south": 34.8, "north": 36.8, "cell_size": 0.1}}
_MAGNITUDES: Final = (3.5, 8.0, 0.1)
_MAGNITUDE_KEYS: Final = ("mag_min", "mag_max", "mag_bin")
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
    "mag_min": "--mag-min",
    "mag_max": "--mag-max",
    "mag_bin": "--mag-bin",
    "time_windows": "--window",
}


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
    entry, arguments = _entry(source, name, options, notes)
    if options.region is None:
        notes.append("the region is taken to be a box of two degrees in California (--region)")
    window = read_window(options.window or USUAL_WINDOW)
    edges = dict(zip(_MAGNITUDE_KEYS, _edges(options, arguments), strict=True))
    loaded = _loaded(
        {
            "name": "qualification",
            "time_config": {"time_windows": [[_plain(window.start), _plain(window.end)]]},
            "region_config": {"region": _region(options.region), **edges},
            "catalog": "catalog.csv",
            "models": [{name: {**keys, **entry}}],
            "tests": [{"N": {"func": f"{_family(options)}_evaluations.number_test"}}],
        }
    )
    (model,) = loaded.config.models
    if not isinstance(model, FolderModel):
        message = f"{text}: expected a model that has a program"
        raise InputError(message)
    known = options.prefix is not None or "prefix" in arguments
    experiment = with_simulated(loaded, window, catalog_seed)
    return Subject(loaded, experiment, model, window, tuple(notes), prefix_is_known=known)


def _entry(
    source: StagedSource, name: str, options: FolderOptions, notes: list[str]
) -> tuple[dict[str, Any], dict[str, JsonValue]]:
    """Write what an experiment would say of a model, and note what is taken from its files.

    Returns
    -------
    dict
        The keys of the model, but for those of its source.
    dict
        All arguments, with those of the model's own file.
    """
    args_file = options.args_file or proposed_args_file(source)
    own = own_arguments(source, args_file)
    given: dict[str, JsonValue] = dict(options.arguments)
    build = proposed_build(source) if options.build is None else options.build
    build = None if build == "none" else build
    if options.build is None:
        notes.append(f"the environment is taken to be {build or 'that of forequake'} (--build)")
    command = options.func or proposed_command(source, name, args_file, build)
    if options.func is None:
        notes.append(f"the command is taken to be {command!r} (--func)")
    prefix = options.prefix or str(given.get("prefix") or own.get("prefix") or name)
    if "prefix" in own:
        given.setdefault("prefix", prefix)
    seed = options.seed_argument or seed_argument({key: own[key] for key in own if key not in given})
    if seed is not None and options.seed_argument is None:
        notes.append(f"the seed is given as the argument {seed} (--seed-argument)")
    entry: dict[str, Any] = {
        "kind": "folder",
        "func": command,
        "func_kwargs": given,
        "args_file": args_file,
        "seed_argument": seed,
        "build": build,
        "prefix": prefix,
        "fmt": options.format,
        "forecast_type": options.forecast_type,
        "limits": limits_with(RunLimits(), options.limits).model_dump(include=set(options.limits)) or None,
        "n_sims": options.n_sims or _simulations({**own, **given}),
    }
    return {key: value for key, value in entry.items() if value is not None}, {**own, **given}


def _source(text: str, revision: str | None) -> tuple[SourceOrPath, dict[str, Any], str]:
    """Tell where a model comes from: for fetching, as keys of a model, and its name."""
    record = _ZENODO.fullmatch(text)
    if record is not None:
        return ZenodoSource(record=int(record[1])), {"path": "model", "zenodo_id": int(record[1])}, "model"
    if _ADDRESS.match(text):
        name = re.split(r"[/:]", text.rstrip("/"))[-1].removesuffix(".git") or "model"
        keys = {"path": "model", "giturl": text, "repo_hash": revision}
        return GitSource(url=text, revision=revision), keys, _as_name(name)
    if revision is not None:
        message = f"--revision belongs to the address of a git repository, which {text!r} is not"
        raise InputError(message)
    folder = Path(text).absolute()
    try:
        is_folder = folder.is_dir()
    except OSError:
        is_folder = False
    if not is_folder:
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
    with suppress(OSError):  # such as a text that is too long for a path
        if Path(text).exists():
            return str(Path(text).absolute())
    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError:
        return text
    return found if isinstance(found, dict) else text


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
