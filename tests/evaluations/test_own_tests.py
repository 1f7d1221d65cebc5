"""Users' own tests: what they are called with, what becomes of their answers, and their failures in words."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from pydantic import JsonValue, ValidationError

from forequake.errors import EvaluationError
from forequake.evaluations import Evaluated, Observation, PreparedForecast, ResultInputs, TestParameters
from forequake.evaluations.own_tests.answers import Kind, read_answer
from forequake.evaluations.own_tests.compute import OwnTests
from forequake.evaluations.own_tests.handover import CalledForecast, SimulatedForecast
from forequake.evaluations.own_tests.inputs import OwnTestInputs
from forequake.evaluations.registry import TESTS
from forequake.keys import bytes_digest
from forequake.processes import Limits
from forequake.quantities import now
from forequake.results import (
    ComparisonRecord,
    ConsistencyRecord,
    LowerQuantile,
    Outcome,
    PValue,
    ScoreRecord,
    Side,
    SimulatedDistribution,
)
from forequake.windows import TimeWindow
from tests.evaluations.drawn_catalogs import draw

WINDOW = TimeWindow(start=datetime(2020, 1, 1, tzinfo=UTC), end=datetime(2020, 1, 8, tzinfo=UTC))
POINTS = [(10.1, 40.2, 4.1), (10.5, 40.5, 4.7), (13.2, 40.4, 6.0)]
RATES = np.array([[0.9, 0.3, 0.1], [0.5, 0.2, 0.05], [0.4, 0.0, 0.02], [1.2, 0.4, 0.2]])
CODE = """
import json
import random
import numpy as np
from constants import FACTOR

def look(forecast, catalog, reference=None, *, seed, alpha, note):
    writeable = [forecast.rates, forecast.cells, catalog.longitude, catalog.counts]
    found = {
        "kind": forecast.kind, "cells": forecast.cells.tolist(), "edges": forecast.magnitudes.tolist(),
        "rates": forecast.rates.tolist(), "total": forecast.total, "n_catalogs": forecast.n_catalogs,
        "longitude": catalog.longitude.tolist(), "cell": catalog.cell.tolist(), "bin": catalog.bin.tolist(),
        "time": [str(time) for time in catalog.time], "counts": catalog.counts.tolist(),
        "window": [catalog.start.isoformat(), catalog.end.isoformat()], "number": len(catalog),
        "reference": None if reference is None else reference.total, "seed": seed, "alpha": alpha,
        "factor": FACTOR, "writeable": any(array.flags.writeable for array in writeable),
        "events": None if forecast.events is None else [
            forecast.events.catalog.tolist(), forecast.events.cell.tolist(), forecast.events.bin.tolist(),
            forecast.events.longitude.tolist(), forecast.events.time.astype("int64").tolist(),
        ],
    }
    with open(note, "w") as file:
        json.dump(found, file)
    return {"statistic": 0, "p": 1}

def draws(forecast, catalog, seed, size=5):
    own = np.random.default_rng(seed).random(size)
    return {"statistic": own[0], "quantile": own[1], "sample": own, "flags": ["few_events"]}

def shared(forecast, catalog):
    return {"statistic": np.random.random() + random.random(), "p": 1}

def gain(forecast, catalog, reference):
    ours, theirs = (one.rates[catalog.cell, catalog.bin] for one in (forecast, reference))
    return {"information_gain": np.log(ours / theirs).mean(), "p": 0.01, "interval": (0.1, 0.9)}

def score(forecast, catalog, reference=None):
    return {"statistic": np.int64(len(catalog))}

def silent(forecast, catalog):
    return {"outcome": "undefined", "reason": "too few events"}

def nothing(forecast, catalog):
    pass

def a_set(forecast, catalog):
    return {"statistic": {1, 2}}

def not_a_number(forecast, catalog):
    return {"statistic": np.nan, "p": 0.5}

def fails(forecast, catalog):
    print("before the end")
    return catalog.magnitud

def opens(forecast, catalog):
    return open("other.csv")

def counts(forecast, catalog):
    return {"statistic": 10**4000, "p": 0.5}


def leaves(forecast, catalog):
    raise SystemExit(3)

def sleeps(forecast, catalog):
    import time
    time.sleep(60)

def takes(forecast, catalog):
    return {"statistic": np.ones(10**9).sum(), "p": 1}
