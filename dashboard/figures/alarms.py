"""Alarm diagrams: the curves of all models in one window over each other, and their areas over windows."""

import html
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard._theme import Theme, pale
from dashboard._words import count_of, number, window_name
from dashboard.figures.edges import lay_out
from dashboard.figures.lines import Line
from forequake.results import Curve, ScoreRecord
from forequake.windows import TimeWindow
from stores import ResultRow

__all__ = ["DIAGRAMS", "POINTS", "READ", "ModelCurve", "alarm_figure", "areas_figure", "chance_band"]

#: The scores that are areas of curves, and what one step of a curve is.
DIAGRAMS: Final = {
    "roc": "cell with events",
    "molchan": "cell with events",
    "concentration_roc": "event",
}
#: How to read their curves.
READ: Final = {
    "roc": "Up and to the left is better: cells with events are in alarm before cells without.",
    "molchan": "Down and to the left is better: few cells in alarm, few of those with events missed.",
    "concentration_roc": "Up and to the left is better: most events in a small area.",
}

Array = NDArray[np.float64]

#: Points of all curves beyond which they are drawn by the graphics card.
_MOST_DRAWN: Final = 20_000
#: Points of one curve: a picture of as many pixels shows no more.
POINTS: Final = 500
#: Marks on a curve, by which it is told from others without its colour, and clicked.
_MARKS: Final = 9
_CHANCE: Final = 0.95
_NO_SKILL: Final = 0.5
#: Windows beyond which lines are medians of so many neighbours, and single windows are dots.
_MANY: Final = 60
_MIDDLE: Final = 21


@dataclass(frozen=True)
class ModelCurve:
    """The curve of a model in a window.

    Attributes
    ----------
    slot
        Of the result, which a click leads to.
    """

    model: str
    slot: str
    result: ScoreRecord


def chance_band(units: int, x: Array, *, falls: bool) -> tuple[Array, Array]:
    """Give between what heights 95 % of the curves of forecasts without skill lie at each x.

    Each event, or cell with events, is in alarm with the probability x and independently of the others, so
    that the number in alarm is binomial (Zechar and Jordan 2008).

    Parameters
    ----------
    units
        Number of events or of cells with events; 1 or more.
    x : array of float64, shape (points,)
        Shares in alarm, from 0 to 1.
    falls
        Whether the curve is that of what is missed.
    """
    from scipy.stats import binom

    tail = (1 - _CHANCE) / 2
    low = binom.ppf(tail, units, x) / units
    high = binom.ppf(1 - tail, units, x) / units
    # A binomial without any chance, or with nothing else, has one value.
    low, high = np.where(x <= 0, 0.0, low), np.where(x <= 0, 0.0, high)
    return (1 - high, 1 - low) if falls else (low, high)


def alarm_figure(
    curves: Sequence[ModelCurve],
    styles: Mapping[str, Line],
    theme: Theme,
    units: int | None = None,
    *,
    logarithmic: bool = False,
) -> go.Figure:
    """Draw the curves of one diagram over each other; marks on them carry their results' slots.

    Parameters
    ----------
    curves
        Not empty; all of one test in one window, and each with a curve.
    units
        How many events or cells with events there are, for the band of chance; None where that is not known.
    logarithmic
        Whether the axis of what is in alarm is, to tell curves apart that rise at once.
    """
    drawn = [(one, one.result.curve) for one in curves if one.result.curve is not None]
    first = drawn[0][1]
    falls = first.y[-1] < first.y[0]
    figure = go.Figure()
    least = _least([curve for _, curve in drawn]) if logarithmic else 0.0
    x = np.geomspace(least, 1, 401) if logarithmic else np.linspace(0, 1, 401)
    if units:
        _draw_band(figure, units, x, theme, falls=falls)
    figure.add_trace(
        go.Scatter(
            x=x,
            y=1 - x if falls else x,
            mode="lines",
            line={"color": theme.silent, "width": 1.5, "dash": "dash"},
            name="no skill: 0.5",
            hoverinfo="skip",
        )
    )
    heavy = sum(min(len(curve.x), POINTS) for _, curve in drawn) > _MOST_DRAWN
    for one, curve in sorted(drawn, key=lambda pair: not styles[pair[0].model].grey):
        _draw_curve(figure, one, curve, styles[one.model], least, heavy=heavy)
    _lay_out(figure, first, least)
    return figure


