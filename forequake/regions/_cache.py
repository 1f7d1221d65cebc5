"""Built regions in the user's cache folder: one file each, checked whole, mapped into memory."""

import json
import mmap
import os
import tempfile
import zlib
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from platformdirs import user_cache_path

from forequake.regions.cells import Arrays, Region
from forequake.regions.quadtree import QuadtreeRegion

__all__ = ["cached_region"]

# A file is: the mark, the CRC-32 of all that follows, the length of the table (both 4 bytes, little-endian),
# the table in JSON, and the arrays, each beginning at a multiple of 64 bytes from the file's start.
_MARK: Final = b"FQcells1"
_ALIGNED: Final = 64
_TABLE_AT: Final = len(_MARK) + 8


def cached_region(kind: str, key: str, name: str, build: Callable[[], Region]) -> Region:
    """Load a region that was built before, or build it and keep it.

    The cache may be deleted at any time. What is damaged there is built anew, and where nothing can be
    written the region is built each time: the cache costs time at worst, never a result.

    Parameters
    ----------
    kind, key
        Together the name of the file; the key stands for all that decides the cells.
    name
        Of the region, which the key does not stand for.
    """
    file = user_cache_path("forequake") / "regions" / f"{kind}-{key}.cells"
    with suppress(OSError, ValueError):
        region = _region(_load(file), name)
        with suppress(OSError):
            os.utime(file)  # so that one can tell what has not been used for long
        return region
    region = replace(build(), name=name)
    with suppress(OSError):
        _keep(region.to_arrays(), file)
    return region


def _region(arrays: Arrays, name: str) -> Region:
    if "tiles" in arrays:
        return QuadtreeRegion.from_arrays(arrays, name=name)
    return Region(
        name=name, origins=arrays["origins"], cell_size=float(arrays["cell_size"][0]), derived=arrays
    )


def _load(file: Path) -> Arrays:
    """Map a file's arrays into memory.

    Raises
    ------
    ValueError
        Where the file is damaged.
    """
    with file.open("rb") as opened:
        data = mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ)
    if data[: len(_MARK)] != _MARK or int.from_bytes(data[8:12], "little") != zlib.crc32(
        memoryview(data)[12:]
    ):
        message = f"{file} is damaged"
        raise ValueError(message)
    length = int.from_bytes(data[12:_TABLE_AT], "little")
    table = json.loads(data[_TABLE_AT : _TABLE_AT + length])
    return {
        name: np.frombuffer(data, dtype, count=int(np.prod(shape)), offset=offset).reshape(shape)
        for name, (dtype, shape, offset) in table.items()
    }


def _keep(arrays: Arrays, file: Path) -> None:
    """Write a file whole or not at all."""
    arrays = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    parts = _parts(arrays)
    check = 0
    for part in parts:
        check = zlib.crc32(part, check)
    file.parent.mkdir(parents=True, exist_ok=True)
    descriptor, name = tempfile.mkstemp(dir=file.parent, suffix=".part")
    try:
        with os.fdopen(descriptor, "wb") as opened:
            opened.write(_MARK + check.to_bytes(4, "little"))
            for part in parts:
                opened.write(part)
            opened.flush()
            os.fsync(opened.fileno())  # a file that is there after a power cut is whole
        Path(name).replace(file)
    except BaseException:
        with suppress(OSError):
            Path(name).unlink()
        raise


def _parts(arrays: Arrays) -> list[bytes | memoryview]:
    """Give all that follows the check: the table's length, the table, the arrays with what aligns them."""
    shapes = {name: (array.dtype.str, array.shape) for name, array in arrays.items()}
    # The table's own length moves the arrays, so room is left for its offsets.
    room = len(json.dumps({name: (*shape, 1 << 50) for name, shape in shapes.items()}))
    offset, table = _next(_TABLE_AT + room), {}
    for name, array in arrays.items():
        table[name] = (*shapes[name], offset)
        offset = _next(offset + array.nbytes)
    text = json.dumps(table).encode().ljust(room)
    parts: list[bytes | memoryview] = [len(text).to_bytes(4, "little") + text]
    parts.append(bytes(_next(_TABLE_AT + room) - _TABLE_AT - room))
    for array in arrays.values():
        parts.append(array.reshape(-1).view(np.uint8).data)
        parts.append(bytes(_next(array.nbytes) - array.nbytes))
    return parts


def _next(offset: int) -> int:
    return -(-offset // _ALIGNED) * _ALIGNED
