"""The overview matrix as a figure: a mark per test and model, since cells of a heatmap cannot be clicked.

Every mark carries ``[model, test, reference]`` of its cell as ``customdata``; an empty text stands for no
reference. The legend is not part of the figure (see `dashboard.figures.legend`).
"""

import html
from collections.abc import Sequence
from typing import Any, Final

import plotly.graph_objects as go

from dashboard._theme import Theme
from dashboard.figures.cell_text import (
    below_mark,
    cut,
    hover_of_counts,
    hover_of_window,
    inside_counted,
    remainder,
    wrapped,
)
from dashboard.figures.cells import Column, CountedCell, CountedMatrix, WindowCell, WindowMatrix
from dashboard.figures.marks import MARKS, Status

__all__ = ["counted_figure", "window_figure"]

#: Height of a row and of what stands above and below the rows, in pixels.
_ROW: Final = 62
_COUNTED_ROW: Final = 76
_HEAD: Final = 56
_FOOT: Final = 10
#: Cividis is read the same with any colour vision; from its middle on letters on it are black.
_SCALE: Final = "Cividis"
_MIDDLE: Final = 0.5


def window_figure(matrix: WindowMatrix, theme: Theme) -> go.Figure:
    """Draw the matrix of one window: one mark per cell by outcome, with the deciding number below it."""
    figure = go.Figure()
    for status, mark in MARKS.items():
        cells = [cell for cell in matrix.cells if cell.status is status]
        if not cells:
            continue
        colour = mark.colour(theme)
        figure.add_trace(
            go.Scatter(
                **_places(matrix, cells),
                name=mark.label,
                mode="markers+text",
                marker={
                    "symbol": mark.symbol,
                    "size": mark.size,
                    "color": colour,
                    "line": {"width": 2 if "open" in mark.symbol else 0, "color": colour},
                },
                text=[below_mark(cell) for cell in cells],
                textposition="bottom center",
                textfont={"size": 11, "color": theme.muted},
                hovertext=[hover_of_window(cell) for cell in cells],
                hovertemplate="%{hovertext}<extra></extra>",
                unselected={"marker": {"opacity": 1}},
            )
        )
        if mark.letter:
            texts = [f"<b>{mark.letter}</b>"] * len(cells)
            figure.add_trace(_letters(_places(matrix, cells), texts, 15, colour))
    _lay_out(figure, matrix, theme, _ROW)
    return figure


def counted_figure(matrix: CountedMatrix, theme: Theme) -> go.Figure:
    """Draw the matrix over all windows: rejected k/n on a shade of k/n, ringed where chance is exceeded.

    Comparisons stand as the numbers of windows in which the model is better and worse. What has no verdict
    is counted below the cell.
    """
    figure = go.Figure()
    shaded = [cell for cell in matrix.cells if cell.share is not None]
    plain = [cell for cell in matrix.cells if cell.share is None]
    ringed = [cell for cell in shaded if cell.beyond_chance]
    if ringed:
        figure.add_trace(_ring(matrix, ringed, theme))
    if shaded:
        figure.add_trace(_shades(matrix, shaded, theme))
    if plain:
        figure.add_trace(_plain(matrix, plain, theme))
    rest = [cell for cell in matrix.cells if remainder(cell)]
    if rest:
        places = _places(matrix, rest)
        places["y"] = [place + 0.4 for place in places["y"]]
        figure.add_trace(_letters(places, [remainder(cell) for cell in rest], 10, theme.muted))
    _lay_out(figure, matrix, theme, _COUNTED_ROW)
    return figure


def _places(
    matrix: WindowMatrix | CountedMatrix, cells: Sequence[WindowCell] | Sequence[CountedCell]
) -> dict[str, Any]:
    across = {column: place for place, column in enumerate(matrix.columns)}
    down = {model: place for place, model in enumerate(matrix.models)}
    return {
        "x": [across[cell.column] for cell in cells],
        "y": [down[cell.model] for cell in cells],
        "customdata": [[cell.model, cell.column.test, cell.column.reference or ""] for cell in cells],
        "cliponaxis": False,
    }


def _letters(places: dict[str, Any], texts: Sequence[str], size: int, colour: str) -> go.Scatter:
    return go.Scatter(
        **places, mode="text", text=texts, textfont={"size": size, "color": colour}, hoverinfo="skip"
    )


