"""The overview matrix as a figure: a mark per test and model, since cells of a heatmap cannot be clicked."""

import html
from collections.abc import Sequence
from typing import Any, Final

import plotly.graph_objects as go

from dashboard._theme import Theme
from dashboard._words import count_of, events, number, quantile_texts, short_number
from dashboard.figures.cells import Column, CountedCell, CountedMatrix, WindowCell, WindowMatrix
from dashboard.figures.marks import MARKS, Status
from forequake.results import (
    LowerQuantile,
    StudentQuantiles,
    TailQuantiles,
    WilcoxonQuantile,
)
from stores import ResultRow

__all__ = ["counted_figure", "window_figure"]

#: Height of a row and of what stands above and below the rows, in pixels.
_ROW: Final = 62
_COUNTED_ROW: Final = 76
_HEAD: Final = 64
_FOOT: Final = 70
_COUNTED_FOOT: Final = 120
#: Cividis is read the same with any colour vision; its middle is where letters turn from white to black.
_SCALE: Final = "Cividis"
_TURN: Final = 0.5


def window_figure(matrix: WindowMatrix, theme: Theme) -> go.Figure:
    """Draw the matrix of one window: one mark per cell by outcome, with the deciding number below it.

    Each mark carries ``[model, test, reference]`` of its cell as ``customdata`` (an empty text for no
    reference).
    """
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
                text=[_below(cell) for cell in cells],
                textposition="bottom center",
                textfont={"size": 11, "color": theme.muted},
                hovertext=[_hover_of_window(cell) for cell in cells],
                hovertemplate="%{hovertext}<extra></extra>",
            )
        )
        if mark.letter:
            figure.add_trace(_letters(matrix, cells, mark.letter, colour))
    _lay_out(figure, matrix, theme)
    return figure


