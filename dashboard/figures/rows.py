"""What figures with a row for each model share: an axis with edges, the rows, the numbers at the right."""

import html
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import plotly.graph_objects as go

from dashboard._theme import Theme

__all__ = ["Scale", "columns_at_right", "edge_of", "lay_out_rows", "least_width", "mark_edges"]

#: The least width of what is between names and numbers, in pixels.
_PLOT: Final = 150
_NAME_LETTER: Final = 7.2
#: Letters of a line below the axis.
_LINE: Final = 34
_ROW: Final = 34
_HEAD: Final = 58
_FOOT: Final = 52
_LETTER: Final = 6.6
_GAP: Final = 14
#: Marks of what is infinite stand so far from the edge, as a share of the axis.
_INSET: Final = 0.035


@dataclass(frozen=True)
class Scale:
    """An axis with room at both edges for what lies beyond them.

    Attributes
    ----------
    span
        From edge to edge, in the units of the axis.
    logarithmic
        Whether the axis has the decimal logarithm of 1 + n, which a count of 0 has, too.
    ticks
        Places and words; None leaves them to plotly.
    """

    span: tuple[float, float]
    logarithmic: bool = False
    ticks: tuple[tuple[float, str], ...] | None = None

    @classmethod
    def of(cls, values: Sequence[float], *, logarithmic: bool = False, counts: bool = False) -> "Scale":
        """Make an axis for finite values; an empty one has no ticks."""
        if not values:
            return cls((0.0, 1.0), ticks=())
        low, high = min(values), max(values)
        if logarithmic:
            low, high = math.log10(1 + low), math.log10(1 + high)
        margin = 0.09 * (high - low) or 0.5
        span = (low - margin, high + margin)
        if logarithmic:
            return cls(span, logarithmic=True, ticks=_log_ticks(max(values)))
        if counts and span[1] - span[0] < 12:
            whole = range(max(math.ceil(span[0]), 0), math.floor(span[1]) + 1)
            return cls(span, ticks=tuple((float(count), str(count)) for count in whole))
        return cls(span)

    def at(self, value: float) -> float:
        """Give where a value stands; what is infinite stands at the edge."""
        if math.isinf(value):
            return self.span[value > 0]
        return math.log10(1 + value) if self.logarithmic else value

    def beside(self, value: float) -> float:
        """Give where the mark of a value stands; of an infinite one beside the edge, where an arrow is."""
        inset = _INSET * (self.span[1] - self.span[0])
        if math.isinf(value):
            return self.at(value) + (-inset if value > 0 else inset)
        return self.at(value)


def _log_ticks(greatest: float) -> tuple[tuple[float, str], ...]:
    steps = [0, *(factor * 10**power for power in range(9) for factor in (1, 3))]
    if greatest > 3000:
        steps = [0, *(10**power for power in range(16))]
    return tuple((math.log10(1 + step), f"{step:,}") for step in steps if step <= 3 * greatest)


def mark_edges(
    figure: go.Figure,
    ends: Sequence[tuple[float | None, int]],
    scale: Scale,
    colour: str,
    *,
    name: str,
    size: int,
) -> None:
    """Draw an arrow at the edge in each row that has something infinite.

    Parameters
    ----------
    ends
        Infinite values and the heights of their rows.
    """
    found = [(end, height) for end, height in ends if end is not None]
    if not found:
        return
    figure.add_trace(
        go.Scatter(
            x=[scale.at(end) for end, _ in found],
            y=[height for _, height in found],
            mode="markers",
            name=name,
            marker={
                "symbol": ["triangle-right" if end > 0 else "triangle-left" for end, _ in found],
                "size": size,
                "color": colour,
            },
            hoverinfo="skip",
            cliponaxis=False,
        )
    )


def edge_of(value: float | None) -> str:
    """Give the side of a mark on which its words stand: away from the edge that it is at."""
    return "middle left" if value == math.inf else "middle right"


