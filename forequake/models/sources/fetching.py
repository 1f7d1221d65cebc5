"""Fetching the source of a model: from a folder, a repository or a record, once."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from forequake.config.model_specs import GitSource, ZenodoSource
from forequake.errors import SourceChanged, SourceError
from forequake.models.sources.archives import is_archive, unpack_source
from forequake.models.sources.fetched import Fetched
from forequake.models.sources.folders import copy_folder
from forequake.models.sources.git import fetch_commit, place_of_git
from forequake.models.sources.limits import LIMITS, SourceLimits
from forequake.models.sources.shelf import Memory, SourceShelf
from forequake.models.sources.staged import PathSource, SourceOrPath, StagedSource
from forequake.models.sources.tree import LEFT_OUT, Tree, read_tree
from forequake.models.sources.zenodo import fetch_record, place_of_record
from forequake.patience import Patience
from forequake.quantities import Sha256, now

__all__ = ["SOURCE_PATIENCE", "fetch_source"]

#: What a run has: a large record over a slow line takes hours.
SOURCE_PATIENCE: Final = Patience(request_seconds=3600.0, total_seconds=2 * 3600.0)


def fetch_source(
    spec: SourceOrPath,
    folder: Path,
    *,
    shelf: Path | None = None,
    say: Callable[[str], None],
    only: str | None = None,
    leave_out: Collection[str] = LEFT_OUT,
    refresh: bool | datetime = False,
    patience: Patience = SOURCE_PATIENCE,
    limits: SourceLimits = LIMITS,
) -> StagedSource:
    """Bring the source of a model onto the shelf, where it is not there yet.

    A folder of the user is copied whenever it has another content; it is only read. What a branch, a tag or a
    record gave is fetched once and then stands, until it is asked for anew: years of forecasts do not change
    because somebody pushed. A damaged copy is fetched again and must have the content that it had.

    Parameters
    ----------
    folder
        Of the experiment, to which relative paths are relative.
    shelf
        Where sources are kept; by default in the user's cache folder.
    say
        Takes lines about what goes on.
    only
        The one file of a record that is needed.
    leave_out
        Names at the root that do not belong to the source. A model whose forecasts come with it leaves
        nothing out.
    refresh
        Ask again what a branch, tag or record gives now; with a moment, unless it was asked since then.

    Raises
    ------
    SourceUnavailable
        Where a server did not answer as it should; trying again later can help.
    SourceError
        Where the source is not there, may not be read, or cannot be used; with what there is.
    SourceChanged
        Where a place gives another content than what was fetched from it before.
    """
    fetch = _Fetch(folder, say, frozenset(leave_out), patience, limits)
    try:
        kept = SourceShelf(shelf)
        if isinstance(spec, PathSource):
            return fetch.path(spec, kept)
        return fetch.once(spec, only, kept, refresh=refresh)
    except OSError as error:
        message = f"the source of a model cannot be kept: {error}"
        raise SourceError(message) from error


@dataclass(frozen=True)
class _Fetch:
    folder: Path
    say: Callable[[str], None]
    leave_out: frozenset[str]
    patience: Patience
    limits: SourceLimits

    def path(self, spec: PathSource, shelf: SourceShelf) -> StagedSource:
        path = self.folder / Path(spec.path).expanduser()
        if path.is_dir():
            found = self._unchanged(path, shelf)
            if found is None:
                with shelf.place() as place:
                    copy = copy_folder(path, place, leave_out=self.leave_out - {"input"}, limits=self.limits)
                    found = self._keep(copy, f"the folder {path}", shelf)
            return StagedSource(*found, origin=str(path), commit=None, fetched_at=now())
        if not path.is_file() or not is_archive(path.name):
            what = "is no folder and no archive (zip, tar, tar.gz, tar.bz2, tar.xz)"
            message = f"the source {path} {what if path.exists() else 'does not exist'}"
            raise SourceError(message)
        with shelf.place() as place:
            content = unpack_source(path, place, f"the archive {path}", self.limits, self.leave_out)
            found = self._keep(content, f"the archive {path}", shelf)
        return StagedSource(*found, origin=str(path), commit=None, fetched_at=now())

    def _unchanged(self, path: Path, shelf: SourceShelf) -> tuple[Tree, Tree | None] | None:
        """Give what is on the shelf of a folder's content, None where it is not there whole."""
        try:
            parts = [read_tree(path, leave_out=self.leave_out, title=f"the folder {path}")]
            if "input" in self.leave_out and (path / "input").is_dir():
                parts += [tree for tree in [read_tree(path / "input", leave_out=())] if tree.entries]
        except OSError as error:
            message = f"the folder {path} cannot be read: {error.strerror or error} ({error.filename})"
            raise SourceError(message) from error
        try:
            found = [shelf.find(part.sha256) for part in parts]
        except SourceChanged:
            return None
        if found[0] is None or found[-1] is None:
            return None
        return found[0], found[1] if len(found) > 1 else None

    def once(
        self,
        spec: GitSource | ZenodoSource,
        only: str | None,
        shelf: SourceShelf,
        *,
        refresh: bool | datetime,
    ) -> StagedSource:
        if isinstance(spec, GitSource):
            place = place_of_git(spec, self.folder)
        else:
            place = place_of_record(spec, only)
        if self.leave_out != LEFT_OUT:
            place += f" without {', '.join(sorted(self.leave_out)) or 'nothing'}"
        with shelf.alone(place, self.say):
            memory = shelf.remembered(place)
            if isinstance(refresh, datetime):
                refresh = memory is None or (memory.asked_at or memory.fetched_at) < refresh
            if memory is not None and not refresh:
                found = self._remembered(memory, shelf)
                if found is not None:
                    return _staged(memory, *found)
            with shelf.place() as content:
                fetched = self._fetched(spec, only, content, None if refresh else memory)
                trees = self._keep(fetched.content, fetched.origin, shelf)
            new = _memory(place, fetched, *trees)
            if memory is not None and not refresh:
                _compare(memory, new)
            if memory is not None and refresh and _gave(new) == _gave(memory):
                new = new.model_copy(update={"fetched_at": memory.fetched_at})  # the code is as old as it was
            shelf.remember(new)
            return _staged(new, *trees)

    def _fetched(
        self, spec: GitSource | ZenodoSource, only: str | None, content: Path, memory: Memory | None
    ) -> Fetched:
        if isinstance(spec, ZenodoSource):
            return fetch_record(spec, only, content, self.say, self.patience, self.limits, self.leave_out)
        known = None if memory is None else memory.commit
        pinned = spec if known is None else spec.model_copy(update={"revision": known})
        fetched = fetch_commit(pinned, self.folder, content, self.say, self.patience, self.limits)
        return fetched if memory is None else replace(fetched, origin=memory.origin)

    def _remembered(self, memory: Memory, shelf: SourceShelf) -> tuple[Tree, Tree | None] | None:
        try:
            tree = shelf.find(memory.tree)
            inputs = None if memory.inputs is None else shelf.find(memory.inputs)
        except SourceChanged as error:
            self.say(f"{error}; {memory.origin} is fetched again")
            return None
        return None if tree is None or (memory.inputs and inputs is None) else (tree, inputs)

    def _keep(self, content: Path, title: str, shelf: SourceShelf) -> tuple[Tree, Tree | None]:
        return shelf.keep(content, leave_out=self.leave_out, title=title, say=self.say)


def _compare(before: Memory, new: Memory) -> None:
    """Refuse another content from a place that was fetched before."""
    if _gave(before)[:2] != _gave(new)[:2]:
        message = (
            f"{new.origin} gives other files than on {before.fetched_at:%Y-%m-%d}, and the copy of those is "
            "gone. force_stage takes what there is now"
        )
        raise SourceChanged(message)


def _gave(memory: Memory) -> tuple[Sha256, Sha256 | None, str | None]:
    return memory.tree, memory.inputs, memory.commit


def _memory(place: str, fetched: Fetched, tree: Tree, inputs: Tree | None) -> Memory:
    return Memory(
        place=place,
        origin=fetched.origin,
        tree=tree.sha256,
        inputs=None if inputs is None else inputs.sha256,
        commit=fetched.commit,
        fetched_at=now(),
        asked_at=now(),
        downloads=fetched.downloads,
        notes=fetched.notes,
    )


def _staged(memory: Memory, tree: Tree, inputs: Tree | None) -> StagedSource:
    return StagedSource(
        source=tree,
        inputs=inputs,
        origin=memory.origin,
        commit=memory.commit,
        fetched_at=memory.fetched_at,
        downloads=memory.downloads,
        notes=memory.notes,
    )
