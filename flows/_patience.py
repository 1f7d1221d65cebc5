"""Asking a store again while it does not answer: a database that is started again costs no run."""

import itertools
import logging
import time
from collections.abc import Callable
from typing import Final, ParamSpec, TypeVar

from prefect import get_run_logger
from prefect.exceptions import MissingContextError

from flows._session import Session
from forequake.errors import ForequakeError

__all__ = ["patiently", "run_logger"]

P = ParamSpec("P")
R = TypeVar("R")

_log: Final = logging.getLogger(__name__)

#: For so many seconds a call is repeated: twice of what a database needs that is started again.
_PATIENCE: Final = 60.0
_LONGEST_PAUSE: Final = 8.0


def patiently(session: Session, call: Callable[P, R], /, *args: P.args, **kwargs: P.kwargs) -> R:
    """Call, and call again for a minute where the error says that this can help.

    What is called must be such that it may be repeated: the answer to a call that was obeyed can be lost.

    Parameters
    ----------
    session
        Whose interrupt ends the waiting at once, with the error.
    """
    began = time.monotonic()
    for attempt in itertools.count():
        try:
            return call(*args, **kwargs)
        except ForequakeError as error:
            if not error.transient or session.stop.is_set() or time.monotonic() - began >= _PATIENCE:
                raise
            pause = min(2.0**attempt, _LONGEST_PAUSE)
            run_logger().warning("%s; asking again in %.0f s", error, pause)
            session.on_progress(0, "the store does not answer; asking again")
            if session.stop.wait(pause):
                raise
    raise AssertionError  # never: the loop has no end of its own


def run_logger() -> logging.Logger | logging.LoggerAdapter[logging.Logger]:
    """Give the logger of the run, whose lines stand in Prefect's pages; outside of a run there is none."""
    try:
        return get_run_logger()
    except MissingContextError:
        return _log
