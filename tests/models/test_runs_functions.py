"""Models that are functions, called for real in processes of their own; good ones and bad ones."""

import hashlib
import json
import shutil
import sys
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forequake.errors import ModelFailed
from forequake.forecasts.answers import answered_catalogs, answered_rates
from forequake.models.runs import RUNNER_VERSION, ExpectedForecast, ModelRequest, ModelRun, run_model
from forequake.models.runs import _function_runner as runner
from forequake.models.sources import PathSource, StagedSource, fetch_source, verify
from forequake.processes.below import descendants
from forequake.regions import Region
from tests.models.model_runs import request

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="what is watched is known on Linux alone"),
]
FUNCTIONS = Path(__file__).parent / "bad_models" / "functions"
REGION = Region("box", np.array([[0.0, 0.0], [1.0, 0.0]]), 1.0)
EDGES = np.array([4.0, 4.5, 5.0])


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    # Not pytest's own folder, which other users may not enter.
    with tempfile.TemporaryDirectory(prefix="forequake-tests-") as name:
        Path(name).chmod(0o755)
        yield Path(name)


@pytest.fixture(scope="module")
def source(folder: Path) -> StagedSource:
    functions = folder / "functions"
    shutil.copytree(FUNCTIONS, functions)
    (functions / "broken.py").write_text("def forecast(given:\n    return None\n")
    return fetch_source(PathSource(functions), folder, shelf=folder / "shelf", say=lambda line: None)


def _request(folder: Path, source: StagedSource, function: str, **more: Any) -> ModelRequest:
    kind = more.pop("kind", "gridded")
    expected = ExpectedForecast(kind, REGION, EDGES, n_catalogs=more.pop("n_catalogs", None))
    text = function if ":" in function else f"model.py:{function}"
    limits = {"memory_mb": 400} | more.pop("limits", {})
    named = {"source": source, "function": text, "argv": (text,), "expected": expected, "seed": 5}
    return request(text.replace("/", "-"), folder, limits, **named, **more)


@dataclass(frozen=True)
class Case:
    """A function, the cause of its failure, and what its message must have, line by line."""

    function: str
    cause: str
    words: tuple[str, ...]
    kind: str = "gridded"
    n_catalogs: int | None = None
    limits: Mapping[str, Any] = field(default_factory=dict)


