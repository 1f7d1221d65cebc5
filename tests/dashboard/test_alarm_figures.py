"""Alarm diagrams as figures: curves and areas as they are stored, and the band of chance."""

import math
from collections.abc import Callable

import numpy as np
import pytest

from dashboard._theme import DARK, LIGHT, Theme
from dashboard.figures.alarms import POINTS, ModelCurve, alarm_figure, areas_figure, chance_band
from dashboard.figures.lines import styles_of
from forequake.results import Curve, Outcome
from stores import ResultRow
from tests.dashboard.test_curve_figures import scored

RowMaker = Callable[..., ResultRow]
MODELS = ("alpha", "beta", "gamma")
STEEP = Curve(x=(0.0, 0.01, 1.0), y=(0.0, 1.0, 1.0), x_name="share in alarm", y_name="share of events")


def curves(*models: str, test: str = "roc", curve: Curve = STEEP) -> list[ModelCurve]:
    return [
        ModelCurve(model, f"{place:064x}", scored(curve, 0.9, test)) for place, model in enumerate(models)
    ]


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_all_curves_lie_over_the_diagonal_and_carry_their_results(theme: Theme) -> None:
    figure = alarm_figure(curves(*MODELS), styles_of(MODELS, (), theme), theme, 3)
    lines = [trace for trace in figure.data if trace.mode == "lines" and trace.legendgroup]
    assert [(tuple(line.x), tuple(line.y)) for line in lines] == [(STEEP.x, STEEP.y)] * 3
    marks = [trace for trace in figure.data if trace.customdata is not None]
    assert [trace.customdata[0][0] for trace in marks] == [one.slot for one in curves(*MODELS)]
    assert len({(line.line.color, line.line.dash) for line in lines}) == 3
    assert len({mark.marker.symbol for mark in marks}) == 3
    diagonal = next(trace for trace in figure.data if trace.name == "no skill: 0.5")
    assert np.allclose(diagonal.x, diagonal.y)


def test_what_is_missed_falls_along_its_diagonal() -> None:
    falling = Curve(x=(0.0, 0.5, 1.0), y=(1.0, 0.5, 0.0), x_name="alarm", y_name="missed")
    figure = alarm_figure(
        curves("alpha", test="molchan", curve=falling), styles_of(MODELS, (), LIGHT), LIGHT, 2
    )
    diagonal = next(trace for trace in figure.data if trace.name == "no skill: 0.5")
    assert np.allclose(diagonal.y, 1 - np.asarray(diagonal.x))
    low, high = (trace for trace in figure.data[:2])
    assert np.all(np.asarray(low.y) <= np.asarray(high.y))


def test_a_logarithmic_axis_begins_below_the_first_alarm() -> None:
    figure = alarm_figure(curves("alpha"), styles_of(MODELS, (), LIGHT), LIGHT, 3, logarithmic=True)
    assert figure.layout.xaxis.type == "log"
    line = next(trace for trace in figure.data if trace.mode == "lines" and trace.legendgroup)
    assert tuple(line.x) == (0.005, 0.01, 1.0)


@pytest.mark.parametrize(("count", "kind"), [(25, "scatter"), (45, "scattergl")])
def test_very_many_points_are_drawn_by_the_graphics_card(count: int, kind: str) -> None:
    models = [f"model {number}" for number in range(count)]
    x = tuple(np.linspace(0, 1, 1000).tolist())
    long = Curve(x=x, y=x, x_name="x", y_name="y")
    figure = alarm_figure(curves(*models, curve=long), styles_of(models, (), LIGHT), LIGHT)
    kinds = [trace.type for trace in figure.data if trace.legendgroup and trace.mode == "lines"]
    assert kinds == [kind] * count
    assert sum(trace.showlegend is None and trace.legendgroup is not None for trace in figure.data) == 8


