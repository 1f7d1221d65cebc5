"""Holm's correction: published numbers, its definition step by step, and a test's windows."""

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forequake.errors import InputError
from forequake.evaluations.evaluated import summary_of
from forequake.evaluations.over_windows.holm import (
    TOO_FEW_SIMULATIONS_FLAG,
    holm,
    holm_over_windows,
    p_of,
)
from forequake.evaluations.over_windows.parts import LEFT_OUT_FLAG
from forequake.results import (
    AdjustedQuantile,
    Distribution,
    KolmogorovQuantile,
    LowerQuantile,
    Outcome,
    Quantiles,
    Side,
    TailQuantiles,
)
from forequake.windows import TimeWindow

WINDOW = TimeWindow.from_id("2020-01-01T00:00:00Z_2020-01-02T00:00:00Z")


@dataclass
class _Result:
    quantiles: Quantiles | None
    side: Side = Side.LOWER
    distribution: Distribution | None = None
    statistic: float | None = 1.0


def _simulated(q: float, size: int = 1000, statistic: float = -5.0) -> _Result:
    return _Result(LowerQuantile(q=q), Side.LOWER, summary_of(np.arange(float(size))), statistic)


def test_published_numbers() -> None:
    # R's p.adjust(c(0.01, 0.02, 0.03, 0.04, 0.05), "holm").
    assert holm([0.01, 0.02, 0.03, 0.04, 0.05]) == pytest.approx([0.05, 0.08, 0.09, 0.09, 0.09])
    # Holm's procedure on four tests at 0.05: 0.005 and 0.01 are rejected, 0.03 and 0.04 are not.
    assert holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm([]) == []
    assert holm([0.7, 0.8]) == [1.0, 1.0]


@given(
    p_values=st.lists(st.floats(0, 1) | st.sampled_from([0.0, 0.01, 0.02]), min_size=1, max_size=12),
    alpha=st.floats(0.001, 0.4),
)
def test_what_is_below_alpha_is_what_the_procedure_rejects(p_values: list[float], alpha: float) -> None:
    rejected = set()
    for step, place in enumerate(sorted(range(len(p_values)), key=lambda place: p_values[place])):
        if not (len(p_values) - step) * p_values[place] < alpha:
            break
        rejected.add(place)
    adjusted = holm(p_values)
    assert {place for place, p in enumerate(adjusted) if p < alpha} == rejected
    assert all(p <= corrected <= 1 for p, corrected in zip(p_values, adjusted, strict=True))


def test_right_tests_are_rejected_together_with_alpha_at_most() -> None:
    random = np.random.default_rng(3)
    independent = random.random((4000, 20))
    dependent = np.repeat(random.random((4000, 2)), 10, axis=1)
    for p_values in (independent, dependent):
        wrong = np.mean([min(holm(row.tolist())) < 0.05 for row in p_values])
        assert wrong < 0.06
    assert np.mean((independent < 0.05).any(axis=1)) > 0.6  # without correction


def test_p_by_side() -> None:
    tails = TailQuantiles(delta1=0.03, delta2=0.98)
    assert p_of(_Result(tails, Side.TWO_SIDED)) == 0.06
    assert p_of(_Result(TailQuantiles(delta1=0.7, delta2=0.6), Side.TWO_SIDED)) == 1.0
    assert p_of(_Result(tails, Side.UPPER)) == 0.03
    assert p_of(_Result(tails, Side.LOWER)) == 0.98
    assert p_of(_Result(LowerQuantile(q=0.2), Side.LOWER)) == 0.2
    for quantiles in (KolmogorovQuantile(p=0.1), None):
        with pytest.raises(InputError, match="Holm's correction takes tails"):
            p_of(_Result(quantiles))


def test_no_simulated_p_is_below_one_catalog() -> None:
    assert p_of(_simulated(0.0)) == 0.001
    assert p_of(_simulated(0.0, statistic=-np.inf)) == 0.0
    few = _Result(TailQuantiles(delta1=1.0, delta2=0.0), Side.TWO_SIDED, summary_of(np.arange(50.0)))
    assert p_of(few) == 0.04


def test_windows_are_judged_together() -> None:
    results = [_simulated(q) for q in (0.5, 0.01, 0.004, 0.9)]
    found = holm_over_windows(results, [WINDOW] * 4, alpha=0.05)
    assert found.outcome is Outcome.REJECTED
    assert found.statistic == 2  # 4 x 0.004 = 0.016, 3 x 0.01 = 0.03
    assert found.quantiles == AdjustedQuantile(p=0.004, p_adjusted=0.016, family=4)
    assert found.sample is not None
    assert found.sample.tolist() == [0.5, 0.01, 0.004, 0.9]
    fine = holm_over_windows([_simulated(q) for q in (0.5, 0.02, 0.03)], [WINDOW] * 3, alpha=0.05)
    assert (fine.outcome, fine.statistic, fine.flags) == (Outcome.PASSED, 0, ())
    assert fine.quantiles == AdjustedQuantile(p=0.02, p_adjusted=0.06, family=3)


def test_windows_without_a_result_are_left_out() -> None:
    results = [_simulated(0.02), _Result(None), _simulated(0.9)]
    found = holm_over_windows(results, [WINDOW] * 3, alpha=0.05)
    assert found.flags == (LEFT_OUT_FLAG,)
    assert found.quantiles == AdjustedQuantile(p=0.02, p_adjusted=0.04, family=2)
    nothing = holm_over_windows([_Result(None)] * 2, [WINDOW] * 2, alpha=0.05)
    assert (nothing.outcome, nothing.reason) == (
        Outcome.UNDEFINED,
        "the test says nothing in any of 2 windows",
    )


def test_too_few_simulations_say_nothing() -> None:
    results = [_simulated(0.0)] + [_simulated(0.4)] * 49
    found = holm_over_windows(results, [WINDOW] * 50, alpha=0.05)
    assert (found.outcome, found.flags) == (Outcome.UNDEFINED, (TOO_FEW_SIMULATIONS_FLAG,))
    assert found.reason == "p is 0.001 or more, and that of 50 windows together cannot be below 0.05"
    assert holm_over_windows(results[:49], [WINDOW] * 49, alpha=0.05).outcome is Outcome.REJECTED
    impossible = [_simulated(0.0, statistic=-np.inf), *results[1:]]
    refuted = holm_over_windows(impossible, [WINDOW] * 50, alpha=0.05)
    assert (refuted.outcome, refuted.statistic) == (Outcome.REJECTED, 1)
    exact = [_Result(TailQuantiles(delta1=1e-6, delta2=1.0), Side.TWO_SIDED)] * 60
    assert holm_over_windows(exact, [WINDOW] * 60, alpha=0.05).flags == ()


def test_another_number_of_windows_is_refused() -> None:
    with pytest.raises(InputError, match="1 results for 2 windows"):
        holm_over_windows([_simulated(0.1)], [WINDOW] * 2, alpha=0.05)


def test_no_p_is_above_one_where_one_catalog_was_simulated() -> None:
    alone = _Result(TailQuantiles(delta1=1.0, delta2=0.0), Side.TWO_SIDED, summary_of(np.zeros(1)))
    found = holm_over_windows([alone], [WINDOW], alpha=0.05)
    assert found.reason == "p is 1 or more, and that of 1 window together cannot be below 0.05"
