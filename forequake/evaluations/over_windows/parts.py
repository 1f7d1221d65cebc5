"""The windows of a model, one after the other, each with its forecast and its events."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from forequake.errors import InputError
from forequake.evaluations.inputs import Observation
from forequake.evaluations.kernels import PreparedForecast
from forequake.windows import TimeWindow, overlap

__all__ = ["LEFT_OUT_FLAG", "Part", "Parts", "check_pairs", "shared_time"]

#: Some windows have no result, because the test says nothing there, and are left out.
LEFT_OUT_FLAG: Final = "undefined_windows_left_out"


@dataclass(frozen=True, eq=False)
class Part:
    """One window.

    Attributes
    ----------
    forecast
        Scaled to the window.
    observation
        The window's target events, on the forecast's cells and bins.
    reference
        The forecast to compare with, on the same cells and bins.
    """

    window: TimeWindow
    forecast: PreparedForecast
    observation: Observation
    reference: PreparedForecast | None = None


#: Gives the windows in order of time, anew with each call. None is held longer than its turn: forecasts
#: that are read as they are asked for take the memory of one.
Parts: TypeAlias = Callable[[], Iterable[Part]]


def shared_time(windows: Sequence[TimeWindow]) -> str | None:
    """Say that windows share time and are not taken together, or None where they do not."""
    return "the windows overlap, so that their results are not independent" if overlap(windows) else None


def check_pairs(results: Sequence[object], windows: Sequence[TimeWindow]) -> None:
    """Refuse results that are not one for each window.

    Raises
    ------
    InputError
        With both numbers.
    """
    if len(results) != len(windows):
        message = f"there are {len(results)} results for {len(windows)} windows"
        raise InputError(message)
