"""Calibration over windows: pyCSEP's numbers, the verdicts, and where it says nothing."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest

from forequake.errors import InputError
from forequake.evaluations.evaluated import Numbers
from forequake.evaluations.over_windows.calibration import calibration
from forequake.evaluations.over_windows.parts import LEFT_OUT_FLAG
from forequake.results import KolmogorovQuantile, LowerQuantile, Outcome, Quantiles, TailQuantiles
from forequake.windows import TimeWindow

START = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class _Result:
    quantiles: Quantiles | None


def _windows(number: int, *, days: float = 1.0) -> list[TimeWindow]:
    begins = [START + timedelta(days=day) for day in range(number)]
    return [TimeWindow(start=begin, end=begin + timedelta(days=days)) for begin in begins]


def _calibrate(delta2: list[float | None], *, alpha: float = 0.05) -> Numbers:
    results = [_Result(None if d is None else TailQuantiles(delta1=1, delta2=d)) for d in delta2]
    return calibration(results, _windows(len(results)), alpha=alpha)


@pytest.mark.parametrize("seed", range(5))
def test_numbers_are_pycseps(seed: int) -> None:
    from csep.core.catalog_evaluations import calibration_test
    from csep.models import CatalogNumberTestResult

    random = np.random.default_rng(seed)
    values = (random.random(int(random.integers(5, 60))) ** (1 + seed % 3)).round(3).tolist()
    results = [
        CatalogNumberTestResult(name="N", quantile=(1.0, value), status="normal", min_mw=4.95)
        for value in values
    ]
    theirs, ours = calibration_test(results), _calibrate(values)
    assert ours.statistic == pytest.approx(theirs.observed_statistic, rel=1e-12)
    assert isinstance(ours.quantiles, KolmogorovQuantile)
    assert ours.quantiles.p == pytest.approx(theirs.quantile, rel=1e-10)
    assert ours.sample is not None
    assert ours.sample.tolist() == list(theirs.test_distribution) == values


def test_the_distance_is_the_greatest_difference_from_uniform() -> None:
    values = [0.1, 0.2, 0.25, 0.9, 0.95]
    steps = [(n / 5, (n + 1) / 5, value) for n, value in enumerate(values)]
    by_hand = max(max(high - value, value - low) for low, high, value in steps)
    assert _calibrate(list(values)).statistic == pytest.approx(by_hand, rel=1e-14)


def test_verdicts() -> None:
    even = _calibrate([(n + 0.5) / 20 for n in range(20)])
    low = _calibrate([(n + 0.5) / 200 for n in range(20)])
    assert (even.outcome, low.outcome) == (Outcome.PASSED, Outcome.REJECTED)
    assert even.statistic == pytest.approx(0.025)
    assert isinstance(low.quantiles, KolmogorovQuantile)
    p = low.quantiles.p
    assert _calibrate([(n + 0.5) / 200 for n in range(20)], alpha=p / 2).outcome is Outcome.PASSED


def test_windows_without_a_result_are_left_out_and_flagged() -> None:
    some = _calibrate([0.1, None, 0.3, 0.5, None, 0.7, 0.9])
    assert some.flags == (LEFT_OUT_FLAG,)
    assert some.statistic == _calibrate([0.1, 0.3, 0.5, 0.7, 0.9]).statistic
    few = _calibrate([0.1, None, 0.3, 0.5, None, 0.7])
    assert few.outcome is Outcome.UNDEFINED
    assert few.reason == "4 of 6 windows have a result, and 5 are needed"
    assert few.quantiles is None
    assert calibration([], [], alpha=0.05).outcome is Outcome.UNDEFINED


def test_overlapping_windows_say_nothing() -> None:
    results = [_Result(TailQuantiles(delta1=1, delta2=n / 10)) for n in range(10)]
    assert calibration(results, _windows(10), alpha=0.05).outcome is Outcome.PASSED
    found = calibration(results, _windows(10, days=1.5), alpha=0.05)
    assert found.outcome is Outcome.UNDEFINED
    assert found.reason == "the windows overlap, so that their results are not independent"


def test_other_quantiles_and_other_numbers_of_windows_are_refused() -> None:
    with pytest.raises(InputError, match="not quantiles of kind lower"):
        calibration([_Result(LowerQuantile(q=0.5))] * 6, _windows(6), alpha=0.05)
    with pytest.raises(InputError, match="6 results for 5 windows"):
        calibration([_Result(None)] * 6, _windows(5), alpha=0.05)
