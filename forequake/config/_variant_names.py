"""Names of variants: short, safe as names of files, and made of a variant's own values alone.

A list may so grow without new names for those that were there, and without new forecasts.
"""

import re
from collections.abc import Mapping
from typing import Final

from forequake.errors import suggestion

__all__ = ["fault_of_template", "filled_template", "suffix_of"]

#: What separates parts of a name, or is refused in it, stands as a hyphen.
_UNFIT: Final = re.compile(r"[\s/\\:*?\"<>|,=@+]+")
_FIELD: Final = re.compile(r"\{([^{}]*)\}")


def suffix_of(values: Mapping[str, object]) -> str | None:
    """Give the name that values make, None where one of them is too involved.

    Examples
    --------
    >>> suffix_of({"b": 0.9, "kernel.d": 5, "space": "near events", "bins": [3, 5.0]})
    'b=0.9,kernel.d=5,space=near-events,bins=3+5.0'
    """
    parts = {argument: _shown(value) for argument, value in values.items()}
    if None in parts.values():
        return None
    return ",".join(f"{_UNFIT.sub('-', argument)}={part}" for argument, part in parts.items())


def fault_of_template(template: object, arguments: list[str]) -> tuple[str, str | None] | None:
    """Say what is wrong with a pattern of names and what may be meant, or None."""
    if not isinstance(template, str):
        return "expected text such as 'b{b}', with the arguments that vary in braces", None
    fields = _FIELD.findall(template)
    for field in fields:
        if field not in arguments:
            message = f"no argument {field!r} varies; there is {', '.join(arguments)}"
            return message, suggestion(field, arguments)
    if not fields or "{" in _FIELD.sub("", template) or "}" in _FIELD.sub("", template):
        return "expected text such as 'b{b}', with the arguments that vary in braces", None
    return None


def filled_template(template: str, values: Mapping[str, object]) -> str | None:
    """Put values into a pattern of names, None where one of them is too involved.

    Examples
    --------
    >>> filled_template("b{b} p{p}", {"b": 0.9, "p": 1.1, "more": {}})
    'b0.9 p1.1'
    """
    shown = {field: _shown(values[field]) for field in _FIELD.findall(template)}
    if None in shown.values():
        return None
    return _FIELD.sub(lambda found: str(shown[found[1]]), template)


def _shown(value: object) -> str | None:
    match value:
        case bool():
            return str(value).lower()
        case None:
            return "null"
        case int() | float():
            return repr(value)
        case list() if value and not any(isinstance(item, list | Mapping) for item in value):
            return "+".join(str(_shown(item)) for item in value)
        case list() | Mapping():
            return None
    return _UNFIT.sub("-", str(value)).strip("-") or None
