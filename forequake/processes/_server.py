"""Calls functions of a foreign file, each call in a forked copy of this process.

This module is started in a fresh Python that knows nothing of forequake (see
`forequake.processes.supervisor`): it imports the standard library alone, and its one thread makes forking
safe. The packages that the foreign file imports are loaded once, before any call; the file itself is executed
in each copy, so that no call sees what another one left behind.

Requests come as lines of JSON on standard input, answers go as lines of JSON to what was standard output.
When the input ends, because the process that asked has gone, everything that runs below here is killed.
"""

import contextlib
import importlib
import importlib.util
import json
import linecache
import math
import os
import resource
import select
import shutil
import signal
import sys
import time
import traceback
from pathlib import Path
from types import ModuleType
from typing import Any, Final

from forequake.processes.below import (
    adopt_orphans,
    descendants,
    die_with_parent,
    end_descendants,
    go_first,
    memory_of,
    signal_all,
    tasks_of_user,
)

__all__ = ["Call", "main"]

#: Between SIGTERM and SIGKILL.
_GRACE_SECONDS: Final = 2.0
#: How often running processes are looked at.
_LOOK_SECONDS: Final = 0.05
#: Of what a call prints, this much of its end is kept.
_OUTPUT_BYTES: Final = 8192
#: A longer answer is no answer.
_ANSWER_BYTES: Final = 64 << 20
_MOST_PROCESSES: Final = 32
_SPARE_TASKS: Final = 1024
_MOST_FRAMES: Final = 6
_MOST_LETTERS: Final = 1000


def _load(name: str, file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        message = f"{file} is no module"
        raise ImportError(message)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


def _preload(names: list[str]) -> None:
    for name in names:
        # What cannot be imported is told by the call, with the line that wants it.
        with contextlib.suppress(BaseException):
            importlib.import_module(name)


class Call:
    """One call in a copy of this process, and all processes that it starts.

    A request has ``file``, ``function`` and ``payload``, and as limits ``seconds`` and ``memory`` (bytes).
    """

    def __init__(self, request: dict[str, Any], server: "_Server") -> None:
        self._request = request
        self._server = server
        self._answer = bytearray()
        self._output = b""
        self._end = "exited"
        self._child = 0

    def run(self) -> dict[str, Any]:
        """Make the call and give how it ended, or leave this process where the asker has gone."""
        answer, to_answer = os.pipe()
        output, to_output = os.pipe()
        parent = os.getpid()
        go_first(True)
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                os.close(answer)
                os.close(output)
                self._become_callee(parent, to_answer, to_output)
            os._exit(70)
        self._child = child
        with contextlib.suppress(OSError):  # whoever of the two is first
            os.setpgid(child, child)
        self._server.tell({"group": child})
        os.close(to_answer)
        os.close(to_output)
        code = self._watch(answer, output)
        self._signal(signal.SIGKILL)
        end_descendants()
        go_first(False)
        os.close(answer)
        os.close(output)
        return {
            "end": self._end,
            "code": code,
            "answer": self._answer.decode("utf-8", errors="replace"),
            "output": self._output.decode("utf-8", errors="replace"),
        }

    def _become_callee(self, parent: int, to_answer: int, to_output: int) -> None:
        die_with_parent()
        if os.getppid() != parent:
            return
        os.setpgid(0, 0)
        self._server.close()
        os.dup2(to_output, 1)
        os.dup2(to_output, 2)
        os.close(to_output)
        sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]
        self._set_limits()
        # Halves of characters, which no store takes, become question marks.
        answer = json.dumps(self._call(), ensure_ascii=False).encode(errors="replace")
        with contextlib.suppress(Exception):
            sys.stdout.flush()
        while answer:
            answer = answer[os.write(to_answer, answer) :]
        os._exit(0)

    def _set_limits(self) -> None:
        seconds = math.ceil(self._request["seconds"]) + 1
        wanted = (
            (resource.RLIMIT_AS, self._request["memory"], self._request["memory"]),
            (resource.RLIMIT_CPU, seconds, seconds + math.ceil(_GRACE_SECONDS)),
            (resource.RLIMIT_CORE, 0, 0),
            (resource.RLIMIT_NPROC, self._server.most_tasks, self._server.most_tasks),
        )
        for kind, soft, hard in wanted:
            # Some systems refuse some of them; the clock and the look at memory remain.
            with contextlib.suppress(ValueError, OSError):
                resource.setrlimit(kind, (soft, hard))

    def _call(self) -> dict[str, Any]:
        stage = "import"
        file = self._server.folder / self._request["file"]
        try:
            # A file may have the name of a module that is loaded, which others look up under it.
            module = _load(f"{file.stem}_" if file.stem in sys.modules else file.stem, file)
            stage = "call"
            function = getattr(module, self._request["function"])
            return {"stage": "answer", "value": self._server.adapter.call(function, self._request["payload"])}
        except SystemExit as error:
            return {"stage": "exit", "code": str(error.code)}
        except BaseException as error:  # noqa: BLE001  # whatever the foreign code raises is told
            return {
                "stage": stage,
                "error": _named(error),
                "memory": isinstance(error, MemoryError),
                "trace": self._trace(error),
            }

    def _trace(self, error: BaseException) -> list[str]:
        """Give the last lines of the traceback that lie in the foreign files."""
        folder = str(self._server.folder)
        if isinstance(error, SyntaxError) and str(error.filename).startswith(folder):
            return [
                f"{os.path.relpath(str(error.filename), folder)}:{error.lineno}: {(error.text or '').strip()}"
            ]
        frames = [
            frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(folder)
        ]
        return [
            f"{os.path.relpath(frame.filename, folder)}:{frame.lineno}, in {frame.name}: "
            f"{linecache.getline(frame.filename, frame.lineno or 0).strip()}"
            for frame in frames[-_MOST_FRAMES:]
        ]

    def _watch(self, answer: int, output: int) -> int:
        """Wait for a call's end, within its limits; give its exit code, negative for a signal."""
        deadline = time.monotonic() + self._request["seconds"]
        killing: float | None = None
        open_ends = {answer, output, self._server.requests}
        while True:
            # An answer that has ended comes from a process that is about to.
            pause = _LOOK_SECONDS if answer in open_ends else 0.001
            for end in select.select(open_ends, [], [], pause)[0]:
                data = os.read(end, 1 << 16)
                if end == self._server.requests and not data:
                    self._server.leave()
                if not data:
                    open_ends.discard(end)
                elif end == answer:
                    self._answer += data
                elif end == output:
                    self._output = (self._output + data)[-_OUTPUT_BYTES:]
            ended, status = os.waitpid(self._child, os.WNOHANG)
            if ended:
                self._drain(answer, output)
                return os.waitstatus_to_exitcode(status)
            moment = time.monotonic()
            if killing is None:
                excess = self._excess(deadline)
                if excess is not None:
                    self._end, killing = excess, moment + _GRACE_SECONDS
                    self._signal(signal.SIGTERM)
            elif moment > killing or self._end == "processes":
                self._signal(signal.SIGKILL)

    def _signal(self, number: int) -> None:
        """Send a signal to all processes of this call."""
        # The group at one blow, so that no fork escapes; then those that left it.
        with contextlib.suppress(OSError):
            os.killpg(self._child, number)
        signal_all(descendants(), number)

    def _drain(self, answer: int, output: int) -> None:
        """Read what lies in the pipes, without waiting for processes that still hold them."""
        while select.select([answer], [], [], 0)[0] and (data := os.read(answer, 1 << 16)):
            self._answer += data
        while select.select([output], [], [], 0)[0] and (data := os.read(output, 1 << 16)):
            self._output = (self._output + data)[-_OUTPUT_BYTES:]

    def _excess(self, deadline: float) -> str | None:
        """Tell which limit a call has broken; the memory of each process is also limited by the system."""
        if time.monotonic() > deadline:
            return "timeout"
        if len(self._answer) > _ANSWER_BYTES:
            return "answer"
        below = descendants()
        if len(below) > _MOST_PROCESSES:
            return "processes"
        most = self._request["memory"]
        return "memory" if memory_of(below, most) > most else None


