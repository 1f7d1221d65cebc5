"""What all pictures of one result share: the observed line, arrows for infinite values, and the frame."""

import math
import textwrap
from typing import Final

import plotly.graph_objects as go

from dashboard._theme import Theme

__all__ = ["LOWER_EDGE", "UPPER_EDGE", "lay_out", "mark_observed"]

#: The left and the right end of the picture, in paper coordinates.
LOWER_EDGE: Final = 0.0
UPPER_EDGE: Final = 1.0
#: Letters in a line of a title.
_LINE: Final = 36
#: This part of the axis is less than half a label.
_CLOSE: Final = 0.2


def mark_observed(
    figure: go.Figure, observed: float, theme: Theme, text: str, span: tuple[float, float]
) -> None:
    """Mark the observed value by a labelled line; an infinite one by a labelled arrow at the edge.

    Parameters
    ----------
    span
        Of the axis: close to an end of it, a label stands beside its line, not to be cut off.
    """
    font = {"color": theme.text, "size": 13}
    if math.isfinite(observed):
        figure.add_vline(x=observed, line={"color": theme.text, "width": 2.5})
        figure.add_annotation(
            x=observed,
            y=1,
            yref="paper",
            yanchor="bottom",
            xanchor=_anchor((observed - span[0]) / (span[1] - span[0])),
            text=f"<b>{text}</b>",
            showarrow=False,
            font=font,
        )
        return
    left = observed < 0
    figure.add_annotation(
        x=LOWER_EDGE if left else UPPER_EDGE,
        xref="paper",
        xanchor="left" if left else "right",
        y=0.55,
        yref="paper",
        text=f"<b>{text}</b>",
        font=font,
        showarrow=True,
        arrowcolor=theme.text,
        arrowhead=2,
        arrowwidth=2.5,
        ax=56 if left else -56,
        ay=0,
    )


def _anchor(place: float) -> str:
    """Give the end of a label that stands at a place from 0 to 1 along the axis."""
    if place < _CLOSE:
        return "left"
    return "right" if place > 1 - _CLOSE else "center"


def _in_lines(title: str) -> str:
    """Break a title that is wider than a phone.

    Examples
    --------
    >>> _in_lines("squared difference of logarithmic magnitude counts")
    'squared difference of logarithmic<br>magnitude counts'
    """
    return "<br>".join(textwrap.wrap(title, _LINE))


def lay_out(figure: go.Figure, span: tuple[float, float], across: str, up: str) -> None:
    """Frame a picture: the span of x, the titles of the axes, room for the observed label."""
    figure.update_layout(
        height=380,
        margin={"l": 8, "r": 8, "t": 44, "b": 8},
        dragmode=False,
        bargap=0,
        hovermode="closest",
        showlegend=True,
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": -0.2, "yanchor": "top"},
    )
    figure.update_xaxes(
        range=list(span),
        title={"text": _in_lines(across)},
        automargin=True,
        showgrid=False,
        zeroline=False,
        fixedrange=True,
    )
    figure.update_yaxes(
        title={"text": up}, automargin=True, rangemode="tozero", zeroline=True, fixedrange=True
    )
