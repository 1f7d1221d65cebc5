"""What all commands share: where they write, their common options, and machine-readable output."""

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Timer
from typing import Annotated, Any, Final

import typer
from rich.console import Console

from forequake.errors import InputError, unknown
from stores import ResultsStore, open_store, resolve_store, shown_url, store_exists

__all__ = [
    "ConfigPath",
    "JsonFlag",
    "ModelNames",
    "StoreName",
    "TestNames",
    "WindowIds",
    "bytes_words",
    "complain",
    "existing_store_of",
    "json_text",
    "known_experiment",
    "note",
    "out",
    "print_json",
    "store_of",
    "words",
]

# Without pictures for words in colons: `tests.yml:100:` is a line.
#: Results, tables, JSON.
out: Final = Console(emoji=False, highlight=False, soft_wrap=False)
#: Everything else, so that a pipe gets results only.
_err: Final = Console(stderr=True, emoji=False, highlight=False, soft_wrap=True)

#: So long a store may take to answer before a word is said, in seconds.
_SILENCE: Final = 4.0

ConfigPath = Annotated[
    Path, typer.Argument(help="The experiment's file, or the folder of its config.yml.", show_default=False)
]
StoreName = Annotated[
    str,
    typer.Option(
        "--store",
        metavar="NAME|URL",
        help="Where results live: 'default', a name NAME set by FOREQUAKE_STORE_NAME, or an address such as "
        "sqlite:///path/file.sqlite.",
    ),
]
ModelNames = Annotated[list[str], typer.Option("--model", help="Only this model; may be repeated.")]
TestNames = Annotated[list[str], typer.Option("--test", help="Only this test; may be repeated.")]
WindowIds = Annotated[list[str], typer.Option("--window", help="Only this window; may be repeated.")]
JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for machines.")]


def note(text: str) -> None:
    """Say something beside the results."""
    _err.print(text, markup=False)


def complain(text: str) -> None:
    """Say what went wrong."""
    _err.print(text, style="bold red", markup=False)


@contextmanager
def _saying_that_it_waits(url: str) -> Iterator[None]:
    """Say so where a store takes long to answer, as one whose server is away does."""
    timer = Timer(_SILENCE, note, [f"Waiting for {shown_url(url)}"])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def store_of(name: str) -> ResultsStore:
    """Open the store that an option names."""
    url = resolve_store(name)
    with _saying_that_it_waits(url):
        return open_store(url)


def existing_store_of(name: str) -> ResultsStore | None:
    """Open the store that an option names for reading; None where there is none yet, which makes none."""
    url = resolve_store(name)
    with _saying_that_it_waits(url):
        return open_store(url) if store_exists(url) else None


def known_experiment(store: str, name: str) -> ResultsStore:
    """Open a store that must have an experiment.

    Raises
    ------
    InputError
        Where there is no such store or experiment, with the nearest name and all that there are.
    """
    target = existing_store_of(store)
    names = [] if target is None else [summary.name for summary in target.experiments()]
    if target is None or name not in names:
        place = shown_url(resolve_store(store)) if target is None else target.name
        hint = "" if names else "; run one with forequake run CONFIG"
        message = f"{place}: {unknown('experiment', name, names)}{hint}"
        raise InputError(message)
    return target


def print_json(value: Mapping[str, Any] | Sequence[Any]) -> None:
    """Print JSON; infinities are text, since JSON has no numbers for them."""
    typer.echo(json.dumps(_plain(value), indent=2, ensure_ascii=False, allow_nan=False))


def json_text(value: Any) -> str:
    """Write a value as JSON on one line, for a field of a table."""
    return json.dumps(_plain(value), ensure_ascii=False, allow_nan=False)


def words(names: Sequence[str], most: int = 6) -> str:
    """List names, and the number of those that are left out."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"


def bytes_words(size: int) -> str:
    """Write a number of bytes for people, with three digits."""
    for unit in ("kB", "MB", "GB"):
        size_in_unit = size / 1000 ** (1 + ("kB", "MB", "GB").index(unit))
        if size_in_unit < 999.5 or unit == "GB":
            return f"{size_in_unit:.3g} {unit}" if size >= 1000 else f"{size} bytes"
    raise AssertionError


def _plain(value: Any) -> Any:
    if isinstance(value, float) and math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return value
