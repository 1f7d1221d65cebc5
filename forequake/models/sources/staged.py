"""Where a model comes from, and what was fetched from there."""

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from forequake.config.model_specs import GitSource, ZenodoSource
from forequake.models.signatures import Signature, signature
from forequake.models.sources.tree import Tree, TreeEntry
from forequake.quantities import Sha256

__all__ = ["DownloadedFile", "PathSource", "SourceOrPath", "StagedSource", "verify"]


@dataclass(frozen=True)
class PathSource:
    """A folder of the user, or an archive of one.

    Attributes
    ----------
    path
        Relative to the experiment's folder, or absolute.
    """

    path: str | Path


#: Everything that `forequake.models.sources.fetch_source` fetches.
SourceOrPath = PathSource | GitSource | ZenodoSource


@dataclass(frozen=True)
class DownloadedFile:
    """A file of a record, as it came.

    Attributes
    ----------
    size
        Bytes.
    checksum
        As the record gives it, such as ``md5:...``; the file has it.
    """

    name: str
    size: int
    checksum: str
    sha256: Sha256


@dataclass(frozen=True)
class StagedSource:
    """The source of a model, in a folder that is only read.

    Attributes
    ----------
    source
        What decides what the model does.
    inputs
        The folder ``input`` that came with it, where there was one: the file of arguments to start from, and
        what else the model reads there. It is no part of `source`, since programs of floatCSEP overwrite
        files in it at every run; what a run takes from it belongs into the run's own key.
    origin
        For people and records: the path, address or record; never a password.
    commit
        Of a repository, in full.
    fetched_at
        When the files came here.
    downloads
        Of a record: its files as they came.
    notes
        What one should know of it.
    """

    source: Tree
    inputs: Tree | None
    origin: str
    commit: str | None
    fetched_at: datetime
    downloads: tuple[DownloadedFile, ...] = ()
    notes: tuple[str, ...] = ()
    #: Of the folders when their files were read last, where that says anything.
    _read: dict[Path, Signature] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def folder(self) -> Path:
        """Where the files are; nothing may be written there."""
        return self.source.folder

    @property
    def tree(self) -> Sha256:
        """The hash of the files (`forequake.models.sources.tree_hash`)."""
        return self.source.sha256

    @property
    def files(self) -> dict[str, TreeEntry]:
        """The files by their paths."""
        return dict(self.source.entries)


def verify(staged: StagedSource) -> None:
    """Make sure, before and after a use, that a source is still what was fetched.

    The files are read and hashed, unless they were before and nothing in their folder has changed since
    (`forequake.models.signatures`).

    Raises
    ------
    SourceChanged
        With the first file that differs.
    """
    for tree in (staged.source, staged.inputs):
        if tree is not None:
            _verify(tree, staged._read)


def _verify(tree: Tree, read: dict[Path, Signature]) -> None:
    found = signature(tree.folder)  # before the files are read: what changes meanwhile changes it
    if found is not None and read.get(tree.folder) == found:
        return
    read.pop(tree.folder, None)
    tree.verify()
    if found is not None:
        read[tree.folder] = found