def _lay_out(figure: go.Figure, curve: Curve, least: float) -> None:
    """Frame the square of both shares; with a least share in alarm, its axis is logarithmic."""
    span = (-0.01, 1.01)
    lay_out(figure, span, curve.x_name, curve.y_name)
    figure.update_layout(
        height=600,
        margin={"r": 24, "t": 12},
        clickmode="event+select",
        legend={"traceorder": "normal", "y": -0.14, "itemsizing": "trace"},
    )
    shared = {"tickformat": ".0%", "tickvals": [0, 0.25, 0.5, 0.75, 1], "constrain": "domain"}
    figure.update_yaxes(range=list(span), zeroline=False, **shared)
    if least:
        figure.update_xaxes(type="log", range=[math.log10(least), 0.01], tickformat="~%", dtick=1)
    else:
        figure.update_xaxes(**shared)
        figure.update_yaxes(scaleanchor="x")


def _least(curves: Sequence[Curve]) -> float:
    """Give the least share in alarm that is not zero, as the lower end of a logarithmic axis."""
    return min(min((x for x in curve.x if x > 0), default=1.0) for curve in curves) / 2


def _draw_band(figure: go.Figure, units: int, x: Array, theme: Theme, *, falls: bool) -> None:
    for edge, shown in zip(chance_band(units, x, falls=falls), (False, True), strict=True):
        figure.add_trace(
            go.Scatter(
                x=x,
                y=edge,
                mode="lines",
                line={"width": 0},
                fill="tonexty" if shown else None,
                fillcolor=pale(theme.curve, 0.2),
                name="95 % of the curves without skill, at each x",
                showlegend=shown,
                hoverinfo="skip",
            )
        )


def _draw_curve(
    figure: go.Figure, one: ModelCurve, curve: Curve, style: Line, least: float, *, heavy: bool
) -> None:
    draw = go.Scattergl if heavy else go.Scatter
    x, y = np.maximum(curve.x, least), np.asarray(curve.y)
    kept = _thinned(x, y, logarithmic=least > 0)
    x, y = x[kept], y[kept]
    name = html.escape(one.model)
    dash = style.named_dash if heavy else style.dash
    hover = (
        f"<b>{name}</b>: {number(one.result.statistic, 4)}<br>"
        f"{curve.x_name}: %{{x:.2%}}<br>{curve.y_name}: %{{y:.1%}}<extra></extra>"
    )
    figure.add_trace(
        draw(
            x=x,
            y=y,
            mode="lines",
            line={"color": style.colour, "width": style.width, "dash": dash},
            legendgroup=name,
            showlegend=False,
            hovertemplate=hover,
        )
    )
    at = _spread(x, y)
    marker = {"color": style.colour, "symbol": style.symbol, "size": 5 if style.grey else 9}
    figure.add_trace(
        draw(
            x=x[at],
            y=y[at],
            mode="markers",
            marker=marker,
            customdata=[[one.slot]] * len(at),
            legendgroup=name,
            showlegend=False,
            hovertemplate=hover,
            unselected={"marker": {"opacity": 1}},
        )
    )
    if style.grey:
        return
    figure.add_trace(  # both together in the legend
        go.Scatter(
            x=[None],
            y=[None],
            mode="lines+markers",
            line={"color": style.colour, "width": style.width, "dash": style.dash},
            marker=marker,
            name=f"{name}: {number(one.result.statistic, 3)}",
            legendgroup=name,
        )
    )


def _thinned(x: Array, y: Array, *, logarithmic: bool) -> NDArray[np.intp]:
    """Choose at most `POINTS` points: those nearest to equal steps along the curve as it is drawn."""
    if len(x) <= POINTS:
        return np.arange(len(x))
    across = np.log10(x) if logarithmic else x
    length = np.ptp(across) or 1.0
    way = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(across)) / length + np.abs(np.diff(y)))])
    return np.unique(np.searchsorted(way, np.linspace(0, way[-1], POINTS)).clip(0, len(x) - 1))


def _spread(x: Array, y: Array) -> NDArray[np.intp]:
    """Choose points that lie apart along a curve, without its ends, which all curves share."""
    way = np.concatenate([[0.0], np.cumsum(np.abs(np.diff(x)) + np.abs(np.diff(y)))])
    inner = np.arange(1, len(x) - 1)
    if len(inner) <= _MARKS:
        return inner
    wanted = np.linspace(0, way[-1], _MARKS + 2)[1:-1]
    return np.unique(np.clip(np.searchsorted(way, wanted), 1, len(x) - 2))


