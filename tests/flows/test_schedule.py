"""Ticks: new files are taken up, one works at a time, late ones give way, mistakes are said in one line."""

import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from flows._schedules import duration_of, duration_text, timing_of
from forequake.errors import InputError
from forequake.results import RunState
from stores import ResultQuery
from tests.flows.ticks import COMMAND, Child, Deployment, command, holder

Make = Callable[..., Any]


@pytest.mark.parametrize(
    ("text", "seconds"), [("20s", 20), ("10m", 600), ("1h30m", 5400), ("1d", 86_400), (" 90s ", 90)]
)
def test_durations_are_read_as_they_are_written(text: str, seconds: int) -> None:
    assert duration_of(text) == timedelta(seconds=seconds)
    assert duration_of(duration_text(duration_of(text))) == timedelta(seconds=seconds)


@pytest.mark.parametrize(
    ("cron", "interval", "timezone", "said"),
    [
        (None, "10", None, "no duration"),
        (None, "", None, "no duration"),
        (None, "5s", None, "from 10s"),
        (None, "1s1m", None, "no duration"),
        ("0 3 * * *", "1d", None, "not both"),
        ("0 3 * *", None, None, "'0 3 * * *'"),
        ("0 3 * * *", None, "Europe/Romee", "did you mean Europe/Rome"),
        (None, None, "UTC", "needs --cron or --interval"),
    ],
)
def test_a_wrong_schedule_is_refused(
    cron: str | None, interval: str | None, timezone: str | None, said: str
) -> None:
    with pytest.raises(InputError, match=re.escape(said)):
        timing_of(cron, interval, timezone)


def test_a_date_that_never_comes_is_refused() -> None:
    timing = timing_of("0 3 31 2 *", None, None)
    assert timing is not None
    with pytest.raises(InputError, match="never comes"):
        timing.schedule()


def _deploy(api: str, small: Any, *words: str) -> Deployment:
    return Deployment(api, str(small.config), "--store", small.store_url, *words)


@pytest.mark.prefect
def test_each_tick_takes_the_files_as_they_are(prefect_api: str, make_experiment: Make) -> None:
    small = make_experiment(name="files")
    deployment = _deploy(prefect_api, small)
    assert deployment.tick()[0] == "Completed"
    assert deployment.tick() == ("NothingNew", "all 10 results are stored")
    assert len(small.open().runs("files")) == 1  # a tick that finds nothing new is no run

    catalog = small.config.parent / "catalog.csep"
    lines = catalog.read_text().splitlines()
    catalog.write_text("\n".join(lines[:-1]) + "\n")  # the last event is one of the second year
    assert deployment.tick() == ("Completed", "5 cached, 5 computed")
    assert [run.counts.computed for run in small.open().runs("files")] == [5, 10]
    assert deployment.tick()[0] == "NothingNew"


@pytest.mark.prefect
def test_a_tick_gives_way_to_one_that_lives_and_takes_over_from_one_that_was_killed(
    prefect_api: str, make_experiment: Make
) -> None:
    small = make_experiment(name="alone", windows=1)
    deployment = _deploy(prefect_api, small)
    assert deployment.tick()[0] == "Completed"
    runs = small.open().runs("alone")
    with holder(small.store_url, "alone", runs[0].experiment_key) as process:
        name, message = deployment.tick()
        assert name == "Skipped"
        assert re.match(rf"run 2 of alone is at it since .* UTC \(on .*, process {process.pid}\)", message)
        assert len(small.open().runs("alone")) == 2
        process.kill()
        process.wait()
        assert deployment.tick(force=True)[0] == "Completed"
    states = [run.state for run in small.open().runs("alone")]
    assert states == [RunState.COMPLETED, RunState.CRASHED, RunState.COMPLETED]


@pytest.mark.prefect
def test_of_two_ticks_at_once_one_works(prefect_api: str, make_experiment: Make) -> None:
    small = make_experiment(name="pair", simulations=20_000)
    deployment = _deploy(prefect_api, small)
    ids = [deployment.order().json()["id"] for _ in range(2)]
    for child in [Child(run) for run in ids]:
        child.end()
    names = sorted(deployment.state(run)[0] for run in ids)
    assert names in (["Completed", "Skipped"], ["Completed", "NothingNew"])
    assert sum(run.counts.computed for run in small.open().runs("pair")) == 10


