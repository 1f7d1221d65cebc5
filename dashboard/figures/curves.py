"""The curve of which a score is the area: ROC, concentration ROC, Molchan diagram."""

import plotly.graph_objects as go

from dashboard._theme import Theme, pale
from dashboard._words import number
from dashboard.figures.edges import lay_out
from forequake.evaluations.registry import TESTS
from forequake.results import Curve, ScoreRecord

__all__ = ["curve_figure"]


def curve_figure(result: ScoreRecord, theme: Theme) -> go.Figure | None:
    """Draw the curve of a score, the area that is the score, and the diagonal that has no skill.

    Returns
    -------
    go.Figure or None
        None where the result has no curve.
    """
    curve = result.curve
    if curve is None:
        return None
    figure = go.Figure()
    falls = curve.y[-1] < curve.y[0]
    if falls:  # the score is the area above: the fill reaches up to a line that is not drawn
        figure.add_trace(
            go.Scatter(
                x=[0, 1], y=[1, 1], mode="lines", line={"width": 0}, hoverinfo="skip", showlegend=False
            )
        )
    figure.add_trace(_line(result, curve, theme, "tonexty" if falls else "tozeroy"))
    figure.add_trace(
        go.Scatter(
            x=[0, 1],
            y=[1, 0] if falls else [0, 1],
            mode="lines",
            line={"color": theme.silent, "width": 1.5, "dash": "dash"},
            name="no skill: 0.5",
            hoverinfo="skip",
        )
    )
    span = (-0.01, 1.01)  # the curve ends on the frame, where half its width would be cut off
    lay_out(figure, span, curve.x_name, curve.y_name)
    # Plotly turns the legend around where a trace is filled up to the next.
    figure.update_layout(height=520, margin={"r": 28}, legend={"traceorder": "normal"})
    shared = {"tickformat": ".0%", "tickvals": [0, 0.25, 0.5, 0.75, 1], "constrain": "domain"}
    figure.update_xaxes(**shared)
    figure.update_yaxes(range=list(span), scaleanchor="x", zeroline=False, **shared)
    return figure


def _line(result: ScoreRecord, curve: Curve, theme: Theme, fill: str) -> go.Scatter:
    measure = TESTS[result.test].measure if result.test in TESTS else "score"
    return go.Scatter(
        x=curve.x,
        y=curve.y,
        mode="lines",
        line={"color": theme.agree, "width": 2.5},
        fill=fill,
        fillcolor=pale(theme.agree, 0.14),
        name=f"{measure}: {number(result.statistic, 4)}",
        hovertemplate=f"{curve.x_name}: %{{x:.2%}}<br>{curve.y_name}: %{{y:.1%}}<extra></extra>",
    )
