"""What results add up to, window by window: sums of scores, and the number of rejections against chance."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["RunningRejections", "RunningSum", "running_rejections", "running_sum", "window_gains"]

_Array = NDArray[np.float64]

#: With this probability chance gives a true forecast no more rejections than the limit.
_SURE: Final = 0.95


@dataclass(frozen=True, eq=False)
class RunningSum:
    """The sum of the scores of windows up to each of them.

    Attributes
    ----------
    total : array of float64, shape (windows,)
        Sum of the finite scores up to and with each window.
    minus_infinite, plus_infinite : array of bool, shape (windows,)
        Windows whose score is infinite: they are not in the sum, and would make all of it infinite.
    lacking : array of bool, shape (windows,)
        Windows without a score.
    """

    total: _Array
    minus_infinite: NDArray[np.bool_]
    plus_infinite: NDArray[np.bool_]
    lacking: NDArray[np.bool_]

    @property
    def last(self) -> float:
        """The sum of all windows; 0 without any."""
        return float(self.total[-1]) if len(self.total) else 0.0


@dataclass(frozen=True, eq=False)
class RunningRejections:
    """The number of rejections up to each window.

    Attributes
    ----------
    decided, rejected : array of int64, shape (windows,)
        Number of windows with a verdict, and of rejections among them.
    limit : array of int64, shape (windows,)
        The largest number of rejections that chance alone gives in 95 % of cases.
    """

    decided: NDArray[np.int64]
    rejected: NDArray[np.int64]
    limit: NDArray[np.int64]

    @property
    def share(self) -> _Array:
        """Share of rejections among the verdicts; NaN before the first one."""
        return _share(self.rejected, self.decided)

    @property
    def limit_share(self) -> _Array:
        """The limit as a share of the verdicts; NaN before the first one."""
        return _share(self.limit, self.decided)


def running_sum(scores: _Array) -> RunningSum:
    """Add up the scores of windows that share no time.

    Parameters
    ----------
    scores : array of float64, shape (windows,)
        In order of time; NaN where there is none.

    Examples
    --------
    >>> running_sum(np.array([1.0, -np.inf, np.nan, 2.0])).total
    array([1., 1., 1., 3.])
    """
    finite = np.where(np.isfinite(scores), scores, 0.0)
    return RunningSum(
        total=np.cumsum(finite),
        minus_infinite=np.isneginf(scores),
        plus_infinite=np.isposinf(scores),
        lacking=np.isnan(scores),
    )


def window_gains(
    gain: _Array, events: NDArray[np.int64], expected: _Array, reference_expected: _Array
) -> _Array:
    """Give the information gain of whole windows from that per event of the T-test, in nats.

    Parameters
    ----------
    gain : array of float64, shape (windows,)
        Per event; NaN where it is not defined, as it is without events.
    events : array of int64, shape (windows,)
    expected, reference_expected : array of float64, shape (windows,)
        Expected number of events of forecast and reference.

    Returns
    -------
    array of float64, shape (windows,)
        gain x events, and -(N1 - N2) without events, as ``sequential_information_gain`` has it.
    """
    with np.errstate(invalid="ignore"):
        return np.where(events > 0, gain * events, reference_expected - expected)


def running_rejections(
    decided: NDArray[np.bool_], rejected: NDArray[np.bool_], *, alpha: float
) -> RunningRejections:
    """Count rejections window by window.

    Parameters
    ----------
    decided, rejected : array of bool, shape (windows,)
        Whether a window has a verdict, and whether it is a rejection; in order of time.
    alpha
        Probability of rejecting a true forecast in one window. A test of few events or simulations rejects
        more rarely, so there is no lower limit.
    """
    counts = np.cumsum(decided, dtype=np.int64)
    most = int(counts[-1]) if len(counts) else 0
    return RunningRejections(
        decided=counts,
        rejected=np.cumsum(decided & rejected, dtype=np.int64),
        limit=_limits(most, alpha)[counts],
    )


def _limits(most: int, alpha: float) -> NDArray[np.int64]:
    """Give the least k with P(X <= k) >= 95 % for X of 0, 1, ..., `most` windows: it never falls."""
    from scipy.special import bdtr

    limits = np.zeros(most + 1, dtype=np.int64)
    for size in range(1, most + 1):
        limit = int(limits[size - 1])
        limits[size] = limit if bdtr(limit, size, alpha) >= _SURE else limit + 1
    return limits


def _share(part: NDArray[np.int64], whole: NDArray[np.int64]) -> _Array:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)
