"""Binary tests, Brier and NBD-N against pyCSEP where it is right, and by hand where it is not."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from forequake.evaluations import ZERO_RATE_FLAG, Evaluated, Observation
from forequake.results import (
    LowerQuantile,
    NegativeBinomialDistribution,
    Outcome,
    StudentQuantiles,
    TailQuantiles,
)

Rates = NDArray[np.float64]
LETTERS = ("binary S", "binary CL", "Brier")


def _case(seed: int, observe: Callable[..., Observation]) -> tuple[Rates, Rates, Observation]:
    """Two forecasts with rates above 0, and 1 to 12 events."""
    random = np.random.default_rng(seed)
    rates, reference = random.gamma(0.7, size=(2, 12, 3)) + 1e-3
    cells, bins = random.integers(12, size=(seed % 12) + 1), random.integers(3, size=(seed % 12) + 1)
    points = [(10.5 + cell // 3, 40.5 + cell % 3, 4.2 + 0.5 * b) for cell, b in zip(cells, bins, strict=True)]
    return rates, reference, observe(points)


@pytest.mark.parametrize("letters", LETTERS)
@pytest.mark.parametrize("seed", range(20))
def test_numbers_are_pycseps(
    letters: str,
    seed: int,
    observe: Callable[..., Observation],
    run: Callable[..., Evaluated],
    pycsep: Callable[..., Any],
) -> None:
    rates, _, observation = _case(seed, observe)
    ours = run(letters, rates, observation, seed=seed, num_simulations=30)
    theirs = pycsep(letters, rates, observation, seed=seed, num_simulations=30)
    assert ours.statistic == pytest.approx(theirs.observed_statistic, rel=1e-10)
    assert ours.sample == pytest.approx(np.array(theirs.test_distribution), rel=1e-10)
    # Draws of equal statistics count in both; pyCSEP misses those that its sums put above by rounding.
    near = np.abs(np.array(theirs.test_distribution) / theirs.observed_statistic - 1) <= 1e-12
    expected = np.mean((np.array(theirs.test_distribution) <= theirs.observed_statistic) | near)
    assert ours.quantiles is not None
    assert ours.quantiles.named() == pytest.approx({"q": expected})


@pytest.mark.parametrize("letters", LETTERS)
def test_no_simulated_event_lies_where_the_rate_is_zero(
    letters: str, observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    random = np.random.default_rng(3)
    rates = random.gamma(0.7, size=(12, 3)) * (random.random((12, 1)) < 0.6)
    cell = int(np.flatnonzero(rates[:, 0])[0])
    observation = observe([(10.5 + cell // 3, 40.5 + cell % 3, 4.2)] * 2)
    with_empty = run(letters, rates, observation, num_simulations=200)
    # The same forecast without its empty cells: the same draws, and the same likelihoods, since they add 0.
    full = np.flatnonzero(rates[:, 0])
    points = [(10.5, 40.5 + 0.0, 4.2)] * 2
    packed = observe(points, columns=len(full), rows=1)
    without = run(letters, rates[full], packed, num_simulations=200)
    share = len(full) / 12 if letters == "Brier" else 1.0  # a mean over all bins
    assert with_empty.sample is not None
    assert without.sample is not None
    assert with_empty.sample == pytest.approx(share * without.sample, rel=1e-12)
    assert with_empty.quantiles == without.quantiles
    assert with_empty.flags == ()


@pytest.mark.parametrize("letters", ["binary S", "binary CL"])
def test_an_event_in_a_zero_rate_cell_refutes_the_forecast(
    letters: str, observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    rates = np.ones((12, 3))
    rates[0] = 0.0
    result = run(letters, rates, observe([(10.5, 40.5, 4.2)]))
    assert (result.statistic, result.quantiles) == (-np.inf, LowerQuantile(q=0.0))
    assert (result.outcome, result.flags) == (Outcome.REJECTED, (ZERO_RATE_FLAG,))


def test_an_event_in_a_zero_rate_cell_has_a_brier_score(
    observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    rates = np.full((12, 3), np.log(2))  # each bin is active with the probability 1/2
    rates[0, 0] = 0.0
    result = run("Brier", rates, observe([(10.5, 40.5, 4.2)]))
    assert result.statistic == pytest.approx(-2 * (35 * 0.25 + 1) / 36, rel=1e-12)
    assert (result.quantiles, result.flags) == (LowerQuantile(q=0.0), (ZERO_RATE_FLAG,))


@pytest.mark.parametrize("letters", LETTERS)
def test_more_active_bins_than_bins_with_a_rate_say_nothing(
    letters: str, observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    rates = np.zeros((12, 3))
    rates[0, 0] = 1.0
    result = run(letters, rates, observe([(10.5, 40.5, 4.2), (11.5, 40.5, 4.2)]))
    assert (result.outcome, result.flags) == (Outcome.UNDEFINED, (ZERO_RATE_FLAG,))
    assert result.reason == "2 bins are active, and the forecast has rates above 0 in 1 only"
    assert (result.quantiles, result.sample) == (None, None)


@pytest.mark.parametrize("letters", LETTERS)
def test_draws_that_would_not_end_say_nothing(
    letters: str, observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    rates = np.full((12, 3), 1e-12)
    rates[0, 0] = 1.0
    result = run(letters, rates, observe([(10.5, 40.5, 4.2), (11.5, 40.5, 4.2)]))
    assert result.outcome is Outcome.UNDEFINED
    assert result.reason == "nearly all of the rate lies in fewer than the 2 bins that are active"


@pytest.mark.parametrize("letters", [*LETTERS, "binary T"])
def test_an_empty_window_says_nothing(
    letters: str, observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    result = run(letters, np.ones((12, 3)), observe([]), reference=np.full((12, 3), 2.0))
    assert (result.outcome, result.reason) == (Outcome.UNDEFINED, "no target events")


def test_a_tiny_rate_keeps_its_digits(
    observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    # 1 - exp(-1e-17) is 0 in double precision; the event is unlikely, not impossible.
    rates = np.full((12, 3), 1e-17)
    rates[1:] = 0.01
    result = run("binary CL", rates, observe([(10.5, 40.5, 4.2)]))
    assert result.statistic == pytest.approx(np.log(1e-17) - 0.33, rel=1e-12)


@pytest.mark.parametrize("seed", range(20))
def test_the_negative_binomial_test_is_pycseps(
    seed: int, observe: Callable[..., Observation], run: Callable[..., Evaluated], pycsep: Callable[..., Any]
) -> None:
    rates, _, observation = _case(seed, observe)
    variance = float(rates.sum() * np.random.default_rng(seed).uniform(1.01, 20))
    ours = run("NBD-N", rates, observation, variance=variance)
    theirs = pycsep("NBD-N", rates, observation, variance=variance)
    assert ours.statistic == theirs.observed_statistic
    assert isinstance(ours.quantiles, TailQuantiles)
    delta1, delta2 = ours.quantiles.delta1, ours.quantiles.delta2
    assert (delta1, delta2) == pytest.approx(theirs.quantile, rel=1e-10)
    assert ours.distribution == NegativeBinomialDistribution(mean=rates.sum(), variance=variance)
    # Wider than Poisson's: with SciPy's own survival function.
    mean = rates.sum()
    law = stats.nbinom(mean**2 / (variance - mean), mean / variance)
    assert delta1 == pytest.approx(law.sf(len(observation.events) - 1), rel=1e-9)


@pytest.mark.parametrize("variance", [36.0, 10.0])
def test_a_variance_that_is_not_above_the_mean_says_nothing(
    variance: float, observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    result = run("NBD-N", np.ones((12, 3)), observe([(10.5, 40.5, 4.2)]), variance=variance)
    assert (result.outcome, result.statistic, result.quantiles) == (Outcome.UNDEFINED, 1.0, None)
    assert result.reason == f"the variance {variance:g} is not above the expected number of events, 36"


@pytest.mark.parametrize("seed", range(2, 12))
def test_the_binary_t_test_is_that_over_active_bins(
    seed: int, observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    rates, reference, observation = _case(seed, observe)
    result = run("binary T", rates, observation, reference=reference)
    active = np.unique(observation.places)
    ratios = np.log(rates.ravel()[active] / reference.ravel()[active])
    by_hand = stats.ttest_1samp(ratios - (rates.sum() - reference.sum()) / len(active), 0.0)
    assert isinstance(result.quantiles, StudentQuantiles)
    assert result.quantiles.t == pytest.approx(by_hand.statistic, rel=1e-9)
    assert result.quantiles.p == pytest.approx(by_hand.pvalue, rel=1e-9)
    assert result.quantiles.t_critical == pytest.approx(stats.t.ppf(0.975, len(active) - 1), rel=1e-9)
    assert result.interval == pytest.approx(tuple(by_hand.confidence_interval(0.95)), rel=1e-9)


def test_the_binary_t_test_is_pycseps_own_formula(
    observe: Callable[..., Observation], run: Callable[..., Evaluated], monkeypatch: pytest.MonkeyPatch
) -> None:
    from csep.core import binomial_evaluations

    rates, reference, observation = _case(11, observe)
    active = np.unique(observation.places)
    counts = np.bincount(observation.places, minlength=36).reshape(12, 3)

    class Catalog:
        def spatial_magnitude_counts(self) -> NDArray[np.intp]:
            return counts

    monkeypatch.setattr(binomial_evaluations, "np", np, raising=False)  # the import that it forgets
    theirs = binomial_evaluations.matrix_binary_t_test(
        rates.ravel()[active],
        reference.ravel()[active],
        len(observation.events),
        rates.sum(),
        reference.sum(),
        Catalog(),
    )
    ours = run("binary T", rates, observation, reference=reference)
    assert ours.statistic == pytest.approx(theirs["information_gain"], rel=1e-12)
    assert ours.quantiles is not None
    named = ours.quantiles.named()
    assert (named["t"], named["t_critical"]) == pytest.approx(
        (theirs["t_statistic"], theirs["t_critical"]), rel=1e-12
    )
    assert ours.interval == pytest.approx((theirs["ig_lower"], theirs["ig_upper"]), rel=1e-12)


def test_one_active_bin_has_no_t(observe: Callable[..., Observation], run: Callable[..., Evaluated]) -> None:
    observation = observe([(10.5, 40.5, 4.2), (10.6, 40.6, 4.3)])
    result = run("binary T", np.full((12, 3), 2.0), observation, reference=np.ones((12, 3)))
    assert result.outcome is Outcome.UNDEFINED
    assert result.reason == "the t-test needs two or more active bins, and there is one"
    assert result.information_gain == pytest.approx(np.log(2) - 36, rel=1e-12)


def test_the_binary_t_test_prefers_as_many_events_as_there_are_active_bins(
    observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    # Twelve events in three bins: of forecasts that differ in their total only T prefers 12, binary T 3.
    shape = np.random.default_rng(6).gamma(0.7, size=(12, 3)) + 1e-3
    shape /= shape.sum()
    observation = observe([(10.5 + n % 3, 40.5, 4.2) for n in range(12)])
    totals = [1.0, 2.0, 3.0, 4.0, 6.0, 11.0, 12.0, 13.0, 20.0]
    for letters, best in (("T", 12.0), ("binary T", 3.0)):
        gains = [
            run(letters, total * shape, observation, reference=shape).information_gain for total in totals
        ]
        assert None not in gains
        assert max(zip(gains, totals, strict=True), key=lambda pair: pair[0] or 0.0)[1] == best
