"""The sections of a report in which models are compared with a reference, and with chance."""

from collections.abc import Iterator
from functools import partial
from typing import Final

import plotly.graph_objects as go

from dashboard._theme import Theme
from dashboard._words import count_of, window_name
from dashboard.figures.calibration import BINS, Panel, panels_of, uniformity_figure
from dashboard.figures.cells import Column
from dashboard.figures.gains import gains_figure, gains_of
from dashboard.report.blocks import Block, Picture
from dashboard.report.material import Material

__all__ = ["calibration_blocks", "comparison_blocks"]

#: The signed-rank test that stands beside the one which gives an interval, by forequake's names.
_RANKS: Final = {"poisson_paired_t": "poisson_w", "cumulative_paired_t": "cumulative_w"}


def comparison_blocks(of: Material) -> Iterator[Block]:
    """Show what models gain over their references, in one window or in all windows together."""
    for column in of.columns:
        known = of.definition(column.test)
        if known is None or known.kind != "comparison" or column.reference is None or column.against_all:
            continue
        if known.name in _RANKS.values():
            continue
        if column.scope == "windows":
            if of.choice.window is not None:
                continue
            matrix, rows = of.matrix_over_windows([column]), [row for row, _ in of.over_windows]
            where = "in all windows together"
        elif of.one_window is not None:
            matrix, rows = of.matrix_of(of.one_window, [column]), list(of.rows_in(of.one_window))
            where = f"in the window {window_name(of.one_window)}"
        else:
            continue
        w = _RANKS.get(known.name)
        ranks = [row for row in rows if row.test == w and row.label.reference == column.reference]
        gains = gains_of(column.reference, matrix.cells, ranks)
        if not any(gain.value is not None for gain in gains.rows):
            continue
        filled = (
            "filled where the W-test finds a difference, too" if ranks else "not filled: there is no W-test"
        )
        yield Picture(
            name=f"comparison-{column.test}-{column.reference}",
            draw=partial(gains_figure, gains),
            alt=f"{column.test} of {count_of(len(gains.rows), 'model')} against {column.reference}, {where}",
            caption=f"The information gain {where}. ▶ better than the reference: the interval is above 0; "
            f"◀ worse: below; ◇ neither. A mark is {filled}.",
            least_width=gains.least_width,
        )


def calibration_blocks(of: Material) -> Iterator[Block]:
    """Show whether the quantiles of all windows are as evenly spread as those of true forecasts."""
    if of.window is not None:
        return
    for column in of.columns:
        known = of.definition(column.test)
        if column.scope != "window" or known is None or known.kind != "consistency":
            continue
        whole = of.grid(column)
        grid = None if whole is None else whole.only(of.models)
        if grid is None:
            continue
        independent = not (of.dependent or grid.overlap)
        panels = panels_of(grid, randomised=grid.counts_events, independent=independent)
        if not any(len(panel.values) for panel in panels):
            continue
        yield from _uniformity(column, panels, grid.alpha, randomised=grid.counts_events, banded=independent)


def _uniformity(
    column: Column, panels: list[Panel], alpha: float, *, randomised: bool, banded: bool
) -> Iterator[Block]:
    def draw(theme: Theme) -> go.Figure:
        return uniformity_figure(panels, theme, alpha=alpha, banded=banded)

    level = f"{100 * (1 - alpha):g} %"
    drawn = " Numbers of events take few values: within P(X = N) a quantile is drawn at random." * randomised
    bands = (
        f"hatched bars are beyond the band that holds {level} of a bin's counts"
        if banded
        else "the windows share time, so there are no bands"
    )
    yield Picture(
        name=f"calibration-{column.test}",
        title=column.name,
        draw=draw,
        alt=f"{column.name}: quantiles of {count_of(len(panels), 'model')} in {BINS} bins, and how far "
        "they are from uniform",
        caption=f"Left: windows in each of {BINS} bins; the dotted line is uniform, {bands}. Right: share "
        f"of windows up to each quantile, minus the quantile.{drawn}",
        least_width=480 if len(panels) <= 2 else 780,
    )
