"""Functions in users' Python files: looked at without running anything."""

import ast
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

from forequake.errors import suggestion

__all__ = ["FunctionFault", "bound_names", "functions_of", "imported", "python_tree", "signature_faults"]

#: Larger files are none that somebody wrote.
_MOST_SOURCE: Final = 1 << 20
_Function = ast.FunctionDef | ast.AsyncFunctionDef


class FunctionFault(NamedTuple):
    """What speaks against calling a function.

    Attributes
    ----------
    message, near
        What is wrong, and the nearest word that is right.
    argument
        The argument that it is about; None of the function itself.
    missing
        Whether that argument is not given.
    """

    message: str
    near: str | None = None
    argument: str | None = None
    missing: bool = False


def python_tree(path: Path) -> ast.Module:
    """Read a Python file.

    Raises
    ------
    ValueError
        With words for people, where it is none or cannot be read.
    """
    try:
        data = path.read_bytes()
        if len(data) > _MOST_SOURCE:
            message = "the file is too long for one that somebody wrote"
            raise ValueError(message)
        return ast.parse(data)
    except SyntaxError as error:
        # A file with zero bytes has no line that is wrong.
        line = "" if error.lineno is None else f":{error.lineno}"
        message = f"{path.name}{line} is no Python: {error.msg}"
    except (OSError, RecursionError) as error:
        message = f"{path.name} cannot be read: {error}"
    raise ValueError(message)


def functions_of(tree: ast.Module) -> dict[str, _Function]:
    """Give the functions of a module by name, also those behind a condition; not those of classes."""
    return {node.name: node for node in _statements(tree) if isinstance(node, _Function)}


def bound_names(tree: ast.Module) -> set[str]:
    """Give the names that a module's own statements bind; ``*`` where an import brings unknown ones."""
    names: set[str] = set()
    for node in _statements(tree):
        match node:
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                names.add(name)
            case ast.Import(names=aliases) | ast.ImportFrom(names=aliases):
                names |= {alias.asname or alias.name.partition(".")[0] for alias in aliases}
            case ast.Assign() | ast.AnnAssign():
                stored = (one for one in ast.walk(node) if isinstance(one, ast.Name))
                names |= {one.id for one in stored if isinstance(one.ctx, ast.Store)}
            case _:
                pass
    return names


def _statements(tree: ast.Module) -> Iterator[ast.stmt]:
    ahead: list[ast.stmt] = list(tree.body)
    while ahead:
        node = ahead.pop(0)
        yield node
        if isinstance(node, ast.If | ast.Try | ast.With):
            ahead += [
                child
                for part in ast.iter_child_nodes(node)
                for child in (part.body if isinstance(part, ast.ExceptHandler) else [part])
                if isinstance(child, ast.stmt)
            ]


def signature_faults(
    function: _Function, given: Sequence[str], named: Collection[str], arguments: Mapping[str, object]
) -> Iterator[FunctionFault]:
    """Tell what speaks against a call.

    Parameters
    ----------
    given
        What the call hands over by its place.
    named
        What it hands over by name where the function has it.
    arguments
        What it hands over by name besides.
    """
    name, taken = function.name, function.args
    positional = [parameter.arg for parameter in (*taken.posonlyargs, *taken.args)]
    if len(positional) < len(given) and taken.vararg is None:
        message = (
            f"{name} takes {len(positional)} parameters in line {function.lineno}, but it is called with "
            f"{len(given)}: {', '.join(given)}"
        )
        yield FunctionFault(message)
        return
    by_name = [
        *(parameter.arg for parameter in taken.args[max(0, len(given) - len(taken.posonlyargs)) :]),
        *(parameter.arg for parameter in taken.kwonlyargs),
    ]
    settable = [known for known in by_name if known not in named]
    for argument in arguments:
        if (
            argument not in named
            and argument not in by_name
            and (taken.kwarg is None or argument in positional)
        ):
            message = f"{name} has no such parameter to be set; it has {', '.join(settable) or 'none'}"
            yield FunctionFault(message, suggestion(argument, settable), argument)
    optional = set(_optional(taken, positional))
    for parameter in by_name:
        if parameter not in {*named, *arguments, *optional}:
            yield FunctionFault(
                f"{name} needs {parameter}, which has no default", None, parameter, missing=True
            )


def _optional(taken: ast.arguments, positional: Sequence[str]) -> Iterable[str]:
    yield from positional[len(positional) - len(taken.defaults) :]
    for parameter, default in zip(taken.kwonlyargs, taken.kw_defaults, strict=True):
        if default is not None:
            yield parameter.arg


def imported(tree: ast.Module) -> Iterator[tuple[int, str | None]]:
    """Give the lines and top names of imports, None for relative ones."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name.partition(".")[0]) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield node.lineno, (node.module or "").partition(".")[0] if node.level == 0 else None
