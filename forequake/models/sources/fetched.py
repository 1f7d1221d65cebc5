"""What came from a repository or a record, before it is on the shelf."""

from dataclasses import dataclass
from pathlib import Path

from forequake.models.sources.staged import DownloadedFile

__all__ = ["Fetched"]


@dataclass(frozen=True)
class Fetched:
    """Files in a private folder; `forequake.models.sources.staged.StagedSource` says what is what."""

    content: Path
    origin: str
    commit: str | None = None
    downloads: tuple[DownloadedFile, ...] = ()
    notes: tuple[str, ...] = ()
