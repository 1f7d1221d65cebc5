"""How far the run of a model is, for whoever watches."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

__all__ = ["RunFollower", "RunStatus", "printable"]

_MOST_LETTERS: Final = 80
#: What programs put into texts for terminals.
_COLOURS: Final = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]")


@dataclass(frozen=True)
class RunStatus:
    """How far a model is.

    Attributes
    ----------
    share
        From 0 to 1, as the model says; None where it says nothing.
    step
        What the model says that it is doing; else the last line that it printed.
    seconds
        Since its program began.
    silent_seconds
        Since it printed something.
    """

    share: float | None = None
    step: str = ""
    seconds: float = 0.0
    silent_seconds: float = 0.0


class RunFollower:
    """Puts together what comes of one run.

    Parameters
    ----------
    show
        Called with each change, and once a second while the program runs.
    """

    def __init__(self, show: Callable[[RunStatus], None]) -> None:
        self._show = show
        self._status = RunStatus()
        self._named = False

    def progress(self, told: Mapping[str, Any]) -> None:
        """Take a line of the model on its progress."""
        step = told.get("step")
        self._named = isinstance(step, str) and bool(step.strip())
        named = printable(str(step)) if self._named else ""
        self._status = replace(self._status, share=float(told["progress"]), step=named, silent_seconds=0.0)
        self._show(self._status)

    def life(self, told: Mapping[str, Any]) -> None:
        """Take a word of the supervisor: ``seconds``, ``silent`` and ``said``, the last line for people."""
        step = self._status.step if self._named else printable(str(told["said"]))
        self._status = replace(
            self._status, step=step, seconds=float(told["seconds"]), silent_seconds=float(told["silent"])
        )
        self._show(self._status)


def printable(text: str, most: int = _MOST_LETTERS) -> str:
    """Give the beginning of a text without what would move the cursor or change the colours of a terminal."""
    plain = _COLOURS.sub("", text)
    shown = "".join(letter if letter.isprintable() else " " for letter in plain)
    shown = " ".join(shown.split())
    return shown if len(shown) <= most else f"{shown[: most - 3]}..."
