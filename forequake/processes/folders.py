"""Folders that foreign programs write into: how much lies there, and how they go.

It imports the standard library alone, since supervisors load it in a Python of their own.
"""

import contextlib
import os
import shutil
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Final

__all__ = ["disk_use", "give_to", "remove_strays", "remove_tree"]

#: Where a program may leave files beside its own folder.
_SHARED: Final = ("/tmp", "/var/tmp", "/dev/shm")  # noqa: S108  # looked through, not written
_BLOCK: Final = 512


def disk_use(folder: Path, most_files: int) -> tuple[int, int]:
    """Give the bytes and the number of the files in a folder; more than `most_files` are not looked at."""
    size = files = 0
    ahead = [str(folder)]
    while ahead and files <= most_files:
        with contextlib.suppress(OSError), os.scandir(ahead.pop()) as entries:
            for entry in entries:
                files += 1
                with contextlib.suppress(OSError):
                    size += entry.stat(follow_symlinks=False).st_blocks * _BLOCK
                    if entry.is_dir(follow_symlinks=False):
                        ahead.append(entry.path)
                if files > most_files:
                    break
    return size, files


def give_to(folder: Path, user: int) -> None:
    """Make a user the owner of a folder and all in it."""
    os.chown(folder, user, user)
    for parent, folders, files in os.walk(folder):
        for name in (*folders, *files):
            os.chown(Path(parent, name), user, user, follow_symlinks=False)


def remove_tree(folder: Path) -> None:
    """Remove a folder and all in it, also what its writer has locked away; what will not go stays."""

    def unlock(remove: Callable[..., object], path: str, _: object) -> None:
        with contextlib.suppress(OSError):
            for place in (Path(path).parent, Path(path)):
                if stat.S_ISDIR(place.lstat().st_mode) and place.is_relative_to(folder):
                    place.chmod(0o700)
            if remove in {os.scandir, os.open, os.lstat}:
                shutil.rmtree(path, ignore_errors=True)
            else:
                remove(path)

    # What unlocking let remove leaves its folder behind: twice is enough for that.
    for _ in range(2):
        if folder.exists():
            shutil.rmtree(folder, onerror=unlock)


def remove_strays(user: int) -> None:
    """Remove what a user that is nobody else's has left in the folders that are for all."""
    for folder in map(Path, _SHARED):
        with contextlib.suppress(OSError):
            for entry in folder.iterdir():
                about = entry.lstat()
                if about.st_uid != user:
                    continue
                if stat.S_ISDIR(about.st_mode):
                    remove_tree(entry)
                else:
                    entry.unlink(missing_ok=True)
