"""Running functions of a foreign file in a process of their own.

A fresh Python loads the packages that the file imports; each call then runs in a forked copy of it (see
`forequake.processes._server`), so that a call costs milliseconds and sees nothing of the calls before it. The
copy has its own limits of time, memory and processes, an environment without our settings and addresses, and
the declared files alone, in a private folder. It protects from mistakes, not from malice: the file system and
the network are those of the user.

Any thread may use it, since nothing of this process is forked. Where this process dies, however it dies, the
server's input ends, and the server kills what runs below it and removes its folder.
"""

import contextlib
import json
import os
import select
import shutil
import signal
import site
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Literal, Self

from pydantic import JsonValue

from forequake.errors import EvaluationError, Interrupted
from forequake.processes.environment import foreign_environment

__all__ = ["Ending", "FunctionProcess", "Limits"]

_LAUNCH: Final = Path(__file__).with_name("_launch.py")
#: Large packages on a slow disk are imported within it.
_START_SECONDS: Final = 120.0
#: How much longer than its limit a call may take before its server counts as lost.
_SLACK_SECONDS: Final = 15.0
#: For a server that is told to leave.
_LEAVE_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.1


@dataclass(frozen=True)
class Limits:
    """What one call may use.

    Attributes
    ----------
    seconds
        Of wall time; the processor time of each of its processes is limited to the same.
    memory_mb
        Of each of its processes, and of what all of them together hold in memory.
    """

    seconds: float = 300.0
    memory_mb: int = 4096


@dataclass(frozen=True)
class Ending:
    """How a call ended.

    Attributes
    ----------
    kind
        ``answer``; ``import`` and ``call``: an error was raised there; ``exit``: the code ended its process;
        ``signal``: something killed it; ``timeout``, ``memory``, ``processes``: a limit did; ``lost``: the
        process that serves the calls has gone; ``unreadable``: what came back is no JSON.
    value
        The answer.
    detail
        The error, the exit code or the signal in words.
    trace
        Of an error: the lines of the foreign files that it went through, the last one last.
    output
        The end of what the call printed.
    """

    kind: Literal[
        "answer", "import", "call", "exit", "signal", "timeout", "memory", "processes", "lost", "unreadable"
    ]
    value: JsonValue = None
    detail: str = ""
    trace: tuple[str, ...] = ()
    output: str = ""


