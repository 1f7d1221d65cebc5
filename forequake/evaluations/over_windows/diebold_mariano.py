"""The Diebold-Mariano test: whether a model's scores in many windows are better than a reference's.

With d the information gain in each of n windows (the difference of the joint log-likelihoods, in nats), their
mean is divided by its standard error (Diebold & Mariano 1995; proposed for earthquakes by Brehmer et al. 2025
and in pyCSEP's issue 276). In place of the events, as in T, the windows are the sample: those without events
count, and the scatter of the number of events is part of the error.

    error^2 = (sum of e_i^2 + 2 sum of e_i e_j over all i < j that share time) / n^2 / k,  e = d - mean of d
    k = (n + 1 - 2 h + h (h - 1) / n) / n

Windows that share time share events, and their scores are correlated, which the second sum takes in: with
windows of seven days that begin every day, the autocovariances of lags 1 to 6. h - 1 is the greatest of these
lags, 0 where no windows share time. k corrects for few windows, and t has n - 1 degrees of freedom (Harvey,
Leybourne & Newbold 1997); with h = 1 this is Student's test of the mean. A missing window is left out.

It says nothing with fewer than ten windows, counting only as many as share no time (a house rule: most daily
windows are empty, and the mean of few such scores is far from normal), where a score is infinite, where all
scores are equal, and where the sum of the covariances is not positive, which that of correlated scores can
be.
"""

import math
from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np
from numpy.typing import NDArray

from forequake.evaluations.comparison import direction
from forequake.evaluations.evaluated import Numbers
from forequake.evaluations.over_windows.parts import LEFT_OUT_FLAG, check_pairs
from forequake.results import Outcome, StudentDistribution, StudentQuantiles
from forequake.windows import TimeWindow
from forequake.wording import count_of

__all__ = ["FEWEST_WINDOWS", "diebold_mariano", "mean_error", "reach_of"]

#: With fewer windows that share no time the test says nothing: a rule of forequake's own.
FEWEST_WINDOWS: Final = 10
_EPSILON: Final = float(np.finfo(float).eps)


class _Score(Protocol):
    @property
    def statistic(self) -> float | None: ...
    @property
    def flags(self) -> tuple[str, ...]: ...
    @property
    def n_forecast(self) -> float: ...


def diebold_mariano(results: Sequence[_Score], windows: Sequence[TimeWindow], *, alpha: float) -> Numbers:
    """Compare a model with a reference by its information gain in all windows.

    Parameters
    ----------
    results
        The score ``sequential_information_gain`` of each window, in nats; without a statistic where it
        is undefined.
    windows
        In the same order.

    Returns
    -------
    Numbers
        The statistic and the information gain are the mean gain per window, in nats, positive where the
        model is better; the interval is that of the mean at 1 - alpha. The sample holds the gains of the
        windows in order of time.

    Raises
    ------
    InputError
        Where there are not as many windows as results.
    """
    check_pairs(results, windows)
    from scipy.special import stdtr, stdtrit

    in_time = sorted(range(len(windows)), key=lambda place: windows[place].start)
    there = [place for place in in_time if results[place].statistic is not None]
    kept = [windows[place] for place in there]
    gains = np.array([results[place].statistic for place in there], dtype=np.float64)
    flags = tuple(dict.fromkeys(flag for place in there for flag in results[place].flags))
    if len(there) < len(results):
        flags = (*flags, LEFT_OUT_FLAG)
    size = max((results[place].n_forecast for place in there), default=0.0)
    reach = reach_of(kept)
    reason = _silence(gains, reach, size)
    error = 0.0
    if reason is None:
        error = mean_error(gains, kept)
        if not error > 0:
            reason = "the covariances of windows that share time leave no positive variance of the mean"
    mean = float(gains.mean()) if len(gains) and np.isfinite(gains).all() else None
    if reason is not None or mean is None:
        return Numbers(
            outcome=Outcome.UNDEFINED, reason=reason, statistic=mean, information_gain=mean, flags=flags
        )
    freedom = len(gains) - 1
    t, t_critical = mean / error, float(stdtrit(freedom, 1 - alpha / 2))
    return Numbers(
        outcome=direction(mean) if abs(t) > t_critical else Outcome.NO_DIFFERENCE,
        statistic=mean,
        quantiles=StudentQuantiles(t=t, t_critical=t_critical, p=float(2 * stdtr(freedom, -abs(t)))),
        information_gain=mean,
        interval=(mean - t_critical * error, mean + t_critical * error),
        flags=flags,
        distribution=StudentDistribution(degrees_of_freedom=freedom, scale=error),
        sample=gains,
    )


def reach_of(windows: Sequence[TimeWindow]) -> int:
    """Tell how many windows on a window may still share time with it; they are in order of time."""
    reach = 0
    while any(later.start < window.end for window, later in zip(windows, windows[reach + 1 :], strict=False)):
        reach += 1
    return reach


def mean_error(gains: NDArray[np.float64], windows: Sequence[TimeWindow]) -> float:
    """Give the standard error of the mean gain, corrected for few windows; 0 where none is positive.

    Parameters
    ----------
    gains : array of float64, shape (windows,)
        Finite.
    windows
        In order of time.
    """
    count, steps = len(gains), reach_of(windows) + 1
    deviations = gains - gains.mean()
    squares = total = float(deviations @ deviations)
    for lag in range(1, steps):
        shared = [later.start < window.end for window, later in zip(windows, windows[lag:], strict=False)]
        total += 2 * float(np.sum((deviations[:-lag] * deviations[lag:])[shared]))
    correction = (count + 1 - 2 * steps + steps * (steps - 1) / count) / count
    if total <= 1e-12 * squares or correction <= 0:
        return 0.0
    return math.sqrt(total / correction) / count


def _silence(gains: NDArray[np.float64], reach: int, size: float) -> str | None:
    """Say why the test says nothing whatever the covariances, or None."""
    if len(gains) < FEWEST_WINDOWS * (reach + 1):
        together = "" if not reach else f", of which {reach + 1} in a row share time"
        have = "1 window has" if len(gains) == 1 else f"{len(gains)} windows have"
        return f"{have} a score{together}, and {FEWEST_WINDOWS * (reach + 1)} are needed"
    if not np.isfinite(gains).all():
        infinite = int(np.isinf(gains).sum())
        return f"the score of {count_of(infinite, 'window')} is infinite: a rate at a target event is zero"
    # A score is a difference of sums as large as the expected numbers, and rounded like them.
    if np.ptp(gains) <= 16 * _EPSILON * max(size, float(np.abs(gains).max())):
        return "the scores of all windows are equal, but for rounding"
    return None
