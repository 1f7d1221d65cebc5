"""T-, W- and binary T-test: whether a forecast describes the target events better than a reference forecast.

T and W follow Rhoades et al. (2011). With X_i = ln(rate) - ln(reference rate) at event i, and expected totals
N1 and N2, the information gain per event is G = (sum of X_i - (N1 - N2)) / N, in nats, positive where the
forecast is better. T asks by Student's t whether G differs from 0; W asks by Wilcoxon's signed ranks whether
the X_i lie symmetrically about (N1 - N2)/N. W's z is never positive, so that both take their direction from
G. Neither says anything where a rate at an event is zero, or where both forecasts are the same.

Binary T (Bayona et al. 2022) is T over the active bins, those that hold one event or more, in place of the
events: N is their number, G the gain per active bin, and t has N - 1 degrees of freedom. (pyCSEP 0.8 stops at
a NameError in ``binary_paired_t_test``; these are the numbers of its ``matrix_binary_t_test``.)
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.evaluations.evaluated import ZERO_RATE_FLAG, ZERO_RATE_REFERENCE_FLAG, Numbers
from forequake.evaluations.inputs import Observation
from forequake.evaluations.kernels import PreparedForecast
from forequake.results import (
    Outcome,
    SignedRankDistribution,
    StudentDistribution,
    StudentQuantiles,
    WilcoxonQuantile,
)

__all__ = [
    "TOO_FEW_DIFFERENCES",
    "EventRates",
    "Pair",
    "binary_paired_t",
    "direction",
    "exact_signed_rank",
    "information_gain_of",
    "least_signed_rank_p",
    "normal_signed_rank",
    "paired_t",
    "ratio_variance",
    "signed_rank",
    "signed_ranks",
    "spread_is_rounding",
    "student",
    "student_numbers",
]

#: Below this many non-zero differences W's p is exact, from it on that of pyCSEP's normal limit.
_NORMAL_FROM: Final = 10
#: With so few non-zero differences no two-sided p can fall below 0.05 (six give 2/64).
TOO_FEW_DIFFERENCES: Final = 5
_EPSILON: Final = float(np.finfo(float).eps)


@dataclass(frozen=True, eq=False)
class EventRates:
    """All that a comparison needs of a forecast.

    Attributes
    ----------
    total
        The expected number of events.
    at : array of float64, shape (n,)
        The rates at the target events, or at the active bins.
    """

    total: float
    at: NDArray[np.float64]

    @classmethod
    def of(cls, forecast: PreparedForecast, places: NDArray[np.intp]) -> "EventRates":
        """Take them from a forecast; `places` are bins, as in `Observation`."""
        return cls(forecast.total, forecast.joint.rates[places])


@dataclass(frozen=True, eq=False)
class Pair:
    """A forecast and its reference, at the same events in the same order, or at the same active bins.

    Attributes
    ----------
    same
        Whether both forecasts are equal everywhere.
    unit
        What N counts.
    """

    forecast: EventRates
    reference: EventRates
    same: bool = False
    unit: str = "target event"

    @classmethod
    def at_places(
        cls,
        forecast: PreparedForecast,
        reference: PreparedForecast,
        places: NDArray[np.intp],
        unit: str = "target event",
    ) -> "Pair":
        """Compare two forecasts at these bins."""
        # Equal rates have equal sums, and most forecasts differ in theirs.
        same = forecast.total == reference.total and np.array_equal(forecast.rates, reference.rates)
        return cls(EventRates.of(forecast, places), EventRates.of(reference, places), same, unit)

    @property
    def at(self) -> NDArray[np.float64]:
        """The forecast's rates; shape (n,)."""
        return self.forecast.at

    @property
    def reference_at(self) -> NDArray[np.float64]:
        """The reference's rates; shape (n,)."""
        return self.reference.at

    @property
    def excess(self) -> float:
        """How many events more the forecast expects than the reference."""
        return self.forecast.total - self.reference.total

    @property
    def flags(self) -> tuple[str, ...]:
        """Whose rates are zero somewhere."""
        named = ((ZERO_RATE_FLAG, self.at), (ZERO_RATE_REFERENCE_FLAG, self.reference_at))
        return tuple(flag for flag, found in named if (found == 0).any())


