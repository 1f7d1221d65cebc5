"""Whether the quantiles of each model are spread over windows as chance spreads them."""

import html
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard._theme import Theme, pale
from dashboard._words import number
from dashboard.figures.cell_text import cut
from dashboard.figures.grids import Grid
from dashboard.figures.lines import kept_places
from dashboard.figures.small_multiples import axis_title, frames_of, names_of
from forequake.evaluations.over_windows.uniformity import (
    Uniformity,
    bin_counts,
    bin_limits,
    departures,
    kolmogorov_half_width,
    pit_draws,
    randomised_pit,
    uniformity,
)

__all__ = ["BINS", "Panel", "panels_of", "uniformity_figure"]

Array = NDArray[np.float64]

BINS: Final = 10
#: With more models two stand side by side.
_SIDE_BY_SIDE: Final = 2
_HEIGHT: Final = 104
#: What is blank at the left of a picture, as a share of its place where one stands alone.
_GAP: Final = 0.06
#: Rounding of quantiles near 0 and 1 alone changes a smaller p.
_LEAST_P: Final = 0.001
#: Points of a curve.
_POINTS: Final = 600


@dataclass(frozen=True, eq=False)
class Panel:
    """The quantiles of one model.

    Attributes
    ----------
    values : array of float64, shape (windows with a result,)
    found
        Their test against the uniform distribution.
    undefined
        Number of windows whose result is undefined or missing.
    """

    model: str
    values: Array
    found: Uniformity
    undefined: int


def panels_of(grid: Grid, *, randomised: bool, independent: bool) -> list[Panel]:
    """Give the quantiles of each model, delta2 or q, or the randomised transform of numbers of events.

    Parameters
    ----------
    grid
        Of a consistency test.
    independent
        Whether windows share no time; else there is no p.
    """
    draws = pit_draws(len(grid.windows))
    panels = []
    for model, upper, lower in zip(grid.models, grid.upper, grid.lower, strict=True):
        quantiles = randomised_pit(upper, lower, draws) if randomised else lower
        values = quantiles[~np.isnan(quantiles)]
        panels.append(
            Panel(model, values, uniformity(values, independent=independent), len(quantiles) - len(values))
        )
    return panels


def uniformity_figure(
    panels: Sequence[Panel], theme: Theme, *, alpha: float, banded: bool = True
) -> go.Figure:
    """Draw of each model the histogram of its quantiles, and how far their distribution is from uniform.

    Parameters
    ----------
    alpha
        Of the bands: single bins, and whole curves, leave theirs with this probability where quantiles are
        uniform.
    banded
        Whether windows share no time, so that the bands have a meaning.
    """
    across = 2 if len(panels) <= _SIDE_BY_SIDE else 4
    x: dict[str, Any] = {
        "range": [-0.02, 1.02],
        "tickvals": [0, 0.5, 1],
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "tickfont": {"size": 10},
        "title": axis_title("quantile"),
    }
    y: dict[str, Any] = {"fixedrange": True, "nticks": 4, "tickfont": {"size": 10}, "zeroline": True}
    # The gap has room for the ticks of four pictures side by side, and what they count.
    frames = frames_of(2 * len(panels), across=across, height=_HEIGHT, x=x, y=y, gap=_GAP * across)
    traces: list[go.Bar | go.Scatter] = []
    shapes: list[dict[str, Any]] = []
    for panel, left, right in zip(panels, frames.axes[::2], frames.axes[1::2], strict=True):
        difference = departures(panel.values)[1]
        half = kolmogorov_half_width(panel.found.size, alpha) if banded and panel.found.size else 0.0
        least, greatest = bin_limits(panel.found.size, BINS, alpha)
        traces += [
            _histogram(panel, left, (least, greatest) if banded else None, theme),
            _departure(panel, right, alpha, theme),
        ]
        shapes.append(_uniform_line(left, panel.found.size / BINS, theme))
        if banded:
            shapes += [_band(left, least, greatest, theme), _band(right, -half, half, theme)]
        widest = 1.12 * max(1.5 * half, float(np.abs(difference).max()))
        frames.layout[f"yaxis{left}"] |= {"title": axis_title("windows")}
        frames.layout[f"yaxis{right}"] |= {
            "range": [-widest, widest],
            "title": axis_title("share − quantile"),
        }
    names = names_of(frames, [name for panel in panels for name in _names(panel, alpha)], theme)
    return go.Figure(traces, frames.layout | {"shapes": shapes, "annotations": names})


def _names(panel: Panel, alpha: float) -> list[str]:
    found = panel.found
    p = "no p" if found.p is None else f"p = {number(found.p, 3)}"
    if found.p is not None and found.p < _LEAST_P:
        p = f"p < {_LEAST_P:g}"
    verdict = "" if found.p is None else "✕ rejected" if found.p < alpha else "■ not rejected"
    count = f"n = {found.size}" + (f", {panel.undefined} without" if panel.undefined else "")
    return [
        f"<b>{html.escape(cut(panel.model, 24))}</b><br>{count}",
        f"{verdict}<br>{p}, D = {number(found.distance, 2)}",
    ]


def _histogram(panel: Panel, axis: str, limits: tuple[int, int] | None, theme: Theme) -> go.Bar:
    """Draw how many windows have a quantile in each bin; those beyond the limits are hatched."""
    counts = bin_counts(panel.values, BINS).tolist()
    beyond = [limits is not None and not limits[0] <= count <= limits[1] for count in counts]
    return go.Bar(
        x=(np.arange(BINS) + 0.5) / BINS,
        y=counts,
        width=0.92 / BINS,
        xaxis=f"x{axis}",
        yaxis=f"y{axis}",
        marker={
            "color": [theme.differ if out else theme.agree for out in beyond],
            "pattern": {"shape": ["/" if out else "" for out in beyond], "size": 5},
            "line": {"width": 0},
        },
        customdata=[
            [f"{place / BINS:g} to {(place + 1) / BINS:g}", " (beyond the band)" if out else ""]
            for place, out in enumerate(beyond)
        ],
        hovertemplate="%{y} windows at %{customdata[0]}%{customdata[1]}<extra></extra>",
    )


def _departure(panel: Panel, axis: str, alpha: float, theme: Theme) -> go.Scatter:
    """Draw the share of windows up to each quantile, minus that quantile."""
    x, difference = departures(panel.values) if panel.found.size else (np.zeros(0), np.zeros(0))
    rejected = panel.found.p is not None and panel.found.p < alpha
    kept = kept_places(difference, _POINTS)
    return go.Scatter(
        x=x[kept].astype(np.float32),
        y=difference[kept].astype(np.float32),
        xaxis=f"x{axis}",
        yaxis=f"y{axis}",
        mode="lines",
        line={"color": theme.differ if rejected else theme.agree, "width": 2},
        hovertemplate="%{y:+.3f} at %{x:.3f}<extra></extra>",
    )


def _uniform_line(axis: str, height: float, theme: Theme) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": f"x{axis}",
        "yref": f"y{axis}",
        "x0": 0,
        "x1": 1,
        "y0": height,
        "y1": height,
        "line": {"color": theme.text, "width": 1, "dash": "dot"},
    }


def _band(axis: str, low: float, high: float, theme: Theme) -> dict[str, Any]:
    return {
        "type": "rect",
        "xref": f"x{axis}",
        "yref": f"y{axis}",
        "x0": 0,
        "x1": 1,
        "y0": low,
        "y1": high,
        "fillcolor": pale(theme.curve, 0.22),
        "line": {"width": 0},
        "layer": "below",
    }
