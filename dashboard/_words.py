"""Results in words and numbers, as pages and figures show them."""

import math
import re
from typing import Final

from forequake.evaluations.registry import TESTS
from forequake.results import (
    EvaluationRecord,
    LowerQuantile,
    Outcome,
    Quantiles,
    Side,
    SimulatedDistribution,
    UnitError,
)
from forequake.windows import TimeWindow

__all__ = [
    "OUTCOMES",
    "SIDES",
    "count_of",
    "equation",
    "error_words",
    "events",
    "is_drawn",
    "letters",
    "number",
    "quantile",
    "quantile_texts",
    "short_number",
    "simulations_of",
    "stamp",
    "window_name",
]

OUTCOMES: Final[dict[Outcome, str]] = {
    Outcome.PASSED: "not rejected",
    Outcome.REJECTED: "rejected",
    Outcome.BETTER: "better",
    Outcome.WORSE: "worse",
    Outcome.NO_DIFFERENCE: "no difference",
    Outcome.SCORE_ONLY: "score only",
    Outcome.UNDEFINED: "undefined",
}
SIDES: Final[dict[Side, str]] = {
    Side.LOWER: "lower side",
    Side.UPPER: "upper side",
    Side.TWO_SIDED: "two-sided",
    Side.NONE: "no side",
}

#: How quantiles are called where their stored names are no words.
_QUANTILES: Final = {
    "t_critical": "critical t",
    "p_adjusted": "corrected p",
    "w_p": "p of W",
    "w_p_adjusted": "corrected p of W",
    "family": "size of the family",
}
_NO_SHARES: Final = ("t", "t_critical", "family")


def number(value: float | None, digits: int = 4) -> str:
    """Write a number for reading, with its true minus sign and with infinity as a sign.

    Examples
    --------
    >>> number(-34.86965), number(8.349e-05), number(float("-inf")), number(None)
    ('−34.87', '8.349e−5', '−∞', '–')
    """
    if value is None:
        return "–"
    if math.isinf(value):
        return "∞" if value > 0 else "−∞"
    return re.sub(r"e([+-])0*", r"e\1", f"{value:.{digits}g}").replace("e+", "e").replace("-", "−")


def quantile(value: float, simulations: int | str | None = None) -> str:
    """Write a quantile; 0 of n simulations is less than 1/n, and no probability is written as 0.

    Parameters
    ----------
    simulations
        Their number, or a letter where it is not at hand; None for a probability that was not simulated.

    Examples
    --------
    >>> quantile(0.0, 1000), quantile(0.705, 1000), quantile(0.0)
    ('< 1/1000', '0.705', '< 1e−300')
    """
    if value == 0:
        return f"< 1/{simulations}" if simulations else "< 1e−300"
    return number(value, 3)


def short_number(value: float, *, drawn: bool = False) -> str:
    """Write a probability in at most five letters, for the inside of a cell.

    Parameters
    ----------
    drawn
        Whether it was counted from n simulations, so that 0 is less than 1/n.

    Examples
    --------
    >>> short_number(0.551), short_number(0.0), short_number(1.0), short_number(0.0421)
    ('0.55', '<.001', '1.00', '0.042')
    >>> short_number(0.0, drawn=True)
    '<1/n'
    """
    if value == 0 and drawn:
        return "<1/n"
    if value < 0.001:
        return "<.001"
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def is_drawn(test: str, quantiles: Quantiles | str | None) -> bool:
    """Tell whether quantiles, or those of a kind, are counted from simulated catalogs.

    Parameters
    ----------
    test
        forequake's name of the test.
    """
    kind = quantiles if quantiles is None or isinstance(quantiles, str) else quantiles.kind
    return kind == "lower" or (kind == "tails" and test in TESTS and TESTS[test].forecast == "catalog")


def simulations_of(result: EvaluationRecord) -> int | None:
    """Give the number of catalogs that the quantiles were counted from; None where they were not counted."""
    if isinstance(result.distribution, SimulatedDistribution):
        return result.distribution.size
    return result.num_simulations


def quantile_texts(quantiles: Quantiles | None, simulations: int | str | None = None) -> dict[str, str]:
    """Write the quantiles of a result by their names; t, its critical value and a size are no shares.

    Parameters
    ----------
    simulations
        As in `quantile`; quantiles that only simulated tests have stand without it as those of n catalogs.
    """
    if quantiles is None:
        return {}
    drawn = simulations or ("n" if isinstance(quantiles, LowerQuantile) else None)
    texts = {}
    for name, value in quantiles.named().items():
        shown = _QUANTILES.get(name, name)
        texts[shown] = number(value) if name in _NO_SHARES else quantile(value, drawn)
    return texts


def equation(name: str, text: str) -> str:
    """Write a name with its number, or with the bound that it is below.

    Examples
    --------
    >>> equation("q", "0.705"), equation("q", "< 1/1000")
    ('q = 0.705', 'q < 1/1000')
    """
    return f"{name} {text}" if text.startswith("<") else f"{name} = {text}"


def events(count: int) -> str:
    """Say a number of events.

    Examples
    --------
    >>> events(0), events(1), events(3)
    ('no events', '1 event', '3 events')
    """
    return count_of(count, "event")


def error_words(error: UnitError) -> str:
    """Say why a computation ended badly: the kind of error and its words, where there are any."""
    return f"{error.kind}: {error.message}" if error.message else error.kind


def count_of(count: int, what: str) -> str:
    """Say how many of something there are, in the plural where it is due."""
    return f"{count or 'no'} {what}{'' if count == 1 else 's'}"


def letters(test: str) -> str | None:
    """Give the letters by which seismologists call a test, by forequake's name.

    None for unknown ones and for users' own, which only their experiment names.
    """
    definition = TESTS.get(test)
    return None if definition is None or definition.own else definition.short


def stamp(window: TimeWindow) -> tuple[str, str]:
    """Write both ends of a window: days where it runs from midnight to midnight, else with the time."""
    ends = (window.start, window.end)
    if any(end.microsecond for end in ends):
        form = "%Y-%m-%d %H:%M:%S.%f"
    elif any(end.second for end in ends):
        form = "%Y-%m-%d %H:%M:%S"
    elif any(end.hour or end.minute for end in ends):
        form = "%Y-%m-%d %H:%M"
    else:
        form = "%Y-%m-%d"
    return ends[0].strftime(form), ends[1].strftime(form)


def window_name(window: TimeWindow) -> str:
    """Write a window as a span of time in UTC.

    Examples
    --------
    >>> window_name(TimeWindow.from_id("2019-07-06T00:00:00Z_2019-07-13T00:00:00Z"))
    '2019-07-06 to 2019-07-13'
    """
    return " to ".join(stamp(window))
