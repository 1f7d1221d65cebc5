"""``compat: pycsep``: the numbers of pyCSEP 0.8 also where forequake's differ from them on purpose.

For comparison only: such results carry the flag ``compat_pycsep`` and say so in their rule. Nothing here
imports pyCSEP; what is wrong in it is computed anew, at the same random numbers:

- **L, CL, S, M**: simulated and observed statistic are compared to the last bit, without forequake's
  tolerance for ties. Without target events, or with one magnitude bin, all statistics are equal and the
  forecast passes with q = 1.
- **Binary S, binary CL, Brier**: pyCSEP masks the bins of rate 0, and the division of the cumulative sums by
  the total leaves the masked ones as they were. Its binary search for a bin then runs over numbers that are
  out of order, and mostly ends in bins of rate 0; where it ends behind the last bin pyCSEP stops with an
  IndexError, and here the test says nothing. In the likelihood, an active bin whose probability
  1 - exp(-rate) is 0 in double precision, by a rate of 0 or below 1.1e-16, counts as +1.
  Statistics are added up in pyCSEP's order, over the whole grid, since ties depend on it: in Brier the
  observed score is divided by the cells and then by the bins, a simulated one by both at once, so that even
  without target events q is 1 or 0.
- **T, binary T**: no guard against a variance that is rounding. pyCSEP's binary T stops with a NameError; the
  numbers are those of its ``matrix_binary_t_test``.
- **W**: the normal p for any number of events, and ranks of infinite differences where a rate is 0.
- **NBD-N**: delta1 as 1 - P(X <= N - 1), which loses tails below 1e-16.

N is the same in both. Where pyCSEP gives NaN, the test is undefined, as everywhere in forequake; and the
outcome follows forequake's rule for the numbers. The tests of simulated catalogs are in `compat_catalogs`.
"""

import dataclasses
import math
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from forequake.evaluations import comparison, consistency, simulated
from forequake.evaluations.evaluated import ZERO_RATE_FLAG, Numbers
from forequake.evaluations.inputs import Observation, TestParameters
from forequake.evaluations.kernels import BinRates, PreparedForecast, TooManyDraws, draw_active
from forequake.evaluations.registry import COMPAT_FLAG, TestDefinition
from forequake.results import (
    LowerQuantile,
    Outcome,
    SignedRankDistribution,
    TailQuantiles,
    WilcoxonQuantile,
)

__all__ = ["as_named", "as_pycsep", "flagged"]


def as_named(definition: TestDefinition, parameters: TestParameters) -> TestDefinition:
    """Give a test with the rule that tells a reader whose numbers it has."""
    if parameters.compat is None:
        return definition
    rule = f"{definition.rule}; with the numbers of pyCSEP 0.8 (compat: pycsep), not forequake's own"
    return dataclasses.replace(definition, rule=rule)


def flagged(numbers: Numbers) -> Numbers:
    """Give numbers with the flag that tells a reader that they are pyCSEP's."""
    return dataclasses.replace(numbers, flags=(*numbers.flags, COMPAT_FLAG))


def as_pycsep(
    definition: TestDefinition,
    parameters: TestParameters,
    forecast: PreparedForecast,
    observation: Observation,
    reference: PreparedForecast | None,
    seed: int | None,
) -> Numbers:
    """Compute one test of a gridded forecast as pyCSEP 0.8 does, with what is wrong in it.

    Parameters
    ----------
    definition
        A test that pyCSEP has.
    reference
        For comparisons only.
    seed
        For simulated tests only, with which pyCSEP has the same numbers.
    """
    return flagged(_numbers(definition, parameters, forecast, observation, reference, seed))


