"""Schedules: the time windows of an experiment, from its span and the rule that tiles it."""

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, Literal, Self, cast

from forequake.errors import InputError, unknown
from forequake.windows import TimeWindow
from forequake.wording import count_of

__all__ = ["HORIZON_UNITS", "Growth", "Horizon", "Schedule", "tile"]

#: ``incremental`` windows follow one another; ``cumulative`` ones all begin at the experiment's start.
Growth = Literal["incremental", "cumulative"]

#: Units of a horizon, in the singular.
HORIZON_UNITS: Final = ("year", "month", "week", "day", "hour", "minute")
_MONTHS: Final = {"year": 12, "month": 1}
_LENGTHS: Final = {
    "week": timedelta(weeks=1),
    "day": timedelta(days=1),
    "hour": timedelta(hours=1),
    "minute": timedelta(minutes=1),
}
#: More windows than this are a slip of the unit: daily windows of three centuries are fewer.
_MOST_WINDOWS: Final = 120_000
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True)
class Horizon:
    """A length of time in the calendar's own units.

    Attributes
    ----------
    count
        How many units, 1 or more.
    unit
        One of `HORIZON_UNITS`.
    """

    count: int
    unit: str

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a length such as ``2 years``, ``6 months``, ``1-weeks`` or ``12 hours``.

        Raises
        ------
        InputError
            Where it is not a whole number, 1 or more, with a unit.

        Examples
        --------
        >>> Horizon.parse("1-weeks")
        Horizon(count=1, unit='week')
        """
        parts = re.fullmatch(r"\s*([0-9]{1,6})[\s_-]*([A-Za-z]+)\s*", text)
        if parts is None or int(parts[1]) == 0:
            message = "expected a whole number from 1 on and a unit, such as '2 years' or '12 hours'"
            raise InputError(message)
        word = parts[2].lower()
        unit = word.removesuffix("s")
        if unit not in HORIZON_UNITS:
            raise InputError(unknown("unit of time", word, [f"{known}s" for known in HORIZON_UNITS]))
        return cls(count=int(parts[1]), unit=unit)

    def after(self, start: datetime, times: int) -> datetime:
        """Give the moment that lies `times` horizons after `start`.

        Months and years count in the calendar, from `start` and not from one another; a day that a month
        lacks becomes its last one: a month after 31 January is the end of February, two months are 31 March.

        Raises
        ------
        InputError
            Where the calendar ends before.
        """
        try:
            if self.unit in _LENGTHS:
                return start + self.count * times * _LENGTHS[self.unit]
            return _add_months(start, self.count * times * _MONTHS[self.unit])
        except (OverflowError, ValueError) as error:
            message = f"{times} times {self.count} {self.unit}s after {start} is beyond the year 9999"
            raise InputError(message) from error


@dataclass(frozen=True)
class Schedule:
    """Windows in order, and the parts of the span that no window covers.

    Attributes
    ----------
    left_over
        What remains at the end where no further window fits, else None.
    gap
        The first time between two windows that lies in neither, where they start further apart than they
        are long, else None.
    """

    windows: tuple[TimeWindow, ...]
    left_over: TimeWindow | None = None
    gap: TimeWindow | None = None


def tile(
    start: datetime,
    end: datetime | None = None,
    *,
    intervals: int | None = None,
    horizon: Horizon | None = None,
    offset: Horizon | None = None,
    growth: Growth = "incremental",
) -> Schedule:
    """Tile a span with windows, from its start on (windows are not moved to the first of a month or year).

    Parameters
    ----------
    start, end
        Ends of the span, in UTC. Without `end`, `intervals` windows of one `horizon` each follow `start`.
        No window reaches beyond `end`.
    intervals
        Number of equal parts, to the microsecond.
    horizon
        Length of one window, or of the first where windows grow.
    offset
        From one window's start to the next one's; None is one horizon. Where windows grow, by this.
    growth
        Whether windows follow one another, or all begin at `start`.

    Raises
    ------
    InputError
        Where the arguments do not say one tiling, or the span is too short for it.

    Examples
    --------
    >>> from datetime import UTC
    >>> begin = datetime(2010, 6, 15, tzinfo=UTC)
    >>> [window.id[:10] for window in tile(begin, intervals=2, horizon=Horizon.parse("1 year")).windows]
    ['2010-06-15', '2011-06-15']
    """
    windows = _windows(start, end, intervals, horizon, offset)
    covered = max(window.end for window in windows)
    rest = None if end is None or covered == end else TimeWindow(start=covered, end=end)
    if growth == "cumulative":
        grown = tuple(TimeWindow(start=start, end=window.end) for window in windows)
        return Schedule(windows=grown, left_over=rest)
    gaps = (
        TimeWindow(start=before.end, end=after.start)
        for before, after in pairwise(windows)
        if before.end < after.start
    )
    return Schedule(windows=tuple(windows), left_over=rest, gap=next(gaps, None))


def _windows(
    start: datetime,
    end: datetime | None,
    intervals: int | None,
    horizon: Horizon | None,
    offset: Horizon | None,
) -> Sequence[TimeWindow]:
    if end is not None and start >= end:
        message = f"start_date {start} is not before end_date {end}"
        raise InputError(message)
    if end is None and (intervals is None or horizon is None):
        message = "give end_date, or both intervals and horizon"
        raise InputError(message)
    if horizon is None:
        if offset is not None:
            message = "an offset between windows needs a horizon, which is their length"
            raise InputError(message)
        return _between(_equal_parts(start, cast(datetime, end), intervals or 1))
    if end is not None and intervals is not None:
        message = "end_date, intervals and horizon cannot all three be given: each two say the third"
        raise InputError(message)
    if intervals is not None:
        _check_number(intervals)
    if offset is None or offset == horizon:
        return _between(_steps(start, end, intervals, horizon))
    return _spaced(start, end, intervals, horizon, offset)


def _between(edges: Sequence[datetime]) -> Sequence[TimeWindow]:
    return [TimeWindow(start=first, end=last) for first, last in pairwise(edges)]


def _equal_parts(start: datetime, end: datetime, number: int) -> Sequence[datetime]:
    _check_number(number)
    span = (end - start) // _MICROSECOND
    if span < number:
        message = f"{count_of(number, 'window')} cannot lie between {start} and {end}"
        raise InputError(message)
    return [start + (span * part // number) * _MICROSECOND for part in range(number + 1)]


def _steps(
    start: datetime, end: datetime | None, intervals: int | None, horizon: Horizon
) -> Sequence[datetime]:
    """Give the edges of windows that follow one another, each counted from the start."""
    if intervals is not None:
        return [horizon.after(start, times) for times in range(intervals + 1)]
    edges = [start]
    while end is not None and (edge := _reached(horizon, start, len(edges), end)) is not None:
        edges.append(edge)
        _check_number(len(edges) - 1)
    _check_any(len(edges) - 1, start, end, horizon)
    return edges


def _spaced(
    start: datetime, end: datetime | None, intervals: int | None, horizon: Horizon, offset: Horizon
) -> Sequence[TimeWindow]:
    """Give windows of one length that start an offset apart."""
    ends: list[tuple[datetime, datetime]] = []
    while len(ends) != intervals:
        first = start if not ends else _reached(offset, start, len(ends), end)
        last = None if first is None else _reached(horizon, first, 1, end)
        if first is None or last is None:
            break
        ends.append((first, last))
        _check_number(len(ends))
    _check_any(len(ends), start, end, horizon)
    return [TimeWindow(start=first, end=last) for first, last in ends]


def _reached(length: Horizon, start: datetime, times: int, end: datetime | None) -> datetime | None:
    """Give the moment some lengths after a start, None where that is after the end."""
    if end is None:
        return length.after(start, times)
    try:
        moment = length.after(start, times)
    except InputError:  # beyond the calendar, and so beyond the end
        return None
    return None if moment > end else moment


def _check_any(number: int, start: datetime, end: datetime | None, horizon: Horizon) -> None:
    if number == 0:
        message = f"a horizon of {horizon.count} {horizon.unit}s is longer than {start} to {end}"
        raise InputError(message)


def _check_number(windows: int) -> None:
    if windows > _MOST_WINDOWS:
        message = f"that makes more than {_MOST_WINDOWS} windows; is the unit right?"
        raise InputError(message)


def _add_months(moment: datetime, months: int) -> datetime:
    years, month = divmod(moment.month - 1 + months, 12)
    year = moment.year + years
    if year > 9999:
        raise OverflowError
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
