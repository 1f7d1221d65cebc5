"""The compact form of simulated catalogs: one file of columns, written while they stream, mapped when read.

Little-endian throughout: 16 bytes that name the form, the CRC-32 of all that follows it and the six numbers
of `Header` (64 bits each), then
``offsets`` (catalogs + 1), ``time_us`` (events), and as float64 ``longitude``, ``latitude``, ``depth_km`` and
``magnitude`` (events each). The events of catalog *k* are ``offsets[k]:offsets[k + 1]``. What a file does not
say is NaN.
"""

import os
import tempfile
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from forequake.errors import ForecastError

__all__ = ["COLUMNS", "CompactWriter", "Header", "map_compact", "written_whole"]

#: The columns in the order of the file; the first is int64, the others are float64.
COLUMNS: Final = ("time_us", "longitude", "latitude", "depth_km", "magnitude")

_FORM: Final = b"forequake cats 1"
_HEADER_BYTES: Final = len(_FORM) + 7 * 8
#: Files whose content this process has compared with its checksum.
_verified: Final[set[tuple[str, int, int]]] = set()
_BUFFER_BYTES: Final = 1 << 18
_INT: Final = np.dtype("<i8")
_FLOAT: Final = np.dtype("<f8")


class Header(NamedTuple):
    """What the source said about its catalogs.

    Attributes
    ----------
    n_catalogs
        All catalogs, the empty ones among them.
    n_events
        Events of all catalogs.
    n_listed
        Catalogs that have a line in the source; the others are empty because their numbers are left out.
    first_id, last_id
        Least and greatest number of a catalog in the source, -1 where it lists none.
    shift
        1 where the numbers of the source begin at 1, so that catalog 0 is the source's 1.
    """

    n_catalogs: int
    n_events: int
    n_listed: int
    first_id: int
    last_id: int
    shift: int


class CompactWriter:
    """Columns that wait in unnamed files for their number, so that never all of them are in memory.

    Parameters
    ----------
    folder
        Where the unnamed files lie, and where the compact file is put together: it needs twice its size.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stack = ExitStack()
        self._n_events = 0

    def __enter__(self) -> Self:
        with ExitStack() as stack:
            self._spools: list[IO[bytes]] = [
                stack.enter_context(tempfile.TemporaryFile(dir=self._folder, buffering=_BUFFER_BYTES))
                for _ in COLUMNS
            ]
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def add(self, time_us: NDArray[np.int64], *numbers: NDArray[np.float64]) -> None:
        """Add events, in the order of their catalogs; `numbers` are the other columns, in their order."""
        for spool, column, kind in zip(
            self._spools, (time_us, *numbers), (_INT, *[_FLOAT] * len(numbers)), strict=True
        ):
            spool.write(np.ascontiguousarray(column, dtype=kind).data)
        self._n_events += len(time_us)

    def finish(self, target: Path, header: Header, offsets: NDArray[np.int64]) -> None:
        """Write the file whole or not at all, whoever else writes it at the same time."""
        if len(offsets) != header.n_catalogs + 1 or not offsets[-1] == header.n_events == self._n_events:
            message = f"{self._n_events} events do not fit offsets up to {offsets[-1]} and {header}"
            raise ValueError(message)
        with written_whole(target) as file:
            file.write(_FORM)
            file.write(bytes(8))
            checksum = 0
            for piece in self._pieces(header, offsets):
                checksum = zlib.crc32(piece, checksum)
                file.write(piece)
            file.seek(len(_FORM))
            file.write(np.array(checksum, dtype=_INT).tobytes())

    def _pieces(self, header: Header, offsets: NDArray[np.int64]) -> Iterator[bytes | memoryview]:
        yield np.array(header, dtype=_INT).data.cast("B")
        yield np.ascontiguousarray(offsets, dtype=_INT).data.cast("B")
        for spool in self._spools:
            spool.seek(0)
            while piece := spool.read(_BUFFER_BYTES):
                yield piece


@contextmanager
def written_whole(target: Path) -> Iterator[IO[bytes]]:
    """Open a file that stands under its name only when all is written, whoever else writes it meanwhile."""
    handle, name = tempfile.mkstemp(dir=target.parent, prefix=f"{target.name}.")
    try:
        with os.fdopen(handle, "wb", buffering=_BUFFER_BYTES) as file:
            yield file
        Path(name).replace(target)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def map_compact(path: Path) -> tuple[Header, NDArray[np.int64], dict[str, NDArray[Any]]]:
    """Map a compact file; but for its checksum, once in each process, nothing is read before it is used.

    Returns
    -------
    Header
    array of int64, shape (catalogs + 1,)
        Offsets.
    dict of array, shape (events,)
        The columns by name.

    Raises
    ------
    ForecastError
        Where the file is of another form, or damaged.
    """
    try:
        with path.open("rb") as file:
            start = file.read(_HEADER_BYTES)
        about = path.stat()
        header = _header(start, about.st_size)
        raw = None if header is None else np.memmap(path, dtype=np.uint8, mode="r").view(np.ndarray)
    except OSError as error:
        message = f"{path}: the simulated catalogs cannot be read ({error})"
        raise ForecastError(message) from error
    mark = (str(path), about.st_ino, about.st_size)
    if raw is None or header is None or (mark not in _verified and not _is_whole(raw)):
        message = f"{path}: not simulated catalogs in their compact form, or damaged"
        raise ForecastError(message)
    _verified.add(mark)
    begin = _HEADER_BYTES + 8 * (header.n_catalogs + 1)
    offsets = raw[_HEADER_BYTES:begin].view(_INT)
    columns: dict[str, NDArray[Any]] = {}
    for number, name in enumerate(COLUMNS):
        first = begin + 8 * header.n_events * number
        column = raw[first : first + 8 * header.n_events]
        columns[name] = column.view(_FLOAT if number else _INT)
    return header, offsets, columns


def _header(start: bytes, size: int) -> Header | None:
    if len(start) < _HEADER_BYTES or not start.startswith(_FORM):
        return None
    header = Header(*np.frombuffer(start[len(_FORM) + 8 :], dtype=_INT).tolist())
    if header.n_catalogs < 0 or header.n_events < 0:
        return None
    expected = _HEADER_BYTES + 8 * (header.n_catalogs + 1 + len(COLUMNS) * header.n_events)
    return header if size == expected else None


def _is_whole(raw: NDArray[np.uint8]) -> bool:
    first = len(_FORM)
    checksum = 0
    for begin in range(first + 8, len(raw), _BUFFER_BYTES):
        checksum = zlib.crc32(raw[begin : begin + _BUFFER_BYTES].data, checksum)
    return int(raw[first : first + 8].view(_INT)[0]) == checksum
