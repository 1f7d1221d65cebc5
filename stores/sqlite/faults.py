"""SQLite's and the system's errors, told as the store's own: what happened, to which store, what to do."""

import errno
import os
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from forequake.errors import (
    AccessDenied,
    CorruptRecord,
    SchemaVersion,
    StoreError,
    StoreUnavailable,
)
from stores._refusals import full

__all__ = ["told"]

_FULL_ERRNO: Final = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_DENIED_ERRNO: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_BUSY: Final = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED, sqlite3.SQLITE_PROTOCOL})
_DENIED: Final = frozenset({sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_AUTH})
_DAMAGED: Final = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})

#: Below so many free bytes a disk counts as full: one page of shared memory does not fit any more.
_NO_SPACE: Final = 1 << 16


@contextmanager
def told(name: str, path: Path) -> Iterator[None]:
    """Turn errors of SQLite and of the system into the store's typed errors, which name the store.

    Parameters
    ----------
    name
        The store's address as it may be shown.
    path
        The database file.
    """
    try:
        yield
    except sqlite3.Error as error:
        raise _of_sqlite(error, name, path) from error
    except OSError as error:
        raise _of_system(error, name, path) from error
    except (CorruptRecord, SchemaVersion) as error:
        if name in str(error):
            raise
        message = f"{name}: {error}"  # what decodes a record knows no store
        raise type(error)(message) from error


def _of_sqlite(error: sqlite3.Error, name: str, path: Path) -> StoreError:
    # Errors of the Python module itself, such as a wrong parameter, have no code.
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF
    if code == sqlite3.SQLITE_FULL:
        return full(name, "no space is left")
    if code in _BUSY:
        return StoreUnavailable(f"{name} is busy: another process has been writing for too long; try again")
    if code in _DENIED:
        return _denied(name, path)
    if code in _DAMAGED or "malformed" in str(error) or "no such table" in str(error):
        return _damaged(name, error)
    if code in (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CANTOPEN):
        return _of_file(error, name, path)
    if code == sqlite3.SQLITE_NOMEM:
        return StoreUnavailable(f"{name}: the memory does not suffice; try again with less else running")
    return StoreError(f"{name}: SQLite refused: {error}")


def _of_system(error: OSError, name: str, path: Path) -> StoreError:
    if error.errno in _FULL_ERRNO:
        return full(name, "no space is left")
    if error.errno in _DENIED_ERRNO:
        return _denied(name, Path(error.filename) if isinstance(error.filename, str) else path)
    place = f": {error.filename}" if error.filename else ""
    return StoreUnavailable(f"{name} cannot be reached: {error.strerror or error}{place}")


def _of_file(error: sqlite3.Error, name: str, path: Path) -> StoreError:
    """Say what an input or output error of SQLite is, which it does not tell itself."""
    if path.exists() and not os.access(path, os.R_OK):
        return _denied(name, path)
    if not path.parent.is_dir():
        return StoreUnavailable(f"{name} cannot be reached: there is no folder {path.parent}")
    space = os.statvfs(path.parent)
    if space.f_bavail * space.f_frsize < _NO_SPACE:
        return full(name, "no space is left")
    if not path.exists() and not os.access(path.parent, os.W_OK):
        return _denied(name, path.parent)
    return StoreUnavailable(f"{name} cannot be read or written: {error}; look at the disk of {path.parent}")


def _denied(name: str, path: Path) -> AccessDenied:
    return AccessDenied(
        f"{name} refuses access: {path} or its folder may not be read or written by this user; ask its owner "
        "or name another store"
    )


def _damaged(name: str, error: sqlite3.Error) -> CorruptRecord:
    return CorruptRecord(
        f"{name} is damaged or is no database ({error}): stop what writes to it, keep the file, and go back "
        "to a backup"
    )
