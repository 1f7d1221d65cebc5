"""What a program prints: its end is kept, and its words on its progress are passed on."""

import json
import os
import time
from typing import Any, Final

__all__ = ["Output"]

_TAIL_BYTES: Final = 16 << 10
_READ_BYTES: Final = 1 << 20
#: A longer line says nothing about progress.
_MOST_LINE: Final = 2048
#: Letters, which may take six bytes each when they are passed on.
_MOST_SAID: Final = 500


class Output:
    """The output of a program.

    Attributes
    ----------
    size
        Bytes that were printed.
    last
        When the latest of them came, by the monotonic clock.
    progress
        The latest word on the program's progress: a line that is a JSON object with a number ``progress``.
    news
        The same, until it was passed on.
    """

    def __init__(self) -> None:
        self.size = 0
        self.last = 0.0
        self.progress: dict[str, Any] | None = None
        self.news: dict[str, Any] | None = None
        self._tail = b""
        self._line = b""

    @property
    def tail(self) -> str:
        """The end of what was printed."""
        return self._tail.decode("utf-8", errors="replace")

    @property
    def said(self) -> str:
        """The last line for people, or the end of it where it is long."""
        lines = self._tail[-_MOST_LINE:].decode("utf-8", errors="replace").splitlines()
        words = (line for line in reversed(lines) if line.strip() and not line.lstrip().startswith("{"))
        return next(words, "")[-_MOST_SAID:]

    def read(self, end: int) -> bool:
        """Take what lies in a pipe; tell whether there may be more, now or later."""
        try:
            data = os.read(end, _READ_BYTES)
        except BlockingIOError:
            return True
        if not data:
            return False
        self.size += len(data)
        self.last = time.monotonic()
        self._tail = (self._tail + data[-_TAIL_BYTES:])[-_TAIL_BYTES:]
        told = self._line + data
        if b"progress" in told:
            for line in told.split(b"\n")[:-1]:
                self._hear(line)
        self._line = told[told.rfind(b"\n") + 1 :][: _MOST_LINE + 1]
        return True

    def drain(self, end: int) -> None:
        """Take what lies in a pipe that nobody writes into any more."""
        before = -1
        while self.size != before:
            before = self.size
            if not self.read(end):
                return

    def _hear(self, line: bytes) -> None:
        if len(line) > _MOST_LINE or b"progress" not in line or not line.lstrip().startswith(b"{"):
            return
        try:
            said = json.loads(line)
            share = float(said["progress"])
        except (ValueError, TypeError, KeyError, RecursionError):
            return
        if 0 <= share <= 1:
            self.progress = self.news = said
