"""Writing the members of an archive, a repository or a record into a folder, and nowhere else."""

import re
import stat
from collections.abc import Iterable
from pathlib import Path, PurePosixPath
from typing import Final

from forequake.errors import SourceError
from forequake.models.sources.limits import MOST_LEVELS, SourceLimits

__all__ = ["NewFolder"]

_BLOCK: Final = 1 << 20
_DRIVE: Final = re.compile(r"[A-Za-z]:")
#: What the usual file systems take.
_MOST_NAME: Final = 255


class NewFolder:
    """A folder of ours into which foreign names are written.

    Nothing is ever written through a link, over something else, or outside of the folder. Where links lead is
    for `forequake.models.sources.tree.read_tree` to check, when all is there.

    Parameters
    ----------
    folder
        Is there and empty.
    title
        What messages call that which is written.
    """

    def __init__(self, folder: Path, title: str, limits: SourceLimits) -> None:
        self.folder = folder
        self._title = title
        self._limits = limits
        self._kinds: dict[str, str] = {}
        self._bytes = 0

    def add_folder(self, name: str) -> None:
        """Make a folder, where it is not there yet.

        Raises
        ------
        SourceError
            Where the name leads outside, or something else has it.
        """
        self._make_folders(self._inner(name))

    def add_file(self, name: str, blocks: Iterable[bytes], *, program: bool = False) -> None:
        """Write a file.

        Parameters
        ----------
        program
            Whether it may be executed.

        Raises
        ------
        SourceError
            Where the name leads outside or is taken, or all is larger than the limits.
        """
        with self._new(name, "file").open("xb") as file:
            for block in blocks:
                self._grow(len(block))
                file.write(block)
            if program:
                Path(file.name).chmod(0o755)

    def add_copy(self, name: str, original: str) -> None:
        """Write a file once more, as hard links of archives ask for.

        Raises
        ------
        SourceError
            As `add_file`, and where the other one is no file that was written.
        """
        inner = str(self._inner(original))
        if self._kinds.get(inner) != "file":
            message = f"{self._title}: {name} is to be the same as {original}, which is no file in it"
            raise SourceError(message)
        with (self.folder / inner).open("rb") as file:
            program = bool((self.folder / inner).stat().st_mode & stat.S_IXUSR)
            self.add_file(name, iter(lambda: file.read(_BLOCK), b""), program=program)

    def add_link(self, name: str, target: str) -> None:
        """Write a link, wherever it leads.

        Raises
        ------
        SourceError
            Where the name leads outside or is taken.
        """
        if not target or "\0" in target:
            message = f"{self._title}: the link {name} leads nowhere"
            raise SourceError(message)
        self._new(name, "link").symlink_to(target)

    def _grow(self, size: int) -> None:
        self._bytes += size
        self._limits.check(self._title, size=self._bytes, files=len(self._kinds))

    def _inner(self, name: str) -> PurePosixPath:
        parts = name.split("/")
        if name.startswith("/") or _DRIVE.match(name) or ".." in parts or "\0" in name:
            message = f"{self._title} has a member {name!r} that leads outside of its folder"
            raise SourceError(message)
        long = next((part for part in parts if len(part.encode(errors="replace")) > _MOST_NAME), None)
        if long is not None:
            message = f"{self._title} has a name of more than {_MOST_NAME} bytes: {long[:60]!r} ..."
            raise SourceError(message)
        if len(parts) > MOST_LEVELS:
            message = f"{self._title} has folders within folders, more than {MOST_LEVELS}: {name[:60]!r} ..."
            raise SourceError(message)
        return PurePosixPath(*(part for part in parts if part not in {"", "."}))

    def _new(self, name: str, kind: str) -> Path:
        inner = self._inner(name)
        if not inner.parts:
            message = f"{self._title} has a member without a name: {name!r}"
            raise SourceError(message)
        self._make_folders(inner.parent)
        if str(inner) in self._kinds:
            message = f"{self._title} has two members of the name {str(inner)!r}"
            raise SourceError(message)
        self._kinds[str(inner)] = kind
        self._grow(0)
        return self.folder / inner

    def _make_folders(self, inner: PurePosixPath) -> None:
        for depth in range(1, len(inner.parts) + 1):
            part = str(PurePosixPath(*inner.parts[:depth]))
            if self._kinds.setdefault(part, "folder") != "folder":
                message = f"{self._title} has a member below {part!r}, which is no folder"
                raise SourceError(message)
            (self.folder / part).mkdir(exist_ok=True)
            self._grow(0)
