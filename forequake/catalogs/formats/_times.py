"""Origin times as files write them, in microseconds since 1970."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.errors import CatalogError

__all__ = ["calendar_times", "iso_time"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_FORM: Final = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})[Tt ](?P<hour>\d{1,2}):(?P<minute>\d{1,2})"
    r"(?::(?P<second>\d{1,2})(?:[.,](?P<fraction>\d*))?)?\s*(?P<zone>[Zz]|[+-]\d{2}:?\d{2})?"
)
_ZONE: Final = re.compile(r"([+-])(\d{2}):?(\d{2})$")


def iso_time(place: str, text: str, *, zone_required: bool = False) -> int:
    """Read a time of the form 2019-07-06T03:22:35.630000 in microseconds; without a zone it is in UTC.

    Digits beyond microseconds are cut off; second 60 is the next minute. Fields of one digit are taken, as
    pyCSEP takes them, and a time may lack its seconds.

    Parameters
    ----------
    zone_required
        Refuse a time without a zone.

    Raises
    ------
    CatalogError
        Where it is no time.
    """
    parts = _FORM.fullmatch(text.strip())
    try:
        if parts is None:
            moment = datetime.fromisoformat(text.strip())
            zoned, shift = moment.tzinfo is not None, 0
            moment = moment if zoned else moment.replace(tzinfo=UTC)
        else:
            moment, shift = _moment(parts)
            zoned = parts["zone"] is not None
    except ValueError as error:
        message = f"{place}: the time {text!r} is not in the form 2019-07-06T03:22:35.630000"
        if parts is not None:
            message = f"{place}: there is no such time as {text!r} ({error})"
        raise CatalogError(message) from error
    if zone_required and not zoned:
        message = (
            f"{place}: the time {text!r} has no zone, so it may be local; expected a form such as "
            "2019-07-06T12:22:35.630000+0900"
        )
        raise CatalogError(message)
    return (moment - _EPOCH) // _MICROSECOND + shift


def calendar_times(
    year: NDArray[np.float64],
    month: NDArray[np.float64],
    day: NDArray[np.float64],
    hour: NDArray[np.float64],
    minute: NDArray[np.float64],
    second: NDArray[np.float64],
    place: Callable[[int], str],
) -> NDArray[np.int64]:
    """Put times together from whole years to minutes, and seconds with a fraction.

    Hours from 24, minutes and seconds from 60 on run over into the next day, hour or minute: programs that
    round seconds write them.

    Raises
    ------
    CatalogError
        Where a field has a fraction, or the month has no such day.
    """
    for what, values in (("year", year), ("month", month), ("day", day), ("hour", hour), ("minute", minute)):
        if (bad := values != np.floor(values)).any():
            row = int(bad.argmax())
            message = f"{place(row)}: the {what} {values[row]:g} is not a whole number"
            raise CatalogError(message)
    months = ((year - 1970) * 12 + month - 1).astype(np.int64).astype("datetime64[M]")
    days = months.astype("datetime64[D]") + (day - 1).astype(np.int64)
    if (bad := days.astype("datetime64[M]") != months).any():
        row = int(bad.argmax())
        message = f"{place(row)}: there is no day {year[row]:.0f}-{month[row]:02.0f}-{day[row]:02.0f}"
        raise CatalogError(message)
    microseconds = (hour * 3600 + minute * 60).astype(np.int64) * 1_000_000 + np.rint(second * 1e6).astype(
        np.int64
    )
    return days.astype("datetime64[us]").astype(np.int64) + microseconds


def _moment(parts: re.Match[str]) -> tuple[datetime, int]:
    """Give a time as its clock shows it, and the microseconds from there to UTC."""
    second, shift = int(parts["second"] or 0), 0
    if second == 60:  # a leap second, or a rounded one
        second, shift = 59, 1_000_000
    year, month, day, hour, minute = (int(parts[name]) for name in ("year", "month", "day", "hour", "minute"))
    fraction = int(f"{parts['fraction'] or '0':0<6}"[:6])
    zone = _ZONE.search(parts["zone"] or "")
    if zone is not None:
        shift -= _shift(zone)
    return datetime(year, month, day, hour, minute, second, fraction, tzinfo=UTC), shift


def _shift(zone: re.Match[str]) -> int:
    """Give a zone's offset in microseconds."""
    minutes = int(zone[2]) * 60 + int(zone[3])
    return (-minutes if zone[1] == "-" else minutes) * 60_000_000
