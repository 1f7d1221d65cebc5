"""The version of Python that the files of a model ask for; the files are read, never executed."""

import ast
import configparser
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from forequake.errors import EnvironmentFailed
from forequake.models.environments.python_versions import PythonRequirement

__all__ = ["conda_file", "declared_python", "read_conda_file"]

_CONDA_FILES: Final = ("environment.yml", "environment.yaml")
#: ``conda-forge::python=3.11.4=build``, ``python >=3.9,<3.12``.
_CONDA_PYTHON: Final = re.compile(r"(?:\S+::)?python(?=[\s=<>!~]|$)\s*(?P<versions>.*)", re.IGNORECASE)
_CONDA_BUILD: Final = re.compile(r"(={0,2}\s*[\d.*]+)(?:=|\s+)[A-Za-z*_][\w*]*")


def declared_python(folder: Path, *, conda_first: bool = False) -> PythonRequirement | None:
    """Find which Python a model wants: the first of its files that says so.

    Parameters
    ----------
    folder
        With ``pyproject.toml`` (of any builder, and poetry's), ``setup.cfg``, ``setup.py`` or
        ``environment.yml``, read in this order.
    conda_first
        ``environment.yml`` is read before the others.

    Returns
    -------
    PythonRequirement or None
        None where no file says anything.

    Raises
    ------
    EnvironmentFailed
        Where a file cannot be read, or what it says is no version.
    """
    readers: dict[str, Callable[[Path], Iterator[PythonRequirement]]] = {
        "pyproject.toml": _in_pyproject,
        "setup.cfg": _in_setup_cfg,
        "setup.py": _in_setup_py,
    }
    conda: dict[str, Callable[[Path], Iterator[PythonRequirement]]] = dict.fromkeys(
        _CONDA_FILES, _in_conda_file
    )
    ordered = conda | readers if conda_first else readers | conda
    for name, read in ordered.items():
        if (folder / name).is_file():
            try:
                found = next(read(folder / name), None)
            except (ValueError, SyntaxError, OSError, configparser.Error) as error:
                message = f"the Python that the model needs is not known: {_told(name, error)}"
                raise EnvironmentFailed(message) from error
            if found is not None:
                return found
    return None


def conda_file(folder: Path) -> Path | None:
    """Give the model's ``environment.yml``; None where it has none."""
    return next((folder / name for name in _CONDA_FILES if (folder / name).is_file()), None)


def read_conda_file(file: Path) -> dict[str, Any]:
    """Read an ``environment.yml``.

    Raises
    ------
    ValueError
        Where it is no YAML, or has no list of dependencies.
    """
    try:
        content = yaml.safe_load(file.read_text(encoding="utf-8"))
    except yaml.YAMLError as error:
        raise ValueError(str(error)) from error
    if not isinstance(content, dict) or not isinstance(content.get("dependencies", []), list):
        message = "it has no list of dependencies"
        raise ValueError(message)
    return content


def _told(name: str, error: Exception) -> str:
    text = " ".join(str(error).split())
    return text if text.startswith(name) else f"{name}: {text}"


def _in_pyproject(file: Path) -> Iterator[PythonRequirement]:
    content = tomllib.loads(file.read_text(encoding="utf-8"))
    for keys in (("project", "requires-python"), ("tool", "poetry", "dependencies", "python")):
        value: Any = content
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        if isinstance(value, str) and value.strip():
            yield PythonRequirement(value.strip(), f"{file.name}: {'.'.join(keys)}")


def _in_setup_cfg(file: Path) -> Iterator[PythonRequirement]:
    parser = configparser.ConfigParser(interpolation=None)
    parser.read_string(file.read_text(encoding="utf-8"), file.name)
    value = parser.get("options", "python_requires", fallback="").strip()
    if value:
        yield PythonRequirement(value, f"{file.name}: options.python_requires")


def _in_setup_py(file: Path) -> Iterator[PythonRequirement]:
    tree = ast.parse(file.read_bytes(), file.name)
    texts = {
        target.id: node.value.value
        for node in tree.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", None)
        given = next((word.value for word in node.keywords if word.arg == "python_requires"), None)
        if name != "setup" or given is None:
            continue
        value = texts.get(given.id) if isinstance(given, ast.Name) else getattr(given, "value", None)
        # What is computed would have to be executed: pip will say what it needs.
        if isinstance(value, str) and value.strip():
            yield PythonRequirement(value.strip(), f"{file.name}: python_requires")


def _in_conda_file(file: Path) -> Iterator[PythonRequirement]:
    for dependency in read_conda_file(file).get("dependencies", []):
        found = _CONDA_PYTHON.fullmatch(dependency.strip()) if isinstance(dependency, str) else None
        if found is not None and found["versions"].strip():
            versions = _CONDA_BUILD.sub(r"\1", found["versions"].strip())
            yield PythonRequirement(versions, f"{file.name}: dependencies")
