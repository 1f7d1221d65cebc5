"""Batch T and W: single T- and W-tests, Holm over the pairs, and its symmetry."""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from forequake.errors import InputError
from forequake.evaluations import Evaluated, Observation
from forequake.evaluations.batch import batch, batch_of_all
from forequake.evaluations.comparison import EventRates
from forequake.results import BatchQuantiles, Outcome, StudentQuantiles, WilcoxonQuantile

MIRROR = {Outcome.BETTER: Outcome.WORSE, Outcome.WORSE: Outcome.BETTER}


def _family(seed: int, models: int = 4, events: int = 30, spread: float = 0.6) -> dict[str, EventRates]:
    random = np.random.default_rng(seed)
    return {
        f"model {number}": EventRates(
            float(random.uniform(20, 40)), np.exp(spread * number + random.normal(0, 1.0, events))
        )
        for number in range(models)
    }


@pytest.mark.parametrize("seed", range(4))
def test_the_result_of_a_pair_is_the_mirror_of_the_pair_turned_round(seed: int) -> None:
    found = batch_of_all(_family(seed), alpha=0.05)
    assert len(found) == 12
    for (one, other), numbers in found.items():
        turned = found[other, one]
        assert turned.outcome is MIRROR.get(numbers.outcome, numbers.outcome)
        assert isinstance(numbers.quantiles, BatchQuantiles)
        assert isinstance(turned.quantiles, BatchQuantiles)
        assert turned.quantiles == numbers.quantiles.model_copy(update={"t": -numbers.quantiles.t})
        assert numbers.statistic == numbers.information_gain == -(turned.statistic or 0.0)
        assert numbers.interval is not None
        assert turned.interval == tuple(-end for end in reversed(numbers.interval))


def test_numbers_are_those_of_single_tests_and_holm(
    observe: Callable[..., Observation], run: Callable[..., Evaluated], pycsep: Callable[..., Any]
) -> None:
    random = np.random.default_rng(11)
    rates = {name: random.gamma(0.8, 0.3 + 0.2 * number, (12, 3)) for number, name in enumerate("abcd")}
    points = [(10 + 4 * x, 40 + 3 * y, 4 + 1.4 * m) for x, y, m in random.random((25, 3))]
    observation = observe(points)
    family = {
        name: EventRates(float(of.sum()), of.reshape(-1)[observation.places]) for name, of in rates.items()
    }
    p: dict[tuple[str, str], float] = {}
    w: dict[tuple[str, str], float] = {}
    for pair in itertools.combinations(rates, 2):
        t, signs = (run(test, rates[pair[0]], observation, reference=rates[pair[1]]) for test in "TW")
        theirs = pycsep("T", rates[pair[0]], observation, reference=rates[pair[1]])
        assert isinstance(t.quantiles, StudentQuantiles)
        assert t.quantiles.t == pytest.approx(theirs.quantile[0], rel=1e-10)
        assert isinstance(signs.quantiles, WilcoxonQuantile)
        p[pair], w[pair] = t.quantiles.p, signs.quantiles.p
    for pair, numbers in batch_of_all(family, alpha=0.05).items():
        key = pair if pair in p else pair[::-1]
        quantiles = numbers.quantiles
        assert isinstance(quantiles, BatchQuantiles)
        assert quantiles.family == 6
        assert quantiles.p == pytest.approx(p[key], rel=1e-9)
        assert quantiles.w_p == pytest.approx(w[key], rel=1e-9)
        for adjusted, alone in ((quantiles.p_adjusted, p), (quantiles.w_p_adjusted, w)):
            # Holm: the greatest of (6 - rank) p over all p up to this one.
            ordered = sorted(alone.values())
            steps = [(6 - rank) * value for rank, value in enumerate(ordered) if value <= alone[key]]
            assert adjusted == pytest.approx(min(1.0, max(steps)), rel=1e-9)
        assert (numbers.outcome is not Outcome.NO_DIFFERENCE) == (quantiles.p_adjusted < 0.05)
        assert batch(family, pair, alpha=0.05).quantiles == quantiles


def test_ten_equal_models_seldom_differ() -> None:
    alone = together = 0
    for seed in range(40):
        found = batch_of_all(_family(seed, models=10, spread=0.0), alpha=0.05)
        quantiles = [numbers.quantiles for numbers in found.values()]
        alone += any(isinstance(q, BatchQuantiles) and q.p < 0.05 for q in quantiles)
        together += any(numbers.outcome is not Outcome.NO_DIFFERENCE for numbers in found.values())
    assert alone > 30  # with different totals, too
    assert together < alone


def test_two_models_are_corrected_for_one_pair() -> None:
    family = {
        "a": EventRates(3.0, np.array([0.5, 0.7, 0.2])),
        "b": EventRates(2.5, np.array([0.1, 0.2, 0.1])),
    }
    quantiles = batch(family, ("a", "b"), alpha=0.05).quantiles
    assert isinstance(quantiles, BatchQuantiles)
    assert (quantiles.family, quantiles.p_adjusted) == (1, quantiles.p)
    assert (quantiles.w_p, quantiles.w_p_adjusted) == (None, None)  # three differences say nothing


def test_pairs_that_say_nothing_leave_the_family() -> None:
    family = _family(2, models=3)
    alone = batch(family, ("model 0", "model 1"), alpha=0.05).quantiles
    zero = EventRates(30.0, np.where(np.arange(30) == 4, 0.0, 0.1))
    more = batch_of_all(family | {"zero": zero, "twin": family["model 0"]}, alpha=0.05)
    refused = more["zero", "model 0"]
    assert refused.outcome is Outcome.UNDEFINED
    assert refused.flags == ("event_in_zero_rate_cell",)
    assert more["twin", "model 0"].reason == "forecast and reference are the same"
    quantiles = more["model 0", "model 1"].quantiles
    assert isinstance(alone, BatchQuantiles)
    assert isinstance(quantiles, BatchQuantiles)
    assert (alone.family, quantiles.family) == (3, 5)  # the pairs with the twin are members
    few = {name: EventRates(1.0, rates.at[:1]) for name, rates in family.items()}
    for numbers in batch_of_all(few, alpha=0.05).values():
        assert numbers.reason == "the t-test needs two or more target events, and there is one"
        assert numbers.quantiles is None


def test_a_pair_is_two_models_of_the_family() -> None:
    for pair in (("model 0", "model 0"), ("model 0", "other")):
        with pytest.raises(InputError, match="a pair is two models of the family"):
            batch(_family(0), pair, alpha=0.05)