class _Server:
    """What all calls share."""

    def __init__(self, requests: int, answers: int) -> None:
        self.requests = requests
        self._answers = answers
        self._asker = os.getppid()
        self._pending = b""
        #: The system counts all tasks of a user together; others need theirs meanwhile.
        self.most_tasks = tasks_of_user() + _SPARE_TASKS
        setup = self._next_request()
        self.folder = Path(setup["folder"])
        self._root = Path(setup["root"])
        self.adapter = _load("forequake_adapter", Path(setup["adapter"]))
        _preload(setup["preload"])
        beside = self.folder / setup["beside"]
        sys.path.insert(0, str(beside))
        os.chdir(beside)

    def serve(self) -> None:
        """Answer requests one by one until nobody asks any more."""
        self.tell({"end": "ready"})
        while True:
            request = self._next_request()
            self.tell(Call(request, self).run())

    def close(self) -> None:
        """Close in a copy what belongs to the server alone."""
        os.close(self.requests)
        os.close(self._answers)

    def leave(self) -> None:
        """Take everything away and end: nobody waits for an answer."""
        end_descendants()
        shutil.rmtree(self._root, ignore_errors=True)
        os._exit(0)

    def _next_request(self) -> dict[str, Any]:
        while b"\n" not in self._pending:
            ready = select.select([self.requests], [], [], 1.0)[0]
            data = os.read(self.requests, 1 << 16) if ready else b""
            # Another process may hold a copy of the asker's end of the pipe: then only the parent tells.
            if (ready and not data) or os.getppid() != self._asker:
                self.leave()
            self._pending += data
        line, _, self._pending = self._pending.partition(b"\n")
        request: dict[str, Any] = json.loads(line)
        return request

    def tell(self, answer: dict[str, Any]) -> None:
        """Send a line to the asker."""
        line = json.dumps(answer).encode() + b"\n"
        while line:
            line = line[os.write(self._answers, line) :]


def _named(error: BaseException) -> str:
    """Give an error's kind and words, with Python's own suggestion where it has one."""
    lines = traceback.format_exception_only(error)
    text = "".join(lines[-1:] if isinstance(error, SyntaxError) else lines).strip()[:_MOST_LETTERS]
    kind = type(error)
    return kind.__name__ + text.removeprefix(f"{kind.__module__}.").removeprefix(kind.__qualname__)


def main() -> None:
    """Serve until standard input ends."""
    adopt_orphans()
    requests, answers = os.dup(0), os.dup(1)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(2, 1)  # what an import prints is no answer
    os.close(nowhere)
    _Server(requests, answers).serve()