def areas_figure(
    rows: Mapping[str, Sequence[ResultRow]],
    chosen: TimeWindow | None,
    styles: Mapping[str, Line],
    theme: Theme,
    measure: str,
) -> go.Figure:
    """Draw the area of each model in each window; undefined windows stand below, marked as such.

    Marks carry their model and the place of their result among its rows.

    Parameters
    ----------
    rows
        Of one test by model, in order of time.
    chosen
        The window whose curves are drawn, as a line across.
    measure
        What the area is called.
    """
    total = sum(len(series) for series in rows.values())
    draw = go.Scattergl if total > _MOST_DRAWN else go.Scatter
    values = [row.statistic for series in rows.values() for row in series if row.statistic is not None]
    low = min([_NO_SKILL, *values])
    below = low - 0.08 * (1 - low)
    figure = go.Figure()
    for model in sorted(rows, key=lambda name: not styles[name].grey):
        _draw_areas(figure, model, rows[model], styles[model], draw, measure)
    _draw_undefined(figure, rows, below, theme)
    figure.add_hline(y=_NO_SKILL, line={"color": theme.silent, "width": 1.5, "dash": "dash"})
    if chosen is not None:
        figure.add_vline(x=chosen.start, line={"color": theme.text, "width": 1.5}, layer="below")
    lay_out(figure, (0, 1), "start of window", measure)
    figure.update_layout(height=360, margin={"t": 12}, clickmode="event+select")
    figure.update_layout(legend={"y": -0.32})
    figure.update_xaxes(range=None, autorange=True)
    figure.update_yaxes(range=[below - 0.04, 1.03], rangemode="normal", zeroline=False)
    return figure


def _draw_areas(
    figure: go.Figure,
    model: str,
    series: Sequence[ResultRow],
    style: Line,
    draw: type[go.Scatter] | type[go.Scattergl],
    measure: str,
) -> None:
    name = html.escape(model)
    many = len(series) > _MANY
    x = [row.label.window.start for row in series]
    y = np.array([math.nan if row.statistic is None else row.statistic for row in series])
    line = {"color": style.colour, "width": style.width, "dash": style.named_dash}
    if many:
        figure.add_trace(
            draw(
                x=x[:: _MIDDLE // 2],
                y=_medians(y)[:: _MIDDLE // 2],
                mode="lines",
                line=line,
                hovertemplate=f"<b>{name}</b><br>median of {_MIDDLE} windows %{{y:.3f}}<extra></extra>",
                legendgroup=name,
                showlegend=not style.grey,
                name=f"{name}: median of {_MIDDLE} windows",
            )
        )
        if style.grey:
            return
    figure.add_trace(
        draw(
            x=x,
            y=y,
            mode="markers" if many else "lines+markers",
            line=line,
            marker={
                "color": style.colour,
                "symbol": style.symbol,
                "size": 3 if many else 8,
                "opacity": 0.3 if many else 1.0,
            },
            customdata=[[model, place, row.n_observed] for place, row in enumerate(series)],
            hovertemplate=f"<b>{name}</b><br>from %{{x|%Y-%m-%d %H:%M}}<br>{measure} %{{y:.4g}}<br>"
            "events: %{customdata[2]}<extra></extra>",
            unselected={"marker": {"opacity": 0.3 if many else 1.0}},
            legendgroup=name,
            showlegend=not style.grey and not many,
            name=name,
        )
    )


def _medians(values: Array) -> Array:
    """Give the median of the windows around each one, of those that are defined; NaN where none is."""
    half = _MIDDLE // 2
    medians = np.full(len(values), math.nan)
    for place in range(len(values)):
        near = values[max(place - half, 0) : place + half + 1]
        near = near[~np.isnan(near)]
        if len(near):
            medians[place] = np.median(near)
    return medians


def _draw_undefined(
    figure: go.Figure, rows: Mapping[str, Sequence[ResultRow]], below: float, theme: Theme
) -> None:
    silent = _undefined(rows)
    if silent:
        figure.add_trace(
            go.Scatter(
                x=[window.start for window in silent],
                y=[below] * len(silent),
                mode="markers",
                marker={"color": theme.silent, "symbol": "circle-open", "size": 8, "line": {"width": 1.5}},
                hovertext=[
                    f"<b>{window_name(window)}</b><br>undefined for {count_of(count, 'model')}: "
                    f"{html.escape(reason)}"
                    for window, (count, reason) in silent.items()
                ],
                hovertemplate="%{hovertext}<extra></extra>",
                unselected={"marker": {"opacity": 1}},
                name="undefined",
            )
        )


def _undefined(rows: Mapping[str, Sequence[ResultRow]]) -> dict[TimeWindow, tuple[int, str]]:
    """Count the models for which a window's area is undefined, with a reason."""
    found: dict[TimeWindow, tuple[int, str]] = {}
    for series in rows.values():
        for row in series:
            if row.statistic is None:
                count, _ = found.get(row.label.window, (0, ""))
                found[row.label.window] = count + 1, row.reason or "undefined"
    return dict(sorted(found.items(), key=lambda item: item[0].start))
