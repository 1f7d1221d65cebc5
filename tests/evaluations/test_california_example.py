"""The California example against pyCSEP's own numbers, SciPy's distributions, and T by hand."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy import stats

from forequake.catalogs import Events, read_catalog
from forequake.evaluations import Evaluated, Observation
from forequake.results import LowerQuantile, Outcome, StudentQuantiles, TailQuantiles, WilcoxonQuantile

pytestmark = pytest.mark.slow  # the whole California grid

# Computed with pyCSEP 0.8.0: seed 1, 1000 simulations.
PUBLISHED: dict[str, dict[str, tuple[float, float]]] = {
    "mainshock": {
        "L": (-34.86965242369517, 0.0),
        "CL": (-34.86965242369517, 0.705),
        "S": (-20.75878423861125, 0.551),
        "M": (-6.592792937487257, 0.700),
    },
    "aftershock": {
        "L": (-33.332188960288555, 0.0),
        "CL": (-33.332188960288555, 0.695),
        "S": (-20.758784188987768, 0.551),
        "M": (-6.54905689617426, 0.689),
    },
}


@pytest.mark.parametrize("model", ["mainshock", "aftershock"])
@pytest.mark.parametrize("letters", ["L", "CL", "S", "M"])
def test_simulated_tests_give_the_published_numbers(
    letters: str, model: str, california: Any, run: Callable[..., Evaluated]
) -> None:
    statistic, quantile = PUBLISHED[model][letters]
    result = run(letters, getattr(california, model), california.observation, num_simulations=1000)
    assert result.statistic == pytest.approx(statistic, rel=1e-12)
    assert result.quantiles == LowerQuantile(q=quantile)
    assert result.outcome is (Outcome.REJECTED if letters == "L" else Outcome.PASSED)
    assert (result.n_observed, result.num_simulations, result.seed) == (3, 1000, 1)
    assert result.sample is not None
    assert np.mean(result.sample <= statistic + 1e-12 * abs(statistic)) == quantile


@pytest.mark.parametrize(
    ("model", "total"), [("mainshock", 0.08104244886639791), ("aftershock", 0.13579014525014685)]
)
def test_the_number_test_is_scipys_poisson(
    model: str, total: float, california: Any, run: Callable[..., Evaluated]
) -> None:
    result = run("N", getattr(california, model), california.observation)
    assert result.n_forecast == pytest.approx(total, rel=1e-12)
    assert isinstance(result.quantiles, TailQuantiles)
    # P(X >= 3) is the survival function at 2; pyCSEP's 1 - cdf loses what lies below 1e-16.
    assert result.quantiles.delta1 == pytest.approx(stats.poisson.sf(2, total), rel=1e-10)
    assert result.quantiles.delta2 == pytest.approx(stats.poisson.cdf(3, total), rel=1e-12)
    assert (result.statistic, result.outcome) == (3.0, Outcome.REJECTED)


def test_the_t_test_is_the_one_by_hand(california: Any, run: Callable[..., Evaluated]) -> None:
    observation = california.observation
    result = run("T", california.aftershock, observation, reference=california.mainshock)
    cells = observation.region.cells_of(observation.events.longitude, observation.events.latitude)
    bins = np.floor((observation.events.magnitude - 4.95) / 0.1 + 1e-9).astype(int)
    ratios = np.log(california.aftershock[cells, bins] / california.mainshock[cells, bins])
    centre = (california.aftershock.sum() - california.mainshock.sum()) / 3
    by_hand = stats.ttest_1samp(ratios - centre, 0.0)
    interval = by_hand.confidence_interval(0.95)
    assert result.statistic == pytest.approx(0.5124878211, abs=1e-10)
    assert result.information_gain == result.statistic
    assert isinstance(result.quantiles, StudentQuantiles)
    assert result.quantiles.t == pytest.approx(by_hand.statistic, rel=1e-9)
    assert result.quantiles.t == pytest.approx(26.804, abs=5e-4)
    assert result.quantiles.t_critical == pytest.approx(4.30265273, rel=1e-8)
    assert result.quantiles.p == pytest.approx(by_hand.pvalue, rel=1e-9)
    assert result.interval == pytest.approx((interval.low, interval.high), rel=1e-9)
    assert result.outcome is Outcome.BETTER
    reversed_result = run("T", california.mainshock, observation, reference=california.aftershock)
    assert reversed_result.outcome is Outcome.WORSE


def test_three_events_are_too_few_for_signed_ranks(
    california: Any, run: Callable[..., Evaluated], pycsep: Callable[..., Any]
) -> None:
    result = run("W", california.aftershock, california.observation, reference=california.mainshock)
    theirs = pycsep("W", california.aftershock, california.observation, reference=california.mainshock)
    assert theirs.quantile == pytest.approx(0.1088, abs=5e-5)
    assert result.statistic == pytest.approx(theirs.observed_statistic, rel=1e-12)
    assert result.quantiles == WilcoxonQuantile(p=0.25)
    assert result.outcome is Outcome.UNDEFINED
    assert result.reason is not None
    assert "there are 3" in result.reason


@pytest.mark.parametrize("letters", ["L", "CL", "S", "M"])
def test_a_seed_gives_pycseps_own_sample(
    letters: str, california: Any, run: Callable[..., Evaluated], pycsep: Callable[..., Any]
) -> None:
    rates = california.aftershock
    ours = run(letters, rates, california.observation, num_simulations=20, seed=4294967295)
    theirs = pycsep(letters, rates, california.observation, num_simulations=20, seed=4294967295)
    assert ours.sample is not None
    assert ours.sample.tolist() == theirs.test_distribution
    assert ours.statistic == pytest.approx(theirs.observed_statistic, rel=1e-12)
    assert ours.quantiles == LowerQuantile(q=theirs.quantile)


@pytest.fixture(scope="module")
def many(california: Any) -> Observation:
    """All of the sample's 829 events but those outside, each as if it had been 2.5 magnitudes larger."""
    from csep.utils import datasets

    region, magnitudes = california.observation.region, california.observation.magnitudes
    sample = read_catalog(Path(datasets.comcat_example_catalog_fname))
    inside = region.cells_of(sample.longitude, sample.latitude) >= 0
    names = ("time_us", "longitude", "latitude", "depth_km", "magnitude", "event_id")
    columns: dict[str, NDArray[Any]] = {name: getattr(sample, name)[inside] for name in names}
    columns["magnitude"] = columns["magnitude"] + 2.5
    observation = Observation(region=region, magnitudes=magnitudes, events=Events(**columns))
    assert len(observation.events) > 800
    return observation


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(("letters", "simulations"), [("L", 2), ("CL", 2), ("S", 20), ("M", 20)])
def test_numbers_of_the_week_and_of_many_events_are_pycseps(
    letters: str,
    simulations: int,
    seed: int,
    california: Any,
    many: Observation,
    run: Callable[..., Evaluated],
    pycsep: Callable[..., Any],
) -> None:
    week, larger = (california.observation, california.mainshock), (many, california.mainshock * 1e4)
    for observation, rates in (week, larger):
        ours = run(letters, rates, observation, num_simulations=simulations, seed=seed)
        theirs = pycsep(letters, rates, observation, num_simulations=simulations, seed=seed)
        assert ours.statistic == pytest.approx(theirs.observed_statistic, rel=1e-12)
        assert ours.sample == pytest.approx(np.array(theirs.test_distribution), rel=1e-12)
        assert ours.quantiles == LowerQuantile(q=theirs.quantile)


@pytest.mark.parametrize(("letters", "simulations"), [("binary S", 3), ("binary CL", 1), ("Brier", 1)])
@pytest.mark.parametrize("seed", range(3))
def test_binary_numbers_of_the_week_and_of_many_events_are_pycseps(
    letters: str,
    simulations: int,
    seed: int,
    california: Any,
    many: Observation,
    run: Callable[..., Evaluated],
    pycsep: Callable[..., Any],
) -> None:
    for observation in (california.observation, many):
        rates = california.mainshock
        ours = run(letters, rates, observation, num_simulations=simulations, seed=seed)
        theirs = pycsep(letters, rates, observation, num_simulations=simulations, seed=seed)
        assert ours.statistic == pytest.approx(theirs.observed_statistic, rel=1e-10)
        assert ours.sample == pytest.approx(np.array(theirs.test_distribution), rel=1e-10)
        assert ours.quantiles == LowerQuantile(q=theirs.quantile)
