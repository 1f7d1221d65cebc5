"""Whether a forecast is decided by what the model is given: seeds, and circumstances that must not matter."""

from collections.abc import Sequence
from typing import Final

from forequake.qualification.content import difference, other_words
from forequake.qualification.outcome import Check
from forequake.qualification.source_hints import Hint, places_of
from forequake.qualification.trials import Trial, Trials

__all__ = ["CIRCUMSTANCES", "circumstances_check", "clock_check", "other_seed_check", "same_seed_check"]

#: What forequake sets the same in all runs, and what it is set to instead to see whether it matters.
CIRCUMSTANCES: Final = {
    "PYTHONHASHSEED": ("1", "the order of a set of texts is another one in each process: sort it"),
    "TZ": ("Asia/Tokyo", "times without an offset are read in the machine's time zone: take them as UTC"),
    "OMP_NUM_THREADS": ("2", "sums by several threads round in another order: use one thread"),
}
_TAKE_SEED: Final = (
    "make all chance with one generator whose seed is an argument or the variable FOREQUAKE_SEED; "
    "use no clock"
)


def same_seed_check(first: Trial, again: Trial, hints: Sequence[Hint]) -> Check:
    """Compare two runs that were asked for the same."""
    name = "same seed twice"
    if first.content is None or again.content is None:
        mend = "the same input must give the same forecast, always"
        return Check(name, "fail", f"the second time: {again.failure}", mend)
    where = places_of(hints, "chance", "clock", "time")
    found = difference(first.content, again.content)
    if found is not None:
        return Check(name, "fail", f"two forecasts: {found}", _TAKE_SEED + where)
    words = other_words(first.content, again.content)
    if words is not None:
        mend = "write nothing into the file that differs from run to run, such as the time of day"
        return Check(name, "warn", f"the same numbers in other words: {words}", mend + where)
    return Check(name, "pass", "the same file, bit by bit")


def other_seed_check(first: Trial, other: Trial, argument: str | None, *, repeats: bool) -> Check:
    """Compare two runs with different seeds.

    Parameters
    ----------
    argument
        By which the seed was given, beside ``FOREQUAKE_SEED``.
    repeats
        Whether one seed gives one forecast.
    """
    name = "another seed"
    how = "FOREQUAKE_SEED" if argument is None else f"the argument {argument} and FOREQUAKE_SEED"
    if first.content is None or other.content is None:
        mend = "take any seed from 1 to 2^32 - 1"
        return Check(name, "fail", f"given by {how}: {other.failure}", mend)
    if not repeats:
        return Check(name, "skipped", "the forecast differs with the same seed already")
    found = difference(first.content, other.content)
    if first.content.n_events is None:
        if found is None:
            return Check(name, "pass", "the same rates: no chance is in them")
        return Check(name, "info", f"the rates are made by chance: {found}")
    if found is None and first.content.n_events:
        return Check(
            name,
            "warn",
            f"the same catalogs with another seed, given by {how}: the seed is not used",
            "take the seed that the run gives, else all windows and repetitions have the same chance in them",
        )
    amounts = f"{first.content.n_events} events and {other.content.n_events}"
    return Check(name, "pass", f"other catalogs, by {how}: {amounts}")


def circumstances_check(trials: Trials, first: Trial, hints: Sequence[Hint], *, repeats: bool) -> Check:
    """Run in other circumstances, and find out which of them matters where one does."""
    name = "other circumstances"
    if not repeats:
        return Check(name, "skipped", "the forecast differs in the same circumstances already")
    changed = {variable: value for variable, (value, _) in CIRCUMSTANCES.items()}
    trial = trials.run("other circumstances", variables=changed)
    if _same(first, trial):
        return Check(name, "pass", f"the same forecast with other {', '.join(CIRCUMSTANCES)}")
    for variable, (value, why) in CIRCUMSTANCES.items():
        alone = trials.run(f"another {variable}", variables={variable: value})
        if not _same(first, alone):
            where = places_of(hints, "set") if variable == "PYTHONHASHSEED" else ""
            return Check(
                name,
                "warn",
                f"another {variable}: {_told(first, alone)}",
                f"{why}{where}; in runs forequake sets it",
            )
    return Check(
        name, "warn", f"other {', '.join(changed)} together: {_told(first, trial)}", "see which matters"
    )


def clock_check(hints: Sequence[Hint]) -> Check:
    """Tell where a model looks at the clock, as far as its source says it."""
    where = places_of(hints, "clock")
    if not where:
        return Check("clock", "pass", "its source does not ask for today's date")
    return Check(
        "clock",
        "warn",
        f"it asks for the date of today{where}",
        "a forecast that is made a year later must be the same: take start_date from the file of arguments",
    )


def _same(one: Trial, other: Trial) -> bool:
    return (
        one.content is not None
        and other.content is not None
        and difference(one.content, other.content) is None
    )


def _told(one: Trial, other: Trial) -> str:
    if one.content is None or other.content is None:
        return str(other.failure)
    return difference(one.content, other.content) or "the same forecast"
