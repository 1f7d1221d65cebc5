"""Programs that outlived those who watched them: found at the next start, and ended.

It takes a supervisor that was killed, or a machine that went down. The record of each run, beside its folder,
is locked as long as its supervisor lives, and the lock goes with that process.
"""

import contextlib
import fcntl
import json
import os
import signal
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from forequake.processes._isolation import mark_user
from forequake.processes.below import descendants, execute, signal_all, start_of
from forequake.processes.folders import remove_strays, remove_tree
from forequake.processes.program import RUN_PREFIX, RUN_VARIABLE

__all__ = ["EndedOrphan", "end_orphans"]

_LAST_SECONDS: Final = 5.0


@dataclass(frozen=True)
class EndedOrphan:
    """A run whose supervisor has gone.

    Attributes
    ----------
    run
        Name of its folder, which is gone now.
    processes
        Numbers of the processes that were ended.
    """

    run: str
    processes: tuple[int, ...]


def end_orphans(shelf: Path) -> list[EndedOrphan]:
    """End what runs left behind whose supervisors have gone, and remove their folders.

    Runs that are under way are left alone, whoever they belong to.

    Parameters
    ----------
    shelf
        As of `forequake.processes.ProgramRun`.
    """
    ended = []
    for record in sorted(shelf.resolve().glob(f"{RUN_PREFIX}*.json")):
        try:
            file = os.open(record, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue  # it has just ended
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if record.exists():
                ended.append(_end(record))
        except OSError:
            continue  # it is under way
        finally:
            os.close(file)
    return ended


def _end(record: Path) -> EndedOrphan:
    folder = record.with_suffix("")
    try:
        about: dict[str, Any] = json.loads(record.read_text())
    except ValueError:  # it was killed before it wrote it
        about = {}
    # Another run may be that user by now.
    mark = None if about.get("user") is None else mark_user(about["user"])
    if mark is None:
        about["user"] = None
    processes: dict[int, None] = {}
    deadline = time.monotonic() + _LAST_SECONDS
    while time.monotonic() < deadline and (living := _belonging(folder, about)):
        processes |= dict.fromkeys(living)
        signal_all(living, signal.SIGKILL)
        time.sleep(0.01)
    if about.get("stop"):
        execute(about["stop"]["words"], about["stop"]["environment"])
    if mark is not None:
        remove_strays(about["user"])
        mark.close()
    remove_tree(folder)
    record.unlink(missing_ok=True)
    return EndedOrphan(folder.name, tuple(processes))


def _belonging(folder: Path, about: dict[str, Any]) -> list[int]:
    """List the living processes of a run: by its mark, its user, its folder, or below one of these."""
    mark = f"{RUN_VARIABLE}={folder.name}".encode()
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        number = int(place.name)
        with contextlib.suppress(OSError):
            start = start_of(number)
            if start is None or number == os.getpid():
                continue
            if (
                [number, start] == about.get("program")
                or place.stat().st_uid == about.get("user")
                or mark in (place / "environ").read_bytes().split(b"\0")
                or Path(os.readlink(place / "cwd")).is_relative_to(folder)  # noqa: PTH115
            ):
                found.append(number)
    return [*found, *(below for number in found for below in descendants(number) if below not in found)]
