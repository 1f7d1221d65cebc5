"""Scores of windows: the numbers of floatCSEP and pyCSEP, those of a slow definition, and sums of windows."""

import math
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from forequake.errors import InputError
from forequake.evaluations import (
    ZERO_RATE_FLAG,
    ZERO_RATE_REFERENCE_FLAG,
    Evaluated,
    Observation,
    TestParameters,
    evaluate,
    find_test,
)
from forequake.evaluations.scores import total_score
from forequake.results import Outcome, ScoreRecord, Side
from forequake.windows import TimeWindow
from stores.testing import sample_window

RATES = np.array([[0.9, 0.3, 0.1], [0.5, 0.2, 0.05], [0.4, 0.0, 0.02], [1.2, 0.4, 0.2]])
REFERENCE = np.array([[0.5, 0.2, 0.1], [0.5, 0.2, 0.1], [0.5, 0.2, 0.1], [0.5, 0.2, 0.1]])
POINTS = [
    (10.1, 40.2, 4.1),
    (10.5, 40.5, 4.7),
    (10.9, 40.9, 6.3),
    (11.5, 40.1, 4.0),
    (12.5, 40.3, 4.3),
    (13.0, 40.0, 4.5),
    (13.2, 40.4, 4.4),
]
#: Computed once by floatCSEP 0.5.2, of these points and of none, window by window.
LIKELIHOODS = (-10.225325500492108, -4.27)
GAINS = (1.268724139609919, -1.07)

Observe = Callable[..., Observation]
Grid = NDArray[np.float64]


def _score(observation: Observation, rates: Grid, reference: Grid | None = None) -> Evaluated:
    test = "LL" if reference is None else "IG"
    return evaluate(test, TestParameters.for_test(find_test(test)), rates, observation, reference=reference)


@pytest.mark.parametrize(("points", "place"), [(POINTS, 0), ([], 1)])
def test_a_window_has_floatcseps_numbers(points: list[Any], place: int, observe: Observe) -> None:
    observation = observe(points, columns=4, rows=1)
    likelihood, gain = _score(observation, RATES), _score(observation, RATES, REFERENCE)
    assert likelihood.statistic == pytest.approx(LIKELIHOODS[place], rel=1e-12)
    assert gain.statistic == pytest.approx(GAINS[place], rel=1e-12)
    for score in (likelihood, gain):
        assert (score.outcome, score.side, score.quantiles) == (Outcome.SCORE_ONLY, Side.NONE, None)
        assert score.n_observed == len(points)
    assert likelihood.n_reference is None
    assert gain.n_reference == pytest.approx(3.2)


@pytest.mark.parametrize("seed", range(6))
def test_scores_are_made_of_pycseps_joint_log_likelihood(
    seed: int, observe: Observe, pycsep: Callable[..., Any]
) -> None:
    random = np.random.default_rng(seed)
    rates, reference = random.gamma(0.5, size=(2, 12, 3))
    count = int(random.integers(1, 40))  # on 12 cells, so that some have several
    observation = observe(
        [(*point, 4.2) for point in zip(*random.uniform([[10], [40]], [[14], [43]], (2, count)), strict=True)]
    )
    theirs = [
        pycsep("L", grid, observation, num_simulations=1).observed_statistic for grid in (rates, reference)
    ]
    assert _score(observation, rates).statistic == pytest.approx(theirs[0], rel=1e-10)
    gain = _score(observation, rates, reference).statistic
    assert gain == pytest.approx(theirs[0] - theirs[1], rel=1e-10, abs=1e-10)


