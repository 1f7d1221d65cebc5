"""The Prefect server that runs talk to: the one that `PREFECT_API_URL` names, or a local one of our own.

The local server belongs to the user, not to a command: it is started once, keeps running, and every later
command finds it through ``server.json``. Prefect itself is not imported here, so that the environment
variables are set before anybody imports it.
"""

import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flows._prefect_api import home_of, trouble_with, wait_until_recorded, without_password
from flows._processes import end_process, free_port, is_running, last_lines, locked, start_detached
from flows._server_state import ServerFiles, ServerState, own_environment, server_environment
from forequake.environment import process_start
from forequake.errors import ServerError

__all__ = ["ApiEndpoint", "ServerStatus", "ensure_api", "server_status", "stop_server"]

#: A fresh database takes 10 s on two idle cores; a busy machine some more.
_START_SECONDS: Final = 90.0
#: A server that was started long ago but gives no answer is busy for so long at most.
_BUSY_SECONDS: Final = 20.0
_RECORD_SECONDS: Final = 15.0
_STOP_SECONDS: Final = 20.0
_TELL_EVERY_SECONDS: Final = 10.0
_LOOK_SECONDS: Final = 0.2
#: The first choice, so that links to the user interface last; near Prefect's own 4200, which may be in use.
_PORT: Final = 4207
#: Asked for in turn where a server ends at once; 0 is one that the system chooses.
_OTHER_PORTS: Final = (0, 0)
_MOST_LOG_BYTES: Final = 5_000_000


@dataclass(frozen=True)
class ApiEndpoint:
    """Where Prefect's API answers.

    Attributes
    ----------
    url
        As in `PREFECT_API_URL`, with ``/api`` at its end.
    started
        Whether this call started it.
    local
        Whether it is the local server of ours.
    """

    url: str
    started: bool
    local: bool


@dataclass(frozen=True)
class ServerStatus:
    """How the local server stands.

    Attributes
    ----------
    running
        Whether its process lives and answers.
    url, pid
        None where no process of ours lives; a process that lives but does not answer (yet) has them.
    home
        The folder of its data, `PREFECT_HOME`.
    log
        What it printed since it was started.
    """

    running: bool
    url: str | None
    pid: int | None
    home: Path
    log: Path


def ensure_api(announce: Callable[[str], None]) -> ApiEndpoint:
    """Give an API that answers, and start the local server where there is none.

    Sets `PREFECT_API_URL` and, for the local server, `PREFECT_HOME` for this process: call it before Prefect
    is imported. Commands that call it at once start one server only.

    Parameters
    ----------
    announce
        Told in words what takes long.

    Raises
    ------
    ServerError
        Where `PREFECT_API_URL` is set and nobody answers there, or where the local server does not start.
    """
    files = ServerFiles.of_user()
    named = os.environ.get("PREFECT_API_URL")
    known = files.read()
    if named and not (known is not None and named == known.url):
        return _named_api(named)
    with _only_one(files, announce):
        endpoint = _running_server(files, announce) or _start(files, announce)
    os.environ.update(own_environment(files, endpoint.url, os.environ))
    for foreign in ("PREFECT_PROFILE", "PREFECT_PROFILES_PATH", "PREFECT_API_KEY", "PREFECT_API_AUTH_STRING"):
        os.environ.pop(foreign, None)  # they belong to another server
    return endpoint


def server_status() -> ServerStatus:
    """Tell whether the local server runs, without starting it."""
    files = ServerFiles.of_user()
    state = files.read()
    if state is None or not is_running(state.pid, state.start):
        return ServerStatus(running=False, url=None, pid=None, home=files.home, log=files.log)
    running = trouble_with(state.url) is None
    return ServerStatus(running=running, url=state.url, pid=state.pid, home=files.home, log=files.log)


def stop_server() -> bool:
    """Stop the local server, after it has recorded what it was told.

    Returns
    -------
    bool
        False where it was not running.

    Raises
    ------
    ServerError
        Where another command is starting or stopping it, or where its process does not end.
    """
    files = ServerFiles.of_user()
    if not files.folder.is_dir():
        return False
    with _only_one(files, lambda _: None):
        state = files.read()
        if state is None or not is_running(state.pid, state.start):
            return False
        wait_until_recorded(state.url, _RECORD_SECONDS)
        end_process(state.pid, state.start, _STOP_SECONDS)
        if is_running(state.pid, state.start):
            message = f"the local Prefect server (process {state.pid}) does not end; end it by hand"
            raise ServerError(message)
    return True


