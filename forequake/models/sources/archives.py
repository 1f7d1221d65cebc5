"""Archives of a source: zip, and tar as it is or compressed with gzip, bzip2 or xz."""

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import IO, Any, Final

from forequake.errors import SourceError
from forequake.models.sources.limits import SourceLimits
from forequake.models.sources.writing import NewFolder

__all__ = ["ARCHIVES", "is_archive", "unpack_source"]

#: Endings of the archives that are unpacked.
ARCHIVES: Final = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_BLOCK: Final = 1 << 20
#: No heading of a member is as long; one that says so is made to fill the memory.
_MOST_AT_ONCE: Final = 16 << 20
_DAMAGED: Final = (
    tarfile.TarError,
    zipfile.BadZipFile,
    lzma.LZMAError,
    zlib.error,
    EOFError,
    ValueError,
    NotImplementedError,  # a way of compressing that this Python has not
)


def is_archive(name: str) -> bool:
    """Tell from its name whether a file is an archive that is unpacked."""
    return name.lower().endswith(ARCHIVES)


def unpack_source(
    archive: Path, content: Path, title: str, limits: SourceLimits, leave_out: Collection[str]
) -> Path:
    """Unpack an archive, members by members, and nothing outside of a folder.

    Parameters
    ----------
    content
        An empty folder of ours.
    title
        What messages call the archive.
    leave_out
        Names of folders that have a meaning at the root.

    Returns
    -------
    Path
        The folder with the source: `content`, or the one folder in it where all lies below one.

    Raises
    ------
    SourceError
        Where it is damaged, encrypted, larger than the limits, or has members that are no files, folders or
        links, or lead outside.
    """
    new = NewFolder(content, title, limits)
    try:
        if archive.name.lower().endswith(".zip"):
            _unpack_zip(archive, new, title, limits)
        else:
            _unpack_tar(archive, new, title, limits)
    except (*_DAMAGED, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # the disk's fault; what gzip and bzip2 find has no number
        message = f"{title} cannot be unpacked: {str(error) or type(error).__name__}"
        raise SourceError(message) from error
    found = list(content.iterdir())
    alone = len(found) == 1 and found[0].is_dir() and not found[0].is_symlink()
    return found[0] if alone and found[0].name not in {*leave_out, "forecasts", "input"} else content


def _unpack_zip(archive: Path, new: NewFolder, title: str, limits: SourceLimits) -> None:
    links: list[tuple[str, str]] = []
    with zipfile.ZipFile(archive) as opened:
        members = opened.infolist()
        limits.check(title, size=0, files=len(members))
        for member in members:
            name = member.filename.replace("\\", "/")  # as some programs of Windows write it
            kind = stat.S_IFMT(member.external_attr >> 16)
            if member.flag_bits & 1:
                message = f"{title} is encrypted ({name})"
                raise SourceError(message)
            if name.endswith("/"):
                new.add_folder(name)
            elif kind == stat.S_IFLNK:
                if member.file_size > _MOST_AT_ONCE:
                    message = f"{title}: the link {name} has a target of {member.file_size} bytes"
                    raise SourceError(message)
                links.append((name, opened.read(member).decode("utf-8", "replace")))
            elif kind in {0, stat.S_IFREG}:
                program = bool(member.external_attr >> 16 & stat.S_IXUSR)
                with opened.open(member) as file:
                    new.add_file(name, _blocks(file), program=program)
            else:
                _refuse_kind(title, name)
    for name, target in links:
        new.add_link(name, target)


def _unpack_tar(archive: Path, new: NewFolder, title: str, limits: SourceLimits) -> None:
    links: list[tuple[str, str]] = []
    with _unpressed(archive) as stream:
        measured = _Measured(stream, title, limits)
        with tarfile.TarFile(fileobj=measured) as opened:
            while (member := opened.next()) is not None:
                opened.members.clear()  # type: ignore[attr-defined]  # a list of all would grow with the archive
                if member.isdir():
                    new.add_folder(member.name)
                elif member.issym():
                    links.append((member.name, member.linkname))
                    limits.check(title, size=0, files=len(links))
                elif member.islnk():
                    new.add_copy(member.name, member.linkname)
                elif member.isreg():
                    file = opened.extractfile(member)
                    assert file is not None  # noqa: S101  # regular members have content
                    new.add_file(member.name, _blocks(file), program=bool(member.mode & stat.S_IXUSR))
                else:
                    _refuse_kind(title, member.name)
    for name, target in links:
        new.add_link(name, target)


def _refuse_kind(title: str, name: str) -> None:
    message = f"{title} has a member {name!r} that is neither a file nor a folder nor a link"
    raise SourceError(message)


def _unpressed(archive: Path) -> Any:
    name = archive.name.lower()
    if name.endswith((".gz", ".tgz")):
        return gzip.open(archive)
    if name.endswith((".bz2", ".tbz2")):
        return bz2.open(archive)
    return lzma.open(archive) if name.endswith((".xz", ".txz")) else archive.open("rb")


def _blocks(file: IO[bytes]) -> Iterator[bytes]:
    while block := file.read(_BLOCK):
        yield block


class _Measured(io.RawIOBase):
    """A stream that is given up where it is longer than any source, or asks for too much at once."""

    def __init__(self, stream: IO[bytes], title: str, limits: SourceLimits) -> None:
        super().__init__()
        self._stream = stream
        self._title = title
        self._limits = limits
        # Beside the files there are a heading for each of them, and what fills the last block.
        self._most = limits.most_bytes + 4096 * limits.most_files + _MOST_AT_ONCE

    def read(self, size: int = -1) -> bytes:
        if not 0 <= size <= _MOST_AT_ONCE:
            message = f"{self._title} has a heading of {size} bytes; it is damaged, or made to do harm"
            raise SourceError(message)
        return self._stream.read(size)

    def seek(self, place: int, whence: int = 0) -> int:
        if place > self._most:
            self._limits.check(self._title, size=place, files=0)
        return self._stream.seek(place, whence)

    def tell(self) -> int:
        return self._stream.tell()
