"""Mean reliability: whether as many events come as are expected, and what of a score is miscalibration.

The expected numbers of windows are recalibrated by isotonic regression: the non-decreasing function of the
expected number that describes the observed ones best, under every score that the mean minimises at once
(pool adjacent violators). This is the CORP approach (Dimitriadis, Gneiting & Jordan 2021), for the mean as
Brehmer et al. (2024, arXiv 2405.10712) take it to earthquakes. With the Poisson score of an expected number x
and a number of events y,

    S(x, y) = x - y ln x,

which is the negative Poisson log-likelihood but for ln(y!), the mean over windows splits into

    mean S = MCB - DSC + UNC
    MCB = mean S - mean S of the recalibrated,  DSC = UNC - mean S of the recalibrated,

and UNC is the mean score of the mean number of events, which no forecast has a part in. MCB, the loss by
miscalibration, and DSC, the gain by telling windows apart, are never negative. The regression fits chance as
well: with few windows both are too large.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["RELIABILITY_SEED", "MeanReliability", "mean_reliability", "poisson_scores", "reliability_band"]

_Array = NDArray[np.float64]

#: Of the counts that are drawn for a band, so that it is the same whenever it is shown.
RELIABILITY_SEED: Final = 2024


@dataclass(frozen=True, eq=False)
class MeanReliability:
    """A model's expected numbers of events against those that were observed.

    Attributes
    ----------
    score, miscalibration, discrimination, uncertainty
        Mean Poisson score (the smaller, the better) and its parts, in nats per window; `score` and
        `miscalibration` are infinite where an event came in a window that expected none.
    expected : array of float64, shape (windows,)
        In ascending order.
    recalibrated : array of float64, shape (windows,)
        The mean number of events where so many are expected.
    """

    score: float
    miscalibration: float
    discrimination: float
    uncertainty: float
    expected: _Array
    recalibrated: _Array

    @property
    def size(self) -> int:
        """Number of windows."""
        return len(self.expected)


def poisson_scores(expected: _Array, counts: _Array) -> _Array:
    """Give x - y ln x of each window; infinite where events come and none is expected.

    Examples
    --------
    >>> poisson_scores(np.array([1.0, 0.0, 0.0]), np.array([3.0, 0.0, 1.0]))
    array([ 1.,  0., inf])
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        return expected - np.where(counts > 0, counts * np.log(expected), 0.0)


def mean_reliability(expected: _Array, counts: _Array) -> MeanReliability:
    """Recalibrate expected numbers and split their mean score.

    Parameters
    ----------
    expected : array of float64, shape (windows,)
        Finite, not negative.
    counts : array of float64, shape (windows,)
        Observed numbers of events.

    Raises
    ------
    ValueError
        Without windows, or where there are not as many of both.

    Examples
    --------
    The larger expected numbers had the fewer events, so that both windows are pooled.

    >>> found = mean_reliability(np.array([1.0, 2.0]), np.array([2.0, 0.0]))
    >>> found.recalibrated, found.discrimination
    (array([1., 1.]), 0.0)
    """
    if not len(expected) or len(expected) != len(counts):
        message = f"there are {len(counts)} numbers of events for {len(expected)} expected ones"
        raise ValueError(message)
    order = np.argsort(expected, kind="stable")
    ordered, observed = expected[order], np.asarray(counts, dtype=np.float64)[order]
    recalibrated = _recalibrated(ordered, observed)
    best = float(poisson_scores(recalibrated, observed).mean())
    score = float(poisson_scores(ordered, observed).mean())
    uncertainty = float(poisson_scores(np.full(len(observed), observed.mean()), observed).mean())
    return MeanReliability(
        score=score,
        # Both are means of non-negative terms, but for rounding.
        miscalibration=max(score - best, 0.0),
        discrimination=max(uncertainty - best, 0.0),
        uncertainty=uncertainty,
        expected=ordered,
        recalibrated=recalibrated,
    )


def reliability_band(
    expected: _Array, *, level: float = 0.95, draws: int = 200, seed: int = RELIABILITY_SEED
) -> tuple[_Array, _Array]:
    """Give where the recalibrated means of a right forecast lie, if numbers are Poisson about those expected.

    Parameters
    ----------
    expected : array of float64, shape (windows,)
        In ascending order.
    level
        Share of the drawn curves that lie within, at each expected number.

    Returns
    -------
    least, greatest : array of float64, shape (windows,)
    """
    generator = np.random.default_rng(seed)
    drawn = generator.poisson(expected, (draws, len(expected))).astype(np.float64)
    curves = np.stack([_recalibrated(expected, counts) for counts in drawn])
    least, greatest = np.quantile(curves, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return least, greatest


def _recalibrated(expected: _Array, counts: _Array) -> _Array:
    """Regress counts on expected numbers in ascending order; equal ones have one mean."""
    from scipy.optimize import isotonic_regression

    _, group, sizes = np.unique(expected, return_inverse=True, return_counts=True)
    means = np.bincount(group, weights=counts) / sizes
    fitted: _Array = isotonic_regression(means, weights=sizes).x
    return fitted[group]
