"""Dates and times as experiments write them."""

import re
from datetime import UTC, date, datetime, time
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema

from forequake.config._refusals import refuse

__all__ = ["Moment", "TimePair", "as_moment"]

_FORM: Final = re.compile(
    r"(?P<year>\d{4})-(?P<month>\d{1,2})-(?P<day>\d{1,2})"
    r"(?:(?:[Tt]|\s+)(?P<hour>\d{1,2}):(?P<minute>\d{2})(?::(?P<second>\d{2})(?:\.(?P<fraction>\d{1,6}))?)?"
    r"\s*(?P<zone>[Zz]|[+-]\d{2}(?::?\d{2})?)?)?"
)
_EXAMPLES: Final = "such as 2020-01-31 or 2020-01-31T06:00:00 (UTC where no zone is given)"


def as_moment(value: object) -> datetime:
    """Read a date or a time; without a zone it is UTC, with one it is converted.

    Months, days and hours may have one digit. A date is its first moment.

    Raises
    ------
    PydanticCustomError
        Where it is neither, or the calendar has no such day.
    """
    if isinstance(value, datetime):
        moment = value
    elif isinstance(value, date):
        moment = datetime.combine(value, time(), tzinfo=UTC)
    elif isinstance(value, str):
        moment = _from_text(value)
    else:
        refuse(f"expected a date or a time, {_EXAMPLES}")
    if moment.tzinfo is None:
        return moment.replace(tzinfo=UTC)
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        refuse("the time is outside the years 1 to 9999 in UTC")


def _from_text(text: str) -> datetime:
    parts = _FORM.fullmatch(text.strip())
    if parts is None:
        refuse(f"expected a date or a time, {_EXAMPLES}")
    hour, minute, second = (parts[name] or "0" for name in ("hour", "minute", "second"))
    iso = (
        f"{parts['year']}-{parts['month']:0>2}-{parts['day']:0>2}T{hour:0>2}:{minute:0>2}:{second:0>2}"
        f".{parts['fraction'] or '0':0<6}{(parts['zone'] or '').upper()}"
    )
    try:
        return datetime.fromisoformat(iso)
    except ValueError as error:
        refuse(f"there is no such date or time: {error}")


def _as_pair(value: object) -> object:
    if not (isinstance(value, list) and len(value) == 2):
        refuse("expected a pair [start, end]")
    return tuple(value)


def _in_order(pair: tuple[datetime, datetime]) -> tuple[datetime, datetime]:
    if pair[0] >= pair[1]:
        refuse(f"the window's start {pair[0]:%Y-%m-%dT%H:%M:%S} is not before its end")
    return pair


#: A time in UTC, from a date, a time or text.
Moment = Annotated[
    datetime,
    BeforeValidator(as_moment),
    WithJsonSchema({"type": "string", "pattern": r"^\s*\d{4}-\d{1,2}-\d{1,2}"}),
]
#: The ends of a window, the first before the second.
TimePair = Annotated[tuple[Moment, Moment], BeforeValidator(_as_pair), AfterValidator(_in_order)]
