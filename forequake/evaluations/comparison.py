"""T- and W-test: whether a forecast describes the target events better than a reference forecast.

Both follow Rhoades et al. (2011). With X_i = ln(rate) - ln(reference rate) at event i, and expected totals
N1 and N2, the information gain per event is G = (sum of X_i - (N1 - N2)) / N, in nats, positive where the
forecast is better. T asks by Student's t whether G differs from 0; W asks by Wilcoxon's signed ranks whether
the X_i lie symmetrically about (N1 - N2)/N. W's z is never positive, so that both take their direction from
G. Neither says anything where a rate at an event is zero, or where both forecasts are the same.
"""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.evaluations.evaluated import ZERO_RATE_FLAG, ZERO_RATE_REFERENCE_FLAG, Numbers
from forequake.evaluations.inputs import Observation
from forequake.results import (
    Outcome,
    SignedRankDistribution,
    StudentDistribution,
    StudentQuantiles,
    WilcoxonQuantile,
)

__all__ = ["exact_signed_rank", "paired_t", "signed_rank", "spread_is_rounding"]

#: Below this many non-zero differences W's p is exact, from it on that of pyCSEP's normal limit.
_NORMAL_FROM: Final = 10
#: With so few non-zero differences no two-sided p can fall below 0.05 (six give 2/64).
_TOO_FEW: Final = 5
_EPSILON: Final = float(np.finfo(float).eps)


def paired_t(
    rates: NDArray[np.float64], reference: NDArray[np.float64], observation: Observation, *, alpha: float
) -> Numbers:
    """Compute the T-test, ``csep.core.poisson_evaluations.paired_t_test``.

    Parameters
    ----------
    rates, reference : array of float64, shape (cells, bins)
        Expected numbers of events in the window.

    Returns
    -------
    Numbers
        The statistic is the information gain per event; t, its critical value and p = 2 P(T > |t|) are the
        quantiles; the interval is that of the gain at 1 - alpha.
    """
    from scipy.stats import t as student

    from forequake.evaluations import _adapt

    at_events = _adapt.rates_at_events(rates, observation), _adapt.rates_at_events(reference, observation)
    gain = _information_gain(rates, reference, *at_events)
    reason = _silence(rates, reference, *at_events)
    count = len(observation.events)
    if reason is None and count < 2:
        reason = "the t-test needs two or more target events, and there is one"
    if reason is None and spread_is_rounding(*at_events):
        reason = "the log-ratios of the rates at the events are all equal, but for rounding"
    if reason is not None:
        return Numbers(
            outcome=Outcome.UNDEFINED,
            reason=reason,
            statistic=gain,
            information_gain=gain,
            flags=_flags(*at_events),
        )
    found = _adapt.paired_t_test(rates, reference, observation, alpha=alpha)
    significant = abs(found.t) > found.t_critical
    lower, upper = found.interval
    return Numbers(
        outcome=_direction(found.information_gain) if significant else Outcome.NO_DIFFERENCE,
        statistic=found.information_gain,
        quantiles=StudentQuantiles(
            t=found.t, t_critical=found.t_critical, p=float(2 * student.sf(abs(found.t), count - 1))
        ),
        information_gain=found.information_gain,
        interval=found.interval,
        distribution=StudentDistribution(
            degrees_of_freedom=count - 1, scale=(upper - lower) / (2 * found.t_critical)
        ),
    )


def signed_rank(
    rates: NDArray[np.float64], reference: NDArray[np.float64], observation: Observation, *, alpha: float
) -> Numbers:
    """Compute the W-test, ``csep.core.poisson_evaluations.w_test``, with an exact p for few events.

    Parameters
    ----------
    rates, reference : array of float64, shape (cells, bins)
        Expected numbers of events in the window.

    Returns
    -------
    Numbers
        The statistic is pyCSEP's z. With fewer than 10 non-zero differences p is exact (the normal limit
        gives 0.109 for the 0.25 of three differences of one sign). With 5 or fewer the outcome is undefined,
        since none could be significant at 0.05; z and p are given all the same.
    """
    from forequake.evaluations import _adapt, _process

    at_events = _adapt.rates_at_events(rates, observation), _adapt.rates_at_events(reference, observation)
    gain = _information_gain(rates, reference, *at_events)
    reason = _silence(rates, reference, *at_events)
    if reason is not None or gain is None:
        return Numbers(
            outcome=Outcome.UNDEFINED, reason=reason, information_gain=gain, flags=_flags(*at_events)
        )
    centre = (np.sum(rates) - np.sum(reference)) / len(observation.events)
    differences = np.log(at_events[0]) - np.log(at_events[1]) - centre
    differences = differences[differences != 0]
    size = len(differences)
    if size == 0:
        return Numbers(
            outcome=Outcome.UNDEFINED,
            reason="none of the log-ratios at the events differs from the mean expected difference",
            information_gain=gain,
        )
    z, p = _process.w_test(rates, reference, observation)
    exact = size < _NORMAL_FROM
    if exact:
        p = exact_signed_rank(differences)
    outcome, few = _direction(gain) if p < alpha else Outcome.NO_DIFFERENCE, None
    if size <= _TOO_FEW:
        outcome = Outcome.UNDEFINED
        few = f"the signed-rank test needs {_TOO_FEW + 1} or more non-zero differences, and there are {size}"
    return Numbers(
        outcome=outcome,
        reason=few,
        statistic=z,
        quantiles=WilcoxonQuantile(p=p),
        information_gain=gain,
        distribution=SignedRankDistribution(size=size, exact=exact),
    )