"""
FILES = {"my_tests.py": CODE.encode(), "constants.py": b"FACTOR = 7\n"}

Own = Callable[..., Evaluated]


def _inputs(function: str, test: str, reference: bool, arguments: dict[str, JsonValue]) -> ResultInputs:
    return ResultInputs(
        test=test,
        parameters=TestParameters(alpha=0.05),
        kernel_version=1,
        forecast=bytes_digest(b"forecast"),
        reference=bytes_digest(b"reference") if reference else None,
        catalog=bytes_digest(b"catalog"),
        region=bytes_digest(b"region"),
        magnitudes=(4.0, 4.5, 5.0),
        seed=42,
        own=OwnTestInputs(
            function=f"my_tests.py:{function}",
            files={name: bytes_digest(data) for name, data in FILES.items()},
            arguments=arguments,
            window=WINDOW,
        ),
    )


@pytest.fixture(scope="module")
def own(observe: Callable[..., Observation]) -> Iterator[Own]:
    """Call one of the functions above with a gridded forecast."""
    observation = observe(POINTS, columns=4, rows=1)
    with OwnTests() as tests:

        def call(
            function: str,
            test: str = "own_consistency",
            *,
            compared: bool = False,
            limits: Limits | None = None,
            **arguments: JsonValue,
        ) -> Evaluated:
            return tests.evaluate(
                _inputs(function, test, compared, arguments),
                FILES,
                limits or Limits(seconds=20, memory_mb=1024),
                PreparedForecast.of(RATES),
                observation,
                reference=PreparedForecast.of(RATES / 2) if compared else None,
            )

        yield call


def test_a_function_sees_the_forecast_and_the_events_and_can_change_neither(own: Own, tmp_path: Path) -> None:
    note = tmp_path / "seen.json"
    own("look", "own_comparison", compared=True, note=str(note))
    seen = json.loads(note.read_text())
    assert seen == {
        "kind": "gridded",
        "cells": [[10.0 + x, 11.0 + x, 40.0, 41.0] for x in range(4)],
        "edges": [4.0, 4.5, 5.0],
        "rates": RATES.tolist(),
        "total": RATES.sum(),
        "n_catalogs": None,
        "longitude": [10.1, 10.5, 13.2],
        "cell": [0, 0, 3],
        "bin": [0, 1, 2],
        "time": [f"1970-01-01T00:00:00.00000{number}" for number in range(3)],
        "counts": [[1, 1, 0], [0, 0, 0], [0, 0, 0], [0, 0, 1]],
        "window": ["2020-01-01T00:00:00+00:00", "2020-01-08T00:00:00+00:00"],
        "number": 3,
        "reference": RATES.sum() / 2,
        "seed": 42,
        "alpha": 0.05,
        "factor": 7,
        "writeable": False,
        "events": None,
    }


def test_simulated_catalogs_are_handed_over_with_their_events(tmp_path: Path) -> None:
    drawn = draw(3)
    note = tmp_path / "seen.json"
    forecast: CalledForecast = SimulatedForecast(drawn.forecast, drawn.counted)
    with OwnTests() as tests:
        evaluated = tests.evaluate(
            _inputs("look", "own_consistency", False, {"note": str(note)}),
            FILES,
            Limits(),
            forecast,
            drawn.observation,
        )
    seen, counted = json.loads(note.read_text()), drawn.counted
    assert (seen["kind"], seen["n_catalogs"]) == ("catalog", 60)
    assert seen["rates"] == counted.expected_rates().tolist()
    assert evaluated.n_forecast == pytest.approx(counted.expected_rates().sum(), rel=1e-12)
    assert seen["events"] == [
        counted.catalog.tolist(),
        counted.cell.tolist(),
        counted.bin.tolist(),
        drawn.forecast.longitude[counted.event].tolist(),
        drawn.forecast.time_us[counted.event].tolist(),
    ]
    assert not seen["writeable"]


def test_an_answer_becomes_a_record_with_its_sample(own: Own) -> None:
    expected = np.random.default_rng(42).random(8)
    evaluated = own("draws", size=8)
    record = evaluated.record("canon", None, now())
    assert isinstance(record, ConsistencyRecord)
    assert (record.statistic, record.quantiles) == (expected[0], LowerQuantile(q=expected[1]))
    assert (record.outcome, record.side, record.flags) == (Outcome.PASSED, Side.LOWER, ("few_events",))
    assert record.rule == "rejected when the quantile that my_tests.py:draws gives is below alpha"
    assert (record.seed, record.num_simulations, record.n_observed) == (42, 8, 3)
    assert isinstance(record.distribution, SimulatedDistribution)
    sample = evaluated.distribution_record("canon")
    assert sample is not None
    assert sample.values == tuple(expected)


def test_the_generators_of_the_process_have_the_seed_in_every_call(own: Own) -> None:
    import random

    first, second = own("shared"), own("shared")
    expected = np.random.RandomState(42).random() + random.Random(42).random()
    assert first.statistic == second.statistic == pytest.approx(expected, rel=1e-15)


def test_comparisons_and_scores_are_records_of_their_kinds(own: Own) -> None:
    compared = own("gain", "own_comparison", compared=True).record("canon", None, now())
    assert isinstance(compared, ComparisonRecord)
    assert compared.information_gain == compared.statistic == pytest.approx(np.log(2), rel=1e-12)
    assert (compared.outcome, compared.interval) == (Outcome.BETTER, (0.1, 0.9))
    assert (compared.n_reference, compared.quantiles) == (RATES.sum() / 2, PValue(p=0.01))
    for other in (False, True):
        score = own("score", "own_score", compared=other).record("canon", None, now())
        assert isinstance(score, ScoreRecord)
        assert (score.statistic, score.outcome) == (3.0, Outcome.SCORE_ONLY)
        assert score.n_reference == (RATES.sum() / 2 if other else None)
    undefined = own("silent")
    assert (undefined.outcome, undefined.reason) == (Outcome.UNDEFINED, "too few events")


FAILURES: dict[str, tuple[str, str]] = {
    "nothing": ("nothing", "my_tests.py:nothing gave back nothing, not a dictionary"),
    "no JSON": ("a_set", "gave 'statistic' as a set; expected numbers, text or lists of them"),
    "no number": ("not_a_number", "gave statistic = nan: expected a number, or {'outcome': 'undefined'"),
    "an error": (
        "fails",
        "\n  my_tests.py:54, in fails: return catalog.magnitud\n  It printed at the end: before the end",
    ),
    "a name": (
        "fails",
        "my_tests.py:fails raised AttributeError: 'Catalog' object has no attribute 'magnitud'",
    ),
    "an undeclared file": ("opens", "must stand in func_kwargs: {files: [...]}"),
    "a number without end": ("counts", "my_tests.py:counts gave 'statistic' as an integer of 13288 bits"),
    "an exit": ("leaves", "my_tests.py:leaves ended its process with the exit code 3 in place of an answer"),
    "too long": ("sleeps", "my_tests.py:sleeps took longer than timeout_s allows, 1 s, and was ended"),
    "too large": (
        "takes",
        "my_tests.py:takes needed more memory than memory_mb allows, 1024 MB: MemoryError",
    ),
}


@pytest.mark.parametrize(("function", "says"), FAILURES.values(), ids=FAILURES)
def test_each_failure_has_words_of_its_own(own: Own, function: str, says: str) -> None:
    with pytest.raises(EvaluationError) as caught:
        own(function, limits=Limits(seconds=1, memory_mb=1024))
    assert says in str(caught.value)


def test_a_file_that_cannot_be_imported_is_told(observe: Callable[..., Observation]) -> None:
    files = {"my_tests.py": b"import others\n"}
    with OwnTests() as tests, pytest.raises(EvaluationError) as caught:
        tests.evaluate(
            _inputs("f", "own_consistency", False, {}),
            files,
            Limits(),
            PreparedForecast.of(RATES),
            observe(POINTS, columns=4, rows=1),
        )
    message = "my_tests.py:f was not called: my_tests.py cannot be imported: ModuleNotFoundError: No module"
    assert str(caught.value).startswith(message)
    assert str(caught.value).endswith("my_tests.py:1, in <module>: import others")


#: The kind, what is given back, and the outcome, or what is said of it.
ANSWERS: list[tuple[Kind, dict[str, JsonValue], Outcome | str]] = [
    ("consistency", {"statistic": 1, "quantile": 0.05}, Outcome.PASSED),
    ("consistency", {"statistic": 1, "quantile": 0.049}, Outcome.REJECTED),
    ("consistency", {"statistic": -float("inf"), "p": 0}, Outcome.REJECTED),
    ("consistency", {"statistic": 1, "outcome": "rejected"}, Outcome.REJECTED),
    ("consistency", {"statistic": 1, "p": 0.01, "outcome": "rejected"}, Outcome.REJECTED),
    (
        "consistency",
        {"statistic": 1, "p": 0.01, "outcome": "passed"},
        "its p of 0.01 at alpha = 0.05 says rejected",
    ),
    ("consistency", {"statistic": 1, "outcome": "pass"}, "undefined; did you mean 'passed'?"),
    ("consistency", {"statistic": 1, "outcome": "better"}, "gives passed, rejected, undefined"),
    ("consistency", {"statistic": 1, "outcome": 3}, "gave outcome = 3: a consistency test gives"),
    ("consistency", {"statistic": 1}, "gave no outcome, and no quantile and no p"),
    ("consistency", {"p": 0.5}, "gave no statistic"),
    ("consistency", {"statistic": True, "p": 0.5}, "gave statistic = True: expected a number"),
    ("consistency", {"statistic": "1", "p": 0.5}, "gave statistic = '1': expected a number"),
    ("consistency", {"statistic": 10**400, "p": 0.5}, "too large for a number"),
    ("consistency", {"statistic": 1, "p": 1.5}, "gave p = 1.5: expected a probability"),
    ("consistency", {"statistic": 1, "p": 0.5, "quantile": 0.5}, "one of them decides"),
    ("consistency", {"statistik": 1, "p": 0.5}, "gave the key 'statistik'"),
    ("consistency", {"statistic": 1, "p": 0.5, "information_gain": 1}, "gave the key 'information_gain'"),
    ("consistency", {"statistic": 1, "p": 0.5, "sample": []}, "expected a list of numbers, one or more"),
    (
        "consistency",
        {"statistic": 1, "p": 0.5, "sample": [1, None]},
        "gave sample = [1, None]: expected a number",
    ),
    ("consistency", {"statistic": 1, "p": 0.5, "flags": ["Few events"]}, "expected words such as few_events"),
    ("consistency", {"statistic": 1, "p": 0.5, "reason": "x"}, "belongs to the outcome undefined"),
    ("consistency", {"outcome": "undefined", "reason": "no event"}, Outcome.UNDEFINED),
    ("consistency", {"outcome": "undefined"}, "undefined without a reason"),
    ("consistency", {"outcome": "undefined", "reason": "x", "p": 0.5}, "beside a quantile or p"),
    ("comparison", {"information_gain": 0.5, "p": 0.01}, Outcome.BETTER),
    ("comparison", {"information_gain": -0.5, "p": 0.01}, Outcome.WORSE),
    ("comparison", {"information_gain": -0.5, "p": 0.5}, Outcome.NO_DIFFERENCE),
    ("comparison", {"information_gain": -0.5, "p": 0.01, "outcome": "better"}, "says worse"),
    ("comparison", {"statistic": 2, "p": 0.01, "outcome": "better"}, Outcome.BETTER),
    ("comparison", {"statistic": 2, "p": 0.01}, "neither an information_gain nor better or worse"),
    ("comparison", {"statistic": 2}, "no p with an information_gain"),
    ("comparison", {"statistic": 2, "outcome": "worse", "interval": [2, 1]}, "the lower end first"),
    ("comparison", {"outcome": "worse"}, "needs a statistic or an information_gain"),
    ("score", {"statistic": 2}, Outcome.SCORE_ONLY),
    ("score", {"statistic": 2, "outcome": "passed"}, "a score gives score_only, undefined"),
    ("score", {"statistic": 2, "p": 0.1}, "gave the key 'p'"),
    ("score", {"outcome": "undefined", "reason": "no event"}, Outcome.UNDEFINED),
]


@pytest.mark.parametrize(("kind", "answer", "expected"), ANSWERS)
def test_an_answer_is_read_strictly(
    kind: Kind, answer: dict[str, JsonValue], expected: Outcome | str
) -> None:
    if isinstance(expected, Outcome):
        assert read_answer(kind, answer, alpha=0.05, function="a.py:f").numbers.outcome is expected
        return
    with pytest.raises(EvaluationError) as caught:
        read_answer(kind, answer, alpha=0.05, function="a.py:f")
    assert str(caught.value).startswith("a.py:f gave ")
    assert expected in str(caught.value)


def test_all_that_decides_a_result_is_in_its_key() -> None:
    base = _inputs("f", "own_consistency", False, {"n": 1})
    own = base.own
    assert own is not None
    other = TimeWindow(start=WINDOW.start, end=datetime(2020, 1, 9, tzinfo=UTC))
    changes: list[dict[str, Any]] = [
        {"function": "my_tests.py:g"},
        {"files": own.files | {"constants.py": bytes_digest(b"FACTOR = 8\n")}},
        {"arguments": {"n": 2}},
        {"window": other},
        {"python": "3.99"},
    ]
    keys = {base.model_copy(update={"own": own.model_copy(update=change)}).key for change in changes}
    assert len({*keys, base.key}) == len(changes) + 1
    assert "my_tests.py:f" in base.canon


def test_only_own_tests_have_code() -> None:
    base = _inputs("f", "own_consistency", False, {})
    with pytest.raises(ValidationError, match="own_consistency is a test of a user's own"):
        ResultInputs.model_validate({**dict(base), "own": None})
    with pytest.raises(ValidationError, match="is no test of a user's own"):
        ResultInputs.model_validate({**dict(base), "test": "poisson_number", "seed": None})
    assert {test.name for test in TESTS.values() if test.own} == {
        "own_consistency",
        "own_comparison",
        "own_score",
    }
