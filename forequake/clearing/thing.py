"""What lies in the cache folder: each thing with its size, its last use, and how to take it away."""

import contextlib
import os
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from forequake.models.environments.environment_shelf import remove_tree
from forequake.models.holds import taken
from forequake.models.uses import ModelUse

__all__ = [
    "ABANDONED_SECONDS",
    "GOING",
    "KINDS",
    "Kind",
    "Thing",
    "folder_size",
    "folder_thing",
    "remove_folder",
    "remove_leftover",
    "unused_file",
]

Kind = Literal["sources", "environments", "runs", "downloads", "forecasts", "regions"]
#: Each kind of thing, in the order in which they are looked at and go, with what it is.
KINDS: Final[dict[Kind, str]] = {
    "runs": "private folders of models' runs",
    "environments": "environments of models",
    "sources": "sources of models",
    "downloads": "what was being fetched",
    "forecasts": "forecasts that were read, ready to be read again",
    "regions": "cells of regions, ready to be read again",
}
#: Begins the name of what is being removed.
GOING: Final = ".going-"
#: What a process writes that has no lock is left where it is older: no single file takes so long.
ABANDONED_SECONDS: Final = 3600.0
_BLOCK: Final = 512


@dataclass(frozen=True)
class Thing:
    """A folder or a file that may go, or not.

    Attributes
    ----------
    path
        By it the thing is named.
    size
        Bytes on the disk.
    used
        When it was used last, in seconds since 1970.
    what_for
        For people: the model, the place that it came from.
    in_use
        By what; empty where nothing uses it.
    left
        Why nobody can use it any more; empty where somebody could.
    needed_by
        The models whose next run would take it, as far as that was noted.
    remove
        Looks again and, where the thing still is as it was, takes it away; tells whether it has gone by that.
        It raises `OSError` where that is not permitted.
    """

    kind: Kind
    path: Path
    size: int
    used: float
    remove: Callable[[], bool]
    what_for: str = ""
    in_use: str = ""
    left: str = ""
    needed_by: tuple[ModelUse, ...] = ()


def folder_size(folder: Path) -> int:
    """Give the bytes that a folder takes on the disk; a file of several names counts once."""
    size, seen, ahead = 0, set[tuple[int, int]](), [str(folder)]
    while ahead:
        with contextlib.suppress(OSError), os.scandir(ahead.pop()) as entries:
            for entry in entries:
                with contextlib.suppress(OSError):
                    about = entry.stat(follow_symlinks=False)
                    if entry.is_dir(follow_symlinks=False):
                        ahead.append(entry.path)
                    elif about.st_nlink > 1:
                        if (about.st_dev, about.st_ino) in seen:
                            continue
                        seen.add((about.st_dev, about.st_ino))
                    size += about.st_blocks * _BLOCK
    return size


def remove_folder(folder: Path, is_as_it_was: Callable[[], bool] = lambda: True) -> bool:
    """Take a folder away that nobody uses: at one blow for those who look, then bit by bit."""
    with taken(folder) as free:
        if not free or not is_as_it_was():
            return False
        doomed = folder.with_name(f"{GOING}{secrets.token_hex(8)}")
        try:
            folder.rename(doomed)
        except FileNotFoundError:
            return False
    return remove_leftover(doomed)


def remove_leftover(path: Path) -> bool:
    """Remove what nobody looks for.

    Raises
    ------
    PermissionError
        Where a part of it stays.
    """
    if not path.is_dir() or path.is_symlink():
        try:
            path.unlink()
        except FileNotFoundError:
            return False
        return True
    there = path.exists()
    remove_tree(path)
    if path.exists():
        message = f"a part of {path} cannot be removed"
        raise PermissionError(message)
    return there


def folder_thing(kind: Kind, path: Path, left: str) -> Thing:
    """Describe a folder, or file, that a process has left behind."""
    about = path.lstat()
    size = folder_size(path) if path.is_dir() else about.st_blocks * _BLOCK
    return Thing(kind, path, size, about.st_mtime, lambda: remove_leftover(path), left=left)


def unused_file(kind: Kind, path: Path, what_for: str) -> Thing:
    """Describe a file whose time of change tells its last use; readers keep what they have opened."""
    about = path.stat()

    def remove() -> bool:
        try:
            if path.stat().st_mtime != about.st_mtime:
                return False
            path.unlink()
        except FileNotFoundError:
            return False
        return True

    return Thing(kind, path, about.st_blocks * _BLOCK, about.st_mtime, remove, what_for)
