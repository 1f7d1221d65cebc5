"""The tests that simulate catalogs: Poisson L, CL, S and M, binary S and CL, Brier.

All compare a statistic of the observed catalog with that of catalogs simulated from the forecast;
q = P(simulated <= observed), rejected where q < alpha.

L (Schorlemmer et al. 2007), CL (Werner et al. 2011), S and M (Zechar et al. 2010) take a Poisson joint
log-likelihood. L draws the number of events of each catalog, the others fix it at the observed one; S and M
look at the sums over magnitude and over space, scaled to the observed number. Binary S and CL (Bayona et al.
2022) take the likelihood of which bins are active, and Brier the squared error of the probabilities that they
are; the number of active bins is the observed one.

An event where the forecast expects nothing gives a likelihood of -infinity, and with it q = 0 and rejection.
(pyCSEP's binary likelihood becomes larger by it.) A Brier score stays finite; the event is flagged.

Nothing but L says anything about an empty window, M says nothing with one magnitude bin, and none anything
about a forecast of no events at all. The binary tests and Brier say nothing where the observed active bins
outnumber those that the forecast can fill.
"""

import math
from dataclasses import dataclass
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from forequake.evaluations.evaluated import ZERO_RATE_FLAG, Numbers, summary_of
from forequake.evaluations.inputs import Observation
from forequake.evaluations.kernels import (
    BinRates,
    PreparedForecast,
    TooManyDraws,
    bernoulli_log_likelihoods,
    brier_scores,
    draw_active,
    observed_log_likelihood,
    share_not_above,
    simulated_log_likelihoods,
)
from forequake.results import LowerQuantile, Outcome

__all__ = ["SIMULATED", "looked_at", "poisson_statistics", "silence", "simulated", "verdict"]


@dataclass(frozen=True)
class _Statistic:
    """What a test looks at, and what it computes.

    Attributes
    ----------
    bins
        All bins, or a marginal.
    kind
        ``poisson_free`` draws the number of events, ``poisson_fixed`` takes the observed one, and
        ``poisson_scaled`` scales the rates to it.
    """

    bins: Literal["joint", "spatial", "magnitude"]
    kind: Literal["poisson_free", "poisson_fixed", "poisson_scaled", "bernoulli", "brier"]


#: The tests that simulate catalogs, by forequake's name.
SIMULATED: Final = {
    "poisson_likelihood": _Statistic("joint", "poisson_free"),
    "poisson_conditional_likelihood": _Statistic("joint", "poisson_fixed"),
    "poisson_spatial": _Statistic("spatial", "poisson_scaled"),
    "poisson_magnitude": _Statistic("magnitude", "poisson_scaled"),
    "binary_spatial": _Statistic("spatial", "bernoulli"),
    "binary_conditional_likelihood": _Statistic("joint", "bernoulli"),
    "brier": _Statistic("joint", "brier"),
}


#: Events of a simulated catalog at most: they have to fit into memory.
_MOST_EVENTS: Final = 100_000_000


def simulated(
    test: str,
    forecast: PreparedForecast,
    observation: Observation,
    *,
    alpha: float,
    num_simulations: int,
    seed: int,
) -> Numbers:
    """Compute one of these tests; pyCSEP's functions are named in the registry.

    Parameters
    ----------
    test
        forequake's name of the test.
    seed
        The catalogs are those of pyCSEP's function with this `seed`.

    Returns
    -------
    Numbers
        The statistic is the observed joint log-likelihood in nats, or the observed Brier score.
    """
    statistic = SIMULATED[test]
    silent = silence(test, forecast.total, len(observation.events), bins=len(observation.magnitudes))
    if silent is not None:
        return silent
    rates, places = looked_at(test, forecast, observation)
    flags = (ZERO_RATE_FLAG,) if (rates.rates[places] == 0).any() else ()
    try:
        if statistic.kind in ("bernoulli", "brier"):
            observed, sample = _binary(statistic, rates, np.unique(places), num_simulations, seed)
        else:
            observed, sample = poisson_statistics(test, rates, places, num_simulations, seed)
    except TooManyDraws:
        return Numbers(outcome=Outcome.UNDEFINED, reason=_too_few(rates, places), flags=flags)
    return verdict(observed, sample, alpha, flags)


