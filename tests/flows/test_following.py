"""How far models are: what a terminal shows, what a file gets, and what the log of a run says."""

import io
from datetime import timedelta

import pytest
from rich.console import Console

from flows._following import Following, ModelView, duration, view_text
from flows.cli._progress import _Display, _Lines
from forequake.run_status import RunFollower, RunStatus
from forequake.windows import TimeWindow

WINDOW = TimeWindow.from_id("2020-01-02T00:00:00Z_2020-01-03T00:00:00Z")


def _view(model: str = "etas", **status: float | str) -> ModelView:
    return ModelView(model, WINDOW, 3, 20, RunStatus(**status))  # type: ignore[arg-type]


def test_a_line_for_people_says_which_window_how_far_and_how_silent() -> None:
    view = _view(share=0.4, step="simulate", seconds=130.0, silent_seconds=3.0)
    place = "etas: window 3 of 20 (2020-01-02T00:00:00Z_2020-01-03T00:00:00Z)"
    assert view_text(view) == f"{place}, 40%, simulate, runs for 2 min"
    hung = _view(step="fit", seconds=11_000.0, silent_seconds=10_900.0)
    assert view_text(hung) == f"{place}, fit, runs for 3 h 3 min, has printed nothing for 3 h 1 min"
    assert [duration(seconds) for seconds in (0, 119.9, 120, 7500)] == ["0 s", "119 s", "2 min", "2 h 5 min"]


def _shown(display: _Display) -> str:
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    console.print(display.group)
    text = console.file.getvalue()  # type: ignore[attr-defined]
    assert isinstance(text, str)
    return text


def test_a_terminal_shows_results_and_each_model_that_runs() -> None:
    display = _Display("my [experiment]", Console(file=io.StringIO(), width=100, force_terminal=True))
    display.plan(60, 12)
    display.model("etas", _view(share=0.4, step="simulate [red]1[/]", seconds=12.0, silent_seconds=1.0))
    display.model("pp", _view("pp", step="fit", seconds=300.0, silent_seconds=240.0))

    results, etas, pp = (line for line in _shown(display).splitlines() if line.strip())
    assert "my [experiment]: 12 stored already" in results
    assert "etas 3/20 2020-01-02" in etas
    assert "40% simulate [red]1[/]" in etas
    assert "silent for 4 min fit" in pp

    display.model("etas", None)
    display.model("unknown", None)
    assert "etas" not in _shown(display)


def test_a_file_gets_a_line_now_and_then(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    moment = [1000.0]
    monkeypatch.setattr("flows.cli._progress.time.monotonic", lambda: moment[0])
    lines = _Lines()
    for second in range(200):
        moment[0] = 1000.0 + second
        lines.model("etas", _view(seconds=float(second)))
    said = capsys.readouterr().err.splitlines()
    assert [line.rpartition("runs for ")[2] for line in said] == ["15 s", "75 s", "2 min", "3 min"]


def test_the_log_of_a_run_says_once_a_minute_how_far_a_model_is(monkeypatch: pytest.MonkeyPatch) -> None:
    moment = [1000.0]
    monkeypatch.setattr("flows._following.time.monotonic", lambda: moment[0])
    shown: list[ModelView | None] = []
    logged: list[str] = []
    following = Following("etas", 4, lambda model, view: shown.append(view), logged.append)
    following.begin(WINDOW, 1)
    following.say("etas: building the environment")
    for second in range(1, 130):
        moment[0] += 1
        following.status(RunStatus(seconds=float(second)))
    following.begin(WINDOW.model_copy(update={"end": WINDOW.end + timedelta(days=1)}), 3)
    following.end()

    assert [line.rpartition(", ")[2] for line in logged] == [
        "etas: building the environment",
        "runs for 60 s",
        "runs for 2 min",
    ]
    assert shown[-1] is None
    assert shown[1] is not None
    assert shown[1].status.step == "building the environment"
    assert shown[-2] is not None
    assert (shown[-2].number, shown[-2].of) == (4, 4)


def test_what_a_model_says_moves_no_cursor_and_stays_until_it_says_more() -> None:
    seen: list[RunStatus] = []
    follower = RunFollower(seen.append)
    follower.life({"seconds": 1.0, "silent": 0.5, "said": "\x1b[31mfit\x1b[0m\tof \x07a\r"})
    follower.progress({"progress": 0.5, "step": "simulate\n"})
    follower.life({"seconds": 9.0, "silent": 4.0, "said": "other"})
    follower.progress({"progress": 1, "step": 7})
    follower.life({"seconds": 10.0, "silent": 0.0, "said": "x" * 200})

    assert [status.step for status in seen] == ["fit of a", "simulate", "simulate", "", "x" * 77 + "..."]
    assert [status.share for status in seen] == [None, 0.5, 0.5, 1.0, 1.0]
    assert seen[2] == RunStatus(share=0.5, step="simulate", seconds=9.0, silent_seconds=4.0)
