"""One mapping of an experiment's files, checked against a declared shape."""

from collections.abc import Iterable, Mapping
from enum import Enum
from typing import Annotated, Any, Final, TypeVar

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    JsonValue,
    ValidationError,
    WithJsonSchema,
)
from pydantic_core import ErrorDetails

from forequake.config._places import Place, Problems
from forequake.config._refusals import REFUSED, refuse
from forequake.errors import suggestion

__all__ = [
    "Metadata",
    "Section",
    "Unused",
    "as_json",
    "key",
    "metadata_of",
    "read_section",
    "shown_as",
    "unused_keys",
]


class _Mark(Enum):
    UNUSED = "unused"
    METADATA = "metadata"


def as_json(value: object) -> object:
    """Give plain data of YAML as JSON has them, dates as text.

    Raises
    ------
    PydanticCustomError
        Where there is a number that JSON lacks.
    """
    match value:
        case Mapping():
            return {str(key): as_json(item) for key, item in value.items()}
        case list():
            return [as_json(item) for item in value]
        case float() if not abs(value) < float("inf"):
            refuse("expected text or a finite number")
        case None | bool() | int() | float() | str():
            return value
    return str(value)  # dates, the only other plain data


#: A key that only steers floatCSEP's own pictures or running: anything may stand there.
Unused = Annotated[object, _Mark.UNUSED, WithJsonSchema({})]
#: A key that tells people something and steers nothing.
Metadata = Annotated[JsonValue, BeforeValidator(as_json), _Mark.METADATA, WithJsonSchema({})]


def key(
    meaning: str,
    default: JsonValue = None,
    *,
    alias: str | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
) -> Any:
    """Declare a key of a section: what it means to people, and the value that its absence stands for.

    Parameters
    ----------
    meaning
        One or two short sentences, for the schema that editors read and for the page of all keys.
    default
        What is used where the key is not given, if that can be said as a value.
    alias
        The key as files have it, where it is no name of Python.
    """
    shown: dict[str, Any] = {} if default is None else {"default": default}
    return Field(
        default=None,
        description=meaning,
        alias=alias,
        min_length=min_length,
        max_length=max_length,
        json_schema_extra=shown,
    )


def shown_as(definition: str) -> WithJsonSchema:
    """Show a key to editors as a definition of `forequake.config.schema`, which pydantic does not know."""
    return WithJsonSchema({"x-definition": definition})


class Section(BaseModel):
    """The shape of a mapping: every key is a field with the default None, types are strict.

    Keys that must be given have a default too, so that a mapping with mistakes still gives all that is right
    in it.
    """

    model_config = ConfigDict(strict=True, extra="forbid", frozen=True, arbitrary_types_allowed=True)

    @classmethod
    def keys(cls) -> list[str]:
        """Give the keys as files have them."""
        return [field.alias or name for name, field in cls.model_fields.items()]

    @property
    def given(self) -> dict[str, Any]:
        """The keys that were given and are right, with their values, in the order of the shape."""
        fields = type(self).model_fields
        return {fields[name].alias or name: value for name, value in self if name in self.model_fields_set}

    @classmethod
    def marks(cls, name: str) -> set[str]:
        """Tell what a field is for besides steering: ``unused``, ``metadata``, or nothing."""
        return {mark.value for mark in cls.model_fields[name].metadata if isinstance(mark, _Mark)}

    @classmethod
    def _marked(cls, mark: _Mark) -> list[str]:
        fields = cls.model_fields.items()
        return [field.alias or name for name, field in fields if mark in field.metadata]


S = TypeVar("S", bound=Section)


def read_section(
    shape: type[S],
    home: Place,
    entries: Mapping[str, Place],
    problems: Problems,
    *,
    required: Mapping[str, str],
    context: object = None,
    known_too: Iterable[str] = (),
) -> S:
    """Check a mapping's entries; what is wrong is noted and left out, so that the rest can be used.

    Parameters
    ----------
    home
        Where a required key that is missing should stand.
    entries
        The keys and where they are, which need not be in one mapping.
    required
        Keys that must have a value, and why.
    context
        Handed to the validators.
    known_too
        Keys that have their place elsewhere but may be suggested here.
    """
    keys = shape.keys()
    values = {
        key: place.value for key, place in entries.items() if place.value is not None or key not in keys
    }
    missing = required.keys() - values.keys()
    while True:
        try:
            section = shape.model_validate(values, context=context)
            break
        except ValidationError as error:
            for detail in error.errors(include_url=False):
                first, *rest = detail["loc"]
                near = _note(detail, entries[str(first)].at(*rest), [*keys, *known_too], problems)
                missing -= {near}  # the misspelt key stands for the missing one
                values.pop(str(first), None)
    for key in sorted(missing):
        problems.add(entries.get(key, home.at(key)), f"this key is required: {required[key]}")
    return section


def unused_keys(section: Section, prefix: str = "") -> list[str]:
    """List the keys that were given although nothing uses them."""
    return [prefix + key for key in section.given if key in section._marked(_Mark.UNUSED)]


def metadata_of(section: Section) -> dict[str, JsonValue]:
    """Give what a section tells people, by key."""
    marked = section._marked(_Mark.METADATA)
    return {key: value for key, value in section.given.items() if key in marked}


_EXPECTED: Final = {
    "string_type": "expected text",
    "float_type": "expected a number",
    "int_type": "expected a whole number",
    "int_from_float": "expected a whole number",
    "bool_type": "expected true or false",
    "list_type": "expected a list",
    "dict_type": "expected a mapping of keys to values",
    "finite_number": "expected a finite number",
    "greater_than": "must be greater than {gt:.15g}",
    "greater_than_equal": "must be {ge:.15g} or more",
    "less_than": "must be less than {lt:.15g}",
    "less_than_equal": "must be {le:.15g} or less",
    "literal_error": "expected {expected}",
    "too_short": "must not be empty",
}


def _note(detail: ErrorDetails, place: Place, keys: list[str], problems: Problems) -> str | None:
    """Note one of pydantic's findings in the user's words; give the nearest word, where one is near."""
    kind, context, value = detail["type"], detail.get("ctx", {}), detail["input"]
    near: str | None = None
    if kind == "extra_forbidden":
        near = suggestion(str(place.path[-1]), keys)
        message = "unknown key" if near else f"unknown key; known here: {', '.join(sorted(keys))}"
    elif kind == REFUSED:
        message, near = str(context["message"]), context["near"]
    else:
        message = _EXPECTED.get(kind, detail["msg"]).format(**context)
        if kind in ("float_type", "int_type", "list_type", "dict_type", "string_type"):
            message += _instead(value, wanted=kind)
        if kind == "literal_error" and isinstance(value, str):
            near = suggestion(value, context["expected"].replace("'", "").replace(" or ", ", ").split(", "))
    problems.add(place, message, near)
    return near if kind == "extra_forbidden" else None


def _instead(value: object, *, wanted: str) -> str:
    """Say what stands there where the value alone does not show it."""
    match value:
        case Mapping():
            return ", not a mapping"
        case list():
            return ", not a list"
        case bool():
            return ", not true or false"
        case str() if wanted in ("float_type", "int_type") and any(char.isdigit() for char in value):
            return ", not text: write digits without quotes, and powers of ten as 1.0e-5"
    return "; put it into quotes" if wanted == "string_type" else ""
