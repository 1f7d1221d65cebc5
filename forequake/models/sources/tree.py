"""The content of a folder as one hash: names, contents, executable bits and links.

Left out, wherever they lie, are the records of version control (``.git``, ``.hg``, ``.svn``), what Python and
its tools make beside a source (``__pycache__``, ``*.pyc``, ``*.egg-info``, caches of tools), ``.DS_Store``,
and whole environments (folders with ``pyvenv.cfg`` or ``conda-meta``). At the root, ``forecasts`` and
``input`` are left out besides: there programs of floatCSEP find their catalog and arguments and leave their
forecasts.
"""

import hashlib
import os
import shutil
import stat
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from forequake.errors import SourceChanged, SourceError
from forequake.models.holds import Hold
from forequake.models.sources.limits import MOST_LEVELS
from forequake.quantities import Sha256

__all__ = [
    "LEFT_OUT",
    "Tree",
    "TreeEntry",
    "hash_of_entries",
    "read_tree",
    "remove_left_out",
    "tree_hash",
    "walk",
]

#: Folders at the root of a model that do not belong to its source.
LEFT_OUT: Final = frozenset({"forecasts", "input"})
_NEVER: Final = frozenset(
    {
        ".git",
        ".hg",
        ".svn",
        ".DS_Store",
        "__pycache__",
        ".ipynb_checkpoints",
        ".mypy_cache",
        ".pytest_cache",
        ".ruff_cache",
    }
)
_NEVER_ENDING: Final = (".pyc", ".egg-info")
#: What a folder has that is an environment, built for one machine.
_ENVIRONMENT: Final = frozenset({"pyvenv.cfg", "conda-meta"})
#: Raised when the meaning of a hash changes.
_FORM: Final = b"forequake tree 1\0"


@dataclass(frozen=True)
class TreeEntry:
    """One file, link or empty folder.

    Attributes
    ----------
    kind
        ``program``: a file that its owner may execute; ``folder``: one in which nothing is.
    content
        SHA-256 of a file, target of a link, nothing of a folder.
    """

    kind: Literal["file", "program", "link", "folder"]
    content: str = ""


@dataclass(frozen=True)
class Tree:
    """A folder and what it holds.

    Attributes
    ----------
    sha256
        Of `entries`.
    entries
        By the path from the folder, with ``/``.
    use
        Keeps the folder from being taken away as long as this object lives, where it lies on a shelf.
    """

    folder: Path
    sha256: Sha256
    entries: Mapping[str, TreeEntry]
    use: Hold | None = field(default=None, compare=False, repr=False)

    def verify(self) -> None:
        """Make sure that the folder holds this and nothing else, not even what a hash leaves out.

        Raises
        ------
        SourceChanged
            With the first file that differs.
        """
        try:
            found = dict(_entries(self.folder, None, str(self.folder)))
        except (OSError, SourceError) as error:
            message = f"{self.folder} cannot be read as it was fetched: {error}"
            raise SourceChanged(message) from error
        for path in sorted(found.keys() | self.entries.keys()):
            if found.get(path) != self.entries.get(path):
                message = f"{self.folder} is not what was fetched: {path} {self._change(path, found)}"
                raise SourceChanged(message)

    def _change(self, path: str, found: Mapping[str, TreeEntry]) -> str:
        if path not in found:
            return "is gone"
        if path not in self.entries:
            return "is new"
        was, now = self.entries[path].kind, found[path].kind
        return f"has changed from a {was} to a {now}" if was != now else "has another content"


def read_tree(folder: Path, *, leave_out: Collection[str] = LEFT_OUT, title: str | None = None) -> Tree:
    """Read a folder and hash all that counts.

    Parameters
    ----------
    leave_out
        Names at the root that do not belong to the source.
    title
        What messages call the folder.

    Raises
    ------
    SourceError
        Where something in it can be no part of a source, such as a device or a link that leads outside.
    OSError
        Where it cannot be read.
    """
    entries = dict(_entries(folder, leave_out, title or str(folder)))
    return Tree(folder, hash_of_entries(entries), entries)


def tree_hash(folder: Path, *, leave_out: Collection[str] = LEFT_OUT) -> Sha256:
    """Give the hash of `read_tree`.

    Raises
    ------
    SourceError, OSError
        As there.
    """
    return read_tree(folder, leave_out=leave_out).sha256


