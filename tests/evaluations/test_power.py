"""What tests could have found: published sample sizes, non-central t, simulation, and counting by hand."""

import math
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from forequake.errors import InputError
from forequake.evaluations.comparison import exact_signed_rank, least_signed_rank_p
from forequake.evaluations.power import Power, _least_shift, power_of
from forequake.results import (
    Distribution,
    PoissonDistribution,
    SignedRankDistribution,
    StudentDistribution,
)


@dataclass
class _Result:
    test: str
    distribution: Distribution | None = None
    statistic: float | None = 0.0
    alpha: float = 0.05


def _found(test: str, distribution: Distribution | None = None, statistic: float = 0.0) -> Power:
    power = power_of(_Result(test, distribution, statistic))
    assert power is not None
    return power


@pytest.mark.parametrize(("count", "effect"), [(33.36713, 0.5), (198.1508, 0.2)])
def test_the_detectable_gain_is_that_of_tables_of_sample_sizes(count: float, effect: float) -> None:
    # R's power.t.test(delta = 0.5, power = 0.8, type = "one.sample") gives n = 33.36713: 34 events.
    assert _least_shift(count - 1, 0.05, 0.8) / math.sqrt(count) == pytest.approx(effect, abs=1e-5)


@pytest.mark.parametrize("count", [2, 3, 8, 40, 2000])
def test_the_detectable_gain_has_the_power_by_the_non_central_t(count: int) -> None:
    student = StudentDistribution(degrees_of_freedom=count - 1, scale=0.3)
    found = _found("poisson_paired_t", student).detectable
    assert found is not None
    critical = stats.t.ppf(0.975, count - 1)
    assert stats.nct.sf(critical, count - 1, found / 0.3) == pytest.approx(0.8, abs=1e-6)
    # T exceeds c where a normal number about the shift does so with c times a root of chi-square.
    squares = np.random.default_rng(1).chisquare(count - 1, 200_000) / (count - 1)
    drawn = stats.norm.cdf(found / 0.3 - critical * np.sqrt(squares)).mean()
    assert drawn == pytest.approx(0.8, abs=0.005)


def test_simulated_gains_are_found_as_often() -> None:
    random = np.random.default_rng(5)
    scatter, count = 1.7, 12
    student = StudentDistribution(degrees_of_freedom=count - 1, scale=scatter / math.sqrt(count))
    true = _found("poisson_paired_t", student).detectable
    assert true is not None
    drawn = true + scatter * random.standard_normal((20_000, count))
    t = drawn.mean(axis=1) / (drawn.std(axis=1, ddof=1) / math.sqrt(count))
    assert np.mean(np.abs(t) > stats.t.ppf(0.975, count - 1)) == pytest.approx(0.8, abs=0.01)


@pytest.mark.parametrize("gain", [2.0, 0.5, -0.21, 0.01])
def test_the_events_needed_are_the_first_that_make_the_gain_significant(gain: float) -> None:
    scatter, count = 0.9, 10
    student = StudentDistribution(degrees_of_freedom=count - 1, scale=scatter / math.sqrt(count))
    needed = _found("poisson_paired_t", student, gain).needed
    assert needed is not None
    for count, significant in ((needed, True), (needed - 1, False)):
        t = abs(gain) / (scatter / math.sqrt(count))
        assert count < 2 or bool(t > stats.t.ppf(0.975, count - 1)) == significant


def test_no_gain_needs_no_number_and_undefined_tests_say_what_they_need() -> None:
    student = StudentDistribution(degrees_of_freedom=9, scale=0.1)
    assert _found("poisson_paired_t", student, 0.0).needed is None
    assert _found("poisson_paired_t") == Power(detectable_unit="nats per target event", needed=2)
    assert _found("binary_paired_t").needed_unit == "active bins"
    assert power_of(_Result("sequential_likelihood")) is None


@pytest.mark.parametrize("expected", [0.3, 2.0, 10.0, 57.3, 4000.0])
def test_the_detectable_number_by_counting(expected: float) -> None:
    found = _found("poisson_number", PoissonDistribution(mean=expected)).detectable
    assert found is not None

    def rejected(true: float) -> float:
        counts = np.arange(int(12 * expected + 40))
        delta1, delta2 = stats.poisson.sf(counts - 1, expected), stats.poisson.cdf(counts, expected)
        return float(stats.poisson.pmf(counts, true)[np.minimum(delta1, delta2) < 0.025].sum())

    powers = [rejected(expected * (1 + sign * found)) for sign in (1, -1) if sign * found > -1]
    assert max(powers) == pytest.approx(0.8, abs=1e-6)
    assert all(rejected(max(0.0, expected * (1 + sign * found * 0.98))) < 0.8 for sign in (1, -1))


def test_ten_expected_events_by_hand() -> None:
    # P(X <= 3) = 0.010 and P(X >= 18) = 0.014 reject; a true 2.297 gives 3 or fewer with 0.8.
    assert stats.poisson.cdf(3, 2.297) == pytest.approx(0.8, abs=2e-4)
    found = _found("poisson_number", PoissonDistribution(mean=10.0))
    assert found.detectable == pytest.approx(1 - 0.2297, abs=1e-4)
    assert found.detectable_unit == "relative difference of the true from the expected number of events"


def test_signed_ranks_need_six_differences() -> None:
    ranks = SignedRankDistribution(size=3, exact=True)
    assert _found("poisson_w", ranks).needed == 6
    strict = power_of(_Result("cumulative_w", ranks, alpha=0.01))
    assert strict is not None
    assert strict.needed == 8
    for size in range(1, 10):
        assert least_signed_rank_p(size) == exact_signed_rank(np.arange(1.0, size + 1)) == 2 ** (1 - size)
    assert least_signed_rank_p(30) == pytest.approx(
        stats.wilcoxon(np.arange(1.0, 31), method="approx").pvalue, rel=1e-10
    )


def test_simulated_tests_need_one_event() -> None:
    needs = {
        "poisson_likelihood": 0,
        "cumulative_likelihood": 0,
        "catalog_number": 0,
        "poisson_conditional_likelihood": 1,
        "cumulative_conditional_likelihood": 1,
        "poisson_spatial": 1,
        "brier": 1,
        "catalog_magnitude": 1,
    }
    assert {test: _found(test).needed for test in needs} == needs
    assert _found("calibration") == Power(needed=5, needed_unit="windows with a result")
    assert _found("diebold_mariano") == Power(
        detectable_unit="nats per window", needed=10, needed_unit="windows"
    )


def test_where_no_effect_at_all_is_found_as_often_no_power_is_given() -> None:
    lenient = _Result("poisson_number", PoissonDistribution(mean=4.0), 4.0, 0.9)
    assert power_of(lenient) is None
    assert power_of(_Result("poisson_number"), at=0.01) is None
    assert power_of(_Result("a_test_of_another_version")) is None
    with pytest.raises(InputError, match="between 0 and 1"):
        power_of(_Result("poisson_number"), at=1.0)
