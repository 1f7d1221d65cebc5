"""Events of a catalog: where they lie, and when they came."""

import html
from datetime import datetime
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard._theme import Theme, pale
from dashboard._words import count_of
from dashboard.figures.ground import draw_ground
from dashboard.figures.judged import JudgedEvents, microseconds, reason_words
from dashboard.figures.pixels import Pixels
from forequake.catalogs.completeness import completeness, incomplete_part
from forequake.config import ExperimentConfig
from forequake.windows import TimeWindow

__all__ = ["epicentre_map", "magnitude_time"]

Array = NDArray[np.float64]

#: Events beyond which they are drawn by the graphics card, without their ids.
_MOST_DRAWN: Final = 20_000
#: Sizes of marks in CSS pixels: at magnitude 3, per magnitude above it, least and greatest.
_AT_THREE: Final = 5.0
_PER_MAGNITUDE: Final = 4.0
_SIZES: Final = (4.0, 30.0)
#: Bands of more windows would be narrower than a few pixels.
_MOST_BANDS: Final = 200
#: Up to so many events that count are drawn larger among those that do not.
_FEW: Final = 100
#: Room before the first and behind the last event, as a part of the time that is shown.
_ROOM: Final = 0.008
#: So many moments of the completeness are drawn, beside those of mainshocks.
_MOMENTS: Final = 300


def epicentre_map(judged: JudgedEvents, pixels: Pixels, theme: Theme, width: int) -> go.Figure:
    """Draw epicentres, larger ones for larger magnitudes; filled where a test counts the event.

    Parameters
    ----------
    width
        About as many CSS pixels as the map will have.
    """
    figure = go.Figure()
    events = judged.events
    longitude = pixels.turned(events.longitude)
    _draw_events(figure, judged, longitude, events.latitude, theme, sized=True)
    draw_ground(figure, pixels, theme, width)
    return figure


def magnitude_time(
    judged: JudgedEvents, config: ExperimentConfig, span: TimeWindow, chosen: TimeWindow | None, theme: Theme
) -> go.Figure:
    """Draw magnitudes over time, with windows as bands and with what the catalog may miss.

    Parameters
    ----------
    span
        The time that is shown, of which all events are given.
    chosen
        The time that the rest of the page shows, framed.
    """
    figure = go.Figure()
    magnitudes = judged.events.magnitude
    least = config.magnitudes[0]
    low = min(float(magnitudes.min(initial=least)), least) - 0.15
    high = max(float(magnitudes.max(initial=least)), least + 1) + 0.3
    windows = [window for window in config.windows if window.start < span.end and window.end > span.start]
    if len(windows) <= _MOST_BANDS:
        name = "every other window" if windows[1:] else "window"
        _draw_bands(figure, windows[::2], (low, high), pale(theme.bar, 0.35), name)
    if config.completeness is not None:
        spans = incomplete_part(config.completeness, span, least).spans
        name = f"may miss events of M {least:g}"
        _draw_bands(figure, spans, (low, high), pale(theme.differ, 0.28), name)
        _draw_completeness(figure, config, span, (low, high), theme)
    _draw_events(figure, judged, judged.events.time_us / 1000, magnitudes, theme, sized=False)
    figure.add_hline(y=least, line={"color": theme.text, "width": 1, "dash": "dash"})
    if chosen is not None:
        frame = {"color": theme.text, "width": 1.5}
        figure.add_vrect(x0=chosen.start, x1=chosen.end, line=frame, fillcolor="rgba(0,0,0,0)")
    figure.update_layout(
        height=360,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        dragmode="select",
        selectdirection="h",
        hovermode="closest",
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": -0.16, "yanchor": "top"},
    )
    room = (span.end - span.start) * _ROOM
    ends = [microseconds(span.start - room) / 1000, microseconds(span.end + room) / 1000]
    figure.update_xaxes(type="date", range=ends, showgrid=False, automargin=True)
    figure.update_yaxes(
        range=[low, high], title={"text": "magnitude"}, zeroline=False, automargin=True, fixedrange=True
    )
    return figure


