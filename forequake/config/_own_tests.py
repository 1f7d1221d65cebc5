"""A user's own test in an experiment's files: found and looked at without running it."""

import ast
import os
import re
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final

from pydantic_core import PydanticCustomError

from forequake.config._files import Folder
from forequake.config._functions import functions_of, imported, python_tree, signature_faults
from forequake.config._places import Place, Problems
from forequake.config._refusals import refuse
from forequake.config.specs import OwnFunction
from forequake.errors import suggestion

__all__ = ["WrittenFunction", "read_own_function", "written_function"]

_FORM: Final = re.compile(r"(?P<file>.*\.py)(?P<colon>:(?P<function>.*))?")
_MOST_BYTES: Final = 100 << 20
#: What forequake hands over by name; the rest of a function's parameters are its arguments.
_NAMED: Final = ("seed", "alpha")
_GIVEN: Final = ("forecast", "catalog", "reference")


@dataclass(frozen=True)
class WrittenFunction:
    """A function as the key func names it, not looked for yet."""

    file: str
    function: str


def written_function(value: str) -> WrittenFunction | None:
    """Give the file and function that a text names; None where it is no name of a file.

    Raises
    ------
    PydanticCustomError
        Where the text names a file, but no function.
    """
    match = _FORM.fullmatch(value.strip())
    if match is None:
        return None
    if not (match["function"] or "").isidentifier():
        refuse("expected a file and a function in it, such as my_tests.py:my_test")
    return WrittenFunction(match["file"], match["function"])


def read_own_function(
    written: WrittenFunction, place: Place, folder: Folder, problems: Problems
) -> OwnFunction | None:
    """Find a user's own test, and note what speaks against calling it.

    Parameters
    ----------
    place
        Of the test's name, which has the keys that `TestSection` and `ArgumentSection` say.
    """
    before = len(problems)
    arguments = place.at("func_args" if "func_args" in place.entries else "func_kwargs")
    file = _found(written.file, place.at("func"), folder, problems, "a Python file with the test")
    listed = arguments.at("files")
    others: list[str] = []
    for number, name in enumerate(listed.value if isinstance(listed.value, list) else ()):
        if isinstance(name, str):  # else noted with the section
            found = _found(name, listed.at(number), folder, problems, "a file that the test needs")
            others += [found] if found is not None and found not in (file, *others) else []
    if file is None:
        return None
    try:
        _check_function(python_tree(folder.root / file), written.function, place, arguments, problems)
    except ValueError as error:
        problems.add(place.at("func"), str(error))
    for name in [file, *(other for other in others if other.endswith(".py"))]:
        _check_imports(folder, name, {file, *others}, place.at("func"), problems)
    if len(problems) > before:
        return None
    return OwnFunction(file=file, function=written.function, files=(file, *sorted(others)))


def _found(text: str, place: Place, folder: Folder, problems: Problems, what: str) -> str | None:
    """Give a file's path from the experiment's folder, without detours."""
    try:
        recorded = folder.existing_file(text, what)
        root, path = folder.root.resolve(), (folder.root / recorded).resolve()
        if not path.is_relative_to(root):
            refuse(
                f"this file lies outside the experiment's folder ({root}); the code of a test belongs to it"
            )
        if path.stat().st_size > _MOST_BYTES:
            refuse(
                f"this file has more than {_MOST_BYTES >> 20} MB, which the results would all be kept with"
            )
        with path.open("rb"):
            return str(PurePosixPath(path.relative_to(root)))
    except PydanticCustomError as error:
        problems.add_refused(place, error)
    except OSError as error:
        problems.add(place, f"{what} cannot be read ({error.strerror})")
    return None


def _check_function(tree: ast.Module, name: str, place: Place, arguments: Place, problems: Problems) -> None:
    functions, where = functions_of(tree), place.at("func")
    function = functions.get(name)
    if function is None:
        public = [known for known in functions if not known.startswith("_")]
        near = suggestion(name, functions)
        message = f"the file defines no function {name}; it defines {', '.join(public) or 'none'}"
        problems.add(where, message, near and str(where.value).rpartition(":")[0] + f":{near}")
        return
    if isinstance(function, ast.AsyncFunctionDef):
        problems.add(where, f"{name} is asynchronous; a test is a plain function")
        return
    given = _GIVEN[: 2 if place.at("ref_model").value is None else 3]
    handed = arguments.at("arguments").entries
    for argument in _NAMED:
        if argument in handed:
            message = "this is a key of func_kwargs itself: write it beside arguments"
            problems.add(handed[argument], message)
    for fault in signature_faults(function, given, _NAMED, handed):
        if fault.missing:
            message = f"{fault.message}: func_kwargs: {{arguments: {{{fault.argument}: ...}}}}"
            problems.add(arguments.at("arguments"), message)
        else:
            problems.add(
                where if fault.argument is None else handed[fault.argument], fault.message, fault.near
            )


def _check_imports(folder: Folder, file: str, declared: set[str], place: Place, problems: Problems) -> None:
    """Note files beside that are imported, but not declared: their changes would go unnoticed."""
    try:
        tree = ast.parse((folder.root / file).read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError):  # noted before, or told by the call
        return
    beside = PurePosixPath(file).parent
    for line, module in imported(tree):
        if module is None:
            problems.add(
                place, f"{file}:{line} has a relative import; files beside are imported by their names"
            )
            continue
        path = str(beside / f"{module}.py")
        if path not in declared and os.path.isfile(folder.root / path):  # noqa: PTH113  # it raises without rights
            written = os.path.relpath(folder.root / path, folder.root / folder.here)
            message = (
                f"{file}:{line} imports {module}, and {path} lies beside it: name it in func_kwargs: "
                f"{{files: [{written}]}}, so that a change of it computes the results again"
            )
            problems.add(place, message)
