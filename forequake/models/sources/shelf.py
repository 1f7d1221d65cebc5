"""A folder in which each source is kept once, by its content: whole or not at all, and never written again.

::

    trees/HASH/files      the files, read-only
    trees/HASH/list.json  what each of them is
    origins/HASH.json     which tree came from an address, a revision or a record
    partial/...           what is being fetched; what a process that died left there goes with the next fetch

The folder may be deleted when nothing runs: the next run fetches again. `forequake.clearing` takes trees away
that nobody uses, but no origins: without them a branch would give what it has by then.
"""

import contextlib
import errno
import fcntl
import os
import shutil
import stat
import tempfile
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from platformdirs import user_cache_path
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError

from forequake.errors import SourceChanged, SourceError
from forequake.keys import bytes_digest
from forequake.models.holds import hold
from forequake.models.locks import locked
from forequake.models.sources.staged import DownloadedFile
from forequake.models.sources.tree import (
    Tree,
    TreeEntry,
    hash_of_entries,
    read_tree,
    remove_left_out,
)
from forequake.quantities import Sha256, UtcDatetime

__all__ = ["Memory", "SourceShelf"]

_ENTRIES: Final = TypeAdapter(dict[str, TreeEntry])
#: What a rename onto a folder that is not empty says.
_TAKEN: Final = frozenset({errno.ENOTEMPTY, errno.EEXIST})
_FILES: Final = "files"
_LIST: Final = "list.json"
_LOCK: Final = "lock"
#: A folder that is younger may not have its lock yet.
_YOUNG_SECONDS: Final = 60.0
#: How long the fetch of another process is waited for.
_PATIENCE_SECONDS: Final = 3 * 3600.0
_WRITABLE: Final = stat.S_IWUSR | stat.S_IWGRP | stat.S_IWOTH


