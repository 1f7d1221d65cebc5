"""The interpreters of Python on this machine, and which of them a model gets."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from forequake.errors import EnvironmentFailed
from forequake.models.environments.python_versions import PythonRequirement, Version

__all__ = ["Interpreter", "choose_interpreter", "choose_minor", "interpreters"]

_NAMES: Final = ("python3", *(f"python3.{minor}" for minor in range(7, 21)))
#: What an environment is made with, and where the interpreter really lies; fails where it cannot make any.
_QUESTION: Final = (
    "import sys, venv, ensurepip\n"
    "if sys.implementation.name != 'cpython': sys.exit(1)\n"
    "print(*sys.version_info[:3], getattr(sys, '_base_executable', None) or sys.executable)"
)
_QUESTION_SECONDS: Final = 20.0
#: conda brings its own interpreter: these exist.
_MINORS: Final = tuple((3, minor) for minor in range(6, 21))


@dataclass(frozen=True)
class Interpreter:
    """A Python that can make environments."""

    program: Path
    version: Version

    @property
    def minor(self) -> str:
        """Such as ``3.11``."""
        return f"{self.version[0]}.{self.version[1]}"


def choose_interpreter(requirement: PythonRequirement | None) -> Interpreter:
    """Give the interpreter on this machine that a model gets: ours where it fits, else the nearest version.

    Raises
    ------
    EnvironmentFailed
        Where none fits; the message tells which there are.
    """
    ours = sys.version_info[:2]
    if requirement is None or requirement.fits(sys.version_info[:3]):
        own = _asked(Path(getattr(sys, "_base_executable", None) or sys.executable))
        if own is not None:
            return own
    there = interpreters()
    fitting = [one for one in there if requirement is None or requirement.fits(one.version)]
    if not fitting:
        versions = sorted({one.version for one in there})
        listed = ", ".join(".".join(map(str, version)) for version in versions) or "none"
        message = (
            f"the model needs {requirement or 'a Python that can make environments'}, which is not on this "
            f"machine; there is: {listed}. Install one and put it on PATH (uv python install, pyenv and "
            "the system's packages of python3 and python3-venv do), or build with conda"
        )
        raise EnvironmentFailed(message)
    return min(fitting, key=lambda one: (*_far(one.version[:2], ours), -one.version[2]))


def choose_minor(requirement: PythonRequirement | None) -> str:
    """Give the minor version that conda is asked for: ours where it fits, else the nearest.

    Raises
    ------
    EnvironmentFailed
        Where no version of Python 3 fits.
    """
    ours = sys.version_info[:2]
    fitting = [minor for minor in _MINORS if requirement is None or requirement.fits_minor(minor)]
    if not fitting:
        message = f"no Python 3 is {requirement}"
        raise EnvironmentFailed(message)
    major, minor = min(fitting, key=lambda one: _far(one, ours))
    return f"{major}.{minor}"


def interpreters() -> tuple[Interpreter, ...]:
    """Find the interpreters on PATH, of pyenv and of uv."""
    return _interpreters(os.environ.get("PATH", os.defpath), os.environ.get("PYENV_ROOT"), Path.home())


def _far(version: tuple[int, int], ours: tuple[int, int]) -> tuple[int, int, int]:
    """Sort by distance, the newer one of two first."""
    return abs(version[0] - ours[0]), abs(version[1] - ours[1]), -version[1]


@cache
def _interpreters(path: str, pyenv: str | None, home: Path) -> tuple[Interpreter, ...]:
    programs = list(dict.fromkeys(_programs(path, Path(pyenv) if pyenv else home / ".pyenv", home)))
    with ThreadPoolExecutor(4) as pool:
        asked = [one for one in pool.map(_asked, programs) if one is not None]
    return tuple({one.program.resolve(): one for one in reversed(asked)}.values())


def _programs(path: str, pyenv: Path, home: Path) -> Iterator[Path]:
    for part in filter(None, path.split(os.pathsep)):
        if Path(part) != pyenv / "shims":  # they lead to what comes below
            yield from (Path(part, name) for name in _NAMES if os.access(Path(part, name), os.X_OK))
    yield from sorted(pyenv.glob("versions/*/bin/python3"))
    yield from sorted((home / ".local/share/uv/python").glob("*/bin/python3"))


@cache
def _asked(program: Path) -> Interpreter | None:
    """Ask an interpreter for its version; None where it cannot make environments."""
    try:
        told = subprocess.run(
            [program, "-I", "-c", _QUESTION],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_QUESTION_SECONDS,
            check=True,
        ).stdout
        major, minor, micro, place = told.strip().split(" ", 3)
        return Interpreter(Path(place), (int(major), int(minor), int(micro)))
    except (OSError, ValueError, subprocess.SubprocessError):
        return None