def _numbers(
    definition: TestDefinition,
    parameters: TestParameters,
    forecast: PreparedForecast,
    observation: Observation,
    reference: PreparedForecast | None,
    seed: int | None,
) -> Numbers:
    alpha, simulations = parameters.alpha, parameters.num_simulations
    if reference is not None:
        binary = definition.name == "binary_paired_t"
        places = np.unique(observation.places) if binary else observation.places
        pair = comparison.Pair.at_places(
            forecast, reference, places, unit="active bin" if binary else "target event"
        )
        with np.errstate(all="ignore"):
            return (_signed_ranks if definition.name == "poisson_w" else _student)(pair, alpha)
    if simulations is not None and seed is not None:
        return _simulated(definition.name, forecast, observation, alpha, simulations, seed)
    if definition.name == "negative_binomial_number":
        return _negative_binomial(forecast, observation, parameters)
    return consistency.number(forecast, observation, parameters)


def _negative_binomial(
    forecast: PreparedForecast, observation: Observation, parameters: TestParameters
) -> Numbers:
    numbers, variance = (
        consistency.negative_binomial_number(forecast, observation, parameters),
        parameters.variance,
    )
    if variance is None or numbers.quantiles is None:
        return numbers
    from scipy.stats import nbinom

    count, mean = len(observation.events), forecast.total
    law = nbinom(mean**2 / (variance - mean), 1.0 - (variance - mean) / variance)
    with np.errstate(all="ignore"):
        delta1, delta2 = float(1.0 - law.cdf(count - 1e-6)), float(law.cdf(count + 1e-6))
    if math.isnan(delta1) or math.isnan(delta2):  # the square of a mean of 1e-200 is 0
        reason = f"pyCSEP gives NaN for an expected number of {mean:g} events"
        return dataclasses.replace(numbers, outcome=Outcome.UNDEFINED, quantiles=None, reason=reason)
    delta1 = max(0.0, delta1)  # rounding may leave the difference a little below it
    rejected = min(delta1, delta2) < parameters.alpha / 2
    return dataclasses.replace(
        numbers,
        outcome=Outcome.REJECTED if rejected else Outcome.PASSED,
        quantiles=TailQuantiles(delta1=delta1, delta2=delta2),
    )


def _student(pair: comparison.Pair, alpha: float) -> Numbers:
    gain = comparison.information_gain_of(pair)
    variance = comparison.ratio_variance(pair) if len(pair.at) else math.nan
    if gain is not None and 0 < variance < math.inf:
        return comparison.student_numbers(pair, gain, variance, alpha)
    return comparison.student(pair, alpha)  # NaN, for one of forequake's own reasons


def _signed_ranks(pair: comparison.Pair, alpha: float) -> Numbers:
    gain = comparison.information_gain_of(pair)
    if gain is None:
        return comparison.signed_ranks(pair, alpha)
    differences = np.log(pair.at) - np.log(pair.reference_at) - pair.excess / len(pair.at)
    differences = differences[differences != 0]
    if not len(differences):
        return comparison.signed_ranks(pair, alpha)
    z, p = comparison.normal_signed_rank(differences)
    return Numbers(
        outcome=comparison.direction(gain) if p < alpha else Outcome.NO_DIFFERENCE,
        statistic=z,
        quantiles=WilcoxonQuantile(p=p),
        information_gain=gain,
        flags=pair.flags,
        distribution=SignedRankDistribution(size=len(differences), exact=False),
    )


