"""Running a foreign program in a folder of its own, under a supervisor process.

The supervisor (see `forequake.processes._program`) is there before the folder is filled, and goes after it.
Where this process dies, however it dies, the supervisor's input ends: it kills the program and all that the
program has started, and removes the folder. What a supervisor that was killed itself leaves behind, a later
start ends (see `forequake.processes.orphans`).
"""

import contextlib
import fcntl
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

from forequake.errors import EvaluationError, Interrupted
from forequake.processes.folders import remove_tree

__all__ = ["RUN_PREFIX", "RUN_VARIABLE", "ProgramEnding", "ProgramLimits", "ProgramRun"]

#: Begins the names of the folders of runs.
RUN_PREFIX: Final = "run-"
#: The variable that tells a process which run it belongs to.
RUN_VARIABLE: Final = "FOREQUAKE_RUN"
_LAUNCH: Final = Path(__file__).with_name("_launch.py")
_START_SECONDS: Final = 60.0
#: How much longer than its limits a program may take before its supervisor counts as lost.
_SLACK_SECONDS: Final = 30.0
#: For a supervisor that is told to leave: a folder may be large.
_LEAVE_SECONDS: Final = 60.0
_LOOK_SECONDS: Final = 0.1

_EndingKind = Literal[
    "exited", "signal", "timeout", "silence", "cpu", "memory", "processes", "disk", "cannot_start", "lost"
]


@dataclass(frozen=True)
class ProgramLimits:
    """What a program may use, with all processes that it starts.

    Attributes
    ----------
    seconds
        Of wall time.
    silence_seconds
        It is ended where it prints nothing for so long; None lets it be silent.
    cpu_seconds
        Of processor time, of all processes together; None sets no limit.
    memory_mb
        Of memory that they hold together.
    disk_mb
        Of what they write into the run's folder.
    processes
        That live at one time.
    grace_seconds
        Between SIGTERM and SIGKILL, where time has run out. Too much memory, disk or processes end at once.
    """

    seconds: float = 3600.0
    silence_seconds: float | None = None
    cpu_seconds: float | None = None
    memory_mb: int = 8192
    disk_mb: int = 20480
    processes: int = 128
    grace_seconds: float = 10.0


@dataclass(frozen=True)
class ProgramEnding:
    """How a program ended, and what it used.

    Attributes
    ----------
    kind
        ``exited``; ``signal``: something outside or a fault of its own killed it; ``cannot_start``; ``lost``:
        its supervisor has gone; else the limit that it broke.
    code
        The exit code, where it exited.
    detail
        The signal, or why it cannot start.
    output
        The end of what it printed on both of its outputs.
    output_bytes
        How much it printed.
    progress
        The last line in which it told how far it is, as JSON.
    seconds, cpu_seconds
        Wall time, and processor time of all its processes.
    peak_memory, peak_disk
        Bytes: the most that was seen at one time.
    isolated
        Whether the network was out of its reach.
    another_user
        Whether it ran as a user that is nobody else's.
    why
        Why it was not isolated, or not another user.
    left
        Processes that it left behind when it ended; they were ended, too.
    """

    kind: _EndingKind
    code: int | None = None
    detail: str = ""
    output: str = ""
    output_bytes: int = 0
    progress: Mapping[str, Any] | None = None
    seconds: float = 0.0
    cpu_seconds: float = 0.0
    peak_memory: int = 0
    peak_disk: int = 0
    isolated: bool = False
    another_user: bool = False
    why: tuple[str, ...] = ()
    left: int = 0


