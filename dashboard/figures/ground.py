"""The ground of every map: coast, borders, the outline of the region, and axes of equal scale."""

import math
from typing import Final, Literal

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard._theme import Theme, pale
from dashboard.coast import Box, lines_in
from dashboard.figures.pixels import Pixels

__all__ = ["draw_ground", "height_for_any_width", "outline_of"]

_LINES: Final[tuple[Literal["coast", "borders"], ...]] = ("coast", "borders")
#: Room around the region, as a part of its longer side.
_MARGIN: Final = 0.03
#: From so many degrees on, lines are finer.
_WIDE: Final = 90
#: A line of more points would be slower to draw than the map itself.
_MOST_POINTS: Final = 20_000
#: Lines that span fewer pixels are no more than dots.
_LEAST_SPAN: Final = 3.0
#: What is shown with points: so many times their own span, and no less than this part of the region.
_SURROUNDINGS: Final = 1.4
_LEAST_PART: Final = 0.1
#: And no narrower nor lower than this part of the other side.
_NARROWEST: Final = 0.7
#: Near the poles a degree of longitude still has this part of a degree of latitude.
_LEAST_RATIO: Final = 0.2
#: Heights of maps in CSS pixels, and what stands above and below: colour bar, ticks, legend.
_HEIGHTS: Final = (180.0, 580.0)
_ABOVE: Final = 62
_BELOW: Final = 78
#: What the margins and the degrees of latitude take of a map's width.
_ASIDE: Final = 60

Array = NDArray[np.float64]


def draw_ground(
    figure: go.Figure, pixels: Pixels, theme: Theme, width: int, around: Array | None = None
) -> None:
    """Draw coast, borders and outline over what a figure has, and lay the axes out.

    One degree of latitude is as long as a degree of longitude is at the map's middle, divided by its cosine.

    Parameters
    ----------
    width
        About as many CSS pixels as the map will have, from which its height follows.
    around : array of float64, shape (points, 2), or None
        Longitudes and latitudes to show with their surroundings, in place of the whole region.
    """
    west, east, south, north = box = _framed(pixels.box if around is None else _box_of(around, pixels.box))
    coast, borders = (_seen(lines_in(box, name), box, width) for name in _LINES)
    fine = 0.7 if east - west > _WIDE else 1
    _draw_lines(figure, coast, "coast", {"color": theme.text, "width": fine})
    colour = pale(theme.text, 0.6)
    _draw_lines(figure, borders, "borders", {"color": colour, "width": fine, "dash": "dot"})
    outline = outline_of(pixels)
    if len(outline) <= _MOST_POINTS:
        _draw_lines(figure, outline, "region", {"color": pale(theme.text, 0.75), "width": 2})
    ratio = max(math.cos(math.radians((south + north) / 2)), _LEAST_RATIO)
    height = width * (north - south) / ((east - west) * ratio)
    figure.update_layout(
        height=int(min(max(height, _HEIGHTS[0]), _HEIGHTS[1])) + _ABOVE + _BELOW,
        margin={"l": 8, "r": 8, "t": _ABOVE, "b": _BELOW},
        dragmode=False,
        hovermode="closest",
        legend={
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 0,
            "yanchor": "bottom",
            "yref": "container",
            "itemclick": False,
            "itemdoubleclick": False,
        },
    )
    axis = {"showgrid": False, "zeroline": False, "automargin": True, "constrain": "domain"}
    figure.update_xaxes(**axis, range=[west, east], **_ticks(west, east, "EW"))
    figure.update_yaxes(
        **axis,
        range=[south, north],
        **_ticks(south, north, "NS"),
        scaleanchor="x",
        scaleratio=1 / ratio,
        constraintoward="top",
    )


def height_for_any_width(figure: go.Figure) -> str:
    """Give the height that a map needs as a CSS length, by the width of its box (100cqw).

    A height of its own, reckoned for a wide screen, would leave a narrow one blank below the map.
    """
    (west, east), (south, north) = figure.layout.xaxis.range, figure.layout.yaxis.range
    shape = (north - south) * figure.layout.yaxis.scaleratio / (east - west)
    low, high = _HEIGHTS
    return f"calc(clamp({low:g}px, (100cqw - {_ASIDE}px) * {shape:.4f}, {high:g}px) + {_ABOVE + _BELOW}px)"