def paired_t(
    forecast: PreparedForecast, reference: PreparedForecast, observation: Observation, *, alpha: float
) -> Numbers:
    """Compute the T-test, ``csep.core.poisson_evaluations.paired_t_test``.

    Returns
    -------
    Numbers
        The statistic is the information gain per event; t, its critical value and p = 2 P(T > |t|) are the
        quantiles; the interval is that of the gain at 1 - alpha.
    """
    return student(Pair.at_places(forecast, reference, observation.places), alpha)


def binary_paired_t(
    forecast: PreparedForecast, reference: PreparedForecast, observation: Observation, *, alpha: float
) -> Numbers:
    """Compute the binary T-test, ``csep.core.binomial_evaluations.binary_paired_t_test``.

    Returns
    -------
    Numbers
        As of `paired_t`, with the gain per active bin.
    """
    return student(
        Pair.at_places(forecast, reference, np.unique(observation.places), unit="active bin"), alpha
    )


def student(pair: Pair, alpha: float) -> Numbers:
    """Compute the T-test of a pair; see `paired_t`."""
    gain, reason, count = information_gain_of(pair), _silence(pair), len(pair.at)
    if reason is None and count < 2:
        reason = f"the t-test needs two or more {pair.unit}s, and there is one"
    if reason is None and spread_is_rounding(pair.at, pair.reference_at):
        reason = f"the log-ratios of the rates at the {pair.unit}s are all equal, but for rounding"
    if reason is not None or gain is None:
        return Numbers(
            outcome=Outcome.UNDEFINED,
            reason=reason,
            statistic=gain,
            information_gain=gain,
            flags=pair.flags,
        )
    return student_numbers(pair, gain, ratio_variance(pair), alpha)


def ratio_variance(pair: Pair) -> float:
    """Give the sample variance of the log-ratios of a pair's rates, as a difference of two sums."""
    count = len(pair.at)
    ratios = np.log(pair.at) - np.log(pair.reference_at)
    return float(np.sum(ratios**2) / (count - 1) - np.sum(ratios) ** 2 / (count**2 - count))


def student_numbers(pair: Pair, gain: float, variance: float, alpha: float) -> Numbers:
    """Give the numbers of a T-test.

    Parameters
    ----------
    gain
        The information gain per event, or per active bin.
    variance
        Of the log-ratios, above 0.
    """
    from scipy.special import stdtr, stdtrit

    count = len(pair.at)
    error = float(np.sqrt(variance) / np.sqrt(count))
    t, t_critical = gain / error, float(stdtrit(count - 1, 1 - alpha / 2))
    return Numbers(
        outcome=direction(gain) if abs(t) > t_critical else Outcome.NO_DIFFERENCE,
        statistic=gain,
        quantiles=StudentQuantiles(t=t, t_critical=t_critical, p=float(2 * stdtr(count - 1, -abs(t)))),
        information_gain=gain,
        interval=(gain - t_critical * error, gain + t_critical * error),
        distribution=StudentDistribution(degrees_of_freedom=count - 1, scale=error),
    )


def signed_rank(
    forecast: PreparedForecast, reference: PreparedForecast, observation: Observation, *, alpha: float
) -> Numbers:
    """Compute the W-test, ``csep.core.poisson_evaluations.w_test``, with an exact p for few events.

    Returns
    -------
    Numbers
        The statistic is pyCSEP's z. With fewer than 10 non-zero differences p is exact (the normal limit
        gives 0.109 for the 0.25 of three differences of one sign). With 5 or fewer the outcome is undefined,
        since none could be significant at 0.05; z and p are given all the same.
    """
    return signed_ranks(Pair.at_places(forecast, reference, observation.places), alpha)


