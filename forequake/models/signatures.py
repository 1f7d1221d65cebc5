"""Telling cheaply that nothing in a folder has changed, by what the system notes of each file.

A file that is written, renamed, or given other modes or times gets a new time of change (``ctime``), which no
program can choose. So a folder whose names, sizes and times of change are as they were holds what it held,
where three things are so: the disk is one of this machine (a server's may answer from a cache), the clock's
steps are finer than the age of the latest change, and nobody has set the clock. Where the first two are not
known to be so there is no signature, and one has to read the files.
"""

import hashlib
import os
import stat
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

__all__ = ["Signature", "signature"]

#: File systems of Linux that keep times of change themselves.
_LOCAL: Final = frozenset(
    {"ext2", "ext3", "ext4", "xfs", "btrfs", "tmpfs", "overlay", "zfs", "f2fs", "bcachefs"}
)
_MOUNTS: Final = Path("/proc/self/mountinfo")
#: A change that is younger may share its time with a later one: clocks of files go in steps.
_SETTLED_NS: Final = 2 * 10**9


@dataclass(frozen=True)
class Signature:
    """What the system notes of all that a folder holds, as a hash."""

    digest: bytes


def signature(folder: Path, *, folders_alone: bool = False) -> Signature | None:
    """Take the signature of a folder; None where it would say nothing.

    Parameters
    ----------
    folders_alone
        Look at folders only: it tells of files that came, went or were replaced, not of those that were
        written.
    """
    try:
        if _file_system(folder.resolve()) not in _LOCAL:
            return None
        began = time.time_ns()
        found = hashlib.sha256()
        newest = _add(folder, folder.lstat(), found, folders_alone=folders_alone)
    except OSError:
        return None
    return Signature(found.digest()) if newest < began - _SETTLED_NS else None


def _add(path: Path, about: os.stat_result, found: "hashlib._Hash", *, folders_alone: bool) -> int:
    """Add a folder and what is below it; give the latest time of change, in nanoseconds."""
    found.update(_line("", about))
    newest = about.st_ctime_ns
    with os.scandir(path) as listed:
        entries = sorted(listed, key=lambda entry: entry.name)
    for entry in entries:
        if folders_alone and not entry.is_dir(follow_symlinks=False):
            continue
        here = entry.stat(follow_symlinks=False)
        if stat.S_ISDIR(here.st_mode):
            found.update(os.fsencode(entry.name) + b"/\0")
            newest = max(newest, _add(Path(entry.path), here, found, folders_alone=folders_alone))
        else:
            found.update(_line(entry.name, here))
            newest = max(newest, here.st_ctime_ns)
    found.update(b"/\0")
    return newest


def _line(name: str, about: os.stat_result) -> bytes:
    fields = about.st_mode, about.st_dev, about.st_ino, about.st_size, about.st_mtime_ns, about.st_ctime_ns
    return os.fsencode(name) + b"\0" + ",".join(map(str, fields)).encode() + b"\0"


def _file_system(path: Path) -> str | None:
    """Give the kind of the file system that a path is on, as Linux names it; None elsewhere."""
    try:
        lines = _MOUNTS.read_text(encoding="utf-8", errors="surrogateescape").splitlines()
    except OSError:
        return None
    best, kind = -1, None
    for line in lines:
        fields, _, about = line.partition(" - ")
        place = Path(_plain(fields.split()[4]))
        # The last of several at one place is the one that is seen.
        if path.is_relative_to(place) and len(place.parts) >= best:
            best, kind = len(place.parts), about.split()[0]
    return kind


def _plain(text: str) -> str:
    """Give a path of the table, in which blanks stand as octal numbers."""
    for code in ("040", "011", "012"):
        text = text.replace(f"\\{code}", chr(int(code, 8)))
    return text.replace("\\134", "\\")
