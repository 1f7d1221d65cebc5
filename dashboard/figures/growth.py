"""How many events a forecast expects up to each moment of a window, and between which numbers they lie."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashboard.figures.judged import microseconds
from forequake.windows import TimeWindow

__all__ = ["BAND", "Growth", "poisson_band", "poisson_growth", "simulated_growth"]

Array = NDArray[np.float64]

#: The middle 95 % of numbers of events.
BAND: Final = (0.025, 0.975)
#: Moments of a window at which numbers are given: beginning and end, and evenly between.
_MOMENTS: Final = 97


@dataclass(frozen=True, eq=False)
class Growth:
    """Numbers of events from a window's start up to some moments.

    Attributes
    ----------
    time_us : array of float64, shape (moments,)
        Microseconds since 1970; the first is the window's start, the last its end.
    mean, low, high : array of float64, shape (moments,)
        The expected number, and between what numbers the middle 95 % lie.
    """

    time_us: Array
    mean: Array
    low: Array
    high: Array


def poisson_band(expected: Array) -> tuple[Array, Array]:
    """Give between what numbers of events 95 % of Poisson's lie, as ``csep.plots`` does; same shape.

    Examples
    --------
    >>> [band.tolist() for band in poisson_band(np.array([0.0, 0.01, 10.0]))]
    [[0.0, 0.0, 4.0], [0.0, 0.0, 17.0]]
    """
    low, high = (_poisson_quantile(share, expected) for share in BAND)
    return low, high


def _poisson_quantile(share: float, expected: Array) -> Array:
    """Give the least number that Poisson's distribution does not exceed with a probability of `share`.

    As ``scipy.stats.poisson.ppf``, which takes a second to be imported.
    """
    from scipy.special import pdtr, pdtrik

    mean = np.where(expected > 0, expected, 1.0)
    number = np.ceil(pdtrik(share, mean))
    lower = np.maximum(number - 1, 0)
    number = np.where(pdtr(lower, mean) >= share, lower, number)
    # Poisson's quantiles of an expected number of 0 are undefined, but there is one number alone.
    quantile: Array = np.where(expected > 0, number, 0.0)
    return quantile


def poisson_growth(total: float, window: TimeWindow) -> Growth:
    """Let a gridded forecast's number grow at a constant rate through its window."""
    mean = np.linspace(0, total, _MOMENTS)
    low, high = poisson_band(mean)
    return Growth(_moments(window), mean, low, high)


def simulated_growth(
    time_us: NDArray[np.int64],
    catalog: NDArray[np.int32],
    n_catalogs: int,
    window: TimeWindow,
    band: tuple[float, float] = BAND,
    moments: int = _MOMENTS,
) -> Growth:
    """Count the events of simulated catalogs up to each moment.

    The numbers are those of ``csep.plots.plot_cumulative_events_versus_time``, which draws each of them one
    step early.

    Parameters
    ----------
    time_us, catalog : array of int, shape (events,)
        Of the events that count: the time, and the catalog from 0 on.
    n_catalogs
        Empty ones are among them.
    """
    edges = _moments(window, moments)
    up_to = np.searchsorted(edges, time_us, side="right")
    steps = np.bincount(catalog.astype(np.int64) * moments + up_to, minlength=n_catalogs * moments)
    counts = np.cumsum(steps.reshape(n_catalogs, moments), axis=1, dtype=np.int32)
    low, high = np.quantile(counts, band, axis=0)
    return Growth(edges, counts.mean(axis=0), low, high)


def _moments(window: TimeWindow, count: int = _MOMENTS) -> Array:
    return np.linspace(microseconds(window.start), microseconds(window.end), count)
