"""Where a test does not reject: the numbers behind the bars of many results side by side."""

import math
from dataclasses import dataclass
from typing import Final

from dashboard.figures.bars import count_quantile, rejected_below_and_above
from forequake.evaluations.registry import TESTS
from forequake.results import (
    EvaluationRecord,
    NegativeBinomialDistribution,
    PoissonDistribution,
    SimulatedDistribution,
)

__all__ = ["Acceptance", "acceptance", "counts_events"]

#: Tests whose statistic is a number of events say so.
_COUNTS: Final = "number of events"
_BULK: Final = (0.025, 0.975)


@dataclass(frozen=True)
class Acceptance:
    """The statistics with which a test does not reject, and where the middle of its distribution lies.

    Attributes
    ----------
    low, high
        From and to here, both included; infinite on a side that does not count.
    median
    quartiles
        Between these lies the middle half.
    bulk
        Between these lie the middle 95 %.
    """

    low: float
    high: float
    median: float
    quartiles: tuple[float, float]
    bulk: tuple[float, float]

    def normalised(self, value: float) -> float | None:
        """Give (value - median) / interquartile range; None where the middle half is one value."""
        spread = self.quartiles[1] - self.quartiles[0]
        return (value - self.median) / spread if 0 < spread < math.inf else None


def acceptance(result: EvaluationRecord) -> Acceptance | None:
    """Give where a consistency test does not reject, from the distribution that is stored with its result.

    Returns
    -------
    Acceptance or None
        None without a distribution. Of a simulated one at its 201 stored quantiles, exact where alpha (half
        of it, if two-sided) is a multiple of 1/200; of a Poisson or negative binomial one, exact.
    """
    match result.distribution:
        case PoissonDistribution() | NegativeBinomialDistribution() as counts:
            at = {share: count_quantile(counts, share) for share in (*_BULK, 0.25, 0.5, 0.75)}
            ends = (count_quantile(counts, level) for level in (result.alpha / 2, 1 - result.alpha / 2))
            low, high = ends
            return Acceptance(low, high, at[0.5], (at[0.25], at[0.75]), (at[0.025], at[0.975]))
        case SimulatedDistribution(quantiles=values):
            below, above = rejected_below_and_above(values, result.side, result.alpha)
            steps = len(values) - 1
            return Acceptance(
                low=-math.inf if below is None else below,
                high=math.inf if above is None else above,
                median=values[steps // 2],
                quartiles=(values[steps // 4], values[3 * steps // 4]),
                bulk=(values[round(_BULK[0] * steps)], values[round(_BULK[1] * steps)]),
            )
        case _:
            return None


def counts_events(test: str) -> bool:
    """Tell whether a test's statistic is a number of events, by forequake's name of the test."""
    return test.endswith("_number") or (test in TESTS and TESTS[test].measure == _COUNTS)
