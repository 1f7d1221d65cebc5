"""Calibration: whether quantiles are spread as by chance, and as many events come as are expected."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard import _data
from dashboard._words import count_of, number
from dashboard.figures.calibration import BINS, Panel, panels_of, uniformity_figure
from dashboard.figures.cells import Column
from dashboard.figures.grids import Grid
from dashboard.figures.mean_reliability import parts_figure, reliabilities_of, reliability_figure
from dashboard.views._frame import Frame, frame, say_filters
from dashboard.views._one_test import choose_one, columns_in_windows, grid_of_column, say_bounds
from dashboard.views._parts import plot, scrolled
from dashboard.views._tables import show_table
from dashboard.views._text import plain
from forequake.evaluations.over_windows.calibration import FEWEST_RESULTS
from forequake.evaluations.over_windows.mean_reliability import MeanReliability
from forequake.evaluations.over_windows.uniformity import PIT_SEED
from forequake.results import KolmogorovQuantile

#: The parts of the page, by what they are called in its address.
_PARTS: Final = ("Quantiles", "Numbers of events")
#: Most rows of a table on the page; the files to download have all.
_MOST_ROWS: Final = 1_000
#: Ways to see the quantiles of numbers of events.
_RANDOMISED: Final = "randomised"
_STORED: Final = "delta2 as it is"


def show() -> None:
    """Draw the page."""
    shown = frame()
    st.header("Calibration")
    st.caption(f"{plain(shown.name)}: whether forecasts are right as often as they say.")
    if not say_filters(shown) or not shown.columns:
        return
    part = st.segmented_control(
        "Calibration of", _PARTS, default=_PARTS[0], key="pit_part", bind="query-params", required=True
    )
    if part == _PARTS[1]:
        _numbers(shown)
    else:
        _quantiles(shown)


def _quantiles(shown: Frame) -> None:
    columns = [column for column, known in columns_in_windows(shown) if known.kind == "consistency"]
    if not columns:
        st.info("No consistency test has results in single windows.", icon=":material/filter_alt:")
        return
    named = {column.name: column for column in columns}
    with st.container(horizontal=True, vertical_alignment="bottom"):
        name = choose_one("Test", "pit_test", list(named), _usual(columns))
        grid = _grid(shown, named[name])
        if grid is None:
            return
        way = _STORED
        if grid.counts_events:
            way = choose_one("Quantiles", "pit_values", (_RANDOMISED, _STORED), _RANDOMISED, width=200)
    independent = not (shown.dependent or grid.overlap)
    panels = panels_of(grid, randomised=way == _RANDOMISED, independent=independent)
    _say_quantiles(grid, panels, way, independent=independent)
    figure = uniformity_figure(panels, shown.theme, alpha=grid.alpha, banded=independent)
    with scrolled("uniformity", 480 if len(panels) <= 2 else 780):
        st.plotly_chart(figure, key="uniformity", config=plot(), alt=_alt(panels, name))
    stored = _stored(shown, grid)
    plain_panels = panels_of(grid, randomised=False, independent=independent)
    show_table(
        [_entry(panel, other, stored) for panel, other in zip(panels, plain_panels, strict=True)],
        f"{shown.name}_{name}_calibration",
        {f"{shown.name}_{name}_calibration": figure},
    )
    say_bounds(shown, grid)


def _say_quantiles(grid: Grid, panels: Sequence[Panel], way: str, *, independent: bool) -> None:
    if not independent:
        st.warning(
            "The windows share time, so their results depend on one another: no p and no bands are given.",
            icon=":material/stacked_line_chart:",
        )
    elif max(panel.found.size for panel in panels) < FEWEST_RESULTS:
        st.warning(
            f"Fewer than {FEWEST_RESULTS} windows have a result: there is no p.", icon=":material/counter_1:"
        )
    level = f"{100 * (1 - grid.alpha):g} %"
    lines = [
        f"Left: windows in each of {BINS} bins; the dotted line is uniform, hatched bars are beyond the band "
        f"that holds {level} of a bin's counts. Right: share of windows up to each quantile, minus the "
        f"quantile; {level} of uniform ones stay in the band (Kolmogorov-Smirnov).",
    ]
    if way == _RANDOMISED:
        lines.append(
            "Numbers of events take few values: within P(X = N) the quantile is drawn at random "
            f"(seed {PIT_SEED}, the same for all models)."
        )
    elif grid.counts_events:
        lines.append(
            "Numbers of events take few values, so that their delta2 is not uniform even where forecasts are "
            "right; this is what the test `calibration` takes."
        )
    st.caption(" ".join(lines))


def _stored(shown: Frame, grid: Grid) -> dict[str, tuple[str, float | None]]:
    """Give the experiment's own results of `calibration` of this test: its name and p, by model."""
    if shown.config is None:
        return {}
    tests = [one.name for one in shown.config.tests if one.of == grid.test and one.test == "calibration"]
    found = _data.over_windows(shown.address, shown.name, shown.token, tuple(tests)) if tests else ()
    return {
        row.label.model: (
            row.label.test,
            row.quantiles.p if isinstance(row.quantiles, KolmogorovQuantile) else None,
        )
        for row, _ in found
    }


