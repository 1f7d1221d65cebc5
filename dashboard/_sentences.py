"""Results in whole sentences: the outcome with what decided it, what a test could have found, flags."""

import math
from collections.abc import Sequence
from typing import Final

from dashboard._words import (
    OUTCOMES,
    SIDES,
    count_of,
    equation,
    events,
    is_drawn,
    number,
    quantile,
    simulations_of,
    window_name,
)
from forequake.evaluations.power import Power
from forequake.evaluations.registry import COMPAT_FLAG, TESTS
from forequake.results import (
    AdjustedQuantile,
    AnyEvaluation,
    BatchQuantiles,
    ComparisonRecord,
    KolmogorovQuantile,
    LowerQuantile,
    Outcome,
    PValue,
    ScoreRecord,
    Side,
    StudentQuantiles,
    TailQuantiles,
    WilcoxonQuantile,
)
from forequake.windows import TimeWindow

__all__ = ["FLAGS", "flag_words", "gain_unit", "missing_words", "power_words", "sentence", "windows_words"]

#: What flags of results mean.
FLAGS: Final[dict[str, str]] = {
    "event_in_zero_rate_cell": "An event lies where the forecast expects none.",
    "event_in_zero_rate_cell_of_reference": "An event lies where the reference forecast expects none.",
    "undersampled": "Events lie in cells that no synthetic catalog reaches; they were left out.",
    "undefined_windows_left_out": "Windows in which the test says nothing are left out.",
    "too_few_simulations_for_the_family": "With so few simulated catalogs and so many windows no p could be "
    "significant: more simulations are needed.",
    COMPAT_FLAG: "The numbers are those of pyCSEP 0.8 (compat: pycsep), not forequake's own.",
}
#: So many missing windows are named.
_NAMED_WINDOWS: Final = 12


def flag_words(flag: str) -> str:
    """Say what a flag means; the flags of users' own tests are words already."""
    return FLAGS.get(flag, f"{flag[:1].upper()}{flag[1:].replace('_', ' ')}.")


def windows_words(n_windows: int, missing: Sequence[str]) -> str:
    """Say of how many windows a result is made.

    Examples
    --------
    >>> windows_words(7, ("2020-01-01T00:00:00Z_2020-01-08T00:00:00Z",)), windows_words(1, ())
    ('7 windows, 1 missing', '1 window')
    """
    lacking = f", {len(missing)} missing" if missing else ""
    return f"{count_of(n_windows, 'window')}{lacking}"


def missing_words(missing: Sequence[str]) -> str:
    """Name the windows that a result lacks, the first ones where they are many."""
    named = [window_name(TimeWindow.from_id(window)) for window in missing[:_NAMED_WINDOWS]]
    more = f" and {len(missing) - len(named)} more" if len(missing) > len(named) else ""
    return f"Missing: {', '.join(named)}{more}."


def gain_unit(test: str) -> str:
    """Give what the information gain of a comparison is shared among, by forequake's name of the test.

    Examples
    --------
    >>> gain_unit("poisson_paired_t"), gain_unit("diebold_mariano")
    ('event', 'window')
    """
    return {"diebold_mariano": "window", "binary_paired_t": "active cell"}.get(test, "event")


def power_words(power: Power, *, family: bool = False) -> str | None:
    """Say what a test could have found; None where there is nothing to say.

    Parameters
    ----------
    family
        Whether the outcome is corrected for a family, which these numbers are not.
    """
    likely = f"with a probability of {100 * power.at:g} %"
    said = []
    if power.detectable is not None and power.detectable_unit.startswith("nats"):
        said.append(
            f"Would have found a gain of {number(power.detectable, 2)} {power.detectable_unit} {likely}."
        )
    elif power.detectable is not None and power.detectable >= 1:
        factor = number(1 + power.detectable, 2)
        said.append(f"Would have found a true expected number {factor} times the forecast's {likely}.")
    elif power.detectable is not None:
        said.append(
            "Would have found a true expected number that differs from the forecast's by "
            f"{100 * power.detectable:.0f} % {likely}."
        )
    if power.needed is None:
        what = power.needed_unit if power.detectable is None else f"{power.detectable_unit.split()[-1]}s"
        said.append(f"No number of {what} makes the effect that was seen significant.")
    elif power.detectable_unit.startswith("nats") and power.detectable is not None:
        said.append(f"What was seen would be significant from {power.needed} {power.needed_unit} on.")
    elif power.needed > 1:
        said.append(f"Needs at least {power.needed} {power.needed_unit}.")
    elif power.needed == 1:
        said.append("Says something from the first event on; what it would find depends on where.")
    if said and family:
        said.append("This is without the correction for all pairs.")
    return " ".join(said) or None


