"""The windows of an experiment from its keys of time."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from forequake.config._places import Place, Problems
from forequake.config._shapes import TimeSection
from forequake.errors import InputError
from forequake.schedules import Growth, tile
from forequake.windows import TimeWindow

__all__ = ["TimePlan", "read_windows"]


@dataclass(frozen=True)
class TimePlan:
    """The windows, how they grow, and what the user should know about them."""

    windows: tuple[TimeWindow, ...]
    growth: Growth
    notes: tuple[str, ...] = ()


def read_windows(
    section: TimeSection, home: Place, entries: Mapping[str, Place], problems: Problems
) -> TimePlan | None:
    """Make the windows, or note why they cannot be made."""
    growth = section.growth or "incremental"
    explicit = [key for key in ("time_windows", "timewindows") if key in entries]
    if len(explicit) == 2:
        problems.add(entries["timewindows"], "this is the old name of time_windows, which is given too")
        return None
    if explicit:
        return _explicit(section, entries[explicit[0]], entries, growth, problems)
    return _tiled(section, home, entries, growth, problems)


def _tiled(
    section: TimeSection, home: Place, entries: Mapping[str, Place], growth: Growth, problems: Problems
) -> TimePlan | None:
    # A date that is given but wrong has its own problem, which says all.
    broken = {"start_date", "end_date", "intervals", "horizon"} & entries.keys() - section.given.keys()
    if broken or section.start_date is None:
        return None
    if section.end_date is not None and section.start_date >= section.end_date:
        message = f"the experiment must start before it ends, at {entries['end_date'].value}"
        problems.add(entries["start_date"], message)
        return None
    try:
        schedule = tile(
            section.start_date,
            section.end_date,
            intervals=section.intervals,
            horizon=section.horizon,
            growth=growth,
        )
    except InputError as error:
        blamed = next((entries[key] for key in ("horizon", "intervals") if key in entries), None)
        problems.add(blamed or home.at("end_date"), str(error))
        return None
    notes = []
    if schedule.left_over is not None:
        rest = schedule.left_over
        notes.append(
            f"the part from {_shown(rest.start)} to {_shown(rest.end)} is shorter than a horizon "
            f"({entries['horizon'].value}) and lies in no window"
        )
    return TimePlan(windows=schedule.windows, growth=growth, notes=tuple(notes))


def _explicit(
    section: TimeSection, place: Place, entries: Mapping[str, Place], growth: Growth, problems: Problems
) -> TimePlan | None:
    for key in ("intervals", "horizon"):
        if key in entries:
            problems.add(entries[key], f"the windows are listed in {place.name}; leave this key out")
    pairs = section.time_windows or section.timewindows
    if pairs is None:
        return None
    for number, pair in enumerate(pairs):
        if pair in pairs[:number]:
            problems.add(place.at(number), f"this window is listed twice; first in [{pairs.index(pair)}]")
    first, last = min(start for start, _ in pairs), max(end for _, end in pairs)
    for key, given, edge in (("start_date", section.start_date, first), ("end_date", section.end_date, last)):
        if given is not None and given != edge:
            problems.add(
                entries[key], f"the windows listed in {place.name} go from {_shown(first)} to {_shown(last)}"
            )
    notes = []
    ordered = sorted(pairs)
    latest = ordered[0][1]
    for start, end in ordered[1:]:
        if start < latest:
            notes.append("windows overlap, so that their results depend on one another")
            break
        latest = max(latest, end)
    windows = tuple(TimeWindow(start=start, end=end) for start, end in pairs)
    return TimePlan(windows=windows, growth=growth, notes=tuple(notes))


def _shown(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
