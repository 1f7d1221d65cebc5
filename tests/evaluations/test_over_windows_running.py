"""Sums and rejections window by window, by hand and against the totals that they end in."""

from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy import stats

from forequake.evaluations.over_windows.running import running_rejections, running_sum, window_gains
from forequake.evaluations.scores import total_score
from forequake.windows import TimeWindow


def test_sums_end_in_the_total_score() -> None:
    start = datetime(2020, 1, 1, tzinfo=UTC)
    windows = [
        TimeWindow(start=start + timedelta(days=day), end=start + timedelta(days=day + 1)) for day in range(9)
    ]
    scores = np.random.default_rng(1).normal(size=9)
    total = total_score("sequential_information_gain", dict(zip(windows, scores.tolist(), strict=True)))
    assert running_sum(scores).last == pytest.approx(total)


def test_infinite_and_missing_scores_stand_apart() -> None:
    found = running_sum(np.array([1.0, -np.inf, np.inf, np.nan, 0.5]))
    assert found.total.tolist() == [1, 1, 1, 1, 1.5]
    assert found.minus_infinite.tolist() == [False, True, False, False, False]
    assert found.plus_infinite.tolist() == [False, False, True, False, False]
    assert found.lacking.tolist() == [False, False, False, True, False]
    assert running_sum(np.zeros(0)).last == 0


def test_gains_of_windows_without_events_are_the_difference_of_expected_numbers() -> None:
    found = window_gains(
        np.array([0.5, np.nan, np.nan]),
        np.array([4, 0, 1]),
        np.array([2.0, 2.0, 2.0]),
        np.array([3.0, 3.0, 3.0]),
    )
    assert found[:2].tolist() == [2.0, 1.0]
    assert np.isnan(found[2])


def test_rejections_are_counted_among_verdicts_with_chances_limit() -> None:
    decided = np.array([False, True, True, False, True])
    rejected = np.array([False, True, False, True, True])
    found = running_rejections(decided, rejected, alpha=0.05)
    assert found.decided.tolist() == [0, 1, 2, 2, 3]
    assert found.rejected.tolist() == [0, 1, 1, 1, 2]
    assert np.isnan(found.share[0])
    assert found.share[1:].tolist() == pytest.approx([1, 0.5, 0.5, 2 / 3])
    for size, limit in zip([1, 2, 2, 3], found.limit[1:].tolist(), strict=True):
        assert stats.binom.cdf(limit, size, 0.05) >= 0.95
        assert limit == 0 or stats.binom.cdf(limit - 1, size, 0.05) < 0.95
