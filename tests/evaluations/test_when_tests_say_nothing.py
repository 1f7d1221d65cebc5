"""Every reason for an undefined result, the cases beside it that are defined, and verdicts at the limit."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from forequake.evaluations import (
    ZERO_RATE_FLAG,
    ZERO_RATE_REFERENCE_FLAG,
    Evaluated,
    Observation,
)
from forequake.results import LowerQuantile, Outcome, TailQuantiles

EVENT = (10.5, 40.5, 4.2)
ONES: NDArray[np.float64] = np.ones((12, 3))


def _is_undefined(result: Evaluated, reason: str) -> None:
    assert result.outcome is Outcome.UNDEFINED
    assert result.reason is not None
    assert reason in result.reason
    assert (result.quantiles, result.distribution, result.sample) == (None, None, None)


@pytest.mark.parametrize("letters", ["CL", "S", "M", "T", "W"])
def test_an_empty_window_says_nothing(
    letters: str, observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    result = run(letters, ONES, observe([]), reference=2 * ONES)
    _is_undefined(result, "no target events")
    assert (result.statistic, result.information_gain, result.n_observed) == (None, None, 0)


def test_an_empty_window_is_data_for_n_and_l(
    observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    number = run("N", ONES, observe([]))
    assert number.quantiles is not None
    assert number.quantiles.named() == pytest.approx({"delta1": 1.0, "delta2": np.exp(-36.0)}, rel=1e-12)
    assert (number.statistic, number.outcome) == (0.0, Outcome.REJECTED)
    likelihood = run("L", 0.01 * ONES, observe([]))
    assert likelihood.statistic == pytest.approx(-0.36, rel=1e-12)  # log P(no event) = -expected
    assert likelihood.quantiles == LowerQuantile(q=1.0)  # no catalog is likelier than the empty one
    assert (likelihood.outcome, likelihood.n_observed) == (Outcome.PASSED, 0)


def test_one_magnitude_bin_has_no_magnitude_test(
    observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    observation = observe([EVENT], magnitudes=(4.0,))
    _is_undefined(run("M", ONES[:, :1], observation), "only one magnitude bin")
    assert run("S", ONES[:, :1], observation).outcome is not Outcome.UNDEFINED


@pytest.mark.parametrize("letters", ["L", "CL", "S", "M"])
def test_a_forecast_of_nothing_cannot_be_simulated(
    letters: str, observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    result = run(letters, 0 * ONES, observe([EVENT]))
    _is_undefined(result, "expects no events at all")
    assert result.flags == (ZERO_RATE_FLAG,)


def test_a_forecast_of_nothing_has_a_number_test(
    observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    assert run("N", 0 * ONES, observe([])).quantiles == TailQuantiles(delta1=1.0, delta2=1.0)
    refuted = run("N", 0 * ONES, observe([EVENT]))
    assert refuted.quantiles == TailQuantiles(delta1=0.0, delta2=1.0)
    assert refuted.outcome is Outcome.REJECTED


@pytest.mark.parametrize("letters", ["N", "L", "CL", "S", "M", "T", "W"])
def test_an_infinite_expected_number_says_nothing(
    letters: str, observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    rates = ONES.copy()
    rates[3, 1] = np.inf
    _is_undefined(run(letters, rates, observe([EVENT, EVENT]), reference=ONES), "is not finite (inf)")


def test_events_without_number_are_not_simulated(
    observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    _is_undefined(run("L", 1e18 * ONES, observe([EVENT])), "expects 3.6e+19 events, too many")
    assert run("CL", 1e18 * ONES, observe([EVENT])).outcome is not Outcome.UNDEFINED


def test_rates_beyond_double_precision_say_nothing(
    observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    _is_undefined(run("S", 5e-324 * ONES, observe([EVENT])), "double precision")


@pytest.mark.parametrize("letters", ["T", "W"])
@pytest.mark.parametrize(
    ("zero_in", "gain", "flags"),
    [
        ("forecast", -np.inf, (ZERO_RATE_FLAG,)),
        ("reference", np.inf, (ZERO_RATE_REFERENCE_FLAG,)),
        ("both", None, (ZERO_RATE_FLAG, ZERO_RATE_REFERENCE_FLAG)),
    ],
)
def test_a_zero_rate_at_an_event_has_no_comparison(
    letters: str,
    zero_in: str,
    gain: float | None,
    flags: tuple[str, ...],
    observe: Callable[..., Observation],
    run: Callable[..., Evaluated],
) -> None:
    rates, reference = ONES.copy(), 2 * ONES
    if zero_in in ("forecast", "both"):
        rates[0, 0] = 0
    if zero_in in ("reference", "both"):
        reference[0, 0] = 0
    result = run(letters, rates, observe([EVENT, (12.5, 41.5, 5.5)]), reference=reference)
    _is_undefined(result, "a rate at a target event is zero")
    assert (result.information_gain, result.flags) == (gain, flags)


@pytest.mark.parametrize("letters", ["T", "W"])
def test_a_forecast_is_not_compared_with_itself(
    letters: str, observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    result = run(letters, ONES, observe([EVENT, EVENT]), reference=ONES.copy())
    _is_undefined(result, "are the same")
    assert result.information_gain == 0.0


def test_one_event_has_no_t_but_a_gain(
    observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    result = run("T", 2 * ONES, observe([EVENT]), reference=ONES)
    _is_undefined(result, "two or more target events")
    assert result.information_gain == pytest.approx(np.log(2) - 36, rel=1e-12)  # by hand


def test_signed_ranks_need_a_difference(
    observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    # Equal rates at the events and equal totals, but another pattern elsewhere.
    reference = ONES.copy()
    reference[5, 0], reference[6, 0] = 0.5, 1.5
    result = run("W", ONES, observe([EVENT] * 7), reference=reference)
    _is_undefined(result, "differs from the mean")


@pytest.mark.parametrize(("count", "defined"), [(5, False), (6, True)])
def test_signed_ranks_are_judged_from_six_events_on(
    count: int, defined: bool, observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    random = np.random.default_rng(4)
    rates = 0.001 * ONES * random.uniform(1.5, 2.5, size=ONES.shape)
    points = [(10.5 + n % 4, 40.5 + n % 3, 4.2) for n in range(count)]
    result = run("W", rates, observe(points), reference=0.001 * ONES)
    assert result.quantiles is not None
    assert result.statistic is not None
    assert (result.outcome is Outcome.UNDEFINED) is not defined
    # All differences have one sign: p = 2/2^n, the least that n differences can give.
    assert result.quantiles.named() == {"p": 2 / 2**count}
    if defined:
        expected = Outcome.BETTER if (result.information_gain or 0) > 0 else Outcome.WORSE
        assert result.outcome is expected


@pytest.mark.parametrize(
    ("expected", "events", "outcome"),
    # P(X >= 2) and P(X <= 0) of Poisson distributions, on both sides of 0.025 (and above 0.025, below 0.05).
    [
        (0.23, 2, Outcome.REJECTED),  # delta1 = 0.0227
        (0.30, 2, Outcome.PASSED),  # delta1 = 0.0369
        (3.2, 0, Outcome.PASSED),  # delta2 = 0.0408
        (3.8, 0, Outcome.REJECTED),  # delta2 = 0.0224
    ],
)
def test_each_tail_of_the_number_test_has_half_of_alpha(
    expected: float,
    events: int,
    outcome: Outcome,
    observe: Callable[..., Observation],
    run: Callable[..., Evaluated],
) -> None:
    assert run("N", expected / 36 * ONES, observe([EVENT] * events)).outcome is outcome


def test_a_quantile_equal_to_alpha_does_not_reject(
    observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    rates = np.random.default_rng(3).gamma(1.0, size=(12, 3))
    observation = observe([(10.5, 40.5, 4.2), (12.5, 41.5, 5.5)])
    quantiles = run("CL", rates, observation).quantiles
    assert isinstance(quantiles, LowerQuantile)
    assert 0 < quantiles.q < 1
    assert run("CL", rates, observation, alpha=quantiles.q).outcome is Outcome.PASSED
    assert run("CL", rates, observation, alpha=quantiles.q + 1e-9).outcome is Outcome.REJECTED


def test_a_p_equal_to_alpha_shows_no_difference(
    observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    reference = 0.001 * ONES
    rates = reference * np.random.default_rng(4).uniform(1.5, 2.5, size=ONES.shape)
    observation = observe([(10.5 + n % 4, 40.5 + n % 3, 4.2) for n in range(6)])
    # Six differences of one sign: p = 1/32.
    at_p = run("W", rates, observation, reference=reference, alpha=1 / 32)
    above_p = run("W", rates, observation, reference=reference, alpha=1 / 31)
    assert (at_p.outcome, above_p.outcome) == (Outcome.NO_DIFFERENCE, Outcome.BETTER)
