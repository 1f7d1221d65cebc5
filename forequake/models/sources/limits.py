"""How large a source may be."""

from dataclasses import dataclass
from typing import Final

from forequake.errors import SourceError

__all__ = ["LIMITS", "MOST_LEVELS", "SourceLimits"]

#: Folders within folders; no source has as many, and what walks through them has its limits.
MOST_LEVELS: Final = 100


@dataclass(frozen=True)
class SourceLimits:
    """Limits of a source, which protect the disk from archives that are made to fill it.

    Attributes
    ----------
    most_bytes
        Of all files together, unpacked.
    most_files
        Files, links and folders together.
    """

    most_bytes: int = 16 * 1024**3
    most_files: int = 200_000

    def check(self, what: str, *, size: int, files: int) -> None:
        """Refuse a source beyond a limit.

        Raises
        ------
        SourceError
            Where it is.
        """
        if size > self.most_bytes:
            message = f"{what} is larger than {self.most_bytes} bytes, which is the most that is taken"
            raise SourceError(message)
        if files > self.most_files:
            message = f"{what} has more than {self.most_files} files and folders, which is the most"
            raise SourceError(message)


#: What a run has.
LIMITS: Final = SourceLimits()
