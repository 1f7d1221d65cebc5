"""What ``forequake status`` says: what runs took, and what is under way or ended badly."""

import json
from pathlib import Path

import pytest

from flows.cli._troubles import trouble_lines
from flows.cli.status import status
from forequake.environment import process_owner
from forequake.errors import InputError
from forequake.quantities import now
from forequake.results import RunChange, RunState, Stage, UnitError, UnitRecord, UnitState
from forequake.timers import Timers, Timing, collecting
from stores import ResultsStore, RunRef, open_store
from stores.testing.samples import sample_experiment, sample_label, sample_run, sample_window


@pytest.fixture
def url(tmp_path: Path) -> str:
    return f"sqlite:///{tmp_path / 'results.sqlite'}"


@pytest.fixture
def store(url: str) -> ResultsStore:
    return open_store(url)


def _run(store: ResultsStore, timers: Timers | None, state: RunState = RunState.COMPLETED) -> None:
    experiment = sample_experiment()
    store.put([experiment])
    run = store.begin_run(sample_run(experiment))
    reference = RunRef(id=run.id, experiment="sample", run_no=run.run_no)
    timings = None if timers is None else timers.timings()
    store.update_run(reference, RunChange(timings=timings, state=state), expect=RunState.RUNNING)


def _timers(scale: float = 1.0) -> Timers:
    timers = Timers()
    for number, seconds in enumerate((1.0, 2.0, 30.0)):
        timers.add(Stage.RUN, "slow [model]", seconds * scale, sample_window(number))
    timers.add(Stage.RUN, "quick", 0.5 * scale, sample_window())
    timers.add(Stage.TESTS, "quick", 0.25 * scale, sample_window(), "N")
    timers.add(Stage.STORE, None, 0.25 * scale)
    return timers


def test_it_says_which_model_takes_the_time(
    store: ResultsStore, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(store, _timers())
    status("sample", store=url, timings=True)
    out, err = capsys.readouterr()
    assert "sample, run 1 of " in out
    assert "completed after" in out
    lines = [line.split() for line in out.splitlines()]
    assert ["run", "33.5", "99%", "4", "0.95", "30"] in [line[:6] for line in lines]
    assert f"Longest run: 30 s, slow [model] in {sample_window(2).id}" in out
    assert f"Longest tests: 0.25 s, N of quick in {sample_window().id}" in out
    models = [line[0] for line in lines if line and line[0] in {"slow", "quick", "(no"}]
    assert models == ["slow", "quick", "(no"]
    assert "at once" in err


def test_json_has_all_of_the_last_runs(
    store: ResultsStore, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for scale in (1.0, 2.0):
        _run(store, _timers(scale))
    status("sample", store=url, timings=True, of_runs=10, as_json=True)
    told = json.loads(capsys.readouterr().out)
    assert (told["runs"], told["last_run"]["run_no"], told["under_way"]) == (2, 2, [])
    assert {stage["stage"]: stage["seconds"] for stage in told["stages"]} == {
        "run": 100.5,
        "tests": 0.75,
        "store": 0.75,
    }
    longest = told["stages"][0]["longest"]
    assert longest == {"model": "slow [model]", "seconds": 60.0, "window": sample_window(2).id, "test": None}
    assert [(model["model"], model["seconds"]) for model in told["models"]] == [
        ("slow [model]", 99.0),
        ("quick", 2.25),
        (None, 0.75),
    ]
    status("sample", store=url, as_json=True)
    assert "timings" not in json.loads(capsys.readouterr().out)["runs"][0]


def test_a_run_that_is_under_way_says_at_what_it_is(
    store: ResultsStore, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    timers = Timers()
    with collecting(timers), Timing(Stage.RUN, "slow", sample_window()):
        _run(store, timers, RunState.RUNNING)
    status("sample", store=url, timings=True)
    out = capsys.readouterr().out
    assert f": run of slow in {sample_window().id}" in out
    assert "It has not told yet what it takes" in out


def test_a_run_of_before_took_nothing_that_is_known(
    store: ResultsStore, url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _run(store, None)
    status("sample", store=url, timings=True)
    assert "Nothing was timed, or it was not kept." in capsys.readouterr().out


def test_options_that_go_together(store: ResultsStore, url: str) -> None:
    _run(store, None)
    with pytest.raises(InputError, match="need the name"):
        status(None, store=url, timings=True)
    with pytest.raises(InputError, match="goes with --timings"):
        status("sample", store=url, of_runs=3)


def _unit(
    number: int, test: str, state: UnitState, message: str | None = None, attempts: int = 1
) -> UnitRecord:
    return UnitRecord(
        label=sample_label(test, "alpha", number),
        state=state,
        attempts=attempts,
        error=None if message is None else UnitError(kind="ModelFailed", message=message),
        owner="somebody",
        changed_at=now(),
    )


def test_many_places_with_one_reason_take_one_line() -> None:
    first, last = sample_window(0).id, sample_window(99).id
    units = [
        _unit(number, test, UnitState.UPSTREAM_FAILED, f"window {sample_window(number).id}: no", 1 + number)
        for number in range(100)
        for test in ("N", "S")
    ]
    assert trouble_lines(units) == [
        f"upstream_failed (attempts 1 to 100): N, S of alpha in 100 windows, first {first}, last {last}, "
        f"200 results: window {first}: no"
    ]
    running = [_unit(number, "N", UnitState.RUNNING) for number in range(3)]
    assert trouble_lines(running) == [
        f"running (attempt 1): N of alpha in 3 windows, first {first}, last {sample_window(2).id}, 3 results"
    ]


def test_one_place_takes_the_line_that_it_needs() -> None:
    units = [_unit(2, "N", UnitState.FAILED, "no number")]
    assert trouble_lines(units) == [f"failed (attempt 1): N of alpha in {sample_window(2).id}: no number"]


def test_of_very_many_reasons_some_are_said() -> None:
    units = [_unit(number, "N", UnitState.FAILED, f"reason {number}") for number in range(40)]
    lines = trouble_lines(units)
    assert (len(lines), lines[-1]) == (31, "... and 10 more: --json has all")


@pytest.mark.parametrize("experiment", [None, "sample"])
def test_a_run_whose_process_is_gone_has_crashed_everywhere(
    store: ResultsStore, url: str, capsys: pytest.CaptureFixture[str], experiment: str | None
) -> None:
    host, boot, number, _ = process_owner().split("/")
    record = sample_experiment()
    store.put([record])
    store.begin_run(sample_run(record, owner=f"{host}/{boot}/{number}/1"))

    for as_json in (False, True):
        status(experiment, store=url, as_json=as_json)
        said = capsys.readouterr().out
        assert "crashed" in said
        assert "running" not in said