def hash_of_entries(entries: Mapping[str, TreeEntry]) -> Sha256:
    """Hash entries, whatever their order."""
    whole = hashlib.sha256(_FORM)
    for path in sorted(entries):
        for text in (entries[path].kind, entries[path].content, path):
            whole.update(text.encode() + b"\0")
    return whole.hexdigest()


def walk(
    folder: Path, *, leave_out: Collection[str] | None = LEFT_OUT, title: str | None = None
) -> Iterator[tuple[str, os.stat_result]]:
    """Give the paths of all files, links and empty folders that count, and what the system says of each.

    Parameters
    ----------
    leave_out, title
        As of `read_tree`; with None everything counts, also what never does.

    Raises
    ------
    SourceError
        Where something is neither file, link nor folder, or its name is no text.
    OSError
        Where it cannot be read.
    """
    yield from _below(folder, "", leave_out, title or str(folder))


def remove_left_out(folder: Path, leave_out: Collection[str]) -> None:
    """Remove from a folder of ours what does not belong to a source."""
    with os.scandir(folder) as listed:
        found = list(listed)
    for entry in found:
        is_folder = entry.is_dir(follow_symlinks=False)
        if _left_out(entry, leave_out):
            shutil.rmtree(entry.path) if is_folder else Path(entry.path).unlink()
        elif is_folder:
            remove_left_out(Path(entry.path), ())


def _below(
    folder: Path, path: str, leave_out: Collection[str] | None, title: str
) -> Iterator[tuple[str, os.stat_result]]:
    if path.count("/") > MOST_LEVELS:
        message = f"{title} has folders within folders, more than {MOST_LEVELS}: {path[:60]!r} ..."
        raise SourceError(message)
    with os.scandir(folder / path) as listed:
        found = sorted(listed, key=lambda entry: entry.name)
    here = () if path else leave_out
    counting = [one for one in found if leave_out is None or not _left_out(one, here or ())]
    if not counting and path:
        yield path, (folder / path).lstat()
    for entry in counting:
        inner = f"{path}/{entry.name}" if path else entry.name
        try:
            inner.encode()
        except UnicodeEncodeError:
            message = f"{title}: the name {os.fsencode(inner)!r} is no text in UTF-8; rename it"
            raise SourceError(message) from None
        about = entry.stat(follow_symlinks=False)
        if stat.S_ISDIR(about.st_mode):
            yield from _below(folder, inner, leave_out, title)
        elif stat.S_ISREG(about.st_mode) or stat.S_ISLNK(about.st_mode):
            yield inner, about
        else:
            message = f"{title}: {inner} is neither a file nor a folder nor a link, so no part of a source"
            raise SourceError(message)


def _left_out(entry: "os.DirEntry[str]", leave_out: Collection[str]) -> bool:
    if entry.name in _NEVER or entry.name in leave_out or entry.name.endswith(_NEVER_ENDING):
        return True
    if not entry.is_dir(follow_symlinks=False):
        return False
    return any(Path(entry.path, mark).exists() for mark in _ENVIRONMENT)


def _entries(folder: Path, leave_out: Collection[str] | None, title: str) -> Iterator[tuple[str, TreeEntry]]:
    for path, about in walk(folder, leave_out=leave_out, title=title):
        if stat.S_ISDIR(about.st_mode):
            yield path, TreeEntry("folder")
        elif stat.S_ISLNK(about.st_mode):
            yield path, TreeEntry("link", _inner_target(folder, path, title))
        else:
            with (folder / path).open("rb") as file:
                content = hashlib.file_digest(file, "sha256").hexdigest()
            yield path, TreeEntry("program" if about.st_mode & stat.S_IXUSR else "file", content)


def _inner_target(folder: Path, path: str, title: str) -> str:
    """Give where a link leads; it must stay in the folder, over whatever other links it goes."""
    target = str((folder / path).readlink())
    # What is not there yet is followed as far as it goes.
    end = os.path.realpath(folder / path)
    if Path(target).is_absolute() or not Path(end).is_relative_to(os.path.realpath(folder)):
        message = (
            f"{title}: the link {path} leads to {target!r}, outside of the source; put what it leads to into "
            "the folder"
        )
        raise SourceError(message)
    return target
