"""All models against each other: one cell for each pair, in one window or counted over those of all pairs.

Every mark carries ``[model, test, other]`` of its pair as ``customdata``.
"""

import html
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import plotly.graph_objects as go

from dashboard._theme import Theme, pale
from dashboard._words import count_of, equation, number, quantile_texts
from dashboard.figures.cell_text import cut, wrapped
from dashboard.figures.marks import MARKS, Status
from forequake.results import Outcome
from forequake.windows import TimeWindow
from stores import ResultRow

__all__ = ["Pair", "PairMatrix", "pair_figure", "pair_matrix"]

_ROW: Final = 62
_HEAD: Final = 66
#: The least width of a column and of the models' names, in pixels.
_CELL: Final = 84
_NAMES: Final = 130


@dataclass(frozen=True)
class Pair:
    """A model against another one.

    Attributes
    ----------
    counts
        Number of windows by outcome.
    gain
        Information gain per event over all these windows, in nats, those without events included; None where
        it is not defined, or the windows share time.
    latest
        The result of the last of these windows.
    """

    model: str
    other: str
    counts: Mapping[Status, int] = field(default_factory=dict)
    gain: float | None = None
    latest: ResultRow | None = None


@dataclass(frozen=True)
class PairMatrix:
    """Pairs of models, row by row.

    Attributes
    ----------
    others
        Those that models are compared with, in the order of the columns.
    windows
        Those that are counted, in order of time.
    left_out
        Number of windows that are not counted, since only some pairs have a result there.
    common
        Whether only windows are counted in which all pairs have a result; else each pair has its own.
    """

    models: tuple[str, ...]
    others: tuple[str, ...]
    pairs: tuple[Pair, ...]
    windows: tuple[TimeWindow, ...]
    left_out: int
    common: bool = True

    @property
    def least_width(self) -> int:
        """The width in pixels below which cells would run into each other."""
        return _NAMES + _CELL * len(self.others)


def pair_matrix(
    models: Sequence[str], rows: Iterable[ResultRow], *, independent: bool = True, common: bool = True
) -> PairMatrix:
    """Put results that compare models with several others into a matrix.

    Parameters
    ----------
    models
        Those to show; results of others are left out, and models without any result, too.
    rows
        Of one test of all pairs, or of the same test against several references.
    independent
        Whether windows share no time, so that their gains may be summed.
    common
        Whether only windows count in which all pairs have a result that have one anywhere.
    """
    found: dict[TimeWindow, dict[tuple[str, str], ResultRow]] = {}
    for row in rows:
        pair = (row.label.model, str(row.label.reference))
        if set(pair) <= set(models):
            found.setdefault(row.label.window, {})[pair] = row
    there = {name for pairs in found.values() for pair in pairs for name in pair}
    shown = tuple(model for model in models if model in there)
    due = {pair for pairs in found.values() for pair in pairs}
    others = tuple(model for model in shown if any(other == model for _, other in due))
    counted = [window for window, pairs in found.items() if not common or len(pairs) == len(due)]
    counted.sort(key=lambda window: (window.start, window.end))
    windows = [found[window] for window in counted]
    pairs = tuple(
        _pair(one, other, windows, independent=independent)
        for one in shown
        for other in others
        if one != other
    )
    return PairMatrix(shown, others, pairs, tuple(counted), len(found) - len(counted), common)


def _pair(
    one: str, other: str, windows: Sequence[Mapping[tuple[str, str], ResultRow]], *, independent: bool
) -> Pair:
    windows = [window for window in windows if (one, other) in window]
    rows = [window[one, other] for window in windows]
    counts = {
        Status(outcome.value): sum(row.outcome is outcome for row in rows)
        for outcome in Outcome
        if any(row.outcome is outcome for row in rows)
    }
    gain = None
    if independent or len(rows) == 1:
        gain = _gain([(row, _expected(other, window)) for row, window in zip(rows, windows, strict=True)])
    return Pair(one, other, counts, gain, rows[-1] if rows else None)


def _expected(model: str, window: Mapping[tuple[str, str], ResultRow]) -> float:
    """Give a model's expected number of events, from any of its results; NaN where it has none."""
    return next((row.n_forecast for (one, _), row in window.items() if one == model), math.nan)


def _gain(rows: Sequence[tuple[ResultRow, float]]) -> float | None:
    """Give the information gain per event over windows; a window without events adds -(N1 - N2).

    Parameters
    ----------
    rows
        Results, and the expected numbers N2 of the other model.
    """
    events = sum(row.n_observed for row, _ in rows)
    gains = [
        row.information_gain * row.n_observed
        if row.n_observed and row.information_gain is not None
        else math.nan
        if row.n_observed
        else expected - row.n_forecast
        for row, expected in rows
    ]
    total = sum(gains)  # infinities of both signs give NaN
    return total / events if events and not math.isnan(total) else None


