"""Copies of the user's own folders, which are only read."""

import os
import stat
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Final

from forequake.errors import SourceError
from forequake.models.sources.limits import SourceLimits
from forequake.models.sources.tree import walk
from forequake.models.sources.writing import NewFolder

__all__ = ["copy_folder"]

_BLOCK: Final = 1 << 20
#: Somebody saves a file meanwhile: once more.
_TRIES: Final = 3


def copy_folder(folder: Path, content: Path, *, leave_out: Collection[str], limits: SourceLimits) -> Path:
    """Copy what counts of a folder, as it is at one moment.

    Parameters
    ----------
    content
        An empty folder of ours.
    leave_out
        Names at the root that are not copied.

    Returns
    -------
    Path
        The folder in `content` with the copy.

    Raises
    ------
    SourceError
        Where it cannot be read, is larger than the limits, or changes all the time.
    """
    title = f"the folder {folder}"
    for attempt in range(_TRIES):
        target = content / str(attempt)
        target.mkdir()
        try:
            before = _state(folder, leave_out, title)
            new = NewFolder(target, title, limits)
            for path, (mode, *_) in before.items():
                _copy(folder, path, mode, new)
            if _state(folder, leave_out, title) == before:
                return target
        except FileNotFoundError as error:
            if not folder.is_dir():
                message = f"there is no folder {folder}"
                raise SourceError(message) from error
        except OSError as error:
            message = f"{title} cannot be copied: {error.strerror or error} ({error.filename or content})"
            raise SourceError(message) from error
    message = f"{title} changes while it is copied; wait until nothing writes there"
    raise SourceError(message)


def _state(folder: Path, leave_out: Collection[str], title: str) -> dict[str, tuple[int, ...]]:
    """Give all that changes where a file does."""
    return {
        path: (about.st_mode, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns)
        for path, about in walk(folder, leave_out=leave_out, title=title)
    }


def _copy(folder: Path, path: str, mode: int, new: NewFolder) -> None:
    if stat.S_ISDIR(mode):
        new.add_folder(path)
    elif stat.S_ISLNK(mode):
        new.add_link(path, str((folder / path).readlink()))
    else:
        new.add_file(path, _blocks(folder / path), program=bool(mode & stat.S_IXUSR))


def _blocks(file: Path) -> Iterator[bytes]:
    # What has become a link since it was seen is not followed.
    with os.fdopen(os.open(file, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK), "rb") as opened:
        while block := opened.read(_BLOCK):
            yield block
