"""Folders that nobody takes away while they are used, on one machine.

Who uses a folder has a shared lock on it, which goes with the process at the latest. Who wants to take it
away needs the lock alone, and renames the folder first: whoever comes then finds nothing.
"""

import contextlib
import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from forequake.processes.below import start_of

__all__ = ["Hold", "held_folder", "hold", "remove_abandoned", "taken"]


class Hold:
    """A use of a folder, which ends with this object."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    def __enter__(self) -> "Hold":
        return self

    def __exit__(self, *_: object) -> None:
        self.release()

    def __del__(self) -> None:
        self.release()

    def release(self) -> None:
        """Let others take the folder away."""
        descriptor, self._descriptor = self._descriptor, -1
        if descriptor >= 0:
            with contextlib.suppress(OSError):
                os.close(descriptor)


def hold(folder: Path) -> Hold | None:
    """Use a folder; None where it is not there, or was just taken away."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        return None
    use = Hold(descriptor)
    # A file system without locks lets nobody take a folder either (see `taken`).
    with contextlib.suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    return use if _is_at(descriptor, folder) else None


@contextmanager
def taken(folder: Path) -> Iterator[bool]:
    """Tell whether nobody uses a folder; nobody begins to before the end of the block."""
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError:
        yield False
        return
    try:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            free = _is_at(descriptor, folder)
        except OSError:
            free = False
        yield free
    finally:
        os.close(descriptor)


@contextmanager
def held_folder(shelf: Path, prefix: str) -> Iterator[Path]:
    """Make a folder that goes with the block; one that a killed process left is in nobody's use.

    Its name tells whose it is: see `remove_abandoned`.
    """
    mark = f"{prefix}{os.getpid()}-{start_of(os.getpid()) or 0}-"
    with tempfile.TemporaryDirectory(prefix=mark, dir=shelf) as name:
        folder = Path(name)
        with hold(folder) or contextlib.nullcontext():
            yield folder


def remove_abandoned(shelf: Path, prefix: str) -> int:
    """Remove what processes that were killed left of their `held_folder`; give the number of folders.

    Nobody's folder is removed that is in use, also not by a process of another machine or container on the
    same disk.
    """
    removed = 0
    for folder in shelf.glob(f"{prefix}*-*-*"):
        process, start, *_ = folder.name.removeprefix(prefix).split("-")
        if not process.isdecimal() or not start.isdecimal() or start == "0":
            continue  # whether its process lives cannot be told
        if start_of(int(process)) == int(start):
            continue
        with taken(folder) as free:
            if free:
                shutil.rmtree(folder, ignore_errors=True)
                removed += 1
    return removed


def _is_at(descriptor: int, folder: Path) -> bool:
    """Tell whether an opened folder still has its name."""
    try:
        return os.path.samestat(os.fstat(descriptor), folder.stat())
    except OSError:
        return False