def counted_figure(matrix: CountedMatrix, theme: Theme) -> go.Figure:
    """Draw the matrix over all windows: "rejected k/n" on a shade of k/n, ringed where chance is exceeded.

    Comparisons stand as numbers of windows in which the model is better and worse. Marks carry
    ``customdata`` as in `window_figure`.
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
    _lay_out(figure, matrix, theme)
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
    }


def _letters(matrix: WindowMatrix, cells: Sequence[WindowCell], letter: str, colour: str) -> go.Scatter:
    return go.Scatter(
        **_places(matrix, cells),
        mode="text",
        text=[f"<b>{letter}</b>"] * len(cells),
        textfont={"size": 15, "color": colour},
        hoverinfo="skip",
        showlegend=False,
    )


def _shades(matrix: CountedMatrix, cells: Sequence[CountedCell], theme: Theme) -> go.Scatter:
    shares = [cell.share or 0.0 for cell in cells]
    return go.Scatter(
        **_places(matrix, cells),
        name="share of windows rejected",
        mode="markers+text",
        marker={
            "symbol": "square",
            "size": 36,
            "color": shares,
            "colorscale": _SCALE,
            "cmin": 0,
            "cmax": 1,
            "line": {"width": 1, "color": theme.line},
            "colorbar": {
                "title": {"text": "share of windows rejected", "side": "top"},
                "orientation": "h",
                "thickness": 10,
                "lenmode": "pixels",
                "len": 240,
                "x": 0,
                "xanchor": "left",
                "y": 0,
                "yref": "container",
                "yanchor": "bottom",
                "ypad": 6,
                "tickformat": ".0%",
                "dtick": 0.25,
                "outlinewidth": 0,
            },
        },
        text=[f"{cell.counts.get(Status.REJECTED, 0)}/{cell.decided}" for cell in cells],
        textfont={"size": 12, "color": ["#FFFFFF" if share < _TURN else "#101010" for share in shares]},
        hovertext=[_hover_of_counts(cell) for cell in cells],
        hovertemplate="%{hovertext}<extra></extra>",
        showlegend=False,
    )


def _ring(matrix: CountedMatrix, cells: Sequence[CountedCell], theme: Theme) -> go.Scatter:
    return go.Scatter(
        **_places(matrix, cells),
        name="more rejections than chance gives in 95 % of cases",
        mode="markers",
        marker={
            "symbol": "square-open",
            "size": 43,
            "color": theme.differ,
            "line": {"width": 3, "color": theme.differ},
        },
        hoverinfo="skip",
    )


def _plain(matrix: CountedMatrix, cells: Sequence[CountedCell], theme: Theme) -> go.Scatter:
    return go.Scatter(
        **_places(matrix, cells),
        mode="markers+text",
        marker={"symbol": "square", "size": 40, "color": "rgba(0,0,0,0)", "line": {"width": 0}},
        text=[_inside(cell) for cell in cells],
        textfont={"size": 12, "color": theme.text},
        hovertext=[_hover_of_counts(cell) for cell in cells],
        hovertemplate="%{hovertext}<extra></extra>",
        showlegend=False,
    )


def _below(cell: WindowCell) -> str:
    """Give the number that decides, as short as a narrow screen needs it."""
    row = cell.row
    if row is None or cell.status is Status.UNDEFINED:
        return ""
    match row.quantiles:
        case TailQuantiles(delta1=upper, delta2=lower):
            return short_number(min(upper, lower))
        case LowerQuantile(q=q):
            return short_number(q)
        case StudentQuantiles() if row.information_gain is not None:
            return f"{row.information_gain:+.2f}".replace("-", "−")
        case StudentQuantiles(p=p) | WilcoxonQuantile(p=p):
            return short_number(p)
        case _:
            return ""


def _inside(cell: CountedCell) -> str:
    if not cell.decided:
        if cell.counts:
            return next(
                text
                for status, text in (
                    (Status.SCORE_ONLY, "score"),
                    (Status.UNDEFINED, "undef."),
                    (Status.FAILED, "<b>!</b>"),
                    (Status.MISSING, "·"),
                )
                if status in cell.counts
            )
        return "–" if cell.model == cell.column.reference else "·"
    better, worse = (cell.counts.get(status, 0) for status in (Status.BETTER, Status.WORSE))
    return f"▲{better} ▼{worse}<br>of {cell.decided}"


def _remainder(cell: CountedCell) -> str:
    """Name what is not among the verdicts, in the short words of a cell."""
    words = {Status.UNDEFINED: "undef.", Status.FAILED: "failed", Status.MISSING: "missing"}
    parts = [f"{cell.counts[status]} {word}" for status, word in words.items() if status in cell.counts]
    return "<br>".join(parts) if cell.decided else ""


def _title(model: str, column: Column) -> str:
    against = "" if column.reference is None else f" against {html.escape(column.reference)}"
    return f"<b>{html.escape(column.test)} of {html.escape(model)}</b>{against}"


def _hover_of_window(cell: WindowCell) -> str:
    lines = [_title(cell.model, cell.column)]
    if cell.row is not None:
        lines += _hover_of_row(cell.row)
    elif cell.unit is not None:
        lines.append(f"{cell.unit.state.value.replace('_', ' ')}, attempt {cell.unit.attempts}")
        if cell.unit.error is not None:
            lines.append(html.escape(_cut(f"{cell.unit.error.kind}: {cell.unit.error.message}")))
    elif cell.status is Status.ITSELF:
        lines.append("The model is the reference: nothing to compare.")
    else:
        lines.append("Not computed yet.")
    return "<br>".join(lines)


def _hover_of_row(row: ResultRow) -> list[str]:
    mark = MARKS[Status(row.outcome.value)]
    lines = [f"{mark.label} at {row.alpha:g} ({row.side.value.replace('_', '-')})"]
    if row.reason:
        lines.append(html.escape(_cut(row.reason)))
    lines += [f"{name} = {html.escape(text)}" for name, text in quantile_texts(row.quantiles).items()]
    if row.information_gain is not None:
        lines.append(f"information gain {number(row.information_gain)} nats per event")
    if row.statistic is not None and row.kind == "consistency":
        lines.append(f"statistic {number(row.statistic, 6)}")
    lines.append(f"{events(row.n_observed)}, {number(row.n_forecast)} expected")
    lines.append("<i>Click for the distribution</i>")
    return lines


def _hover_of_counts(cell: CountedCell) -> str:
    lines = [_title(cell.model, cell.column)]
    lines += [
        f"{MARKS[status].label}: {count_of(count, 'window')}"
        for status, count in sorted(cell.counts.items(), key=lambda item: list(MARKS).index(item[0]))
    ]
    if cell.limit is not None:
        lines.append(f"chance rejects up to {cell.limit} of {cell.decided} in 95 % of cases")
    if not cell.counts:
        lines.append("nothing to compare" if cell.model == cell.column.reference else "not computed yet")
    return "<br>".join(lines)


def _cut(text: str, most: int = 160) -> str:
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _lay_out(figure: go.Figure, matrix: WindowMatrix | CountedMatrix, theme: Theme) -> None:
    models, columns = len(matrix.models), len(matrix.columns)
    counted = isinstance(matrix, CountedMatrix)
    row, foot = (_COUNTED_ROW, _COUNTED_FOOT) if counted else (_ROW, _FOOT)
    figure.update_layout(
        height=_HEAD + foot + row * models,
        margin={"l": 8, "r": 8, "t": _HEAD, "b": foot},
        dragmode=False,
        clickmode="event+select",
        hoverlabel={"align": "left"},
        showlegend=True,
        legend={
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 0,
            "yanchor": "top",
            "itemclick": False,
            "itemdoubleclick": False,
            "itemsizing": "constant",
        },
        shapes=_lines(matrix, theme),
    )
    figure.update_xaxes(
        side="top",
        range=[-0.5, columns - 0.5],
        tickvals=list(range(columns)),
        ticktext=[_column_text(column) for column in matrix.columns],
        tickfont={"size": 13},
        showgrid=False,
        zeroline=False,
        showline=False,
        ticks="",
        fixedrange=True,
    )
    figure.update_yaxes(
        range=[models - 0.5, -0.5],
        tickvals=list(range(models)),
        ticktext=[_wrapped(model) for model in matrix.models],
        tickfont={"size": 13},
        automargin=True,
        showgrid=False,
        zeroline=False,
        showline=False,
        ticks="",
        fixedrange=True,
    )
    figure.update_traces(cliponaxis=False)
    figure.update_traces(unselected={"marker": {"opacity": 1}}, selector=_with_markers)
    if isinstance(matrix, CountedMatrix):
        _add_remainders(figure, matrix, theme)


def _with_markers(trace: Any) -> bool:
    return "markers" in (trace.mode or "")


def _add_remainders(figure: go.Figure, matrix: CountedMatrix, theme: Theme) -> None:
    cells = [cell for cell in matrix.cells if _remainder(cell)]
    if not cells:
        return
    places = _places(matrix, cells)
    figure.add_trace(
        go.Scatter(
            x=places["x"],
            y=[place + 0.4 for place in places["y"]],
            mode="text",
            text=[_remainder(cell).replace("<br>", " · ") for cell in cells],
            textfont={"size": 10, "color": theme.muted},
            hoverinfo="skip",
            showlegend=False,
        )
    )


def _column_text(column: Column) -> str:
    text = f"<b>{html.escape(column.letters)}</b>"
    if column.reference is None:
        return text
    return f"{text}<br>vs {html.escape(_cut(column.reference, 14))}"


def _wrapped(model: str) -> str:
    """Escape a model's name and break a long one, so that it leaves room for the cells."""
    if len(model) <= 18:
        return html.escape(model)
    place = max(model.rfind(mark, 6, 19) for mark in " _-.")
    cut = place + 1 if place > 0 else 18
    return f"{html.escape(model[:cut])}<br>{html.escape(_cut(model[cut:], 18))}"


def _lines(matrix: WindowMatrix | CountedMatrix, theme: Theme) -> list[dict[str, Any]]:
    """Give the lines between rows, and the stronger one between consistency tests and comparisons."""
    width = len(matrix.columns)
    rules = [
        {
            "type": "line",
            "x0": -0.5,
            "x1": width - 0.5,
            "y0": place - 0.5,
            "y1": place - 0.5,
            "line": {"color": theme.line, "width": 1},
            "layer": "below",
        }
        for place in range(len(matrix.models) + 1)
    ]
    first = next((n for n, column in enumerate(matrix.columns) if column.reference is not None), 0)
    if first:
        rules.append(
            {
                "type": "line",
                "x0": first - 0.5,
                "x1": first - 0.5,
                "y0": -0.5,
                "y1": len(matrix.models) - 0.5,
                "line": {"color": theme.silent, "width": 1, "dash": "dot"},
                "layer": "below",
            }
        )
    return rules
