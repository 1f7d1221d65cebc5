"""Whole runs through a real Prefect server: what is computed, stored, said, and left alone."""

import json
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
import scipy.stats

from forequake.environment import process_owner
from forequake.errors import InputError
from forequake.results import EvaluationRecord, Outcome, RunState, TailQuantiles, UnitState
from stores import Block, ResultQuery

pytestmark = pytest.mark.prefect

Make = Callable[..., Any]

#: Windows of an experiment whose run takes a few seconds after its first results.
_MANY = 200


def _rows(experiment: Any) -> tuple[Any, ...]:
    rows = experiment.open().latest(ResultQuery(experiment="small", limit=10_000)).rows
    return tuple(rows)


def _healthy(experiment: Any) -> bool:
    return not [finding for finding in experiment.open().check() if finding.severity == "error"]


def test_a_run_computes_everything_and_the_next_one_nothing(prefect_api: str, make_experiment: Make) -> None:
    small = make_experiment()
    code, out, err = small.run()
    assert (code, "10 results computed" in out) == (0, True), err
    rows = _rows(small)
    assert len(rows) == 10  # two windows: N and CL of two models, T of one over the other
    code, out, err = small.run()
    assert (code, "Nothing to compute: all 10 results were stored already." in out) == (0, True), err
    assert [row.key for row in _rows(small)] == [row.key for row in rows]
    assert [run.counts.computed for run in small.open().runs("small")] == [0, 10]


def test_the_numbers_are_those_of_poisson(prefect_api: str, make_experiment: Make) -> None:
    small = make_experiment(windows=1)
    small.run()
    number = next(row for row in _rows(small) if row.test == "poisson_number" and row.label.model == "flat")
    expected = 2 * 1.75  # two cells, three bins of 1, 1/2 and 1/4 a year, one year
    assert number.n_forecast == pytest.approx(expected, rel=1e-12)
    assert number.n_observed == 4
    assert isinstance(number.quantiles, TailQuantiles)
    assert number.quantiles.delta1 == pytest.approx(scipy.stats.poisson.sf(3, expected), rel=1e-9)
    assert number.quantiles.delta2 == pytest.approx(scipy.stats.poisson.cdf(4, expected), rel=1e-9)


def test_no_task_run_is_lost(prefect_api: str, make_experiment: Make) -> None:
    small = make_experiment()
    small.run()
    flow_run = small.open().runs("small")[0].flow_run_id
    wanted = {"flow_runs": {"id": {"any_": [flow_run]}}}
    deadline = time.monotonic() + 30
    with httpx.Client(trust_env=False) as client:
        while True:
            found = client.post(f"{prefect_api}/task_runs/filter", json=wanted).json()
            states = sorted(run["state_type"] for run in found)
            # The catalog, two models staged and read, a block of each, the count and the report.
            if states == ["COMPLETED"] * 9 or time.monotonic() > deadline:
                break
            time.sleep(0.5)
    assert states == ["COMPLETED"] * 9


def test_one_broken_model_stops_no_other(prefect_api: str, make_experiment: Make) -> None:
    small = make_experiment()
    model = small.config.parent / "models" / "flat.csv"
    model.write_text(model.read_text()[:-20])  # cut short within the last line
    code, _, err = small.run()
    assert code == 1
    assert "flat.csv:3: '' is not a number; the file is cut short or damaged" in err.replace("\n", "")
    # All of the flat model, and the comparison of the other one with it.
    units = small.open().units("small", {UnitState.UPSTREAM_FAILED})
    places = {(unit.label.model, unit.label.test) for unit in units}
    assert places == {("flat", "N-test"), ("flat", "CL-test"), ("west", "T-test")}
    assert {(row.label.model, row.label.test) for row in _rows(small)} == {
        ("west", "N-test"),
        ("west", "CL-test"),
    }
    assert small.open().runs("small")[0].state is RunState.FAILED
    assert _healthy(small)


def test_a_mended_model_computes_what_was_missing(prefect_api: str, make_experiment: Make) -> None:
    small = make_experiment()
    model = small.config.parent / "models" / "flat.csv"
    whole = model.read_text()
    model.write_text(whole.replace("0, 1, 0, 1", "5, 6, 0, 1"))  # a cell of another region
    code, _, err = small.run()
    assert (code, "made for another region" in err) == (1, True)
    model.write_text(whole)
    code, out, _ = small.run()
    assert (code, "6 results computed, 4 taken from the store" in out) == (0, True)
    assert small.open().units("small") == []


