"""What a test could have found: the least effect that it would have seen, and how many events it needs.

A forecast that passes, or two that do not differ, may be right or equal; or the events may be too few. These
numbers stand beside an outcome and tell the one from the other. They follow from the stored numbers of a
result alone and are worked out where they are shown.

- T: the information gain that would have been significant with the probability `at`, with as many events and
  the scatter that was seen (by the non-central t distribution); and the number of events from which the gain
  that was seen is significant, if gain and scatter stay as they are. Of DM the same, of windows.
- N: by how much the true expected number would have to differ from the forecast's to be rejected with the
  probability `at`; by the exact Poisson distribution, above or below, whichever is nearer.
- W: the number of non-zero differences from which any outcome can be significant.
- Simulated tests: the number of events from which they say anything. What they would find depends on where a
  forecast errs, for which there is no single number.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, Protocol

from forequake.errors import InputError
from forequake.evaluations.comparison import TOO_FEW_DIFFERENCES, least_signed_rank_p
from forequake.evaluations.kernels import poisson_tails
from forequake.evaluations.over_windows.calibration import FEWEST_RESULTS
from forequake.evaluations.over_windows.diebold_mariano import FEWEST_WINDOWS
from forequake.evaluations.registry import TESTS
from forequake.results import Distribution, PoissonDistribution, StudentDistribution

__all__ = ["Power", "power_of"]

#: What the t-tests count.
_COUNTED: Final = {
    "poisson_paired_t": "target event",
    "cumulative_paired_t": "target event",
    "batch_t_w": "target event",
    "binary_paired_t": "active bin",
    "diebold_mariano": "window",
}
_SIGNED_RANKS: Final = ("poisson_w", "cumulative_w")
#: More events than anyone will see.
_NEVER: Final = 10**9


@dataclass(frozen=True)
class Power:
    """What a test could have found.

    Attributes
    ----------
    detectable
        The least effect that would have been found with the probability `at`; None where it is not known.
    detectable_unit
        What the effect is, with its unit.
    needed
        From how many on the effect that was seen would be significant, or the test can say anything; None
        where no number suffices.
    needed_unit
        What is counted, such as ``target events``.
    at
        The probability.
    """

    detectable: float | None = None
    detectable_unit: str = ""
    needed: int | None = None
    needed_unit: str = "target events"
    at: float = 0.8


class _Result(Protocol):
    @property
    def test(self) -> str: ...
    @property
    def alpha(self) -> float: ...
    @property
    def statistic(self) -> float | None: ...
    @property
    def distribution(self) -> Distribution | None: ...


def power_of(result: _Result, *, at: float = 0.8) -> Power | None:
    """Work out what the test of a result could have found.

    None for scores, where nothing is known, and where alpha is `at` or more, so that no effect at all is
    found as often. A test of another version's store that this one does not know has none either.

    Parameters
    ----------
    result
        A stored record, or an `Evaluated`.
    at
        The probability with which the detectable effect would have been found.

    Raises
    ------
    InputError
        Where `at` is no probability between 0 and 1.
    """
    if not 0 < at < 1:
        message = f"a power lies between 0 and 1, got {at:g}"
        raise InputError(message)
    definition = TESTS.get(result.test)
    if definition is None or result.alpha >= at:
        return None
    counted = _COUNTED.get(definition.name)
    if counted is not None:
        return _power_of_t(result, counted, at)
    if isinstance(result.distribution, PoissonDistribution):
        least = _least_relative_difference(result.distribution.mean, result.alpha, at)
        unit = "relative difference of the true from the expected number of events"
        return Power(detectable=least, detectable_unit=unit, needed=0, at=at)
    if definition.name in _SIGNED_RANKS:
        fewest = TOO_FEW_DIFFERENCES + 1
        needed = _first(lambda count: least_signed_rank_p(count) < result.alpha, fewest)
        return Power(needed=needed, needed_unit="target events with non-zero differences", at=at)
    if definition.name == "calibration":
        return Power(needed=FEWEST_RESULTS, needed_unit="windows with a result", at=at)
    if definition.simulated or definition.forecast == "catalog":
        free = definition.name.endswith(("_number", "poisson_likelihood", "cumulative_likelihood"))
        return Power(needed=0 if free else 1, at=at)
    return None


def _power_of_t(result: _Result, counted: str, at: float) -> Power:
    unit, units = f"nats per {counted}", f"{counted}s"
    student, fewest = result.distribution, FEWEST_WINDOWS if counted == "window" else 2
    if not isinstance(student, StudentDistribution) or result.statistic is None:
        return Power(detectable_unit=unit, needed=fewest, needed_unit=units, at=at)
    gain, scatter = abs(result.statistic), student.scale * math.sqrt(student.degrees_of_freedom + 1)

    def significant(count: int) -> bool:
        return gain * math.sqrt(count) / scatter > _critical(count - 1, result.alpha)

    return Power(
        detectable=student.scale * _least_shift(student.degrees_of_freedom, result.alpha, at),
        detectable_unit=unit,
        needed=_first(significant, fewest),
        needed_unit=units,
        at=at,
    )


def _critical(freedom: float, alpha: float) -> float:
    from scipy.special import stdtrit

    return float(stdtrit(freedom, 1 - alpha / 2))


def _least_shift(freedom: float, alpha: float, at: float) -> float:
    """Give the true mean in standard errors that a two-sided t-test finds, on the right side."""
    from scipy.special import nctdtr

    critical = _critical(freedom, alpha)

    return _crossing(lambda shift: 1.0 - float(nctdtr(freedom, shift, critical)), at, 0.0, critical)


def _least_relative_difference(expected: float, alpha: float, at: float) -> float | None:
    """Give the least |true - expected| / expected that the N-test rejects with the probability `at`."""
    if not 0 < expected < _NEVER:
        return None
    few = _first(lambda count: poisson_tails(count, expected)[1] >= alpha / 2, 0) or 0
    many = _first(lambda count: poisson_tails(count, expected)[0] < alpha / 2, math.ceil(expected)) or 0

    def rejected(true: float) -> float:
        too_few = poisson_tails(few - 1, true)[1] if few else 0.0
        return too_few + poisson_tails(many, true)[0]

    above = _crossing(rejected, at, expected, 2 * expected + many) / expected - 1
    if not few:
        return above
    return min(above, 1 - _crossing(rejected, at, expected, 0.0) / expected)


def _first(holds: Callable[[int], bool], start: int) -> int | None:
    """Give the first count from `start` on from which something holds, or None."""
    if holds(start):
        return start
    below, above = start, start + 1
    while not holds(above):
        if above > _NEVER:
            return None
        below, above = above, 2 * above
    while above - below > 1:
        middle = (below + above) // 2
        below, above = (below, middle) if holds(middle) else (middle, above)
    return above


def _crossing(found: Callable[[float], float], at: float, start: float, beyond: float) -> float:
    """Give where a probability that is too small at `start` becomes `at`, in the direction of `beyond`."""
    while beyond > start and found(beyond) < at:
        beyond = 2 * beyond
    for _ in range(200):
        middle = (start + beyond) / 2
        if middle in (start, beyond):
            break
        start, beyond = (middle, beyond) if found(middle) < at else (start, middle)
    return beyond
