"""When a deployment runs: cron expressions and intervals, as an operator writes them."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import import_module
from typing import TYPE_CHECKING, Any, Final
from zoneinfo import ZoneInfo, available_timezones

from forequake.errors import InputError, suggestion

if TYPE_CHECKING:
    from prefect.client.schemas.schedules import SCHEDULE_TYPES
    from prefect.schedules import Schedule

__all__ = ["Timing", "duration_of", "duration_text", "schedule_text", "timing_of"]

_UNITS: Final = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}
_DURATION: Final = re.compile(r"(?:(\d{1,6})d)?(?:(\d{1,6})h)?(?:(\d{1,6})m)?(?:(\d{1,6})s)?")
_CRON: Final = re.compile(r"@[a-z]+|[\w*/,#?-]+(\s+[\w*/,#?-]+){4}")
#: A tick that finds nothing new takes a few seconds, most of them for starting its process.
_LEAST: Final = timedelta(seconds=10)
_MOST: Final = timedelta(days=366)


def duration_of(text: str) -> timedelta:
    """Read a duration such as ``20s``, ``10m``, ``1h30m`` or ``1d``.

    Raises
    ------
    InputError
        Where it is none, or is shorter than 10 seconds or longer than a year.

    Examples
    --------
    >>> duration_of("1h30m")
    datetime.timedelta(seconds=5400)
    """
    found = _DURATION.fullmatch(text.strip())
    numbers = [int(number or 0) for number in found.groups()] if found else []
    length = timedelta(seconds=sum(n * size for n, size in zip(numbers, _UNITS.values(), strict=False)))
    if not found or not text.strip():
        message = (
            f"--interval {text!r} is no duration: give days, hours, minutes, seconds, as in 20s, 10m, 1d"
        )
        raise InputError(message)
    if not _LEAST <= length <= _MOST:
        message = f"--interval {text!r} is out of range: from 10s to 366d"
        raise InputError(message)
    return length


def duration_text(length: timedelta) -> str:
    """Write a duration as `duration_of` reads it.

    Examples
    --------
    >>> duration_text(timedelta(seconds=5400))
    '1h30m'
    """
    rest = round(length.total_seconds())
    parts = []
    for unit, size in _UNITS.items():
        number, rest = divmod(rest, size)
        if number:
            parts.append(f"{number}{unit}")
    return "".join(parts) or "0s"


@dataclass(frozen=True)
class Timing:
    """When to run, checked as far as that goes without Prefect, which may only be imported later."""

    cron: str | None
    interval: timedelta | None
    timezone: str

    def schedule(self) -> "Schedule":
        """Make Prefect's schedule of it.

        An interval counts from midnight of the time zone, so that 10m means on the tenth minutes, and
        deploying again moves nothing.

        Raises
        ------
        InputError
            Where Prefect does not take the cron expression, or its date never comes.
        """
        from prefect.schedules import Schedule

        if self.interval is not None:
            anchor = datetime(2020, 1, 1, tzinfo=ZoneInfo(self.timezone))
            return Schedule(interval=self.interval, timezone=self.timezone, anchor_date=anchor)
        cron = self.cron or ""
        try:
            schedule = Schedule(cron=cron, timezone=self.timezone)
        except ValueError as error:
            raise InputError(_no_cron(cron, str(error))) from error
        # Prefect takes the 31st of February, and its server fails whenever it looks for the next tick.
        reader: Any = import_module("prefect._vendor.croniter")  # the one that the server reads it with
        try:
            reader.croniter(cron, datetime.now(ZoneInfo(self.timezone))).get_next(datetime)
        except ValueError as error:
            message = f"--cron {cron!r} never comes: no month that it names has such a day"
            raise InputError(message) from error
        return schedule


def timing_of(cron: str | None, interval: str | None, timezone: str | None) -> Timing | None:
    """Read the options of a schedule; None where neither cron nor interval was given.

    Raises
    ------
    InputError
        Where both were given, or one of them or the time zone is wrong.
    """
    if cron is not None and interval is not None:
        message = "give --cron or --interval, not both"
        raise InputError(message)
    if timezone is not None:
        _check_timezone(timezone, needed=cron is not None or interval is not None)
    if cron is None and interval is None:
        return None
    if cron is not None and not _CRON.fullmatch(cron.strip()):
        raise InputError(_no_cron(cron, "five fields are needed"))
    length = None if interval is None else duration_of(interval)
    return Timing(cron=None if cron is None else cron.strip(), interval=length, timezone=timezone or "UTC")


def _no_cron(text: str, reason: str) -> str:
    return (
        f"--cron {text!r} is no cron expression ({reason}): give minute, hour, day of month, month and day "
        "of week, as in '0 3 * * *' for every day at 03:00"
    )


def _check_timezone(timezone: str, *, needed: bool) -> None:
    if not needed:
        message = "--timezone needs --cron or --interval"
        raise InputError(message)
    zones = available_timezones()
    if timezone not in zones:
        near = suggestion(timezone, zones)
        hint = f"did you mean {near}?" if near else "give one such as UTC or Europe/Rome"
        message = f"--timezone {timezone!r} is not known: {hint}"
        raise InputError(message)


def schedule_text(schedule: "SCHEDULE_TYPES") -> str:
    """Say a schedule of Prefect's in the words of the options that make it."""
    from prefect.client.schemas.schedules import CronSchedule, IntervalSchedule

    zone = getattr(schedule, "timezone", None) or "UTC"
    if isinstance(schedule, CronSchedule):
        return f"cron {schedule.cron} ({zone})"
    if isinstance(schedule, IntervalSchedule):
        return f"every {duration_text(schedule.interval)}" + ("" if zone == "UTC" else f" ({zone})")
    return type(schedule).__name__
