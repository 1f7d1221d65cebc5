"""Schedules: the time windows of an experiment, from its span and the rule that tiles it."""

import calendar
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Final, Literal, Self

from forequake.errors import InputError, unknown
from forequake.windows import TimeWindow

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
    """Windows in order, and the part of the span that no window covers.

    Attributes
    ----------
    left_over
        What remains at the end where the span is no whole number of horizons, else None.
    """

    windows: tuple[TimeWindow, ...]
    left_over: TimeWindow | None = None


def tile(
    start: datetime,
    end: datetime | None = None,
    *,
    intervals: int | None = None,
    horizon: Horizon | None = None,
    growth: Growth = "incremental",
) -> Schedule:
    """Tile a span with windows, from its start on (windows are not moved to the first of a month or year).

    Parameters
    ----------
    start, end
        Ends of the span, in UTC. Without `end`, `intervals` windows of one `horizon` each follow `start`.
    intervals
        Number of equal parts, to the microsecond.
    horizon
        Length of one window, or of one step where windows grow.
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
    edges = _edges(start, end, intervals, horizon)
    if growth == "cumulative":
        windows = tuple(TimeWindow(start=start, end=edge) for edge in edges[1:])
    else:
        windows = tuple(TimeWindow(start=first, end=last) for first, last in pairwise(edges))
    covered = edges[-1]
    rest = None if end is None or covered == end else TimeWindow(start=covered, end=end)
    return Schedule(windows=windows, left_over=rest)


def _edges(
    start: datetime, end: datetime | None, intervals: int | None, horizon: Horizon | None
) -> Sequence[datetime]:
    if end is None:
        if intervals is None or horizon is None:
            message = "give end_date, or both intervals and horizon"
            raise InputError(message)
        _check_number(intervals)
        return [horizon.after(start, times) for times in range(intervals + 1)]
    if start >= end:
        message = f"start_date {start} is not before end_date {end}"
        raise InputError(message)
    if intervals is not None and horizon is not None:
        message = "end_date, intervals and horizon cannot all three be given: each two say the third"
        raise InputError(message)
    return _equal_parts(start, end, intervals or 1) if horizon is None else _steps(start, end, horizon)


def _equal_parts(start: datetime, end: datetime, number: int) -> Sequence[datetime]:
    _check_number(number)
    span = (end - start) // _MICROSECOND
    if span < number:
        message = f"{number} windows do not fit between {start} and {end}"
        raise InputError(message)
    return [start + (span * part // number) * _MICROSECOND for part in range(number + 1)]


def _steps(start: datetime, end: datetime, horizon: Horizon) -> Sequence[datetime]:
    edges = [start]
    while (edge := horizon.after(start, len(edges))) <= end:
        edges.append(edge)
        _check_number(len(edges) - 1)
    if len(edges) == 1:
        message = f"a horizon of {horizon.count} {horizon.unit}s is longer than {start} to {end}"
        raise InputError(message)
    return edges


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