def outline_of(pixels: Pixels) -> Array:
    """Give the outer edges of a region's pixels as straight lines.

    Returns
    -------
    array of float64, shape (points, 2)
        Longitude and latitude; NaN between lines.
    """
    x, y = pixels.longitude, pixels.latitude
    column, low, high = _edge_runs(pixels.inside.T)
    row, left, right = _edge_runs(pixels.inside)
    gap = np.full(len(column) + len(row), np.nan)
    east = [np.r_[x[column], x[left]], np.r_[x[column], x[right]], gap]
    north = [np.r_[y[low], y[row]], np.r_[y[high], y[row]], gap]
    lines: Array = np.column_stack([np.column_stack(east).ravel(), np.column_stack(north).ravel()])
    return lines


def _edge_runs(inside: NDArray[np.bool_]) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Find the edges between one line of pixels and the next where only one of them is inside.

    Returns
    -------
    arrays of int, shape (runs,)
        Which edge, and the first place and the one after the last along it.
    """
    framed = np.pad(inside, ((1, 1), (0, 0)))
    edges = np.pad(framed[1:] != framed[:-1], ((0, 0), (1, 1))).astype(np.int8)
    steps = np.diff(edges, axis=1)
    at, first = np.nonzero(steps == 1)
    _, last = np.nonzero(steps == -1)
    return at, first, last


def _draw_lines(figure: go.Figure, lines: Array, name: str, line: dict[str, object]) -> None:
    if not len(lines):
        return
    figure.add_trace(
        go.Scatter(
            x=lines[:, 0].astype(np.float32),
            y=lines[:, 1].astype(np.float32),
            mode="lines",
            name=name,
            line=line,
            hoverinfo="skip",
            showlegend=False,
        )
    )


def _framed(box: Box) -> Box:
    west, east, south, north = box
    margin = max(east - west, north - south) * _MARGIN
    return west - margin, east + margin, south - margin, north + margin


def _box_of(points: Array, whole: Box) -> Box:
    """Give the box round points, not much smaller than themselves nor than a part of the whole."""
    west, east, south, north = whole
    least = max(east - west, north - south) * _LEAST_PART
    middle = (points.min(axis=0) + points.max(axis=0)) / 2
    half = np.maximum(np.ptp(points, axis=0) * _SURROUNDINGS, least) / 2
    half = np.maximum(half, half.max() * _NARROWEST)
    (left, low), (right, high) = (middle - half).tolist(), (middle + half).tolist()
    return max(left, west), min(right, east), max(low, south), min(high, north)


def _seen(lines: Array, box: Box, width: int) -> Array:
    """Leave out islands that are too small to be seen, so that the world has few points."""
    if not len(lines):
        return lines
    west, east, south, north = box
    least = max(east - west, north - south) * _LEAST_SPAN / width
    gap = np.isnan(lines[:, 0])
    number = np.cumsum(gap)  # of the line to which a point belongs
    n_lines = int(number[-1]) + 1
    low, high = np.full((n_lines, 2), np.inf), np.full((n_lines, 2), -np.inf)
    np.minimum.at(low, number[~gap], lines[~gap])
    np.maximum.at(high, number[~gap], lines[~gap])
    kept = (high - low).max(axis=1) >= least
    seen: Array = lines[kept[number]]
    return seen


def _ticks(low: float, high: float, letters: str) -> dict[str, object]:
    """Give a few ticks in whole or round degrees, longitudes beyond 180 as those of the other side."""
    step = next(
        (step for step in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60) if (high - low) / step <= 6),
        90,
    )
    values = np.round(np.arange(math.ceil(low / step), math.floor(high / step) + 1) * step, 6)
    return {"tickvals": values, "ticktext": [_degrees(float(value), letters) for value in values]}


def _degrees(value: float, letters: str) -> str:
    """Write a longitude or latitude.

    Examples
    --------
    >>> _degrees(190.0, "EW"), _degrees(-117.5, "EW"), _degrees(0.0, "NS"), _degrees(-180.0, "EW")
    ('170°W', '117.5°W', '0°', '180°')
    """
    if letters == "EW":
        value = (value + 180) % 360 - 180
    if value == 0 or abs(value) == 180:
        return f"{abs(value):g}°"
    return f"{abs(value):g}°{letters[0] if value > 0 else letters[1]}"
