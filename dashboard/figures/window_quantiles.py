"""The quantiles of one test, models by windows: one column a window, also where there are thousands.

Outcomes have heights as well as colours, which is still seen where a column is a pixel wide: a rejection
fills its row, what is not rejected the middle of it, and an undefined result is a thin line; what is
missing is left blank. Where there is room, the marks of the outcomes stand on them. Marks carry
``[window, model]`` as ``customdata``; those of the windows below the rows ``[window]``.
"""

import html
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard._theme import Theme, pale
from dashboard._words import events as events_words
from dashboard.figures.cell_text import cut, wrapped
from dashboard.figures.grids import STATUSES, Grid
from dashboard.figures.marks import MARKS, PALEST, Status
from forequake.windows import TimeWindow

__all__ = ["quantiles_figure", "quantiles_height"]

Array = NDArray[np.float64]

#: The part of its row that an outcome fills, above and below the middle.
_HEIGHTS: Final[dict[Status, float]] = {
    Status.PASSED: 0.24,
    Status.REJECTED: 0.46,
    Status.UNDEFINED: 0.05,
}
#: Up to so many windows cells have room for marks, and are clicked themselves.
_ROOMY: Final = 60
_ROW: Final = 34
_DENSE_ROW: Final = 22


def quantiles_height(grid: Grid) -> int:
    """Give the figure's height in pixels."""
    row = _ROW if len(grid.windows) <= _ROOMY else _DENSE_ROW
    return 118 + row * max(len(grid.models), 2)


def quantiles_figure(grid: Grid, theme: Theme, chosen: TimeWindow | None = None) -> go.Figure:
    """Draw where the statistic of each model lies in each window.

    Parameters
    ----------
    grid
        Of a consistency test.
    chosen
        A window that is framed.
    """
    figure = go.Figure()
    names = grid.names
    roomy = len(grid.windows) <= _ROOMY
    for status in (Status.PASSED, Status.REJECTED, Status.UNDEFINED):
        if grid.of(status).any():
            figure.add_trace(_cells(grid, names, status, theme, hovered=not roomy))
    if roomy:
        for status in STATUSES:
            if grid.of(status).any():
                figure.add_trace(_marks(grid, names, status, theme))
    elif grid.of(Status.FAILED).any():
        figure.add_trace(_marks(grid, names, Status.FAILED, theme))
    figure.add_trace(_windows(grid, names, theme, roomy=roomy))
    if chosen is not None and chosen in grid.windows:
        place = grid.windows.index(chosen)
        figure.add_shape(
            type="rect",
            x0=place - 0.5,
            x1=place + 0.5,
            y0=-0.5,
            y1=len(grid.models) + 0.7,
            line={"color": theme.text, "width": 2},
        )
    _lay_out(figure, grid, names, theme)
    return figure


def _cells(grid: Grid, names: Sequence[str], status: Status, theme: Theme, *, hovered: bool) -> go.Heatmap:
    """Fill the cells of one outcome: of each model a row, and a row of nothing up to the next one.

    Parameters
    ----------
    hovered
        Whether they say what they are. Where marks do, they must not: clicks reach what is under the pointer.
    """
    half, here = _HEIGHTS[status], grid.of(status)
    count = len(grid.models)
    edges = np.array([edge for place in range(count) for edge in (place - half, place + half)])
    shades = np.full((2 * count - 1, len(names)), np.nan)
    shades[::2] = np.where(here, np.nan_to_num(grid.value, nan=0.0), np.nan)
    texts = np.full(shades.shape, "", dtype=object)
    texts[::2] = _texts(grid, here)
    numbers = np.repeat(grid.events[None, :], len(shades), axis=0)
    colour = MARKS[status].colour(theme)
    scale = (
        [[0, pale(colour, PALEST)], [1, colour]] if status is Status.PASSED else [[0, colour], [1, colour]]
    )
    return go.Heatmap(
        z=shades.astype(np.float32),
        x=list(names),
        y=edges,
        zmin=0,
        zmax=1,
        colorscale=scale,
        showscale=False,
        hoverongaps=False,
        text=texts,
        customdata=numbers,
        name=MARKS[status].label,
        hoverinfo=None if hovered else "skip",
        hovertemplate=f"<b>%{{x}}</b><br>%{{text}}<br>{MARKS[status].label}<br>%{{customdata}} events"
        "<extra></extra>",
        xgap=1 if len(names) <= 200 else 0,
    )


