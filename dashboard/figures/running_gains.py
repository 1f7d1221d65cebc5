"""What models gain over a reference as time goes on, with the events below.

Marks carry the id of their window as ``customdata``.
"""

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard._theme import Theme, pale
from dashboard._words import count_of, number, window_name
from dashboard.figures.cell_text import cut
from dashboard.figures.grids import Grid
from dashboard.figures.lines import Line, kept_places, milliseconds, styles_of
from forequake.evaluations.over_windows.running import RunningSum, running_sum, window_gains
from forequake.windows import TimeWindow, overlap

__all__ = ["TICKS", "EventTicks", "Gains", "alt_of", "gains_figure", "gains_of"]

Array = NDArray[np.float64]

#: Points of a line that stands out, and of a grey one.
_POINTS: Final = 1_000
_GREY_POINTS: Final = 400
#: Up to so many windows each has a mark on its line; of more there is a slider.
_MARKED: Final = 60
#: And up to so many have bars to click: more are narrower than a pixel, and a browser draws each for itself.
_BARS: Final = 400
#: Up to so many events have a tick each; of more their number in each window is drawn.
TICKS: Final = 500
#: Up to so many infinite steps have their date written beside them.
_DATED: Final = 5


@dataclass(frozen=True, eq=False)
class EventTicks:
    """The target events of all windows: times in UTC, and magnitudes of shape (events,)."""

    times: Sequence[datetime]
    magnitudes: Array


@dataclass(frozen=True, eq=False)
class Gains:
    """What models gain over a reference in each window, in nats.

    Attributes
    ----------
    scores : array of float64, shape (models, windows)
        Positive where the model is better; may be infinite; NaN where there is none.
    events : array of int64, shape (windows,)
    left_out
        Number of windows that were left out since some model has no score there.
    """

    reference: str
    models: tuple[str, ...]
    windows: tuple[TimeWindow, ...]
    scores: Array
    events: NDArray[np.int64]
    left_out: int = 0

    @property
    def sums(self) -> dict[str, RunningSum]:
        """The running sum of each model."""
        return {model: running_sum(scores) for model, scores in zip(self.models, self.scores, strict=True)}


def gains_of(
    grid: Grid,
    against: str,
    *,
    reference_expected: Array | None = None,
    common: bool = True,
    models: Sequence[str] | None = None,
) -> Gains:
    """Give the gain of each model over another one.

    Parameters
    ----------
    grid
        A score that adds up, or the T-test, whose gain per event is taken times the number of events.
    against
        One of its models, or its reference.
    reference_expected : array of float64, shape (windows,)
        Expected number of events of the reference, which the T-test needs where no event came.
    common
        Whether windows in which some of `models` has no score are left out for all.
    models
        Those to compare, all by default.

    Raises
    ------
    ValueError
        Where there is no `against` in it.
    """
    scores, names = grid.value, list(grid.models)
    if grid.kind == "comparison":
        other = np.full(len(grid.windows), np.nan) if reference_expected is None else reference_expected
        scores = np.stack(
            [
                window_gains(gain, grid.events, expected, other)
                for gain, expected in zip(grid.value, grid.expected, strict=True)
            ]
        )
    if grid.reference is not None:
        scores, names = np.vstack([np.zeros(len(grid.windows)), scores]), [grid.reference, *names]
    base = names.index(against)
    with np.errstate(invalid="ignore"):  # two infinities have no difference
        scores = scores - scores[base]
    shown = [name for name in (names if models is None else models) if name in names and name != against]
    scores = scores[[names.index(name) for name in shown]]
    kept = ~np.isnan(scores).any(axis=0) if common else ~np.isnan(scores).all(axis=0)
    windows = tuple(window for window, keep in zip(grid.windows, kept.tolist(), strict=True) if keep)
    return Gains(
        reference=against,
        models=tuple(shown),
        windows=windows,
        scores=scores[:, kept],
        events=grid.events[kept],
        left_out=int(np.count_nonzero(~kept)),
    )