def _simulated(
    test: str,
    forecast: PreparedForecast,
    observation: Observation,
    alpha: float,
    simulations: int,
    seed: int,
) -> Numbers:
    count = len(observation.events)
    # As if there were an event and a second magnitude bin, so that only other reasons silence the test.
    silent = simulated.silence(test, forecast.total, max(count, 1), bins=2)
    if silent is not None:
        return silent if count else dataclasses.replace(silent, flags=())
    rates, places = simulated.looked_at(test, forecast, observation)
    flags = (ZERO_RATE_FLAG,) if (rates.rates[places] == 0).any() else ()
    if test.startswith("poisson"):
        observed, sample = simulated.poisson_statistics(test, rates, places, simulations, seed)
    else:
        drawn = _drawn(rates, len(np.unique(places)), simulations, seed)
        if isinstance(drawn, str):
            return Numbers(outcome=Outcome.UNDEFINED, reason=drawn, flags=flags)
        score = _brier_scores if test == "brier" else _binary_likelihoods
        shapes = (forecast.rates.shape, (len(rates),))
        observed = float(score(rates.rates, np.unique(places)[np.newaxis], shapes[0])[0])
        sample = score(rates.rates, drawn, shapes[1])
    numbers = simulated.verdict(observed, sample, alpha, flags)
    if numbers.quantiles is None:
        return numbers
    quantile = np.count_nonzero(sample <= observed) / simulations
    return dataclasses.replace(
        numbers,
        outcome=Outcome.REJECTED if quantile < alpha else Outcome.PASSED,
        quantiles=LowerQuantile(q=quantile),
    )


class _MaskedRates(BinRates):
    """Bins as pyCSEP searches them: the cumulative sums of those of rate 0 are not divided by the total."""

    @cached_property
    def occupiable(self) -> int:
        return len(self.rates)

    @cached_property
    def _weights(self) -> NDArray[np.float64]:
        sums = np.cumsum(self.rates)
        return np.where(self.rates > 0, sums / self.total, sums)

    def bins_of(self, numbers: NDArray[np.float64]) -> NDArray[np.intp]:
        """Give the bin at which a binary search for each number ends, or the number of bins."""
        # One search for each number: NumPy's for many begins where the one before ended.
        low = np.zeros(len(numbers), dtype=np.intp)
        high = np.full(len(numbers), len(self.rates), dtype=np.intp)
        while (going := low < high).any():
            middle = low + (high - low) // 2
            right = going & (self._weights[np.where(going, middle, 0)] <= numbers)
            low, high = np.where(right, middle + 1, low), np.where(going & ~right, middle, high)
        return low


def _drawn(rates: BinRates, active: int, simulations: int, seed: int) -> NDArray[np.intp] | str:
    """Give the active bins of simulated catalogs, or say why pyCSEP gives none."""
    if not active:
        return np.empty((simulations, 0), dtype=np.intp)
    try:
        drawn = draw_active(_MaskedRates(rates.rates), active=active, simulations=simulations, seed=seed)
    except TooManyDraws:
        return "pyCSEP's draws of active bins do not end here"
    if (drawn == len(rates)).any():
        return "pyCSEP stops here with an IndexError: it draws an event behind the last bin"
    return drawn


def _binary_likelihoods(
    rates: NDArray[np.float64], places: NDArray[np.intp], shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Give the log-likelihoods of catalogs with these active bins, added up one by one over all bins."""
    with np.errstate(divide="ignore"):
        probability = 1.0 - np.exp(-rates)
        at_active = np.where(probability > 0, np.log(probability), 1.0)
    terms, sums = -rates, np.empty(len(rates))
    found = np.empty(len(places))
    for number, active in enumerate(places):
        terms[active] = at_active[active]
        np.add.accumulate(terms, out=sums)
        found[number] = sums[-1]
        terms[active] = -rates[active]
    return found


def _brier_scores(
    rates: NDArray[np.float64], places: NDArray[np.intp], shape: tuple[int, ...]
) -> NDArray[np.float64]:
    """Give the Brier scores of catalogs with these active bins, divided by one side of the grid at a time."""
    from scipy.special import pdtr

    probability = 1.0 - pdtr(0.0, rates)
    squares, at_active = probability**2, (probability - 1.0) ** 2
    inactive = squares.copy()
    found = np.empty(len(places))
    for number, active in enumerate(places):
        squares[active] = at_active[active]
        score = -2.0 * np.sum(squares)
        for side in shape:
            score /= side
        found[number] = score
        squares[active] = inactive[active]
    return found
