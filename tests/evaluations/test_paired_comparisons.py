"""The T- and W-test by hand: rounding, ties, exact p."""

import itertools
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from forequake.evaluations import Evaluated, Observation
from forequake.evaluations.comparison import exact_signed_rank, spread_is_rounding
from forequake.results import Outcome, SignedRankDistribution, StudentDistribution


@given(
    ratio=st.floats(1e-6, 1e6),
    exponents=st.lists(st.floats(-12, 3), min_size=2, max_size=40),
)
def test_equal_ratios_are_rounding(ratio: float, exponents: list[float]) -> None:
    rates = 10.0 ** np.array(exponents)
    assert spread_is_rounding(rates * ratio, rates)
    assert spread_is_rounding(rates, rates * ratio)


@given(
    ratio=st.floats(-10, 10).filter(lambda value: abs(value) > 1e-3),
    spread=st.floats(0, 1e-8),
    count=st.integers(2, 40),
)
def test_a_spread_that_the_variance_cannot_hold_is_rounding(ratio: float, spread: float, count: int) -> None:
    # 1e-8 of the log-ratios' size is their variance's 1e-16 of their mean square: one epsilon.
    ratios = ratio * (1 + spread * np.linspace(-1, 1, count))
    assert spread_is_rounding(np.exp(ratios), np.ones(count))


@given(
    exponents=st.lists(st.floats(-12, 3), min_size=2, max_size=40),
    nudges=st.lists(st.integers(-2, 2), min_size=40, max_size=40),
)
def test_rates_that_differ_in_their_last_digit_are_rounding(
    exponents: list[float], nudges: list[int]
) -> None:
    rates = 10.0 ** np.array(exponents)
    assert spread_is_rounding(rates + np.array(nudges[: len(rates)]) * np.spacing(rates), rates)


@given(
    ratio=st.floats(-10, 10).filter(lambda value: abs(value) > 1e-3),
    spread=st.floats(1e-5, 1.0),
    count=st.integers(2, 40),
)
def test_a_real_spread_counts_and_its_t_is_right(ratio: float, spread: float, count: int) -> None:
    ratios = ratio * (1 + spread * np.linspace(-1, 1, count))
    assert not spread_is_rounding(np.exp(ratios), np.ones(count))
    # pyCSEP's variance as it is computed, against the one of the deviations: still right to a percent.
    one_pass = np.sum(ratios**2) / (count - 1) - np.sum(ratios) ** 2 / (count * (count - 1))
    assert one_pass == pytest.approx(np.var(ratios, ddof=1), rel=0.01)


