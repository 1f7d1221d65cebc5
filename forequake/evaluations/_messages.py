"""Messages between a process and its worker: a JSON header and arrays, each behind a mark and its length.

No pickle: a message can carry text, numbers and plain arrays, and nothing that runs.
"""

import io
import json
import struct
from collections.abc import Mapping
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

__all__ = ["Message", "read_message", "write_message"]

# A mark before each length: whatever else gets into the pipe is noticed, and not waited for.
_MARK: Final = b"fqk1"
_HEAD: Final = struct.Struct(">4sQ")

#: The header, whose values are what JSON holds (and infinities), and the arrays by name.
Message = tuple[dict[str, Any], dict[str, NDArray[Any]]]


class _Readable(Protocol):
    def read(self, size: int, /) -> bytes | None: ...


class _Writable(Protocol):
    def write(self, data: memoryview, /) -> int | None: ...


def write_message(
    pipe: _Writable, header: Mapping[str, object], arrays: Mapping[str, NDArray[Any]] | None = None
) -> None:
    """Write a message to an unbuffered pipe, however often the pipe takes only a part."""
    arrays = arrays or {}
    _write_frame(pipe, json.dumps({"header": dict(header), "arrays": list(arrays)}).encode())
    for array in arrays.values():
        buffer = io.BytesIO()
        np.save(buffer, array, allow_pickle=False)
        _write_frame(pipe, buffer.getbuffer())


def read_message(pipe: _Readable) -> Message | None:
    """Read a message, or None where the other side closed the pipe before a new one.

    Raises
    ------
    EOFError
        Where the pipe ends in the middle of a message.
    ValueError
        Where the bytes are not a message.
    """
    first = _read_frame(pipe)
    if first is None:
        return None
    opening = json.loads(first)
    arrays: dict[str, NDArray[Any]] = {}
    for name in opening["arrays"]:
        frame = _read_frame(pipe)
        if frame is None:
            message = f"the pipe ended before the array {name!r}"
            raise EOFError(message)
        arrays[name] = np.load(io.BytesIO(frame), allow_pickle=False)
    return opening["header"], arrays


def _write_frame(pipe: _Writable, data: bytes | memoryview) -> None:
    for part in (_HEAD.pack(_MARK, len(data)), data):
        rest = memoryview(part)
        while len(rest):
            rest = rest[pipe.write(rest) or 0 :]


def _read_frame(pipe: _Readable) -> bytes | None:
    head = _read_up_to(pipe, _HEAD.size)
    if not head:
        return None
    if len(head) < _HEAD.size:
        message = f"the pipe ended after {len(head)} of {_HEAD.size} bytes"
        raise EOFError(message)
    mark, size = _HEAD.unpack(head)
    if mark != _MARK:
        message = f"expected a message, got bytes that begin with {head!r}"
        raise ValueError(message)
    data = _read_up_to(pipe, size)
    if len(data) < size:
        message = f"the pipe ended after {len(data)} of {size} bytes"
        raise EOFError(message)
    return data


def _read_up_to(pipe: _Readable, size: int) -> bytes:
    """Read `size` bytes, fewer where the pipe ends before."""
    data = bytearray()
    while len(data) < size:
        part = pipe.read(min(size - len(data), 1 << 20))
        if not part:
            break
        data += part
    return bytes(data)