def _texts(grid: Grid, here: NDArray[np.bool_]) -> NDArray[np.object_]:
    """Write the model, and the quantile where there is one."""
    found = np.full(here.shape, "", dtype=object)
    names = [html.escape(cut(model, 28)) for model in grid.models]
    for row, column in np.argwhere(here).tolist():
        value = grid.quantile_text(grid.value[row, column])
        found[row, column] = f"{names[row]}: {value}" if value else names[row]
    return found


def _marks(grid: Grid, names: Sequence[str], status: Status, theme: Theme) -> go.Scatter:
    """Put the mark of an outcome on its cells, small; clicks reach the cells by it."""
    mark = MARKS[status]
    filled = status in _HEIGHTS and status is not Status.UNDEFINED
    places = np.argwhere(grid.of(status)).tolist()
    texts = _texts(grid, grid.of(status))
    return go.Scatter(
        x=[names[column] for _, column in places],
        y=[row for row, _ in places],
        customdata=[[grid.windows[column].id, grid.models[row]] for row, column in places],
        mode="markers+text" if mark.letter else "markers",
        text=mark.letter or None,
        textfont={"color": mark.colour(theme), "size": 11},
        marker={
            "symbol": mark.symbol,
            "size": 4 if status is Status.MISSING else 9,
            "color": theme.background if filled else mark.colour(theme),
            "opacity": 0.01 if status is Status.PASSED else 1,
            "line": {"width": 0 if filled else 1.5, "color": mark.colour(theme)},
        },
        name=mark.label,
        hovertext=[
            f"<b>{names[column]}</b><br>{texts[row, column]}<br>{mark.label}<br>"
            f"{events_words(int(grid.events[column]))}"
            for row, column in places
        ],
        hovertemplate="%{hovertext}<extra></extra>",
        unselected={"marker": {"opacity": 0.01 if status is Status.PASSED else 1}},
    )


def _windows(grid: Grid, names: Sequence[str], theme: Theme, *, roomy: bool) -> go.Scatter:
    """Draw a mark for each window below the rows, larger where there are more events."""
    share = grid.events / max(int(grid.events.max(initial=0)), 1)
    low, high = (6, 16) if roomy else (3, 14)
    return go.Scatter(
        x=list(names),
        y=np.full(len(names), len(grid.models) + 0.1),
        customdata=[[window.id] for window in grid.windows],
        mode="markers",
        marker={
            # Many windows stand so close that only their heights are seen.
            "symbol": ["circle" if count else "circle-open" for count in grid.events.tolist()]
            if roomy
            else "line-ns-open",
            "size": (low + (high - low) * np.sqrt(share)).tolist(),
            "color": theme.muted,
            "line": {"width": 1, "color": theme.muted},
        },
        name="windows",
        hovertext=[
            f"<b>{name}</b><br>{events_words(count)}<br><i>Click to choose this window</i>"
            for name, count in zip(names, grid.events.tolist(), strict=True)
        ],
        hovertemplate="%{hovertext}<extra></extra>",
        unselected={"marker": {"opacity": 1}},
    )


def _lay_out(figure: go.Figure, grid: Grid, names: Sequence[str], theme: Theme) -> None:
    many = len(names) > _ROOMY
    figure.update_layout(
        height=quantiles_height(grid),
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        dragmode="zoom" if many else False,
        clickmode="event+select",
        hovermode="closest",
        hoverdistance=20 if many else 60,  # as far as a click on a cell may be from its mark
        hoverlabel={"align": "left"},
        showlegend=False,
    )
    step = max(-(-len(names) // 8), 1)
    ticks = list(range(0, len(names), step))
    figure.update_xaxes(
        type="category",
        categoryorder="array",
        categoryarray=list(names),
        tickvals=[names[place] for place in ticks],
        ticktext=[names[place].split(" to ")[0] for place in ticks],
        tickangle=0,
        tickfont={"size": 11},
        range=[-0.5, len(names) - 0.5],
        showgrid=False,
        zeroline=False,
        fixedrange=not many,
        automargin=True,
    )
    axis: dict[str, Any] = {"showgrid": False, "zeroline": False, "fixedrange": True, "automargin": True}
    figure.update_yaxes(
        **axis,
        range=[len(grid.models) + 0.7, -0.6],
        tickvals=list(range(len(grid.models) + 1)),
        ticktext=[*(wrapped(model) for model in grid.models), "<i>events</i>"],
        tickfont={"size": 12, "color": theme.text},
    )
