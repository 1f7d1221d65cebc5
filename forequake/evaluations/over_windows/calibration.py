"""Calibration: whether the quantiles of a test are spread over many windows as chance spreads them.

Where the forecasts are right, delta2 = P(simulated <= observed) is uniform over windows that do not share
time (Savran et al., 2020). The statistic is the greatest difference between the distribution of the delta2 of
all windows and the uniform one (Kolmogorov and Smirnov, two-sided), with its exact p; rejected where
p < alpha. Windows without a result are left out. Fewer than five results, or windows that overlap, say
nothing. The delta2 of few events can take few values, which alone moves it away from uniform.
"""

from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np

from forequake.errors import InputError
from forequake.evaluations.evaluated import Numbers
from forequake.evaluations.over_windows.parts import LEFT_OUT_FLAG, check_pairs, shared_time
from forequake.results import KolmogorovQuantile, Outcome, Quantiles, TailQuantiles
from forequake.windows import TimeWindow

__all__ = ["FEWEST_RESULTS", "calibration"]

#: With fewer results the test says nothing: a rule of forequake's own.
FEWEST_RESULTS: Final = 5


class _Result(Protocol):
    @property
    def quantiles(self) -> Quantiles | None: ...


def calibration(results: Sequence[_Result], windows: Sequence[TimeWindow], *, alpha: float) -> Numbers:
    """Compute ``csep.core.catalog_evaluations.calibration_test`` of one test of one model.

    Parameters
    ----------
    results
        One for each window, with delta1 and delta2; without quantiles where the test is undefined.
    windows
        In the same order.
    alpha
        Significance level.

    Returns
    -------
    Numbers
        The statistic is the Kolmogorov-Smirnov distance D; the sample holds the delta2, in order of windows.

    Raises
    ------
    InputError
        Where a result has other quantiles, or there are not as many windows as results.
    """
    check_pairs(results, windows)
    sample = np.array([_delta2(result) for result in results if result.quantiles is not None])
    flags = () if len(sample) == len(results) else (LEFT_OUT_FLAG,)
    reason = shared_time(windows)
    if reason is None and len(sample) < FEWEST_RESULTS:
        have = "window has" if len(results) == 1 else "windows have"
        reason = f"{len(sample)} of {len(results)} {have} a result, and {FEWEST_RESULTS} are needed"
    if reason is not None:
        return Numbers(outcome=Outcome.UNDEFINED, reason=reason, flags=flags)
    from scipy.stats import kstest

    found = kstest(sample, "uniform")
    p = float(found.pvalue)
    return Numbers(
        outcome=Outcome.REJECTED if p < alpha else Outcome.PASSED,
        statistic=float(found.statistic),
        quantiles=KolmogorovQuantile(p=p),
        flags=flags,
        sample=sample,
    )


def _delta2(result: _Result) -> float:
    if not isinstance(result.quantiles, TailQuantiles):
        kind = "none" if result.quantiles is None else result.quantiles.kind
        message = f"calibration takes results with delta1 and delta2, not quantiles of kind {kind}"
        raise InputError(message)
    return result.quantiles.delta2
