"""A model that is a function: where its code lies, looked at without running it."""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Final

from forequake.config._functions import (
    FunctionFault,
    bound_names,
    functions_of,
    imported,
    python_tree,
    signature_faults,
)
from forequake.errors import suggestion

__all__ = ["GIVEN", "NAMED", "faults_of_function", "files_beside", "split_function"]

#: What a model's function is called with by its place, and by name where it has such a parameter.
GIVEN: Final = ("given",)
NAMED: Final = ("seed", "rng", "progress")
_MODULE: Final = re.compile(r"[^\W\d]\w*(\.[^\W\d]\w*)*")
#: Where a package's modules may lie below the root of its source.
_ROOTS: Final = ("", "src")


def split_function(text: str) -> tuple[str, str] | None:
    """Split ``file.py:function`` or ``package.module:function``; None where a text is neither."""
    place, colon, name = text.strip().rpartition(":")
    if not colon or not name.isidentifier():
        return None
    if place.endswith(".py"):
        parts = PurePosixPath(place).parts
        return (place, name) if ".." not in parts and PurePosixPath(place).stem else None
    return (place, name) if _MODULE.fullmatch(place) else None


def faults_of_function(
    root: Path, function: str, arguments: Mapping[str, object], *, may_be_installed: bool = False
) -> Iterator[FunctionFault]:
    """Tell what speaks against calling a function, from its file alone.

    Parameters
    ----------
    root
        The folder with the source.
    function
        As `split_function` takes it.
    may_be_installed
        Whether an environment may have the module where the source has not.
    """
    split = split_function(function)
    if split is None:
        yield FunctionFault(f"{function!r} is neither file.py:function nor package.module:function")
        return
    place, name = split
    file = _file(root, place)
    if file is None:
        if not may_be_installed or place.endswith(".py"):
            yield FunctionFault(f"there is no {place} in {root.name}", _near(root, place, name))
        return
    try:
        tree = python_tree(file)
    except ValueError as error:
        yield FunctionFault(str(error))
        return
    yield from _faults(tree, file.name, place, name, arguments)


def _faults(
    tree: ast.Module, file: str, place: str, name: str, arguments: Mapping[str, object]
) -> Iterator[FunctionFault]:
    functions = functions_of(tree)
    found = functions.get(name)
    if found is None:
        if not {name, "*"} & bound_names(tree):
            public = ", ".join(known for known in functions if not known.startswith("_"))
            near = suggestion(name, functions)
            message = f"{file} defines no function {name}; it defines {public or 'none'}"
            yield FunctionFault(message, near and f"{place}:{near}")
        return
    if isinstance(found, ast.AsyncFunctionDef):
        yield FunctionFault(f"{name} is asynchronous; a model is a plain function or a generator")
        return
    for argument in NAMED:
        if argument in arguments:
            yield FunctionFault("forequake itself hands this over", None, argument)
    yield from signature_faults(found, GIVEN, NAMED, arguments)


def _file(root: Path, place: str) -> Path | None:
    if place.endswith(".py"):
        return root / place if (root / place).is_file() else None
    inner = place.replace(".", "/")
    names = (f"{below}/{inner}{ending}" for below in _ROOTS for ending in (".py", "/__init__.py"))
    return next((root / name.lstrip("/") for name in names if (root / name.lstrip("/")).is_file()), None)


def _near(root: Path, place: str, name: str) -> str | None:
    """Find the nearest file or module that is there, written as the function was."""
    if place.endswith(".py"):
        folder = (root / place).parent
        names = {
            str(PurePosixPath(place).parent / one.name) for one in _listed(folder) if one.suffix == ".py"
        }
    else:
        names = {one.stem for one in _listed(root) if one.suffix == ".py" or (one / "__init__.py").is_file()}
    near = suggestion(place, names)
    return None if near is None else f"{near}:{name}"


def _listed(folder: Path) -> list[Path]:
    try:
        return sorted(folder.iterdir())
    except OSError:
        return []


def files_beside(file: Path) -> Iterator[tuple[int, str]]:
    """Give lines in which a file imports what lies beside it, each with the name of that file or folder."""
    try:
        tree = python_tree(file)
    except ValueError:  # told with the function
        return
    for line, module in imported(tree):
        if module is None:
            yield line, "a module of its own package"
            continue
        for name in (f"{module}.py", f"{module}/__init__.py"):
            beside = file.parent / name
            if beside != file and beside.is_file():
                yield line, name
