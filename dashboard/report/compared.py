"""The sections of a report in which models are compared with a reference, and with chance."""

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

import plotly.graph_objects as go

from dashboard._theme import Theme
from dashboard._words import count_of, window_name
from dashboard.figures.calibration import BINS, Panel, panels_of, uniformity_figure
from dashboard.figures.cells import Column
from dashboard.figures.gains import gains_figure, gains_of
from dashboard.figures.grids import Grid
from dashboard.figures.mean_reliability import parts_figure, reliabilities_of, reliability_figure
from dashboard.report.blocks import Block, Picture, Table, Words, evenly
from dashboard.report.material import Material

__all__ = ["calibration_blocks", "comparison_blocks", "reliability_blocks"]

#: Panels of small pictures, two and three abreast, that fit a page.
_MOST_PANELS: Final = 10
_MOST_CURVES: Final = 12

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
        for part in evenly(panels, _MOST_PANELS):
            yield _uniformity(
                column,
                part,
                grid.alpha,
                first=part[0] is panels[0],
                randomised=grid.counts_events,
                banded=independent,
            )


def reliability_blocks(of: Material) -> Iterator[Block]:
    """Show whether as many events come as are expected, window by window, and the parts of that score."""
    if of.window is not None:
        return
    grid = _counting(of)
    if grid is None:
        return
    found, common = reliabilities_of(grid)
    if not found:
        yield Words("No window has an expected number of all models shown, so these cannot be compared.")
        return
    independent = not (of.dependent or grid.overlap)
    count, came = int(common.sum()), int(grid.events[common].sum())
    left_out = len(grid.windows) - count
    lost = f"; {count_of(left_out, 'window')} left out, in which some model has none" if left_out else ""
    if not independent:
        yield Words("The windows share time: their events count several times, and no band is drawn.")
    yield Picture(
        name="score-parts",
        title="Parts of the score",
        draw=partial(parts_figure, found),
        alt=f"Miscalibration and discrimination of {count_of(len(found), 'model')}; the table below has them",
        caption=f"Poisson score of the expected number of events in {count_of(count, 'window')} with "
        f"{count_of(came, 'event')}{lost}: x − y ln x, the smaller, the better. Score = miscalibration − "
        "discrimination + uncertainty; up and left is better. Of few windows both parts are too large.",
        least_width=560,
    )
    yield Table(
        "Parts of the score",
        [
            {
                "model": model,
                "windows": each.size,
                "mean score": each.score,
                "miscalibration": each.miscalibration,
                "discrimination": each.discrimination,
                "uncertainty": each.uncertainty,
            }
            for model, each in found.items()
        ],
    )

    band = " Grey holds 95 % of the curves of right forecasts whose numbers are Poisson." * independent
    for number, models in enumerate(evenly(list(found), _MOST_CURVES)):
        part = {model: found[model] for model in models}
        yield Picture(
            name=f"mean-reliability-{number + 1}",
            title="" if number else "Mean reliability",
            draw=partial(reliability_figure, part, banded=independent),
            alt=f"Mean number of events against the expected one of {', '.join(models)}",
            caption="Across: the expected number of events of a window; up: how many came on average where "
            "so many were expected, by isotonic regression. Below the dashed line a model expects too many."
            f"{band}",
            least_width=260 * min(len(part), 3),
        )


def _counting(of: Material) -> Grid | None:
    """Give the results of which expected numbers are taken: those of the N-test, else of another one."""
    usable = []
    for column in of.columns:
        known = of.definition(column.test)
        if column.scope == "window" and known is not None and not column.against_all:
            usable.append((column.letters not in ("N", "catalog N"), known.kind != "consistency", column))
    if not usable:
        return None
    whole = of.grid(min(usable, key=lambda each: each[:2])[2])
    return None if whole is None else whole.only(of.models)


def _uniformity(
    column: Column, panels: Sequence[Panel], alpha: float, *, first: bool, randomised: bool, banded: bool
) -> Picture:
    def draw(theme: Theme) -> go.Figure:
        return uniformity_figure(panels, theme, alpha=alpha, banded=banded)

    level = f"{100 * (1 - alpha):g} %"
    drawn = " Numbers of events take few values: within P(X = N) a quantile is drawn at random." * randomised
    bands = (
        f"hatched bars are beyond the band that holds {level} of a bin's counts"
        if banded
        else "the windows share time, so there are no bands"
    )
    models = panels[0].model if len(panels) == 1 else f"{panels[0].model} to {panels[-1].model}"
    return Picture(
        name=f"calibration-{column.test}" + ("" if first else f"-{panels[0].model}"),
        title=column.name if first else f"{column.name}: {models}",
        draw=draw,
        alt=f"{column.name}: quantiles of {count_of(len(panels), 'model')} in {BINS} bins, and how far "
        "they are from uniform",
        caption=f"Left: windows in each of {BINS} bins; the dotted line is uniform, {bands}. Right: share "
        f"of windows up to each quantile, minus the quantile.{drawn}",
        least_width=480 if len(panels) <= 2 else 780,
    )
