"""Blobs as files: compressed, written so that a crash leaves either the whole file or none."""

import contextlib
import gzip
import hashlib
import io
import os
import uuid
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final, cast

from forequake.errors import CorruptRecord
from forequake.quantities import Sha256
from forequake.results import BlobRef

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

__all__ = ["CHUNK", "BlobFolder", "Incoming", "packing", "sync_folder", "verified"]

#: Blobs are read and written by so many bytes at a time.
CHUNK: Final = 1 << 20
_LEVEL: Final = 1


class BlobFolder:
    """A folder of blobs: ``ab/<sha>.gz`` by the first two digits, and ``incoming`` for what is being written.

    Which blobs a store has is said by its rows, not by these files: a file without a row is a leftover.

    Parameters
    ----------
    folder
        Made with the first blob.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._incoming = folder / "incoming"

    def path(self, sha: Sha256) -> Path:
        """Give the place of a blob, whether or not it is there."""
        return self.folder / sha[:2] / f"{sha}.gz"

    def receive(self) -> "Incoming":
        """Begin to write a blob under a passing name."""
        self._incoming.mkdir(parents=True, exist_ok=True)
        return Incoming(self._incoming / f"{os.getpid()}-{uuid.uuid4().hex}")

    def keep(self, sha: Sha256, passing: Path) -> None:
        """Give a received file its name, durably."""
        place = self.path(sha)
        fresh = not place.parent.exists()
        place.parent.mkdir(exist_ok=True)
        passing.replace(place)
        sync_folder(place.parent)
        if fresh:
            sync_folder(self.folder)
            sync_folder(self.folder.parent)

    def open(self, sha: Sha256) -> BinaryIO:
        """Open a blob as a stream that is read from its start.

        Reading raises `CorruptRecord` where the file is damaged: at the latest at its end, where the hash of
        what was read is compared with the name.
        """
        path = self.path(sha)
        return verified(gzip.open(path, "rb"), sha, str(path))

    def stored_size(self, sha: Sha256) -> int:
        """Give the size of a blob's file in bytes; 0 where there is none."""
        try:
            return self.path(sha).stat().st_size
        except FileNotFoundError:
            return 0

    def remove(self, sha: Sha256) -> None:
        """Remove a blob's file, if it is there."""
        self.path(sha).unlink(missing_ok=True)

    def files(self) -> Iterator[Sha256]:
        """Give the names of all blobs that have a file."""
        for path in self.folder.glob("[0-9a-f][0-9a-f]/*.gz"):
            yield path.name.removesuffix(".gz")

    def leftovers(self, before: float) -> list[Path]:
        """Give passing files that were last written before a time in seconds since 1970."""
        found = []
        for path in self._incoming.glob("*"):
            try:
                if path.stat().st_mtime < before:
                    found.append(path)
            except FileNotFoundError:
                continue  # its writer has just kept or removed it
        return found


class Incoming:
    """A blob that is being written: neither its content nor the compressed form is ever whole in memory."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._digest = hashlib.sha256()
        self._size = 0
        self._file = path.open("xb")
        self._packed = packing(self._file)

    def write(self, chunk: bytes) -> None:
        """Add bytes."""
        self._digest.update(chunk)
        self._size += len(chunk)
        self._packed.write(chunk)

    def finish(self) -> BlobRef:
        """Make the file durable, and say what it holds."""
        self._packed.close()
        self._file.flush()
        os.fsync(self._file.fileno())
        self._file.close()
        return BlobRef(sha256=self._digest.hexdigest(), size=self._size)

    def discard(self) -> None:
        """Let go of the file, and remove it unless it got its name."""
        # Closing writes what is still buffered, which fails again where the disk is full.
        with contextlib.suppress(OSError):
            self._packed.close()
        with contextlib.suppress(OSError):
            self._file.close()
        self.path.unlink(missing_ok=True)


def packing(target: BinaryIO) -> gzip.GzipFile:
    """Compress what is written into another file; closing ends the compressed form, not that file."""
    # Without name and time: equal content gives equal files.
    return gzip.GzipFile("", "wb", _LEVEL, target, mtime=0)


def verified(packed: gzip.GzipFile, sha: Sha256, place: str) -> BinaryIO:
    """Read compressed bytes; `CorruptRecord`, at the latest at the end, where they have another hash.

    Parameters
    ----------
    packed
        The compressed bytes; closed with the stream.
    place
        Where they are, for messages.
    """
    return cast(BinaryIO, io.BufferedReader(_Verified(packed, sha, place), CHUNK))


class _Verified(io.RawIOBase):
    """The content of a blob, with its hash compared at the end."""

    def __init__(self, packed: gzip.GzipFile, sha: Sha256, place: str) -> None:
        super().__init__()
        self._packed = packed
        self._sha = sha
        self._place = place
        self._digest = hashlib.sha256()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "WriteableBuffer", /) -> int:
        view = memoryview(buffer).cast("B")
        try:
            count = self._packed.readinto(view)
        except (gzip.BadGzipFile, EOFError, zlib.error) as error:
            message = f"the blob {self._sha} is damaged ({self._place}): {error}; {_ADVICE}"
            raise CorruptRecord(message) from error
        self._digest.update(view[:count])
        if count == 0 and len(view) and self._digest.hexdigest() != self._sha:
            message = (
                f"the blob {self._sha} is damaged ({self._place}): its bytes have another hash; {_ADVICE}"
            )
            raise CorruptRecord(message)
        return count

    def close(self) -> None:
        if not self.closed:
            self._packed.close()
        super().close()


_ADVICE: Final = "restore it from a backup, or put the same bytes again"


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
