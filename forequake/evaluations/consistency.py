"""N- and NBD-N-test: whether the number of events is one that the forecast would produce.

N (Zechar et al. 2010) compares the number of target events with a Poisson distribution about the expected
number, NBD-N (Werner et al. 2010) with a negative binomial one of a given variance: delta1 = P(X >= N),
delta2 = P(X <= N), rejected where either is below alpha/2. The tests that simulate catalogs are in
`forequake.evaluations.simulated`.
"""

import math

from forequake.evaluations.evaluated import Numbers
from forequake.evaluations.inputs import Observation, TestParameters
from forequake.evaluations.kernels import PreparedForecast, negative_binomial_tails, poisson_tails
from forequake.results import NegativeBinomialDistribution, Outcome, PoissonDistribution, TailQuantiles

__all__ = ["negative_binomial_number", "number", "number_of"]


def number(forecast: PreparedForecast, observation: Observation, parameters: TestParameters) -> Numbers:
    """Compute the N-test, ``csep.core.poisson_evaluations.number_test``.

    Returns
    -------
    Numbers
        The statistic is the number of target events.
    """
    return number_of(len(observation.events), forecast.total, parameters.alpha)


def number_of(count: int, expected: float, alpha: float) -> Numbers:
    """Compute the N-test of a number of events where another is expected."""
    if not math.isfinite(expected):
        return Numbers(outcome=Outcome.UNDEFINED, statistic=float(count), reason=_not_finite(expected))
    return _judged(count, poisson_tails(count, expected), alpha, PoissonDistribution(mean=expected))


def negative_binomial_number(
    forecast: PreparedForecast, observation: Observation, parameters: TestParameters
) -> Numbers:
    """Compute the NBD-N-test, ``csep.core.binomial_evaluations.negative_binomial_number_test``.

    The variance is that of the number of events in windows of this length. Where it is not above the expected
    number there is no such distribution (pyCSEP gives NaN), and the test says nothing.

    Returns
    -------
    Numbers
        The statistic is the number of target events.
    """
    count, expected, variance = len(observation.events), forecast.total, parameters.variance
    reason = None
    if variance is None:
        reason = "no variance of the number of events is given"
    elif not math.isfinite(expected):
        reason = _not_finite(expected)
    elif expected == 0:
        reason = "the forecast expects no events at all"
    elif variance <= expected:
        reason = f"the variance {variance:g} is not above the expected number of events, {expected:g}"
    if variance is None or reason is not None:
        return Numbers(outcome=Outcome.UNDEFINED, statistic=float(count), reason=reason)
    return _judged(
        count,
        negative_binomial_tails(count, expected, variance),
        parameters.alpha,
        NegativeBinomialDistribution(mean=expected, variance=variance),
    )


def _judged(
    count: int,
    tails: tuple[float, float],
    alpha: float,
    distribution: PoissonDistribution | NegativeBinomialDistribution,
) -> Numbers:
    delta1, delta2 = tails
    return Numbers(
        outcome=Outcome.REJECTED if min(delta1, delta2) < alpha / 2 else Outcome.PASSED,
        statistic=float(count),
        quantiles=TailQuantiles(delta1=delta1, delta2=delta2),
        distribution=distribution,
    )


def _not_finite(expected: float) -> str:
    return f"the expected number of events is not finite ({expected:g})"
