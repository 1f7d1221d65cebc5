"""The file of arguments that a model's program reads, in floatCSEP's three forms."""

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from difflib import get_close_matches
from pathlib import Path, PurePosixPath
from typing import Final

import yaml
from pydantic import JsonValue

from forequake.errors import InputError
from forequake.windows import TimeWindow

__all__ = ["render_arguments"]

_DATES: Final = ("start_date", "end_date")
#: Two keys are one and a slip of the pen, where they are so alike; ``mag_min`` and ``mag_max`` are two.
_NEAR: Final = 0.85
_FORMS: Final = {".txt": "txt", ".json": "json", ".yml": "yaml", ".yaml": "yaml"}


def render_arguments(
    name: str,
    window: TimeWindow,
    arguments: Mapping[str, JsonValue],
    *,
    template: Path | None = None,
    say: Callable[[str], None] = lambda line: None,
) -> str:
    """Write the arguments of one window as floatCSEP does.

    The dates stand first, in ISO 8601 without an offset. What the model's own file of this name says is kept
    where the arguments say nothing else; mappings in mappings are joined key by key.

    Parameters
    ----------
    name
        Of the file; its ending is its form: ``.txt`` (``key = value`` lines), ``.json``, ``.yml``, ``.yaml``.
    template
        The model's own file, where it has one.
    say
        Told of arguments that the model's file does not know, and of those that it leaves empty.

    Raises
    ------
    InputError
        Where there is no such form, the template cannot be read, a key that a template of lines leaves empty
        has no value, an argument is near to one of the template's keys but not it, an argument is a mapping
        where the template has a value or the other way round, or a date is given as an argument.
    """
    form = _FORMS.get(PurePosixPath(name).suffix.lower())
    if form is None:
        message = f"the file of arguments {name!r} has an unknown ending; it may be {', '.join(_FORMS)}"
        raise InputError(message)
    for date in _DATES:
        if date in arguments:
            message = f"{name}: {date!r} is the window's and cannot be an argument"
            raise InputError(message)
    base = {} if template is None or not template.exists() else _READ[form](template)
    dates: dict[str, JsonValue] = {
        date: _plain(moment) for date, moment in zip(_DATES, (window.start, window.end), strict=True)
    }
    if base:
        _check_names(name, base, arguments, say)
    filled = _filled(name, base, arguments, "")
    if base:
        rest = {key: value for key, value in filled.items() if key not in _DATES}
        _check_complete(name, rest, "", form == "txt", say)
    return _WRITE[form](name, dates | {key: value for key, value in filled.items() if key not in _DATES})


def _plain(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat()


def _check_names(
    name: str,
    base: Mapping[str, JsonValue],
    arguments: Mapping[str, JsonValue],
    say: Callable[[str], None],
) -> None:
    for key in arguments:
        if key in base:
            continue
        near = get_close_matches(key.casefold(), base, n=1, cutoff=_NEAR)
        if near:
            message = (
                f"{name}: the model's own file has no key {key!r}; did you mean {near[0]!r}? There is: "
                f"{', '.join(base)}"
            )
            raise InputError(message)
        say(f"{name}: the model's own file has no key {key!r}; it is added")


def _filled(
    name: str, base: Mapping[str, JsonValue], arguments: Mapping[str, JsonValue], above: str
) -> dict[str, JsonValue]:
    filled = dict(base)
    for key, value in arguments.items():
        place, own = f"{above}{key}", base.get(key)
        if isinstance(own, dict) and isinstance(value, dict):
            filled[key] = _filled(name, own, value, f"{place}.")
        elif own not in (None, "") and isinstance(own, dict) != isinstance(value, dict):
            kinds = ("a mapping", "a value") if isinstance(own, dict) else ("a value", "a mapping")
            message = f"{name}: {place!r} is {kinds[0]} in the model's own file and {kinds[1]} as an argument"
            raise InputError(message)
        else:
            filled[key] = value
    return filled


def _check_complete(
    name: str,
    filled: Mapping[str, JsonValue],
    above: str,
    empty_is_open: bool,
    say: Callable[[str], None],
) -> None:
    """Refuse what is left open; JSON and YAML have a word for nothing, which a model may mean."""
    for key, value in filled.items():
        if value in (None, ""):
            message = f"{name}: the model's own file leaves {above + key!r} empty"
            if empty_is_open:
                message += "; give it among the arguments"
                raise InputError(message)
            say(f"{message}, and no argument gives it")
        if isinstance(value, dict):
            _check_complete(name, value, f"{above}{key}.", empty_is_open, say)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: the model's own file of arguments cannot be read ({error})"
        raise InputError(message) from error


def _read_txt(path: Path) -> dict[str, JsonValue]:
    found: dict[str, JsonValue] = {}
    for number, line in enumerate(_text(path).splitlines(), start=1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        key, equals, value = line.partition("=")
        if not equals or not key.strip():
            message = f"{path}:{number}: {line.strip()[:60]!r} is not of the form 'key = value'"
            raise InputError(message)
        found[key.strip()] = value.strip()
    return found


def _read_json(path: Path) -> dict[str, JsonValue]:
    try:
        found = json.loads(_text(path))
    except ValueError as error:
        message = f"{path}: the JSON is damaged: {error}"
        raise InputError(message) from error
    return _mapping(path, found)


def _read_yaml(path: Path) -> dict[str, JsonValue]:
    try:
        found = yaml.safe_load(_text(path))
    except yaml.YAMLError as error:
        message = f"{path}: the YAML is damaged: {' '.join(str(error).split())}"
        raise InputError(message) from error
    return _mapping(path, found)


def _mapping(path: Path, found: object) -> dict[str, JsonValue]:
    if found is None:
        return {}
    if not isinstance(found, dict) or not all(isinstance(key, str) for key in found):
        message = f"{path}: a file of arguments is a mapping of names to values"
        raise InputError(message)
    return found


def _write_txt(name: str, values: Mapping[str, JsonValue]) -> str:
    # floatCSEP's order; a value is written as Python shows it.
    ordered = [*_DATES, *sorted(key for key in values if key not in _DATES)]
    lines = []
    for key in ordered:
        line = f"{key} = {values[key]}"
        if len(line.splitlines()) > 1 or "=" in key:
            message = f"{name}: {key!r} cannot stand in a line 'key = value'"
            raise InputError(message)
        lines.append(f"{line}\n")
    return "".join(lines)


def _write_json(name: str, values: Mapping[str, JsonValue]) -> str:
    return json.dumps(values, indent=2) + "\n"


def _write_yaml(name: str, values: Mapping[str, JsonValue]) -> str:
    return yaml.safe_dump(dict(values), indent=2, allow_unicode=True)


_READ: Final[dict[str, Callable[[Path], dict[str, JsonValue]]]] = {
    "txt": _read_txt,
    "json": _read_json,
    "yaml": _read_yaml,
}
_WRITE: Final[dict[str, Callable[[str, Mapping[str, JsonValue]], str]]] = {
    "txt": _write_txt,
    "json": _write_json,
    "yaml": _write_yaml,
}
