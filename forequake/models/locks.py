"""One process at a time, on one machine; the lock of a process that dies is free."""

import fcntl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from forequake.errors import Interrupted

__all__ = ["locked"]

_LOOK_SECONDS: Final = 0.05


@contextmanager
def locked(
    file: Path, *, patience: float, on_wait: Callable[[], None], stop: threading.Event | None = None
) -> Iterator[None]:
    """Hold a lock on a file, which is made where it is not there and stays.

    Parameters
    ----------
    patience
        Seconds.
    on_wait
        Called once where another process, or another thread of this one, holds the lock.
    stop
        Where it is set, nothing is waited for any more.

    Raises
    ------
    TimeoutError
        Where the other one keeps the lock for longer than `patience`.
    Interrupted
        Where `stop` was set meanwhile.
    OSError
        Where the file cannot be made.
    """
    with file.open("a") as handle:
        ends = time.monotonic() + patience
        waited = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > ends:
                    message = f"another process has held {file} for {patience:g} s"
                    raise TimeoutError(message) from None
            if stop is not None and stop.is_set():
                message = f"{file} is not waited for: the run was asked to stop"
                raise Interrupted(message)
            if not waited:
                on_wait()
                waited = True
            time.sleep(_LOOK_SECONDS)
        yield
