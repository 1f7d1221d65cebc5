"""Telling how far models are: the display of a command at once, Prefect's log now and then."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from forequake.run_status import RunStatus
from forequake.windows import TimeWindow

__all__ = ["Following", "ModelView", "duration", "view_text"]

#: The log of a run says so often how far a model is, in seconds.
_LOG_SECONDS: Final = 60.0
#: So long a model may be silent before it is said.
_SILENCE: Final = 10.0


@dataclass(frozen=True)
class ModelView:
    """A model under way, as it is shown.

    Attributes
    ----------
    number, of
        Which of the windows that the task has to make.
    """

    model: str
    window: TimeWindow
    number: int
    of: int
    status: RunStatus

    @property
    def is_silent(self) -> bool:
        """Whether it has printed nothing for so long that one wants to know."""
        return self.status.silent_seconds >= _SILENCE


class Following:
    """Follows the runs of one model in one task.

    Parameters
    ----------
    show
        Told of every change; None stands for a model that has ended.
    log
        Told once a minute.
    """

    def __init__(
        self,
        model: str,
        of: int,
        show: Callable[[str, ModelView | None], None],
        log: Callable[[str], None],
    ) -> None:
        self._model, self._of, self._show, self._log = model, of, show, log
        self._number = 0
        self._window: TimeWindow | None = None
        self._logged = time.monotonic()

    def begin(self, window: TimeWindow, windows: int) -> None:
        """Take note that the next forecast begins, which serves so many windows."""
        self._number += windows
        self._window = window
        self.status(RunStatus())

    def say(self, words: str) -> None:
        """Tell what goes on besides the model's own program."""
        self._log(words)
        self.status(RunStatus(step=words.removeprefix(f"{self._model}: ")))

    def status(self, status: RunStatus) -> None:
        """Tell how far the model's program is."""
        if self._window is None:
            return
        view = ModelView(self._model, self._window, self._number, self._of, status)
        self._show(self._model, view)
        if status.seconds and time.monotonic() - self._logged >= _LOG_SECONDS:
            self._logged = time.monotonic()
            self._log(view_text(view))

    def end(self) -> None:
        """Take note that the task is over."""
        self._show(self._model, None)


def view_text(view: ModelView) -> str:
    """Say in a line for people how far a model is."""
    status = view.status
    words = [f"{view.model}: window {view.number} of {view.of} ({view.window.id})"]
    if status.share is not None:
        words.append(f"{status.share:.0%}")
    if status.step:
        words.append(status.step)
    if status.seconds:
        words.append(f"runs for {duration(status.seconds)}")
    if view.is_silent:
        words.append(f"has printed nothing for {duration(status.silent_seconds)}")
    return ", ".join(words)


def duration(seconds: float) -> str:
    """Write a length of time as ``45 s``, ``3 min`` or ``2 h 5 min``.

    Examples
    --------
    >>> duration(7500)
    '2 h 5 min'
    """
    whole = int(seconds)
    if whole < 120:
        return f"{whole} s"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
