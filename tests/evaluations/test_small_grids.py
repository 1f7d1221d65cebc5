"""All tests on small random grids, with many zero rates, against pyCSEP on its own grid of polygons."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from forequake.evaluations import ZERO_RATE_FLAG, Evaluated, Observation
from forequake.results import LowerQuantile, Outcome, Side, StudentQuantiles, TailQuantiles, WilcoxonQuantile


def _case(
    seed: int, observe: Callable[..., Observation]
) -> tuple[NDArray[np.float64], NDArray[np.float64], Observation]:
    """Two forecasts with zero rates, and events where both expect something."""
    random = np.random.default_rng(seed)
    rates = random.gamma(0.5, size=(12, 3)) * (random.random((12, 3)) < 0.6)
    reference = random.gamma(0.5, size=(12, 3)) * (random.random((12, 3)) < 0.8)
    both = np.argwhere((rates > 0) & (reference > 0))
    chosen = both[random.integers(len(both), size=int(random.integers(1, 30)))]
    points = [
        (
            10 + cell // 3 + random.random(),
            40 + cell % 3 + random.random(),
            4 + 0.5 * place + 0.4 * random.random(),
        )
        for cell, place in chosen
    ]
    return rates, reference, observe(points)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("letters", ["N", "L", "CL", "S", "M", "T", "W"])
def test_numbers_are_pycseps(
    letters: str,
    seed: int,
    observe: Callable[..., Observation],
    run: Callable[..., Evaluated],
    pycsep: Callable[..., Any],
) -> None:
    rates, reference, observation = _case(seed, observe)
    ours = run(letters, rates, observation, reference=reference)
    theirs = pycsep(letters, rates, observation, reference=reference if letters in "TW" else None)
    assert ours.statistic == pytest.approx(theirs.observed_statistic, rel=1e-12)
    assert ours.n_forecast == pytest.approx(rates.sum(), rel=1e-12)
    match ours.quantiles:
        case TailQuantiles(delta1=delta1, delta2=delta2):
            assert (delta1, delta2) == theirs.quantile
        case LowerQuantile(q=q):
            assert q == theirs.quantile
            assert ours.sample is not None
            assert ours.sample.tolist() == theirs.test_distribution
        case StudentQuantiles(t=t, t_critical=t_critical):
            assert (t, t_critical) == pytest.approx(theirs.quantile[:2], rel=1e-12)
            assert ours.interval == pytest.approx(theirs.test_distribution, rel=1e-12)
        case WilcoxonQuantile(p=p):
            if len(observation.events) >= 10:
                assert p == pytest.approx(theirs.quantile, rel=1e-12)
        case None:
            assert (letters, len(observation.events)) == ("T", 1)


@pytest.mark.parametrize("letters", ["L", "CL"])
def test_two_cells_in_a_row_with_zero_rates(
    letters: str,
    observe: Callable[..., Observation],
    run: Callable[..., Evaluated],
    pycsep: Callable[..., Any],
) -> None:
    rates = np.array([[5.9, 0.0, 0.2], [0.0, 0.0, 0.7]])
    observation = observe([(10.5, 40.5, 4.1), (11.5, 40.5, 6.0)], columns=2, rows=1)
    ours, theirs = run(letters, rates, observation), pycsep(letters, rates, observation)
    assert ours.statistic == pytest.approx(theirs.observed_statistic, rel=1e-12)
    assert ours.statistic == pytest.approx(np.log(5.9) + np.log(0.7) - 6.8, rel=1e-12)  # by hand
    assert ours.quantiles == LowerQuantile(q=theirs.quantile)


@pytest.mark.parametrize(
    ("letters", "rates"),
    [
        ("L", [[1.0, 0.0], [1.0, 1.0]]),
        ("CL", [[1.0, 0.0], [1.0, 1.0]]),
        ("S", [[0.0, 0.0], [1.0, 1.0]]),
        ("M", [[1.0, 0.0], [1.0, 0.0]]),
    ],
)
def test_an_event_in_a_zero_rate_cell_refutes_the_forecast(
    letters: str,
    rates: list[list[float]],
    observe: Callable[..., Observation],
    run: Callable[..., Evaluated],
) -> None:
    observation = observe([(10.5, 40.5, 4.6)], columns=2, rows=1, magnitudes=(4.0, 4.5))
    result = run(letters, np.array(rates), observation)
    assert result.statistic == -np.inf
    assert result.quantiles == LowerQuantile(q=0.0)
    assert (result.outcome, result.side, result.reason) == (Outcome.REJECTED, Side.LOWER, None)
    assert result.flags == (ZERO_RATE_FLAG,)


@pytest.mark.parametrize("letters", ["S", "M"])
def test_a_zero_rate_that_its_marginal_does_not_see_is_no_finding(
    letters: str, observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    observation = observe([(10.5, 40.5, 4.6)], columns=2, rows=1, magnitudes=(4.0, 4.5))
    result = run(letters, np.array([[1.0, 0.0], [1.0, 1.0]]), observation)
    assert result.statistic is not None
    assert np.isfinite(result.statistic)
    assert result.flags == ()


def test_rates_in_another_memory_order_give_the_same_bits(
    observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    rates, reference, observation = _case(3, observe)
    for letters in ("N", "CL", "S", "T"):
        straight = run(letters, rates, observation, reference=reference)
        turned = run(letters, np.asfortranarray(rates), observation, reference=np.asfortranarray(reference))
        assert (straight.statistic, straight.quantiles) == (turned.statistic, turned.quantiles)
        assert straight.n_forecast == turned.n_forecast
