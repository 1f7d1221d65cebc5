"""How blobs are compressed: frames of Zstandard, one after the other, as the program `zstd` reads them.

Forecasts repeat themselves over longer ways than gzip looks back: a third of its bytes in a third of its time
(benchmarks/AT_REST.md). Blobs of before are gzip, and are read as they are.
"""

import gzip
import hashlib
import io
import zlib
from typing import TYPE_CHECKING, Any, BinaryIO, Final, Protocol, cast

from forequake.errors import CorruptRecord
from forequake.quantities import Sha256

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["ENDINGS", "Packing", "verified"]

#: Of the files of blobs: that of new ones first, then that of those of before.
ENDINGS: Final = (".zst", ".gz")
#: Beyond, levels cost more than they save: gzip's lowest one takes longer.
_LEVEL: Final = 6
#: Bytes of content in a frame: neither the content nor the compressed form is ever whole in memory.
_FRAME: Final = 3 << 20
_ZSTD: Final = b"\x28\xb5\x2f\xfd"
_AHEAD: Final = 1 << 20
_ADVICE: Final = "restore it from a backup, or put the same bytes again"


class Packing:
    """Compresses what is written into another file; equal content gives equal files."""

    def __init__(self, target: BinaryIO) -> None:
        import pyarrow

        self._target = target
        self._codec: Any = pyarrow.Codec("zstd", compression_level=_LEVEL)
        self._content = bytearray()
        self._begun = False

    def write(self, chunk: bytes) -> None:
        """Add bytes."""
        self._content += chunk
        while len(self._content) >= _FRAME:
            self._put(_FRAME)

    def close(self) -> None:
        """Write what is left, not closing that file."""
        if self._content or not self._begun:
            self._put(len(self._content))

    def _put(self, size: int) -> None:
        """Write so many of the bytes that wait, as one frame."""
        with memoryview(self._content) as waiting, waiting[:size] as content:
            frame = self._codec.compress(content, asbytes=True)
        self._target.write(frame)
        del self._content[:size]
        self._begun = True


class _Readable(Protocol):
    def readinto(self, buffer: Any, /) -> int: ...
    def close(self) -> None: ...


def verified(packed: BinaryIO, sha: Sha256, place: str) -> BinaryIO:
    """Read compressed bytes; `CorruptRecord`, at the latest at the end, where they have another hash.

    Parameters
    ----------
    packed
        The compressed bytes, of either form; closed with the stream.
    place
        Where they are, for messages.
    """
    buffered = (
        packed if isinstance(packed, io.BufferedReader) else io.BufferedReader(cast(Any, packed), _AHEAD)
    )
    return cast(BinaryIO, io.BufferedReader(_Verified(buffered, sha, place), _AHEAD))


class _Verified(io.RawIOBase):
    """The content of a blob, with its hash compared at the end."""

    def __init__(self, packed: io.BufferedReader, sha: Sha256, place: str) -> None:
        super().__init__()
        self._packed = packed
        self._sha = sha
        self._place = place
        self._digest = hashlib.sha256()
        self._content: _Readable | None = None

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        count = self._read(view)
        self._digest.update(view[:count])
        if count == 0 and len(view) and self._digest.hexdigest() != self._sha:
            why = "its bytes have another hash"
            raise self._damaged(why)
        return count

    def _read(self, view: memoryview) -> int:
        try:
            if self._content is None:
                self._content = _unpacked(self._packed)
            return self._content.readinto(view)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise self._damaged(str(error)) from error
        except OSError as error:
            if error.errno is not None:  # of the disk; those of Zstandard have no number
                raise
            raise self._damaged(str(error)) from error

    def _damaged(self, why: str) -> CorruptRecord:
        return CorruptRecord(f"the blob {self._sha} is damaged ({self._place}): {why}; {_ADVICE}")

    def close(self) -> None:
        if not self.closed:
            if self._content is not None:
                self._content.close()
            self._packed.close()
        super().close()


def _unpacked(packed: io.BufferedReader) -> _Readable:
    """Tell the two forms by their first bytes."""
    if not packed.peek(len(_ZSTD)).startswith(_ZSTD):
        return gzip.GzipFile(fileobj=packed)
    import pyarrow

    return cast(_Readable, pyarrow.CompressedInputStream(pyarrow.PythonFile(packed, mode="r"), "zstd"))
