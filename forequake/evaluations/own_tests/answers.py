"""Reading what a user's own test gives back: strictly, since it is stored for good."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NoReturn

import numpy as np
from numpy.typing import NDArray
from pydantic import JsonValue

from forequake.errors import EvaluationError, suggestion
from forequake.evaluations.evaluated import Numbers, summary_of
from forequake.results import LowerQuantile, Outcome, PValue, Quantiles, Side

__all__ = ["Answer", "Kind", "read_answer"]

Kind = Literal["consistency", "comparison", "score"]

#: What a function of each kind may give back.
_KEYS: Final[dict[Kind, tuple[str, ...]]] = {
    "consistency": ("outcome", "statistic", "quantile", "p", "sample", "reason", "flags"),
    "comparison": ("outcome", "statistic", "p", "information_gain", "interval", "reason", "flags"),
    "score": ("outcome", "statistic", "reason", "flags"),
}
_OUTCOMES: Final[dict[Kind, tuple[Outcome, ...]]] = {
    "consistency": (Outcome.PASSED, Outcome.REJECTED, Outcome.UNDEFINED),
    "comparison": (Outcome.BETTER, Outcome.WORSE, Outcome.NO_DIFFERENCE, Outcome.UNDEFINED),
    "score": (Outcome.SCORE_ONLY, Outcome.UNDEFINED),
}
_NAMES: Final[dict[Kind, str]] = {
    "consistency": "a consistency test",
    "comparison": "a comparison",
    "score": "a score",
}
_FLAG: Final = re.compile(r"[a-z][a-z0-9_]{0,63}")
_MOST_FLAGS: Final = 16
_MOST_LETTERS: Final = 500


@dataclass(frozen=True, eq=False)
class Answer:
    """What a function found, and by which rule that is a verdict.

    Attributes
    ----------
    numbers
        As of any test.
    side, rule
        As in `forequake.results.EvaluationRecord`.
    """

    numbers: Numbers
    side: Side
    rule: str


def read_answer(kind: Kind, answer: Mapping[str, JsonValue], *, alpha: float, function: str) -> Answer:
    """Check an answer and make the verdict where its numbers decide it.

    A quantile or a p below alpha rejects, or tells two forecasts apart; an outcome beside it must say the
    same. Without either the function's outcome stands.

    Parameters
    ----------
    function
        ``file.py:function``, for messages and for the rule.

    Raises
    ------
    EvaluationError
        With the function, the key, the value, and what is allowed.
    """
    return _Reading(kind, answer, alpha, function).read()


class _Reading:
    def __init__(self, kind: Kind, answer: Mapping[str, JsonValue], alpha: float, function: str) -> None:
        self._kind: Kind = kind
        self._answer = answer
        self._alpha = alpha
        self._function = function

    def read(self) -> Answer:
        self._check_keys()
        statistic, gain = self._number("statistic"), self._number("information_gain")
        quantiles = self._quantiles()
        reason, outcome = self._text("reason"), self._outcome(quantiles, gain)
        if outcome is Outcome.UNDEFINED:
            self._check_undefined(reason, quantiles)
        elif reason is not None:
            self._refuse("reason", f"a reason belongs to the outcome undefined, not to {outcome.value}")
        if statistic is None:
            statistic = gain
        if statistic is None and outcome is not Outcome.UNDEFINED:
            needs = "a statistic or an information_gain" if self._kind == "comparison" else "a statistic"
            self._fail(f"gave no statistic: {_NAMES[self._kind]} needs {needs}, unless it is undefined")
        sample = self._sample()
        numbers = Numbers(
            outcome=outcome,
            statistic=statistic,
            quantiles=quantiles,
            reason=reason,
            flags=self._flags(),
            distribution=None if sample is None else summary_of(sample),
            sample=sample,
            information_gain=gain,
            interval=self._interval(),
        )
        return Answer(numbers, *self._side_and_rule(quantiles))

    # --- the verdict ---------------------------------------------------------------------------------------

    def _quantiles(self) -> Quantiles | None:
        quantile, p = self._probability("quantile"), self._probability("p")
        if quantile is not None and p is not None:
            self._refuse("p", "beside a quantile; one of them decides")
        if quantile is not None:
            return LowerQuantile(q=quantile)
        return None if p is None else PValue(p=p)

    def _outcome(self, quantiles: Quantiles | None, gain: float | None) -> Outcome:
        told = self._told_outcome()
        if told is Outcome.UNDEFINED:
            return told
        if self._kind == "score":
            return Outcome.SCORE_ONLY
        if quantiles is None:
            if told is None:
                missing = "quantile and no p" if self._kind == "consistency" else "p with an information_gain"
                self._fail(f"gave no outcome, and no {missing} to tell it from")
            return told
        significant = min(quantiles.named().values()) < self._alpha
        if self._kind == "consistency":
            found = Outcome.REJECTED if significant else Outcome.PASSED
        elif not significant:
            found = Outcome.NO_DIFFERENCE
        elif gain:
            found = Outcome.BETTER if gain > 0 else Outcome.WORSE
        elif told in (Outcome.BETTER, Outcome.WORSE):
            found = told
        else:
            self._fail("gave a p below alpha, but neither an information_gain nor better or worse")
        if told is not None and told is not found:
            name, value = ("quantile", "q") if isinstance(quantiles, LowerQuantile) else ("p", "p")
            number = quantiles.named()[value]
            self._refuse("outcome", f"its {name} of {number:g} at alpha = {self._alpha:g} says {found.value}")
        return found

    def _told_outcome(self) -> Outcome | None:
        told = self._answer.get("outcome")
        if told is None:
            return None
        allowed = {outcome.value: outcome for outcome in _OUTCOMES[self._kind]}
        if not isinstance(told, str) or told not in allowed:
            near = suggestion(told, allowed) if isinstance(told, str) else None
            hint = f"; did you mean {near!r}?" if near else ""
            self._refuse("outcome", f"{_NAMES[self._kind]} gives {', '.join(allowed)}{hint}")
        return allowed[told]

    def _check_undefined(self, reason: str | None, quantiles: Quantiles | None) -> None:
        if reason is None:
            self._fail(
                "gave the outcome undefined without a reason: {'outcome': 'undefined', 'reason': '...'}"
            )
        if quantiles is not None:
            self._fail("gave the outcome undefined beside a quantile or p, which decide it")

    def _side_and_rule(self, quantiles: Quantiles | None) -> tuple[Side, str]:
        if self._kind == "score":
            return Side.NONE, f"a score of {self._function}"
        if isinstance(quantiles, LowerQuantile):
            return Side.LOWER, f"rejected when the quantile that {self._function} gives is below alpha"
        if quantiles is not None and self._kind == "consistency":
            return Side.NONE, f"rejected when the p that {self._function} gives is below alpha"
        if quantiles is not None:
            return Side.NONE, f"better or worse when the p that {self._function} gives is below alpha"
        return Side.NONE, f"the outcome is that of {self._function}"

    # --- single keys ---------------------------------------------------------------------------------------

    def _check_keys(self) -> None:
        allowed = _KEYS[self._kind]
        for key in self._answer:
            if key not in allowed:
                near = suggestion(key, allowed)
                hint = f"; did you mean {near!r}?" if near else ""
                self._fail(f"gave the key {key!r}; {_NAMES[self._kind]} gives {', '.join(allowed)}{hint}")

    def _number(self, key: str) -> float | None:
        value = self._answer.get(key)
        return None if value is None else self._as_float(key, value)

    def _as_float(self, key: str, value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float):
            self._refuse(key, "expected a number", value)
        try:
            number = float(value)
        except OverflowError:
            self._refuse(key, "too large for a number", value)
        if math.isnan(number):
            self._refuse(key, "expected a number, or {'outcome': 'undefined', 'reason': '...'}", value)
        return number

    def _probability(self, key: str) -> float | None:
        number = self._number(key)
        if number is not None and not 0 <= number <= 1:
            self._refuse(key, "expected a probability, 0 to 1")
        return number

    def _text(self, key: str) -> str | None:
        value = self._answer.get(key)
        if value is None:
            return None
        if not isinstance(value, str) or not value.strip():
            self._refuse(key, "expected text")
        return value[:_MOST_LETTERS]

    def _flags(self) -> tuple[str, ...]:
        flags = self._answer.get("flags")
        if flags is None:
            return ()
        if not isinstance(flags, list) or len(flags) > _MOST_FLAGS:
            self._refuse("flags", f"expected a list of at most {_MOST_FLAGS} words")
        for flag in flags:
            if not isinstance(flag, str) or not _FLAG.fullmatch(flag):
                self._refuse("flags", "expected words such as few_events", flag)
        return tuple(dict.fromkeys(str(flag) for flag in flags))

    def _interval(self) -> tuple[float, float] | None:
        value = self._answer.get("interval")
        if value is None:
            return None
        if not isinstance(value, list) or len(value) != 2:
            self._refuse("interval", "expected a pair of numbers")
        low, high = (self._as_float("interval", end) for end in value)
        if low > high:
            self._refuse("interval", "expected the lower end first")
        return low, high

    def _sample(self) -> NDArray[np.float64] | None:
        value = self._answer.get("sample")
        if value is None:
            return None
        if not isinstance(value, list) or not value:
            self._refuse("sample", "expected a list of numbers, one or more")
        return np.array([self._as_float("sample", number) for number in value], dtype=np.float64)

    # --- words ---------------------------------------------------------------------------------------------

    def _refuse(self, key: str, what: str, value: object = None) -> NoReturn:
        shown = repr(self._answer.get(key) if value is None else value)
        self._fail(f"gave {key} = {shown if len(shown) <= 60 else shown[:57] + '...'}: {what}")

    def _fail(self, what: str) -> NoReturn:
        message = f"{self._function} {what}"
        raise EvaluationError(message)
