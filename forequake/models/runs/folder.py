"""The private folder of a run: a copy of the source, the input catalog and the arguments."""

import os
import shutil
import stat
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from pydantic import JsonValue

from forequake.errors import InputError
from forequake.models.runs.arguments import render_arguments
from forequake.models.runs.input_catalog import csep_csv
from forequake.models.runs.request import ModelRequest

__all__ = ["copy_of", "fill"]


def fill(folder: Path, request: ModelRequest) -> str:
    """Copy a model into a folder, write what it reads, and give its arguments as they were written.

    Parameters
    ----------
    folder
        It is made here.

    Raises
    ------
    InputError
        Where the arguments cannot be written, or a name leads out of the folder ``input``.
    OSError
        Where the disk does not take it.
    """
    staged, inputs = request.source, folder / "input"
    for name in (request.args_file, request.input_name):
        if PurePosixPath(name).is_absolute() or ".." in PurePosixPath(name).parts:
            message = f"the file {name!r} must lie in the model's folder 'input'"
            raise InputError(message)
    folder.parent.mkdir(parents=True, exist_ok=True)
    copy_of(staged.folder, folder)
    if staged.inputs is not None:
        copy_of(staged.inputs.folder, inputs)
    for name in ("input", "forecasts"):
        (folder / name).mkdir(exist_ok=True)
    template = None if staged.inputs is None else staged.inputs.folder / request.args_file
    text = render_arguments(
        request.args_file, request.window, _arguments(request), template=template, say=request.say
    )
    _write(inputs / request.args_file, text)
    _write(inputs / request.input_name, csep_csv(request.input_catalog))
    return text


def copy_of(source: Path, folder: Path) -> None:
    """Copy a folder of the shelf, which is for reading only, so that the model may write into its copy."""
    shutil.copytree(source, folder, symlinks=True)
    for parent, _, files in os.walk(folder):
        for path in (Path(parent), *(Path(parent, name) for name in files)):
            if not path.is_symlink():
                path.chmod(path.stat().st_mode | stat.S_IWUSR)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.unlink(missing_ok=True)  # it may be a link of the model's
    path.write_text(text, encoding="utf-8")


def _arguments(request: ModelRequest) -> dict[str, JsonValue]:
    """Give the arguments with the seed at the place where the model looks for it."""
    if request.seed is None or request.seed_argument is None:
        return dict(request.arguments)
    first, *rest = reversed(request.seed_argument.split("."))
    value: JsonValue = {first: request.seed}
    for name in rest:
        value = {name: value}
    return _joined(request.arguments, value if isinstance(value, dict) else {})


def _joined(base: Mapping[str, JsonValue], other: Mapping[str, JsonValue]) -> dict[str, JsonValue]:
    joined = dict(base)
    for key, value in other.items():
        own = joined.get(key)
        joined[key] = _joined(own, value) if isinstance(own, dict) and isinstance(value, dict) else value
    return joined