def _draw_events(
    figure: go.Figure, judged: JudgedEvents, x: Array, y: Array, theme: Theme, *, sized: bool
) -> None:
    heavy = len(judged) > _MOST_DRAWN
    draw = go.Scattergl if heavy else go.Scatter
    counted = judged.counted
    events = judged.events
    order = np.argsort(-events.magnitude, kind="stable")  # small ones above large ones, to be pointed at
    for inside, name in ((False, "outside of the test"), (True, "in the test")):
        at = order[counted[order] == inside]
        if not len(at):
            continue
        size: Any = 9.0 if inside and len(at) <= _FEW else 6.0
        if sized:
            size = np.clip(_AT_THREE + _PER_MAGNITUDE * (events.magnitude[at] - 3), *_SIZES)
        colour = theme.agree if inside else theme.muted
        marker = {
            "symbol": "circle" if inside else "circle-open",
            "color": colour,
            "size": size,
            "opacity": 0.85 if inside else 0.55,
            "line": {"width": 1, "color": theme.background if inside else colour},
        }
        numbers = np.column_stack([events.magnitude[at], events.depth_km[at]]).astype(np.float32)
        hover = "<b>M %{customdata[0]:.2f}</b> · %{text}<br>%{customdata[1]:.1f} km deep<extra></extra>"
        figure.add_trace(
            draw(
                x=x[at],
                y=y[at],
                mode="markers",
                marker=marker,
                customdata=numbers,
                text=_times(judged, at) if heavy else _texts(judged, at),
                hovertemplate=hover,
                unselected={"marker": {"opacity": 0.25}},
                name=f"{count_of(len(at), 'event')} {name}",
            )
        )


def _times(judged: JudgedEvents, at: NDArray[np.intp]) -> list[str]:
    """Write the times of events to the second."""
    times = np.datetime_as_string(judged.events.time_us[at].astype("datetime64[us]"), unit="s")
    return [time.replace("T", " ") for time in times.tolist()]


def _texts(judged: JudgedEvents, at: NDArray[np.intp]) -> list[str]:
    """Write the times and ids of events, and why they do not count."""
    words = {int(code): f"<br>outside of the test: {reason_words(int(code))}" for code in range(1, 16)}
    return [
        time + f" · {html.escape(name)}" * bool(name) + words.get(code, "")
        for time, name, code in zip(
            _times(judged, at), judged.events.event_id[at].tolist(), judged.why_not[at].tolist(), strict=True
        )
    ]


def _draw_bands(
    figure: go.Figure,
    spans: list[TimeWindow] | tuple[TimeWindow, ...],
    ends: tuple[float, float],
    colour: str,
    name: str,
) -> None:
    """Fill spans of time from bottom to top, all of them as one trace."""
    if not spans:
        return
    low, high = ends
    x: list[datetime | None] = []
    y: list[float | None] = []
    for span in spans:
        x += [span.start, span.start, span.end, span.end, span.start, None]
        y += [low, high, high, low, low, None]
    figure.add_trace(
        go.Scatter(
            x=x,
            y=y,
            mode="lines",
            line={"width": 0},
            fill="toself",
            fillcolor=colour,
            hoverinfo="skip",
            name=name,
        )
    )


def _draw_completeness(
    figure: go.Figure,
    config: ExperimentConfig,
    span: TimeWindow,
    ends: tuple[float, float],
    theme: Theme,
) -> None:
    """Draw from which magnitude on the catalog is complete; what has no limit is not drawn."""
    if config.completeness is None:
        return
    step = (span.end - span.start) / _MOMENTS
    moments = [span.start + step * place for place in range(_MOMENTS + 1)]
    for shock in config.completeness.mainshocks:  # close behind it the law falls fast
        length = span.end - max(shock.time, span.start)
        moments += [max(shock.time, span.start) + length * 10 ** (power / 10) for power in range(-50, 0)]
    moments = sorted(moment for moment in moments if span.start <= moment <= span.end)
    values = completeness(config.completeness, moments)
    drawn = np.where(np.isinf(values) & (values < 0), np.nan, np.minimum(values, ends[1]))
    figure.add_trace(
        go.Scatter(
            x=moments,
            y=drawn,
            mode="lines",
            line={"color": theme.differ, "width": 1.5, "dash": "dot"},
            hovertemplate="complete from M %{y:.2f} on<extra></extra>",
            name="complete from here on",
        )
    )