@pytest.mark.parametrize(
    ("file", "old", "new", "words"),
    [
        ("catalog.csep", "0.5,0.5,5.1", "0.5,0.5,", "catalog.csep:3: the event has no magnitude"),
        ("config.yml", "seed:", "sede:", "did you mean 'seed'"),
        ("config.yml", "models/flat.csv", "models/falt.csv", "falt.csv"),
    ],
)
def test_wrong_input_is_refused_before_anything_is_written(
    make_experiment: Make, file: str, old: str, new: str, words: str
) -> None:
    small = make_experiment()
    path = small.config.parent / file
    path.write_text(path.read_text().replace(old, new, 1))
    code, out, err = small.run()
    assert (code, out) == (2, "")
    assert words in err
    assert "Traceback" not in err
    assert not Path(small.store_url.removeprefix("sqlite:///")).exists()


def test_two_runs_at_once_share_the_work(prefect_api: str, make_experiment: Make) -> None:
    small = make_experiment(windows=6, simulations=2000)
    processes = [small.start(), small.start()]
    for process in processes:
        _, err = process.communicate(timeout=180)
        assert process.returncode == 0, err
    runs = small.open().runs("small")
    assert sum(run.counts.computed for run in runs) == 30  # none twice, none missing
    assert len(_rows(small)) == 30
    assert {run.run_no for run in runs} == {1, 2}
    assert _healthy(small)