@pytest.mark.parametrize("logarithmic", [False, True])
def test_a_long_curve_is_drawn_by_so_many_points_that_no_pixel_differs(logarithmic: bool) -> None:
    x = np.concatenate([[0.0], np.geomspace(1e-4, 1, 999)])
    steps = np.floor(40 * np.sqrt(x)) / 40
    long = Curve(x=tuple(x.tolist()), y=tuple(steps.tolist()), x_name="x", y_name="y")
    figure = alarm_figure(
        curves("alpha", curve=long), styles_of(MODELS, (), LIGHT), LIGHT, logarithmic=logarithmic
    )
    line = next(trace for trace in figure.data if trace.mode == "lines" and trace.legendgroup)
    assert len(line.x) <= POINTS
    assert (line.x[-1], line.y[-1]) == (1.0, 1.0)
    drawn, meant = np.asarray(line.x), np.maximum(x, line.x[0])
    across = (np.log10(drawn), np.log10(meant)) if logarithmic else (drawn, meant)
    near = np.abs(across[0][:, None] - across[1]) / np.ptp(across[1]) + np.abs(
        np.asarray(line.y)[:, None] - steps
    )
    assert near.min(axis=0).max() < 2 / POINTS * 2  # along the curve, whose length is 2 at most


def test_the_band_of_chance_holds_95_of_100_random_curves() -> None:
    random = np.random.default_rng(1)
    x, units, n_cells = np.array([0.1, 0.3, 0.5, 0.9]), 7, 1000
    low, high = chance_band(units, x, falls=False)
    active = np.array([random.permutation(n_cells)[:units] for _ in range(4000)]) / n_cells
    shares = (active[:, :, np.newaxis] < x).mean(axis=1)
    inside = ((shares >= low - 1e-9) & (shares <= high + 1e-9)).mean(axis=0)
    assert np.all(inside >= 0.945)
    assert np.all(((shares > low + 1e-9) & (shares < high - 1e-9)).mean(axis=0) < 0.95)
    missed = chance_band(units, x, falls=True)
    assert np.allclose(missed, (1 - high, 1 - low))


def test_the_band_begins_and_ends_with_the_curves() -> None:
    low, high = chance_band(5, np.array([0.0, 1.0]), falls=False)
    assert low.tolist() == high.tolist() == [0.0, 1.0]


def test_areas_stand_in_their_windows_and_undefined_ones_below(row: RowMaker) -> None:
    rows = {
        "alpha": [
            row("ROC", "alpha", 0, Outcome.SCORE_ONLY, statistic=0.9, quantiles=None),
            row("ROC", "alpha", 1, Outcome.UNDEFINED, statistic=None, quantiles=None, n_observed=0),
        ]
    }
    figure = areas_figure(
        rows, rows["alpha"][0].label.window, styles_of(("alpha",), (), LIGHT), LIGHT, "area under the curve"
    )
    line = next(trace for trace in figure.data if trace.name == "alpha")
    assert line.y[0] == 0.9
    assert math.isnan(line.y[1])
    silent = next(trace for trace in figure.data if trace.name == "undefined")
    assert list(silent.x) == [rows["alpha"][1].label.window.start]
    assert silent.y[0] < 0.5
    assert "no target events" in silent.hovertext[0]


def test_very_many_windows_are_dots_around_the_line_of_their_medians(row: RowMaker) -> None:
    models = [f"model {number}" for number in range(10)]
    statistics = np.random.default_rng(1).uniform(0.5, 1, 100)
    rows = {
        model: [
            row("ROC", model, place, Outcome.SCORE_ONLY, statistic=float(value), quantiles=None)
            for place, value in enumerate(statistics)
        ]
        for model in models
    }
    figure = areas_figure(rows, None, styles_of(models, (), LIGHT), LIGHT, "area")
    dots = [trace for trace in figure.data if trace.mode == "markers"]
    lines = [trace for trace in figure.data if trace.mode == "lines"]
    assert (len(dots), len(lines)) == (8, 10)  # grey models have their lines alone
    assert lines[0].y[3] == np.median(statistics[20:41])
    assert np.array_equal(dots[0].y, statistics)
