"""Connections to one database file: one a thread, none carried over a fork, every transaction whole.

SQLite must not see a connection on both sides of a fork, and it keeps a process-wide table of locks as long
as any connection to a file is open: a child that opened the file anew would inherit the belief that it holds
the parent's locks. So before a fork all connections are closed, as soon as no transaction is under way, and
both sides open their own afterwards.
"""

import os
import sqlite3
import threading
import time
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Final
from urllib.parse import quote

from forequake.errors import AccessDenied, StoreError, StoreUnavailable
from stores.sqlite.faults import told
from stores.sqlite.schema import create

__all__ = ["Connections"]

#: How long a fork waits for the transactions of other threads.
_FORK_PATIENCE: Final = 30.0


class Connections:
    """All connections of this process to one database file.

    Parameters
    ----------
    path
        The file, which is made where it is missing.
    name
        The store's address as it may be shown.
    max_page_count
        The largest number of pages, or None for no limit.
    busy_timeout
        How long to wait for another writer, in seconds.
    read_only
        Whether SQLite is to refuse every change of what is stored, also by a user who may write.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        *,
        max_page_count: int | None,
        busy_timeout: float,
        read_only: bool = False,
    ) -> None:
        self.path = path
        self.name = name
        self._max_page_count = max_page_count
        self._busy_timeout = busy_timeout
        self._read_only = read_only
        self._closed = False
        self._local = threading.local()
        self._begin_anew()
        self._writable = self._may_write()
        with _LIVE_LOCK:
            _LIVE.add(self)

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    @contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """Give a connection in a transaction that sees one state of the database and writes nothing."""
        with told(self.name, self.path), self._borrowed() as db:
            db.execute("BEGIN")
            try:
                yield db
            finally:
                _roll_back(db)

    @contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection in a transaction that is durable after the block, or undone where it raises."""
        if self._read_only:
            message = f"{self.name} is open for reading only"
            raise AccessDenied(message)
        if not self._writable:
            message = f"{self.name} may not be written by this user: {self.path} or its folder is read-only"
            raise AccessDenied(message)
        with told(self.name, self.path), self._borrowed() as db:
            db.execute("BEGIN IMMEDIATE")
            try:
                yield db
                db.execute("COMMIT")
            finally:
                _roll_back(db)

    def close(self) -> None:
        """Close the connections of all threads; a transaction under way is waited for."""
        self._closed = True
        self.pause(_FORK_PATIENCE)
        self.resume()

    # --- around a fork -------------------------------------------------------------------------------------

    def pause(self, patience: float) -> None:
        """Let no transaction begin, wait for those under way, and close all connections."""
        mine = getattr(self._local, "depth", 0)
        with self._gate:
            self._paused += 1
            self._gate.wait_for(lambda: self._active <= mine, patience)
            if self._active == 0:
                for _, connection in self._open:
                    connection.close()
                self._open.clear()
                self._local = threading.local()

    def resume(self) -> None:
        """Let transactions begin again, in the process that called `pause`."""
        with self._gate:
            self._paused -= 1
            self._gate.notify_all()

    def forget(self) -> None:
        """Drop the parent's connections in a forked child, without closing what the parent still uses."""
        _INHERITED.extend(connection for _, connection in self._open)
        self._begin_anew()

    # --- one connection ------------------------------------------------------------------------------------

    def _begin_anew(self) -> None:
        self._pid = os.getpid()
        self._gate = threading.Condition()
        self._paused = 0
        self._active = 0
        self._local = threading.local()
        self._open: list[tuple[weakref.ref[threading.Thread], sqlite3.Connection]] = []

    @contextmanager
    def _borrowed(self) -> Iterator[sqlite3.Connection]:
        if self._pid != os.getpid():  # forked by a library that calls no hooks
            self.forget()
        with self._gate:
            nested = getattr(self._local, "depth", 0)
            if not nested:  # a nested one must not wait for a pause that waits for its outer one
                self._gate.wait_for(lambda: not self._paused)
            self._active += 1
            local = self._local
        local.depth = nested + 1
        try:
            if self._closed:
                message = f"{self.name} was closed: open it again"
                raise StoreError(message)
            if self._writable:
                yield self._own()
            else:
                with self._passing() as db:
                    yield db
        finally:
            local.depth = nested
            with self._gate:
                self._active -= 1
                self._gate.notify_all()

    def _own(self) -> sqlite3.Connection:
        """Give this thread's connection, opening it where there is none."""
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = self._connect("rwc")
            self._local.connection = connection
            with self._gate:
                ended = [entry for entry in self._open if _has_ended(entry[0])]
                self._open = [entry for entry in self._open if entry not in ended]
                self._open.append((weakref.ref(threading.current_thread()), connection))
            for _, old in ended:
                old.close()
        return connection

    @contextmanager
    def _passing(self) -> Iterator[sqlite3.Connection]:
        """Give a connection for one look at a file that this user may only read.

        While a writer is there, its write-ahead log is read beside the file. Without one, SQLite would have
        to make that log, so the file is taken as unchangeable, and what was read counts only if it was.
        """
        if Path(f"{self.path}-wal").exists():
            with closing(self._connect("ro")) as db:
                yield db
            return
        before = self._fingerprint()
        with closing(self._connect("ro", immutable=True)) as db:
            yield db
        if self._fingerprint() != before:
            message = f"{self.name} was written while it was read: read again"
            raise StoreUnavailable(message)

    def _fingerprint(self) -> tuple[int, int, int, bool]:
        status = self.path.stat()
        return status.st_ino, status.st_mtime_ns, status.st_size, Path(f"{self.path}-wal").exists()

    def _connect(self, mode: str, *, immutable: bool = False) -> sqlite3.Connection:
        uri = f"file:{quote(str(self.path))}?mode={mode}{'&immutable=1' if immutable else ''}"
        connection = sqlite3.connect(
            uri, uri=True, timeout=self._busy_timeout, isolation_level=None, check_same_thread=False
        )
        try:
            if mode == "rwc":
                self._prepare(connection)
            create(connection, self.name, writable=mode == "rwc", only_read=self._read_only)
            if self._read_only:
                connection.execute("PRAGMA query_only=ON")
        except BaseException:
            connection.close()
            raise
        return connection

    def _prepare(self, connection: sqlite3.Connection) -> None:
        # Every acknowledged commit survives a loss of power.
        connection.execute("PRAGMA synchronous=FULL")
        if self._max_page_count is not None:
            connection.execute(f"PRAGMA max_page_count={self._max_page_count:d}")
        # Leaving the rollback journal does not wait for other processes that do the same, so we do.
        until = time.monotonic() + self._busy_timeout
        while True:
            try:
                connection.execute("PRAGMA journal_mode=WAL")
            except sqlite3.OperationalError as error:
                if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > until:
                    raise
                time.sleep(0.01)
            else:
                return

    def _may_write(self) -> bool:
        """Tell whether this user may write the file, and the log that SQLite makes beside it."""
        with told(self.name, self.path):
            if self.path.exists():
                return os.access(self.path, os.W_OK) and os.access(self.path.parent, os.W_OK)
            self.path.parent.mkdir(parents=True, exist_ok=True)
            return True


_LIVE: Final[weakref.WeakSet[Connections]] = weakref.WeakSet()
_LIVE_LOCK: Final = threading.Lock()
#: Connections of a parent process that must neither be used nor closed here.
_INHERITED: Final[list[sqlite3.Connection]] = []
#: What the thread that forks has paused.
_FORK: Final = threading.local()


def _roll_back(db: sqlite3.Connection) -> None:
    if db.in_transaction:
        db.execute("ROLLBACK")


def _has_ended(thread: weakref.ref[threading.Thread]) -> bool:
    alive = thread()
    return alive is None or not alive.is_alive()


def _before_fork() -> None:
    with _LIVE_LOCK:
        _FORK.paused = list(_LIVE)
    for connections in _FORK.paused:
        connections.pause(_FORK_PATIENCE)
    _LIVE_LOCK.acquire()


def _after_in_parent() -> None:
    _LIVE_LOCK.release()
    for connections in _FORK.paused:
        connections.resume()
    del _FORK.paused


def _after_in_child() -> None:
    _LIVE_LOCK.release()
    for connections in _FORK.paused:
        connections.forget()
    del _FORK.paused


os.register_at_fork(before=_before_fork, after_in_parent=_after_in_parent, after_in_child=_after_in_child)