@pytest.mark.prefect
def test_late_ticks_give_way_to_the_newest_one(prefect_api: str, make_experiment: Make) -> None:
    small = make_experiment(name="late", windows=1)
    deployment = _deploy(prefect_api, small, "--interval", "1h")
    now = datetime.now(UTC)
    # As after a day without a worker: the scheduler makes runs whose time is over.
    span = {"start_time": str(now - timedelta(hours=24)), "end_time": str(now - timedelta(seconds=1))}
    deployment.ask("POST", f"/deployments/{deployment.id}/schedule", **span, min_runs=24, max_runs=24)
    missed = [run for run in deployment.runs() if datetime.fromisoformat(run["expected_start_time"]) < now]
    assert len(missed) == 24
    name, message = deployment.do(missed[0]["id"])
    assert (name, "22 more" in message) == ("Superseded", True)
    assert deployment.do(missed[-1]["id"])[0] == "Completed"
    names = [deployment.state(run["id"])[0] for run in missed]
    assert names == ["Superseded"] * 23 + ["Completed"]
    assert len(small.open().runs("late")) == 1


@pytest.mark.prefect
def test_a_mistake_is_said_in_one_line_and_the_next_tick_works(
    prefect_api: str, make_experiment: Make
) -> None:
    small = make_experiment(name="mended", windows=1)
    deployment = _deploy(prefect_api, small)
    good = small.config.read_text()
    small.config.write_text(good.replace("mag_min: 5.0", "mag_min: five"))
    name, message = deployment.tick()
    assert (name, "mag_min" in message) == ("Failed", True)
    assert "Traceback" not in deployment.log
    small.config.write_text(good)
    assert deployment.tick()[0] == "Completed"


@pytest.mark.prefect
def test_serving_runs_ticks_until_it_is_told_to_stop(
    prefect_api: str, make_experiment: Make, tmp_path: Path
) -> None:
    small = make_experiment(name="served", windows=1)
    words = [str(small.config), "--store", small.store_url, "--interval", "10s"]
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen([COMMAND, "serve", *words], stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    said = process.stdout.readline()
    assert "served: next tick " in said
    deadline = time.monotonic() + 60
    while not small.open().latest(ResultQuery(experiment="served")).rows and time.monotonic() < deadline:
        time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    noted = (tmp_path / "log").read_text()
    assert (process.returncode, "Traceback" in noted) == (0, False), noted
    assert len(small.open().latest(ResultQuery(experiment="served")).rows) == 5
    assert "served: every 10s, paused; forequake serve" in command("deployments", "list")[1]


@pytest.mark.prefect
def test_what_another_command_took_over_goes_on_there(
    prefect_api: str, make_experiment: Make, tmp_path: Path
) -> None:
    small = make_experiment(name="taken", windows=1)
    with (tmp_path / "log").open("w") as log:
        words = [str(small.config), "--store", small.store_url, "--interval", "1d"]
        process = subprocess.Popen([COMMAND, "serve", *words], stdout=subprocess.PIPE, stderr=log, text=True)
    assert process.stdout is not None
    assert "taken: next tick " in process.stdout.readline()
    deployment = _deploy(prefect_api, small, "--interval", "1d")
    assert "taken was run by forequake serve until now" in deployment.noted
    time.sleep(1)
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=60)
    assert process.returncode == 0
    assert "taken was registered anew by another command" in (tmp_path / "log").read_text()
    assert deployment.read()["paused"] is False


def test_what_a_tick_needs_is_imported_without_pycsep() -> None:
    code = "import flows.run_experiment, sys; print(sorted({m.split('.')[0] for m in sys.modules}))"
    loaded = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    assert not [
        name
        for name in ("csep", "matplotlib", "pandas", "plotly", "scipy", "streamlit")
        if f"'{name}'" in loaded
    ]
