"""The keys of limits: of one model, or of all at the top of the file."""

import re
from datetime import timedelta
from typing import Annotated, Any, Final

from pydantic import BeforeValidator, Field, WithJsonSchema

from forequake.config._places import Place, Problems
from forequake.config._refusals import refuse, refuse_word
from forequake.config._section import Section, key, read_section
from forequake.config.model_specs import FolderModel, ModelSpec
from forequake.config.program_keys import LONGEST_SECONDS, MOST_MB, MOST_PROCESSES, RunLimits

__all__ = ["LimitsSection", "read_limits", "with_limits"]

_UNITS: Final = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": timedelta(hours=1),
    "day": timedelta(days=1),
    "week": timedelta(weeks=1),
}
_LENGTH: Final = re.compile(r"\s*([0-9]{1,8})[\s_-]*([A-Za-z]+)\s*")
#: In the place of a length of time: no such limit.
_NONE: Final = "none"
_EXPECTED: Final = "expected seconds, or a whole number with a unit, such as '2 hours' or '90 seconds'"


def _seconds(value: object) -> float:
    """Give a length of time in seconds, from a number of them or from words such as ``2 hours``."""
    if isinstance(value, int | float) and not isinstance(value, bool):
        seconds = float(value)
    elif isinstance(value, str) and (parts := _LENGTH.fullmatch(value)) is not None:
        unit = parts[2].lower().removesuffix("s")
        if unit in ("month", "year"):
            refuse("a limit is as long at any time of the year: give weeks, days, hours, minutes or seconds")
        if unit not in _UNITS:
            refuse_word("unit of time", parts[2], [f"{known}s" for known in _UNITS])
        seconds = int(parts[1]) * _UNITS[unit].total_seconds()
    else:
        refuse(_EXPECTED)
    if not 0 <= seconds <= LONGEST_SECONDS:
        refuse("a limit lies between 0 seconds and 366 days")
    return seconds


def _some_seconds(value: object) -> float:
    seconds = _seconds(value)
    if seconds == 0:
        refuse("must be longer than 0 seconds")
    return seconds


def _seconds_or_none(value: object) -> float | str:
    return _NONE if isinstance(value, str) and value.strip().lower() == _NONE else _some_seconds(value)


_TEXT: Final[dict[str, Any]] = {"type": "string", "pattern": r"^\s*[0-9]{1,8}[\s_-]*[A-Za-z]+\s*$"}
_NUMBER: Final[dict[str, Any]] = {"type": "number", "minimum": 0, "maximum": LONGEST_SECONDS}
_Length = Annotated[float, BeforeValidator(_some_seconds), WithJsonSchema({"anyOf": [_NUMBER, _TEXT]})]
_Grace = Annotated[float, BeforeValidator(_seconds), WithJsonSchema({"anyOf": [_NUMBER, _TEXT]})]
_LengthOrNone = Annotated[
    float | str,
    BeforeValidator(_seconds_or_none),
    WithJsonSchema({"anyOf": [_NUMBER, _TEXT, {"const": _NONE}]}),
]
_Megabytes = Annotated[int, Field(gt=0, le=MOST_MB)]
_Processes = Annotated[int, Field(gt=0, le=MOST_PROCESSES)]


class LimitsSection(Section):
    """limits."""

    seconds: _Length | None = key(
        "The time that a run may take: seconds, or words such as 2 hours.", RunLimits().seconds
    )
    silence_seconds: _LengthOrNone | None = key(
        "A run that prints nothing for so long is ended; none: it may be silent.", _NONE
    )
    cpu_seconds: _LengthOrNone | None = key(
        "Processor time of all its processes together; none: no such limit.", _NONE
    )
    memory_mb: _Megabytes | None = key("Memory of all its processes together, in MiB.", RunLimits().memory_mb)
    disk_mb: _Megabytes | None = key("What it may write into its folder, in MiB.", RunLimits().disk_mb)
    processes: _Processes | None = key("Processes that live at one time.", RunLimits().processes)
    output_mb: _Megabytes | None = key("Size of the forecast's file, in MiB.", RunLimits().output_mb)
    grace_seconds: _Grace | None = key(
        "From SIGTERM to SIGKILL, where time has run out.", RunLimits().grace_seconds
    )


def read_limits(place: Place, problems: Problems) -> RunLimits:
    """Read limits, of a model or of all; those that are not given are the usual ones, not set."""
    if place.value is None:
        return RunLimits()
    if not isinstance(place.value, dict):
        problems.add(place, f"expected a mapping with some of the keys {', '.join(LimitsSection.keys())}")
        return RunLimits()
    given = read_section(LimitsSection, place, place.entries, problems, required={}).given
    return RunLimits(**{name: None if value == _NONE else value for name, value in given.items()})


def with_limits(models: tuple[ModelSpec, ...], common: RunLimits) -> tuple[ModelSpec, ...]:
    """Give models the limits of all models, where they have none of their own."""
    return tuple(_with_limits(model, common) for model in models)


def _with_limits(model: ModelSpec, common: RunLimits) -> ModelSpec:
    if not isinstance(model, FolderModel) or model.program is None:
        return model
    own = model.program.limits.model_dump(exclude_unset=True)
    limits = RunLimits(**{**common.model_dump(exclude_unset=True), **own})
    program = model.program.model_copy(update={"limits": limits})
    return model.model_copy(update={"program": program})
