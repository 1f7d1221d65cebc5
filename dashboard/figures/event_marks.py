"""Marks of observed events on a map: larger for larger ones, filled where a test counts them."""

import html
import math
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard._theme import Theme
from dashboard._words import count_of, number
from dashboard.figures.events import SeenEvents
from dashboard.figures.pixels import Pixels
from forequake.catalogs import Events

__all__ = ["draw_counted", "draw_gains", "draw_outside", "event_words"]

#: Sizes of marks in CSS pixels: at magnitude 3, per magnitude above it, least and greatest.
_AT_THREE: Final = 4.0
_PER_MAGNITUDE: Final = 4.0
_SIZES: Final = (4.0, 30.0)
#: Where so few events count, their marks have so many pixels at least.
_FEW: Final = 100
_LEAST_OF_FEW: Final = 7.0
#: Of more events the marks cover no more of the map, but have this part of their size at least.
_LEAST_PART: Final = 0.5
#: Marks that carry a colour to be read are so many times as large.
_COLOURED: Final = 1.7

Array = NDArray[np.float64]


def event_words(events: Events) -> list[str]:
    """Write time, magnitude, depth and id of events, safe as HTML, in lines."""
    return [
        f"<b>M {magnitude:g}</b> · {moment:%Y-%m-%d %H:%M:%S}<br>{number(depth, 3)} km deep"
        f"{'<br>' if name else ''}{html.escape(str(name))}"
        for moment, magnitude, depth, name in zip(
            events.times(), events.magnitude.tolist(), events.depth_km.tolist(), events.event_id, strict=True
        )
    ]


def draw_counted(
    figure: go.Figure, seen: SeenEvents, pixels: Pixels, theme: Theme, colour: str, scale: float
) -> None:
    """Draw the events that count in the test."""
    events = seen.counted
    if len(events):
        _draw(
            figure,
            pixels,
            events,
            event_words(events),
            name=f"{count_of(len(events), 'event')} in the test",
            marker={
                "symbol": "circle",
                "color": colour,
                "opacity": 0.9,
                "line": {"width": 1, "color": theme.background},
            },
            scale=scale,
        )


def draw_outside(figure: go.Figure, seen: SeenEvents, pixels: Pixels, theme: Theme, scale: float) -> None:
    """Draw the events that do not count, with the reason."""
    events = seen.outside
    if len(events):
        words = [
            f"{text}<br>outside of the test: {reason}"
            for text, reason in zip(event_words(events), seen.reasons, strict=True)
        ]
        more = "" if seen.n_outside == len(events) else f", the largest {len(events)} drawn"
        _draw(
            figure,
            pixels,
            events,
            words,
            name=f"{seen.n_outside} outside of the test{more}",
            marker={
                "symbol": "circle-open",
                "color": theme.text,
                "opacity": 0.55,
                "line": {"width": 1, "color": theme.text},
            },
            scale=scale,
            counts=False,
        )


def draw_gains(
    figure: go.Figure,
    seen: SeenEvents,
    pixels: Pixels,
    gains: Array,
    theme: Theme,
    names: tuple[str, str],
    bar: dict[str, Any],
) -> None:
    """Draw the events that count by their gains: triangles up where the first model is better, else down."""
    finite = np.isfinite(gains)
    most = max(float(np.abs(gains[finite]).max()) if finite.any() else 0.0, 0.1)
    middle = "#DADDE2" if theme.name == "light" else "#3A4350"
    kinds = (
        (f"{names[0]} is better", "triangle-up", finite & (gains >= 0), None),
        (f"{names[1]} is better", "triangle-down", finite & (gains < 0), None),
        (f"{names[1]} expects none there: ∞", "star", gains == np.inf, theme.agree),
        (f"{names[0]} expects none there: −∞", "x", gains == -np.inf, theme.differ),
        ("neither expects any there", "circle-open", np.isnan(gains), theme.text),
    )
    scaled = True
    for name, symbol, chosen, colour in kinds:
        if not chosen.any():
            continue
        events = seen.counted.take(chosen)
        marker: dict[str, Any] = {"symbol": symbol, "line": {"width": 1, "color": theme.text}}
        if colour is not None:
            marker["color"] = colour
        else:
            marker |= {
                "color": gains[chosen],
                "colorscale": [(0.0, theme.differ), (0.5, middle), (1.0, theme.agree)],
                "cmin": -most,
                "cmax": most,
                "showscale": scaled,
                "colorbar": bar,
            }
            scaled = False
        words = [
            f"{text}<br><b>{_gain_words(float(gain))}</b>"
            for text, gain in zip(event_words(events), gains[chosen], strict=True)
        ]
        name = f"{name} ({int(chosen.sum())})"
        _draw(figure, pixels, events, words, name=name, marker=marker, scale=_COLOURED)


def _gain_words(gain: float) -> str:
    return "no gain is defined" if math.isnan(gain) else f"gain {number(gain, 3)} nats"


def _draw(
    figure: go.Figure,
    pixels: Pixels,
    events: Events,
    words: list[str],
    *,
    name: str,
    marker: dict[str, Any],
    scale: float,
    counts: bool = True,
) -> None:
    order = np.argsort(-events.magnitude, kind="stable")  # small ones above large ones, to be pointed at
    sizes = scale * np.clip(_AT_THREE + _PER_MAGNITUDE * (events.magnitude - 3), *_SIZES)
    if counts and len(events) <= _FEW:
        sizes = np.maximum(sizes, _LEAST_OF_FEW)
    else:  # very many marks would hide the map
        sizes *= max(math.sqrt(min(_FEW / len(events), 1.0)), _LEAST_PART)
    colour = marker["color"]
    figure.add_trace(
        go.Scatter(
            x=pixels.turned(events.longitude)[order],
            y=events.latitude[order],
            mode="markers",
            name=name,
            legendrank=2 if "open" in marker["symbol"] else 1,
            marker=marker
            | {
                "size": sizes[order],
                "color": colour if isinstance(colour, str) else np.asarray(colour)[order],
            },
            hovertext=[words[place] for place in order],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    )
