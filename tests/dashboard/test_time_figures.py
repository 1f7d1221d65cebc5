"""The pictures over time: sums of gains, quantiles of all windows, rejections, with what is not a number."""

import math
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pytest

from dashboard._theme import DARK, LIGHT
from dashboard.figures.chance import binomial_limit
from dashboard.figures.grids import STATUSES, Grid, grid_of
from dashboard.figures.lines import MOST_LINES, kept_places, styles_of
from dashboard.figures.marks import Status
from dashboard.figures.rejection_rates import rejections_figure, rejections_of
from dashboard.figures.running_gains import EventTicks, Gains, alt_of, gains_figure, gains_of
from dashboard.figures.window_quantiles import quantiles_figure
from forequake.results import LowerQuantile, Outcome, TailQuantiles, UnitRecord, UnitState
from forequake.windows import TimeWindow
from stores import ResultRow, columns_of_rows
from stores.testing import sample_label, sample_window

RowMaker = Callable[..., ResultRow]


def scores(row: RowMaker, values: dict[str, Sequence[float | None]], test: str = "IG") -> Grid:
    rows = [
        row(
            test,
            model,
            place,
            Outcome.UNDEFINED if value is None else Outcome.SCORE_ONLY,
            "base" if test == "IG" else None,
            statistic=value,
            quantiles=None,
        )
        for model, found in values.items()
        for place, value in enumerate(found)
        if value is None or not math.isnan(value)
    ]
    found = grid_of(columns_of_rows(rows)[0], tuple(values))
    assert found is not None
    return found


def named(figure: Any, start: str) -> Any:
    return next(trace for trace in figure.data if (trace.name or "").startswith(start))


def test_gains_are_summed_over_windows_that_all_models_have(row: RowMaker) -> None:
    grid = scores(row, {"alpha": [1.0, 2.0, 3.0], "beta": [1.0, math.nan, -5.0]})
    gains = gains_of(grid, "base")
    assert (gains.left_out, len(gains.windows)) == (1, 2)
    assert {model: found.last for model, found in gains.sums.items()} == {"alpha": 4.0, "beta": -4.0}
    every = gains_of(grid, "base", common=False)
    assert (every.left_out, every.sums["alpha"].last) == (0, 6.0)
    figure = gains_figure(every, LIGHT)
    lacking = [trace for trace in figure.data if "no score" in str(trace.hovertemplate)]
    assert [trace.customdata[0][0] for trace in lacking] == [sample_window(1).id]


def test_a_gain_over_another_model_is_the_difference(row: RowMaker) -> None:
    grid = scores(row, {"alpha": [1.0, 2.0], "beta": [0.5, -1.0]})
    gains = gains_of(grid, "beta")
    assert gains.models == ("base", "alpha")
    assert gains.scores.tolist() == [[-0.5, 1.0], [0.5, 3.0]]
    absolute = scores(row, {"alpha": [-10.0, -12.0], "beta": [-11.0, -11.0]}, test="LL")
    assert gains_of(absolute, "beta").scores.tolist() == [[1.0, -1.0]]


def test_infinite_gains_are_marked_dated_and_not_summed(row: RowMaker) -> None:
    gains = gains_of(scores(row, {"alpha": [1.0, -math.inf, 2.0]}), "base")
    figure = gains_figure(gains, LIGHT)
    arrow = next(
        trace for trace in figure.data if trace.type == "scatter" and trace.marker.symbol == "arrow-down"
    )
    assert list(arrow.text) == [f"−∞ {sample_window(1).start:%Y-%m-%d}"]
    assert list(named(figure, "alpha").y) == [0, 1, 1, 3]
    assert named(figure, "alpha").name == "alpha  +3 and 1 × −∞"
    assert "alpha +3 and 1 × −∞" in alt_of(gains)


def test_two_infinities_have_no_difference(row: RowMaker) -> None:
    grid = scores(row, {"alpha": [-math.inf, 1.0], "beta": [-math.inf, -math.inf]})
    gains = gains_of(grid, "beta", models=("alpha",))
    assert (gains.left_out, gains.scores.tolist()) == (1, [[math.inf]])


def test_gains_of_windows_that_share_time_are_not_summed() -> None:
    first = sample_window(0)
    windows = tuple(TimeWindow(start=first.start, end=first.end + timedelta(days=day)) for day in range(3))
    gains = Gains("base", ("alpha",), windows, np.array([[1.0, 2.0, 3.0]]), np.array([1, 2, 3]))
    figure = gains_figure(gains, LIGHT)
    assert list(named(figure, "alpha").y) == [1, 2, 3]
    assert "of the window" in figure.layout.yaxis.title.text


def test_the_t_test_gives_the_gain_of_windows(row: RowMaker) -> None:
    rows = [
        row("T", "alpha", 0, Outcome.BETTER, "base", information_gain=0.5, n_observed=4, n_forecast=3.0),
        row("T", "alpha", 1, Outcome.UNDEFINED, "base", n_observed=0, n_forecast=3.0),
    ]
    grid = grid_of(columns_of_rows(rows)[0], ("alpha",))
    assert grid is not None
    gains = gains_of(grid, "base", reference_expected=np.array([5.0, 5.0]))
    assert gains.scores.tolist() == [[2.0, 2.0]]
    assert gains_of(grid, "base").left_out == 1  # what the reference expects is not known


