"""Expected numbers of events against those that came: the parts of a score, and each model's own curve."""

import html
import math
from collections.abc import Mapping
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard._theme import Theme, pale
from dashboard._words import count_of, number
from dashboard.figures.cell_text import cut
from dashboard.figures.grids import Grid
from dashboard.figures.labels import label_positions
from dashboard.figures.marks import MARKS, Status
from dashboard.figures.small_multiples import axis_title, frames_of, names_of
from forequake.evaluations.over_windows.mean_reliability import (
    MeanReliability,
    mean_reliability,
    reliability_band,
)

__all__ = ["parts_figure", "reliabilities_of", "reliability_figure"]

Array = NDArray[np.float64]

#: Width and height in pixels that the picture of the parts has on a narrow screen.
_SIZE: Final = (520.0, 370.0)
#: Lines of equal score.
_LINES: Final = 5
#: Where expected numbers differ by more than this factor, axes are logarithmic.
_WIDE: Final = 20.0
#: Zero stands below the least number of a logarithmic axis by this factor.
_BELOW: Final = 3.0


def reliabilities_of(grid: Grid) -> tuple[dict[str, MeanReliability], NDArray[np.bool_]]:
    """Compare expected with observed numbers, in windows for which all models have a finite one.

    Returns
    -------
    dict
        By model; empty where there is no such window.
    array of bool, shape (windows,)
        These windows.
    """
    common = np.asarray(np.isfinite(grid.expected).all(axis=0))
    counts = grid.events[common].astype(np.float64)
    if not len(counts):
        return {}, common
    found = {
        model: mean_reliability(expected[common], counts)
        for model, expected in zip(grid.models, grid.expected, strict=True)
    }
    return found, common


def parts_figure(found: Mapping[str, MeanReliability], theme: Theme) -> go.Figure:
    """Draw miscalibration against discrimination, with lines on which scores are equal.

    A model above the thick line scores better than the mean number of events of all windows, which is known
    only afterwards. Infinite miscalibration stands at the right edge, as an arrow.
    """
    finite = [each.miscalibration for each in found.values() if math.isfinite(each.miscalibration)]
    right = 1.18 * max([*finite, 1e-9])
    top = max(1.25 * max(each.discrimination for each in found.values()), 0.1 * right)
    uncertainty = next(iter(found.values())).uncertainty
    figure = go.Figure()
    _score_lines(figure, right, top, uncertainty, theme)
    labels = _labels(found, right, top)
    for status in (Status.BETTER, Status.WORSE):
        picked = {
            model: each
            for model, each in found.items()
            if (each.discrimination > each.miscalibration) is (status is Status.BETTER)
        }
        if picked:
            figure.add_trace(_models(picked, status, right, labels, theme))
    figure.update_layout(
        height=470,
        margin={"l": 8, "r": 20, "t": 12, "b": 8},
        dragmode=False,
        hovermode="closest",
        legend={"orientation": "h", "x": 0, "xanchor": "left", "y": -0.16, "yanchor": "top"},
    )
    axis: dict[str, Any] = {"zeroline": False, "showgrid": False, "fixedrange": True, "automargin": True}
    figure.update_xaxes(
        **axis, title={"text": "miscalibration (nats per window)"}, range=[-0.03 * right, right]
    )
    figure.update_yaxes(**axis, title={"text": "discrimination (nats per window)"}, range=[-0.08 * top, top])
    return figure


def _score_lines(figure: go.Figure, right: float, top: float, uncertainty: float, theme: Theme) -> None:
    """Draw DSC = MCB + UNC - S for some scores S, and for that of a constant mean, where S = UNC."""
    for place, offset in enumerate(np.linspace(-right, top, _LINES + 2)[1:-1].tolist()):
        figure.add_trace(_score_line(offset, right, top, uncertainty, theme, named=place == 0))
    figure.add_trace(
        go.Scatter(
            x=[0, right],
            y=[0, right],
            mode="lines",
            line={"color": theme.text, "width": 2},
            name=f"score of the windows' own mean: {number(uncertainty, 3)} (uncertainty)",
            hoverinfo="skip",
        )
    )


def _score_line(
    offset: float, right: float, top: float, uncertainty: float, theme: Theme, *, named: bool
) -> go.Scatter:
    start, end = max(0.0, -offset), min(right, top - offset)
    return go.Scatter(
        x=[start, end],
        y=[start + offset, end + offset],
        mode="lines+text",
        line={"color": theme.silent, "width": 1, "dash": "dot"},
        text=["", number(uncertainty - offset, 3)],
        textposition="bottom left",
        textfont={"size": 11, "color": theme.muted},
        name="equal score",
        showlegend=named,
        hoverinfo="skip",
    )


def _labels(found: Mapping[str, MeanReliability], right: float, top: float) -> dict[str, str | None]:
    """Find a place for the name of each model."""
    marks = [(min(each.miscalibration / right, 0.97), each.discrimination / top) for each in found.values()]
    return dict(zip(found, label_positions(marks, [cut(model, 22) for model in found], _SIZE), strict=True))