def _shades(matrix: CountedMatrix, cells: Sequence[CountedCell], theme: Theme) -> go.Scatter:
    shares = [cell.share or 0.0 for cell in cells]
    return go.Scatter(
        **_places(matrix, cells),
        name="rejected",
        mode="markers+text",
        marker={
            "symbol": "square",
            "size": 36,
            "color": shares,
            "colorscale": _SCALE,
            "cmin": 0,
            "cmax": 1,
            "line": {"width": 1, "color": theme.line},
        },
        text=[f"{cell.counts.get(Status.REJECTED, 0)}/{cell.decided}" for cell in cells],
        textfont={"size": 12, "color": ["#FFFFFF" if share < _MIDDLE else "#101010" for share in shares]},
        hovertext=[hover_of_counts(cell) for cell in cells],
        hovertemplate="%{hovertext}<extra></extra>",
        unselected={"marker": {"opacity": 1}},
    )


def _ring(matrix: CountedMatrix, cells: Sequence[CountedCell], theme: Theme) -> go.Scatter:
    return go.Scatter(
        **_places(matrix, cells),
        name="beyond chance",
        mode="markers",
        marker={
            "symbol": "square-open",
            "size": 43,
            "color": theme.differ,
            "line": {"width": 3, "color": theme.differ},
        },
        hoverinfo="skip",
        unselected={"marker": {"opacity": 1}},
    )


def _plain(matrix: CountedMatrix, cells: Sequence[CountedCell], theme: Theme) -> go.Scatter:
    return go.Scatter(
        **_places(matrix, cells),
        name="counted",
        mode="markers+text",
        marker={"symbol": "square", "size": 40, "color": "rgba(0,0,0,0)", "line": {"width": 0}},
        text=[inside_counted(cell) for cell in cells],
        textfont={"size": 12, "color": theme.text},
        hovertext=[hover_of_counts(cell) for cell in cells],
        hovertemplate="%{hovertext}<extra></extra>",
        unselected={"marker": {"opacity": 1}},
    )


def _lay_out(figure: go.Figure, matrix: WindowMatrix | CountedMatrix, theme: Theme, row: int) -> None:
    models, columns = len(matrix.models), len(matrix.columns)
    bare = {"showgrid": False, "zeroline": False, "showline": False, "ticks": "", "fixedrange": True}
    figure.update_layout(
        height=_HEAD + _FOOT + row * models,
        margin={"l": 8, "r": 8, "t": _HEAD, "b": _FOOT},
        dragmode=False,
        clickmode="event+select",
        hoverlabel={"align": "left"},
        showlegend=False,
        shapes=_lines(matrix, theme),
        annotations=_references(matrix.columns, theme),
    )
    figure.update_xaxes(
        **bare,
        side="top",
        range=[-0.5, columns - 0.5],
        tickvals=list(range(columns)),
        ticktext=[f"<b>{html.escape(cut(column.letters, 14))}</b>" for column in matrix.columns],
        tickfont={"size": 13, "color": theme.text},
        tickangle=0,
    )
    figure.update_yaxes(
        **bare,
        range=[models - 0.5, -0.5],
        tickvals=list(range(models)),
        ticktext=[wrapped(model) for model in matrix.models],
        tickfont={"size": 13, "color": theme.text},
        automargin=True,
    )


def _references(columns: Sequence[Column], theme: Theme) -> list[dict[str, Any]]:
    """Name each reference once, over the columns that compare with it."""
    places: dict[str, list[int]] = {}
    for place, column in enumerate(columns):
        if column.reference is not None:
            places.setdefault(column.reference, []).append(place)
    return [
        {
            "x": sum(group) / len(group),
            "y": 1,
            "yref": "paper",
            "yanchor": "bottom",
            "yshift": 26,
            "text": f"against {html.escape(cut(reference, 6 + 8 * len(group)))}",
            "font": {"size": 11, "color": theme.muted},
            "showarrow": False,
        }
        for reference, group in places.items()
    ]


def _lines(matrix: WindowMatrix | CountedMatrix, theme: Theme) -> list[dict[str, Any]]:
    """Give the lines between rows, and those between consistency tests and the groups of comparisons."""
    height, width = len(matrix.models), len(matrix.columns)
    rules = [
        _line((-0.5, width - 0.5), (place - 0.5, place - 0.5), {"color": theme.line, "width": 1})
        for place in range(height + 1)
    ]
    for place in range(1, width):
        if matrix.columns[place].reference != matrix.columns[place - 1].reference:
            style = {"color": theme.silent, "width": 1, "dash": "dot"}
            rules.append(_line((place - 0.5, place - 0.5), (-0.5, height - 0.5), style))
    return rules


def _line(across: tuple[float, float], down: tuple[float, float], style: dict[str, Any]) -> dict[str, Any]:
    return {
        "type": "line",
        "x0": across[0],
        "x1": across[1],
        "y0": down[0],
        "y1": down[1],
        "line": style,
        "layer": "below",
    }