def signed_ranks(pair: Pair, alpha: float) -> Numbers:
    """Compute the W-test of a pair; see `signed_rank`."""
    gain, reason = information_gain_of(pair), _silence(pair)
    if reason is not None or gain is None:
        return Numbers(outcome=Outcome.UNDEFINED, reason=reason, information_gain=gain, flags=pair.flags)
    differences = np.log(pair.at) - np.log(pair.reference_at) - pair.excess / len(pair.at)
    differences = differences[differences != 0]
    size = len(differences)
    if size == 0:
        return Numbers(
            outcome=Outcome.UNDEFINED,
            reason="none of the log-ratios at the events differs from the mean expected difference",
            information_gain=gain,
        )
    z, p = normal_signed_rank(differences)
    exact = size < _NORMAL_FROM
    if exact:
        p = exact_signed_rank(differences)
    outcome, few = direction(gain) if p < alpha else Outcome.NO_DIFFERENCE, None
    if size <= TOO_FEW_DIFFERENCES:
        outcome = Outcome.UNDEFINED
        fewest = TOO_FEW_DIFFERENCES + 1
        few = f"the signed-rank test needs {fewest} or more non-zero differences, and there are {size}"
    return Numbers(
        outcome=outcome,
        reason=few,
        statistic=z,
        quantiles=WilcoxonQuantile(p=p),
        information_gain=gain,
        distribution=SignedRankDistribution(size=size, exact=exact),
    )


def normal_signed_rank(differences: NDArray[np.float64]) -> tuple[float, float]:
    """Give z of Wilcoxon's smaller rank sum, its variance corrected for ties, and its normal two-sided p."""
    from scipy.special import ndtr

    size = len(differences)
    ranks, tied = _ranks(np.abs(differences))
    smaller = min(ranks[differences > 0].sum(), ranks[differences < 0].sum())
    variance = size * (size + 1) * (2 * size + 1) - 0.5 * float(np.sum(tied * (tied * tied - 1)))
    z = float((smaller - size * (size + 1) / 4) / np.sqrt(variance / 24))
    return z, float(2 * ndtr(-abs(z)))


def _ranks(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.intp]]:
    """Rank values from 1 on, those that are equal by their mean rank; give also how many share each rank."""
    _, places, counts = np.unique(values, return_inverse=True, return_counts=True)
    means = np.cumsum(counts) - (counts - 1) / 2
    return means[places], counts


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
    ranks, _ = _ranks(np.abs(differences))
    patterns = np.arange(2 ** len(ranks))[:, np.newaxis] >> np.arange(len(ranks)) & 1
    positive = patterns @ ranks
    smaller = np.minimum(positive, ranks.sum() - positive)
    seen = ranks[differences > 0].sum()
    # Ranks are multiples of 1/2, so that the comparison is exact.
    return float(np.mean(smaller <= min(seen, ranks.sum() - seen)))


def least_signed_rank_p(size: int) -> float:
    """Give the least p that the W-test can have with so many non-zero differences, which one sign has.

    Examples
    --------
    >>> least_signed_rank_p(6)
    0.03125
    """
    if size < _NORMAL_FROM:
        return 2.0 ** (1 - size) if size else 1.0
    return normal_signed_rank(np.arange(1.0, size + 1))[1]


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


def information_gain_of(pair: Pair) -> float | None:
    """Give the gain per event or bin; None without any, or where it would be infinity less infinity."""
    if not len(pair.at):
        return None
    with np.errstate(all="ignore"):
        ratios = np.log(pair.at) - np.log(pair.reference_at)
        gain = float((np.sum(ratios) - pair.excess) / len(pair.at))
    return None if math.isnan(gain) else gain


def _silence(pair: Pair) -> str | None:
    """Say why no comparison says anything, or None."""
    for name, total in (("forecast", pair.forecast.total), ("reference", pair.reference.total)):
        if not math.isfinite(total):
            return f"the expected number of events of the {name} is not finite ({total:g})"
    if not len(pair.at):
        return "no target events"
    if pair.same:
        return "forecast and reference are the same"
    zeros = int((pair.at == 0).sum()), int((pair.reference_at == 0).sum())
    if any(zeros):
        return (
            f"a rate at {_a(pair.unit)} is zero ({zeros[0]} of the forecast's, {zeros[1]} of the "
            f"reference's, at {len(pair.at)} {pair.unit.split()[-1]}s)"
        )
    return None


def _a(noun: str) -> str:
    return f"an {noun}" if noun[0] in "aeiou" else f"a {noun}"


def direction(gain: float) -> Outcome:
    """Tell by the sign of a significant information gain which forecast is better."""
    if gain == 0:
        return Outcome.NO_DIFFERENCE
    return Outcome.BETTER if gain > 0 else Outcome.WORSE
