"""What the stages of runs took, model by model."""

import html
from collections.abc import Sequence
from typing import Any, Final

import plotly.graph_objects as go
from plotly.colors import sample_colorscale

from dashboard._theme import Theme
from dashboard.figures.cell_text import cut
from forequake.results import Stage, StageTiming

__all__ = ["STAGES", "timings_figure", "timings_table"]

#: What the stages are called.
STAGES: Final = {
    Stage.SOURCE: "fetch source",
    Stage.BUILD: "build environment",
    Stage.INPUT: "write input",
    Stage.RUN: "run program",
    Stage.READ: "read forecast",
    Stage.CHECK: "check quality",
    Stage.TESTS: "compute tests",
    Stage.STORE: "store",
}
_PATTERNS: Final = ("", "/", ".", "\\", "x", "-", "+", "|")
_OF_NO_MODEL: Final = "(no model)"
#: The models that took most have a bar.
_MOST_BARS: Final = 30
_LONG_NAME: Final = 22


def timings_figure(timings: Sequence[StageTiming], theme: Theme) -> go.Figure:
    """Draw a bar for each model, longest first, of the seconds that its stages took."""
    totals: dict[str | None, float] = {}
    for timing in timings:
        totals[timing.model] = totals.get(timing.model, 0.0) + timing.seconds
    models = sorted(totals, key=lambda model: -totals[model])[:_MOST_BARS]
    names = {model: html.escape(_OF_NO_MODEL if model is None else model) for model in models}
    stages = [stage for stage in Stage if any(timing.stage is stage for timing in timings)]
    # The dark end of the scale cannot be told from a dark page, nor the light end from a light one.
    first, last = (0.0, 0.92) if theme.name == "light" else (0.28, 1.0)
    places = [first + (last - first) * list(Stage).index(stage) / (len(Stage) - 1) for stage in stages]
    figure = go.Figure()
    for stage, colour in zip(stages, sample_colorscale("Cividis", places), strict=True):
        picked = [timing for timing in timings if timing.stage is stage and timing.model in names]
        figure.add_trace(
            go.Bar(
                x=[timing.seconds for timing in picked],
                y=[models.index(timing.model) for timing in picked],
                orientation="h",
                name=STAGES[stage],
                marker={
                    "color": colour,
                    "line": {"width": 1, "color": theme.background},
                    "pattern": {
                        "fillmode": "overlay",
                        "shape": _PATTERNS[list(Stage).index(stage)],
                        "fgcolor": theme.background,
                        "fgopacity": 0.55,
                        "size": 6,
                    },
                },
                customdata=[
                    [names[timing.model], timing.number, timing.median, timing.longest.seconds]
                    for timing in picked
                ],
                hovertemplate=(
                    f"%{{customdata[0]}}: {STAGES[stage]}<br>%{{x:.3~s}} s in all, %{{customdata[1]}} times, "
                    "median %{customdata[2]:.3~s} s, longest %{customdata[3]:.3~s} s<extra></extra>"
                ),
            )
        )
    figure.update_xaxes(title="seconds on the wall", rangemode="tozero")
    figure.update_yaxes(
        tickvals=list(range(len(models))),
        ticktext=[html.escape(cut(model or _OF_NO_MODEL, _LONG_NAME)) for model in models],
        range=[len(models) - 0.5, -0.5],
        showgrid=False,
    )
    figure.update_layout(
        barmode="stack",
        height=110 + 24 * max(len(models), 2),
        margin={"l": 10, "r": 10, "t": 10, "b": 40},
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0, "traceorder": "normal"},
        showlegend=True,
    )
    return figure


def timings_table(timings: Sequence[StageTiming]) -> list[dict[str, Any]]:
    """List what each stage of each model took."""
    return [
        {
            "stage": STAGES[timing.stage],
            "model": timing.model,
            "number": timing.number,
            "seconds": timing.seconds,
            "median": timing.median,
            "longest": timing.longest.seconds,
            "longest in window": timing.longest.window,
            "longest test": timing.longest.test,
        }
        for timing in timings
    ]
