"""The Diebold-Mariano test: R's published numbers, its formula term by term, Student's test, silence."""

import math
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from scipy import stats

from forequake.errors import InputError
from forequake.evaluations import ZERO_RATE_FLAG
from forequake.evaluations.evaluated import Numbers
from forequake.evaluations.over_windows.diebold_mariano import diebold_mariano, mean_error, reach_of
from forequake.evaluations.over_windows.parts import LEFT_OUT_FLAG
from forequake.results import Outcome, StudentDistribution, StudentQuantiles
from forequake.windows import TimeWindow

START = datetime(2020, 1, 1, tzinfo=UTC)
# Errors of two forecasts of the series WWWusage: the example of R's forecast::dm.test, by the test suite of
# HypothesisTests.jl, which has R's p.
ETS = [0.002241270, -0.000661906, -1.200002613, -4.000218178, 3.799373533, 3.401005111, -1.199692125]
ETS += [-0.800490048, -1.200048999, 3.399847229, 7.000708948, 2.200989241, -4.800165569, -1.201043375]
ETS += [3.400167556, 3.000709085, 0.400267950, -6.800169207, -2.401259050, 1.200112198]
ARIMA = [0.1209998, 8.0622269, -0.9189429, -1.7952436, 5.3431277, 2.0459823, -0.6073261, 0.5516816]
ARIMA += [-0.7633238, 4.1229472, 5.8785333, 1.2828331, -3.4854233, 1.1971370, 3.1709314, 2.3408457]
ARIMA += [0.4962286, -5.9841362, 0.1537114, 0.4207951]


@dataclass
class _Score:
    statistic: float | None
    flags: tuple[str, ...] = ()
    n_forecast: float = 1.0


def _windows(number: int, days: float = 1.0) -> list[TimeWindow]:
    begins = [START + timedelta(days=day) for day in range(number)]
    return [TimeWindow(start=begin, end=begin + timedelta(days=days)) for begin in begins]


def _compare(gains: list[float], days: float = 1.0, alpha: float = 0.05) -> Numbers:
    return diebold_mariano([_Score(gain) for gain in gains], _windows(len(gains), days), alpha=alpha)


def _drawn(number: int, seed: int = 1, mean: float = 0.2) -> list[float]:
    return [float(gain) for gain in np.random.default_rng(seed).normal(mean, 0.5, number)]


@pytest.mark.parametrize(("loss", "days", "p"), [(2, 1, 0.8871), (2, 10, 0.9362), (1, 1, 0.7818)])
def test_published_numbers(loss: int, days: int, p: float) -> None:
    # R's horizon of ten steps is that of windows of ten days that begin every day.
    differences = np.abs(np.array(ETS)) ** loss - np.abs(np.array(ARIMA)) ** loss
    t = differences.mean() / mean_error(differences, _windows(20, days))
    assert 2 * stats.t.sf(abs(t), 19) == pytest.approx(p, abs=1e-4)


@pytest.mark.parametrize("seed", range(5))
def test_without_shared_time_it_is_students_test(seed: int) -> None:
    gains = _drawn(10 + 7 * seed, seed)
    found, theirs = _compare(gains), stats.ttest_1samp(gains, 0.0)
    assert isinstance(found.quantiles, StudentQuantiles)
    assert found.quantiles.t == pytest.approx(theirs.statistic, rel=1e-12)
    assert found.quantiles.p == pytest.approx(theirs.pvalue, rel=1e-10)
    assert found.statistic == found.information_gain == pytest.approx(np.mean(gains), rel=1e-14)
    interval = theirs.confidence_interval(0.95)
    assert found.interval == pytest.approx((interval.low, interval.high), rel=1e-10)
    assert isinstance(found.distribution, StudentDistribution)
    assert found.distribution.degrees_of_freedom == len(gains) - 1
    assert found.sample is not None
    assert found.sample.tolist() == gains


@pytest.mark.parametrize("lag", [1, 2, 6])
def test_shared_time_adds_autocovariances(lag: int) -> None:
    gains = np.convolve(_drawn(150), np.ones(lag + 1), "valid")
    count, horizon = len(gains), lag + 1
    deviations = gains - gains.mean()
    covariances = [sum(deviations[k:] * deviations[: count - k]) / count for k in range(lag + 1)]
    variance = (covariances[0] + 2 * sum(covariances[1:])) / count
    dm = gains.mean() / math.sqrt(variance)
    hln = dm * math.sqrt((count + 1 - 2 * horizon + horizon * (horizon - 1) / count) / count)
    found = _compare(gains.tolist(), days=lag + 1)
    assert isinstance(found.quantiles, StudentQuantiles)
    assert found.quantiles.t == pytest.approx(hln, rel=1e-12)
    assert found.quantiles.p == pytest.approx(2 * stats.t.sf(abs(hln), count - 1), rel=1e-10)


