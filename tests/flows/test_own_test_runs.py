"""Runs with tests of a user's own: stored like others, computed again for new code, ended with the run."""

import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forequake.config import load_experiment
from forequake.resolution import resolve
from forequake.results import ExperimentRecord, Outcome, PValue, UnitState
from stores import ResultQuery

pytestmark = pytest.mark.prefect

Make = Callable[..., Any]

CODE = """\
import os
import time


def number(forecast, catalog):
    return {"statistic": len(catalog), "p": 0.5}


def best(forecast, catalog, *reference):
    return {"statistic": forecast.rates.max()}


def fails(forecast, catalog):
    raise ValueError("no such depth")


def sleeps(forecast, catalog, *, note):
    with open(note, "w") as file:
        file.write(str(os.getpid()))
    time.sleep(100)
"""
TESTS = """\
- Number: {func: "mine.py:number"}
- Best: {func: "mine.py:best", func_kwargs: {kind: score}}
- Fails: {func: "mine.py:fails"}
- N: {func: N}
"""


def _with_tests(experiment: Any, tests: str) -> Path:
    head, _, _ = experiment.config.read_text().partition("tests:\n")
    experiment.config.write_text(f"{head}tests:\n{tests}")
    code: Path = experiment.config.parent / "mine.py"
    code.write_text(CODE)
    return code


def test_own_tests_are_computed_stored_and_computed_again_for_new_code(
    prefect_api: str, make_experiment: Make
) -> None:
    small = make_experiment()
    code = _with_tests(small, TESTS)
    exit_code, out, err = small.run()
    assert exit_code == 1
    assert "4 results failed; 12 computed" in out
    assert "mine.py:fails raised ValueError: no such depth" in err
    assert 'mine.py:14, in fails: raise ValueError("no such depth")' in err
    rows = small.open().latest(ResultQuery(experiment="small", limit=100)).rows
    number = next(row for row in rows if row.label.test == "Number")
    assert (number.test, number.statistic, number.outcome) == ("own_consistency", 4.0, Outcome.PASSED)
    assert number.quantiles == PValue(p=0.5)
    best = {row.label.model: row.statistic for row in rows if row.label.test == "Best"}
    assert best == pytest.approx({"flat": 1.0, "west": 1.6}, rel=3e-3)  # a year of 366 days among them
    assert {unit.label.test for unit in small.open().units("small", {UnitState.FAILED})} == {"Fails"}

    code.write_text(
        code.read_text().replace('raise ValueError("no such depth")', 'return {"statistic": 1, "p": 1}')
    )
    exit_code, out, err = small.run()
    assert (exit_code, "12 results computed, 4 taken from the store" in out) == (0, True), err
    store = small.open()
    kept = [record.inputs.own_files["mine.py"] for record in store.scan(ExperimentRecord)]
    texts = set()
    for file in kept:
        with store.open_blob(file.sha256) as source:
            texts.add(source.read().decode())
    assert texts == {CODE, code.read_text()}
    assert not [finding for finding in store.check() if finding.severity == "error"]


def test_keys_made_from_a_template_are_those_of_the_inputs(make_experiment: Make) -> None:
    small = make_experiment(windows=3)
    _with_tests(
        small, TESTS + "- Gain: {func: 'mine.py:best', ref_model: flat, func_kwargs: {kind: score}}\n"
    )
    experiment = resolve(load_experiment(small.config))
    labels = experiment.labels()
    assert [experiment.result_key(label) for label in labels] == [
        experiment.result_inputs(label).key for label in labels
    ]


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGKILL])
def test_nothing_runs_on_when_the_run_is_ended(
    prefect_api: str, make_experiment: Make, tmp_path: Path, number: signal.Signals
) -> None:
    small = make_experiment(windows=1)
    note = tmp_path / "number"
    _with_tests(
        small, f"- Sleeps: {{func: 'mine.py:sleeps', func_kwargs: {{arguments: {{note: '{note}'}}}}}}\n"
    )
    process = small.start("--model", "flat")
    deadline = time.monotonic() + 60
    while not (note.exists() and note.read_text()) and time.monotonic() < deadline:
        time.sleep(0.05)
    sleeper = Path(f"/proc/{note.read_text()}")
    process.send_signal(number)
    _, err = process.communicate(timeout=30)
    assert process.returncode == (130 if number is signal.SIGINT else -number), err
    deadline = time.monotonic() + 10
    while sleeper.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not sleeper.exists()
