"""The processes below this one: who they are, what they hold, and how they end.

What is known only on Linux is empty elsewhere. It imports the standard library alone, since supervisors load
it in a Python of their own.
"""

import contextlib
import ctypes
import os
import resource
import signal
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

__all__ = [
    "adopt_orphans",
    "cpu_seconds",
    "descendants",
    "die_with_parent",
    "end_descendants",
    "execute",
    "go_first",
    "memory_of",
    "signal_all",
    "start_of",
    "tasks_of_user",
]

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_CHILD_SUBREAPER: Final = 36
#: For what was killed to be gone.
_LAST_SECONDS: Final = 5.0
#: For a command that ends what runs elsewhere.
_COMMAND_SECONDS: Final = 20.0
#: Processes that fork without end are not counted to their end.
_MOST_LISTED: Final = 256
#: Places in ``/proc/PID/stat`` behind the name, which may hold anything.
_TIMES: Final = slice(11, 15)
_START: Final = 19


def _prctl(option: int, value: int) -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def adopt_orphans() -> None:
    """Have processes whose parents end become children of this one, so that none escapes."""
    _prctl(_PR_SET_CHILD_SUBREAPER, 1)


def die_with_parent() -> None:
    """Have this process killed when the thread that started it ends; a change of user undoes it."""
    _prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def go_first(wanted: bool) -> None:
    """Have the system run this process before all others, where it lets us, but not the copies of it.

    Else a program that forks without end leaves no time to end it. Users but root have a limit for that.
    """
    if sys.platform == "linux":
        policy = os.SCHED_FIFO | os.SCHED_RESET_ON_FORK if wanted else os.SCHED_OTHER
        with contextlib.suppress(OSError):
            os.sched_setscheduler(0, policy, os.sched_param(1 if wanted else 0))


def tasks_of_user() -> int:
    """Count the threads of all processes of this user."""
    count = 0
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if process.stat().st_uid == os.getuid():
                count += len(os.listdir(process / "task"))  # noqa: PTH208  # a number is all that is wanted
    return count


def descendants(process: int | None = None) -> list[int]:
    """List the processes below one, by default this one; also those that left their parents."""
    found: list[int] = []
    ahead = [os.getpid() if process is None else process]
    while ahead and len(found) < _MOST_LISTED:
        below = _children(ahead.pop())
        found += below
        ahead += below
    return found


def _children(process: int) -> list[int]:
    """List the children of all threads of a process, which may end meanwhile: a glob would raise then."""
    found: list[int] = []
    tasks = f"/proc/{process}/task"
    with contextlib.suppress(OSError):
        for thread in os.listdir(tasks):  # noqa: PTH208  # names are all that is wanted
            with contextlib.suppress(OSError):
                found += [int(number) for number in Path(tasks, thread, "children").read_text().split()]
    return found


def signal_all(processes: list[int], number: int) -> None:
    """Send a signal to each process that still lives."""
    for process in processes:
        with contextlib.suppress(OSError):
            os.kill(process, number)


def execute(words: list[str], environment: Mapping[str, str]) -> None:
    """Execute a program that prints nowhere, and wait for its end, but not for ever."""
    nowhere = [(os.POSIX_SPAWN_OPEN, end, os.devnull, os.O_RDWR, 0) for end in range(3)]
    try:
        process = os.posix_spawnp(words[0], words, environment, file_actions=nowhere)
    except OSError:
        return
    deadline = time.monotonic() + _COMMAND_SECONDS
    while time.monotonic() < deadline:
        if os.waitpid(process, os.WNOHANG)[0]:
            return
        time.sleep(0.01)
    signal_all([process], signal.SIGKILL)
    os.waitpid(process, 0)


def end_descendants() -> None:
    """Kill all processes below this one and wait until they are gone."""
    deadline = time.monotonic() + _LAST_SECONDS
    while time.monotonic() < deadline:
        signal_all(descendants(), signal.SIGKILL)
        try:
            while os.waitpid(-1, os.WNOHANG)[0]:
                pass
        except ChildProcessError:
            return
        time.sleep(0.001)


def memory_of(processes: list[int], most: int) -> int:
    """Give the bytes of memory that processes hold together.

    Parameters
    ----------
    most
        Below it, what processes share may count for each of them: finding out takes longer.
    """
    resident = sum(map(_resident, processes))
    return resident if resident <= most else sum(map(_proportional, processes))


def _proportional(process: int) -> int:
    """Give a process's memory with its part of what it shares, 0 where it has ended."""
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(line.split()[1]) << 10 for line in text.splitlines() if line.startswith("Pss:"))


def _resident(process: int) -> int:
    """Give a process's memory, shared or not, 0 where it has ended."""
    try:
        pages = int(Path(f"/proc/{process}/statm").read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0
    return pages * resource.getpagesize()


def _stat(process: int) -> list[str]:
    try:
        return Path(f"/proc/{process}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return []


def cpu_seconds(processes: list[int]) -> float:
    """Give the seconds of processor time of processes and of their children that they waited for."""
    ticks = sum(int(number) for process in processes for number in _stat(process)[_TIMES])
    return ticks / os.sysconf("SC_CLK_TCK")


def start_of(process: int) -> int | None:
    """Give when a process began, in ticks since the machine did; None where it is not there or has ended."""
    fields = _stat(process)
    return int(fields[_START]) if fields and fields[0] not in "ZX" else None
