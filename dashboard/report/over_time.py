"""The sections of a report that show all windows one after the other."""

from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np
import plotly.graph_objects as go

from dashboard._theme import Theme
from dashboard._words import count_of
from dashboard.figures.cells import Column
from dashboard.figures.grids import STATUSES, Grid
from dashboard.figures.legend import window_legend
from dashboard.figures.lines import MOST_LINES, styles_of
from dashboard.figures.rejection_rates import rejections_figure, rejections_of
from dashboard.figures.running_gains import EventTicks, Gains, alt_of, gains_figure, gains_of
from dashboard.figures.window_quantiles import quantiles_figure
from dashboard.report.blocks import Block, Legend, Picture, Table, Words
from dashboard.report.material import Material
from forequake.errors import CorruptRecord, InputError, NotFound
from forequake.windows import TimeWindow, overlap

__all__ = ["gain_blocks", "quantile_blocks"]

#: Scores of which sums say what a model gains, the one that is shown first.
_SCORES: Final = ("sequential_information_gain", "sequential_likelihood", "poisson_paired_t")
_WIDE: Final = 640
#: With more events their ticks would be one band.
_MOST_TICKS: Final = 2_000


def gain_blocks(of: Material) -> Iterator[Block]:
    """Sum up what models gain over a reference."""
    if of.window is not None:
        return
    offered = [column for name in _SCORES for column in of.columns if _is(of, column, name)]
    grid = of.grid(offered[0]) if offered else None
    if grid is None:
        return
    names = [*([grid.reference] if grid.reference is not None else []), *grid.models]
    expected = None
    if grid.kind == "comparison" and grid.reference is not None:
        found = of.expected_of(grid.reference)
        expected = np.array([found.get(window, np.nan) for window in grid.windows])
    models = [model for model in of.models if model in names]
    gains = gains_of(grid, names[0], reference_expected=expected, models=models)
    if not gains.models or not gains.windows:
        yield Words("No window has a score of all models shown, so that gains cannot be compared.")
        return
    summed = not overlap(gains.windows)
    left_out = f" {count_of(gains.left_out, 'window')} in which some model has no score not counted." * bool(
        gains.left_out
    )
    ticks = _ticks(of, gains)

    def draw(theme: Theme) -> go.Figure:
        styles = styles_of(of.models, of.models[:MOST_LINES], theme)
        return gains_figure(gains, theme, styles=styles, ticks=ticks)

    yield Picture(
        name="gains",
        draw=draw,
        alt=alt_of(gains),
        caption=f"Over {gains.reference}, in {count_of(len(gains.windows), 'window')}"
        + (f" with {count_of(int(gains.events.sum()), 'event')}" if summed else "")
        + f".{left_out} Above zero a model describes the events better. An arrow marks an infinite gain, "
        "which is not in the sum."
        + ("" if summed else " The windows share time, so their gains are not summed.")
        + _stand_back(of),
        least_width=_WIDE,
    )
    yield Table("Sums of the gains", _gain_rows(gains, summed=summed))


def _gain_rows(gains: Gains, *, summed: bool) -> list[dict[str, object]]:
    return [
        {
            "model": model,
            "over": gains.reference,
            "windows": len(gains.windows),
            "sum of finite gains": float(running.total[-1]) if summed else None,
            "windows with an infinite gain": int(
                np.isinf(gains.scores[gains.models.index(model)][~running.lacking]).sum()
            ),
        }
        for model, running in gains.sums.items()
    ]


def quantile_blocks(of: Material) -> Iterator[Block]:
    """Show the quantiles of all windows, and how many of them are rejections."""
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
        present = tuple(STATUSES[code] for code in np.unique(grid.status).tolist())
        yield Legend(present, partial(window_legend, present))
        yield Picture(
            name=f"quantiles-{column.test}",
            title=column.name,
            draw=partial(quantiles_figure, grid),
            alt=f"{column.name}: outcome and quantile of {count_of(len(grid.models), 'model')} in "
            f"{count_of(len(grid.windows), 'window')}",
            caption="A column is a window. A rejection fills its row; what is not rejected "
            "is the bluer, the higher the quantile; a thin line is undefined."
            + ("" if len(grid.windows) >= of.windows.count else f" The last {len(grid.windows)} windows."),
            least_width=_WIDE,
        )
        yield from _rejections(of, grid, column)


def _rejections(of: Material, grid: Grid, column: Column) -> Iterator[Block]:
    counted = rejections_of(grid)
    if not max(int(each.decided[-1]) for each in counted.values()):
        return
    banded = not (of.dependent or grid.overlap)

    def draw(theme: Theme) -> go.Figure:
        styles = styles_of(of.models, of.models[:MOST_LINES], theme)
        return rejections_figure(grid, theme, styles=styles, banded=banded)

    ends = ", ".join(f"{model} {each.rejected[-1]} of {each.decided[-1]}" for model, each in counted.items())
    yield Picture(
        name=f"rejections-{column.test}",
        title=f"{column.name}: rejections so far",
        draw=draw,
        alt=f"Share of rejections up to each window; at the end {ends}",
        caption=f"Share of windows with a verdict in which {column.name} rejects. "
        + (
            "A true forecast stays in the band in 95 % of cases, at the end of all windows."
            if banded
            else "The windows share time: no band of chance is drawn."
        )
        + _stand_back(of),
        least_width=_WIDE,
    )


def _is(of: Material, column: Column, name: str) -> bool:
    known = of.definition(column.test)
    return known is not None and known.name == name and column.scope == "window" and not column.against_all


def _stand_back(of: Material) -> str:
    if len(of.models) <= MOST_LINES:
        return ""
    return f" The first {MOST_LINES} of {len(of.models)} models stand out; the others are grey."


def _ticks(of: Material, gains: Gains) -> EventTicks | None:
    """Give the events of all windows; None where the store does not have them."""
    span = TimeWindow(start=gains.windows[0].start, end=max(window.end for window in gains.windows))
    try:
        events = of.experiment.observed(span)[0]
    except (NotFound, CorruptRecord, InputError):
        return None
    times = events.times()
    if not times or len(times) > _MOST_TICKS:
        return None
    inside = [any(time in window for window in gains.windows) for time in times]
    return EventTicks(
        times=[time for time, here in zip(times, inside, strict=True) if here],
        magnitudes=events.magnitude[np.array(inside)],
    )