def exact_signed_rank(differences: NDArray[np.float64]) -> float:
    """Give the exact two-sided p of Wilcoxon's signed ranks, by all sign patterns; ties share their rank.

    Parameters
    ----------
    differences : array of float64, shape (n,)
        None of them zero; 2^n patterns are counted.

    Examples
    --------
    >>> exact_signed_rank(np.array([0.3, 0.4, 0.5]))
    0.25
    """
    from scipy.stats import rankdata

    ranks = rankdata(np.abs(differences))
    patterns = np.arange(2 ** len(ranks))[:, np.newaxis] >> np.arange(len(ranks)) & 1
    positive = patterns @ ranks
    smaller = np.minimum(positive, ranks.sum() - positive)
    seen = ranks[differences > 0].sum()
    # Ranks are multiples of 1/2, so that the comparison is exact.
    return float(np.mean(smaller <= min(seen, ranks.sum() - seen)))


def spread_is_rounding(rates: NDArray[np.float64], reference: NDArray[np.float64]) -> bool:
    """Tell whether the log-ratios of two sets of rates differ by no more than arithmetic's own error.

    The variance is a difference of two sums near N times the mean square, so it carries an error of some
    epsilon (2.2e-16) of the mean square; it counts only above 1000 epsilon of it, which is a spread of
    5e-7 of the log-ratios' size. Nor does it count where the deviations are within the rounding of the
    logarithms: 8 epsilon times the largest, and one more for the rates' own rounding.

    Parameters
    ----------
    rates, reference : array of float64, shape (events,)
        Positive; two events or more.
    """
    logs = np.log(np.stack([rates, reference]))
    ratios = logs[0] - logs[1]
    count = len(ratios)
    mean_square = float(np.sum(ratios**2)) / (count - 1)
    variance = mean_square - float(np.sum(ratios)) ** 2 / (count * (count - 1))
    deviation = float(np.sum((ratios - ratios.mean()) ** 2)) / (count - 1)
    rounding = 8 * _EPSILON * (1 + float(np.abs(logs).max()))
    return variance <= 1000 * _EPSILON * mean_square or deviation <= rounding**2


def _information_gain(
    rates: NDArray[np.float64],
    reference: NDArray[np.float64],
    at_events: NDArray[np.float64],
    reference_at_events: NDArray[np.float64],
) -> float | None:
    """Give the gain per event; None without events, or where it would be infinity less infinity."""
    if not len(at_events):
        return None
    with np.errstate(all="ignore"):
        ratios = np.log(at_events) - np.log(reference_at_events)
        gain = float((np.sum(ratios) - (np.sum(rates) - np.sum(reference))) / len(at_events))
    return None if math.isnan(gain) else gain


def _silence(
    rates: NDArray[np.float64],
    reference: NDArray[np.float64],
    at_events: NDArray[np.float64],
    reference_at_events: NDArray[np.float64],
) -> str | None:
    """Say why neither test says anything, or None."""
    for name, total in (("forecast", np.sum(rates)), ("reference", np.sum(reference))):
        if not math.isfinite(total):
            return f"the expected number of events of the {name} is not finite ({total:g})"
    if not len(at_events):
        return "no target events"
    if np.array_equal(rates, reference):
        return "forecast and reference are the same"
    zeros = int((at_events == 0).sum()), int((reference_at_events == 0).sum())
    if any(zeros):
        return (
            f"a rate at a target event is zero ({zeros[0]} of the forecast's, {zeros[1]} of the "
            f"reference's, at {len(at_events)} events)"
        )
    return None


def _flags(at_events: NDArray[np.float64], reference_at_events: NDArray[np.float64]) -> tuple[str, ...]:
    named = ((ZERO_RATE_FLAG, at_events), (ZERO_RATE_REFERENCE_FLAG, reference_at_events))
    return tuple(flag for flag, found in named if (found == 0).any())


def _direction(gain: float) -> Outcome:
    if gain == 0:
        return Outcome.NO_DIFFERENCE
    return Outcome.BETTER if gain > 0 else Outcome.WORSE
