"""How the numbers that decide have moved between two states of an experiment."""

import html
from collections.abc import Sequence
from typing import Final

import plotly.graph_objects as go

from dashboard._revisions import Axis, Pair, Shift, shown_value
from dashboard._theme import Theme, pale
from dashboard._words import OUTCOMES, events, number, window_name
from dashboard.figures.cell_text import cut
from dashboard.figures.marks import MARKS, Status
from forequake.results import Side, TailQuantiles
from stores import ResultRow

__all__ = ["MOST_DUMBBELLS", "dumbbell_figure", "farthest"]

#: So many places have a line of their own.
MOST_DUMBBELLS: Final = 60
_ROW: Final = 24
_LONG_NAME: Final = 34
_TITLES: Final = {
    "probability": "quantile or p",
    "gain": "information gain per earthquake",
}


def farthest(pairs: Sequence[Pair], axis: Axis) -> list[Pair]:
    """Give of each test and model the pair that moved farthest; other outcomes first, then by distance.

    Pairs without two finite numbers have no distance and are left out.
    """
    found: dict[tuple[str, str, str | None], tuple[bool, float, Pair]] = {}
    for pair in pairs:
        size = pair.size
        if pair.axis != axis or size is None:
            continue
        place, rank = (pair.test, pair.model, pair.reference), (pair.shift is Shift.OUTCOME, size)
        if place not in found or rank > found[place][:2]:
            found[place] = (*rank, pair)
    ordered = sorted(found.values(), key=lambda item: (not item[0], -item[1]))
    return [pair for *_, pair in ordered]


def dumbbell_figure(pairs: Sequence[Pair], axis: Axis, theme: Theme) -> go.Figure:
    """Draw a line from the former number to the latter one, for each of the first 60 pairs.

    The former end is a small open circle, the latter the mark of its outcome. A shade on the line of a test
    is where it rejects.

    Parameters
    ----------
    pairs
        As `farthest` gives them.
    """
    drawn = [pair for pair in pairs if pair.size is not None][:MOST_DUMBBELLS]
    several = len({pair.window for pair in drawn}) > 1
    figure = go.Figure()
    ends = [
        (shown_value(pair.before), shown_value(pair.after)) for pair in drawn if pair.before and pair.after
    ]
    if axis == "probability":
        _draw_rejection(figure, drawn, theme)
    figure.add_trace(
        go.Scatter(
            x=[x for before, after in ends for x in (before, after, None)],
            y=[y for place in range(len(drawn)) for y in (place, place, None)],
            mode="lines",
            line={"width": 3, "color": theme.bar},
            hoverinfo="skip",
            showlegend=False,
        )
    )
    figure.add_trace(
        go.Scatter(
            x=[before for before, _ in ends],
            y=list(range(len(drawn))),
            mode="markers",
            name="before",
            marker={"symbol": "circle-open", "size": 8, "color": theme.muted, "line": {"width": 2}},
            hovertext=[_hover(pair, pair.before, "before") for pair in drawn],
            hovertemplate="%{hovertext}<extra></extra>",
        )
    )
    _draw_outcomes(figure, drawn, theme)
    figure.update_xaxes(title=_TITLES[axis], zeroline=axis == "gain", zerolinecolor=theme.muted)
    if axis == "probability":
        figure.update_xaxes(range=[-0.03, 1.03])
    figure.update_yaxes(
        tickvals=list(range(len(drawn))),
        ticktext=[_name(pair, several=several) for pair in drawn],
        range=[len(drawn) - 0.5, -0.5],
        showgrid=False,
        zeroline=False,
    )
    figure.update_layout(
        height=120 + _ROW * max(len(drawn), 2),
        margin={"l": 10, "r": 10, "t": 10, "b": 40},
        legend={"orientation": "h", "y": 1, "yanchor": "bottom", "x": 0},
    )
    return figure


def _draw_outcomes(figure: go.Figure, drawn: Sequence[Pair], theme: Theme) -> None:
    """Draw the mark of each latter outcome where its number is."""
    for status, mark in MARKS.items():
        places = [
            place
            for place, pair in enumerate(drawn)
            if pair.after is not None and pair.after.outcome.value == status.value
        ]
        rows = [row for place in places if (row := drawn[place].after) is not None]
        if places:
            figure.add_trace(
                go.Scatter(
                    x=[shown_value(row) for row in rows],
                    y=places,
                    mode="markers",
                    name=f"after: {mark.label}",
                    marker={
                        "symbol": mark.symbol,
                        "size": 11,
                        "color": mark.colour(theme),
                        "line": {"width": 2 if "open" in mark.symbol else 0, "color": mark.colour(theme)},
                    },
                    hovertext=[_hover(drawn[place], drawn[place].after, "after") for place in places],
                    hovertemplate="%{hovertext}<extra></extra>",
                )
            )


def _draw_rejection(figure: go.Figure, drawn: Sequence[Pair], theme: Theme) -> None:
    """Shade on each line where the test rejects: at one end of the axis, or at both."""
    x: list[float | None] = []
    y: list[int | None] = []
    for place, pair in enumerate(drawn):
        row = pair.either
        both = row.side is Side.TWO_SIDED and isinstance(row.quantiles, TailQuantiles)
        level = row.alpha / 2 if both else row.alpha
        spans = [] if row.side is Side.NONE else [(0.0, level)]
        if both:
            spans.append((1 - level, 1.0))
        for start, end in spans:
            x += [start, end, None]
            y += [place, place, None]
    figure.add_trace(
        go.Scatter(
            x=x,
            y=y,
            mode="lines",
            line={"width": 14, "color": pale(theme.differ, 0.3)},
            name="rejected here",
            hoverinfo="skip",
        )
    )


def _name(pair: Pair, *, several: bool) -> str:
    name = html.escape(cut(f"{pair.test} · {pair.model}", _LONG_NAME))
    return f"{name}<br><sup>{pair.window.start:%Y-%m-%d}</sup>" if several else name


def _hover(pair: Pair, row: ResultRow | None, when: str) -> str:
    against = "" if pair.reference is None else f" against {html.escape(pair.reference)}"
    said = "no result"
    if row is not None:
        mark = MARKS[Status(row.outcome.value)].label
        said = f"{OUTCOMES.get(row.outcome, mark)}, {number(shown_value(row))}, {events(row.n_observed)}"
    return (
        f"<b>{html.escape(pair.test)} of {html.escape(pair.model)}</b>{against}<br>"
        f"{window_name(pair.window)}<br>{when}: {said}"
    )