def _models(
    picked: Mapping[str, MeanReliability],
    status: Status,
    right: float,
    labels: Mapping[str, str | None],
    theme: Theme,
) -> go.Scatter:
    mark = MARKS[status]
    colour = mark.colour(theme)
    infinite = [math.isinf(each.miscalibration) for each in picked.values()]
    return go.Scatter(
        x=[
            0.97 * right if out else each.miscalibration
            for each, out in zip(picked.values(), infinite, strict=True)
        ],
        y=[each.discrimination for each in picked.values()],
        mode="markers+text",
        marker={
            "symbol": ["arrow-right" if out else mark.symbol for out in infinite],
            "size": 12,
            "color": colour,
            "line": {"width": 1, "color": theme.background},
        },
        text=[html.escape(cut(model, 22)) if labels[model] else "" for model in picked],
        textposition=[labels[model] or "middle right" for model in picked],
        textfont={"size": 11, "color": theme.text},
        name="better than the windows' own mean" if status is Status.BETTER else "worse than it",
        hovertext=[
            f"<b>{html.escape(model)}</b><br>mean score {number(each.score, 4)}<br>"
            f"miscalibration {number(each.miscalibration, 3)}<br>"
            f"discrimination {number(each.discrimination, 3)}<br>"
            f"uncertainty {number(each.uncertainty, 3)}<br>{count_of(each.size, 'window')}"
            for model, each in picked.items()
        ],
        hovertemplate="%{hovertext}<extra></extra>",
    )


def reliability_figure(
    found: Mapping[str, MeanReliability], theme: Theme, *, banded: bool = True
) -> go.Figure:
    """Draw of each model the mean number of events where so many are expected.

    Parameters
    ----------
    banded
        Whether windows share no time, so that a band of chance has a meaning: 95 % of the curves of right
        forecasts lie within, at each expected number, if numbers are Poisson.
    """
    across = min(len(found), 3)
    every = np.concatenate([np.concatenate([each.expected, each.recalibrated]) for each in found.values()])
    positive = every[every > 0]
    low, high = (float(positive.min()), float(positive.max())) if len(positive) else (0.1, 1.0)
    wide = high > _WIDE * low
    floor = (low / _BELOW if (every == 0).any() else 0.8 * low) if wide else 0.0
    span = [math.log10(0.8 * floor), math.log10(1.3 * high)] if wide else [-0.03 * high, 1.06 * high]
    shared: dict[str, Any] = {
        "type": "log" if wide else "linear",
        "range": span,
        "showgrid": False,
        "zeroline": False,
        "fixedrange": True,
        "tickfont": {"size": 10},
        "nticks": 5,
    } | (_log_ticks(0.8 * floor, 1.3 * high) if wide else {})
    frames = frames_of(
        len(found),
        across=across,
        height=190,
        x=shared | {"title": axis_title("expected events")},
        y=shared | {"title": axis_title("events on average")},
        gap=0.17,
    )
    traces: list[go.Scatter] = []
    for axis, each in zip(frames.axes, found.values(), strict=True):
        traces += _curve(each, axis, floor, high, theme, banded=banded)
    names = [
        f"<b>{html.escape(cut(model, 30))}</b><br>score {_sum_of(each)}" for model, each in found.items()
    ]
    return go.Figure(traces, frames.layout | {"annotations": names_of(frames, names, theme)})


def _log_ticks(low: float, high: float) -> dict[str, Any]:
    """Name powers of ten, and twos and fives between them where they are few."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    steps = (1, 2, 5) if len(powers) <= 3 else (1,)
    values = [step * 10.0**power for power in powers for step in steps]
    return {"tickvals": values, "ticktext": [f"{value:g}" for value in values]}


def _sum_of(each: MeanReliability) -> str:
    """Write the score as the sum of its parts."""
    sign = "−" if each.uncertainty < 0 else "+"
    return (
        f"{number(each.score, 3)} = {number(each.miscalibration, 3)} − {number(each.discrimination, 3)} "
        f"{sign} {number(abs(each.uncertainty), 3)}"
    )


def _curve(
    each: MeanReliability,
    axis: str,
    floor: float,
    high: float,
    theme: Theme,
    *,
    banded: bool,
) -> list[go.Scatter]:
    places = {"xaxis": f"x{axis}", "yaxis": f"y{axis}"}
    x, first = np.unique(each.expected, return_index=True)
    shown = np.maximum(x, floor)
    traces = []
    if banded:
        least, greatest = (np.maximum(edge[first], floor) for edge in reliability_band(each.expected))
        traces.append(
            go.Scatter(
                x=np.concatenate([shown, shown[::-1]]),
                y=np.concatenate([greatest, least[::-1]]),
                **places,
                mode="lines",
                # The band of a model that always expects the same is a line.
                line={"width": 5 if len(x) == 1 else 0, "color": pale(theme.curve, 0.35)},
                fill="toself",
                fillcolor=pale(theme.curve, 0.22),
                hoverinfo="skip",
            )
        )
    ends = [floor or 0.0, high]
    traces.append(
        go.Scatter(
            x=ends,
            y=ends,
            **places,
            mode="lines",
            line={"color": theme.silent, "width": 1.5, "dash": "dash"},
            hoverinfo="skip",
        )
    )
    means = each.recalibrated[first]
    marked = len(x) <= 60
    traces.append(
        go.Scatter(
            x=shown,
            y=np.maximum(means, floor),
            **places,
            mode="lines+markers" if marked else "lines",
            line={"color": theme.agree, "width": 2},
            marker={
                "size": 6,
                "color": theme.agree,
                "symbol": ["circle-open" if mean == 0 else "circle" for mean in means.tolist()],
            },
            customdata=np.column_stack([x, means]),
            hovertemplate="expected %{customdata[0]:.3g}: %{customdata[1]:.3g} on average<extra></extra>",
        )
    )
    return traces