def test_three_equal_log_ratios_have_no_t(
    observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    random = np.random.default_rng(7)
    reference = random.uniform(1e-6, 1e-3, size=(12, 3))
    points = [(10.2, 40.1, 4.1), (11.7, 41.3, 4.6), (13.9, 42.9, 5.5)]
    for ratio in (1.6755, 35.402430726026594 / 21.128924168796416, 0.3, 1 + 1e-12):
        result = run("T", reference * ratio, observe(points), reference=reference)
        assert result.outcome is Outcome.UNDEFINED
        assert result.reason is not None
        assert "all equal" in result.reason
        expected = np.log(ratio) - (ratio - 1) * reference.sum() / 3
        assert result.information_gain == pytest.approx(expected, rel=1e-9, abs=1e-13)


def test_t_by_hand_on_two_events(observe: Callable[..., Observation], run: Callable[..., Evaluated]) -> None:
    rates, reference = np.full((2, 1), 0.2), np.full((2, 1), 0.1)
    rates[1] = 0.4
    observation = observe([(10.5, 40.5, 4.2), (11.5, 40.5, 4.2)], columns=2, rows=1, magnitudes=(4.0,))
    result = run("T", rates, observation, reference=reference, alpha=0.1)
    # Log-ratios ln 2 and ln 4; totals 0.6 and 0.2; deviation ln 2 / sqrt 2.
    gain = 1.5 * np.log(2) - 0.2
    error = np.log(2) / 2
    assert result.information_gain == pytest.approx(gain, rel=1e-12)
    assert result.quantiles is not None
    quantiles = result.quantiles.named()
    assert quantiles["t"] == pytest.approx(gain / error, rel=1e-12)
    assert quantiles["t_critical"] == pytest.approx(6.313751514675, rel=1e-10)  # t of 1 degree at 0.95
    # Student's t of one degree of freedom is Cauchy's distribution.
    assert quantiles["p"] == pytest.approx(1 - 2 / np.pi * np.arctan(gain / error), rel=1e-10)
    assert isinstance(result.distribution, StudentDistribution)
    assert result.distribution.degrees_of_freedom == 1
    assert result.distribution.scale == pytest.approx(error, rel=1e-12)
    assert result.outcome is Outcome.NO_DIFFERENCE
    assert result.n_reference == pytest.approx(0.2)


def _brute_force(differences: list[float]) -> float:
    """Two-sided p by flipping every subset of signs."""
    ranks = stats.rankdata(np.abs(differences))
    seen = abs(sum(rank if d > 0 else -rank for rank, d in zip(ranks, differences, strict=True)))
    patterns = list(itertools.product((-1, 1), repeat=len(ranks)))
    extreme = sum(abs(sum(s * r for s, r in zip(signs, ranks, strict=True))) >= seen for signs in patterns)
    return float(extreme / len(patterns))


@settings(max_examples=60)
@given(st.lists(st.integers(-6, 6).filter(bool), min_size=1, max_size=9))
def test_exact_p_with_ties_is_brute_force(differences: list[int]) -> None:
    values = np.array(differences, dtype=np.float64)
    assert exact_signed_rank(values) == pytest.approx(_brute_force(values.tolist()), rel=1e-12)


@given(st.lists(st.floats(-5, 5).filter(lambda x: abs(x) > 1e-3), min_size=1, max_size=9, unique_by=abs))
def test_exact_p_without_ties_is_scipys(differences: list[float]) -> None:
    values = np.array(differences)
    assert exact_signed_rank(values) == pytest.approx(
        stats.wilcoxon(values, method="exact").pvalue, rel=1e-12
    )


@pytest.mark.parametrize(("count", "exact"), [(9, True), (10, False)])
def test_p_is_exact_below_ten_differences(
    count: int, exact: bool, observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    random = np.random.default_rng(count)
    rates, reference = random.gamma(1.0, size=(2, 12, 3))
    cells = random.integers(12, size=count)
    observation = observe([(10.5 + cell // 3, 40.5 + cell % 3, 4.2) for cell in cells])
    result = run("W", rates, observation, reference=reference)
    differences = np.log(rates[cells, 0] / reference[cells, 0]) - (rates.sum() - reference.sum()) / count
    assert result.quantiles is not None
    if exact:
        expected = _brute_force(np.round(differences, 9).tolist())
    else:
        rounded = np.round(differences, 9)
        expected = stats.wilcoxon(rounded, correction=False, method="asymptotic").pvalue
    assert result.quantiles.named()["p"] == pytest.approx(expected, rel=1e-9)
    assert result.distribution == SignedRankDistribution(size=count, exact=exact)


def test_the_direction_of_w_is_that_of_the_gain(
    observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    random = np.random.default_rng(2)
    reference = random.gamma(1.0, size=(12, 3)) * 1e-3
    rates = reference * random.uniform(2, 3, size=(12, 3))
    observation = observe([(10.5 + n % 4, 40.5 + n % 3, 4.2) for n in range(12)])
    better = run("W", rates, observation, reference=reference)
    worse = run("W", reference, observation, reference=rates)
    assert (better.outcome, worse.outcome) == (Outcome.BETTER, Outcome.WORSE)
    assert better.statistic is not None
    assert better.statistic < 0
    assert better.statistic == worse.statistic
    assert better.information_gain == pytest.approx(-(worse.information_gain or 0), rel=1e-12)
