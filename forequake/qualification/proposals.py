"""What a model's folder says about how it is run, where its modeller does not."""

import configparser
import json
import tomllib
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import yaml
from pydantic import JsonValue

from forequake.errors import InputError
from forequake.models.sources import StagedSource

__all__ = [
    "FolderOptions",
    "own_arguments",
    "proposed_args_file",
    "proposed_build",
    "proposed_command",
    "seed_argument",
    "simulations_argument",
]

#: Programs that lie in a folder without being installed, and how each is called.
_SCRIPTS: Final = {name: f"python {name}" for name in ("run.py", "main.py", "forecast.py", "model.py")} | {
    "run.sh": "sh run.sh"
}
_ARGS_FILES: Final = tuple(f"args.{ending}" for ending in ("txt", "json", "yml", "yaml"))
_SEEDS: Final = frozenset({"seed", "random_seed", "rng_seed", "randomseed"})
_SIMULATIONS: Final = frozenset(
    {"n_sims", "nsims", "n_simulations", "num_simulations", "n_catalogs", "num_catalogs"}
)


@dataclass(frozen=True)
class FolderOptions:
    """What a modeller says of a model; None leaves it to the folder, or to the experiment.

    Attributes
    ----------
    func, build, arguments, args_file, seed_argument, prefix, format, forecast_type, n_sims
        As the keys of a model in an experiment; the build ``none`` is forequake's own environment.
    region
        A region's name, a file, or a definition in YAML, as in an experiment.
    magnitudes
        Lower edges of the first and the last bin, and the width of a bin.
    window
        Its id, or two dates with an underscore between them.
    revision
        Of a repository.
    limits
        Of a run, by the names of `forequake.config.program_keys.RunLimits`; the others stay.
    """

    func: str | None = None
    build: str | None = None
    arguments: Mapping[str, JsonValue] = field(default_factory=dict)
    args_file: str | None = None
    seed_argument: str | None = None
    prefix: str | None = None
    format: str | None = None
    forecast_type: str | None = None
    n_sims: int | None = None
    region: str | None = None
    magnitudes: tuple[float | None, float | None, float | None] = (None, None, None)
    window: str | None = None
    revision: str | None = None
    limits: Mapping[str, float] = field(default_factory=dict)


def proposed_command(source: StagedSource, name: str, args_file: str, build: str | None) -> str:
    """Find how a model is called: the one command that it installs, or the one program in its folder.

    Raises
    ------
    InputError
        Where there is none or several, with what there is.
    """
    installed = _installed_commands(source.folder)
    chosen = [word for word in installed if word == name] or installed
    if len(chosen) == 1:
        return f"{chosen[0]} input/{args_file}"
    if chosen:
        words = ", ".join(f"--func '{word} input/{args_file}'" for word in chosen)
        message = f"the model installs {len(chosen)} commands; say which one: {words}"
        raise InputError(message)
    programs = [command for file, command in _SCRIPTS.items() if (source.folder / file).is_file()]
    if len(programs) == 1:
        return programs[0]
    if programs:
        words = ", ".join(f"--func '{command}'" for command in programs)
        message = f"the model's folder has {len(programs)} programs; say which one: {words}"
        raise InputError(message)
    if build == "docker":
        return f"run input/{args_file}"
    there = ", ".join(sorted(path.name for path in source.folder.iterdir())[:12])
    message = (
        f"nothing in the model's folder says how it is called ([project.scripts] in pyproject.toml, "
        f"{', '.join(_SCRIPTS)}): give --func 'COMMAND input/{args_file}'; there is: {there or 'nothing'}"
    )
    raise InputError(message)


def _installed_commands(folder: Path) -> list[str]:
    """List the commands that pip would install, as far as files tell them plainly."""
    found: dict[str, None] = {}
    with suppress(OSError, ValueError, AttributeError):
        content: Any = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
        found |= dict.fromkeys(content.get("project", {}).get("scripts", {}))
        found |= dict.fromkeys(content.get("tool", {}).get("poetry", {}).get("scripts", {}))
    with suppress(OSError, ValueError, configparser.Error):
        parser = configparser.ConfigParser()
        parser.read_string((folder / "setup.cfg").read_text(encoding="utf-8"))
        lines = parser.get("options.entry_points", "console_scripts", fallback="").splitlines()
        found |= dict.fromkeys(line.partition("=")[0].strip() for line in lines if "=" in line)
    return sorted(found)


def proposed_build(source: StagedSource) -> str | None:
    """Tell what a model's environment is built with, by the files at its root."""
    folder = source.folder
    if any((folder / name).is_file() for name in ("environment.yml", "environment.yaml")):
        return "conda"
    packages = ("pyproject.toml", "setup.py", "setup.cfg", "requirements.txt")
    if any((folder / name).is_file() for name in packages):
        return "venv"
    return "docker" if (folder / "Dockerfile").is_file() else None


def proposed_args_file(source: StagedSource) -> str:
    """Find the model's own file of arguments."""
    inputs = source.inputs
    return next(
        (name for name in _ARGS_FILES if inputs is not None and (inputs.folder / name).is_file()),
        _ARGS_FILES[0],
    )


def own_arguments(source: StagedSource, args_file: str) -> dict[str, JsonValue]:
    """Read what the model's own file of arguments says; nothing where it cannot be read: a run tells why."""
    if source.inputs is None:
        return {}
    found: object = {}
    with suppress(OSError, ValueError, yaml.YAMLError):
        text = (source.inputs.folder / args_file).read_text(encoding="utf-8")
        if args_file.endswith(".json"):
            found = json.loads(text)
        elif args_file.endswith((".yml", ".yaml")):
            found = yaml.safe_load(text)
        else:
            lines = [line.partition("=") for line in text.splitlines() if not line.lstrip().startswith("#")]
            found = {key.strip(): value.strip() for key, equals, value in lines if equals}
    return {str(key): value for key, value in found.items()} if isinstance(found, dict) else {}


def seed_argument(arguments: Mapping[str, JsonValue]) -> str | None:
    """Find the argument, by its dotted name, through which a model seems to take a seed."""
    return _named(arguments, _SEEDS)


def simulations_argument(arguments: Mapping[str, JsonValue]) -> str | None:
    """Find the argument that seems to say how many catalogs are simulated."""
    return _named(
        {key: value for key, value in arguments.items() if not isinstance(value, dict)}, _SIMULATIONS
    )


def _named(arguments: Mapping[str, JsonValue], names: frozenset[str], above: str = "") -> str | None:
    for key, value in arguments.items():
        if isinstance(value, dict):
            inner = _named(value, names, f"{above}{key}.")
            if inner is not None:
                return inner
        elif key.casefold().replace("-", "_") in names:
            return f"{above}{key}"
    return None
