"""The pictures of calibration: bins, bands and p as pyCSEP and SciPy have them, parts of scores, names."""

import math
from collections.abc import Callable

import numpy as np
import pytest
from scipy import stats

from dashboard._theme import DARK, LIGHT
from dashboard.figures.calibration import panels_of, uniformity_figure
from dashboard.figures.grids import Grid, grid_of
from dashboard.figures.labels import label_positions
from dashboard.figures.mean_reliability import parts_figure, reliabilities_of, reliability_figure
from forequake.results import LowerQuantile, Outcome, TailQuantiles
from stores import ResultRow, columns_of_rows

RowMaker = Callable[..., ResultRow]


def counted(row: RowMaker, models: int = 2, windows: int = 40) -> Grid:
    random = np.random.default_rng(7)
    rows = []
    for window in range(windows):
        events = int(random.poisson(3.0))
        for model in range(models):
            mean = 3.0 * (1 + model) + 0.1 * (window % 5)
            tails = TailQuantiles(
                delta1=float(stats.poisson.sf(events - 1, mean)),
                delta2=float(stats.poisson.cdf(events, mean)),
            )
            rows.append(row("N", f"m{model}", window, quantiles=tails, n_observed=events, n_forecast=mean))
    found = grid_of(columns_of_rows(rows)[0], [f"m{model}" for model in range(models)])
    assert found is not None
    return found


def test_values_are_delta2_or_between_the_tails(row: RowMaker) -> None:
    grid = counted(row)
    stored, randomised = (panels_of(grid, randomised=way, independent=True) for way in (False, True))
    assert stored[0].values.tolist() == grid.lower[0].tolist()
    assert stored[0].found.p == pytest.approx(stats.kstest(grid.lower[0], "uniform").pvalue)
    assert np.all(randomised[0].values <= grid.lower[0])
    assert np.all(randomised[0].values >= 1 - grid.upper[0])
    assert (randomised[0].found.p or 0) > 0.05 > (randomised[1].found.p or 1)


def test_undefined_results_are_counted_and_lower_quantiles_taken(row: RowMaker) -> None:
    rows = [row("S", "m0", n, quantiles=LowerQuantile(q=n / 10)) for n in range(6)]
    grid = grid_of(columns_of_rows([*rows, row("S", "m0", 6, Outcome.UNDEFINED)])[0], ("m0",))
    assert grid is not None
    (panel,) = panels_of(grid, randomised=False, independent=True)
    assert (panel.values.tolist(), panel.undefined) == ([0, 0.1, 0.2, 0.3, 0.4, 0.5], 1)


def test_a_model_without_any_result_has_empty_pictures(row: RowMaker) -> None:
    grid = grid_of(columns_of_rows([row("S", "m0", n, Outcome.UNDEFINED) for n in range(3)])[0], ("m0",))
    assert grid is not None
    panels = panels_of(grid, randomised=False, independent=True)
    figure = uniformity_figure(panels, LIGHT, alpha=0.05)
    assert "n = 0, 3 without" in figure.layout.annotations[0].text


def test_bars_are_the_windows_and_bands_the_limits(row: RowMaker) -> None:
    grid = counted(row)
    panels = panels_of(grid, randomised=True, independent=True)
    figure = uniformity_figure(panels, LIGHT, alpha=0.05)
    bars = [trace for trace in figure.data if trace.type == "bar"]
    assert [int(np.sum(trace.y)) for trace in bars] == [40, 40]
    least, greatest = stats.binom.ppf([0.025, 0.975], 40, 0.1)
    for trace in bars:
        hatched = [shape == "/" for shape in trace.marker.pattern.shape]
        assert hatched == [not least <= count <= greatest for count in trace.y]
    bands = [(shape.y0, shape.y1) for shape in figure.layout.shapes if shape.type == "rect"]
    half = float(stats.kstwo.ppf(0.95, 40))
    assert bands[0] == (least, greatest)
    assert bands[1] == pytest.approx((-half, half))
    titles = " ".join(each.text for each in figure.layout.annotations)
    assert "✕ rejected" in titles
    assert "■ not rejected" in titles
    assert "n = 40" in titles


