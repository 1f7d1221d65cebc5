"""Blobs as files: compressed, written so that a crash leaves either the whole file or none."""

import contextlib
import hashlib
import os
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Final

from forequake.quantities import Sha256
from forequake.results import BlobRef
from stores.packing import ENDINGS, Packing, verified

__all__ = ["CHUNK", "BlobFolder", "Incoming", "sync_folder"]

#: Blobs are read and written by so many bytes at a time.
CHUNK: Final = 1 << 20


class BlobFolder:
    """A folder of blobs: ``ab/<sha>.zst`` by the first two digits; ``incoming`` for what is being written.

    Blobs of before are ``.gz`` until they are put again.
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
        new, *before = self._places(sha)
        return next((place for place in before if place.exists() and not new.exists()), new)

    def _places(self, sha: Sha256) -> list[Path]:
        return [self.folder / sha[:2] / f"{sha}{ending}" for ending in ENDINGS]

    def receive(self) -> "Incoming":
        """Begin to write a blob under a passing name."""
        self._incoming.mkdir(parents=True, exist_ok=True)
        return Incoming(self._incoming / f"{os.getpid()}-{uuid.uuid4().hex}")

    def keep(self, sha: Sha256, passing: Path) -> None:
        """Give a received file its name, durably."""
        place, *before = self._places(sha)
        fresh = not place.parent.exists()
        place.parent.mkdir(exist_ok=True)
        passing.replace(place)
        for other in before:
            other.unlink(missing_ok=True)
        sync_folder(place.parent)
        if fresh:
            sync_folder(self.folder)
            sync_folder(self.folder.parent)

    def open(self, sha: Sha256) -> BinaryIO:
        """Open a blob as a stream that is read from its start.

        Reading raises `CorruptRecord` where the file is damaged: at the latest at its end, where the hash of
        what was read is compared with the name.
        """
        new, *before = self._places(sha)
        for path in (new, *before):
            with contextlib.suppress(FileNotFoundError):
                return verified(path.open("rb"), sha, str(path))
        return verified(new.open("rb"), sha, str(new))  # it may have been put again just now

    def stored_size(self, sha: Sha256) -> int:
        """Give the size of a blob's file in bytes; 0 where there is none."""
        size = 0
        for place in self._places(sha):
            with contextlib.suppress(FileNotFoundError):
                size += place.stat().st_size
        return size

    def remove(self, sha: Sha256) -> None:
        """Remove a blob's file, if it is there."""
        for place in self._places(sha):
            place.unlink(missing_ok=True)

    def files(self) -> Iterator[Sha256]:
        """Give the names of all blobs that have a file."""
        found = {path.stem for ending in ENDINGS for path in self.folder.glob(f"[0-9a-f][0-9a-f]/*{ending}")}
        yield from found

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
        self._packed = Packing(self._file)

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


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
