"""Many small pictures in one figure: where each stands, and what stands above it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from dashboard._theme import Theme

__all__ = ["Frames", "axis_title", "frames_of", "names_of"]

#: What stands above a picture and below it, in pixels.
_ABOVE: Final = 46
_BELOW: Final = 40
_LEFT: Final = 52
_BETWEEN: Final = 20


@dataclass(frozen=True)
class Frames:
    """Places of pictures in a figure.

    Attributes
    ----------
    axes
        Of each picture the letters behind ``x`` and ``y`` of its axes, such as ``"2"``; none for the first.
    layout
        Of the figure, with all axes: to be given to it at once, since to add dozens one by one takes seconds.
    """

    axes: tuple[str, ...]
    layout: dict[str, Any]


def frames_of(
    count: int, *, across: int, height: int, x: dict[str, Any], y: dict[str, Any], gap: float = 0.1
) -> Frames:
    """Lay out `count` pictures, `across` in a row.

    Parameters
    ----------
    height
        Of one picture in pixels.
    x, y
        What all their axes share.
    gap
        What is left blank of the place of each picture but the first of a row, at its left.
    """
    rows = -(-count // across)
    step = height + _ABOVE + _BELOW
    whole = rows * step
    layout: dict[str, Any] = {
        "height": whole + _BETWEEN,
        "margin": {"l": _LEFT, "r": 8, "t": 4, "b": _BETWEEN - 4},
        "dragmode": False,
        "hovermode": "closest",
        "showlegend": False,
    }
    axes = tuple("" if place == 0 else str(place + 1) for place in range(count))
    for place, axis in enumerate(axes):
        row, column = divmod(place, across)
        top = 1 - (row * step + _ABOVE) / whole
        left = (column + (gap if column else 0.0)) / across
        layout[f"xaxis{axis}"] = x | {"domain": [left, (column + 0.96) / across], "anchor": f"y{axis}"}
        layout[f"yaxis{axis}"] = y | {"domain": [top - height / whole, top], "anchor": f"x{axis}"}
    return Frames(axes, layout)


def axis_title(text: str) -> dict[str, Any]:
    """Give the title of an axis, in letters that leave room for the picture."""
    return {"text": text, "font": {"size": 10}, "standoff": 3}


def names_of(frames: Frames, names: Sequence[str], theme: Theme) -> list[dict[str, Any]]:
    """Give the annotations that name each picture, in at most two lines above it."""
    return [
        {
            "x": 0,
            "xref": f"x{axis} domain",
            "xanchor": "left",
            "y": 1,
            "yref": f"y{axis} domain",
            "yanchor": "bottom",
            "yshift": 3,
            "align": "left",
            "text": name,
            "showarrow": False,
            "font": {"size": 12, "color": theme.text},
        }
        for axis, name in zip(frames.axes, names, strict=True)
    ]