def test_windows_that_share_time_have_neither_p_nor_band(row: RowMaker) -> None:
    panels = panels_of(counted(row), randomised=True, independent=False)
    figure = uniformity_figure(panels, DARK, alpha=0.05, banded=False)
    assert not [shape for shape in figure.layout.shapes if shape.type == "rect"]
    assert all("no p" in each.text for each in figure.layout.annotations if "D =" in each.text)


@pytest.mark.parametrize("models", [1, 3, 25])
def test_every_model_has_two_pictures_that_do_not_meet(row: RowMaker, models: int) -> None:
    panels = panels_of(counted(row, models, windows=6), randomised=True, independent=True)
    layout = uniformity_figure(panels, LIGHT, alpha=0.05).to_dict()["layout"]
    boxes = [
        (*layout[f"xaxis{axis}"]["domain"], *layout[f"yaxis{axis}"]["domain"])
        for axis in ["", *(str(place) for place in range(2, 2 * models + 1))]
    ]
    assert len(boxes) == 2 * models
    assert all(0 <= edge <= 1 for box in boxes for edge in box)
    for number, one in enumerate(boxes):
        for other in boxes[number + 1 :]:
            assert one[1] <= other[0] or other[1] <= one[0] or one[3] <= other[2] or other[3] <= one[2]


def test_parts_are_drawn_where_they_are_and_add_up(row: RowMaker) -> None:
    found, common = reliabilities_of(counted(row))
    assert common.sum() == 40
    figure = parts_figure(found, LIGHT)
    points = {
        text.split("<br>")[0]: (x, y)
        for trace in figure.data
        if trace.hovertext
        for x, y, text in zip(trace.x, trace.y, trace.hovertext, strict=True)
    }
    for model, each in found.items():
        assert points[f"<b>{model}</b>"] == (each.miscalibration, each.discrimination)
        assert each.score == pytest.approx(each.miscalibration - each.discrimination + each.uncertainty)
    diagonal = next(trace for trace in figure.data if "uncertainty" in str(trace.name))
    assert list(diagonal.x) == list(diagonal.y)


def test_infinite_miscalibration_stands_at_the_edge(row: RowMaker) -> None:
    rows = [
        row("N", model, n, n_observed=n, n_forecast=0.0 if model == "none" else 1.0)
        for model in ("none", "one")
        for n in range(3)
    ]
    grid = grid_of(columns_of_rows(rows)[0], ("none", "one"))
    assert grid is not None
    found, _ = reliabilities_of(grid)
    assert math.isinf(found["none"].score)
    figure = parts_figure(found, DARK)
    symbols = [symbol for trace in figure.data if trace.hovertext for symbol in trace.marker.symbol]
    assert "arrow-right" in symbols
    assert all(np.isfinite(trace.x).all() for trace in figure.data)
    assert "score ∞ = ∞ − " in reliability_figure(found, DARK).layout.annotations[0].text


def test_curves_are_those_of_the_regression(row: RowMaker) -> None:
    found, _ = reliabilities_of(counted(row))
    figure = reliability_figure(found, LIGHT, banded=False)
    curves = [trace for trace in figure.data if trace.customdata is not None]
    for trace, each in zip(curves, found.values(), strict=True):
        points = sorted(set(zip(each.expected.tolist(), each.recalibrated.tolist(), strict=True)))
        assert list(zip(trace.x.tolist(), trace.y.tolist(), strict=True)) == points


def test_windows_without_a_finite_number_of_all_models_are_left_out(row: RowMaker) -> None:
    rows = [
        row("N", "m0", 0, n_forecast=1.0),
        row("N", "m0", 1, n_forecast=math.inf),
        row("N", "m1", 0, n_forecast=2.0),
        row("N", "m1", 1, n_forecast=2.0),
    ]
    grid = grid_of(columns_of_rows(rows)[0], ("m0", "m1"))
    assert grid is not None
    assert reliabilities_of(grid)[1].tolist() == [True, False]


def test_names_that_find_no_place_are_left_out() -> None:
    places = label_positions([(0.5, 0.5)] * 30, ["a long name of a model"] * 30, (500, 300))
    assert places.count(None) >= 20
    assert label_positions([(0.99, 0.5)], ["a long name"], (500, 300)) == ["middle left"]