def _entry(panel: Panel, as_stored: Panel, stored: dict[str, tuple[str, float | None]]) -> dict[str, Any]:
    name, p = stored.get(panel.model, ("", None))
    return {
        "model": panel.model,
        "windows": panel.found.size,
        "without a result": panel.undefined,
        "D": panel.found.distance,
        "p": panel.found.p,
        "p of delta2 as it is": as_stored.found.p,
        f"p of {name}" if name else "p of calibration": p,
    }


def _alt(panels: Sequence[Panel], name: str) -> str:
    said = ", ".join(
        f"{panel.model} " + ("no p" if panel.found.p is None else f"p {number(panel.found.p, 2)}")
        for panel in panels
    )
    return f"Histograms of the quantiles of {name}, and their distance from uniform: {said}"


def _usual(columns: Sequence[Column]) -> str:
    return next((column.name for column in columns if column.letters in ("N", "catalog N")), columns[0].name)


def _grid(shown: Frame, column: Column) -> Grid | None:
    whole = grid_of_column(shown, column)
    grid = None if whole is None else whole.only(shown.models)
    if grid is None:
        st.info("This test has no result yet.", icon=":material/hourglass_empty:")
    return grid


def _numbers(shown: Frame) -> None:
    known = columns_in_windows(shown)
    usable = [column for column, one in known if one.kind == "consistency"] or [column for column, _ in known]
    if not usable:
        st.info("No test has results in single windows.", icon=":material/filter_alt:")
        return
    grid = _grid(shown, next(one for one in usable if one.name == _usual(usable)))
    if grid is None:
        return
    found, common = reliabilities_of(grid)
    if not found:
        st.info("No window has an expected number of all these models.", icon=":material/filter_alt:")
        return
    independent = not (shown.dependent or grid.overlap)
    if not independent:
        st.warning(
            "The windows share time: their events count several times, and no band of chance is drawn.",
            icon=":material/stacked_line_chart:",
        )
    _parts(shown, found, grid, common)
    _curves(shown, found, independent=independent)
    say_bounds(shown, grid)


def _parts(shown: Frame, found: Mapping[str, MeanReliability], grid: Grid, common: NDArray[np.bool_]) -> None:
    count, events = int(common.sum()), int(grid.events[common].sum())
    left_out = len(grid.windows) - count
    lost = f"; {count_of(left_out, 'window')} left out, in which some model has none" if left_out else ""
    st.subheader("Parts of the score")
    st.caption(
        f"Poisson score of the expected number of events in {count_of(count, 'window')} with "
        f"{count_of(events, 'event')}{lost}: x − y ln x, the smaller, the better. Score = "
        "miscalibration − discrimination + uncertainty; up and left is better. Of few windows both parts are "
        "too large."
    )
    parts = parts_figure(found, shown.theme)
    with scrolled("parts", 560):
        st.plotly_chart(
            parts,
            key="parts",
            config=plot(),
            alt="Miscalibration and discrimination: "
            + ", ".join(
                f"{model} {number(each.miscalibration, 2)} and {number(each.discrimination, 2)}"
                for model, each in found.items()
            ),
        )
    table = [
        {
            "model": model,
            "windows": each.size,
            "events": events,
            "mean score": each.score,
            "miscalibration": each.miscalibration,
            "discrimination": each.discrimination,
            "uncertainty": each.uncertainty,
        }
        for model, each in found.items()
    ]
    show_table(table, f"{shown.name}_score_parts", {f"{shown.name}_score_parts": parts})


def _curves(shown: Frame, found: Mapping[str, MeanReliability], *, independent: bool) -> None:
    st.subheader("Mean reliability")
    band = " Grey holds 95 % of the curves of right forecasts whose numbers are Poisson." * independent
    st.caption(
        "Across: the expected number of events of a window; up: how many came on average where so many were "
        f"expected, by isotonic regression. Below the dashed line a model expects too many.{band}"
    )
    curves = reliability_figure(found, shown.theme, banded=independent)
    with scrolled("reliability", 260 * min(len(found), 3)):
        st.plotly_chart(
            curves,
            key="reliability",
            config=plot(),
            alt="Mean number of events against the expected one, a picture for each model",
        )
    rows = [
        {"model": model, "expected": expected, "observed on average": mean}
        for model, each in found.items()
        for expected, mean in sorted(
            set(zip(each.expected.tolist(), each.recalibrated.tolist(), strict=True))
        )
    ]
    name = f"{shown.name}_mean_reliability"
    more = len(rows) > _MOST_ROWS
    show_table(rows[:_MOST_ROWS], name, {name: curves}, whole=(lambda: rows) if more else None)


if __name__ == "__main__":
    show()