def _wait_for_results(small: Any, least: int) -> int:
    """Wait until a run has stored so many results; they are there for good, whatever happens then."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        if Path(small.store_url.removeprefix("sqlite:///")).exists():
            stored = len(small.open().scan(EvaluationRecord, limit=10_000))
            if stored >= least:
                return stored
        time.sleep(0.05)
    pytest.fail("the run stored nothing in two minutes")


@pytest.mark.slow
@pytest.mark.parametrize("least", [1, 8])
def test_after_a_kill_only_what_is_missing_is_computed(
    prefect_api: str, make_experiment: Make, least: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = make_experiment(windows=_MANY, simulations=5000)
    process = small.start()
    _wait_for_results(small, least)
    process.kill()
    process.communicate()
    before = {record.key for record in small.open().scan(EvaluationRecord, limit=10_000)}
    assert _healthy(small)
    code, _, err = small.run()
    assert code == 0, err
    rows = _rows(small)
    assert len({row.key for row in rows}) == 5 * _MANY
    last, killed = small.open().runs("small")
    assert killed.state is RunState.CRASHED
    assert last.counts.computed == 5 * _MANY - len(before)
    assert before <= {row.key for row in rows}
    assert small.open().units("small") == []
    assert _healthy(small)


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_keeps_what_is_done(
    prefect_api: str, make_experiment: Make, number: signal.Signals
) -> None:
    small = make_experiment(windows=_MANY, simulations=5000)
    process = small.start()
    _wait_for_results(small, 1)
    process.send_signal(number)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130, err
    assert "Traceback" not in err
    run = small.open().runs("small")[0]
    assert run.state is RunState.INTERRUPTED
    assert run.counts.computed + run.counts.skipped == 5 * _MANY
    assert run.counts.skipped > 0
    assert len(_rows(small)) == run.counts.computed
    code, out, _ = small.run()
    assert (code, f"{run.counts.skipped} results computed" in out) == (0, True)
    assert _healthy(small)


def test_a_full_disk_ends_in_a_message_and_a_healthy_store(prefect_api: str, make_experiment: Make) -> None:
    small = make_experiment(windows=40)
    small.run("--test", "N-test")
    path = Path(small.store_url.removeprefix("sqlite:///"))
    pages = path.stat().st_size // 4096 + 4
    code, out, err = small.run(store=f"{small.store_url}?max_page_count={pages}")
    assert code == 1
    assert "results.sqlite is full: no space is left" in err
    assert "Nothing to compute" not in out
    assert "Traceback" not in err
    assert _healthy(small)
    assert len([row for row in _rows(small) if row.label.test == "N-test"]) == 80
    code, _, err = small.run()
    assert code == 0, err
    assert len(_rows(small)) == 200


def test_results_as_json_and_csv_keep_the_contract(prefect_api: str, make_experiment: Make) -> None:
    small = make_experiment(windows=1)
    small.run()
    shown = json.loads(small.command("results", "small", "--format", "json", "--distribution"))
    assert {(entry["test"], entry["model"]) for entry in shown} == {
        (row.label.test, row.label.model) for row in _rows(small)
    }
    fields = (
        "experiment test model reference window start end kind statistic quantiles outcome reason alpha side "
        "n_observed n_forecast seed key computed_at distribution"
    )
    by_test = {entry["test"]: entry for entry in shown if entry["model"] == "west"}
    for entry in shown:
        assert set(fields.split()) <= set(entry)
    assert set(by_test["N-test"]["quantiles"]) == {"delta1", "delta2"}
    assert set(by_test["CL-test"]["quantiles"]) == {"q"}
    assert set(by_test["T-test"]["quantiles"]) == {"t", "t_critical", "p"}
    assert by_test["T-test"]["reference"] == "flat"
    assert len(by_test["CL-test"]["distribution"]["values"]) == 100
    lines = small.command("results", "small", "--format", "csv").splitlines()
    assert len(lines) == 1 + len(shown)
    assert lines[0].startswith("experiment,test,model,reference,window,start,end,kind")


def test_what_an_experiment_has_no_more_is_not_shown(prefect_api: str, make_experiment: Make) -> None:
    small = make_experiment()
    small.run()
    config = small.config.read_text()
    small.config.write_text(config.replace("- west: {path: models/west.csv}\n", ""))
    code, out, err = small.run()
    assert code == 0, err
    assert "west" not in out.replace("Not shown: 6 results", "")
    assert "Not shown: 6 results" in out
    shown = json.loads(small.command("results", "small", "--format", "json"))
    assert {entry["model"] for entry in shown} == {"flat"}
    everything = json.loads(small.command("results", "small", "--format", "json", "--all"))
    assert len(everything) == 10
    small.config.write_text(config)  # back as it was: nothing is lost, nothing is computed
    code, out, _ = small.run()
    assert (code, "all 10 results were stored already" in out) == (0, True)


def test_blocks_of_a_dead_process_are_free_at_once(prefect_api: str, make_experiment: Make) -> None:
    small = make_experiment(windows=1)
    small.run()
    store = small.open()
    labels = tuple(row.label for row in _rows(small))
    host, boot, _, start = process_owner().split("/")
    dead = f"{host}/{boot}/{2**22 - 3}/{start}"  # above the largest process number
    assert store.claim([Block(id="left behind", units=labels)], dead)
    assert store.units("small", {UnitState.RUNNING})
    code, _, err = small.run()
    assert code == 0, err
    assert store.units("small") == []  # their results are stored: nothing is left to attend to
    assert store.claim([Block(id="left behind", units=())], process_owner())


def test_a_password_never_reaches_prefect(prefect_api: str, make_experiment: Make) -> None:
    os.environ["PREFECT_API_URL"] = prefect_api
    from flows._guard import WITHOUT_USER
    from flows.run_experiment import run_experiment

    small = make_experiment()
    address = "mongodb://writer:geheim@127.0.0.1/forequake"
    with pytest.raises(InputError, match="store: an address with a user") as caught:
        run_experiment(config=str(small.config), store=address)
    assert "geheim" not in str(caught.value)
    code, out, err = small.run(store=address)
    assert code == 2
    assert "geheim" not in out + err
    with httpx.Client(trust_env=False) as client:
        runs = client.post(f"{prefect_api}/flow_runs/filter", json={}).json()
    assert "geheim" not in json.dumps(runs)
    schema = run_experiment.parameters.model_dump()
    assert schema["properties"]["store"]["pattern"] == WITHOUT_USER


def test_an_undefined_result_counts_as_computed(prefect_api: str, make_experiment: Make) -> None:
    small = make_experiment(windows=1)
    catalog = small.config.parent / "catalog.csep"
    catalog.write_text(catalog.read_text().splitlines()[0] + "\n")  # an empty window
    code, _, err = small.run()
    assert code == 0, err
    outcomes = {(row.label.test, row.label.model): row.outcome for row in _rows(small)}
    assert outcomes["CL-test", "flat"] is Outcome.UNDEFINED
    assert outcomes["N-test", "flat"] is not Outcome.UNDEFINED
    assert small.open().runs("small")[0].counts.undefined == 3
