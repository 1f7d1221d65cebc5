"""The overview matrix as a figure: a mark per test and model, since cells of a heatmap cannot be clicked.

Every mark carries ``[model, test, reference]`` of its cell as ``customdata``; an empty text stands for no
reference. The legend is not part of the figure (see `dashboard.figures.legend`).
"""

import html
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final

import plotly.graph_objects as go

from dashboard._theme import Theme
from dashboard.figures.bands import heading_of
from dashboard.figures.cell_text import (
    MANY,
    below_mark,
    cut,
    hover_of_counts,
    hover_of_window,
    inside_counted,
    inside_shaded,
    remainder,
    wrapped,
)
from dashboard.figures.cells import Column, CountedCell, CountedMatrix, WindowCell, WindowMatrix
from dashboard.figures.marks import MARKS

__all__ = ["counted_figure", "matrix_figure", "window_figure"]

#: Height of a row and of what stands above and below the rows, in pixels.
_ROW: Final = 62
#: Of counted windows: the row without what stands below a cell, the middle of its cells, and a line below.
_COUNTED_ROW: Final = 64
_COUNTED_MIDDLE: Final = 32
_COUNTED_LINE: Final = 12
#: From the middle of a cell to the first line below it.
_BELOW: Final = 27
_HEAD: Final = 32
_HEAD_LINE: Final = 17
_SMALL_LINE: Final = 14
_FOOT: Final = 10
#: Cividis is read the same with any colour vision; from its middle on letters on it are black.
_SCALE: Final = "Cividis"
_MIDDLE: Final = 0.5


def matrix_figure(
    matrix: WindowMatrix | CountedMatrix, theme: Theme, links: Mapping[Column, str] = MappingProxyType({})
) -> go.Figure:
    """Draw a matrix of either kind.

    Parameters
    ----------
    links
        To where the headings of columns lead.
    """
    if isinstance(matrix, CountedMatrix):
        figure = counted_figure(matrix, theme)
    else:
        figure = window_figure(matrix, theme)
    figure.update_xaxes(
        ticktext=[
            f'<a href="{html.escape(links[column])}" target="_self">{text}</a>' if column in links else text
            for column, text in zip(matrix.columns, figure.layout.xaxis.ticktext, strict=True)
        ]
    )
    return figure


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
    _add_counted(figure, matrix, matrix.batches, theme)
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
        figure.add_trace(_remainders(matrix, rest, theme))
    _lay_out(figure, matrix, theme, _counted_row(matrix))
    return figure


def _add_counted(figure: go.Figure, matrix: WindowMatrix, cells: Sequence[CountedCell], theme: Theme) -> None:
    """Add cells that stand as numbers, with what has no verdict below them."""
    if cells:
        figure.add_trace(_plain(matrix, cells, theme))
    rest = [cell for cell in cells if remainder(cell)]
    if rest:
        places = _places(matrix, rest)
        places["y"] = [place + 0.42 for place in places["y"]]
        figure.add_trace(_letters(places, [remainder(cell, " · ") for cell in rest], 10, theme.muted))


def _remainder_lines(cell: CountedCell) -> int:
    text = remainder(cell)
    return text.count("<br>") + 1 if text else 0


def _counted_row(matrix: CountedMatrix) -> int:
    """Give the height of a row in pixels: with room for as many lines as stand below any cell."""
    return _COUNTED_ROW + _COUNTED_LINE * max(map(_remainder_lines, matrix.cells), default=0)


def _edge(matrix: WindowMatrix | CountedMatrix) -> float:
    """Give where the first row begins: half a row above its cells, less where lines stand below them."""
    return -_COUNTED_MIDDLE / _counted_row(matrix) if isinstance(matrix, CountedMatrix) else -0.5


