"""All events of a catalog with whether tests count them, and what their magnitudes say."""

import math
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.catalogs import Events
from forequake.forecasts.references.shares import b_value_of
from forequake.regions import Region
from forequake.windows import TimeWindow

__all__ = ["BValue", "JudgedEvents", "b_value", "in_windows", "judge", "microseconds", "reason_words"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
#: Why an event does not count, one bit each.
_REASONS: Final = ("in no window", "magnitude", "depth", "region")


@dataclass(frozen=True, eq=False)
class JudgedEvents:
    """Events in order of time.

    Attributes
    ----------
    why_not : array of uint8, shape (events,)
        0 where a test counts the event; else the reasons, see `reason_words`.
    """

    events: Events
    why_not: NDArray[np.uint8]

    def __len__(self) -> int:
        return len(self.events)

    @property
    def counted(self) -> NDArray[np.bool_]:
        """Whether a test counts each event; shape (events,)."""
        return np.asarray(self.why_not == 0)

    @property
    def located(self) -> NDArray[np.bool_]:
        """Whether each lies in the region and in the depths, whatever its time and magnitude."""
        return np.asarray(self.why_not & 0b1100 == 0)

    def take(self, chosen: NDArray[np.bool_] | NDArray[np.intp]) -> "JudgedEvents":
        """Give the chosen events."""
        return JudgedEvents(self.events.take(chosen), self.why_not[chosen])

    def within(self, span: TimeWindow) -> "JudgedEvents":
        """Give the events of a span of time; one at its end is not among them."""
        ends = (microseconds(span.start), microseconds(span.end))
        first, last = np.searchsorted(self.events.time_us, ends)
        return self.take(np.arange(first, last))


@dataclass(frozen=True)
class BValue:
    """The b of Gutenberg and Richter, with its standard error.

    Attributes
    ----------
    n_events
        From `magnitude_min` on.
    """

    b: float
    error: float
    n_events: int
    magnitude_min: float


def in_windows(events: Events, windows: Iterable[TimeWindow]) -> NDArray[np.bool_]:
    """Tell which events lie in any of the windows; shape (events,)."""
    steps = np.zeros(len(events) + 1, dtype=np.int64)  # how many windows begin and end before each event
    for window in windows:
        ends = (microseconds(window.start), microseconds(window.end))
        first, last = np.searchsorted(events.time_us, ends)
        steps[first] += 1
        steps[last] -= 1
    return np.asarray(np.cumsum(steps)[:-1] > 0)


def judge(
    events: Events,
    *,
    windows: Iterable[TimeWindow],
    region: Region,
    magnitude_min: float,
    depth_km: tuple[float, float] | None,
) -> JudgedEvents:
    """Tell which events a test of any window counts (`Events.cut`), and why the others do not."""
    deep = np.zeros(len(events), dtype=np.bool_)
    if depth_km is not None:
        least = -np.inf if depth_km[0] == 0 else depth_km[0]
        deep = ~((events.depth_km >= least) & (events.depth_km <= depth_km[1]))
    away = region.cells_of(events.longitude, events.latitude) < 0 if len(events) else deep
    bits = (~in_windows(events, windows), ~(events.magnitude >= magnitude_min), deep, away)
    why_not = np.zeros(len(events), dtype=np.uint8)
    for place, holds in enumerate(bits):
        why_not |= holds.astype(np.uint8) << place
    return JudgedEvents(events, why_not)


def reason_words(why_not: int) -> str:
    """Say why an event does not count.

    Examples
    --------
    >>> reason_words(0b0110), reason_words(0)
    ('magnitude, depth', '')
    """
    return ", ".join(reason for place, reason in enumerate(_REASONS) if why_not >> place & 1)


def b_value(magnitudes: NDArray[np.float64], magnitude_min: float, step: float) -> BValue | None:
    """Estimate b from magnitudes of `magnitude_min` or more (`b_value_of`), with Aki's (1965) error.

    The error is ``b / sqrt(n)``.

    Parameters
    ----------
    magnitudes : array of float64, shape (events,)
        Smaller ones are left out.

    Returns
    -------
    BValue or None
        None where fewer than two events are left, or all have one magnitude.
    """
    above = magnitudes[magnitudes >= magnitude_min]
    if len(above) < 2 or np.ptp(above) == 0:
        return None
    b = b_value_of(above, magnitude_min, step)
    return BValue(b, b / math.sqrt(len(above)), len(above), magnitude_min)


def microseconds(moment: datetime) -> int:
    """Give a moment in microseconds since 1970, as `Events` count."""
    return (moment - _EPOCH) // _MICROSECOND