def pair_figure(matrix: PairMatrix, theme: Theme) -> go.Figure:
    """Draw which model is better than which: the outcome as colour and triangle, the information gain below.

    Over several windows the triangles count windows, and the colour is the fuller, the larger the share of
    windows in which a model is better, or worse; undefined ones count among all.
    """
    figure = go.Figure()
    shared: dict[str, Any] = {
        "x": [matrix.others.index(pair.other) for pair in matrix.pairs],
        "y": [matrix.models.index(pair.model) for pair in matrix.pairs],
        "cliponaxis": False,
    }
    figure.add_trace(
        go.Scatter(
            **shared,
            name="pairs",
            mode="markers+text",
            customdata=[
                [pair.model, pair.latest.label.test, pair.other] if pair.latest else None
                for pair in matrix.pairs
            ],
            marker={
                "symbol": "square",
                "size": 54,
                "color": [_fill(pair, theme) for pair in matrix.pairs],
                "line": {"width": 1, "color": theme.line},
            },
            text=[_inside(pair, matrix) for pair in matrix.pairs],
            textfont={"size": 12, "color": theme.text},
            hovertext=[_hover(pair, many=len(matrix.windows) > 1) for pair in matrix.pairs],
            hovertemplate="%{hovertext}<extra></extra>",
            unselected={"marker": {"opacity": 1}},
        )
    )
    _lay_out(figure, matrix, theme)
    return figure


def _fill(pair: Pair, theme: Theme) -> str:
    better, worse = (pair.counts.get(status, 0) for status in (Status.BETTER, Status.WORSE))
    if better == worse:
        return "rgba(0,0,0,0)"
    share = abs(better - worse) / sum(pair.counts.values())
    return pale(theme.agree if better > worse else theme.differ, 0.12 + 0.48 * share)


def _inside(pair: Pair, matrix: PairMatrix) -> str:
    gain = "" if pair.gain is None else _signed(pair.gain)
    better, worse, undefined = (
        pair.counts.get(status, 0) for status in (Status.BETTER, Status.WORSE, Status.UNDEFINED)
    )
    if len(matrix.windows) > 1:
        silent = f"{undefined} undef." if undefined else ""
        own = "" if matrix.common else f"of {sum(pair.counts.values())}"
        lines = [f"▲{better} ▼{worse}", gain, silent or own]
    else:
        lines = ["▲" * better + "▼" * worse + "undef." * undefined, gain]
    return "<br>".join(line for line in lines if line) if pair.counts else "·"


def _signed(gain: float) -> str:
    return f"+{number(gain, 2)}" if gain > 0 else number(gain, 2)


def _hover(pair: Pair, *, many: bool) -> str:
    lines = [f"<b>{html.escape(pair.model)}</b> against <b>{html.escape(pair.other)}</b>"]
    for status, count in pair.counts.items():
        label = MARKS[status].label.replace("the reference", html.escape(pair.other))
        lines.append(f"{label}: {count_of(count, 'window')}" if many else label)
    if pair.gain is not None:
        lines.append(f"information gain {_signed(pair.gain)} nats per event")
    if not many and pair.latest is not None:
        texts = quantile_texts(pair.latest.quantiles)
        lines += [html.escape(equation(name, text)) for name, text in texts.items()]
        if pair.latest.reason:
            lines.append(html.escape(cut(pair.latest.reason, 120)))
    lines.append(f"<i>Click for {'the latest window' if many else 'the result'}</i>")
    return "<br>".join(lines)


def _lay_out(figure: go.Figure, matrix: PairMatrix, theme: Theme) -> None:
    count, width = len(matrix.models), len(matrix.others)
    names = [wrapped(model) for model in matrix.models]
    axis: dict[str, Any] = {
        "showgrid": False,
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "fixedrange": True,
        "tickfont": {"size": 13, "color": theme.text},
    }
    figure.update_layout(
        height=_HEAD + _ROW * count,
        margin={"l": 8, "r": 8, "t": _HEAD, "b": 4},
        dragmode=False,
        clickmode="event+select",
        hoverlabel={"align": "left"},
        showlegend=False,
        annotations=[
            {
                "x": place,
                "y": matrix.models.index(model),
                "text": "–",
                "showarrow": False,
                "font": {"color": theme.silent, "size": 13},
            }
            for place, model in enumerate(matrix.others)
        ],
    )
    across = [f"<i>against</i><br>{wrapped(model, 11)}" for model in matrix.others]
    figure.update_xaxes(
        **axis,
        side="top",
        range=[-0.5, width - 0.5],
        tickvals=list(range(width)),
        ticktext=across,
        tickangle=0,
    )
    figure.update_yaxes(
        **axis, range=[count - 0.5, -0.5], tickvals=list(range(count)), ticktext=names, automargin=True
    )
