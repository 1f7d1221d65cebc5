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
from typing import ClassVar, Final

import numpy as np
from pydantic import BaseModel, ConfigDict

from forequake.quantities import Sha256

__all__ = ["ADDED_LATER", "KeyInputs", "array_digest", "bytes_digest", "canonical_text", "key_of"]


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
            return json.dumps(unicodedata.normalize("NFC", value), ensure_ascii=False)
        case int():
            return str(int(value))
        case float():
            return _encode_float(value)
        case datetime():
            return _encode_time(value)
        case np.ndarray():
            return _encode(array_digest(value))
        case BaseModel():
            return _encode(_fields(value))
        case Mapping():
            return _encode_mapping(value)
        case Set():
            return "[" + ",".join(sorted(_encode(item) for item in value)) + "]"
        case list() | tuple():
            return "[" + ",".join(_encode(item) for item in value) + "]"
    message = f"a {type(value).__name__} has no canonical form"
    raise TypeError(message)


def _encode_float(value: float) -> str:
    if not math.isfinite(value):
        message = f"a key cannot contain {value}"
        raise ValueError(message)
    return repr(float(value) + 0.0)  # adding 0.0 turns -0.0 into 0.0


def _encode_time(value: datetime) -> str:
    if value.tzinfo is None:
        message = f"a key cannot contain the time {value} without its zone"
        raise ValueError(message)
    return '"' + value.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00") + 'Z"'


def _fields(model: BaseModel) -> dict[str, object]:
    """Give the fields that count: those added later only where they differ from their default."""
    counted: dict[str, object] = {}
    for name, field in type(model).model_fields.items():
        value = getattr(model, name)
        later = any(isinstance(mark, _AddedLater) for mark in field.metadata)
        if not (later and value == field.get_default(call_default_factory=True)):
            counted[name] = value
    return counted


def _encode_mapping(mapping: Mapping[object, object]) -> str:
    items: dict[str, str] = {}
    for name, value in mapping.items():
        if not isinstance(name, str):
            message = f"the key {name!r} of a mapping is not text"
            raise TypeError(message)
        normal = unicodedata.normalize("NFC", name)
        if normal in items:
            message = f"two keys of a mapping are equal in NFC: {normal!r}"
            raise ValueError(message)
        items[normal] = _encode(value)
    return "{" + ",".join(f"{_encode(name)}:{items[name]}" for name in sorted(items)) + "}"
