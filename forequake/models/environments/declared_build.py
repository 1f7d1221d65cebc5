"""What a model's files say of how it is built and run, where the experiment does not."""

import re
import tomllib
from pathlib import Path
from typing import Final

from forequake.config.model_specs import Build

__all__ = ["chosen_build", "runs_itself"]

_STAGE: Final = re.compile(r"^\s*FROM\s", re.IGNORECASE)
_OWN_COMMAND: Final = re.compile(r"^\s*(ENTRYPOINT|CMD)\b", re.IGNORECASE)
_OPTIONS: Final = re.compile(r"^\[options\]\s*$", re.MULTILINE)


def chosen_build(build: Build | None, folder: Path) -> Build | None:
    """Give the kind of environment that a model gets.

    As with floatCSEP a package that is to be installed gets an environment of its own also where the
    experiment asks for none; a program that only lies in its folder runs in forequake's.

    Parameters
    ----------
    folder
        The model's source.
    """
    return "venv" if build is None and _is_installed(folder) else build


def _is_installed(folder: Path) -> bool:
    """Tell whether a folder is a package: many files of its names hold settings of tools only."""
    if (folder / "setup.py").is_file():
        return True
    try:
        if _OPTIONS.search((folder / "setup.cfg").read_text(encoding="utf-8")):
            return True
    except (OSError, ValueError):
        pass
    try:
        project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return False
    return "project" in project or "build-system" in project


def runs_itself(folder: Path) -> bool:
    """Tell whether a model's image says what it runs: floatCSEP runs that, whatever ``func`` is.

    Parameters
    ----------
    folder
        The model's source.
    """
    try:
        lines = (folder / "Dockerfile").read_text(encoding="utf-8").splitlines()
    except (OSError, ValueError):
        return False
    own = False
    for line in lines:
        own = not _STAGE.match(line) and (own or _OWN_COMMAND.match(line) is not None)
    return own
