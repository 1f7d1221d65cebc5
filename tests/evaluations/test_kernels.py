"""The kernels against slow, obviously right ones, and the rule for ties."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from forequake.evaluations import kernels
from forequake.evaluations.kernels import BinRates, PreparedForecast, share_not_above

Rates = NDArray[np.float64]
#: Rates with zeros, equal ones, and a wide span.
RATES = st.lists(
    st.sampled_from([0.0, 0.25, 0.25, 1.0, 3.0, 1e-9]) | st.floats(1e-6, 5), min_size=2, max_size=40
)


def _bin_of(rates: Rates, number: float) -> int:
    """The first bin whose cumulative share lies above a number, bin by bin."""
    sums, total = np.cumsum(rates), np.sum(rates)
    return next(place for place in range(len(rates)) if sums[place] / total > number)


def _log_likelihood(rates: Rates, counts: NDArray[np.intp], scale: float, expected: float) -> float:
    terms = [
        int(count) * (math.log(rate * scale) if rate else -math.inf) - math.lgamma(count + 1)
        for rate, count in zip(rates, counts, strict=True)
        if count
    ]
    return math.fsum(terms) - expected


@settings(max_examples=80, deadline=None)
@given(values=RATES.filter(any), events=st.none() | st.integers(0, 30), seed=st.integers(0, 2**32 - 1))
def test_poisson_likelihoods_are_those_of_catalogs_drawn_one_by_one(
    values: list[float], events: int | None, seed: int
) -> None:
    rates = np.array(values)
    total = float(np.sum(rates))
    scale, expected = (1.0, total) if events is None else (2.0, float(events))
    found = kernels.simulated_log_likelihoods(
        BinRates(rates), events=events, simulations=4, seed=seed, scale=scale, expected=expected
    )
    generator = np.random.RandomState(seed)
    for likelihood in found:
        size = generator.poisson(total) if events is None else events
        counts = np.zeros(len(rates), dtype=np.intp)
        for number in generator.random_sample(size):
            counts[_bin_of(rates, number)] += 1
        assert not counts[rates == 0].any()
        assert likelihood == pytest.approx(
            _log_likelihood(rates, counts, scale, expected), rel=1e-11, abs=1e-11
        )


@settings(max_examples=80, deadline=None)
@given(values=RATES, share=st.floats(0.01, 0.6), seed=st.integers(0, 2**32 - 1))
def test_active_bins_are_those_drawn_one_by_one(values: list[float], share: float, seed: int) -> None:
    rates = np.array(values)
    likely = int(np.count_nonzero(rates > 0.01 * rates.max())) if rates.any() else 0
    active = max(1, round(share * likely))
    if active > likely:
        with pytest.raises(kernels.TooManyDraws):
            kernels.draw_active(BinRates(rates), active=len(rates) + 1, simulations=1, seed=seed)
        return
    found = kernels.draw_active(BinRates(rates), active=active, simulations=5, seed=seed)
    generator = np.random.RandomState(seed)
    likelihoods = kernels.bernoulli_log_likelihoods(BinRates(rates), found)
    scores = kernels.brier_scores(BinRates(rates), found)
    for places, likelihood, score in zip(found, likelihoods, scores, strict=True):
        drawn: list[int] = []
        while len(drawn) < active:
            place = _bin_of(rates, generator.uniform(0, 1))
            if place not in drawn:
                drawn.append(place)
        assert places.tolist() == drawn
        probability = [-math.expm1(-rate) for rate in rates]
        by_hand = (
            [math.log(p) if n in drawn else -rates[n] for n, p in enumerate(probability)]
            if rates[drawn].all()
            else [-math.inf]
        )
        assert likelihood == pytest.approx(math.fsum(by_hand), rel=1e-11, abs=1e-11)
        squares = [(p - (n in drawn)) ** 2 for n, p in enumerate(probability)]
        assert score == pytest.approx(-2 * math.fsum(squares) / len(rates), rel=1e-11, abs=1e-14)


def test_a_long_table_is_searched_like_a_short_one() -> None:
    random = np.random.default_rng(1)
    rates = random.gamma(0.1, size=20_000) * (random.random(20_000) < 0.7)
    numbers = np.concatenate(
        [random.random(5_000), [0.0, 1 - 2**-53], np.cumsum(rates)[:4000] / np.sum(rates)]
    )
    numbers = numbers[numbers < 1]
    shares = np.cumsum(rates) / np.sum(rates)
    expected = np.minimum(np.searchsorted(shares, numbers, side="right"), np.flatnonzero(rates)[-1])
    assert np.array_equal(BinRates(rates).bins_of(numbers), expected)


def test_catalogs_in_blocks_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    rates = BinRates(np.random.default_rng(2).gamma(0.3, size=50))

    def numbers() -> list[NDArray[np.generic]]:
        return [
            *(
                kernels.simulated_log_likelihoods(
                    rates, events=events, simulations=40, seed=3, scale=1.0, expected=rates.total
                )
                for events in (None, 0, 7)
            ),
            kernels.draw_active(rates, active=5, simulations=40, seed=3),
        ]

    whole = numbers()
    monkeypatch.setattr("forequake.evaluations.kernels.poisson._TOGETHER", 20)
    monkeypatch.setattr("forequake.evaluations.kernels.binary._TOGETHER", 20)
    for once, in_blocks in zip(whole, numbers(), strict=True):
        assert np.array_equal(once, in_blocks)


def test_equal_but_for_rounding_is_equal() -> None:
    above, apart = -7.3 * (1 - 0.9e-12), -7.3 * (1 - 1.1e-12)
    assert share_not_above(np.array([above, apart, -9.0, -1.0]), -7.3) == 0.5
    assert share_not_above(np.array([-np.inf, -1.0]), -np.inf) == 0.5
    assert share_not_above(np.array([-1.0, -2.0]), -np.inf) == 0.0
    assert share_not_above(np.array([0.0, 1e-300]), 0.0) == 0.5


@pytest.mark.parametrize("count", [2, 3, 7])
def test_uniform_rates_have_one_statistic_and_so_the_quantile_one(count: int) -> None:
    # Every catalog without two events in one bin is as likely as any other, however its sum is rounded.
    rates = BinRates(np.full(100_000, 0.1 / 3))
    sample = kernels.simulated_log_likelihoods(
        rates, events=count, simulations=500, seed=4, scale=1.0, expected=rates.total
    )
    observed = kernels.observed_log_likelihood(rates, np.arange(count)[::-1], scale=1.0, expected=rates.total)
    assert share_not_above(sample, observed) == 1.0
    assert share_not_above(sample, observed * (1 + 4e-16)) == 1.0


def test_sums_of_a_forecast_are_those_of_its_rates() -> None:
    rates = np.random.default_rng(5).gamma(1.0, size=(30, 4))
    forecast = PreparedForecast.of(np.asfortranarray(rates))
    assert forecast.total == np.sum(rates)
    assert np.array_equal(forecast.spatial.rates, rates.sum(axis=1))
    assert np.array_equal(forecast.magnitude.rates, rates.sum(axis=0))
    assert forecast.joint is forecast.joint
    probability = -np.expm1(-rates)
    assert forecast.joint.squared_probabilities == pytest.approx((probability**2).sum(), rel=1e-12)
