"""Scores of single windows: how well rates describe the target events, without a verdict.

The joint log-likelihood of Schorlemmer et al. (2007) is the sum, over all cells and magnitude bins, of
n ln(rate) - rate - ln(n!), with n events where `rate` are expected. It takes a logarithm at the events and
one sum of the rates, and no array of the grid's size. The information gain is the difference of the
forecast's and the reference's, whose ln(n!) are the same. A window without events has scores too: -N1, and
-(N1 - N2). Scores of windows that share no time add up.
"""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from forequake.evaluations.evaluated import ZERO_RATE_FLAG, ZERO_RATE_REFERENCE_FLAG, Numbers
from forequake.evaluations.inputs import Observation
from forequake.evaluations.kernels import PreparedForecast
from forequake.evaluations.registry import TESTS
from forequake.results import Outcome
from forequake.windows import TimeWindow, overlap

__all__ = ["information_gain", "joint_log_likelihood", "total_score"]


def joint_log_likelihood(forecast: PreparedForecast, observation: Observation) -> Numbers:
    """Score a forecast by its joint Poisson log-likelihood, in nats.

    Returns
    -------
    Numbers
        The statistic is that of ``floatcsep.utils.helpers.sequential_likelihood`` in this window; it is
        -infinity where an event lies in a bin of rate zero.
    """
    if not math.isfinite(forecast.total):
        return _undefined(f"the expected number of events is not finite ({forecast.total:g})")
    places, counts = np.unique(observation.places, return_counts=True)
    occupied = forecast.joint.rates[places]
    factorials = sum(math.lgamma(count + 1) for count in counts.tolist())
    return Numbers(
        outcome=Outcome.SCORE_ONLY,
        statistic=float(counts @ _log(occupied)) - forecast.total - factorials,
        flags=(ZERO_RATE_FLAG,) if (occupied == 0).any() else (),
    )


def information_gain(
    forecast: PreparedForecast, reference: PreparedForecast, observation: Observation
) -> Numbers:
    """Score a forecast by its information gain over a reference in the whole window, in nats.

    Returns
    -------
    Numbers
        The statistic is that of ``floatcsep.utils.helpers.sequential_information_gain`` in this window,
        positive where the forecast is better. It is -infinity where an event lies in a bin of rate zero,
        infinity where that is so of the reference, and undefined where it is so of both.
    """
    for name, total in (("forecast", forecast.total), ("reference", reference.total)):
        if not math.isfinite(total):
            return _undefined(f"the expected number of events of the {name} is not finite ({total:g})")
    at_events, reference_at_events = (each.joint.rates[observation.places] for each in (forecast, reference))
    zero, reference_zero = bool((at_events == 0).any()), bool((reference_at_events == 0).any())
    named = ((ZERO_RATE_FLAG, zero), (ZERO_RATE_REFERENCE_FLAG, reference_zero))
    flags = tuple(flag for flag, found in named if found)
    if zero and reference_zero:
        return _undefined("forecast and reference both have a rate of zero at a target event", flags)
    if zero or reference_zero:
        gain = -math.inf if zero else math.inf
    else:
        ratios = _log(at_events) - _log(reference_at_events)
        gain = float(np.sum(ratios)) - (forecast.total - reference.total)
    return Numbers(outcome=Outcome.SCORE_ONLY, statistic=gain, flags=flags)


def total_score(test: str, scores: Mapping[TimeWindow, float]) -> float | None:
    """Add up the scores of windows, in whatever order they come.

    Parameters
    ----------
    test
        forequake's name of the score.

    Returns
    -------
    float or None
        None without scores, where those of windows do not add up, where windows share time, so that events
        would count twice, and where infinities of both signs meet.
    """
    signs = {score > 0 for score in scores.values() if math.isinf(score)}
    if test not in TESTS or not TESTS[test].adds_up:
        return None
    if not scores or len(signs) == 2 or overlap(scores):
        return None
    return math.fsum(scores.values())


def _log(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return np.log(rates)


def _undefined(reason: str, flags: tuple[str, ...] = ()) -> Numbers:
    return Numbers(outcome=Outcome.UNDEFINED, reason=reason, flags=flags)
