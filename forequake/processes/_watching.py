"""One foreign program from its start to its end, and what it uses meanwhile.

It imports the standard library alone, since the supervisor loads it in a Python of its own.
"""

import contextlib
import fcntl
import json
import os
import resource
import select
import signal
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, Protocol

from forequake.processes._isolation import become, leave_network, show
from forequake.processes._output import Output
from forequake.processes.below import (
    cpu_seconds,
    descendants,
    end_descendants,
    go_first,
    memory_of,
    signal_all,
    start_of,
    tasks_of_user,
)
from forequake.processes.folders import disk_use

__all__ = ["Program", "SharedRun"]

_LOOK_SECONDS: Final = 0.05
_LIFE_SECONDS: Final = 1.0
_DISK_SECONDS: Final = 0.2
#: Looking through the folder takes at most this part of the time.
_DISK_SHARE: Final = 0.1
_MOST_FILES: Final = 100_000
_PIPE_BYTES: Final = 1 << 20
_F_SETPIPE_SZ: Final = 1031
#: Address space is reserved far beyond the memory that is used.
_SPACE_FACTOR: Final = 4
_SPARE_SPACE: Final = 4 << 30
_SPARE_TASKS: Final = 1024
#: After these a program may still put its things in order.
_PATIENT: Final = frozenset({"timeout", "silence", "cpu"})


class SharedRun(Protocol):
    """What a program needs of the run that it belongs to.

    Attributes
    ----------
    requests
        Where requests come from; their end ends the run.
    """

    requests: int

    def prepare(self) -> int | None:
        """Give the folder to the user that the program will be, and that one's number."""

    def forget_user(self) -> None:
        """Give the folder back to the user that this process is, whom the program will be."""

    def started(self, child: int, stop: Mapping[str, Any] | None) -> None:
        """Take note of the program's process, and of what ends all that it runs elsewhere."""

    def stop_elsewhere(self, *, ended: bool = False) -> None:
        """End what the program runs elsewhere, unless it has ended."""

    def hear(self) -> None:
        """Take note of what comes in, or leave where it ends."""

    def look_up(self) -> None:
        """Leave where nobody waits for an answer any more."""

    def tell_news(self, kind: str, news: Mapping[str, Any]) -> None:
        """Pass on how far the program is: its ``progress``, or a sign of ``life``."""


