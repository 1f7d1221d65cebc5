"""Holm's correction: which of many p are significant, where chance has had many goes.

Of m tests of right forecasts at level alpha, m alpha are rejected by chance. Holm (1979) orders their p from
the smallest, multiplies the i-th with m - i + 1 and lets none be smaller than the one before; what is below
alpha then is rejected. At least one wrong rejection has a probability of alpha or less, however the tests
depend on each other: windows may share time.

The p of a window is that of its test: twice the smaller tail of N, at most 1; q, delta2 or delta1 where one
side rejects. From n simulated catalogs a p of 0 only says "less than 1/n", and counts as 1/n; it is 0 where
the forecast holds the catalog for impossible (a statistic of -infinity). Where even 1/n times the number of
windows is not below alpha, no window could be rejected: more simulations are needed, and the correction says
nothing.
"""

import math
from collections.abc import Sequence
from typing import Final, Protocol

import numpy as np

from forequake.errors import InputError
from forequake.evaluations.evaluated import Numbers
from forequake.evaluations.over_windows.parts import LEFT_OUT_FLAG, check_pairs
from forequake.results import (
    AdjustedQuantile,
    Distribution,
    LowerQuantile,
    Outcome,
    Quantiles,
    Side,
    SimulatedDistribution,
    TailQuantiles,
)
from forequake.windows import TimeWindow
from forequake.wording import count_of

__all__ = ["TOO_FEW_SIMULATIONS_FLAG", "holm", "holm_over_windows", "p_of"]

#: With so few simulated catalogs and so many windows no p could be significant.
TOO_FEW_SIMULATIONS_FLAG: Final = "too_few_simulations_for_the_family"


class _Result(Protocol):
    @property
    def statistic(self) -> float | None: ...
    @property
    def quantiles(self) -> Quantiles | None: ...
    @property
    def side(self) -> Side: ...
    @property
    def distribution(self) -> Distribution | None: ...


def holm(p_values: Sequence[float]) -> list[float]:
    """Correct the p of a family for their number (Holm 1979).

    Returns
    -------
    list of float
        In the order of the p; below alpha where Holm's procedure rejects at alpha.

    Examples
    --------
    >>> holm([0.25, 0.01, 0.02])
    [0.25, 0.03, 0.04]
    """
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[place]))
        adjusted[place] = largest
    return adjusted


def p_of(result: _Result) -> float:
    """Give the p of a consistency test's result, by its side.

    Raises
    ------
    InputError
        Where its quantiles are no tails.
    """
    floor = 0.0 if result.statistic == -math.inf else _least(result)
    match result.quantiles, result.side:
        case TailQuantiles(delta1=delta1, delta2=delta2), Side.TWO_SIDED:
            return min(1.0, 2 * max(floor, min(delta1, delta2)))
        case TailQuantiles(delta1=delta1), Side.UPPER:
            return max(floor, delta1)
        case ((TailQuantiles(delta2=tail) | LowerQuantile(q=tail)), Side.LOWER):
            return max(floor, tail)
    kind = "none" if result.quantiles is None else result.quantiles.kind
    message = f"Holm's correction takes tails, not quantiles of kind {kind} on the side {result.side}"
    raise InputError(message)


def holm_over_windows(results: Sequence[_Result], windows: Sequence[TimeWindow], *, alpha: float) -> Numbers:
    """Judge one consistency test of one model in all windows.

    Parameters
    ----------
    results
        One for each window; without quantiles where the test is undefined.
    windows
        In the same order; they may share time.

    Returns
    -------
    Numbers
        The statistic is the number of windows that are rejected after correction, the quantiles are the least
        p and the least corrected p; rejected where any window is. The sample holds each window's p.

    Raises
    ------
    InputError
        Where a result has other quantiles, or there are not as many windows as results.
    """
    check_pairs(results, windows)
    valid = [result for result in results if result.quantiles is not None]
    flags = [] if len(valid) == len(results) else [LEFT_OUT_FLAG]
    if not valid:
        places = "the only window" if len(results) == 1 else f"any of {len(results)} windows"
        nothing = f"the test says nothing in {places}"
        return Numbers(outcome=Outcome.UNDEFINED, reason=nothing, flags=tuple(flags))
    p_values = [p_of(result) for result in valid]
    adjusted = holm(p_values)
    rejected = sum(p < alpha for p in adjusted)
    outcome: Outcome = Outcome.REJECTED if rejected else Outcome.PASSED
    reason: str | None = None
    least = min(1.0, min(map(_least, valid)) * (2 if valid[0].side is Side.TWO_SIDED else 1))
    if least * len(valid) >= alpha:
        flags.append(TOO_FEW_SIMULATIONS_FLAG)
        if not rejected:
            outcome = Outcome.UNDEFINED
            reason = (
                f"p is {least:g} or more, and that of {count_of(len(valid), 'window')} together cannot be "
                f"below {alpha:g}"
            )
    return Numbers(
        outcome=outcome,
        reason=reason,
        statistic=float(rejected),
        quantiles=AdjustedQuantile(p=min(p_values), p_adjusted=min(adjusted), family=len(valid)),
        flags=tuple(flags),
        sample=np.array(p_values),
    )


def _least(result: _Result) -> float:
    """Give the least share that can be told from 0: one of the simulated catalogs."""
    distribution = result.distribution
    return 1 / distribution.size if isinstance(distribution, SimulatedDistribution) else 0.0