def gains_figure(
    gains: Gains,
    theme: Theme,
    *,
    styles: Mapping[str, Line] | None = None,
    ticks: EventTicks | None = None,
    chosen: TimeWindow | None = None,
) -> go.Figure:
    """Draw the sum of the gains up to each window; of windows that share time the gain of each alone.

    Lines step at the ends of windows. An infinite gain is not in the sum: an arrow marks its window.

    Parameters
    ----------
    styles
        The line of each model; grey ones stand back.
    ticks
        The events; without them their number in each window is drawn.
    chosen
        The window that the page's other parts show.
    """
    summed = not overlap(gains.windows)
    sums = gains.sums
    order = sorted(gains.models, key=lambda model: -sums[model].last)
    styles = styles or styles_of(gains.models, (), theme)
    figure = go.Figure()
    for model in sorted(order, key=lambda name: not styles[name].grey):  # grey ones below
        scores = gains.scores[gains.models.index(model)]
        figure.add_trace(_line(gains, model, scores, sums[model], styles[model], summed=summed))
    for model in order:
        _mark_infinite(figure, gains, model, sums[model], styles[model], summed=summed)
        _mark_lacking(figure, gains, model, sums[model], styles[model], summed=summed)
    if ticks is not None and len(ticks.times) <= TICKS:
        figure.add_trace(_event_ticks(ticks, theme))
    else:
        figure.add_trace(_numbers(gains, theme))
    if chosen is not None and chosen in gains.windows:
        figure.add_vrect(
            x0=chosen.start, x1=chosen.end, fillcolor=theme.text, opacity=0.12, line_width=0, layer="below"
        )
    few = ticks is not None and len(ticks.times) <= TICKS
    _lay_out(figure, gains, theme, summed=summed, below="magnitude" if few else "events")
    return figure


def _heights(scores: Array, running: RunningSum, *, summed: bool) -> Array:
    return running.total if summed else np.where(np.isfinite(scores), scores, np.nan)


def _line(
    gains: Gains, model: str, scores: Array, running: RunningSum, style: Line, *, summed: bool
) -> go.Scatter:
    heights = _heights(scores, running, summed=summed)
    kept = kept_places(np.nan_to_num(heights), _GREY_POINTS if style.grey else _POINTS)
    times = [gains.windows[place].end for place in kept]
    y = heights[kept]
    carried: list[list[str] | None] = [[gains.windows[place].id] for place in kept]
    if summed and gains.windows:
        times, y, carried = [gains.windows[0].start, *times], np.concatenate([[0.0], y]), [None, *carried]
    marked = len(gains.windows) <= _MARKED and not style.grey
    return go.Scatter(
        x=milliseconds(times),
        y=y,
        customdata=carried if marked else None,
        mode="lines+markers" if marked else "lines",
        line={
            "color": style.colour,
            "dash": style.dash,
            "width": style.width,
            "shape": "hv" if summed else "linear",
        },
        marker={"size": 5},
        name=html.escape(model) + (f"  {_said(running)}" if summed else ""),
        showlegend=not style.grey,
        hoverinfo="skip" if style.grey else None,
        hovertemplate=None if style.grey else f"%{{y:.3f}}<extra>{_cut(model)}</extra>",
        unselected={"marker": {"opacity": 1}},
    )


def _said(running: RunningSum) -> str:
    """Write the sum, and the infinite steps beside it."""
    parts = [("+" if running.last > 0 else "") + number(round(running.last, 6), 4)]
    for sign, found in (("−∞", running.minus_infinite), ("+∞", running.plus_infinite)):
        if found.any():
            parts.append(f"and {int(found.sum())} × {sign}")
    return " ".join(parts)


def _cut(model: str) -> str:
    return html.escape(cut(model, 28))


def _mark_infinite(
    figure: go.Figure, gains: Gains, model: str, running: RunningSum, style: Line, *, summed: bool
) -> None:
    """Mark windows with an infinite gain by arrows at the line, with the date where they are few."""
    scores = gains.scores[gains.models.index(model)]
    heights = np.nan_to_num(_heights(scores, running, summed=summed))
    for sign, found, symbol in (
        ("−∞", running.minus_infinite, "arrow-down"),
        ("+∞", running.plus_infinite, "arrow-up"),
    ):
        places = np.flatnonzero(found).tolist()
        if not places or (style.grey and len(places) > _DATED):
            continue
        dated = len(places) <= _DATED and not style.grey
        figure.add_trace(
            go.Scatter(
                x=[gains.windows[place].end for place in places],
                y=heights[places],
                customdata=[[gains.windows[place].id] for place in places],
                mode="markers+text" if dated else "markers",
                text=[f"{sign} {gains.windows[place].start:%Y-%m-%d}" for place in places],
                textposition="bottom center" if sign == "−∞" else "top center",
                textfont={"color": style.colour, "size": 11},
                marker={"symbol": symbol, "size": 13, "color": style.colour},
                showlegend=False,
                hovertemplate=[
                    f"{sign} in {window_name(gains.windows[place])}: not in the sum"
                    f"<extra>{_cut(model)}</extra>"
                    for place in places
                ],
                unselected={"marker": {"opacity": 1}},
            )
        )


