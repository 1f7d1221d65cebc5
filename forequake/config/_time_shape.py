"""The keys of time_config."""

from datetime import UTC, datetime
from typing import Annotated, Final

from pydantic import AfterValidator, BeforeValidator, Field, WithJsonSchema

from forequake.config._moments import Moment, TimePair
from forequake.config._refusals import refuse, refuse_word
from forequake.config._section import Section, key
from forequake.config.specs import ExperimentClass
from forequake.errors import InputError
from forequake.schedules import Growth, Horizon

__all__ = ["CLASSES", "ClassWord", "Lead", "Length", "TimeSection", "class_of", "length_text"]

#: All ways in which floatCSEP and its documentation write the two classes.
CLASSES: Final[dict[str, ExperimentClass]] = {
    "ti": "ti",
    "time_independent": "ti",
    "time-independent": "ti",
    "td": "td",
    "time_dependent": "td",
    "time-dependent": "td",
}
#: Their distance is the most that a model may run ahead of a window.
_EARLY: Final = datetime(1000, 1, 1, tzinfo=UTC)
_LATE: Final = datetime(2000, 1, 1, tzinfo=UTC)


def _check_class(text: str) -> str:
    if text not in CLASSES:
        refuse_word("class", text, CLASSES)
    return text


def class_of(word: str | None) -> ExperimentClass | None:
    """Give the class that a checked word means."""
    return None if word is None else CLASSES[word]


def length_text(length: Horizon | None) -> str | None:
    """Write a length of time as it is recorded."""
    return None if length is None else f"{length.count} {length.unit}s"


def _read_horizon(value: object) -> Horizon:
    if not isinstance(value, str):
        refuse("expected a number with a unit, such as '2 years' or '12 hours'")
    try:
        return Horizon.parse(value)
    except InputError as error:
        refuse(str(error))


def _check_lead(length: Horizon) -> Horizon:
    try:
        fits = length.after(_LATE, -1) >= _EARLY
    except InputError:
        fits = False
    if not fits:
        refuse("expected 1000 years or less")
    return length


#: One of `CLASSES`.
ClassWord = Annotated[str, AfterValidator(_check_class), WithJsonSchema({"enum": list(CLASSES)})]
#: A length of time, such as ``2 years``.
Length = Annotated[
    Horizon,
    BeforeValidator(_read_horizon),
    WithJsonSchema({"type": "string", "pattern": r"^\s*[0-9]{1,6}[\s_-]*[A-Za-z]+\s*$"}),
]
#: So long before a window.
Lead = Annotated[Length, AfterValidator(_check_lead)]
_Several = Annotated[int, Field(gt=0)]
_Pairs = list[TimePair]


class TimeSection(Section):
    """time_config."""

    start_date: Moment | None = key("Begins the first window; UTC where no zone is given.")
    end_date: Moment | None = key("Ends the experiment; windows lie before it.")
    exp_class: ClassWord | None = key("ti: time-independent, td: time-dependent.", "ti")
    intervals: _Several | None = key(
        "How many windows: equal parts of the time, or as many horizons from the start on.", 1
    )
    horizon: Length | None = key(
        "Length of a window: a whole number with years, months, weeks, days, hours or minutes."
    )
    offset: Length | None = key(
        "From the start of a window to the start of the next one. Shorter than horizon, windows overlap; "
        "longer, they leave gaps. Not given, each follows the one before."
    )
    growth: Growth | None = key(
        "incremental: windows follow one another; cumulative: all begin at start_date.", "incremental"
    )
    time_windows: _Pairs | None = key("The windows themselves, a list of pairs [start, end].", min_length=1)
    timewindows: _Pairs | None = key("Old name of time_windows.", min_length=1)
    timeintervals: _Several | None = key("Another name of intervals, which floatCSEP reads.")
    timeoffset: Length | None = key("Another name of offset, which floatCSEP reads.")
