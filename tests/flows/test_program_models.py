"""Runs with a model whose program makes the forecast of each window."""

import contextlib
import json
import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forequake.results import ForecastRecord, ProspectiveStatus, Stage, UnitState
from stores import ResultQuery
from tests.flows.conftest import table_of

pytestmark = pytest.mark.prefect

Make = Callable[..., Any]

#: Expects a share of the events that were before the window, and of one more, evenly spread.
PROGRAM = f"""
import json, pathlib, sys, time
here = pathlib.Path("input")
arguments = json.loads((here / "args.json").read_text())
events = (here / "catalog.csv").read_text().splitlines()[1:]
start, end = arguments["start_date"], arguments["end_date"]
assert all(line.split(",")[3] < start for line in events), "an event of the future"
time.sleep(arguments.get("sleep", 0))
if start[:4] == arguments.get("breaks_in"):
    sys.exit("no forecast of " + start[:4])
rate = arguments["factor"] * (1 + len(events))
table = {table_of(1.0, 1.0)!r}.splitlines()
rows = [",".join([*row.split(",")[:-3], *[str(rate / 6)] * 3]) for row in table[1:]]
name = "past_" + start[:10] + "_" + end[:10] + ".csv"
pathlib.Path("forecasts").mkdir(exist_ok=True)
pathlib.Path("forecasts", name).write_text("\\n".join([table[0], *rows]) + "\\n")
print("expects", rate)
"""


def _with_program(experiment: Any, **arguments: object) -> Path:
    """Add a model with a program; give its folder."""
    config: Path = experiment.config
    words = json.dumps({"factor": 0.5} | arguments)
    entry = (
        "- past: {path: models/past, func: python forecast.py, forecast_type: gridded, fmt: csv, "
        f"args_file: args.json, func_kwargs: {words}}}\n"
    )
    text = config.read_text().replace("models:\n", f"models:\n{entry}")
    config.write_text(re.sub("intervals: [0-9]+", "horizon: 1 years", text))
    folder = config.parent / "models" / "past"
    folder.mkdir(parents=True)
    (folder / "forecast.py").write_text(PROGRAM)
    return folder


def _expected(experiment: Any) -> dict[int, float]:
    """Give the events that the model expects, by the year of the window."""
    rows = experiment.open().latest(ResultQuery(experiment="small", limit=1000)).rows
    return {
        row.label.window.start.year: row.n_forecast
        for row in rows
        if row.label.model == "past" and row.test == "poisson_number"
    }


def test_a_program_makes_the_forecast_of_each_window_from_its_past(
    prefect_api: str, make_experiment: Make
) -> None:
    small = make_experiment(windows=3)
    folder = _with_program(small)
    before = sorted(path.name for path in folder.rglob("*"))
    code, out, err = small.run()
    assert code == 0, out + err
    seen = (small.config.parent / "catalog.csep").read_text().splitlines()
    past = {year: sum(line.split(",")[3] < str(year) for line in seen) for year in (2000, 2001, 2002)}
    assert _expected(small) == {year: pytest.approx(0.5 * (1 + count)) for year, count in past.items()}
    assert sorted(path.name for path in folder.rglob("*")) == before  # it worked in a copy

    store = small.open()
    runs = [record.run for record in store.scan(ForecastRecord) if record.run is not None]
    assert {record.prospective for record in store.scan(ForecastRecord)} == {ProspectiveStatus.RETROSPECTIVE}
    assert sorted(run.n_input_events for run in runs) == sorted(past.values())
    assert len({run.seed for run in runs}) == 3
    assert all(run.command == ("python", "forecast.py") and "expects" in run.log for run in runs)
    assert json.loads(runs[0].arguments)["factor"] == 0.5

    took = {timing.stage: timing for timing in store.timings("small") if timing.model == "past"}
    numbers = [took[stage].number for stage in (Stage.BUILD, Stage.INPUT, Stage.RUN, Stage.TESTS)]
    assert numbers == [1, 3, 3, 9]  # its environment was asked once
    assert took.keys() == set(Stage)
    assert took[Stage.SOURCE].number >= 4  # also to know what a forecast is made of
    assert took[Stage.RUN].seconds == pytest.approx(sum(run.seconds["run"] for run in runs))
    assert {*runs[0].seconds} == {"source", "input", "run", "check"}

    code, out, err = small.run()
    assert code == 0, out + err
    assert {timing.stage for timing in store.timings("small")} == {Stage.SOURCE, Stage.STORE}
    assert store.runs("small")[0].counts.computed == 0  # nothing ran again


def test_a_program_that_changes_runs_again_and_one_window_that_fails_stops_no_other(
    prefect_api: str, make_experiment: Make
) -> None:
    small = make_experiment(windows=3)
    _with_program(small, breaks_in="2001")
    code, out, err = small.run()
    assert code == 1
    told = " ".join(err.split())
    assert "its program ended with exit code 1; it said last: no forecast of 2001" in told
    assert list(_expected(small)) == [2000, 2002]
    assert {unit.state for unit in small.open().units("small")} == {UnitState.UPSTREAM_FAILED}
    # A program that makes nothing takes its time all the same.
    counted = {
        timing.stage: timing.number for timing in small.open().timings("small") if timing.model == "past"
    }
    assert counted[Stage.RUN] == counted[Stage.INPUT] == 3

    small.config.write_text(small.config.read_text().replace('"breaks_in": "2001"', '"breaks_in": "never"'))
    code, out, err = small.run()
    assert code == 0, out + err
    assert list(_expected(small)) == [2000, 2001, 2002]
    # Its arguments are others: all three windows of N and CL and T, though two have the same rates as before.
    assert small.open().runs("small")[0].counts.computed == 9


def test_variants_each_have_their_own_forecasts_and_share_a_program_that_knows_of_none(
    prefect_api: str, make_experiment: Make
) -> None:
    small = make_experiment(windows=1)
    folder = _with_program(small)
    # The third variant's file is there and is read; one with the entry's own name is none of a variant's.
    (folder / "forecasts").mkdir()
    for name in ("past", "past@factor=3"):
        (folder / "forecasts" / f"{name}_2000-01-01_2001-01-01.csv").write_text(table_of(1.0, 2.0))
    text = small.config.read_text()
    text = text.replace('func_kwargs: {"factor": 0.5}', "variants: {product: {factor: [0.5, 2.0, 3]}}")
    small.config.write_text(text)
    code, out, err = small.run()
    assert code == 0, out + err
    rows = small.open().latest(ResultQuery(experiment="small", limit=1000)).rows
    expected = {row.label.model: row.n_forecast for row in rows if row.test == "poisson_number"}
    assert expected["past@factor=2.0"] == pytest.approx(4 * expected["past@factor=0.5"])
    runs = [record.run for record in small.open().scan(ForecastRecord) if record.run is not None]
    assert sorted(json.loads(run.arguments)["factor"] for run in runs) == [0.5, 2.0]
    assert expected["past@factor=3"] == pytest.approx((1 + 0.5 + 0.25) * (1.0 + 2.0))


@pytest.mark.slow
def test_a_run_that_is_killed_takes_its_program_with_it(prefect_api: str, make_experiment: Make) -> None:
    small = make_experiment(windows=2)
    _with_program(small, sleep=60)
    process = small.start()
    try:
        _wait_for(_running)
        process.kill()
        _wait_for(lambda: not _running())
    finally:
        process.kill()
        process.communicate()


def _running() -> bool:
    """Tell whether the program of a model runs."""
    for process in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if b"python\0forecast.py\0" in (process / "cmdline").read_bytes():
                return True
    return False


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.1)
