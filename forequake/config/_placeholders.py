"""Words in braces in a program's command and arguments, which stand for what an experiment calls things."""

import re
import shlex
from collections.abc import Mapping
from typing import Final

from pydantic import JsonValue

from forequake.config._refusals import refuse
from forequake.errors import suggestion

__all__ = ["PLACEHOLDERS", "check_placeholders", "filled_arguments", "filled_command"]

#: The words: the model's name, and what begins the names of its forecasts.
PLACEHOLDERS: Final = ("name", "prefix")
#: ``{{word}}`` is the word in braces itself, and ``${word}`` is a shell's.
_WORD: Final = re.compile(r"\{\{([A-Za-z_][A-Za-z0-9_]*)\}\}|(?<!\$)\{([A-Za-z_][A-Za-z0-9_]*)\}")


def check_placeholders(value: JsonValue) -> JsonValue:
    """Refuse words in braces that mean nothing, anywhere in a value.

    Raises
    ------
    PydanticCustomError
        With the nearest word.
    """
    match value:
        case str():
            for _, word in _WORD.findall(value):
                if word and word not in PLACEHOLDERS:
                    known = ", ".join(f"{{{known}}}" for known in PLACEHOLDERS)
                    near = suggestion(word, PLACEHOLDERS)
                    message = (
                        f"{{{word}}} stands for nothing; there is {known}, and {{{{{word}}}}} for itself"
                    )
                    refuse(message, None if near is None else f"{{{near}}}")
        case list():
            for item in value:
                check_placeholders(item)
        case Mapping():
            for item in value.values():
                check_placeholders(item)
    return value


def filled_command(command: str, known: Mapping[str, str]) -> str:
    """Put names into a command, quoted as it needs where they stand: no blank or quote in them is a shell's.

    Examples
    --------
    >>> filled_command("run --as {prefix} '{{x}}' > log", {"prefix": "my model"})
    "run --as 'my model' '{x}' > log"
    """

    def quoted(found: re.Match[str]) -> str:
        if not found[2]:
            return f"{{{found[1]}}}"
        name = shlex.quote(known[found[2]])
        if name == known[found[2]]:
            return name
        mark = _quote_at(command, found.start())  # is ended before the name and opened again after it
        return f"{mark}{name}{mark}"

    return _WORD.sub(quoted, command)


def _quote_at(command: str, place: int) -> str:
    """Give the quotation mark that is open at a place of a command, empty where none is."""
    quote, escaped = "", False
    for letter in command[:place]:
        if escaped:
            escaped = False
        elif letter == "\\" and quote != "'":
            escaped = True
        elif quote:
            quote = "" if letter == quote else quote
        elif letter in "'\"":
            quote = letter
    return quote


def filled_arguments(arguments: Mapping[str, JsonValue], known: Mapping[str, str]) -> dict[str, JsonValue]:
    """Put names into all texts among arguments; keys stay."""
    return {key: _filled_value(value, known) for key, value in arguments.items()}


def _filled_value(value: JsonValue, known: Mapping[str, str]) -> JsonValue:
    match value:
        case str():
            return _filled(value, known)
        case list():
            return [_filled_value(item, known) for item in value]
        case dict():
            return filled_arguments(value, known)
    return value


def _filled(text: str, known: Mapping[str, str]) -> str:
    return _WORD.sub(lambda found: known[found[2]] if found[2] else f"{{{found[1]}}}", text)