CASES = (
    Case(
        "hangs",
        "timeout",
        ("ended after 1.5 s, the most that it may take; it said last: thinking", "in hangs: time.sleep(60)"),
        limits={"seconds": 1.5},
    ),
    Case(
        "raises",
        "exit_code",
        (
            "model.py:raises raised ValueError: no fit to 2 events",
            ", in raises: return _fits(given)",
            'in _fits: raise ValueError(f"no fit to {len(given.past)} events',
        ),
    ),
    Case(
        "raises_in_the_middle",
        "exit_code",
        (
            "raised RuntimeError: the branching ratio is above 1 after 3 catalogs",
            "in raises_in_the_middle: raise",
        ),
        "catalog",
    ),
    Case("exits", "exit_code", ("ended its process with the exit code no parameters in place of an answer",)),
    Case("exits_well", "no_output", ("ended its process with the exit code 0 in place of an answer",)),
    Case("vanishes", "no_output", ("ended its process with the exit code 0 in place of an answer",)),
    Case(
        "crashes", "killed", ("SIGSEGV ended its program", "in crashes: os.kill(os.getpid(), signal.SIGSEGV)")
    ),
    Case("fills_memory", "memory", ("more than 400 MB of memory",)),
    Case(
        "gives_nothing",
        "unreadable_output",
        ("gave nothing; expected numbers of shape (2 cells, 3 magnitude bins)", "at the end: done"),
    ),
    Case(
        "gives_the_other_way_round",
        "wrong_region",
        ("of shape (1, 2); expected numbers of shape (2 cells, 3",),
    ),
    Case("gives_words", "unreadable_output", ("gave a list; expected numbers",)),
    Case("gives_masked", "unreadable_output", ("gave a MaskedArray with masked values; expected",)),
    Case("gives_nan", "unreadable_output", ("1 rates are not numbers, first nan in the cell at 1, 0",)),
    Case("gives_negative", "unreadable_output", ("6 rates are negative, first -",)),
    Case("gives_a_generator", "unreadable_output", ("gave a generator; expected numbers of shape",)),
    Case(
        "gives_one_catalog",
        "unreadable_output",
        ("gave one catalog; expected a list of catalogs",),
        "catalog",
    ),
    Case("gives_no_catalog", "unreadable_output", ("gave no catalog",), "catalog"),
    Case(
        "gives_numbers_for_times",
        "unreadable_output",
        ("time that cannot be used: it is an array of float64, not of datetime64; given.after(days)",),
        "catalog",
    ),
    Case(
        "gives_mag",
        "unreadable_output",
        ("gave catalog 0 without 'magnitude' ('mag' is not its name)",),
        "catalog",
    ),
    Case(
        "gives_columns_of_two_lengths",
        "unreadable_output",
        ("columns of different lengths: time 1, longitude 1, latitude 1, depth_km 1, magnitude 2",),
        "catalog",
    ),
    Case(
        "gives_fewer_than_asked", "unreadable_output", ("gave 9 catalogs, but n_sims says 10",), "catalog", 10
    ),
    Case(
        "gives_the_next_window", "wrong_window", ("are not in the window", "at its end or later"), "catalog"
    ),
    Case(
        "gives_nan_magnitudes", "unreadable_output", ("a value that is missing", "magnitude nan"), "catalog"
    ),
    Case(
        "needs_a_package.py:forecast",
        "exit_code",
        (
            "ModuleNotFoundError: No module named 'no_such_package_anywhere'; what it imports must lie",
            "needs_a_package.py:1, in <module>: import no_such_package_anywhere",
        ),
    ),
    Case("broken.py:forecast", "exit_code", ("SyntaxError: ", "broken.py:1: def forecast(given:")),
    Case("leaves.py:forecast", "no_output", ("ended its process with the exit code 0",)),
    Case("model.py:nothing", "exit_code", ("AttributeError: module 'model' has no attribute 'nothing'",)),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.function)
def test_a_bad_function_ends_with_its_cause_and_its_own_lines(
    case: Case, folder: Path, source: StagedSource
) -> None:
    before = set(descendants())
    with pytest.raises(ModelFailed) as failure:
        run_model(
            _request(
                folder, source, case.function, kind=case.kind, n_catalogs=case.n_catalogs, limits=case.limits
            )
        )
    message = str(failure.value)
    assert failure.value.cause == case.cause, message
    for words in case.words:
        assert words in message
    assert "runner" not in message
    assert message.encode()  # no half characters, which no store takes
    assert set(descendants()) == before
    assert list((folder / "runs").iterdir()) == []


def test_the_function_is_given_the_window_the_past_the_grid_and_its_seed(
    folder: Path, source: StagedSource
) -> None:
    progress: list[Mapping[str, Any]] = []
    asked = _request(
        folder, source, "tells_all", arguments={"words": [1, {"a": None}]}, on_progress=progress.append
    )
    run = run_model(asked)
    told = json.loads(run.log.splitlines()[-1])
    assert told["window"] == ["2020-01-02T00:00:00+00:00", "2020-01-03T00:00:00+00:00", 1.0]
    times = ["2020-01-01T10:00:00.123456", "2020-01-01T23:59:59.999999"]
    assert told["past"] == [2, "datetime64[us]", times, ["e0", "e1"]]
    assert told["places"] == [[0.1, 1.9], [0, 1], [0, 2]]
    # A cell of a degree at the equator: 111.19 km times 111.19 km, less what the meridians converge.
    assert told["grid"][:2] == [[[0, 1, 0, 1], [1, 2, 0, 1]], [4.0, 4.5, 5.0]]
    assert told["grid"][2] == pytest.approx([12363.7] * 2, abs=0.1)
    assert told["limits"] == [None, None]
    draw = [5, np.random.default_rng(5).random(), np.random.RandomState(5).random_sample()]
    assert told["draw"] == draw
    assert told["words"] == [1, {"a": None}]
    assert told["files"] == ["broken.py", "leaves.py", "model.py", "needs_a_package.py"]
    assert told["network"] is False
    assert "read-only" in told["writes"]
    assert progress == [{"progress": 0.25, "step": "look"}]
    assert json.loads(run.arguments) == {"words": [1, {"a": None}]}


