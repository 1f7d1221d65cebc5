"""Keys: the SHA-256 of the canonical text of everything that decides a value.

The canonical text is JSON of the form ``{"in":{...},"v":1,"what":"..."}``: sorted keys, no spaces, UTF-8 in
NFC. Numbers are typed by their field (1 in a float field is 1.0), floats are Python's ``repr`` with -0.0 as
0.0, and non-finite floats are refused. Times are UTC with six digits and Z; sets are sorted, lists keep their
order; arrays stand as the SHA-256 of their dtype, shape and little-endian bytes.

Defaults are written out. A field that is added later carries `ADDED_LATER` and is left out while it has its
default, so that keys made before it stay valid. The version is raised only when the meaning changes.
"""

import hashlib
import json
import math
import unicodedata
from collections.abc import Mapping, Set
from datetime import UTC, datetime
from enum import Enum
from functools import cache, lru_cache
from typing import Any, ClassVar, Final

import numpy as np
from pydantic import BaseModel, ConfigDict
from pydantic.fields import FieldInfo

from forequake.quantities import Sha256

__all__ = [
    "ADDED_LATER",
    "KeyInputs",
    "KeyTemplate",
    "array_digest",
    "bytes_digest",
    "canonical_text",
    "key_of",
]

_in_quotes: Final = json.JSONEncoder(ensure_ascii=False).encode


class _AddedLater:
    """Marks a field that joined its model after keys had been made."""


#: Put this into a field's `Annotated` when it is added to a `KeyInputs` model that is already in use.
ADDED_LATER: Final = _AddedLater()


