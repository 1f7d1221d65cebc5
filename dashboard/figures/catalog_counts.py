"""Numbers of events: by magnitude and over time, beside what models expect."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard._theme import Theme, pale
from dashboard._words import count_of, number
from dashboard.figures.growth import Growth, poisson_band
from dashboard.figures.judged import BValue, microseconds
from dashboard.figures.lines import Line
from forequake.windows import TimeWindow

__all__ = ["ModelCounts", "cumulative_figure", "frequency_figure", "magnitude_histogram"]

Array = NDArray[np.float64]

#: The least number of events on a logarithmic axis, unless all that is expected is less.
_FLOOR: Final = 0.01
_SAME: Final = 1e-9


@dataclass(frozen=True, eq=False)
class ModelCounts:
    """What a model expects in a window.

    Attributes
    ----------
    per_bin : array of float64, shape (bins,)
        Expected number of events in each magnitude bin.
    band : array of float64, shape (2, bins), or None
        Between these lie the numbers of 95 % of the simulated catalogs; None where the numbers are Poisson's.
    growth
        Its numbers over time.
    """

    model: str
    line: Line
    per_bin: Array
    band: Array | None
    growth: Growth

    @property
    def bands(self) -> tuple[Array, Array]:
        """Between what numbers 95 % lie in each bin."""
        if self.band is None:
            return poisson_band(self.per_bin)
        return self.band[0], self.band[1]


def magnitude_histogram(
    edges: Array, observed: NDArray[np.int64], models: Sequence[ModelCounts], theme: Theme
) -> go.Figure:
    """Draw observed numbers by magnitude over what models expect, on a logarithmic axis.

    Bins in which no event came have no mark, since there is no zero on the axis.

    Parameters
    ----------
    edges : array of float64, shape (bins,)
        Lower edges; the last bin is open.
    observed : array of int64, shape (bins,)
    """
    step = float(np.median(np.diff(edges))) if len(edges) > 1 else 1.0
    centres = edges + step / 2
    most = max([1.0, *(float(counts.bands[1].max(initial=0)) for counts in models), float(observed.max())])
    expected = max((float(counts.per_bin.max(initial=0)) for counts in models), default=1.0)
    floor = min(_FLOOR, expected / 100) if expected > 0 else _FLOOR
    figure = go.Figure()
    for place, counts in enumerate(models):
        # Side by side within the bin, so that the bars of several models stay apart.
        aside = step * 0.6 * ((place + 0.5) / len(models) - 0.5)
        _draw_expected(figure, counts, centres + aside, floor)
    came = observed > 0
    figure.add_trace(
        go.Scatter(
            x=centres[came],
            y=observed[came],
            mode="markers",
            marker={
                "color": theme.text,
                "symbol": "diamond",
                "size": 9,
                "line": {"width": 1, "color": theme.background},
            },
            customdata=np.column_stack([edges[came], edges[came] + step]),
            hovertemplate="<b>%{y} observed</b><br>M %{customdata[0]:.2f} to %{customdata[1]:.2f}"
            "<extra></extra>",
            name=f"observed: {count_of(int(observed.sum()), 'event')}",
        )
    )
    _lay_out(figure, "magnitude", "events in a bin")
    figure.update_xaxes(
        range=[float(edges[0]) - step / 2, _last(edges, observed, models, floor) + 1.5 * step]
    )
    ends = [np.log10(floor), np.log10(most) + 0.15]
    figure.update_yaxes(type="log", range=ends, dtick=1, exponentformat="power")
    return figure


def _last(edges: Array, observed: NDArray[np.int64], models: Sequence[ModelCounts], floor: float) -> float:
    """Give the last bin of which anything is seen."""
    seen = observed > 0
    for counts in models:
        seen = seen | (counts.bands[1] > 0) | (counts.per_bin >= 10 * floor)
    return float(edges[np.flatnonzero(seen)[-1]] if seen.any() else edges[-1])


def _draw_expected(figure: go.Figure, counts: ModelCounts, x: Array, floor: float) -> None:
    low, high = counts.bands
    mean, name = counts.per_bin, html.escape(counts.model)
    kind = "Poisson" if counts.band is None else "simulated"
    shown = np.maximum(mean, floor)
    seen = mean >= floor
    # Where 95 % are 0, which is not on the axis, there is no bar; else bars reach the mean that lies outside.
    none = high == 0
    low, high = np.where(none, mean, np.minimum(low, mean)), np.maximum(high, mean)
    figure.add_trace(
        go.Scatter(
            x=x[seen],
            y=shown[seen],
            mode="markers",
            marker={"color": counts.line.colour, "symbol": counts.line.symbol, "size": 6},
            error_y={
                "type": "data",
                "symmetric": False,
                "array": (np.maximum(high, floor) - shown)[seen],
                "arrayminus": (shown - np.maximum(low, floor))[seen],
                "color": pale(counts.line.colour, 0.45),
                "thickness": 3,
                "width": 0,
            },
            customdata=np.column_stack([mean, counts.bands[0], counts.bands[1]])[seen],
            hovertemplate=f"<b>{name}</b><br>expected %{{customdata[0]:.3g}}<br>95 % ({kind}): "
            "%{customdata[1]:.3g} to %{customdata[2]:.3g}<extra></extra>",
            name=f"{name}: {number(float(mean.sum()), 3)} expected",
        )
    )


def cumulative_figure(
    time_us: NDArray[np.int64], window: TimeWindow, models: Sequence[ModelCounts], theme: Theme
) -> go.Figure:
    """Draw the number of observed events over a window's time, over the bands of models.

    Parameters
    ----------
    time_us : array of int64, shape (events,)
        Of the events that count in the window, in order.
    """
    figure = go.Figure()
    for counts in models:
        _draw_growth(figure, counts)
    ends = np.array([microseconds(window.start), microseconds(window.end)])
    times = np.concatenate([ends[:1], time_us, ends[1:]]) / 1000
    numbers = np.concatenate([np.arange(len(time_us) + 1), [len(time_us)]])
    figure.add_trace(
        go.Scatter(
            x=times,
            y=numbers,
            mode="lines",
            line={"color": theme.text, "width": 2.5, "shape": "hv"},
            hovertemplate="%{y} observed until %{x|%Y-%m-%d %H:%M:%S}<extra></extra>",
            name=f"observed: {count_of(len(time_us), 'event')}",
        )
    )
    _lay_out(figure, None, "events since the window began")
    figure.update_xaxes(type="date", range=(ends / 1000).tolist())
    figure.update_yaxes(rangemode="tozero")
    return figure


def _draw_growth(figure: go.Figure, counts: ModelCounts) -> None:
    growth, name = counts.growth, html.escape(counts.model)
    times = growth.time_us / 1000
    colour = counts.line.colour
    for edge, fill in ((growth.low, None), (growth.high, "tonexty")):
        figure.add_trace(
            go.Scatter(
                x=times,
                y=edge,
                mode="lines",
                line={"color": pale(colour, 0.6), "width": 1, "dash": counts.line.dash},
                fill=fill,
                fillcolor=pale(colour, 0.14),
                legendgroup=name,
                showlegend=False,
                hoverinfo="skip",
            )
        )
    figure.add_trace(
        go.Scatter(
            x=times,
            y=growth.mean,
            mode="lines",
            line={"color": colour, "width": counts.line.width, "dash": counts.line.dash},
            customdata=np.column_stack([growth.low, growth.high]),
            hovertemplate=f"<b>{name}</b><br>until %{{x|%Y-%m-%d %H:%M}}<br>expected %{{y:.3g}}<br>"
            "95 %: %{customdata[0]:.3g} to %{customdata[1]:.3g}<extra></extra>",
            legendgroup=name,
            name=f"{name}: {number(float(growth.mean[-1]), 3)} expected",
        )
    )


def frequency_figure(
    magnitudes: Array, b: BValue | None, least: float, step: float, theme: Theme
) -> go.Figure:
    """Draw numbers of events by magnitude, in bins and from each magnitude on, with the line of b.

    Parameters
    ----------
    magnitudes : array of float64, shape (events,)
        Not empty.
    least
        The least magnitude that tests count, on which the bins lie.
    step
        Width of a bin.
    """
    places = np.floor((magnitudes - least) / step + _SAME).astype(np.int64)
    first = int(places.min())
    in_bin = np.bincount(places - first)
    edges = least + step * (np.arange(len(in_bin)) + first)
    from_on = np.cumsum(in_bin[::-1])[::-1]
    figure = go.Figure()
    came = in_bin > 0
    for x, y, name, symbol, colour in (
        (edges + step / 2, in_bin, "in a bin", "square-open", theme.muted),
        (edges, from_on, "from a magnitude on", "circle", theme.agree),
    ):
        figure.add_trace(
            go.Scatter(
                x=x[came],
                y=y[came],
                mode="markers",
                marker={"color": colour, "symbol": symbol, "size": 7, "line": {"width": 1.2}},
                hovertemplate=f"M %{{x:.2f}}<br>%{{y}} events {name}<extra></extra>",
                name=name,
            )
        )
    if b is not None:
        x = np.array([b.magnitude_min, edges[-1] + step])
        figure.add_trace(
            go.Scatter(
                x=x,
                y=b.n_events * 10 ** (-b.b * (x - b.magnitude_min)),
                mode="lines",
                line={"color": theme.differ, "width": 2, "dash": "dash"},
                hoverinfo="skip",
                name=f"b = {b.b:.2f} ± {b.error:.2f}",
            )
        )
    figure.add_vline(x=least, line={"color": theme.text, "width": 1, "dash": "dash"})
    _lay_out(figure, "magnitude", "events")
    figure.update_yaxes(type="log", range=[-0.3, np.log10(len(magnitudes)) + 0.3], dtick=1)
    return figure


def _lay_out(figure: go.Figure, across: str | None, up: str) -> None:
    legend: dict[str, Any] = {"orientation": "h", "x": 0, "xanchor": "left", "y": -0.18, "yanchor": "top"}
    figure.update_layout(
        height=440,
        margin={"l": 8, "r": 8, "t": 12, "b": 8},
        dragmode=False,
        hovermode="closest",
        showlegend=True,
        legend=legend,
    )
    axis = {"automargin": True, "fixedrange": True, "zeroline": False}
    figure.update_xaxes(**axis, showgrid=False, title={"text": across})
    figure.update_yaxes(**axis, title={"text": up})