def _rates(run: ModelRun) -> np.ndarray:
    return answered_rates(run.output, "f", REGION, EDGES, "refuse").rates


def test_rates_are_those_of_a_calculation_by_hand(folder: Path, source: StagedSource) -> None:
    run = run_model(_request(folder, source, "rates", arguments={"factor": 2.0}))
    # Two events and one more, times two, half in each cell; Gutenberg-Richter with b = 1.
    by_hand = 3 * np.array([1 - 10**-0.5, 10**-0.5 - 0.1, 0.1])
    assert _rates(run) == pytest.approx(np.array([by_hand, by_hand]), rel=1e-12)
    assert run.sha256 == hashlib.sha256(run.output.read_bytes()).hexdigest()


@pytest.mark.parametrize(
    "function", ["prints_100_mb", "deletes_its_source", "leaves_a_thread", "comes_back_twice"]
)
def test_a_rude_function_gives_the_same_forecast(function: str, folder: Path, source: StagedSource) -> None:
    run = run_model(_request(folder, source, function))
    verify(source)
    assert len(run.log) < 20_000
    assert _rates(run).sum() == pytest.approx(3.0)


def test_catalogs_stream_and_depend_on_the_seed_alone(folder: Path, source: StagedSource) -> None:
    asked = _request(folder, source, "catalogs", kind="catalog", n_catalogs=10_000)
    run = run_model(asked)
    forecast = answered_catalogs(run.output, "f", 10_000, "refuse")
    rng = np.random.default_rng(5)
    sizes = []
    for number in range(20):
        size = rng.poisson(2.0)
        sizes.append(size)
        days = np.sort(rng.uniform(0, 1.0, size))
        events = forecast.catalog(number)
        start = np.datetime64("2020-01-02", "us").astype(np.int64)
        assert np.abs(events.time_us - start - days * 86_400e6).max(initial=0) <= 1
        assert events.longitude.tolist() == rng.uniform(0, 2, size).tolist()
        assert events.latitude.tolist() == rng.uniform(0, 1, size).tolist()
        assert events.magnitude.tolist() == (4.0 + rng.exponential(0.4, size)).tolist()
    assert len(forecast) == 10_000
    assert np.diff(forecast.offsets)[:20].tolist() == sizes
    assert run.peak_memory < 200 << 20
    assert run_model(asked).sha256 == run.sha256


def test_times_may_be_those_of_python_and_empty_catalogs_count(folder: Path, source: StagedSource) -> None:
    run = run_model(_request(folder, source, "gives_times_of_python", kind="catalog"))
    forecast = answered_catalogs(run.output, "f", None, "refuse")
    noon = np.datetime64("2020-01-02T12:00", "us").astype(np.int64)
    assert (len(forecast), forecast.n_empty, forecast.time_us.tolist()) == (3, 1, [noon, noon])


def test_the_version_of_the_runner_changes_with_what_it_does() -> None:
    """It is part of keys: raise it with what a function is given or may give, and put the new hash here."""
    code = hashlib.sha256(Path(runner.__file__).read_bytes()).hexdigest()[:12]
    assert (RUNNER_VERSION, code) == (1, "a3a9d938f4ac")