def _mark_lacking(
    figure: go.Figure, gains: Gains, model: str, running: RunningSum, style: Line, *, summed: bool
) -> None:
    """Mark windows in which a model has no score by open circles; there its sum stays as it is."""
    places = np.flatnonzero(running.lacking).tolist()
    if not places or style.grey or not summed:
        return
    figure.add_trace(
        go.Scatter(
            x=[gains.windows[place].end for place in places],
            y=running.total[places],
            customdata=[[gains.windows[place].id] for place in places],
            mode="markers",
            marker={"symbol": "circle-open", "size": 9, "color": style.colour, "line": {"width": 2}},
            showlegend=False,
            hovertemplate=f"no score in this window<extra>{_cut(model)}</extra>",
            unselected={"marker": {"opacity": 1}},
        )
    )


def _event_ticks(ticks: EventTicks, theme: Theme) -> go.Scatter:
    """Draw a stem for each event, as high as its magnitude."""
    magnitudes = np.asarray(ticks.magnitudes, dtype=np.float64).tolist()
    base = math.floor(min(magnitudes, default=0.0) * 2 - 0.5) / 2
    x = [time for time in ticks.times for _ in range(3)]
    y = [height for magnitude in magnitudes for height in (base, magnitude, None)]
    return go.Scatter(
        x=x,
        y=y,
        yaxis="y2",
        mode="lines+markers",
        line={"color": theme.muted, "width": 1},
        marker={
            "size": [size for magnitude in magnitudes for size in (0, 3 + (magnitude - base), 0)],
            "color": theme.text,
            "line": {"width": 0},
        },
        name="target events",
        showlegend=False,
        hovertemplate="M %{y:.1f}<extra>event</extra>",
        unselected={"marker": {"opacity": 1}},
    )


def _numbers(gains: Gains, theme: Theme) -> go.Bar | go.Scatter:
    """Draw the number of events in each window."""
    if len(gains.windows) > _BARS:
        return go.Scatter(
            x=milliseconds(window.start + (window.end - window.start) / 2 for window in gains.windows),
            y=gains.events,
            yaxis="y2",
            mode="lines",
            line={"shape": "hvh", "width": 0},
            fill="tozeroy",
            fillcolor=pale(theme.muted, 0.75),
            name="target events",
            showlegend=False,
            hovertemplate="%{y}<extra>events</extra>",
        )
    lengths = [window.end - window.start for window in gains.windows]
    return go.Bar(
        x=milliseconds(window.start + (window.end - window.start) / 2 for window in gains.windows),
        y=gains.events,
        yaxis="y2",
        width=[length / timedelta(milliseconds=1) for length in lengths],
        customdata=[[window.id] for window in gains.windows],
        marker={"color": pale(theme.muted, 0.75), "line": {"width": 0}},
        name="target events",
        showlegend=False,
        hovertemplate="%{y}<extra>events</extra>",
        unselected={"marker": {"opacity": 1}},
    )


def _lay_out(figure: go.Figure, gains: Gains, theme: Theme, *, summed: bool, below: str) -> None:
    many = len(gains.windows) > _MARKED
    what = "information gain up to here" if summed else "information gain of the window"
    named = sum(trace.showlegend is not False for trace in figure.data)
    figure.update_layout(
        height=500 + 22 * math.ceil(named / 2),
        margin={"l": 8, "r": 12, "t": 12, "b": 8},
        dragmode=False,
        clickmode="event+select",
        hovermode="x unified",
        hoverlabel={"align": "left"},
        bargap=0,
        legend={
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": -0.2 if many else -0.12,
            "yanchor": "top",
            "traceorder": "normal",
        },
    )
    axis: dict[str, Any] = {"automargin": True, "fixedrange": True}
    figure.update_xaxes(
        type="date",
        showgrid=False,
        automargin=True,
        fixedrange=not many,
        anchor="y2",
        hoverformat="%Y-%m-%d %H:%M",
        rangeslider={"visible": many, "thickness": 0.07, "bgcolor": pale(theme.silent, 0.1)},
    )
    figure.update_layout(
        yaxis=axis
        | {
            "domain": [0.27, 1.0],
            "title": {"text": f"{what}<br>(nats)"},
            "zeroline": True,
            "zerolinecolor": theme.muted,
            "zerolinewidth": 1.5,
        },
        yaxis2=axis
        | {
            "domain": [0.0, 0.2],
            "title": {"text": below},
            "zeroline": False,
            "anchor": "x",
            "nticks": 4,
            "rangemode": "tozero" if below == "events" else "normal",
        },
    )


def alt_of(gains: Gains) -> str:
    """Say in words what the figure shows."""
    ends = ", ".join(f"{model} {_said(running)}" for model, running in gains.sums.items())
    return (
        f"Sum of the information gain over {gains.reference} in {count_of(len(gains.windows), 'window')}, "
        f"in nats: {ends}"
    )
