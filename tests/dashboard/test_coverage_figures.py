"""The grid of models and windows: each kind of cell, what counts as all, and what is drawn."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dashboard._theme import DARK, LIGHT
from dashboard.figures.coverage import (
    Work,
    coverage_figure,
    coverage_grid,
    coverage_legend,
    coverage_table,
)
from dashboard.figures.timings import timings_figure, timings_table
from forequake.config import ExperimentConfig, load_experiment
from forequake.places import labels_of
from forequake.results import LongestTiming, Stage, StageTiming, UnitRecord, UnitState
from stores import Coverage
from stores.testing import sample_label, sample_window

MODELS = ("mainshock", "aftershock", "uniform")
LATER = datetime(2031, 1, 1, tzinfo=UTC)


@pytest.fixture(scope="module")
def config() -> ExperimentConfig:
    """Give an example with four windows."""
    loaded = load_experiment(Path(__file__).parents[2] / "examples" / "california" / "config.yml")
    windows = tuple(sample_window(number) for number in range(4))
    return loaded.config.model_copy(update={"windows": windows})


def unit(model: str, window: int, state: UnitState) -> UnitRecord:
    label = sample_label("N", model, window)
    return UnitRecord(label=label, state=state, attempts=1, owner="x", changed_at=LATER)


def covered(*counts: tuple[int, ...]) -> Coverage:
    windows = tuple(sample_window(number) for number in range(len(counts)))
    return Coverage(windows=windows, models=tuple(sorted(MODELS)), counts=counts)


def test_each_cell_is_what_the_store_and_the_clock_say(config: ExperimentConfig) -> None:
    wanted = labels_of(config)
    per_window = [sum(label.model == name for label in wanted) // 4 for name in sorted(MODELS)]
    aftershock, mainshock, uniform = per_window
    coverage = covered((aftershock, mainshock, uniform), (aftershock, mainshock - 1, 0))
    units = [unit("uniform", 1, UnitState.FAILED), unit("mainshock", 1, UnitState.RUNNING)]
    grid = coverage_grid(config, coverage, units, sample_window(3).start)
    assert grid.models == MODELS
    works = {name: [Work(work).name for work in grid.works[row]] for row, name in enumerate(MODELS)}
    assert works == {
        "mainshock": ["DONE", "RUNNING", "MISSING", "WAITING"],
        "aftershock": ["DONE", "DONE", "MISSING", "WAITING"],
        "uniform": ["DONE", "FAILED", "MISSING", "WAITING"],
    }
    assert grid.expected.sum() == len(wanted)
    (row,) = [row for row in coverage_table(grid) if row["model"] == "mainshock"]
    assert (row["done"], row["running"], row["results"]) == (1, 1, 2 * mainshock - 1)
    assert "a computation failed (1)" in coverage_legend(grid, LIGHT)
    assert grid.of_models(("uniform",)).works.shape == (1, 4)


def test_results_over_windows_count_in_a_window_that_spans_them_all(config: ExperimentConfig) -> None:
    number = config.tests[0]
    holm = number.model_copy(update={"name": "all N", "test": "holm", "of": number.name})
    grown = tuple(
        window.model_copy(update={"start": config.windows[0].start}) for window in config.windows[:3]
    )
    changed = config.model_copy(update={"tests": (*config.tests, holm), "windows": grown})
    grid = coverage_grid(changed, covered(), (), LATER)
    assert grid.expected.sum() == len(labels_of(changed))
    assert (grid.expected[:, 2] - grid.expected[:, 0]).tolist() == [1, 1, 1]
    one = coverage_grid(config.model_copy(update={"windows": grown[:1]}), covered(), (), LATER)
    assert one.works.tolist() == [[Work.MISSING]] * 3


def test_without_a_configuration_the_most_of_a_model_counts_as_all() -> None:
    grid = coverage_grid(None, covered((7, 5, 7), (6, 5, 7)), (), LATER)
    assert [Work(work).name for work in grid.works[:, 1]] == ["PART", "DONE", "DONE"]
    nothing = coverage_grid(None, Coverage(windows=(), models=(), counts=()), (), LATER)
    assert nothing.works.size == 0


@pytest.mark.parametrize("theme", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize("windows", [1, 7, 1000])
def test_few_windows_have_letters_and_many_have_marks(windows: int, theme: Any) -> None:
    counts = np.full((windows, 25), 8)
    counts[-1, 3] = 0
    coverage = Coverage(
        windows=tuple(sample_window(number) for number in range(windows)),
        models=tuple(f"model-{number:02d}" for number in range(25)),
        counts=tuple(tuple(row) for row in counts.tolist()),
    )
    grid = coverage_grid(None, coverage, [unit("model-07", 0, UnitState.FAILED)], LATER)
    figure = coverage_figure(grid, theme)
    heat, *letters = figure.data
    assert np.array(heat.z).shape == (25, windows)
    assert "a computation failed" in heat.customdata[7][0]
    assert letters[0].mode == ("text" if windows <= 60 else "markers")
    assert list(letters[0].y) == [7]
    assert sum(len(trace.x) for trace in figure.data[1:]) < 20_000
    assert len(figure.layout.xaxis.tickvals) <= 7


def _timing(stage: Stage, model: str | None, seconds: float) -> StageTiming:
    longest = LongestTiming(seconds=seconds, window=sample_window().id)
    return StageTiming(stage=stage, model=model, number=1, seconds=seconds, longest=longest, sizes={0: 1})


def test_a_bar_adds_up_to_what_a_model_took() -> None:
    timings = [
        _timing(Stage.RUN, "alpha", 3.0),
        _timing(Stage.TESTS, "alpha", 1.5),
        _timing(Stage.TESTS, "<beta>", 6.0),
        _timing(Stage.STORE, None, 0.25),
    ]
    figure = timings_figure(timings, LIGHT)
    sums: dict[int, float] = {}
    for bar in figure.data:
        for place, seconds in zip(bar.y, bar.x, strict=True):
            sums[place] = sums.get(place, 0.0) + seconds
    names = dict(zip(figure.layout.yaxis.tickvals, figure.layout.yaxis.ticktext, strict=True))
    assert {names[place]: seconds for place, seconds in sums.items()} == {
        "&lt;beta&gt;": 6.0,
        "alpha": 4.5,
        "(no model)": 0.25,
    }
    assert len({bar.marker.pattern.shape for bar in figure.data}) == len(figure.data)
    assert sum(row["seconds"] for row in timings_table(timings)) == 10.75
