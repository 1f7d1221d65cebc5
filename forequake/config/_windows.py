"""The windows of an experiment from its keys of time."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from forequake.config._places import Place, Problems
from forequake.config._time_shape import TimeSection, class_of
from forequake.config.specs import ExperimentClass
from forequake.errors import InputError
from forequake.schedules import Growth, Schedule, tile
from forequake.windows import TimeWindow, overlap

__all__ = ["TimePlan", "read_windows"]

#: Keys under which floatCSEP reads, or once read, what it documents under another name.
_OTHER_NAMES: Final = {"timewindows": "time_windows", "timeintervals": "intervals", "timeoffset": "offset"}
#: Keys that make windows, so that windows cannot be made where one of them is wrong.
_RULES: Final = frozenset({"start_date", "end_date", "intervals", "horizon", "offset"})


@dataclass(frozen=True)
class TimePlan:
    """The windows, how they grow, for which models they are, and what the user should know about them."""

    windows: tuple[TimeWindow, ...]
    growth: Growth
    exp_class: ExperimentClass
    notes: tuple[str, ...] = ()


def read_windows(
    section: TimeSection, home: Place, entries: Mapping[str, Place], problems: Problems
) -> TimePlan | None:
    """Make the windows, or note why they cannot be made."""
    doubled = [(other, key) for other, key in _OTHER_NAMES.items() if {other, key} <= entries.keys()]
    for other, key in doubled:
        problems.add(entries[other], f"this is another name of {key}, which is given too")
    if doubled:
        return None
    named = {_OTHER_NAMES.get(key, key): place for key, place in entries.items()}
    if "time_windows" in named:
        windows, notes = _listed(section, named, problems)
    else:
        windows, notes = _tiled(section, home, named, problems)
    if not windows:
        return None
    growth = section.growth or "incremental"
    return TimePlan(
        windows=windows,
        growth=growth,
        exp_class=class_of(section.exp_class) or "ti",
        notes=(*notes, *_dependence(windows, growth)),
    )


_Made = tuple[tuple[TimeWindow, ...], list[str]]


def _tiled(section: TimeSection, home: Place, entries: Mapping[str, Place], problems: Problems) -> _Made:
    # A key that is given but wrong has its own problem, which says all.
    right = {_OTHER_NAMES.get(key, key) for key in section.given}
    if section.start_date is None or (_RULES & entries.keys()) - right:
        return (), []
    if section.end_date is not None and section.start_date >= section.end_date:
        message = f"the experiment must start before it ends, at {entries['end_date'].value}"
        problems.add(entries["start_date"], message)
        return (), []
    try:
        schedule = tile(
            section.start_date,
            section.end_date,
            intervals=section.intervals or section.timeintervals,
            horizon=section.horizon,
            offset=section.offset or section.timeoffset,
            growth=section.growth or "incremental",
        )
    except InputError as error:
        blamed = next((entries[key] for key in ("horizon", "offset", "intervals") if key in entries), None)
        problems.add(blamed or home.at("end_date"), str(error))
        return (), []
    return schedule.windows, _uncovered(schedule, entries)


def _uncovered(schedule: Schedule, entries: Mapping[str, Place]) -> list[str]:
    notes = []
    if schedule.left_over is not None:
        why = f"is shorter than a horizon ({entries['horizon'].value}) and lies in no window"
        if "offset" in entries:
            why = "lies in no window: the next one would end after end_date"
        notes.append(f"the part from {_span(schedule.left_over)} {why}")
    if schedule.gap is not None:
        notes.append(
            f"windows of {entries['horizon'].value} start {entries['offset'].value} apart: the time between "
            f"them, such as from {_span(schedule.gap)}, lies in no window"
        )
    return notes


def _listed(section: TimeSection, entries: Mapping[str, Place], problems: Problems) -> _Made:
    place = entries["time_windows"]
    pairs = section.time_windows or section.timewindows
    if pairs is None:
        return (), []
    for number, pair in enumerate(pairs):
        if pair in pairs[:number]:
            problems.add(place.at(number), f"this window is listed twice; first in [{pairs.index(pair)}]")
    first, last = min(start for start, _ in pairs), max(end for _, end in pairs)
    start, end = section.start_date or first, section.end_date or last
    for key, outside in (("start_date", first < start), ("end_date", end < last)):
        if outside:
            problems.add(
                entries[key], f"the windows listed in {place.name} go from {_shown(first)} to {_shown(last)}"
            )
    # floatCSEP writes all keys into the configuration of a finished run, and reads the list alone.
    beside = [key for key in ("intervals", "horizon", "offset") if key in entries]
    notes = (
        [f"the windows are those listed in {place.name}, not those of {', '.join(beside)}"] if beside else []
    )
    for earlier, later in ((start, first), (last, end)):
        if earlier < later:
            part = TimeWindow(start=earlier, end=later)
            notes.append(f"the part from {_span(part)} lies in no window listed in {place.name}")
    return tuple(TimeWindow(start=start, end=end) for start, end in pairs), notes


def _dependence(windows: Sequence[TimeWindow], growth: Growth) -> list[str]:
    if len(windows) == 1 or not overlap(windows):
        return []
    what = "windows grow from one start" if growth == "cumulative" else "windows overlap"
    return [f"{what}, so that their results depend on one another"]


def _span(window: TimeWindow) -> str:
    return f"{_shown(window.start)} to {_shown(window.end)}"


def _shown(moment: datetime) -> str:
    return moment.isoformat().replace("+00:00", "Z")
