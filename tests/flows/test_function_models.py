"""Runs with a model whose function gives the forecasts, beside the same model as a program."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forequake.results import ForecastRecord
from stores import ResultQuery
from tests.flows.test_program_models import PROGRAM

pytestmark = pytest.mark.prefect

Make = Callable[..., Any]

#: What the program of the other tests does: a share of the past events, and of one more, evenly spread.
FUNCTION = """\
import numpy as np


def forecast(given, *, factor):
    print("expects", factor * (1 + len(given.past)))
    return np.full((len(given.cells), len(given.magnitudes)), factor * (1 + len(given.past)) / 6)
"""


def _with_models(experiment: Any, *entries: str) -> None:
    config: Path = experiment.config
    (config.parent / "my models.py").write_text(FUNCTION)
    text = config.read_text().replace("models:\n", "models:\n" + "".join(f"- {entry}\n" for entry in entries))
    config.write_text(re.sub("intervals: [0-9]+", "horizon: 1 years", text))


def test_a_function_gives_what_the_same_model_gives_as_a_program(
    prefect_api: str, make_experiment: Make
) -> None:
    small = make_experiment(windows=3)
    _with_models(
        small,
        'called: {kind: callable, func: "my models.py:forecast", forecast_type: gridded, '
        "func_kwargs: {factor: 0.5}}",
        "past: {path: models/past, func: python forecast.py, forecast_type: gridded, fmt: csv, "
        "args_file: args.json, func_kwargs: {factor: 0.5}}",
    )
    folder = small.config.parent / "models" / "past"
    folder.mkdir()
    (folder / "forecast.py").write_text(PROGRAM)
    shown = small.command("plan", str(small.config))
    assert re.search(r"called +0 +9", shown), shown
    code, out, err = small.run()
    assert code == 0, out + err
    store = small.open()
    rows = store.latest(ResultQuery(experiment="small", limit=1000)).rows
    found = {
        name: {
            (row.test, row.label.window.id): (row.statistic, row.n_forecast, row.outcome)
            for row in rows
            if row.label.model == name
        }
        for name in ("called", "past")
    }
    assert len(found["called"]) == 9
    assert found["called"].keys() == found["past"].keys()
    for place, numbers in found["called"].items():
        if place[0] != "poisson_conditional_likelihood":  # it draws with a seed of its own
            assert numbers[:2] == pytest.approx(found["past"][place][:2]), place
            assert numbers[2] == found["past"][place][2]

    runs = [record.run for record in store.scan(ForecastRecord) if record.source == "my models.py"]
    assert [run.command for run in runs if run] == [("my models.py:forecast",)] * 3
    assert all(run and "expects" in run.log and run.arguments == '{\n  "factor": 0.5\n}\n' for run in runs)

    assert re.search(r"called +9 +0", small.command("plan", str(small.config)))
    (small.config.parent / "my models.py").write_text(FUNCTION + "\n# another\n")
    assert re.search(r"called +0 +9", small.command("plan", str(small.config)))
