"""N-, L-, CL-, S- and M-test: whether the observed catalog is one that the forecast would produce.

N (Zechar et al. 2010) compares the number of events with a Poisson distribution about the expected number:
delta1 = P(X >= N), delta2 = P(X <= N), rejected where either is below alpha/2.

L (Schorlemmer et al. 2007), CL (Werner et al. 2011), S and M (Zechar et al. 2010) compare a Poisson joint
log-likelihood with that of catalogs simulated from the forecast; q = P(simulated <= observed), rejected where
q < alpha. L draws the number of events of each catalog, the others fix it at the observed one; S and M look
at the sums over magnitude and over space, scaled to the observed number. An event where the forecast expects
nothing gives -infinity, and with it q = 0 and rejection. CL, S and M say nothing about an empty window, M
nothing with one magnitude bin, and none of the four anything about a forecast of no events at all.
"""

import math

import numpy as np
from numpy.typing import NDArray

from forequake.evaluations.evaluated import ZERO_RATE_FLAG, Numbers, summary_of
from forequake.evaluations.inputs import Observation
from forequake.results import LowerQuantile, Outcome, PoissonDistribution, TailQuantiles

__all__ = ["number", "simulated_likelihood"]


def number(rates: NDArray[np.float64], observation: Observation, *, alpha: float) -> Numbers:
    """Compute the N-test, ``csep.core.poisson_evaluations.number_test``.

    Parameters
    ----------
    rates : array of float64, shape (cells, bins)
        Expected numbers of events in the window.

    Returns
    -------
    Numbers
        The statistic is the number of target events.
    """
    from forequake.evaluations import _adapt

    count = float(len(observation.events))
    expected = float(np.sum(rates))
    if not math.isfinite(expected):
        return Numbers(outcome=Outcome.UNDEFINED, statistic=count, reason=_not_finite(expected))
    delta1, delta2 = _adapt.number_test(rates, observation)
    return Numbers(
        outcome=Outcome.REJECTED if min(delta1, delta2) < alpha / 2 else Outcome.PASSED,
        statistic=count,
        quantiles=TailQuantiles(delta1=delta1, delta2=delta2),
        distribution=PoissonDistribution(mean=expected),
    )


def simulated_likelihood(
    test: str,
    rates: NDArray[np.float64],
    observation: Observation,
    *,
    alpha: float,
    num_simulations: int,
    seed: int,
) -> Numbers:
    """Compute the L-, CL-, S- or M-test: the functions of ``csep.core.poisson_evaluations``.

    Parameters
    ----------
    test
        forequake's name of the test.
    rates : array of float64, shape (cells, bins)
        Expected numbers of events in the window.
    seed
        The result is that of pyCSEP's function with this `seed`.

    Returns
    -------
    Numbers
        The statistic is the observed joint log-likelihood in nats.
    """
    from forequake.evaluations import _adapt, _process

    reason = _silence(test, rates, observation)
    if reason is not None:
        refuted = bool(len(observation.events)) and not np.any(rates)
        return Numbers(outcome=Outcome.UNDEFINED, reason=reason, flags=(ZERO_RATE_FLAG,) if refuted else ())
    if test == "poisson_likelihood":
        found = _process.likelihood_test(rates, observation, num_simulations=num_simulations, seed=seed)
    else:
        found = _adapt.simulated_test(test, rates, observation, num_simulations=num_simulations, seed=seed)
    # The logarithm of a probability is at most 0; NaN or infinity come of a scale that overflowed.
    if not (found.statistic < math.inf and np.all(found.sample < math.inf)):
        return Numbers(
            outcome=Outcome.UNDEFINED, reason="the rates are too small or too large for double precision"
        )
    return Numbers(
        outcome=Outcome.REJECTED if found.quantile < alpha else Outcome.PASSED,
        statistic=found.statistic,
        quantiles=LowerQuantile(q=found.quantile),
        flags=(ZERO_RATE_FLAG,) if found.statistic == -math.inf else (),
        distribution=summary_of(found.sample),
        sample=found.sample,
    )


def _silence(test: str, rates: NDArray[np.float64], observation: Observation) -> str | None:
    """Say why a simulated test says nothing, or None where it does."""
    expected = float(np.sum(rates))
    if not math.isfinite(expected):
        return _not_finite(expected)
    if not len(observation.events) and test != "poisson_likelihood":
        return "no target events"
    if test == "poisson_magnitude" and len(observation.magnitudes) == 1:
        return "only one magnitude bin"
    if expected == 0:
        return "the forecast expects no events at all, so no catalog can be simulated from it"
    return None


def _not_finite(expected: float) -> str:
    return f"the expected number of events is not finite ({expected:g})"