def test_events_are_ticks_or_numbers(row: RowMaker) -> None:
    gains = gains_of(scores(row, {"alpha": [1.0, 2.0]}), "base")
    times = [sample_window(0).start, sample_window(1).start]
    ticked = gains_figure(gains, LIGHT, ticks=EventTicks(times, np.array([4.2, 5.1])))
    assert [height for height in named(ticked, "target events").y if height in (4.2, 5.1)] == [4.2, 5.1]
    assert list(named(gains_figure(gains, LIGHT), "target events").y) == [3, 3]


def test_events_of_very_many_windows_are_one_line() -> None:
    windows = tuple(sample_window(number) for number in range(500))
    events = np.arange(500) % 7
    gains = Gains("base", ("alpha",), windows, np.ones((1, 500)), events)
    drawn = named(gains_figure(gains, LIGHT), "target events")
    assert (drawn.type, drawn.line.shape) == ("scatter", "hvh")
    assert list(drawn.y) == events.tolist()


def consistency(row: RowMaker, models: int = 2, windows: int = 4) -> Grid:
    kinds = (
        (Outcome.PASSED, LowerQuantile(q=0.4)),
        (Outcome.REJECTED, LowerQuantile(q=0.0)),
        (Outcome.UNDEFINED, None),
    )
    rows = [
        row("S", f"m{model}", window, kinds[window % 4][0], quantiles=kinds[window % 4][1])
        for model in range(models)
        for window in range(windows)
        if window % 4 < 3
    ]
    found = grid_of(
        columns_of_rows(rows)[0],
        [f"m{model}" for model in range(models)],
        [sample_window(n) for n in range(windows)],
    )
    assert found is not None
    return found


def test_outcomes_have_heights_and_no_quantile_is_zero(row: RowMaker) -> None:
    figure = quantiles_figure(consistency(row), LIGHT, chosen=sample_window(1))
    heights = {
        trace.name: round(float(trace.y[1] - trace.y[0]), 2)
        for trace in figure.data
        if trace.type == "heatmap"
    }
    assert heights["undefined"] < heights["not rejected"] < heights["rejected"]
    drawn = next(trace for trace in figure.data if trace.type == "heatmap" and trace.name == "rejected")
    assert list(drawn.text[0]) == ["", "m0: < 1/n", "", ""]
    assert len(figure.layout.shapes) == 1


def test_cells_and_windows_can_be_clicked(row: RowMaker) -> None:
    figure = quantiles_figure(consistency(row), DARK)
    carried = [
        tuple(each)
        for trace in figure.data
        if trace.type == "scatter" and trace.name != "windows"
        for each in trace.customdata
    ]
    assert len(carried) == 8
    assert (sample_window(3).id, "m1") in carried
    assert [each[0] for each in named(figure, "windows").customdata] == [
        sample_window(n).id for n in range(4)
    ]


def test_a_thousand_windows_have_no_marks_but_those_of_windows(row: RowMaker) -> None:
    figure = quantiles_figure(consistency(row, windows=80), LIGHT)
    assert sum(len(trace.x) for trace in figure.data if trace.type == "scatter") == 80


def test_failures_are_not_taken_for_missing_results(row: RowMaker) -> None:
    unit = UnitRecord(
        label=sample_label("S", "m1", 3),
        state=UnitState.FAILED,
        attempts=1,
        owner="host/boot/1/1",
        changed_at=sample_window(9).end,
    )
    grid = consistency(row).with_units([unit])
    codes = [STATUSES[code] for code in grid.status[:, 3].tolist()]
    assert codes == [Status.MISSING, Status.FAILED]


def test_rejections_are_counted_among_verdicts_and_bounded_as_in_the_overview(row: RowMaker) -> None:
    rows = [
        row("N", "alpha", n, outcome, quantiles=TailQuantiles(delta1=0.5, delta2=0.7))
        for n, outcome in enumerate([Outcome.REJECTED] * 3 + [Outcome.PASSED] * 37)
    ]
    grid = grid_of(columns_of_rows([*rows, row("N", "alpha", 40, Outcome.UNDEFINED)])[0], ("alpha",))
    assert grid is not None
    counted = rejections_of(grid)["alpha"]
    assert (counted.rejected[-1], counted.decided[-1]) == (3, 40)
    assert [binomial_limit(n, 0.05) for n in range(1, 41)] == counted.limit[:40].tolist()
    figure = rejections_figure(grid, LIGHT)
    assert named(figure, "alpha").name == "alpha  3/40"
    assert list(named(figure, "alpha").y)[-1] == pytest.approx(3 / 40)
    assert not any(
        (trace.name or "").startswith("95 %") for trace in rejections_figure(grid, DARK, banded=False).data
    )


def test_of_many_models_the_chosen_ones_stand_out() -> None:
    models = [f"m{n}" for n in range(25)]
    styles = styles_of(models, ("m3", "m20"), LIGHT)
    assert [model for model in models if not styles[model].grey] == ["m3", "m20"]
    assert sum(not line.grey for line in styles_of(models, (), DARK).values()) == MOST_LINES
    bright = [line for line in styles_of(models, models[:8], LIGHT).values() if not line.grey]
    assert len({line.colour for line in bright}) == len({line.dash for line in bright}) == MOST_LINES


def test_a_long_line_keeps_its_peaks() -> None:
    values = np.random.default_rng(1).normal(size=5000).cumsum()
    kept = kept_places(values, 400)
    assert len(kept) <= 400
    assert {int(values.argmin()), int(values.argmax()), 0, 4999} <= set(kept.tolist())