def sentence(result: AnyEvaluation, reference: str | None = None) -> str:
    """Say the outcome of a result in one plain sentence.

    Parameters
    ----------
    reference
        Name of the reference forecast, where the result compares with one.
    """
    seen = events(result.n_observed)
    if result.n_windows is not None:
        seen = f"{seen} in {windows_words(result.n_windows, result.missing)}"
    if isinstance(result, ScoreRecord):
        return f"{_score(result, reference)}; {seen}."
    if result.outcome is Outcome.UNDEFINED:
        return f"No verdict: {result.reason or 'the test says nothing'}; {seen}."
    level = f"at {result.alpha:g} ({SIDES[result.side]})"
    if isinstance(result.quantiles, AdjustedQuantile | KolmogorovQuantile):
        level = f"at {result.alpha:g}"
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
    unit = gain_unit(result.test)
    parts = [f"information gain {number(result.information_gain, 3)} nats per {unit}"]
    match result.quantiles:
        case StudentQuantiles(t=t, t_critical=critical):
            if result.interval is not None:
                low, high = (number(end, 3) for end in result.interval)
                parts.append(f"interval {low} to {high}")
            parts.append(f"t = {number(t, 3)} against a critical {number(critical, 3)}")
        case WilcoxonQuantile(p=p) | PValue(p=p):
            parts.append(equation("p", quantile(p)))
        case BatchQuantiles(p=p, p_adjusted=adjusted, family=family):
            parts.append(f"p of T {_corrected(p, adjusted, family)}")
            if result.quantiles.w_p is not None and result.quantiles.w_p_adjusted is not None:
                parts.append(f"of W {_corrected(result.quantiles.w_p, result.quantiles.w_p_adjusted)}")
        case _:
            parts.append(result.rule)
    return ", ".join(parts)


def _corrected(p: float, adjusted: float, family: int | None = None) -> str:
    of = "" if family is None else f" for {count_of(family, 'pair')} of models"
    return f"{quantile(p)}, corrected{of} {quantile(adjusted)}"


def _consistency(result: AnyEvaluation) -> str:
    match result.quantiles:
        case KolmogorovQuantile(p=p):
            apart = "further from" if result.outcome is Outcome.REJECTED else "no further from"
            distance = f"D = {number(result.statistic, 3)}, {equation('p', quantile(p))}"
            return f"the delta2 of the windows are {apart} uniform than chance, {distance}"
        case AdjustedQuantile(p=p, p_adjusted=adjusted, family=family):
            return (
                f"{count_of(round(result.statistic or 0), 'window')} of {family} rejected after Holm's "
                f"correction, least {equation('p', quantile(p))}, {equation('corrected', quantile(adjusted))}"
            )
        case PValue(p=p):
            return equation("p", quantile(p))
        case TailQuantiles(delta1=upper, delta2=lower) if result.side is Side.TWO_SIDED:
            expected = f"{number(result.n_forecast, 3)} expected"
            limit = number(result.alpha / 2, 3)
            if result.outcome is Outcome.PASSED:
                return f"{expected}, neither delta1 nor delta2 is below {limit}"
            name, value = ("delta1", upper) if upper <= lower else ("delta2", lower)
            many = "more" if name == "delta1" else "fewer"
            decided = equation(name, quantile(value, _drawn(result)))
            return f"{many} events than the {expected}, {decided} is below {limit}"
        case TailQuantiles(delta1=upper, delta2=lower):
            name, value = ("delta1", upper) if result.side is Side.UPPER else ("delta2", lower)
            verb = "is below" if result.outcome is Outcome.REJECTED else "is not below"
            return f"{equation(name, quantile(value, _drawn(result)))} {verb} {number(result.alpha, 3)}"
        case LowerQuantile(q=q):
            return _likelihood(result, q)
        case _:
            return result.rule


def _drawn(result: AnyEvaluation) -> int | None:
    return simulations_of(result) if is_drawn(result.test, result.quantiles) else None


def _likelihood(result: AnyEvaluation, q: float) -> str:
    if result.statistic == -math.inf:
        why = ", since an event lies where the forecast expects none" if result.n_observed else ""
        return f"the observed statistic is −∞{why}"
    size = simulations_of(result)
    observed = number(result.statistic)
    if q == 0:
        return f"none of {size or 'the'} simulated catalogs scores as low as the observed {observed}"
    return (
        f"{100 * q:.3g} % of {size or 'the'} simulated catalogs score no higher than the observed {observed}"
    )