class ProgramRun:
    """A private folder, and one program that runs in it.

    Parameters
    ----------
    shelf
        Folder in which the folders of runs are made; it is made where it is not there.
    another_user
        Whether the program shall run as a user that is nobody else's, where this process is root's.
    stop
        Where it is set, the program is ended.
    """

    def __init__(
        self, shelf: Path, *, another_user: bool = True, stop: threading.Event | None = None
    ) -> None:
        self._shelf = shelf
        self._another_user = another_user
        self._stop = stop or threading.Event()
        self._supervisor: subprocess.Popen[bytes] | None = None
        self._pending = b""
        self._progress: Mapping[str, Any] | None = None

    def __enter__(self) -> Self:
        self._shelf.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(OSError):
            self._shelf.chmod(0o711)  # a run is reached by its name alone
        self.folder = Path(tempfile.mkdtemp(prefix=RUN_PREFIX, dir=self._shelf.resolve()))
        self._record = self.folder.with_suffix(".json")
        try:
            self._start()
        except BaseException:
            self.close()
            remove_tree(self.folder)
            self._record.unlink(missing_ok=True)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def mark(self) -> str:
        """What the environment variable `RUN_VARIABLE` of the program says."""
        return self.folder.name

    def run(
        self,
        words: Sequence[str],
        folder: Path,
        environment: Mapping[str, str],
        limits: ProgramLimits,
        *,
        places: Sequence[Path] = (),
        isolate: bool = True,
        stop: Sequence[str] = (),
        stop_environment: Mapping[str, str] | None = None,
        on_progress: Callable[[Mapping[str, Any]], None] | None = None,
        on_life: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> ProgramEnding:
        """Run a program, once, and wait for its end, which never takes much longer than the limits.

        Parameters
        ----------
        words
            The program and its arguments; no shell reads them.
        folder
            The current one of the program, in the run's folder.
        places
            Folders that it must be able to read, wherever they lie.
        isolate
            Whether to take the network from it, where the machine allows.
        stop
            A command that ends what the program runs elsewhere, as in a container; executed where the program
            does not end by itself.
        stop_environment
            The variables of that command, which are written down; by default those of the program.
        on_progress
            Called with each line in which the program tells how far it is, at most some 20 times a second.
        on_life
            Called once a second with ``seconds`` since it began, seconds that it has been ``silent``, and the
            last line that it ``said`` to people.

        Raises
        ------
        Interrupted
            Where `stop` was set meanwhile.
        """
        request = {
            "words": [_program_file(words[0], folder, environment), *words[1:]],
            "root": str(self.folder),
            "folder": str(folder),
            "environment": dict(environment) | {RUN_VARIABLE: self.mark},
            "places": [str(place) for place in places],
            "isolate": isolate,
            "stop": list(stop),
            "stop_environment": dict(environment if stop_environment is None else stop_environment),
            "limits": _told(limits),
        }
        self._send(request)
        reply = self._reply(limits.seconds + limits.grace_seconds + _SLACK_SECONDS, on_progress, on_life)
        if reply is None:
            return ProgramEnding("lost", detail=self._last_words(), progress=self._progress)
        if on_progress is not None and reply["progress"] not in (None, self._progress):
            on_progress(reply["progress"])  # a last word, which came with the end
        return _ending(reply)

    def keep(self) -> None:
        """Leave the folder where it is when the run is over."""
        self._send({"keep": True})

    def close(self) -> None:
        """End the program and whatever it has started, and remove the folder."""
        supervisor, self._supervisor = self._supervisor, None
        if supervisor is None:
            return
        with contextlib.suppress(OSError):
            supervisor.stdin.close()  # type: ignore[union-attr]
        with contextlib.suppress(subprocess.TimeoutExpired):
            supervisor.wait(_LEAVE_SECONDS)
        with contextlib.suppress(OSError):
            os.killpg(supervisor.pid, signal.SIGKILL)
        supervisor.wait()
        supervisor.stdout.close()  # type: ignore[union-attr]
        self._errors.close()

    def _start(self) -> None:
        lock = os.open(self._record, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX)
            self._errors = tempfile.TemporaryFile()  # noqa: SIM115  # it lives as long as the supervisor
            self._supervisor = subprocess.Popen(
                [sys.executable, "-I", "-S", "-X", "utf8", _LAUNCH, "_program", str(lock)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                cwd="/",
                env={},
                start_new_session=True,
                pass_fds=[lock],
            )
        except OSError as error:
            message = f"the process that watches a program cannot be started: {error.strerror or error}"
            raise EvaluationError(message) from error
        finally:
            os.close(lock)
        self._send(
            {"root": str(self.folder), "record": str(self._record), "another_user": self._another_user}
        )
        if self._reply(_START_SECONDS, None) is None:
            message = f"the process that watches a program did not start: {self._last_words()}"
            raise EvaluationError(message)

    def _send(self, request: Mapping[str, object]) -> None:
        line = json.dumps(dict(request)).encode() + b"\n"
        with contextlib.suppress(OSError):  # it has gone: the wait for its reply ends at once
            self._supervisor.stdin.write(line)  # type: ignore[union-attr]
            self._supervisor.stdin.flush()  # type: ignore[union-attr]

    def _reply(
        self,
        patience: float,
        on_progress: Callable[[Mapping[str, Any]], None] | None,
        on_life: Callable[[Mapping[str, Any]], None] | None = None,
    ) -> dict[str, Any] | None:
        """Wait for a line from the supervisor; None where it has gone or is silent for too long."""
        deadline = time.monotonic() + patience
        end = self._supervisor.stdout.fileno()  # type: ignore[union-attr]
        while True:
            while b"\n" not in self._pending:
                if self._stop.is_set():
                    self.close()
                    message = "the program was ended: the run was asked to stop"
                    raise Interrupted(message)
                if time.monotonic() > deadline:
                    return None
                if select.select([end], [], [], _LOOK_SECONDS)[0]:
                    data = os.read(end, 1 << 20)
                    if not data:
                        return None
                    self._pending += data
            line, _, self._pending = self._pending.partition(b"\n")
            reply: dict[str, Any] = json.loads(line)
            if set(reply) == {"life"}:
                if on_life is not None:
                    on_life(reply["life"])
                continue
            if set(reply) != {"progress"}:
                return reply
            self._progress = reply["progress"]
            if on_progress is not None:
                on_progress(reply["progress"])

    def _last_words(self) -> str:
        self._errors.seek(0)
        lines = self._errors.read().decode(errors="replace").splitlines()
        return next((line.strip() for line in reversed(lines) if line.strip()), "it says nothing")[:500]


def _told(limits: ProgramLimits) -> dict[str, float | None]:
    """Say the limits in the supervisor's words: seconds, bytes and numbers."""
    return {
        "seconds": limits.seconds,
        "silence": limits.silence_seconds,
        "cpu": limits.cpu_seconds,
        "memory": limits.memory_mb << 20,
        "disk": limits.disk_mb << 20,
        "processes": limits.processes,
        "grace": limits.grace_seconds,
    }


def _program_file(word: str, folder: Path, environment: Mapping[str, str]) -> str:
    """Find a program as this user, so that another one who cannot reach it does not get its namesake."""
    if os.sep in word:
        return str(folder / word)
    return shutil.which(word, path=environment.get("PATH", os.defpath)) or word


def _ending(reply: Mapping[str, Any]) -> ProgramEnding:
    """Say in our words how the supervisor saw a program end."""
    kind, code, detail = reply["end"], reply["code"], reply["detail"]
    if kind == "exited" and code < 0:
        over_time = {-signal.SIGXCPU: "cpu", -signal.SIGXFSZ: "disk"}
        kind, detail = over_time.get(code, "signal"), _signal_name(-code)
    return ProgramEnding(
        kind=kind,
        code=code if kind == "exited" else None,
        detail=detail,
        output=reply["output"],
        output_bytes=reply["output_bytes"],
        progress=reply["progress"],
        seconds=reply["seconds"],
        cpu_seconds=reply["cpu_seconds"],
        peak_memory=reply["peak_memory"],
        peak_disk=reply["peak_disk"],
        isolated=reply["isolated"],
        another_user=reply["another_user"],
        why=tuple(reply["why"]),
        left=reply["left"],
    )


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
