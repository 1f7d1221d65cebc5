"""Results in words and numbers, as pages and figures show them."""

import math
import re
from typing import Final

from forequake.evaluations.registry import TESTS
from forequake.results import (
    AnyEvaluation,
    ComparisonRecord,
    LowerQuantile,
    Outcome,
    Quantiles,
    ScoreRecord,
    Side,
    SimulatedDistribution,
    StudentQuantiles,
    TailQuantiles,
    WilcoxonQuantile,
)
from forequake.windows import TimeWindow

__all__ = [
    "OUTCOMES",
    "SIDES",
    "count_of",
    "equation",
    "events",
    "letters",
    "number",
    "quantile",
    "quantile_texts",
    "sentence",
    "short_number",
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


def short_number(value: float) -> str:
    """Write a probability in at most five letters, for the inside of a cell.

    Examples
    --------
    >>> short_number(0.551), short_number(0.0), short_number(1.0), short_number(0.0421)
    ('0.55', '<.001', '1.00', '0.042')
    """
    if value < 0.001:
        return "<.001"
    return f"{value:.3f}" if value < 0.1 else f"{value:.2f}"


def quantile_texts(quantiles: Quantiles | None, simulations: int | None = None) -> dict[str, str]:
    """Write the quantiles of a result by their names; t and its critical value are no probabilities."""
    if quantiles is None:
        return {}
    # A row does not say how many simulations there were, but only simulated tests have this kind.
    drawn = simulations or ("n" if isinstance(quantiles, LowerQuantile) else None)
    return {
        name: number(value) if name.startswith("t") else quantile(value, drawn)
        for name, value in quantiles.named().items()
    }


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


def sentence(result: AnyEvaluation, reference: str | None = None) -> str:
    """Say the outcome of a result in one plain sentence.

    Parameters
    ----------
    reference
        Name of the reference forecast, where the result compares with one.
    """
    seen = events(result.n_observed)
    if isinstance(result, ScoreRecord):
        return f"{_score(result, reference)}; {seen}."
    if result.outcome is Outcome.UNDEFINED:
        return f"No verdict: {result.reason or 'the test says nothing'}; {seen}."
    level = f"at {result.alpha:g} ({SIDES[result.side]})"
    if isinstance(result, ComparisonRecord):
        return f"{_against(result.outcome, reference)} {level}: {_comparison(result)}; {seen}."
    verdict = OUTCOMES[result.outcome].capitalize()
    return f"{verdict} {level}: {_consistency(result)}, {seen}."


def _against(outcome: Outcome, reference: str | None) -> str:
    other = reference or "the reference"
    if outcome is Outcome.NO_DIFFERENCE:
        return f"No difference from {other}"
    return f"{OUTCOMES[outcome].capitalize()} than {other}"


def _score(result: ScoreRecord, reference: str | None) -> str:
    if result.statistic is None:
        return f"No score: {result.reason}"
    definition = TESTS.get(result.test)
    measure, _, unit = ("score" if definition is None else definition.measure).partition(" (")
    over = "" if result.n_reference is None else f" over {reference or 'the reference'}"
    why = ""
    if math.isinf(result.statistic):
        whose = "the reference" if result.statistic > 0 else "the forecast"
        why = f", since an event lies where {whose} expects none"
    value = f"{number(result.statistic, 5)} {unit.removesuffix(')')}".rstrip()
    return f"{measure[:1].upper()}{measure[1:]}{over}: {value}{why}"


def _comparison(result: ComparisonRecord) -> str:
    parts = [f"information gain {number(result.information_gain, 3)} nats per event"]
    match result.quantiles:
        case StudentQuantiles(t=t, t_critical=critical):
            if result.interval is not None:
                low, high = (number(end, 3) for end in result.interval)
                parts.append(f"interval {low} to {high}")
            parts.append(f"t = {number(t, 3)} against a critical {number(critical, 3)}")
        case WilcoxonQuantile(p=p):
            parts.append(equation("p", quantile(p)))
        case _:
            parts.append(result.rule)
    return ", ".join(parts)


def _consistency(result: AnyEvaluation) -> str:
    match result.quantiles:
        case TailQuantiles(delta1=upper, delta2=lower) if result.side is Side.TWO_SIDED:
            expected = f"{number(result.n_forecast, 3)} expected"
            limit = number(result.alpha / 2, 3)
            if result.outcome is Outcome.PASSED:
                return f"{expected}, neither delta1 nor delta2 is below {limit}"
            name, value = ("delta1", upper) if upper <= lower else ("delta2", lower)
            many = "more" if name == "delta1" else "fewer"
            return f"{many} events than the {expected}, {equation(name, quantile(value))} is below {limit}"
        case TailQuantiles(delta1=upper, delta2=lower):
            name, value = ("delta1", upper) if result.side is Side.UPPER else ("delta2", lower)
            verb = "is below" if result.outcome is Outcome.REJECTED else "is not below"
            return f"{equation(name, quantile(value))} {verb} {number(result.alpha, 3)}"
        case LowerQuantile(q=q):
            return _likelihood(result, q)
        case _:
            return result.rule


def _likelihood(result: AnyEvaluation, q: float) -> str:
    if result.statistic == -math.inf:
        why = ", since an event lies where the forecast expects none" if result.n_observed else ""
        return f"the observed statistic is −∞{why}"
    size = result.num_simulations
    if size is None and isinstance(result.distribution, SimulatedDistribution):
        size = result.distribution.size
    observed = number(result.statistic)
    if q == 0:
        return f"none of {size or 'the'} simulated catalogs scores as low as the observed {observed}"
    return (
        f"{100 * q:.3g} % of {size or 'the'} simulated catalogs score no higher than the observed {observed}"
    )