def _remainders(matrix: CountedMatrix, cells: Sequence[CountedCell], theme: Theme) -> go.Scatter:
    row, places = _counted_row(matrix), _places(matrix, cells)
    places["y"] = [
        place + (_BELOW + _COUNTED_LINE * _remainder_lines(cell) / 2) / row
        for place, cell in zip(places["y"], cells, strict=True)
    ]
    return _letters(places, [remainder(cell) for cell in cells], 10, theme.muted)


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
            "size": [42 if cell.decided >= MANY else 36 for cell in cells],
            "opacity": 1,  # marks of several sizes would let the page through
            "color": shares,
            "colorscale": _SCALE,
            "cmin": 0,
            "cmax": 1,
            "line": {"width": 1, "color": theme.line},
        },
        text=[inside_shaded(cell) for cell in cells],
        textfont={
            "size": [11 if cell.decided >= MANY else 12 for cell in cells],
            "color": ["#FFFFFF" if share < _MIDDLE else "#101010" for share in shares],
        },
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
            "size": [49 if cell.decided >= MANY else 43 for cell in cells],
            "opacity": 1,
            "color": theme.differ,
            "line": {"width": 3, "color": theme.differ},
        },
        hoverinfo="skip",
        unselected={"marker": {"opacity": 1}},
    )


def _plain(matrix: WindowMatrix | CountedMatrix, cells: Sequence[CountedCell], theme: Theme) -> go.Scatter:
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
    lines = max((len(heading_of(column)) for column in matrix.columns), default=1)
    named = [column.reference for column in matrix.columns if column.reference is not None]
    alone = any(named.count(reference) == 1 for reference in named)
    head = _HEAD + _HEAD_LINE * lines + (_SMALL_LINE if alone else 0)
    bare = {"showgrid": False, "zeroline": False, "showline": False, "ticks": "", "fixedrange": True}
    figure.update_layout(
        height=head + _FOOT + row * models,
        margin={"l": 8, "r": 8, "t": head, "b": _FOOT},
        dragmode=False,
        clickmode="event+select",
        hoverlabel={"align": "left"},
        showlegend=False,
        shapes=_lines(matrix, theme),
        annotations=_references(matrix.columns, theme, _HEAD + _HEAD_LINE * lines - 16),
    )
    figure.update_xaxes(
        **bare,
        side="top",
        range=[-0.5, columns - 0.5],
        tickvals=list(range(columns)),
        ticktext=[
            f"<b>{'<br>'.join(html.escape(line) for line in heading_of(column))}</b>"
            for column in matrix.columns
        ],
        tickfont={"size": 13, "color": theme.text},
        tickangle=0,
    )
    figure.update_yaxes(
        **bare,
        range=[models + _edge(matrix), _edge(matrix)],
        tickvals=list(range(models)),
        ticktext=[wrapped(model) for model in matrix.models],
        tickfont={"size": 13, "color": theme.text},
        automargin=True,
    )


def _references(columns: Sequence[Column], theme: Theme, height: int) -> list[dict[str, Any]]:
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
            "yshift": height,
            "text": f"against{_between(group)}{html.escape(cut(reference, 6 + 8 * len(group)))}",
            "font": {"size": 11, "color": theme.muted},
            "showarrow": False,
        }
        for reference, group in places.items()
    ]


def _between(group: Sequence[int]) -> str:
    """Break what stands over a single column, which may be as narrow as a name."""
    return "<br>" if len(group) == 1 else " "


def _lines(matrix: WindowMatrix | CountedMatrix, theme: Theme) -> list[dict[str, Any]]:
    """Give the lines between rows, and those between consistency tests and the groups of comparisons."""
    height, width, edge = len(matrix.models), len(matrix.columns), _edge(matrix)
    rules = [
        _line((-0.5, width - 0.5), (place + edge, place + edge), {"color": theme.line, "width": 1})
        for place in range(height + 1)
    ]
    for place in range(1, width):
        if matrix.columns[place].reference != matrix.columns[place - 1].reference:
            style = {"color": theme.silent, "width": 1, "dash": "dot"}
            rules.append(_line((place - 0.5, place - 0.5), (edge, height + edge), style))
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