class KeyInputs(BaseModel):
    """All that decides a value; subclasses name the value (`what`) and the version of its meaning (`v`)."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    what: ClassVar[str]
    v: ClassVar[int] = 1

    @property
    def canon(self) -> str:
        """The canonical text, which is stored beside the key."""
        return canonical_text(self.what, self.v, self)

    @property
    def key(self) -> Sha256:
        """The SHA-256 of the canonical text."""
        return key_of(self.canon)


class KeyTemplate:
    """Keys of many inputs that differ in a few fields only: what they share is encoded once.

    Parameters
    ----------
    example
        One of the inputs.
    varying
        Names of the fields in which the others differ.

    Raises
    ------
    ValueError
        Where the example's canonical text lacks one of the names.
    """

    def __init__(self, example: KeyInputs, *varying: str) -> None:
        fields = _fields(example)
        if not fields.keys() >= set(varying):
            message = f"the canonical text of a {example.what} lacks one of {', '.join(varying)}"
            raise ValueError(message)
        self._later = dict(_names(type(example)))
        self._names: list[str] = []
        self._between = ['{"in":{']
        for place, name in enumerate(sorted(fields)):
            self._between[-1] += f"{',' if place else ''}{_encode_text(name)}:"
            if name in varying:
                self._names.append(name)
                self._between.append("")
            else:
                self._between[-1] += _encode(fields[name])
        self._between[-1] += f'}},"v":{example.v},"what":{_encode_text(example.what)}}}'

    def key(self, **values: object) -> Sha256:
        """Give the key of the inputs with these values in the varying fields.

        The values are taken as they are, not checked and not converted as the model would: they must have the
        types of their fields.

        Raises
        ------
        KeyError
            Where a varying field has no value.
        ValueError
            Where a field that was added later has its default: the canonical text would leave it out.
        """
        parts = [self._between[0]]
        for name, behind in zip(self._names, self._between[1:], strict=True):
            if _is_default(self._later[name], values[name]):
                message = f"the canonical text leaves {name} out: it needs another template"
                raise ValueError(message)
            parts += (_encode(values[name]), behind)
        return key_of("".join(parts))


def canonical_text(what: str, version: int, inputs: BaseModel) -> str:
    """Write the canonical text of `inputs`.

    Parameters
    ----------
    what
        The name of the value that the inputs decide, such as ``"result"``.
    version
        The version of the meaning of the value, raised by hand.
    inputs
        A model whose fields give every number its type.

    Raises
    ------
    ValueError
        Where a float is not finite, or two keys of a mapping are equal in NFC.
    TypeError
        Where a value has no canonical form.
    """
    return f'{{"in":{_encode(inputs)},"v":{version},"what":{_encode(what)}}}'


def key_of(text: str) -> Sha256:
    """Give the SHA-256 of a canonical text, in hexadecimal.

    Examples
    --------
    >>> key_of("")[:8]
    'e3b0c442'
    """
    return bytes_digest(text.encode())


def bytes_digest(data: bytes) -> Sha256:
    """Give the SHA-256 of bytes, in hexadecimal."""
    return hashlib.sha256(data).hexdigest()


def array_digest(array: np.ndarray) -> Sha256:
    """Give the SHA-256 of an array's dtype, shape and little-endian bytes in C order.

    Raises
    ------
    TypeError
        For object arrays, whose bytes are addresses.
    """
    if array.dtype.hasobject:
        message = "an array of Python objects has no canonical bytes"
        raise TypeError(message)
    little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
    digest = hashlib.sha256(f"{little.dtype.str}{array.shape}".encode())
    digest.update(little.tobytes())
    return digest.hexdigest()


def _encode(value: object) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Enum():
            return _encode(value.value)
        case str():
            return _encode_text(value)
        case int():
            return str(int(value))
        case float():
            return _encode_float(value)
        case datetime():
            return _encode_time(value)
        case np.ndarray():
            return _encode(array_digest(value))
        case BaseModel():
            return _encode_mapping(_fields(value))
        case list() | tuple():
            return "[" + ",".join([_encode(item) for item in value]) + "]"
        case Mapping():
            return _encode_mapping(value)
        case Set():
            return "[" + ",".join(sorted(_encode(item) for item in value)) + "]"
    message = f"a {type(value).__name__} has no canonical form"
    raise TypeError(message)


def _encode_text(value: str) -> str:
    return _in_quotes(value if value.isascii() else unicodedata.normalize("NFC", value))


def _encode_float(value: float) -> str:
    if not math.isfinite(value):
        message = f"a key cannot contain {value}"
        raise ValueError(message)
    return repr(float(value) + 0.0)  # adding 0.0 turns -0.0 into 0.0


@lru_cache(maxsize=4096)  # the ends of windows stand in many keys
def _encode_time(value: datetime) -> str:
    if value.tzinfo is None:
        message = f"a key cannot contain the time {value} without its zone"
        raise ValueError(message)
    return '"' + value.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + 'Z"'


def _fields(model: BaseModel) -> dict[str, object]:
    """Give the fields that count: those added later only where they differ from their default."""
    counted: dict[str, object] = {}
    for name, later in _names(type(model)):
        value = getattr(model, name)
        if not _is_default(later, value):
            counted[name] = value
    return counted


def _is_default(later: FieldInfo | None, value: object) -> bool:
    """Tell whether a field that was added later has its default."""
    return later is not None and value == later.get_default(call_default_factory=True)


@cache
def _names(model: type[BaseModel]) -> tuple[tuple[str, FieldInfo | None], ...]:
    """Give the names of a model's fields, each with its description where it was added later."""
    return tuple(
        (name, field if any(isinstance(mark, _AddedLater) for mark in field.metadata) else None)
        for name, field in model.model_fields.items()
    )


def _encode_mapping(mapping: Mapping[Any, object]) -> str:
    items: dict[str, str] = {}
    for name, value in mapping.items():
        if not isinstance(name, str):
            message = f"the key {name!r} of a mapping is not text"
            raise TypeError(message)
        normal = name if name.isascii() else unicodedata.normalize("NFC", name)
        if normal in items:
            message = f"two keys of a mapping are equal in NFC: {normal!r}"
            raise ValueError(message)
        items[normal] = _encode(value)
    return "{" + ",".join([f"{_encode_text(name)}:{items[name]}" for name in sorted(items)]) + "}"
