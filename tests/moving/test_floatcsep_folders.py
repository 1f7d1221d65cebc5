"""Folders with programs that were written for floatCSEP run as they are.

What floatCSEP itself makes of them: ``python -m tests.moving.both_programs FLOATCSEP``.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from forequake import model_runs, ready_programs
from forequake.config import FolderModel, load_experiment
from forequake.model_runs import forecast_of_window
from forequake.models.environments.built import running_environment
from forequake.resolution import resolve
from forequake.results import ModelRunRecord
from tests.models.environment_standins import DOCKER, install
from tests.moving.floatcsep_folders import DAYS, FOLDERS

#: Events of the catalog before each window; the last of them.
PAST = ((27, "2012-05-22T18:00:00"), (30, "2012-05-23T21:00:00"), (32, "2012-05-24T15:00:00"))
Made = tuple[ModelRunRecord | None, str]


@pytest.fixture
def made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., list[Made]]]:
    """Make the forecasts of a model of a folder."""
    with monkeypatch.context() as patch:

        def make(name: str, model: str, *, windows: int = DAYS, installed: bool = False) -> list[Made]:
            if not installed:  # to install it takes seconds, and it needs nothing
                here = running_environment()
                patch.setattr(ready_programs, "prepare_environment", lambda *words, **more: here)
            folder = tmp_path / "a lab's" / name
            if not folder.exists():
                FOLDERS[name](folder)
            loaded = load_experiment(folder)
            experiment = resolve(loaded)
            spec = experiment.model(model)
            assert isinstance(spec, FolderModel)
            found = []
            for window in experiment.config.windows[:windows]:
                with forecast_of_window(loaded, experiment, spec, window, model_runs.Watch()) as file:
                    found.append((file.run, file.path.read_text()))
            return found

        yield make


def seen(made: list[Made], word: str = "SEEN") -> list[dict[str, Any]]:
    logs = [run.log for run, _ in made if run is not None]
    return [json.loads(found) for log in logs for found in re.findall(rf"{word} (\{{.*\}})", log)]


def past(made: list[Made]) -> list[tuple[int, str]]:
    return [(one["events"], one["last"][:19]) for one in seen(made)]


@pytest.mark.slow
def test_a_command_without_a_path_finds_its_input_beside_the_packages_own_files(
    made: Callable[..., list[Made]],
) -> None:
    forecasts = made("drawn", "drawn", windows=1, installed=True)
    assert past(forecasts) == [PAST[0]]
    (run, text), *_ = forecasts
    assert run is not None
    assert run.build == "venv"
    assert run.command == ("drawn",)
    assert run.arguments == (
        "start_date = 2012-05-23T00:00:00\nend_date = 2012-05-24T00:00:00\n"
        "catalog = catalog.csv\nmag_min = 4.0\nn_sims = 50\nseed = 23\n"
    )
    assert len(text.splitlines()) > 100


@pytest.mark.parametrize("form", ["yml", "json"])
def test_a_command_that_is_written_from_the_experiments_folder_starts_there(
    form: str, made: Callable[..., list[Made]]
) -> None:
    forecasts = made("nested", f"rates-{form}")
    assert past(forecasts) == list(PAST)
    assert seen(forecasts, "ARGUMENTS")[0] == {
        "start_date": "2012-05-23T00:00:00",
        "end_date": "2012-05-24T00:00:00",
        "fit": {"factor": 1.5, "learning": {"days": 10}},
    }
    rates = [float(text.splitlines()[1].split(",")[-2]) for _, text in forecasts]
    assert rates == pytest.approx([events / 10 * 1.5 * 0.45 for events, _ in PAST])


def test_a_line_for_a_shell_is_run_by_one(made: Callable[..., list[Made]]) -> None:
    forecasts = made("shell", "counted")
    assert past(forecasts) == list(PAST)
    assert all(run is not None and run.command[:2] == ("/bin/sh", "-c") for run, _ in forecasts)
    assert [len(text.splitlines()) for _, text in forecasts] == [1 + 3 * events for events in (9, 10, 12)]


def test_forecasts_that_are_files_need_no_program(made: Callable[..., list[Made]]) -> None:
    assert [run for run, _ in made("shell", "given")] == [None] * DAYS


@pytest.mark.parametrize(
    ("recipe", "command", "words"),
    [
        ('ENTRYPOINT ["sh", "run.sh"]', "counted", ()),
        ('CMD ["sh", "run.sh"]', "counted", ()),
        ("RUN chmod +x run.sh", "sh run.sh", ("sh", "run.sh")),
        ("RUN true", "sh run.sh | cat", ("/bin/sh", "-c", "sh run.sh | cat")),
    ],
)
def test_an_image_runs_its_own_command_if_it_has_one(
    recipe: str,
    command: str,
    words: tuple[str, ...],
    made: Callable[..., list[Made]],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    install(DOCKER, tmp_path / "bin", "docker")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}:{os.environ['PATH']}")
    folder = tmp_path / "a lab's" / "shell"
    FOLDERS["shell"](folder)
    (folder / "models/counted/Dockerfile").write_text(f"FROM alpine\nWORKDIR /app\nCOPY . .\n{recipe}\n")
    text = (folder / "models.yml").read_text().replace("build: venv", "build: docker")
    (folder / "models.yml").write_text(re.sub("func: .*", f"func: {command}", text))
    ((run, _),) = forecasts = made("shell", "counted", windows=1, installed=True)
    assert run is not None
    assert run.command == words
    assert past(forecasts) == [PAST[0]]