def _slowly(rates: Grid, counts: NDArray[np.intp]) -> float:
    """Multiply the Poisson probabilities of all bins, one by one, as their logarithms."""
    total = 0.0
    for rate, count in zip(rates.flat, counts.flat, strict=True):
        if rate > 0:
            total += int(count) * math.log(rate) - rate - math.log(math.factorial(int(count)))
        elif count > 0:
            return -math.inf
    return total


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(data=st.data())
def test_scores_follow_their_definition(data: st.DataObject, observe: Observe) -> None:
    values = st.sampled_from([0.0, 1e-9, 0.01, 0.5, 2.0, 30.0])
    rates, reference = (
        np.array(data.draw(st.lists(values, min_size=6, max_size=6))).reshape(2, 3) for _ in range(2)
    )
    bins = data.draw(st.lists(st.integers(0, 5), max_size=8))
    observation = observe(
        [(10.5 + place // 3, 40.5, 4.1 + 0.5 * (place % 3)) for place in bins], columns=2, rows=1
    )
    counts = np.bincount(bins, minlength=6)
    expected, of_reference = _slowly(rates, counts), _slowly(reference, counts)
    likelihood, gain = _score(observation, rates), _score(observation, rates, reference)
    assert likelihood.statistic == pytest.approx(expected, rel=1e-12, abs=1e-12)
    assert (ZERO_RATE_FLAG in likelihood.flags) == (expected == -math.inf)
    assert (ZERO_RATE_REFERENCE_FLAG in gain.flags) == (of_reference == -math.inf)
    if expected == of_reference == -math.inf:
        assert (gain.outcome, gain.statistic) == (Outcome.UNDEFINED, None)
        assert gain.reason == "forecast and reference both have a rate of zero at a target event"
    else:
        assert gain.statistic == pytest.approx(expected - of_reference, rel=1e-10, abs=1e-10)


def test_infinite_rates_have_no_score(observe: Observe) -> None:
    infinite = np.array([[math.inf, 1.0, 1.0]])
    observation = observe([(10.5, 40.5, 4.1)], columns=1, rows=1)
    silent = [
        _score(observation, infinite),
        _score(observation, infinite, np.ones((1, 3))),
        _score(observation, np.ones((1, 3)), infinite),
    ]
    assert [score.statistic for score in silent] == [None] * 3
    assert [score.reason for score in silent] == [
        "the expected number of events is not finite (inf)",
        "the expected number of events of the forecast is not finite (inf)",
        "the expected number of events of the reference is not finite (inf)",
    ]


def test_only_the_gain_takes_a_reference(observe: Observe) -> None:
    observation = observe(POINTS, columns=4, rows=1)
    for test, reference, complaint in (
        ("LL", REFERENCE, "sequential_likelihood is a score and takes no reference"),
        ("IG", None, "sequential_information_gain is a score and needs a reference"),
    ):
        with pytest.raises(InputError, match=complaint):
            evaluate(test, TestParameters(), RATES, observation, reference=reference)


@pytest.mark.parametrize("name", ["sequential_likelihood", "sequential_information_gain"])
@pytest.mark.parametrize("module", ["", "floatcsep.utils.helpers.", "floatcsep.utils."])
def test_floatcseps_names_are_known_with_and_without_their_module(name: str, module: str) -> None:
    assert find_test(module + name).name == name


def test_a_score_becomes_a_record(observe: Observe) -> None:
    found = _score(observe(POINTS, columns=4, rows=1), RATES, REFERENCE)
    record = found.record('{"in":{},"v":1,"what":"test"}', None, datetime(2020, 1, 1, tzinfo=UTC))
    assert isinstance(record, ScoreRecord)
    assert ScoreRecord.model_validate_json(record.model_dump_json()) == record
    assert (record.statistic, record.n_reference) == (found.statistic, found.n_reference)


def _windows(scores: list[float]) -> dict[TimeWindow, float]:
    return {sample_window(number): score for number, score in enumerate(scores)}


@pytest.mark.parametrize(
    ("scores", "total"),
    [
        ([], None),
        ([-1.5], -1.5),
        ([1e16, 1.0, -1e16], 1.0),
        ([-1.0, -math.inf, -math.inf], -math.inf),
        ([math.inf, -math.inf], None),
    ],
)
def test_scores_add_up_in_any_order(scores: list[float], total: float | None) -> None:
    assert total_score("sequential_likelihood", _windows(scores)) == total
    assert total_score("sequential_likelihood", _windows(scores[::-1])) == total


def test_scores_of_windows_that_share_time_do_not_add_up() -> None:
    first, second = sample_window(0), sample_window(1)
    growing = TimeWindow(start=first.start, end=second.end)
    assert total_score("sequential_likelihood", {first: -1.0, second: -2.0}) == -3.0
    assert total_score("roc", {first: 0.5, second: 0.6}) is None
    assert total_score("sequential_likelihood", {first: -1.0, growing: -2.0}) is None
