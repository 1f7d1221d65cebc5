"""The files of a commit, byte for byte as the repository holds them."""

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final

from forequake.errors import SourceError
from forequake.models.sources.git_program import Git
from forequake.models.sources.limits import SourceLimits
from forequake.models.sources.writing import NewFolder

__all__ = ["export_commit"]

_BLOCK: Final = 1 << 20
_POINTER: Final = b"version https://git-lfs.github.com/spec/"
_LISTED: Final = 3


@dataclass(frozen=True)
class _Member:
    mode: str
    blob: str
    size: int
    path: str


def export_commit(git: Git, commit: str, content: Path, title: str, limits: SourceLimits) -> tuple[str, ...]:
    """Write the files of a commit into a folder.

    Parameters
    ----------
    content
        Is there and empty.
    title
        What messages call the commit.

    Returns
    -------
    tuple of str
        What one should know: submodules, files that are not there but pointers.

    Raises
    ------
    SourceError
        Where it is larger than the limits, or a name leads outside.
    GitRefused, GitUnwell
        Where git cannot read it.
    """
    members = list(_members(git, commit, title))
    limits.check(title, size=sum(member.size for member in members), files=len(members))
    new = NewFolder(content, title, limits)
    pointers = []
    written = [member for member in members if member.mode != "160000"]
    with tempfile.TemporaryFile() as blobs:
        names = "".join(f"{member.blob}\n" for member in written)
        git.run_into(blobs.fileno(), "cat-file", "--batch=%(objectsize)", given=names.encode())
        blobs.seek(0)
        for member in written:
            told = blobs.readline()
            if not told.strip().isdigit():
                message = f"{title}: git lacks the content of {member.path}"
                raise SourceError(message)
            size = int(told)
            if member.mode == "120000":
                new.add_link(member.path, blobs.read(size).decode("utf-8", "surrogateescape"))
            else:
                start = blobs.read(min(size, _BLOCK))
                pointers += [member.path] if start.startswith(_POINTER) else []
                blocks = _blocks(blobs, start, size - len(start))
                new.add_file(member.path, blocks, program=member.mode == "100755")
            blobs.read(1)
    modules = [member.path for member in members if member.mode == "160000"]
    for path in modules:
        new.add_folder(path)
    return (
        *_note(modules, "submodules are not fetched, their folders are empty"),
        *_note(pointers, "files of git's large file storage are not fetched, only the pointers to them"),
    )


def _members(git: Git, commit: str, title: str) -> Iterator[_Member]:
    listed = git.run("ls-tree", "-r", "-z", "-l", "--full-tree", commit)
    for line in listed.split(b"\0")[:-1]:
        about, _, name = line.partition(b"\t")
        mode, _, blob, size = about.decode().split()
        try:
            path = name.decode()
        except UnicodeDecodeError:
            message = f"{title}: the name {name!r} is no text in UTF-8"
            raise SourceError(message) from None
        yield _Member(mode, blob, 0 if size == "-" else int(size), path)


def _blocks(blobs: IO[bytes], start: bytes, left: int) -> Iterator[bytes]:
    yield start
    while left > 0:
        block = blobs.read(min(left, _BLOCK))
        if not block:
            message = "git gave less of a file than it said"
            raise SourceError(message)
        left -= len(block)
        yield block


def _note(paths: list[str], what: str) -> tuple[str, ...]:
    if not paths:
        return ()
    more = f" and {len(paths) - _LISTED} more" if len(paths) > _LISTED else ""
    return (f"{what}: {', '.join(paths[:_LISTED])}{more}",)