def verdict(
    observed: float, sample: NDArray[np.float64], alpha: float, flags: tuple[str, ...] = ()
) -> Numbers:
    """Judge an observed statistic by simulated ones.

    Parameters
    ----------
    sample : array of float64, shape (simulations,)
        In the order of simulation.
    """
    # No statistic is above 0 but for rounding; NaN or infinity come of a scale that overflowed.
    if not (observed < math.inf and np.all(sample < math.inf)):
        return Numbers(
            outcome=Outcome.UNDEFINED, reason="the rates are too small or too large for double precision"
        )
    quantile = share_not_above(sample, observed)
    return Numbers(
        outcome=Outcome.REJECTED if quantile < alpha else Outcome.PASSED,
        statistic=observed,
        quantiles=LowerQuantile(q=quantile),
        flags=flags,
        distribution=summary_of(sample),
        sample=sample,
    )


def looked_at(
    test: str, forecast: PreparedForecast, observation: Observation
) -> tuple[BinRates, NDArray[np.intp]]:
    """Give the rates that a test looks at, and the bin of each event among them."""
    match SIMULATED[test].bins:
        case "joint":
            return forecast.joint, observation.places
        case "spatial":
            return forecast.spatial, observation.cells
        case "magnitude":
            return forecast.magnitude, observation.bins


def poisson_statistics(
    test: str, rates: BinRates, places: NDArray[np.intp], simulations: int, seed: int
) -> tuple[float, NDArray[np.float64]]:
    """Give the log-likelihoods of the observed and of simulated catalogs, in nats: of L, CL, S or M.

    Parameters
    ----------
    rates, places
        As of `looked_at`.
    """
    statistic, count = SIMULATED[test], len(places)
    scale, expected = 1.0, rates.total
    if statistic.kind == "poisson_scaled":
        scale, expected = count / rates.total, float(count)
    sample = simulated_log_likelihoods(
        rates,
        events=None if statistic.kind == "poisson_free" else count,
        simulations=simulations,
        seed=seed,
        scale=scale,
        expected=expected,
    )
    return observed_log_likelihood(rates, places, scale=scale, expected=expected), sample


def _binary(
    statistic: _Statistic, rates: BinRates, active: NDArray[np.intp], simulations: int, seed: int
) -> tuple[float, NDArray[np.float64]]:
    score = brier_scores if statistic.kind == "brier" else bernoulli_log_likelihoods
    drawn = draw_active(rates, active=len(active), simulations=simulations, seed=seed)
    return float(score(rates, active[np.newaxis])[0]), score(rates, drawn)


def silence(test: str, expected: float, events: int, *, bins: int) -> Numbers | None:
    """Say that a test says nothing, and why, or give None where it does.

    Parameters
    ----------
    expected
        How many events the forecast expects.
    events
        How many there were.
    bins
        The number of magnitude bins.
    """
    statistic = SIMULATED[test]
    reason = None
    if not math.isfinite(expected):
        reason = f"the expected number of events is not finite ({expected:g})"
    elif not events and statistic.kind != "poisson_free":
        reason = "no target events"
    elif statistic.bins == "magnitude" and bins == 1:
        reason = "only one magnitude bin"
    elif expected == 0:
        reason = "the forecast expects no events at all, so no catalog can be simulated from it"
    elif statistic.kind == "poisson_free" and expected > _MOST_EVENTS:
        reason = f"the forecast expects {expected:g} events, too many to simulate"
    if reason is None:
        return None
    refuted = bool(events) and expected == 0
    return Numbers(outcome=Outcome.UNDEFINED, reason=reason, flags=(ZERO_RATE_FLAG,) if refuted else ())


def _too_few(rates: BinRates, places: NDArray[np.intp]) -> str:
    active, possible = len(np.unique(places)), rates.occupiable
    if active > possible:
        return f"{active} bins are active, and the forecast has rates above 0 in {possible} only"
    return f"nearly all of the rate lies in fewer than the {active} bins that are active"
