"""The results of one test in many windows as one picture: are they uniform, are any of them significant."""

from collections.abc import Sequence
from typing import Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard._theme import Theme, pale
from dashboard._words import count_of, number, quantile
from dashboard.figures.edges import lay_out
from forequake.results import AnyEvaluation

__all__ = ["calibration_figure", "holm_figure"]

Array = NDArray[np.float64]

#: A p of 0 has no place on a logarithmic axis and stands below the least other one, by this factor.
_BELOW: Final = 10.0


def calibration_figure(result: AnyEvaluation, delta2: Sequence[float], theme: Theme) -> go.Figure:
    """Draw the share of windows up to each delta2 over the uniform distribution, with Kolmogorov's band.

    The band holds the whole stair with the probability 1 - alpha where delta2 is uniform: exactly those
    results leave it that the test rejects.

    Parameters
    ----------
    delta2
        Of the windows, in any order.
    """
    from scipy.stats import kstwo

    values = np.sort(np.asarray(delta2, dtype=np.float64))
    count = len(values)
    half = float(kstwo.ppf(1 - result.alpha, count))
    figure = go.Figure()
    ends = np.array([0.0, 1.0])
    band = f"{100 * (1 - result.alpha):g} % of uniform ones stay within"
    for upper in (False, True):
        edge = np.array([0.0, 1.0 - half, 1.0]) if upper else np.array([0.0, half, 1.0])
        figure.add_trace(
            go.Scatter(
                x=edge,
                y=np.clip(edge + half, 0, 1) if upper else np.clip(edge - half, 0, 1),
                mode="lines",
                line={"width": 0},
                fill="tonexty" if upper else None,
                fillcolor=pale(theme.curve, 0.22),
                name=band,
                showlegend=upper,
                hoverinfo="skip",
            )
        )
    figure.add_trace(
        go.Scatter(
            x=ends,
            y=ends,
            mode="lines",
            line={"color": theme.silent, "width": 1.5, "dash": "dash"},
            name="uniform",
            hoverinfo="skip",
        )
    )
    colour = theme.differ if result.outcome.value == "rejected" else theme.agree
    figure.add_trace(
        go.Scatter(
            x=np.concatenate([[0.0], values, [1.0]]),
            y=np.concatenate([[0.0], np.arange(1, count + 1) / count, [1.0]]),
            mode="lines",
            line={"color": colour, "width": 2.5, "shape": "hv"},
            name=f"delta2 of {count_of(count, 'window')}",
            hovertemplate="%{y:.0%} of the windows up to delta2 = %{x:.3f}<extra></extra>",
        )
    )
    _mark_distance(figure, values, theme)
    lay_out(figure, (-0.01, 1.01), "delta2 of a window", "share of windows up to it")
    figure.update_layout(height=460, legend={"traceorder": "normal"})
    figure.update_yaxes(range=[-0.01, 1.01], tickformat=".0%", zeroline=False)
    return figure


def _mark_distance(figure: go.Figure, values: Array, theme: Theme) -> None:
    """Draw where stair and diagonal are furthest apart: the distance D that the test takes."""
    count = len(values)
    steps = np.arange(count + 1) / count
    above, below = steps[1:] - values, values - steps[:-1]
    place = int(np.argmax(np.maximum(above, below)))
    value = float(values[place])
    step = float(steps[place + 1] if above[place] >= below[place] else steps[place])
    figure.add_trace(
        go.Scatter(
            x=[value, value],
            y=[value, step],
            mode="lines",
            line={"color": theme.text, "width": 2.5},
            name=f"greatest distance D = {number(abs(step - value), 3)}",
            hoverinfo="skip",
        )
    )


def holm_figure(result: AnyEvaluation, p_values: Sequence[float], theme: Theme) -> go.Figure:
    """Draw the p of all windows from the least on, and the limit that Holm's correction sets each of them.

    Significant are those below the limit up to the first that is not.
    """
    values = np.sort(np.asarray(p_values, dtype=np.float64))
    count = len(values)
    ranks = np.arange(1, count + 1)
    limits = result.alpha / (count + 1 - ranks)
    significant = np.logical_and.accumulate(values < limits)
    floor = float(min(values[values > 0].min(initial=1.0), limits[0])) / _BELOW
    figure = go.Figure(
        go.Scatter(
            x=ranks,
            y=limits,
            mode="lines",
            line={"color": theme.curve, "width": 2, "dash": "dash"},
            name=f"limit: {result.alpha:g} / windows from here on",
            hoverinfo="skip",
        )
    )
    for chosen, name, colour, symbol in (
        (significant, "rejected after correction", theme.differ, "x"),
        (~significant, "not rejected", theme.agree, "square"),
    ):
        if chosen.any():
            figure.add_trace(
                go.Scatter(
                    x=ranks[chosen],
                    y=np.maximum(values[chosen], floor),
                    mode="markers",
                    marker={"color": colour, "symbol": symbol, "size": 9},
                    name=name,
                    text=[quantile(value) for value in values[chosen].tolist()],
                    hovertemplate="p %{text}<extra></extra>",
                )
            )
    lay_out(figure, (0.4, count + 0.6), "windows, from the least p on", "p of a window")
    figure.update_yaxes(
        type="log", rangemode="normal", range=[np.log10(floor) - 0.15, 0.1], dtick=1, exponentformat="power"
    )
    return figure
