"""Programs that outlive the command that starts them: start, recognise, end; and one at a time."""

import errno
import fcntl
import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from forequake.environment import process_start

__all__ = ["end_process", "free_port", "is_running", "last_lines", "locked", "start_detached"]

#: How often something that is waited for is looked at.
_LOOK_SECONDS: Final = 0.1
#: A killed process is gone as soon as the kernel has cleared its memory.
_AFTER_KILL_SECONDS: Final = 10.0

#: Children of this process by number: kept so that Python asks for their exit code instead of complaining.
_children: Final[dict[int, subprocess.Popen[bytes]]] = {}


def start_detached(command: Sequence[str], environment: Mapping[str, str], folder: Path, log: Path) -> int:
    """Start a program in its own session, out of reach of the terminal's Ctrl-C; give its number.

    Parameters
    ----------
    folder
        Where the program starts.
    log
        Begins empty and takes everything that the program prints. It is opened for appending, so that it may
        be cut while the program writes.
    """
    log.write_bytes(b"")
    with log.open("ab") as output:
        process = subprocess.Popen(
            command,
            env=dict(environment),
            cwd=folder,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
    _children[process.pid] = process
    return process.pid


def is_running(number: int, start: str) -> bool:
    """Tell whether the process with this number and this start (see `process_start`) lives."""
    return process_start(number) == start


def end_process(number: int, start: str, grace: float) -> None:
    """End a process with SIGINT, and with SIGKILL where it still lives after `grace` seconds.

    A process that only took the same number later is left alone.
    """
    for wanted, patience in ((signal.SIGINT, grace), (signal.SIGKILL, _AFTER_KILL_SECONDS)):
        if not is_running(number, start):
            break
        os.kill(number, wanted)
        deadline = time.monotonic() + patience
        while is_running(number, start) and time.monotonic() < deadline:
            time.sleep(_LOOK_SECONDS)
    child = _children.get(number)
    if child is not None and child.poll() is not None:
        del _children[number]


def free_port(preferred: int) -> int:
    """Give `preferred` where it is free on this machine, else a free port that the system chooses."""
    for port in (preferred, 0):
        with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as error:
                if port == 0 or error.errno not in {errno.EADDRINUSE, errno.EACCES}:
                    raise
                continue
            return int(probe.getsockname()[1])
    raise AssertionError  # the system's choice either binds or raises


@contextmanager
def locked(file: Path, on_wait: Callable[[], None], patience: float) -> Iterator[None]:
    """Hold a lock on a file; the system gives it back even where this process is killed.

    Parameters
    ----------
    on_wait
        Called once where another process holds the lock.

    Raises
    ------
    TimeoutError
        Where the other process keeps the lock for longer than `patience` seconds.
    """
    with file.open("a") as handle:
        deadline = time.monotonic() + patience
        waited = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    message = f"another process has held {file} for {patience:g} s"
                    raise TimeoutError(message) from None
                if not waited:
                    on_wait()
                    waited = True
                time.sleep(_LOOK_SECONDS)
            else:
                break
        yield


def last_lines(log: Path, count: int) -> str:
    """Give the last lines of a log that say something."""
    try:
        text = log.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""
    return "\n".join([line for line in text.splitlines() if line.strip()][-count:])
