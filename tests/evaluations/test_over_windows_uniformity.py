"""Quantiles of many windows: uniform where forecasts are right, with pyCSEP's Kolmogorov-Smirnov numbers."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy import stats

from forequake.evaluations.over_windows.calibration import calibration
from forequake.evaluations.over_windows.uniformity import (
    bin_counts,
    bin_limits,
    departures,
    kolmogorov_half_width,
    pit_draws,
    randomised_pit,
    uniformity,
)
from forequake.results import KolmogorovQuantile, Quantiles, TailQuantiles
from forequake.windows import TimeWindow


@dataclass(frozen=True)
class _Result:
    quantiles: Quantiles | None


@pytest.mark.parametrize("size", [5, 40])
def test_distance_and_p_are_pycseps(size: int) -> None:
    from csep.core.catalog_evaluations import calibration_test
    from csep.models import CatalogNumberTestResult

    values = np.random.default_rng(size).random(size) ** 1.5
    theirs = calibration_test(
        [CatalogNumberTestResult(quantile=(1.0, value), status="normal", min_mw=5) for value in values]
    )
    ours = uniformity(values)
    assert ours.p == pytest.approx(theirs.quantile, rel=1e-10)
    assert ours.distance == pytest.approx(theirs.observed_statistic, rel=1e-12)
    _, difference = departures(values)
    assert float(np.abs(difference).max()) == pytest.approx(ours.distance, rel=1e-12)


def test_p_is_that_of_the_calibration_test() -> None:
    values = np.random.default_rng(8).random(12)
    start = datetime(2020, 1, 1, tzinfo=UTC)
    windows = [
        TimeWindow(start=start + timedelta(days=day), end=start + timedelta(days=day + 1))
        for day in range(12)
    ]
    results = [_Result(TailQuantiles(delta1=1, delta2=value)) for value in values.tolist()]
    stored = calibration(results, windows, alpha=0.05)
    assert isinstance(stored.quantiles, KolmogorovQuantile)
    assert uniformity(values).p == stored.quantiles.p
    assert uniformity(values).distance == stored.statistic


def test_few_or_dependent_values_have_no_p() -> None:
    assert uniformity(np.array([0.1, 0.2, 0.3, 0.9])).p is None
    assert uniformity(np.zeros(0)).size == 0
    dependent = uniformity(np.linspace(0, 1, 20), independent=False)
    assert (dependent.p, dependent.size) == (None, 20)


def test_the_p_at_the_edge_of_the_band_is_alpha() -> None:
    assert float(stats.kstwo.sf(kolmogorov_half_width(17, 0.05), 17)) == pytest.approx(0.05)


def test_numbers_of_true_forecasts_are_uniform_only_where_randomised() -> None:
    counts = np.random.default_rng(3).poisson(1.2, 2000)
    delta1, delta2 = stats.poisson.sf(counts - 1, 1.2), stats.poisson.cdf(counts, 1.2)
    pit = randomised_pit(delta1, delta2, pit_draws(2000))
    assert (uniformity(pit).p or 0) > 0.01
    assert (uniformity(delta2).p or 0) < 1e-6
    assert np.all(pit <= delta2 + 1e-12)
    assert np.all(pit >= 1 - delta1 - 1e-12)


def test_draws_of_the_first_windows_stay() -> None:
    assert pit_draws(9)[:4].tolist() == pit_draws(4).tolist()


def test_a_bin_beyond_its_limits_is_as_rare_as_alpha() -> None:
    least, greatest = bin_limits(200, 10, 0.05)
    assert stats.binom.cdf(least - 1, 200, 0.1) < 0.025 <= stats.binom.cdf(least, 200, 0.1)
    assert stats.binom.sf(greatest, 200, 0.1) <= 0.025 < stats.binom.sf(greatest - 1, 200, 0.1)
    assert bin_counts(np.array([0.0, 0.05, 0.1, 1.0]), 10).tolist() == [2, 1, 0, 0, 0, 0, 0, 0, 0, 1]
