"""Results of two states of experiments, place by place: what stayed, what moved, and what changed sides."""

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final, Literal

from dashboard._words import OUTCOMES, is_drawn, number, quantile
from dashboard.figures.series import deciding_value
from forequake.results import (
    AdjustedQuantile,
    BatchQuantiles,
    KolmogorovQuantile,
    StudentQuantiles,
    WilcoxonQuantile,
)
from forequake.windows import TimeWindow
from stores import ResultRow

__all__ = ["Axis", "Pair", "Shift", "axis_of", "count_shifts", "paired", "revisions_table", "shown_value"]

#: As the store compares values: what another order of a sum does to the last digits is no change.
_TOLERANCE: Final = 1e-9


#: What a number is.
Axis = Literal["probability", "gain"]


class Shift(StrEnum):
    """What became of a result; the values are its words."""

    OUTCOME = "other outcome"
    VALUE = "same outcome, other numbers"
    INPUTS = "same numbers, from other inputs"
    SAME = "the same result"
    ADDED = "only after"
    GONE = "only before"


@dataclass(frozen=True)
class Pair:
    """A place in two states; None where one of them has no result there."""

    test: str
    model: str
    reference: str | None
    window: TimeWindow
    before: ResultRow | None
    after: ResultRow | None

    @property
    def either(self) -> ResultRow:
        """The latter result, or the former where there is no latter one."""
        row = self.after or self.before
        assert row is not None, "a pair has at least one result"  # noqa: S101 - so it is made
        return row

    @property
    def shift(self) -> Shift:
        """What became of the result."""
        if self.before is None or self.after is None:
            return Shift.ADDED if self.before is None else Shift.GONE
        if self.before.key == self.after.key:
            return Shift.SAME
        if self.before.outcome is not self.after.outcome:
            return Shift.OUTCOME
        return Shift.INPUTS if _equal(self.before, self.after) else Shift.VALUE

    @property
    def size(self) -> float | None:
        """How far the number that decides has moved; None where one of the two has none or is infinite."""
        if self.before is None or self.after is None:
            return None
        former, latter = shown_value(self.before), shown_value(self.after)
        if former is None or latter is None or math.isinf(former) or math.isinf(latter):
            return None
        return abs(latter - former)

    @property
    def axis(self) -> Axis | None:
        """Tell what the numbers of both results are; None where that is not the same."""
        axes = {None if row is None else axis_of(row) for row in (self.before, self.after)}
        return axes.pop() if len(axes) == 1 else None


def _equal(one: ResultRow, other: ResultRow) -> bool:
    if (one.n_observed, one.reason, type(one.quantiles)) != (
        other.n_observed,
        other.reason,
        type(other.quantiles),
    ):
        return False
    numbers = [(one.statistic, other.statistic), (one.information_gain, other.information_gain)]
    if one.quantiles is not None and other.quantiles is not None:
        mine, theirs = one.quantiles.named(), other.quantiles.named()
        if mine.keys() != theirs.keys():
            return False
        numbers += [(mine[name], theirs[name]) for name in mine]
    return all(
        left == right
        or (
            left is not None
            and right is not None
            and math.isclose(left, right, rel_tol=_TOLERANCE, abs_tol=_TOLERANCE)
        )
        for left, right in numbers
    )


def shown_value(row: ResultRow) -> float | None:
    """Give the number by which a result decides: a quantile, p, the information gain, or the score."""
    match row.quantiles:
        case AdjustedQuantile(p_adjusted=value) | KolmogorovQuantile(p=value) | WilcoxonQuantile(p=value):
            return value
        case BatchQuantiles(p_adjusted=value) if row.information_gain is None:
            return value
        case _:
            return deciding_value(row)


def axis_of(row: ResultRow) -> Axis | None:
    """Tell what `shown_value` is; None for scores and where it is undefined."""
    if row.quantiles is None:
        return None
    gains = isinstance(row.quantiles, StudentQuantiles | BatchQuantiles) and row.information_gain is not None
    return "gain" if gains else "probability"


def paired(before: Sequence[ResultRow], after: Sequence[ResultRow]) -> list[Pair]:
    """Put the results of two states side by side, by test, model, reference and window."""
    former = {_place(row): row for row in before}
    latter = {_place(row): row for row in after}
    return [
        Pair(*place, before=former.get(place), after=latter.get(place))
        for place in dict.fromkeys([*latter, *former])
    ]


def _place(row: ResultRow) -> tuple[str, str, str | None, TimeWindow]:
    return row.label.test, row.label.model, row.label.reference, row.label.window


def count_shifts(pairs: Sequence[Pair]) -> dict[Shift, int]:
    """Count pairs by what became of them, in the order of `Shift`."""
    counts = Counter(pair.shift for pair in pairs)
    return {shift: counts[shift] for shift in Shift}


def revisions_table(pairs: Sequence[Pair]) -> list[dict[str, Any]]:
    """List pairs with both values, one in a row: outcomes and values side by side, then all else."""
    return [_entry(pair) for pair in pairs]


def _entry(pair: Pair) -> dict[str, Any]:
    before, after = _side(pair.before), _side(pair.after)
    both = {
        f"{what} {when}": side[what]
        for what in before
        for when, side in (("before", before), ("after", after))
    }
    read = ("outcome before", "outcome after", "value before", "value after")
    place = {"model": pair.model, "test": pair.test, "reference": pair.reference, "change": pair.shift.value}
    return place | {name: both.pop(name) for name in read} | {"window": pair.window.id} | both


def _side(row: ResultRow | None) -> dict[str, Any]:
    value = None if row is None else shown_value(row)
    return {
        "outcome": None if row is None else OUTCOMES[row.outcome],
        "value": None if row is None or value is None else _written(row, value),
        "number": value,
        "statistic": None if row is None else row.statistic,
        "events": None if row is None else row.n_observed,
        "expected": None if row is None else row.n_forecast,
        "run": None if row is None else row.run_no,
    }


def _written(row: ResultRow, value: float) -> str:
    if axis_of(row) == "probability":
        return quantile(value, "n" if is_drawn(row.test, row.quantiles) else None)
    return number(value)
