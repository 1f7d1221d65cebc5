"""Places in a model's Python files that explain what runs show; the files are read, never executed."""

import ast
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Final, Literal

from forequake.models.sources import StagedSource

__all__ = ["Hint", "HintKind", "places_of", "source_hints"]

#: ``clock``: today's date; ``time``: seconds; ``chance``: random numbers without a seed; ``set``: the order
#: of a set; ``network``: a module that calls others; ``outside``: a path that leads out of the folder.
HintKind = Literal["clock", "time", "chance", "set", "network", "outside"]

_MOST_FILES: Final = 500
_MOST_BYTES: Final = 1 << 20
_MOST_NAMED: Final = 3
_CLOCKS: Final = frozenset(
    f"{name}.{call}" for name in ("datetime", "date", "Timestamp") for call in ("now", "utcnow", "today")
)
_TIMES: Final = frozenset(
    {"time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.ctime", "os.getpid"}
)
#: With a seed these give the same numbers each time, without one they do not.
_GENERATORS: Final = frozenset({"default_rng", "RandomState", "SeedSequence", "PCG64", "Random"})
_ALWAYS_NEW: Final = frozenset({"uuid.uuid4", "os.urandom", "secrets.token_bytes", "secrets.randbits"})
_NETWORK: Final = frozenset(
    {
        "requests",
        "httpx",
        "aiohttp",
        "ftplib",
        "urllib3",
        "urllib.request",
        "http.client",
        "socket",
        "obspy.clients",
    }
)


@dataclass(frozen=True)
class Hint:
    """A place in a file.

    Attributes
    ----------
    words
        What stands there.
    """

    kind: HintKind
    file: str
    line: int
    words: str


def places_of(hints: Sequence[Hint], *kinds: HintKind) -> str:
    """Name the first places of some kinds in words that go after a sentence; empty where there are none."""
    found = [f"{hint.file}:{hint.line} {hint.words}" for hint in hints if hint.kind in kinds]
    if not found:
        return ""
    more = f" and {len(found) - _MOST_NAMED} more" if len(found) > _MOST_NAMED else ""
    return f" ({', '.join(found[:_MOST_NAMED])}{more})"


def source_hints(source: StagedSource) -> list[Hint]:
    """Look through a model's Python files; what cannot be read as Python is passed over."""
    found: list[Hint] = []
    names = sorted(name for name in source.files if name.endswith(".py"))
    for name in names[:_MOST_FILES]:
        path = source.folder / name
        if path.is_symlink() or not path.is_file() or path.stat().st_size > _MOST_BYTES:
            continue
        if "tests" in PurePosixPath(name).parts:
            continue
        try:
            tree = ast.parse(path.read_bytes())
        except (SyntaxError, ValueError, RecursionError):
            continue
        seeded = any(_is_seeding(node) for node in ast.walk(tree))
        found += [Hint(kind, name, line, words) for kind, line, words in _in_tree(tree, seeded=seeded)]
    return found


def _in_tree(tree: ast.Module, *, seeded: bool) -> Iterator[tuple[HintKind, int, str]]:
    for node in ast.walk(tree):
        match node:
            case ast.Call():
                name = _dotted(node.func)
                kind = _kind_of_call(name, node, seeded=seeded)
                if kind is not None:
                    yield kind, node.lineno, f"{name}()"
            case ast.Import(names=aliases):
                for alias in aliases:
                    if _calls_others(alias.name):
                        yield "network", node.lineno, f"import {alias.name}"
            case ast.ImportFrom(module=str(module)):
                if _calls_others(module):
                    yield "network", node.lineno, f"from {module}"
            case ast.Constant(value=str(text)):
                if _leads_out(text):
                    yield "outside", node.lineno, repr(text)
            case ast.Set():
                yield "set", node.lineno, "{...}"
            case _:
                pass


def _kind_of_call(name: str, call: ast.Call, *, seeded: bool) -> HintKind | None:
    last_two, arguments = ".".join(name.split(".")[-2:]), bool(call.args or call.keywords)
    if last_two in _CLOCKS or (last_two == "UTCDateTime" and not arguments):
        return "clock"
    if name in _TIMES:
        return "time"
    if name in {"set", "frozenset"}:
        return "set"
    if name in _ALWAYS_NEW:
        return "chance"
    last = name.rpartition(".")[2]
    if last in _GENERATORS:
        return None if arguments else "chance"
    of_module = name.startswith(("np.random.", "numpy.random.", "random."))
    return "chance" if of_module and not seeded and last not in {"seed", "Generator"} else None


def _is_seeding(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and bool(node.args) and _dotted(node.func).endswith("random.seed")


def _dotted(node: ast.expr) -> str:
    match node:
        case ast.Name(id=name):
            return name
        case ast.Attribute(value=value, attr=name):
            return f"{_dotted(value)}.{name}"
        case _:
            return ""


def _calls_others(module: str) -> bool:
    return any(module == name or module.startswith(f"{name}.") for name in _NETWORK)


def _leads_out(text: str) -> bool:
    """Tell whether a text looks like a path of a file elsewhere."""
    if not text or len(text) > 300 or "\n" in text or " " in text:
        return False
    parts = PurePosixPath(text).parts
    if parts and parts[0] == "..":
        return True
    return (
        text.startswith("/")
        and len(parts) > 2
        and parts[1] in {"home", "root", "Users", "data", "mnt", "srv"}
    )
