"""The share of windows that a test rejects, as time goes on, against what chance gives a true forecast."""

import html
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard._theme import Theme, pale
from dashboard.figures.cell_text import cut
from dashboard.figures.grids import Grid
from dashboard.figures.lines import Line, kept_places, milliseconds, styles_of
from dashboard.figures.marks import Status
from forequake.evaluations.over_windows.running import RunningRejections, running_rejections

__all__ = ["rejections_figure", "rejections_of"]

Array = NDArray[np.float64]

_POINTS: Final = 1_000
_GREY_POINTS: Final = 400
#: Shares of the first windows are high by chance: this part of them may lie above the picture.
_SETTLED: Final = 40
#: So much of the axis is always shown.
_LEAST_EDGE: Final = 0.1


def rejections_of(grid: Grid) -> dict[str, RunningRejections]:
    """Count the rejections of each model window by window."""
    return {
        model: running_rejections(decided, rejected, alpha=grid.alpha)
        for model, decided, rejected in zip(grid.models, grid.decided, grid.of(Status.REJECTED), strict=True)
    }


def rejections_figure(
    grid: Grid, theme: Theme, *, styles: Mapping[str, Line] | None = None, banded: bool = True
) -> go.Figure:
    """Draw the share of rejections among the verdicts up to each window.

    The band reaches up to the limit that chance keeps to in 95 % of cases, for as many verdicts as the model
    that has most.

    Parameters
    ----------
    grid
        Of a consistency test.
    banded
        Whether windows share no time, so that the band has a meaning.
    """
    counted = rejections_of(grid)
    order = sorted(counted, key=lambda model: _last(counted[model]))
    styles = styles or styles_of(grid.models, (), theme)
    ends = milliseconds(window.end for window in grid.windows)
    figure = go.Figure()
    if banded:
        _band(figure, max(counted.values(), key=lambda each: int(each.decided[-1])), grid, theme)
    for model in sorted(order, key=lambda name: not styles[name].grey):
        figure.add_trace(_line(model, counted[model], grid, ends, styles[model], banded=banded))
    _lay_out(figure, grid, theme, _highest(list(counted.values()), banded=banded))
    return figure


def _highest(counted: Sequence[RunningRejections], *, banded: bool) -> float:
    """Give the upper edge: above all shares, but those of the first windows of very many."""
    first = len(counted[0].decided) // _SETTLED
    parts = [each.share[first:] for each in counted] + [each.limit_share[first:] for each in counted] * banded
    most = np.nanmax(np.concatenate(parts), initial=0.0)
    return float(min(max(1.15 * most, _LEAST_EDGE), 1.02))


def _line(
    model: str, each: RunningRejections, grid: Grid, ends: Array, style: Line, *, banded: bool
) -> go.Scatter:
    """Draw the share of one model: over each window what it is with this window."""
    kept = kept_places(np.nan_to_num(each.share), _GREY_POINTS if style.grey else _POINTS)
    start = milliseconds([grid.windows[0].start])
    share = each.share[kept]
    beyond = banded and each.rejected[-1] > each.limit[-1]
    return go.Scatter(
        x=np.concatenate([start, ends[kept]]),
        y=np.concatenate([share[:1], share]),
        text=None
        if style.grey
        else [f"{each.rejected[place]} of {each.decided[place]}" for place in (kept[0], *kept)],
        mode="lines",
        line={"color": style.colour, "dash": style.dash, "width": style.width, "shape": "vh"},
        name=f"{html.escape(model)}  {each.rejected[-1]}/{each.decided[-1]}" + (" ▲" if beyond else ""),
        showlegend=not style.grey,
        hoverinfo="skip" if style.grey else None,
        hovertemplate=None
        if style.grey
        else f"%{{y:.1%}} (%{{text}})<extra>{html.escape(cut(model, 28))}</extra>",
    )


def _last(each: RunningRejections) -> float:
    return -float(np.nan_to_num(each.share[-1])) if len(each.decided) else 0.0


def _band(figure: go.Figure, most: RunningRejections, grid: Grid, theme: Theme) -> None:
    kept = [place for place in kept_places(most.limit_share, _POINTS).tolist() if most.decided[place]]
    figure.add_trace(
        go.Scatter(
            x=milliseconds([grid.windows[0].start, *(grid.windows[place].end for place in kept)]),
            y=most.limit_share[[kept[0], *kept]],
            mode="lines",
            line={"width": 0, "shape": "vh"},
            fill="tozeroy",
            fillcolor=pale(theme.curve, 0.22),
            name="95 % of true forecasts stay within",
            hoverinfo="skip",
        )
    )


def _lay_out(figure: go.Figure, grid: Grid, theme: Theme, highest: float) -> None:
    figure.add_hline(y=grid.alpha, line={"color": theme.muted, "width": 1.5, "dash": "dot"})
    figure.add_annotation(
        x=1,
        xref="paper",
        xanchor="right",
        y=grid.alpha,
        yanchor="bottom",
        text=f"alpha {grid.alpha:g}",
        showarrow=False,
        font={"size": 11, "color": theme.muted},
    )
    named = sum(trace.showlegend is not False for trace in figure.data)
    figure.update_layout(
        height=300 + 22 * -(-named // 2),
        margin={"l": 8, "r": 12, "t": 12, "b": 8},
        dragmode=False,
        hovermode="x unified",
        legend={
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": -0.2,
            "yanchor": "top",
            "traceorder": "normal",
        },
    )
    figure.update_xaxes(
        type="date", showgrid=False, automargin=True, fixedrange=True, hoverformat="%Y-%m-%d %H:%M"
    )
    figure.update_yaxes(
        title={"text": "share rejected up to here"},
        tickformat=".0%",
        range=[-0.02 * highest, highest],
        zeroline=False,
        fixedrange=True,
        automargin=True,
    )
