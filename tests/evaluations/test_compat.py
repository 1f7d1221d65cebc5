"""``compat: pycsep`` as an option: what it changes in a result and its key, and what refuses it."""

from collections.abc import Callable
from datetime import UTC, datetime

import numpy as np
import pytest

from forequake.errors import InputError
from forequake.evaluations import (
    TESTS,
    ZERO_RATE_FLAG,
    Evaluated,
    Observation,
    TestDefinition,
    TestParameters,
    derive_seed,
    evaluate,
    evaluate_catalogs,
    find_test,
)
from forequake.evaluations.inputs import check_parameters
from forequake.keys import canonical_text
from forequake.results import LowerQuantile, Outcome
from forequake.windows import TimeWindow
from tests.evaluations.drawn_catalogs import draw

WINDOW = TimeWindow(start=datetime(2020, 1, 1, tzinfo=UTC), end=datetime(2020, 2, 1, tzinfo=UTC))


def _binary_spatial(observation: Observation, *, compat: bool) -> Evaluated:
    rates = np.ones((12, 3))
    rates[0] = 0.0
    definition = find_test("binary S")
    parameters = TestParameters.for_test(definition, num_simulations=50, compat="pycsep" if compat else None)
    return evaluate("binary S", parameters, rates, observation, seed=1)


def test_the_numbers_differ_and_say_whose_they_are(observe: Callable[..., Observation]) -> None:
    observation = observe([(10.5, 40.5, 4.2)])  # where nothing is expected
    own, theirs = (_binary_spatial(observation, compat=compat) for compat in (False, True))
    assert (own.statistic, own.outcome, own.flags) == (-np.inf, Outcome.REJECTED, (ZERO_RATE_FLAG,))
    assert theirs.statistic == pytest.approx(1 - 33, rel=1e-12)  # +1 for the event, by hand
    assert theirs.flags == (ZERO_RATE_FLAG, "compat_pycsep")
    assert theirs.rule == (
        f"{own.rule}; with the numbers of pyCSEP 0.8 (compat: pycsep), not forequake's own"
    )
    record = theirs.record("{}", None, datetime(2020, 1, 1, tzinfo=UTC))
    assert (record.flags, record.rule) == (theirs.flags, theirs.rule)


def test_results_of_simulated_catalogs_say_it_too() -> None:
    drawn = draw(3)
    parameters = TestParameters.for_test(find_test("MLL M"), compat="pycsep")
    result = evaluate_catalogs("MLL M", parameters, drawn.counted, drawn.observation, seed=3)
    assert result.flags == ("compat_pycsep",)
    assert "pyCSEP" in result.rule


def test_no_events_pass_as_in_pycsep(observe: Callable[..., Observation]) -> None:
    result = _binary_spatial(observe([]), compat=True)
    assert (result.quantiles, result.outcome) == (LowerQuantile(q=1.0), Outcome.PASSED)


def test_it_is_part_of_the_key_and_not_of_the_seed() -> None:
    definition = find_test("CL")
    plain = TestParameters.for_test(definition)
    compat = TestParameters.for_test(definition, compat="pycsep")
    assert "compat" not in canonical_text("result", 1, plain)  # keys of older results stay
    assert '"compat":"pycsep"' in canonical_text("result", 1, compat)
    assert derive_seed(7, "x", plain, WINDOW) == derive_seed(7, "x", compat, WINDOW)


@pytest.mark.parametrize("definition", TESTS.values(), ids=lambda definition: definition.name)
def test_only_tests_of_pycsep_take_it(definition: TestDefinition) -> None:
    variance = 9.0 if definition.needs_variance else None
    if definition.has_pycsep_numbers:
        assert TestParameters.for_test(definition, variance=variance, compat="pycsep").compat == "pycsep"
        return
    with pytest.raises(InputError, match=f"{definition.name} is no test of pyCSEP and takes no compat"):
        TestParameters.for_test(definition, variance=variance, compat="pycsep")


def test_the_tests_of_pycsep_are_these() -> None:
    names = [definition.short for definition in TESTS.values() if definition.has_pycsep_numbers]
    assert " | ".join(sorted(names)) == (
        "Brier | CL | L | M | MLL M | N | NBD-N | PL | S | T | W | binary CL | binary S | binary T | "
        "catalog M | catalog N | catalog S | resampled M"
    )


@pytest.mark.parametrize("letters", ["resampled M", "MLL M"])
def test_a_seed_that_is_none_in_pycsep_is_refused(letters: str) -> None:
    definition = find_test(letters)
    parameters = TestParameters.for_test(definition, compat="pycsep")
    with pytest.raises(InputError, match="in pyCSEP takes a seed of 0 for none"):
        check_parameters(definition, parameters, 0)
    check_parameters(definition, parameters, 1)
    check_parameters(definition, TestParameters.for_test(definition), 0)  # a seed like any other


def test_where_pycsep_gives_nan_the_test_says_nothing(observe: Callable[..., Observation]) -> None:
    definition = find_test("NBD-N")
    parameters = TestParameters.for_test(definition, variance=9.0, compat="pycsep")
    rates = np.full((12, 3), 1e-200)  # the square of their sum is 0, and pyCSEP divides by it
    result = evaluate("NBD-N", parameters, rates, observe([(10.5, 40.5, 4.2)]))
    assert (result.outcome, result.quantiles) == (Outcome.UNDEFINED, None)
    assert result.reason == "pyCSEP gives NaN for an expected number of 3.6e-199 events"