def test_ten_windows_by_hand() -> None:
    gains = [1.0, 2.0, 3.0, 4.0, 5.0, -1.0, 0.0, 1.0, 2.0, 3.0]
    found = _compare(gains)  # mean 2, sum of squared deviations 30
    error = math.sqrt(30 / (10 * 9))
    assert isinstance(found.quantiles, StudentQuantiles)
    assert found.quantiles.t == pytest.approx(2 / error, rel=1e-14)
    assert found.outcome is Outcome.BETTER  # t = 3.46 above 2.262
    assert _compare([-gain for gain in gains]).outcome is Outcome.WORSE
    assert _compare(gains, alpha=0.001).outcome is Outcome.NO_DIFFERENCE


def test_equal_models_differ_as_often_as_alpha_says() -> None:
    random = np.random.default_rng(8)
    windows = _windows(60, 7)
    different = 0
    for _ in range(300):
        daily = random.standard_normal(66)
        weekly = np.convolve(daily, np.ones(7), "valid")
        t = weekly.mean() / mean_error(weekly, windows)
        different += abs(t) > stats.t.ppf(0.975, 59)
    assert different / 300 < 0.2  # 0.12; without the covariances it is 0.5


def test_gaps_break_only_what_they_part() -> None:
    gains, windows = np.array(_drawn(40)), _windows(40, 2)
    kept = [place for place in range(40) if place != 17]
    deviations = gains[kept] - gains[kept].mean()
    total = deviations @ deviations
    for one in range(38):
        if kept[one + 1] == kept[one] + 1:
            total += 2 * deviations[one] * deviations[one + 1]
    factor = (39 + 1 - 4 + 2 / 39) / 39
    scores = [_Score(gain) for gain in gains]
    by_hand = math.sqrt(total / 39**2 / factor)
    fewer = diebold_mariano([scores[place] for place in kept], [windows[place] for place in kept], alpha=0.05)
    assert isinstance(fewer.distribution, StudentDistribution)
    assert fewer.distribution.scale == pytest.approx(by_hand, rel=1e-12)
    scores[17] = _Score(None)
    undefined = diebold_mariano(scores, windows, alpha=0.05)
    assert (undefined.quantiles, undefined.flags) == (fewer.quantiles, (LEFT_OUT_FLAG,))


def test_when_it_says_nothing() -> None:
    few = _compare(_drawn(9))
    assert (few.outcome, few.reason) == (Outcome.UNDEFINED, "9 windows have a score, and 10 are needed")
    assert few.information_gain is not None
    shared = _compare(_drawn(69), days=7)
    assert shared.reason == "69 windows have a score, of which 7 in a row share time, and 70 are needed"
    scores = [_Score(gain) for gain in _drawn(20)]
    scores[3] = _Score(-math.inf, (ZERO_RATE_FLAG,))
    infinite = diebold_mariano(scores, _windows(20), alpha=0.05)
    assert infinite.reason == "the score of 1 window is infinite: a rate at a target event is zero"
    assert (infinite.flags, infinite.information_gain) == ((ZERO_RATE_FLAG,), None)
    flat = _compare((0.3 + np.array([0, 1, -1, 2, 0] * 4) * 5e-17).tolist())
    assert flat.reason == "the scores of all windows are equal, but for rounding"
    swinging = _compare([1.0 + (-1) ** n for n in range(40)], days=2)
    assert swinging.reason == (
        "the covariances of windows that share time leave no positive variance of the mean"
    )
    nothing = diebold_mariano([], [], alpha=0.05)
    assert nothing.reason == "0 windows have a score, and 10 are needed"


def test_windows_that_grow_from_one_start_share_all_time() -> None:
    windows = [TimeWindow(start=START, end=START + timedelta(days=day + 1)) for day in range(40)]
    assert reach_of(windows) == 39
    found = diebold_mariano([_Score(gain) for gain in _drawn(40)], windows, alpha=0.05)
    assert found.reason == "40 windows have a score, of which 40 in a row share time, and 400 are needed"
    assert reach_of(_windows(5)) == reach_of([]) == 0


def test_the_order_of_windows_is_that_of_time() -> None:
    scores, windows = [_Score(gain) for gain in _drawn(80)], _windows(80, 3)
    mixed = np.random.default_rng(2).permutation(80)
    found = diebold_mariano([scores[n] for n in mixed], [windows[n] for n in mixed], alpha=0.05)
    assert found.quantiles == diebold_mariano(scores, windows, alpha=0.05).quantiles
    with pytest.raises(InputError, match="3 results for 2 windows"):
        diebold_mariano([_Score(1.0)] * 3, _windows(2), alpha=0.05)
