"""Runs of the models in `bad_models`, and the table of how each of them ends.

``python -m tests.models.model_runs`` prints the table that stands in ``docs/models.md``.
"""

import shutil
import sys
import tempfile
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from forequake.catalogs import Events
from forequake.errors import ModelFailed
from forequake.models.environments.built import running_environment
from forequake.models.runs import ExpectedForecast, ModelLimits, ModelRequest, ModelRun, run_model
from forequake.models.sources import PathSource, StagedSource, fetch_source
from forequake.processes import ProgramLimits
from forequake.processes.below import descendants, start_of
from forequake.regions import Region
from forequake.windows import TimeWindow

MODELS = Path(__file__).parent / "bad_models"
WINDOW = TimeWindow.from_id("2020-01-02T00:00:00Z_2020-01-03T00:00:00Z")
OUTPUT = "forecasts/model_2020-01-02_2020-01-03.csv"
#: What a test of seconds can wait for.
LIMITS: Mapping[str, Any] = {
    "seconds": 8.0,
    "memory_mb": 300,
    "disk_mb": 8,
    "processes": 6,
    "grace_seconds": 0.3,
}


@dataclass(frozen=True)
class Case:
    """A model, how its run must end, and words of the message or the notes."""

    model: str
    state: str
    words: str = ""
    limits: Mapping[str, Any] = field(default_factory=dict)


CASES = (
    Case("good", "succeeded"),
    Case(
        "hangs",
        "timeout",
        "ended after 0.6 s, the most that it may take; it said last: thinking",
        {"seconds": 0.6},
    ),
    Case("is_deaf", "timeout", "ended after 0.6 s", {"seconds": 0.6}),
    Case(
        "falls_silent", "silence", "printed nothing for 0.5 s; it said last: step 1", {"silence_seconds": 0.5}
    ),
    Case("forks_a_daemon", "succeeded", "left a process running"),
    Case("multiplies", "processes", "more than 6 processes"),
    Case("fills_memory", "memory", "more than 300 MB of memory"),
    Case("fills_its_disk", "disk", "wrote more than 8 MB"),
    Case("prints_a_gigabyte", "succeeded"),
    Case("exits_with_7", "exit_code", "exit code 7; it said last: the fit did not converge"),
    Case("needs_a_package", "exit_code", "No module named 'no_such_package_anywhere'"),
    Case("calls_home", "exit_code", "Network is unreachable"),
    Case("looks_for_tomorrow", "exit_code", "there is no catalog of tomorrow"),
    Case("writes_nothing", "no_output", f"{OUTPUT} was expected; beside it there is forecast.csv"),
    Case("writes_too_much", "output_size", "at most 1 are taken"),
    Case("writes_half", "unreadable_output", "cut short or damaged"),
    Case("writes_nan", "unreadable_output", "100 events have a value that is missing"),
    Case("links_outside", "unreadable_output", "a link that leads out of the model's folder"),
    Case(
        "writes_the_next_window",
        "wrong_window",
        "100 of the 100 events of the forecast are not in the window",
    ),
    Case("writes_another_region", "wrong_region", "none of its 100 events lies in the region box"),
    Case("deletes_its_source", "succeeded"),
    Case("leaves_files", "succeeded"),
)


def events(times: tuple[str, ...] = ("2020-01-01T10:00:00.123456", "2020-01-01T23:59:59.999999")) -> Events:
    """Make events in the region, by default two before the window."""
    number = len(times)
    return Events(
        time_us=np.array(times, dtype="datetime64[us]").astype(np.int64),
        longitude=np.linspace(0.1, 1.9, number),
        latitude=np.full(number, 0.5),
        depth_km=np.full(number, 10.0),
        magnitude=np.linspace(4.0, 5.0, number),
        event_id=np.array([f"e{place}" for place in range(number)]),
    )


def staged(model: str, folder: Path) -> StagedSource:
    """Put a model and what it shares with the good one on a shelf, with a catalog of tomorrow beside it."""
    source = folder / "sources" / model
    source.mkdir(parents=True)
    (folder / "sources" / "tomorrow.csv").write_text("the future")
    shutil.copy(MODELS / "good.py", source / "good.py")
    shutil.copy(MODELS / f"{model}.py", source / "run.py")
    return fetch_source(PathSource(source), folder, shelf=folder / "source-shelf", say=lambda line: None)


def request(model: str, folder: Path, limits: Mapping[str, Any] | None = None, **more: Any) -> ModelRequest:
    """Ask for a run of a model in a folder of the test's own."""
    fields: dict[str, Any] = {
        "model": model,
        "argv": ("python", "run.py"),
        "environment": running_environment(),
        "window": WINDOW,
        "input_catalog": events(),
        "output_names": (OUTPUT,),
        "expected": ExpectedForecast(
            "catalog", Region("box", np.array([[0.0, 0.0], [1.0, 0.0]]), 1.0), np.array([4.0, 5.0])
        ),
        "destination": folder / "results" / f"{model}.csv",
        "shelf": folder / "runs",
        "limits": ModelLimits(ProgramLimits(**{**LIMITS, **(limits or {})}), output_mb=1),
    }
    if "source" not in more:
        fields["source"] = staged(model, folder)
    return ModelRequest(**{**fields, **more})


@dataclass(frozen=True)
class Ended:
    """How a run ended."""

    state: str
    message: str
    seconds: float
    processes: int
    files: int
    run: ModelRun | None


def run_case(case: Case, folder: Path) -> Ended:
    """Run a model, and count what it leaves behind: processes below this one, and files of the run."""
    asked = request(case.model, folder, case.limits)
    before = set(descendants())
    begun = time.monotonic()
    run: ModelRun | None = None
    try:
        run = run_model(asked)
        state, message = "succeeded", "; ".join(run.notes)
    except ModelFailed as error:
        state, message = error.cause, str(error)
    seconds = time.monotonic() - begun
    files = list((folder / "runs").iterdir())
    if run is None and asked.destination.exists():
        files.append(asked.destination)
    left = [each for each in set(descendants()) - before if start_of(each) is not None]
    return Ended(state, message, seconds, len(left), len(files), run)


def run_beside(case: Case, folder: Path) -> tuple[Ended, Ended]:
    """Run a model and the good one at once."""
    good: list[Ended] = []
    for name in ("one", "other"):
        (folder / name).mkdir()
    beside = threading.Thread(target=lambda: good.append(run_case(CASES[0], folder / "other")))
    beside.start()
    ended = run_case(case, folder / "one")
    beside.join()
    return ended, good[0]


def main() -> None:
    """Print the table."""
    lines = [
        "| model | state | seconds | processes left | files left | message |",
        "|---|---|---|---|---|---|",
    ]
    for case in CASES:
        with tempfile.TemporaryDirectory() as folder:
            Path(folder).chmod(0o755)
            ended = run_case(case, Path(folder))
        message = ended.message.replace(f"model {case.model!r}, window {WINDOW.id}: ", "")
        lines.append(
            f"| {case.model} | {ended.state} | {ended.seconds:.1f} | {ended.processes} | {ended.files} "
            f"| {message or 'none'} |"
        )
    sys.stdout.write("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
