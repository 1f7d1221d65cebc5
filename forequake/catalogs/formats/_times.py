"""Origin times as files write them, in microseconds since 1970: many at once, exactly."""

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.errors import CatalogError

__all__ = ["calendar_times", "iso_time", "iso_times"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
#: The first microsecond of the year 1, with which Python's calendar begins.
_FIRST: Final = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_FORM: Final = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})[Tt ](?P<hour>\d{1,2}):(?P<minute>\d{1,2})"
    r"(?::(?P<second>\d{1,2})(?:[.,](?P<fraction>\d*))?)?\s*(?P<zone>[Zz]|[+-]\d{2}:?\d{2})?"
)
_ZONE: Final = re.compile(r"([+-])(\d{2}):?(\d{2})$")
#: In 2019-07-06T03:22:35 these places hold digits, the others what stands between them.
_DIGITS: Final = [0, 1, 2, 3, 5, 6, 8, 9, 11, 12, 14, 15, 17, 18]
_SHORTEST, _LONGEST = 19, 26


def iso_times(
    texts: Sequence[str], place: Callable[[int], str], *, zone_required: bool = False
) -> NDArray[np.int64]:
    """Read times of the form 2019-07-06T03:22:35.630000; without a zone they are in UTC.

    Parameters
    ----------
    zone_required
        Refuse times without a zone.

    Raises
    ------
    CatalogError
        For the first that is no time.
    """
    shift = 0
    plain: Sequence[str] | None = texts
    zone = _ZONE.search(texts[0], _SHORTEST) if texts else None
    if zone is not None:  # usually the same in all of them
        ending = zone[0]
        shift = _shift(zone)
        plain = [text[: -len(ending)] for text in texts] if all(t.endswith(ending) for t in texts) else None
    if plain is not None and (zone is not None or not zone_required):
        times = _uniform_times(plain)
        if times is not None:
            return times - shift
    return np.array(
        [iso_time(place(row), text, zone_required=zone_required) for row, text in enumerate(texts)],
        dtype=np.int64,
    )


def iso_time(place: str, text: str, *, zone_required: bool = False) -> int:
    """Read one time (see `iso_times`). Digits beyond microseconds are cut off; second 60 is the next minute.

    Fields of one digit are taken as pyCSEP takes them, and a time may lack its seconds.
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


def _uniform_times(texts: Sequence[str]) -> NDArray[np.int64] | None:
    """Read times that all have two-digit fields; None where one has not, or is no time."""
    try:
        array = np.array(texts, dtype=np.bytes_)
    except UnicodeEncodeError:
        return None
    width = array.itemsize
    if not len(array) or not _SHORTEST <= width <= _LONGEST:
        return None
    signs = array.view(np.uint8).reshape(len(array), width)
    is_digit = (signs >= ord("0")) & (signs <= ord("9"))
    fits = (
        is_digit[:, _DIGITS].all()
        and (signs[:, [4, 7]] == ord("-")).all()
        and np.isin(signs[:, 10], [ord("T"), ord(" ")]).all()
        and (signs[:, [13, 16]] == ord(":")).all()
        and (is_digit[:, 20:] | (signs[:, 20:] == 0)).all()
        and np.isin(signs[:, 19:20], [ord("."), 0]).all()
    )
    if not fits:
        return None
    try:
        times = array.astype("datetime64[us]").astype(np.int64)
    except ValueError:
        return None
    return times if (times >= _FIRST).all() else None


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
