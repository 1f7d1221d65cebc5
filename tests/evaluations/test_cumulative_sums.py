"""Sums of stretches are NumPy's cumulative sum, bit for bit, and draws land where the whole sum has them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import numpy as np
import pytest
from numpy.typing import NDArray

from forequake.evaluations.kernels import (
    BinRates,
    PreparedForecast,
    cumulative,
    draw_active,
    simulated_log_likelihoods,
)
from forequake.evaluations.kernels.cumulative import sums_at_ends

Rates = NDArray[np.float64]
COUNT = 3 * (1 << 15) + 1234


def _ties(random: np.random.Generator) -> Rates:
    """Few digits: where the sum has passed 2^12, a rate often lies between two multiples of the spacing."""
    return np.ldexp(random.integers(1, 1 << 12, size=COUNT), -42) + random.integers(0, 2, size=COUNT)


KINDS: dict[str, Callable[[np.random.Generator], Rates]] = {
    "wide": lambda random: random.lognormal(0.0, 4.0, size=COUNT),
    "narrow": lambda random: random.uniform(0.9, 1.1, size=COUNT) * 1e-5,
    "equal": lambda random: np.full(COUNT, 0.1 / 3),
    "powers of two": lambda random: np.ldexp(1.0, random.integers(-40, 3, size=COUNT)),
    "single precision": lambda random: random.gamma(0.5, size=COUNT).astype(np.float32).astype(np.float64),
    "ties": _ties,
    "empty bins": lambda random: random.gamma(0.1, size=COUNT) * (random.random(COUNT) < 0.1),
    "empty but for the last": lambda random: np.append(np.zeros(COUNT - 1), 3.0),
    "one large, then small": lambda random: np.append(7.9, random.uniform(size=COUNT - 1) * 1e-12),
    "one small, then large": lambda random: np.append(1e-310, random.uniform(size=COUNT - 1) * 1e300),
    "too small for normal doubles": lambda random: random.uniform(size=COUNT) * 1e-310,
}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("stretch", [1, 8, 16])
def test_sums_are_those_of_numpy(kind: str, stretch: int) -> None:
    rates = KINDS[kind](np.random.default_rng(3))
    for part in (rates, rates[: 3 * (1 << 15)], rates[:5]):
        found = np.empty(-(-len(part) // stretch))
        sums_at_ends(part, stretch, out=found)
        whole = np.cumsum(part)
        assert np.array_equal(found, np.append(whole[stretch - 1 :: stretch], whole[-1])[: len(found)])


@pytest.mark.parametrize("kind", sorted(set(KINDS) - {"one small, then large"}))
def test_draws_land_where_the_whole_sum_has_them(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    random = np.random.default_rng(4)
    rates = KINDS[kind](random)
    shares = np.cumsum(rates) / np.sum(rates)
    edges = shares[random.integers(len(shares), size=6000)]
    numbers = np.concatenate(
        [random.random(6000), edges, np.nextafter(edges, 0), np.nextafter(edges, 1), [0.0, 1 - 2**-53]]
    )
    numbers = numbers[numbers < 1]
    expected = np.minimum(np.searchsorted(shares, numbers, side="right"), np.flatnonzero(rates)[-1])
    assert np.array_equal(BinRates(rates).bins_of(numbers), expected)
    monkeypatch.setattr(cumulative, "_STRETCHES", ((1 << 15, 16),))
    assert np.array_equal(BinRates(rates).bins_of(numbers), expected)
    assert (rates[expected] > 0).all()


def test_two_threads_that_meet_at_a_forecast_have_the_numbers_of_one() -> None:
    random = np.random.default_rng(5)
    rates = random.lognormal(0.0, 3.0, size=(1 << 16, 5))  # large enough for sums of stretches
    rates *= 20 / rates.sum()

    def samples(forecast: PreparedForecast, seed: int) -> list[bytes]:
        drawn = draw_active(forecast.joint, active=10, simulations=20, seed=seed)
        likelihoods = (
            simulated_log_likelihoods(
                bins, events=events, simulations=20, seed=seed, scale=1.0, expected=forecast.total
            )
            for bins, events in ((forecast.joint, 10), (forecast.spatial, 10), (forecast.joint, None))
        )
        return [drawn.tobytes(), *(found.tobytes() for found in likelihoods)]

    alone = [samples(PreparedForecast.of(rates), seed) for seed in range(6)]
    for _ in range(3):
        shared = PreparedForecast.of(rates)  # its sums are not there yet: both threads come to compute them
        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(partial(samples, shared), range(6))) == alone