class Memory(BaseModel):
    """What came from a place; `forequake.models.sources.staged.StagedSource` says what is what.

    Attributes
    ----------
    asked_at
        When the place gave this the last time; None where it was asked once.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    place: str
    origin: str
    tree: Sha256
    inputs: Sha256 | None
    commit: str | None
    fetched_at: UtcDatetime
    asked_at: UtcDatetime | None = None
    downloads: tuple[DownloadedFile, ...] = ()
    notes: tuple[str, ...] = ()


class SourceShelf:
    """The sources that were fetched by this user on this machine.

    Parameters
    ----------
    folder
        By default in the user's cache folder.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self.folder = user_cache_path("forequake") / "models" / "sources" if folder is None else folder
        self._trees, self._origins, self._partial = (
            self.folder / name for name in ("trees", "origins", "partial")
        )
        for part in (self._trees, self._origins, self._partial):
            part.mkdir(parents=True, exist_ok=True)
        self._sweep()

    @contextmanager
    def place(self) -> Iterator[Path]:
        """Give a private folder to fetch into, which is removed in the end."""
        private = Path(tempfile.mkdtemp(dir=self._partial))
        try:
            with (private / _LOCK).open("w") as handle:
                fcntl.flock(handle, fcntl.LOCK_EX)
                content = private / "content"
                content.mkdir()
                yield content
        finally:
            _remove(private)

    @contextmanager
    def alone(self, place: str, say: Callable[[str], None]) -> Iterator[None]:
        """Keep other processes from fetching from a place meanwhile.

        Raises
        ------
        SourceError
            Where another process does so for hours.
        """
        file = self._origins / f"{_name(place)}.lock"
        wait = f"another process fetches {place}; waiting for it"
        try:
            with locked(file, patience=_PATIENCE_SECONDS, on_wait=lambda: say(wait)):
                yield
        except TimeoutError as error:
            message = f"{place} cannot be fetched: {error}"
            raise SourceError(message) from error

    def remembered(self, place: str) -> Memory | None:
        """Tell what came from a place; None where nothing did, or the note of it is damaged."""
        try:
            memory = Memory.model_validate_json((self._origins / f"{_name(place)}.json").read_bytes())
        except (OSError, ValidationError):
            return None
        return memory if memory.place == place else None

    def remember(self, memory: Memory) -> None:
        """Note what came from a place."""
        _write_whole(self._origins / f"{_name(memory.place)}.json", memory.model_dump_json(indent=1))

    def find(self, sha256: Sha256) -> Tree | None:
        """Give a tree that is there and whole, None where it is not there.

        Raises
        ------
        SourceChanged
            Where it is damaged; the message tells the first file.
        """
        kept = self._trees / sha256
        use = hold(kept)
        if use is None:
            return None
        try:
            entries = _ENTRIES.validate_json((kept / _LIST).read_bytes())
        except (OSError, ValidationError) as error:
            message = f"{kept} is not what was fetched: {_LIST} cannot be read"
            raise SourceChanged(message) from error
        if hash_of_entries(entries) != sha256:
            message = f"{kept} is not what was fetched: {_LIST} has another content"
            raise SourceChanged(message)
        tree = Tree(kept / _FILES, sha256, entries, use)
        tree.verify()
        with contextlib.suppress(OSError):
            os.utime(kept)  # so that one can tell what has not been used for long
        return tree

    def keep(
        self, content: Path, *, leave_out: Collection[str], title: str, say: Callable[[str], None]
    ) -> tuple[Tree, Tree | None]:
        """Move what was fetched to its place.

        Parameters
        ----------
        content
            In the folder of `place`. All in it that does not belong to a source is removed.
        title
            What messages call it.

        Returns
        -------
        source, inputs
            As of `forequake.models.sources.staged.StagedSource`.

        Raises
        ------
        SourceError
            Where something in it can be no part of a source, or there is nothing.
        """
        inputs = content.with_name(f"{content.name}-input")
        if "input" in leave_out and (content / "input").is_dir() and not (content / "input").is_symlink():
            (content / "input").rename(inputs)
            remove_left_out(inputs, ())
        remove_left_out(content, leave_out)
        tree = read_tree(content, leave_out=(), title=title)
        if not tree.entries:
            message = f"{title} holds no files"
            raise SourceError(message)
        given = read_tree(inputs, leave_out=(), title=f"{title}, input") if inputs.is_dir() else None
        return self._settle(tree, say), self._settle(given, say) if given and given.entries else None

    def _settle(self, tree: Tree, say: Callable[[str], None]) -> Tree:
        """Put a tree under its hash; where it is there already, that one is taken."""
        try:
            there = self.find(tree.sha256)
        except SourceChanged as error:
            say(f"{error}; it is replaced")
            with self.place() as away:
                (self._trees / tree.sha256).rename(away / "damaged")
            there = None
        if there is not None:
            return there
        whole = Path(tempfile.mkdtemp(dir=tree.folder.parent))
        whole.chmod(0o755)
        tree.folder.rename(whole / _FILES)
        (whole / _LIST).write_bytes(_ENTRIES.dump_json(dict(tree.entries)))
        _make_read_only(whole / _FILES)
        # Not forced to the disk: what a power cut leaves is found when it is verified, and fetched again.
        try:
            whole.rename(self._trees / tree.sha256)
        except OSError as error:
            if error.errno not in _TAKEN:  # else another process was quicker
                raise
        settled = self.find(tree.sha256)
        if settled is None:
            message = f"{self._trees} does not take the files of a source"
            raise SourceError(message)
        return settled

    def _sweep(self) -> None:
        """Remove what processes left that died."""
        for private in self._partial.iterdir():
            with contextlib.suppress(OSError):
                if time.time() - private.stat().st_mtime < _YOUNG_SECONDS:
                    continue
                with (private / _LOCK).open("a") as handle:
                    fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    _remove(private)


def _name(place: str) -> str:
    return bytes_digest(place.encode())


def _write_whole(file: Path, text: str) -> None:
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f"{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as opened:
            opened.write(text)
        Path(name).replace(file)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _make_read_only(folder: Path) -> None:
    for where, _, files in os.walk(folder, topdown=False):
        for path in (*(Path(where, name) for name in files), Path(where)):
            if not path.is_symlink():
                path.chmod(stat.S_IMODE(path.stat().st_mode) & ~_WRITABLE | stat.S_IRUSR)


def _remove(folder: Path) -> None:
    """Remove a folder, also where it holds read-only ones."""
    for where, _, _ in os.walk(folder):
        with contextlib.suppress(OSError):
            Path(where).chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
