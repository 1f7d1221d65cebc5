"""Mean reliability and the parts of the Poisson score: hand cases, and what the decomposition promises."""

import math
from itertools import pairwise

import numpy as np
import pytest

from forequake.evaluations.over_windows.mean_reliability import (
    mean_reliability,
    poisson_scores,
    reliability_band,
)


def test_neighbours_in_the_wrong_order_are_pooled() -> None:
    found = mean_reliability(np.array([4.0, 1.0, 2.0, 3.0]), np.array([5.0, 1.0, 6.0, 2.0]))
    assert found.expected.tolist() == [1, 2, 3, 4]
    assert found.recalibrated.tolist() == [1, 4, 4, 5]


def test_windows_with_equal_expected_numbers_have_one_mean() -> None:
    found = mean_reliability(np.array([2.0, 1.0, 2.0, 2.0]), np.array([9.0, 1.0, 0.0, 3.0]))
    assert found.recalibrated.tolist() == [1, 4, 4, 4]


def test_parts_by_hand() -> None:
    found = mean_reliability(np.array([1.0, 4.0]), np.array([0.0, 2.0]))
    assert found.score == pytest.approx((1 + 4 - 2 * math.log(4)) / 2)
    best = (0 + 2 - 2 * math.log(2)) / 2  # recalibrated to 0 and 2
    assert found.miscalibration == pytest.approx(found.score - best)
    assert found.uncertainty == pytest.approx(1)  # a mean of 1: 1 - y ln 1
    assert found.discrimination == pytest.approx(1 - best)


@pytest.mark.parametrize("seed", range(5))
def test_the_parts_add_up_and_no_monotone_curve_scores_better(seed: int) -> None:
    random = np.random.default_rng(seed)
    expected = random.gamma(2.0, 2.0, 60).round(1)
    counts = random.poisson(expected * random.uniform(0.5, 2)).astype(float)
    found = mean_reliability(expected, counts)
    assert found.score == pytest.approx(
        found.miscalibration - found.discrimination + found.uncertainty, abs=1e-12
    )
    assert min(found.miscalibration, found.discrimination) >= 0
    assert all(former <= latter for former, latter in pairwise(found.recalibrated))
    observed = counts[np.argsort(expected, kind="stable")]
    best = poisson_scores(found.recalibrated, observed).mean()
    for _ in range(20):  # other monotone curves
        factor, power = random.uniform(0.3, 3), random.uniform(0, 2)
        assert poisson_scores(factor * found.expected**power, observed).mean() >= best - 1e-12


def test_a_constant_forecast_tells_no_windows_apart() -> None:
    found = mean_reliability(np.full(5, 2.0), np.array([1.0, 0, 4, 2, 3]))
    assert found.discrimination == 0
    assert found.miscalibration == pytest.approx(0)


def test_events_where_none_is_expected_score_infinity() -> None:
    found = mean_reliability(np.array([0.0, 2.0]), np.array([1.0, 2.0]))
    assert math.isinf(found.score)
    assert math.isinf(found.miscalibration)
    assert math.isfinite(found.discrimination)


def test_windows_without_any_event() -> None:
    found = mean_reliability(np.array([0.5, 1.0]), np.zeros(2))
    assert (found.uncertainty, found.discrimination, found.miscalibration) == (0, 0, 0.75)
    with pytest.raises(ValueError, match="0 numbers of events for 0"):
        mean_reliability(np.zeros(0), np.zeros(0))


def test_the_band_holds_the_curves_of_right_forecasts() -> None:
    expected = np.sort(np.random.default_rng(4).gamma(2.0, 2.0, 80))
    least, greatest = reliability_band(expected)
    counts = np.random.default_rng(5).poisson(expected).astype(float)
    inside = mean_reliability(expected, counts).recalibrated
    assert np.mean((least <= inside) & (inside <= greatest)) > 0.85
    again = reliability_band(expected)
    assert again[0].tolist() == least.tolist()