def lay_out_rows(
    figure: go.Figure, names: Sequence[str], scale: Scale, theme: Theme, *, title: str, across: str
) -> None:
    """Frame a figure with a row for each name, from top to bottom."""
    count = len(names)
    figure.update_layout(
        height=_HEAD + _FOOT + _ROW * count,
        margin={"l": 8, "r": 8, "t": _HEAD, "b": _FOOT},
        dragmode=False,
        clickmode="event+select",
        hovermode="closest",
        hoverlabel={"align": "left"},
        showlegend=False,
        shapes=[
            {
                "type": "line",
                "xref": "paper",
                "x0": 0,
                "x1": 1,
                "y0": place - 0.5,
                "y1": place - 0.5,
                "line": {"color": theme.line, "width": 1},
                "layer": "below",
            }
            for place in range(count + 1)
        ],
        annotations=[
            {
                "x": 0,
                "xref": "paper",
                "xanchor": "left",
                "y": 1,
                "yref": "paper",
                "yanchor": "bottom",
                "yshift": 24,
                "text": title,
                "showarrow": False,
                "font": {"size": 15, "color": theme.text},
            }
        ],
    )
    _lay_out_axes(figure, names, scale, theme, across)


def _lay_out_axes(figure: go.Figure, names: Sequence[str], scale: Scale, theme: Theme, across: str) -> None:
    count, given = len(names), scale.ticks
    axis: dict[str, Any] = {"fixedrange": True, "zeroline": False, "showline": False}
    ticks: dict[str, Any] = {"nticks": 6}
    if given is not None:
        ticks = {"tickvals": [at for at, _ in given], "ticktext": [text for _, text in given]}
    figure.update_xaxes(
        **axis,
        **ticks,
        range=list(scale.span),
        title={"text": "<br>".join(textwrap.wrap(across, _LINE)), "font": {"size": 12}, "standoff": 6},
        showgrid=True,
        gridcolor=theme.line,
        tickfont={"size": 11},
    )
    figure.update_yaxes(
        **axis,
        showgrid=False,
        ticks="outside",
        ticklen=9,  # room for an arrow at the edge
        tickcolor="rgba(0,0,0,0)",
        range=[count - 0.5, -0.5],
        tickvals=list(range(count)),
        ticktext=list(names),
        tickfont={"size": 13, "color": theme.text},
        automargin=True,
    )


def least_width(names: Sequence[str], columns: Mapping[str, Sequence[str]]) -> int:
    """Give the width in pixels below which letters would run into each other."""
    lines = [line for name in names for line in name.split("<br>")]
    return round(_PLOT + _NAME_LETTER * max(map(len, lines), default=0) + 20 + _right(columns))


def _right(columns: Mapping[str, Sequence[str]]) -> float:
    return sum(_width(head, texts) for head, texts in columns.items())


def columns_at_right(figure: go.Figure, columns: Mapping[str, Sequence[str]], theme: Theme) -> None:
    """Write columns of texts, one for each model, at the right of a figure; heads may have several lines."""
    at, notes = 0.0, list(figure.layout.annotations)
    for head, texts in columns.items():
        at += _width(head, texts)
        shared = {"x": 1, "xref": "paper", "xanchor": "right", "xshift": at, "align": "right"}
        letters = {"showarrow": False, "font": {"size": 12, "color": theme.text}}
        notes.append(
            shared
            | {"y": 1, "yref": "paper", "yanchor": "bottom", "text": html.escape(head).replace("\n", "<br>")}
            | {"showarrow": False, "font": {"size": 11, "color": theme.muted}}
        )
        notes += [
            shared | letters | {"y": height, "yref": "y", "yanchor": "middle", "text": html.escape(text)}
            for height, text in enumerate(texts)
        ]
    figure.update_layout(margin={"r": round(at)}, annotations=notes)  # at once: one by one they take seconds


def _width(head: str, texts: Sequence[str]) -> float:
    return _GAP + _LETTER * max(len(text) for text in [*head.split("\n"), *texts])
