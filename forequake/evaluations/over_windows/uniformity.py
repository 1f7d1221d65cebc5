"""How the quantiles of one test spread over windows: histogram, distance from uniform, and chance's bands.

Where forecasts are right, the probability integral transform of each window is uniform on [0, 1], and those
of windows that share no time are independent. That of a number of events, which takes few values, is uniform
only where it is randomised: with V uniform, P(X < N) + V P(X = N) (Czado, Gneiting & Held 2009).
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.evaluations.over_windows.calibration import FEWEST_RESULTS

__all__ = [
    "PIT_SEED",
    "Uniformity",
    "bin_counts",
    "bin_limits",
    "departures",
    "kolmogorov_half_width",
    "pit_draws",
    "randomised_pit",
    "uniformity",
]

_Array = NDArray[np.float64]

#: Of the draws of randomised transforms, so that they are the same whenever they are shown.
PIT_SEED: Final = 2009


@dataclass(frozen=True)
class Uniformity:
    """The Kolmogorov-Smirnov test of values against the uniform distribution, two-sided.

    Attributes
    ----------
    size
        Number of values.
    distance
        The greatest difference D of their distribution from the uniform one.
    p
        Exact p of D; None with fewer than five values (a house rule), or where they are not independent.
    """

    size: int
    distance: float
    p: float | None


def pit_draws(windows: int, seed: int = PIT_SEED) -> _Array:
    """Give the V of each window: those of the first windows stay when further ones are added."""
    return np.random.default_rng(seed).random(windows)


def randomised_pit(delta1: _Array, delta2: _Array, draws: _Array) -> _Array:
    """Give the randomised probability integral transform of numbers of events.

    Parameters
    ----------
    delta1, delta2 : array of float64, shape (windows,)
        P(X >= N) and P(X <= N), both with P(X = N); NaN where a window has no result.
    draws : array of float64, shape (windows,)
        Uniform on [0, 1).

    Returns
    -------
    array of float64, shape (windows,)
        1 - delta1 + V (delta1 + delta2 - 1), NaN where a window has no result.

    Examples
    --------
    >>> randomised_pit(np.array([0.75]), np.array([0.5]), np.array([0.5]))
    array([0.375])
    """
    here = np.maximum(delta1 + delta2 - 1.0, 0.0)
    pit: _Array = np.clip(1.0 - delta1 + draws * here, 0.0, 1.0)
    return pit


def uniformity(values: _Array, *, independent: bool = True) -> Uniformity:
    """Test values against the uniform distribution, as `calibration` does.

    Parameters
    ----------
    values : array of float64, shape (windows,)
        In [0, 1].
    independent
        Whether they are of windows that share no time.
    """
    if not len(values):
        return Uniformity(0, 0.0, None)
    if not independent or len(values) < FEWEST_RESULTS:
        _, differences = departures(values)
        return Uniformity(len(values), float(np.abs(differences).max()), None)
    from scipy.stats import kstest

    found = kstest(values, "uniform")
    return Uniformity(len(values), float(found.statistic), float(found.pvalue))


def departures(values: _Array) -> tuple[_Array, _Array]:
    """Give the corners of the share of values up to x, minus x.

    Returns
    -------
    x, difference : array of float64, shape (2 + 2 values,)
        From 0 to 1; between corners the difference falls evenly, and at each value it jumps by 1 / values.

    Examples
    --------
    >>> departures(np.array([0.25]))
    (array([0.  , 0.25, 0.25, 1.  ]), array([ 0.  , -0.25,  0.75,  0.  ]))
    """
    ordered = np.sort(values)
    steps = np.arange(len(ordered) + 1) / max(len(ordered), 1)
    x = np.concatenate([[0.0], np.repeat(ordered, 2), [1.0]])
    share = np.concatenate([[0.0], np.column_stack([steps[:-1], steps[1:]]).ravel(), [1.0]])
    return x, share - x


def kolmogorov_half_width(size: int, alpha: float) -> float:
    """Give the D that uniform values exceed with the probability alpha: half the width of the band."""
    from scipy.stats import kstwo

    return float(kstwo.ppf(1 - alpha, size))


def bin_counts(values: _Array, bins: int) -> NDArray[np.int64]:
    """Count values in bins of equal width over [0, 1]; 1 belongs to the last one."""
    return np.histogram(values, bins=bins, range=(0.0, 1.0))[0].astype(np.int64)


def bin_limits(size: int, bins: int, alpha: float) -> tuple[int, int]:
    """Give the least and the greatest count of one bin that chance explains with 1 - alpha.

    Returns
    -------
    least, greatest : int
        The quantiles alpha/2 and 1 - alpha/2 of the binomial distribution of `size` values in one of `bins`.

    Examples
    --------
    >>> bin_limits(100, 10, 0.05)
    (5, 16)
    """
    from scipy.stats import binom

    return int(binom.ppf(alpha / 2, size, 1 / bins)), int(binom.ppf(1 - alpha / 2, size, 1 / bins))
