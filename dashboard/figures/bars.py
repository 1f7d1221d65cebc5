"""Heights of bars and limits of rejection: the numbers behind the pictures of distributions."""

import math
from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.results import NegativeBinomialDistribution, PoissonDistribution, Side

__all__ = ["count_bars", "count_quantile", "rejected_below_and_above", "signed_rank_bars"]

Array = NDArray[np.float64]

#: More bars than this are drawn as sums of neighbours.
_MOST_BARS: Final = 240


def rejected_below_and_above(
    quantiles: Sequence[float], side: Side, alpha: float
) -> tuple[float | None, float | None]:
    """Give the values below and above which a simulated test rejects.

    Parameters
    ----------
    quantiles : sequence of float, shape (201,)
        Values at the probabilities 0, 1/200, ..., 1, each the least that the share p does not exceed.

    Returns
    -------
    tuple
        A statistic below the first or above the second is rejected; None where that side does not count.
        Exact where alpha (half of it, if two-sided) is a multiple of 1/200, else within one step.
    """
    steps = len(quantiles) - 1
    level = alpha / 2 if side is Side.TWO_SIDED else alpha
    # Rounding first: 0.05 * 200 is a little more than 10 in some products of floats.
    lower = quantiles[math.ceil(round(level * steps, 9))]
    upper = quantiles[math.floor(round((1 - level) * steps, 9))]
    return (
        lower if side in (Side.LOWER, Side.TWO_SIDED) else None,
        upper if side in (Side.UPPER, Side.TWO_SIDED) else None,
    )


def count_bars(
    distribution: PoissonDistribution | NegativeBinomialDistribution, observed: float, alpha: float
) -> tuple[Array, Array, NDArray[np.bool_], int]:
    """Give the probabilities of numbers of events where they matter, and where the N-test rejects.

    Returns
    -------
    counts : array of float, shape (bars,)
        Numbers of events, each the first of `step` neighbours; they reach to the observed number.
    probabilities : array of float, shape (bars,)
    rejected : array of bool, shape (bars,)
        Whether delta1 = P(X >= n) or delta2 = P(X <= n) is below alpha/2 at the count.
    step : int
        Neighbours in one bar.
    """
    mean = distribution.mean
    variance = getattr(distribution, "variance", mean)
    spread = 4.5 * math.sqrt(variance) + 4
    first = max(math.floor(min(mean - spread, observed - 1)), 0)
    last = math.ceil(max(mean + spread, observed + 1))
    step = max(math.ceil((last - first + 1) / _MOST_BARS), 1)
    counts = np.arange(first, last + 1, step, dtype=np.float64)
    at_least, at_most = _tails(distribution, counts)
    probabilities = _tails(distribution, counts + step - 1)[1] - _tails(distribution, counts - 1)[1]
    return counts, probabilities, (at_least < alpha / 2) | (at_most < alpha / 2), step


def count_quantile(distribution: PoissonDistribution | NegativeBinomialDistribution, share: float) -> float:
    """Give the least number of events n with P(X <= n) >= share; for a share below 1."""
    low, high = -1, 1  # P(X <= low) is below the share
    while _tails(distribution, np.array([float(high)]))[1][0] < share:
        low, high = high, 2 * high
    while high - low > 1:
        middle = (low + high) // 2
        reached = _tails(distribution, np.array([float(middle)]))[1][0] >= share
        low, high = (low, middle) if reached else (middle, high)
    return float(high)


def _tails(
    distribution: PoissonDistribution | NegativeBinomialDistribution, counts: Array
) -> tuple[Array, Array]:
    """Give P(X >= n) and P(X <= n); none is below no event."""
    from scipy.special import betainc, pdtr, pdtrc

    mean, some, known = distribution.mean, counts > 0, counts >= 0
    below, here = np.maximum(counts, 1.0), np.maximum(counts, 0.0)
    if isinstance(distribution, PoissonDistribution):
        return np.where(some, pdtrc(below - 1, mean), 1.0), np.where(known, pdtr(here, mean), 0.0)
    success = mean / distribution.variance
    size = mean / (distribution.variance - mean) * mean
    at_least = np.where(some, betainc(below, size, 1 - success), 1.0)
    return at_least, np.where(known, betainc(size, here + 1, success), 0.0)


def signed_rank_bars(size: int) -> tuple[Array, Array]:
    """Give the exact null distribution of Wilcoxon's z for `size` differences without ties.

    Returns
    -------
    z : array of float, shape (sums,)
        Of the smaller of the two rank sums: never positive.
    probabilities : array of float, shape (sums,)
    """
    ways = np.ones(1)
    for rank in range(1, size + 1):
        longer = np.zeros(len(ways) + rank)
        longer[: len(ways)] += ways
        longer[rank:] += ways
        ways = longer
    sums = np.arange(len(ways))
    smaller = np.minimum(sums, sums[::-1])
    values = np.unique(smaller)
    probabilities = np.array([ways[smaller == value].sum() for value in values]) / 2.0**size
    deviation = math.sqrt(size * (size + 1) * (2 * size + 1) / 24)
    return (values - size * (size + 1) / 4) / deviation, probabilities