@contextmanager
def _only_one(files: ServerFiles, announce: Callable[[str], None]) -> Iterator[None]:
    """Keep other commands from starting or stopping the server meanwhile."""
    try:
        files.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with locked(
            files.lock,
            lambda: announce("Waiting for another command that starts or stops the local Prefect server"),
            _START_SECONDS + _BUSY_SECONDS,
        ):
            yield
    except TimeoutError as error:
        message = f"the local Prefect server is being started or stopped for too long: {error}"
        raise ServerError(message) from error
    except OSError as error:
        message = f"the local Prefect server cannot be started or stopped (in {files.folder}): {error}"
        raise ServerError(message) from error


def _named_api(url: str) -> ApiEndpoint:
    trouble = trouble_with(url)
    if trouble is not None:
        message = (
            f"PREFECT_API_URL is {without_password(url)}, but that server cannot be used: {trouble}. "
            "Start that server, correct the address (it ends in /api), or unset PREFECT_API_URL to use a "
            "local server that forequake starts itself."
        )
        raise ServerError(message)
    return ApiEndpoint(url=url, started=False, local=False)


def _running_server(files: ServerFiles, announce: Callable[[str], None]) -> ApiEndpoint | None:
    """Give the local server where it runs; one that does not answer any more is ended."""
    state = files.read()
    if state is None or not is_running(state.pid, state.start):
        return None
    if trouble_with(state.url) is not None or home_of(state.url) != str(files.home):
        # A command that was interrupted may have started it a moment ago; else it is busy or stuck.
        age = time.time() - state.started_at
        announce(f"Waiting for the local Prefect server (process {state.pid}) to answer")
        if not _await_health(state, files.home, max(_BUSY_SECONDS, _START_SECONDS - age), announce):
            announce("It does not answer: starting it again")
            end_process(state.pid, state.start, _STOP_SECONDS)
            return None
    files.cut_log(_MOST_LOG_BYTES)
    return ApiEndpoint(url=state.url, started=False, local=True)


def _start(files: ServerFiles, announce: Callable[[str], None]) -> ApiEndpoint:
    announce("Starting the local Prefect server: about 10 s the first time, 5 s later")
    earlier = files.read()
    preferred = _PORT if earlier is None else earlier.port
    for wish in (preferred, *_OTHER_PORTS):
        port = free_port(wish)
        state = _launch(files, port)
        begin = time.monotonic()
        if state is not None and _await_health(state, files.home, _START_SECONDS, announce):
            announce(f"Prefect: {state.url.removesuffix('/api')} (stays up; forequake server stop ends it)")
            return ApiEndpoint(url=state.url, started=True, local=True)
        if state is not None and is_running(state.pid, state.start):
            end_process(state.pid, state.start, _STOP_SECONDS)
            if time.monotonic() - begin >= _START_SECONDS:
                raise ServerError(
                    _complaint(files, f"did not answer at {state.url} within {_START_SECONDS:g} s")
                )
        # Somebody may have taken the port between our look and the server's: so with another one.
    raise ServerError(_complaint(files, "ended while it started"))


def _launch(files: ServerFiles, port: int) -> ServerState | None:
    """Start the server's process and write down which one it is; None where it ended at once."""
    files.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    url = f"http://127.0.0.1:{port}/api"
    command = [sys.executable, "-m", "prefect", "server", "start", "--host", "127.0.0.1", "--port", str(port)]
    pid = start_detached(command, server_environment(files, url, os.environ), files.home, files.log)
    start = process_start(pid)
    if start is None:
        return None
    state = ServerState(port=port, pid=pid, start=start, started_at=time.time())
    files.write(state)
    return state


def _await_health(state: ServerState, home: Path, patience: float, announce: Callable[[str], None]) -> bool:
    """Wait until the server that keeps its data in `home` answers; False where it ends or takes too long."""
    begin = time.monotonic()
    told = begin
    while is_running(state.pid, state.start):
        if trouble_with(state.url) is None:
            # Somebody else's server may answer at this port: ours asks for it last of all, and then ends.
            return home_of(state.url) == str(home) and is_running(state.pid, state.start)
        moment = time.monotonic()
        if moment - begin > patience:
            return False
        if moment - told >= _TELL_EVERY_SECONDS:
            told = moment
            announce(f"Still waiting for it ({moment - begin:.0f} s)")
        time.sleep(_LOOK_SECONDS)
    return False


def _complaint(files: ServerFiles, what: str) -> str:
    lines = last_lines(files.log, 12)
    return f"the local Prefect server {what}. Its last words ({files.log}):\n{lines or '(nothing)'}"
