"""Seeds and keys of results, with golden values, and what the inputs refuse."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import numpy as np
import pytest
from pydantic import ValidationError

from forequake.errors import InputError
from forequake.evaluations import (
    TESTS,
    Evaluated,
    Observation,
    ResultInputs,
    TestParameters,
    derive_seed,
    evaluate,
    find_test,
)
from forequake.keys import key_of
from forequake.results import ComparisonRecord, ConsistencyRecord, Outcome
from forequake.windows import TimeWindow

WINDOW = TimeWindow(
    start=datetime(2019, 7, 6, 3, 20, tzinfo=UTC), end=datetime(2019, 7, 13, 3, 20, tzinfo=UTC)
)
SIMULATED = TestParameters(num_simulations=1000)
SEED_TEXT = (
    '{"in":{"parameters":{"alpha":0.05,"num_simulations":1000},"seed":1,"test":"poisson_spatial",'
    '"window":{"end":"2019-07-13T03:20:00.000000Z","start":"2019-07-06T03:20:00.000000Z"}},'
    '"v":1,"what":"seed"}'
)
# Hashed apart from forequake, with hashlib on texts written by hand.
GOLDEN_SEEDS = (2309769470, 3816517363, 1079645632, 2106719774, 3137897381)
GOLDEN_KEY = "0c77e1378c726e07003a2f672bae615bfeed0529840cfba6fdc234055ddefd8d"


def test_a_seed_is_the_hash_of_its_canonical_text() -> None:
    seed = derive_seed(1, "poisson_spatial", SIMULATED, WINDOW)
    assert seed == int(key_of(SEED_TEXT)[:8], 16)


def test_golden_seeds() -> None:
    # Changing these changes every stored result with random numbers.
    assert derive_seed(1, "poisson_spatial", SIMULATED, WINDOW) == GOLDEN_SEEDS[0]
    assert derive_seed(1, "poisson_magnitude", SIMULATED, WINDOW) == GOLDEN_SEEDS[1]
    assert derive_seed(2, "poisson_spatial", SIMULATED, WINDOW) == GOLDEN_SEEDS[2]
    later = TimeWindow(start=WINDOW.start + timedelta(days=1), end=WINDOW.end + timedelta(days=1))
    assert derive_seed(1, "poisson_spatial", SIMULATED, later) == GOLDEN_SEEDS[3]
    fewer = TestParameters(num_simulations=999)
    assert derive_seed(1, "poisson_spatial", fewer, WINDOW) == GOLDEN_SEEDS[4]


def test_seeds_fit_numpys_generator_and_are_never_zero() -> None:
    seeds = [derive_seed(n, "poisson_spatial", SIMULATED, WINDOW) for n in range(2000)]
    assert all(0 < seed < 2**32 for seed in seeds)
    assert len(set(seeds)) == 2000
    assert max(seeds) > 2**31 > min(seeds)


def test_a_hash_that_begins_with_zeros_gives_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forequake.keys.key_of", lambda text: "0" * 64)
    assert derive_seed(1, "poisson_spatial", SIMULATED, WINDOW) == 1


def _inputs(**changes: object) -> ResultInputs:
    values: dict[str, object] = {
        "test": "poisson_spatial",
        "parameters": SIMULATED,
        "kernel_version": 1,
        "forecast": "a" * 64,
        "catalog": "b" * 64,
        "region": "c" * 64,
        "magnitudes": (4.95, 5.05),
        "seed": 7,
    }
    return ResultInputs.model_validate(values | changes)


def test_the_golden_text_of_a_result() -> None:
    inputs = _inputs()
    assert inputs.canon == (
        '{"in":{"catalog":"' + "b" * 64 + '","forecast":"' + "a" * 64 + '","kernel_version":1,'
        '"magnitudes":[4.95,5.05],"parameters":{"alpha":0.05,"num_simulations":1000},"reference":null,'
        '"region":"' + "c" * 64 + '","seed":7,"test":"poisson_spatial"},"v":1,"what":"result"}'
    )
    assert inputs.key == GOLDEN_KEY


def test_every_input_of_a_result_changes_its_key() -> None:
    changed = [
        _inputs(),
        _inputs(test="poisson_magnitude"),
        _inputs(parameters=TestParameters(num_simulations=999)),
        _inputs(parameters=TestParameters(num_simulations=1000, alpha=0.01)),
        _inputs(kernel_version=2),
        _inputs(forecast="d" * 64),
        _inputs(catalog="d" * 64),
        _inputs(region="d" * 64),
        _inputs(magnitudes=(4.95, 5.15)),
        _inputs(seed=8),
    ]
    assert len({inputs.key for inputs in changed}) == len(changed)


@pytest.mark.parametrize(
    "changes",
    [
        {"seed": None},
        {"seed": 2**32},
        {"seed": -1},
        {"parameters": TestParameters()},
        {"reference": "d" * 64},
        {"test": "poisson_number"},
        {"test": "poisson_paired_t", "seed": None, "parameters": TestParameters()},
        {"test": "poisson_nothing"},
    ],
)
def test_inputs_that_a_test_does_not_take_have_no_key(changes: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        _inputs(**changes)


@pytest.mark.parametrize("name", TESTS)
def test_parameters_are_written_out(name: str) -> None:
    definition = find_test(name)
    variance = 12.5 if definition.needs_variance else None
    parameters = TestParameters.for_test(definition, variance=variance)
    assert (parameters.alpha, parameters.variance) == (0.05, variance)
    assert parameters.num_simulations == (1000 if definition.simulated else None)


@pytest.mark.parametrize(
    ("letters", "parameters", "seed", "reference", "complaint"),
    [
        (
            "S",
            TestParameters(num_simulations=5),
            None,
            False,
            "poisson_spatial draws random numbers and needs a",
        ),
        ("S", TestParameters(), 1, False, "needs num_simulations"),
        ("S", TestParameters(num_simulations=5), 2**32, False, "from 0 to 4294967295, got 4294967296"),
        ("N", TestParameters(), 1, False, "poisson_number draws no random numbers and takes no seed"),
        ("N", TestParameters(num_simulations=5), None, False, "takes no num_simulations"),
        ("N", TestParameters(variance=5), None, False, "takes no variance"),
        ("NBD-N", TestParameters(), None, False, "needs the variance"),
        ("N", TestParameters(), None, True, "poisson_number is a consistency test and takes no reference"),
        ("T", TestParameters(), None, False, "poisson_paired_t is a comparison test and needs a reference"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(
    letters: str,
    parameters: TestParameters,
    seed: int | None,
    reference: bool,
    complaint: str,
    observe: Callable[..., Observation],
) -> None:
    rates = np.ones((12, 3))
    with pytest.raises(InputError, match=complaint):
        evaluate(letters, parameters, rates, observe([]), reference=rates if reference else None, seed=seed)


@pytest.mark.parametrize(
    ("rates", "complaint"),
    [
        (np.ones((12, 4)), r"shape \(12, 4\), its cells and magnitude bins \(12, 3\)"),
        (np.full((12, 3), -0.5), "the rate -0.5"),
        (np.full((12, 3), np.nan), "the rate nan"),
    ],
)
def test_rates_that_are_none_are_refused(
    rates: np.ndarray, complaint: str, observe: Callable[..., Observation]
) -> None:
    with pytest.raises(InputError, match=complaint):
        evaluate("N", TestParameters(), rates, observe([]))
    with pytest.raises(InputError, match="reference forecast"):
        evaluate("T", TestParameters(), np.ones((12, 3)), observe([]), reference=rates)


@pytest.mark.parametrize(
    ("points", "magnitudes", "complaint"),
    [
        ([], (4.0, 4.5, 5.5), "evenly spaced and increasing, got the lower edges 4, 4.5, 5.5"),
        ([], (5.0, 4.5), "evenly spaced"),
        (
            [(10.5, 40.5, 4.2), (9.9, 40.5, 4.2)],
            (4.0, 4.5),
            "1 target events lie outside small, first event-1",
        ),
        ([(10.5, 40.5, 3.99)], (4.0, 4.5), "outside the magnitudes from 4 on"),
        ([(10.5, 40.5, np.nan)], (4.0, 4.5), "magnitude nan"),
    ],
)
def test_an_observation_off_its_grid_is_refused(
    points: list[tuple[float, float, float]],
    magnitudes: tuple[float, ...],
    complaint: str,
    observe: Callable[..., Observation],
) -> None:
    with pytest.raises(InputError, match=complaint):
        observe(points, magnitudes=magnitudes)


def test_a_result_becomes_a_record(
    observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    inputs = _inputs(parameters=TestParameters(num_simulations=50), seed=1)
    moment = datetime(2026, 1, 1, tzinfo=UTC)
    evaluated = run("S", np.ones((12, 3)), observe([(10.5, 40.5, 4.2), (12.5, 41.5, 5.9)]))
    record = evaluated.record(inputs.canon, "e" * 64, moment)
    assert isinstance(record, ConsistencyRecord)
    assert (record.key, record.canon, record.environment) == (inputs.key, inputs.canon, "e" * 64)
    assert (record.test, record.outcome, record.n_observed) == ("poisson_spatial", Outcome.PASSED, 2)
    assert (record.statistic, record.n_forecast, record.computed_at) == (evaluated.statistic, 36.0, moment)
    assert ConsistencyRecord.model_validate_json(record.model_dump_json()) == record
    whole = evaluated.distribution_record(inputs.canon)
    assert whole is not None
    assert whole.key == record.key
    assert evaluated.sample is not None
    assert list(whole.values) == evaluated.sample.tolist()


def test_a_comparison_becomes_a_record(
    observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    rates = np.ones((12, 3))
    rates[0, 0] = 0.0
    evaluated = run("T", rates, observe([(10.5, 40.5, 4.2)] * 2), reference=np.ones((12, 3)))
    record = evaluated.record("{}", None, datetime(2026, 1, 1, tzinfo=UTC))
    assert isinstance(record, ComparisonRecord)
    assert (record.information_gain, record.n_forecast, record.n_reference) == (-np.inf, 35.0, 36.0)
    assert ComparisonRecord.model_validate_json(record.model_dump_json()) == record
    assert evaluated.distribution_record("{}") is None