class Program:
    """A program from its start to its end.

    A request has ``words``, ``folder``, ``environment``, ``root`` (the run's folder), ``places`` (folders it
    must be able to read), ``isolate`` and ``limits``: ``seconds``, ``grace``, ``memory``, ``disk`` (bytes),
    ``processes``, and where they are asked for ``silence`` and ``cpu`` (seconds). ``stop`` are the words of a
    command that ends what the program runs elsewhere, where it does, with ``stop_environment``.
    """

    def __init__(self, run: "SharedRun", request: Mapping[str, Any]) -> None:
        self._run = run
        self._request = request
        self._limits: Mapping[str, Any] = request["limits"]
        self._end = "exited"
        self._child = 0
        self._status: int | None = None
        self._isolated = self._own = False
        self._next_disk = 0.0
        self._before = 0
        self._why: list[str] = []
        self._peak_memory = self._peak_disk = 0
        self._cpu = 0.0
        self._folder = Path(request["root"])

    def run(self) -> dict[str, Any]:
        """Run the program to its end, and say how it went."""
        begun = time.monotonic()
        self._before = disk_use(self._folder, _MOST_FILES)[0]
        ends = os.pipe()
        failure = self._start(*ends)
        os.close(ends[1])
        if failure is not None:
            os.close(ends[0])
            return self._told("cannot_start", failure, begun, Output(), 0)
        output = Output()
        self._watch(ends[0], output, begun)
        left = len(self._living())
        go_first(True)
        signal_all(descendants(), signal.SIGKILL)
        end_descendants()
        go_first(False)
        self._run.stop_elsewhere(ended=self._end == "exited" and (self._status or 0) >= 0)
        output.drain(ends[0])
        os.close(ends[0])
        self._peak_disk = max(self._peak_disk, disk_use(self._folder, _MOST_FILES)[0] - self._before)
        if self._end == "exited" and self._peak_disk >= self._limits["disk"]:
            self._end = "disk"  # the system refused it more before it was seen here
        return self._told(self._end, "", begun, output, left)

    def _told(self, end: str, detail: str, begun: float, output: Output, left: int) -> dict[str, Any]:
        used = resource.getrusage(resource.RUSAGE_CHILDREN)
        return {
            "end": end,
            "detail": detail,
            "code": self._status,
            "output": output.tail,
            "output_bytes": output.size,
            "progress": output.progress,
            "seconds": time.monotonic() - begun,
            "cpu_seconds": used.ru_utime + used.ru_stime,
            "peak_memory": max(self._peak_memory, used.ru_maxrss << 10),
            "peak_disk": self._peak_disk,
            "isolated": self._isolated,
            "another_user": self._own,
            "why": self._why,
            "left": left,
        }

    def _living(self) -> list[int]:
        return [process for process in descendants() if start_of(process) is not None]

    def _start(self, output: int, to_output: int) -> str | None:
        """Start the program as another user, or as this one where that cannot be; give why neither can."""
        number = self._run.prepare()
        self._own = number is not None
        failure = self._fork(output, to_output, number)
        if failure is None or number is None:
            return failure
        self._why.append(f"not as another user: {failure}")
        self._run.forget_user()
        self._own = False
        return self._fork(output, to_output, None)

    def _fork(self, output: int, to_output: int, user: int | None) -> str | None:
        news, to_news = os.pipe2(os.O_CLOEXEC)
        most_tasks = _SPARE_TASKS if user is not None else tasks_of_user() + _SPARE_TASKS
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                os.close(output)
                self._become_program(to_output, to_news, user, most_tasks)
            os._exit(70)
        os.close(to_news)
        self._child = child
        with open(news, "rb") as told:  # noqa: PTH123  # it ends with the start
            words = told.read()
        lines = [json.loads(line) for line in words.splitlines()]
        if not lines or "failure" in lines[-1]:
            os.waitpid(child, 0)
            return str(lines[-1]["failure"]) if lines else "it was ended while it started"
        self._isolated = bool(lines[0]["isolated"])
        if lines[0]["why"]:
            self._why.append(str(lines[0]["why"]))
        self._run.started(child, self._stop())
        return None

    def _stop(self) -> Mapping[str, Any] | None:
        words = self._request["stop"]
        return {"words": words, "environment": self._request["stop_environment"]} if words else None

    def _become_program(self, to_output: int, to_news: int, user: int | None, most_tasks: int) -> None:
        request = self._request
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGPIPE, signal.SIGXFSZ):
            signal.signal(number, signal.SIG_DFL)
        os.setsid()
        os.dup2(to_output, 1)
        os.dup2(to_output, 2)
        words: list[str] = request["words"]
        why = leave_network() if request["isolate"] else "the environment isolates itself"
        places = [Path(place) for place in request["places"]]
        failure: str | None = None
        try:
            if user is not None:
                show(places, self._folder)
        except OSError as error:
            failure = f"the folders that are closed to others cannot be shown ({error.strerror})"
        if failure is None:
            self._set_limits(most_tasks)
            failure = become(user, Path(request["folder"]), words[0], places if user is not None else [])
        news = {"isolated": why is None, "why": why}
        os.write(to_news, json.dumps(news).encode() + b"\n")
        if failure is None:
            try:
                os.execvpe(words[0], words, request["environment"])  # noqa: S606  # words, no shell
            except OSError as error:
                failure = f"{words[0]}: {error.strerror}"
        os.write(to_news, json.dumps({"failure": failure}).encode() + b"\n")

    def _set_limits(self, most_tasks: int) -> None:
        limits = self._limits
        cpu = int(limits["cpu"]) + 1 if limits["cpu"] is not None else resource.RLIM_INFINITY
        space = _SPACE_FACTOR * limits["memory"] + _SPARE_SPACE
        wanted = (
            (resource.RLIMIT_AS, space, space),
            (resource.RLIMIT_CPU, cpu, cpu),
            (resource.RLIMIT_CORE, 0, 0),
            (resource.RLIMIT_FSIZE, limits["disk"], limits["disk"]),
            (resource.RLIMIT_NPROC, most_tasks, most_tasks),
        )
        for kind, soft, hard in wanted:
            # Some systems refuse some of them; what is watched remains.
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(kind, (soft, hard))

    def _watch(self, end: int, output: Output, begun: float) -> None:
        """Read what the program prints until it has ended by itself or for a limit."""
        os.set_blocking(end, False)
        with contextlib.suppress(OSError):
            fcntl.fcntl(end, _F_SETPIPE_SZ, _PIPE_BYTES)
        looked, next_life = 0.0, begun + _LIFE_SECONDS
        ending: float | None = None
        open_ends = [end, self._run.requests]
        while not self._reap():
            for ready in select.select(open_ends, [], [], _LOOK_SECONDS)[0]:
                if ready == self._run.requests:
                    self._run.hear()
                elif not output.read(end):
                    open_ends.remove(end)
            moment = time.monotonic()
            if moment < looked + _LOOK_SECONDS:
                continue
            looked = moment
            self._run.look_up()
            if output.news is not None:
                self._run.tell_news("progress", output.news)
                output.news = None
            if moment >= next_life:
                next_life = moment + _LIFE_SECONDS
                silent = moment - max(output.last, begun)
                life = {"seconds": moment - begun, "silent": silent, "said": output.said}
                self._run.tell_news("life", life)
            if ending is None:
                excess = self._excess(moment, begun, output)
                if excess is not None:
                    self._end = excess
                    self._run.stop_elsewhere()
                    ending = moment + (self._limits["grace"] if excess in _PATIENT else 0.0)
                    signal_all(descendants(), signal.SIGTERM)
            elif moment > ending:
                signal_all(descendants(), signal.SIGKILL)

    def _reap(self) -> bool:
        """Take note of processes that have ended; tell whether the program is among them."""
        with contextlib.suppress(ChildProcessError):
            while (found := os.waitpid(-1, os.WNOHANG))[0]:
                if found[0] == self._child:
                    self._status = os.waitstatus_to_exitcode(found[1])
                    return True
        return False

    def _excess(self, moment: float, begun: float, output: Output) -> str | None:
        """Tell which limit the program has broken."""
        limits = self._limits
        if moment - begun > limits["seconds"]:
            return "timeout"
        if limits["silence"] is not None and moment - max(output.last, begun) > limits["silence"]:
            return "silence"
        below = descendants()
        if len(below) > limits["processes"]:
            return "processes"
        self._peak_memory = max(self._peak_memory, memory_of(below, limits["memory"]))
        if self._peak_memory > limits["memory"]:
            return "memory"
        if limits["cpu"] is not None:
            used = resource.getrusage(resource.RUSAGE_CHILDREN)
            if cpu_seconds(below) + used.ru_utime + used.ru_stime > limits["cpu"]:
                return "cpu"
        return self._disk_excess(moment)

    def _disk_excess(self, moment: float) -> str | None:
        if moment < self._next_disk:
            return None
        size, files = disk_use(self._folder, _MOST_FILES)
        taken = time.monotonic() - moment
        self._next_disk = moment + max(_DISK_SECONDS, taken / _DISK_SHARE)
        self._peak_disk = max(self._peak_disk, size - self._before)
        return "disk" if self._peak_disk >= self._limits["disk"] or files > _MOST_FILES else None
