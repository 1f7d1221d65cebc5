"""One block of results: what becomes of the others where one breaks."""

from collections.abc import Callable
from typing import Any

import pytest

from flows import _blocks
from flows._blocks import BlockWork, compute_block
from flows._session import Session
from forequake.config import load_experiment
from forequake.environment import process_owner, record_environment
from forequake.resolution import resolve
from forequake.results import Label, RunDraft, UnitState
from forequake.steps import make_forecasts
from forequake.units import evaluate_unit
from stores import RunRef


def test_a_defect_costs_one_result_and_no_other(
    make_experiment: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    small = make_experiment(windows=1)
    loaded = load_experiment(small.config)
    experiment, store, owner = resolve(loaded), small.open(), process_owner()
    store.put([experiment.record, record_environment()])
    for model in ("flat", "west"):
        made = make_forecasts(loaded, experiment, model, experiment.config.windows)
        with made.open() as data:
            store.put_blob(data)
        store.put(made.records)
    run = store.begin_run(
        RunDraft(
            experiment="small",
            experiment_key=experiment.record.key,
            owner=owner,
            command=("forequake",),
            git_commit=None,
            git_dirty=False,
            environment=record_environment().key,
            host="here",
            seed=7,
        )
    )

    def breaks(experiment: Any, shelf: Any, label: Label, *rest: Any) -> Any:
        if label.test == "N-test":
            message = "never seen"
            raise ZeroDivisionError(message)
        return evaluate_unit(experiment, shelf, label, *rest)

    monkeypatch.setattr(_blocks, "evaluate_unit", breaks)
    labels = tuple(label for label in experiment.labels() if label.model == "west")
    work = BlockWork(id="west", labels=labels, broken={}, environment=record_environment().key)
    reference = RunRef(id=run.id, experiment="small", run_no=run.run_no)
    counts = compute_block(store, Session(owner), experiment, reference, work)
    assert (counts.computed, counts.failed) == (2, 1)
    (unit,) = store.units("small")
    assert (unit.label.test, unit.state) == ("N-test", UnitState.FAILED)
    assert unit.error is not None
    assert unit.error.message == "an error that was not foreseen: ZeroDivisionError('never seen')"
    assert f"N-test of west for {labels[0].window.id}: an error that was not foreseen" in caplog.text
    assert "Traceback" in caplog.text
