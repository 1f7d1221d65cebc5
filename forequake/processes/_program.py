"""Runs one foreign program, watches what it uses, and takes everything of it away.

This module is started in a fresh Python (see `forequake.processes.program`), before the folder of the run
is filled. The first line on standard input names that folder, the second the program. Answers go as lines of
JSON to what was standard output: what the program says of its progress, and in the end how it went. When the
input ends, because the run is over or because the process that asked has gone, all processes below here are
killed, and the folder is removed.
"""

import contextlib
import json
import os
import select
import signal
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NoReturn

from forequake.processes._isolation import FreeUser
from forequake.processes._watching import Program
from forequake.processes.below import adopt_orphans, end_descendants, execute, go_first, start_of
from forequake.processes.folders import give_to, remove_strays, remove_tree

__all__ = ["main"]

_LOOK_SECONDS: Final = 0.05
#: A line that is shorter goes through a pipe as a whole.
_MOST_LINE: Final = 4096


class _Run:
    """The folder of a run, and the program in it."""

    def __init__(self, requests: int, answers: int, lock: int) -> None:
        self.requests, self._answers = requests, answers
        self._lock = lock  # held as long as this process lives: a later start tells by it
        self._asker = os.getppid()
        self._pending = b""
        self._leaving = self._kept = False
        self._stop: Mapping[str, Any] | None = None
        setup = json.loads(self._next_line())
        self._root, self._record = Path(setup["root"]), Path(setup["record"])
        self._user = FreeUser() if setup["another_user"] else None
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._note)

    @property
    def _number(self) -> int | None:
        return None if self._user is None else self._user.number

    def serve(self) -> NoReturn:
        """Run the program that is asked for, and stay until the run is over."""
        self._register(None)
        self._tell({"ready": os.getpid()})
        request = json.loads(self._next_line())
        self._tell(Program(self, request).run())
        while True:
            line = json.loads(self._next_line())
            if line.get("keep"):
                self._kept = True
                self.forget_user()

    def _note(self, number: int, frame: object) -> None:
        self._leaving = True

    def _register(self, child: int | None) -> None:
        """Write down who is who, for a later start to end what is left where this process is killed."""
        about = {
            "root": str(self._root),
            "supervisor": [os.getpid(), start_of(os.getpid())],
            "program": None if child is None else [child, start_of(child)],
            "user": self._number,
            "stop": self._stop,
        }
        self._record.write_text(json.dumps(about))

    def _tell(self, answer: Mapping[str, Any]) -> None:
        line = json.dumps(answer).encode() + b"\n"
        with contextlib.suppress(OSError):
            while line:
                line = line[os.write(self._answers, line) :]

    def tell_news(self, kind: str, news: Mapping[str, Any]) -> None:
        """Pass on how far the program is, or nothing where nobody reads it."""
        line = json.dumps({kind: news}).encode() + b"\n"
        if len(line) < _MOST_LINE and select.select([], [self._answers], [], 0)[1]:
            with contextlib.suppress(OSError):
                os.write(self._answers, line)

    def _next_line(self) -> bytes:
        while b"\n" not in self._pending:
            if select.select([self.requests], [], [], _LOOK_SECONDS)[0]:
                data = os.read(self.requests, 1 << 16)
                if not data:
                    self.leave()
                self._pending += data
            self.look_up()
        line, _, self._pending = self._pending.partition(b"\n")
        return line

    def look_up(self) -> None:
        """Leave where nobody waits for an answer any more."""
        # Another process may hold a copy of the asker's end of the pipe: then only the parent tells.
        if self._leaving or os.getppid() != self._asker:
            self.leave()

    def hear(self) -> None:
        """Take note of the end of the input while a program runs."""
        data = os.read(self.requests, 1 << 16)
        self._pending += data
        if not data:
            self.leave()

    def leave(self) -> NoReturn:
        """Take everything away and end."""
        go_first(True)
        end_descendants()
        go_first(False)
        self.stop_elsewhere()
        if self._number is not None:
            remove_strays(self._number)
        if not self._kept:
            remove_tree(self._root)
        self._record.unlink(missing_ok=True)
        os._exit(0)

    def prepare(self) -> int | None:
        """Give the folder to the user that the program will be, and that one's number."""
        if self._number is not None:
            give_to(self._root, self._number)
        return self._number

    def forget_user(self) -> None:
        """Give the folder back to the user that this process is, whom the program will be."""
        if self._number is not None:
            give_to(self._root, os.geteuid())
        self._user = None

    def started(self, child: int, stop: Mapping[str, Any] | None) -> None:
        """Take note of the program's process, and of what ends all that it runs elsewhere."""
        self._stop = stop
        self._register(child)

    def stop_elsewhere(self, *, ended: bool = False) -> None:
        """End what the program runs elsewhere, unless it has ended."""
        stop, self._stop = self._stop, None
        if stop is not None and not ended:
            execute(stop["words"], stop["environment"])


def main() -> None:
    """Serve one run."""
    adopt_orphans()
    requests, answers, lock = os.dup(0), os.dup(1), int(sys.argv[1])
    os.set_inheritable(lock, False)
    nowhere = os.open(os.devnull, os.O_RDWR)
    os.dup2(nowhere, 0)
    os.dup2(2, 1)
    os.close(nowhere)
    _Run(requests, answers, lock).serve()
