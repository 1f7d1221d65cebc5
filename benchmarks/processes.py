"""What programs take, their children and the servers that they leave behind included."""

import os
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

__all__ = ["Spent", "load_in_words", "run_measured", "tree_seconds"]

_TICKS = os.sysconf("SC_CLK_TCK")
_LOOK_SECONDS = 0.1


class Spent(NamedTuple):
    """What a program took: seconds, and the greatest memory of its first process in MB.

    Attributes
    ----------
    cpu
        Of the program and of all its children that have ended.
    code
        Its exit code.
    output
        What it printed, errors included.
    """

    wall: float
    cpu: float
    memory: float
    code: int
    output: str


def run_measured(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Spent:
    """Run a program to its end."""
    log = folder / "output.txt"
    begun = time.perf_counter()
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, env=dict(environment), cwd=folder, stdout=output, stderr=subprocess.STDOUT
        )
    peak = _Peak(process.pid)
    _, status, usage = os.wait4(process.pid, 0)
    wall = time.perf_counter() - begun
    process.returncode = os.waitstatus_to_exitcode(status)
    return Spent(
        wall=wall,
        cpu=usage.ru_utime + usage.ru_stime,
        memory=peak.end(),
        code=process.returncode,
        output=log.read_text(encoding="utf-8", errors="replace"),
    )


def tree_seconds(number: int) -> float:
    """Give the CPU seconds that a process and its children have taken; 0 where it is gone."""
    try:
        fields = Path(f"/proc/{number}/stat").read_text(encoding="ascii").rpartition(")")[2].split()
        children = Path(f"/proc/{number}/task/{number}/children").read_text(encoding="ascii").split()
    except OSError:
        return 0.0
    own = sum(int(ticks) for ticks in fields[11:15]) / _TICKS  # also of children that have ended
    return own + sum(tree_seconds(int(child)) for child in children)


def load_in_words() -> str:
    """Say what times on the wall are worth: how much the machine had to do lately."""
    load, cores = os.getloadavg()[2], os.cpu_count() or 1
    what = (
        "other work ran beside it and made times on the wall longer" if load > 2 * cores else "it was quiet"
    )
    return f"The machine had a load of {load:.0f}: {what}."


class _Peak:
    """Looks at the memory of a process now and then: the kernel forgets its peak when it ends."""

    def __init__(self, number: int) -> None:
        self._status = Path(f"/proc/{number}/status")
        self._most = 0.0
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self._thread.start()

    def end(self) -> float:
        self._done.set()
        self._thread.join()
        return self._most

    def _look(self) -> None:
        while not self._done.wait(_LOOK_SECONDS):
            try:
                words = self._status.read_text(encoding="ascii").split()
            except OSError:
                return
            if "VmHWM:" in words:
                self._most = int(words[words.index("VmHWM:") + 1]) / 1024
