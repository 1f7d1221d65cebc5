"""Time windows: half-open, in UTC, with an id that keeps the time of day."""

import calendar
from collections.abc import Iterable
from datetime import UTC, datetime, time
from functools import lru_cache
from typing import Self

from pydantic import BaseModel, ConfigDict, model_validator

from forequake.quantities import UtcDatetime

__all__ = ["TimeWindow", "alone_on_their_dates", "decimal_year", "forecast_file_names", "overlap"]


class TimeWindow(BaseModel):
    """The span [start, end): an event at `start` is inside, one at `end` is not.

    Examples
    --------
    >>> from datetime import datetime, UTC
    >>> start = datetime(2019, 7, 6, 3, 20, tzinfo=UTC)
    >>> window = TimeWindow(start=start, end=datetime(2019, 7, 13, tzinfo=UTC))
    >>> window.id
    '2019-07-06T03:20:00Z_2019-07-13T00:00:00Z'
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    start: UtcDatetime
    end: UtcDatetime

    @model_validator(mode="after")
    def _start_before_end(self) -> Self:
        if self.start >= self.end:
            message = f"a window must start before it ends: {self.start} is not before {self.end}"
            raise ValueError(message)
        return self

    @property
    def id(self) -> str:
        """Both ends in ISO 8601 with the time of day; microseconds where there are any."""
        return f"{_stamp(self.start)}_{_stamp(self.end)}"

    @property
    def years(self) -> float:
        """Length in years, as the difference of the decimal years of its ends."""
        return decimal_year(self.end) - decimal_year(self.start)

    @classmethod
    def from_id(cls, text: str) -> Self:
        """Read a window back from its id.

        Raises
        ------
        ValueError
            Where the text is not two ISO 8601 times with an underscore between them.
        """
        start, _, end = text.partition("_")
        return cls(start=datetime.fromisoformat(start), end=datetime.fromisoformat(end))

    def __contains__(self, moment: datetime) -> bool:
        return self.start <= moment < self.end


def decimal_year(moment: datetime) -> float:
    """Give a time in UTC as a year with its fraction, each year by its own length.

    The definition is that of ``csep.utils.time_utils.decimal_year``, kept because published forecasts were
    scaled with it: a week over New Year 2019/2020 is 0.019163 years, not 7/365.25.

    Examples
    --------
    >>> from datetime import datetime, UTC
    >>> decimal_year(datetime(2020, 7, 1, tzinfo=UTC))
    2020.4972677595629
    """
    moment = moment.astimezone(UTC)
    days_in_year = 366.0 if calendar.isleap(moment.year) else 365.0
    whole_days = moment.timetuple().tm_yday - 1
    # The order of the sum is pyCSEP's: another one changes the last digit of scaled rates.
    days = (
        whole_days
        + moment.hour / 24.0
        + moment.minute / 1440.0
        + (moment.second + moment.microsecond * 1e-6) / 86400.0
    )
    return moment.year + days / days_in_year


def overlap(windows: Iterable[TimeWindow]) -> bool:
    """Tell whether any two windows share time; one that ends where another begins does not."""
    latest: datetime | None = None
    for window in sorted(windows, key=lambda window: window.start):
        if latest is not None and window.start < latest:
            return True
        latest = window.end if latest is None else max(latest, window.end)
    return False


def alone_on_their_dates(windows: Iterable[TimeWindow]) -> frozenset[str]:
    """Give the ids of the windows that the dates of their ends tell from all others."""
    by_dates: dict[str, list[str]] = {}
    for window in windows:
        by_dates.setdefault(_dates(window), []).append(window.id)
    return frozenset(ids[0] for ids in by_dates.values() if len(ids) == 1)


def forecast_file_names(window: TimeWindow, *, alone: bool = False) -> tuple[str, ...]:
    """Give the names that a window may have in the name of a forecast's file, the most exact first.

    First the ends with the time of day, as in ISO 8601 and with hyphens for colons, which some file systems
    refuse. Then the ends' dates alone, which is how floatCSEP writes every window; windows within a day
    share such a name.

    Parameters
    ----------
    alone
        Whether no other window of the experiment has these dates (see `alone_on_their_dates`). A window that
        does not run from midnight to midnight has the name of dates alone only then.

    Examples
    --------
    >>> day = TimeWindow.from_id("2020-01-01T00:00:00Z_2020-01-02T00:00:00Z")
    >>> forecast_file_names(day)[-1]
    '2020-01-01_2020-01-02'
    >>> forecast_file_names(TimeWindow.from_id("2020-01-01T00:00:00Z_2020-01-01T06:00:00Z"))
    ('2020-01-01T00:00:00_2020-01-01T06:00:00', '2020-01-01T00-00-00_2020-01-01T06-00-00')
    """
    exact = f"{_plain(window.start)}_{_plain(window.end)}"
    whole_days = all(moment.time() == time() for moment in (window.start, window.end))
    return (exact, exact.replace(":", "-"), *((_dates(window),) if whole_days or alone else ()))


def _dates(window: TimeWindow) -> str:
    return f"{window.start.date()}_{window.end.date()}"


def _plain(moment: datetime) -> str:
    return moment.replace(tzinfo=None).isoformat()


@lru_cache(maxsize=65_536)  # the ids of windows are asked for with each of their results
def _stamp(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