class FunctionProcess:
    """A process that calls the functions of one file, one call at a time.

    Parameters
    ----------
    files
        All files that the code may read, by their relative paths.
    file
        The one of them with the functions. Its folder is the first on the import path and the current one.
    adapter
        A module of ours that the other process loads by its path. Its ``call(function, payload)`` makes of
        the payload what the function takes, calls it, and gives an answer that is JSON.
    preload
        Packages that the files import, loaded once for all calls.
    stop
        Where it is set, a call that is under way is ended.
    """

    def __init__(
        self,
        files: Mapping[str, bytes],
        file: str,
        adapter: Path,
        *,
        preload: Iterable[str] = (),
        stop: threading.Event | None = None,
    ) -> None:
        self._file = file
        self._setup = {"adapter": str(adapter), "preload": list(preload), "beside": str(Path(file).parent)}
        self._files = dict(files)
        self._stop = stop or threading.Event()
        self._server: subprocess.Popen[bytes] | None = None
        self._root: Path | None = None
        self._pending = b""
        self._group: int | None = None  # of the processes of the call that is under way

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    @property
    def scratch(self) -> Path:
        """The private folder for what is handed over; it goes with the process.

        Raises
        ------
        EvaluationError
            Where the process cannot be started.
        """
        self._start()
        assert self._root is not None  # noqa: S101  # it was just made
        return self._root / "data"

    def call(self, function: str, payload: dict[str, JsonValue], limits: Limits) -> Ending:
        """Call a function and wait for its end, which never takes much longer than the limits.

        Raises
        ------
        EvaluationError
            Where the process cannot be started.
        Interrupted
            Where `stop` was set meanwhile.
        """
        self._start()
        request: dict[str, JsonValue] = {
            "file": self._file,
            "function": function,
            "payload": payload,
            "seconds": limits.seconds,
            "memory": limits.memory_mb << 20,
        }
        before = self._handed_over()
        self._send(request)
        reply = self._reply(limits.seconds + _SLACK_SECONDS)
        if reply is not None and "group" in reply:
            self._group = int(reply["group"])
            reply = self._reply(limits.seconds + _SLACK_SECONDS)
        if reply is None:
            told = self._last_words()
            self.close()
            return Ending("lost", detail=told)
        self._group = None
        if self._handed_over() != before:  # the next call must not see it
            self.close()
        return _ending(reply)

    def close(self) -> None:
        """End the process and whatever runs below it, and remove its folder."""
        server, self._server = self._server, None
        if server is not None:
            with contextlib.suppress(OSError):
                server.stdin.close()  # type: ignore[union-attr]
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.wait(_LEAVE_SECONDS)
            for group in (server.pid, self._group):  # also where it left: what stayed behind goes
                if group is not None:
                    with contextlib.suppress(OSError):
                        os.killpg(group, signal.SIGKILL)
            server.wait()
            server.stdout.close()  # type: ignore[union-attr]
        root, self._root, self._pending, self._group = self._root, None, b"", None
        if root is not None:
            shutil.rmtree(root, ignore_errors=True)

    def _start(self) -> None:
        if self._server is not None and self._server.poll() is None:
            return
        self.close()
        self._root = root = Path(tempfile.mkdtemp(prefix="forequake-"))
        try:
            for name in ("code", "data", "home", "tmp"):
                (root / name).mkdir()
            for name, data in self._files.items():
                place = root / "code" / name
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_bytes(data)
                place.chmod(0o400)
            with (root / "errors.txt").open("wb") as errors:
                self._server = subprocess.Popen(
                    [
                        sys.executable,
                        "-P",
                        *([] if site.ENABLE_USER_SITE else ["-s"]),
                        "-X",
                        "utf8",
                        _LAUNCH,
                        "_server",
                    ],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    cwd=root,
                    env=foreign_environment(root),
                    start_new_session=True,
                )
        except OSError as error:
            self.close()
            message = f"a process for {self._file} cannot be started: {error.strerror or error}"
            raise EvaluationError(message) from error
        self._send({"root": str(root), "folder": str(root / "code"), **self._setup})
        ready = self._reply(_START_SECONDS)
        if ready is None:
            told = self._last_words()
            self.close()
            message = f"the process for {self._file} did not start: {told or 'it says nothing'}"
            raise EvaluationError(message)

    def _handed_over(self) -> dict[str, tuple[int, ...]]:
        """Give what tells whether the files that calls share were touched: nothing sets back their ctime."""
        found: dict[str, tuple[int, ...]] = {}
        for name in ("code", "data"):
            for folder, _, files in os.walk(self._root / name):  # type: ignore[operator]
                for place in (folder, *(os.path.join(folder, file) for file in files)):  # noqa: PTH118  # fast
                    with contextlib.suppress(OSError):
                        about = os.lstat(place)
                        found[place] = about.st_ino, about.st_size, about.st_ctime_ns
        return found

    def _send(self, request: Mapping[str, object]) -> None:
        line = json.dumps(dict(request)).encode() + b"\n"
        with contextlib.suppress(OSError):  # it has gone: the wait for its reply ends at once
            server = self._server
            server.stdin.write(line)  # type: ignore[union-attr]
            server.stdin.flush()  # type: ignore[union-attr]

    def _reply(self, patience: float) -> dict[str, Any] | None:
        """Wait for a line from the server; None where it has gone or is silent for too long."""
        deadline = time.monotonic() + patience
        end = self._server.stdout.fileno()  # type: ignore[union-attr]
        while b"\n" not in self._pending:
            if self._stop.is_set():
                self.close()
                message = f"{self._file} was ended: the run was asked to stop"
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
        return reply

    def _last_words(self) -> str:
        try:
            lines = (self._root / "errors.txt").read_text(errors="replace").split("\n")  # type: ignore[operator]
        except OSError:
            return ""
        return next((line.strip() for line in reversed(lines) if line.strip()), "")[:500]


def _ending(reply: Mapping[str, Any]) -> Ending:
    """Say in our words how the server saw a call end."""
    code, end, output = int(reply["code"]), reply["end"], str(reply["output"]).strip()
    if end != "exited":
        return Ending("unreadable" if end == "answer" else end, output=output)
    if code == -signal.SIGXCPU:
        return Ending("timeout", output=output)
    if code < 0:
        return Ending("signal", detail=_signal_name(-code), output=output)
    if not reply["answer"]:
        return Ending("exit", detail=str(code), output=output)
    try:
        told = json.loads(reply["answer"])
        stage = told["stage"]
    except (ValueError, TypeError, KeyError):
        return Ending("unreadable", detail=reply["answer"][:100], output=output)
    if stage == "answer":
        return Ending("answer", value=told["value"], output=output)
    if stage == "exit":
        return Ending("exit", detail=told["code"], output=output)
    kind: Literal["memory", "import", "call"] = "memory" if told["memory"] else stage
    return Ending(kind, detail=told["error"], trace=tuple(told["trace"]), output=output)


def _signal_name(number: int) -> str:
    try:
        return signal.Signals(number).name
    except ValueError:
        return f"signal {number}"
