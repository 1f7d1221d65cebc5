"""Models against one reference: the information gain with its interval, or window by window.

Every mark carries the slot of its result as ``customdata``.
"""

import html
import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

import plotly.graph_objects as go

from dashboard._sentences import gain_unit
from dashboard._theme import Theme
from dashboard._words import equation, events, number, quantile_texts, short_number, window_name
from dashboard.figures.cell_text import cut, hover_of_window, wrapped
from dashboard.figures.cells import Span, WindowCell
from dashboard.figures.marks import MARKS, Status
from dashboard.figures.rows import (
    Scale,
    columns_at_right,
    edge_of,
    lay_out_rows,
    least_width,
    mark_edges,
)
from forequake.results import Outcome, PValue, WilcoxonQuantile
from stores import ResultRow

__all__ = [
    "POINTING",
    "Gain",
    "Gains",
    "WindowGains",
    "gains_figure",
    "gains_of",
    "statuses_of",
    "window_gains_figure",
]

#: Of comparisons with one reference: the mark points to where the gain lies.
POINTING: Final = {Status.BETTER: "triangle-right", Status.WORSE: "triangle-left"}
_SYMBOLS: Final = POINTING | {Status.NO_DIFFERENCE: "diamond"}
#: Where no second test confirms it, what is not significant is open.
_OPEN: Final = {Status.NO_DIFFERENCE: "-open"}
_WORD_LINE: Final = 28
#: Of hundreds of windows those with a difference stand out.
_COLOURED: Final = (Status.BETTER, Status.WORSE)
_FAINT: Final = 0.6


@dataclass(frozen=True)
class Gain:
    """A model's comparison with the reference.

    Attributes
    ----------
    cell
        Of the test that gives the interval, or of the only one.
    ranks
        The result of the W-test of the same two forecasts.
    """

    cell: WindowCell
    ranks: ResultRow | None = None

    @property
    def value(self) -> float | None:
        """The information gain, in nats."""
        return None if self.cell.row is None else self.cell.row.information_gain

    @property
    def confirmed(self) -> bool:
        """Whether the W-test finds a difference, too."""
        p = _p(self.ranks)
        return p is not None and self.ranks is not None and p < self.ranks.alpha


@dataclass(frozen=True)
class Gains:
    """All models against one reference, the best one first, those without a number last."""

    reference: str
    rows: tuple[Gain, ...]

    @property
    def least_width(self) -> int:
        """The width in pixels below which letters would run into each other."""
        return least_width([wrapped(gain.cell.model) for gain in self.rows], _numbers(self))


@dataclass(frozen=True)
class WindowGains:
    """All models against one reference, window by window.

    Attributes
    ----------
    rows
        By model, in order of time.
    counts
        Number of windows by model and status: of all windows, also of those that are not among the rows.
    """

    reference: str
    rows: Mapping[str, Sequence[ResultRow]]
    counts: Mapping[str, Mapping[Status, int]]

    @property
    def least_width(self) -> int:
        """The width in pixels below which letters would run into each other."""
        return least_width([wrapped(model) for model in self.rows], _counted(self))


def gains_of(reference: str, cells: Iterable[WindowCell], ranks: Iterable[ResultRow]) -> Gains:
    """Put a comparison of each model beside its W-test, and sort by the information gain.

    Parameters
    ----------
    cells
        One for each model; that of the reference itself is left out.
    ranks
        Results of the W-test against the same reference.
    """
    by_model = {row.label.model: row for row in ranks}
    rows = [Gain(cell, by_model.get(cell.model)) for cell in cells if cell.status is not Status.ITSELF]
    rows.sort(key=lambda gain: (gain.value is None, -(gain.value or 0.0)))
    return Gains(reference, tuple(rows))


def statuses_of(gains: Gains | WindowGains) -> set[Status]:
    """Give what the marks of a figure mean."""
    if isinstance(gains, Gains):
        return {gain.cell.status for gain in gains.rows}
    drawn = (row for rows in gains.rows.values() for row in rows if row.information_gain is not None)
    return {Status(row.outcome.value) for row in drawn}


def gains_figure(gains: Gains, theme: Theme) -> go.Figure:
    """Draw the information gain of each model over the reference, and the interval where there is one.

    Triangles point right where a model is better, left where it is worse; filled ones are confirmed by the
    W-test.
    """
    values = [value for gain in gains.rows for value in _finite(gain)]
    scale = Scale.of([*values, 0.0] if values else [])
    figure = go.Figure()
    _intervals(figure, gains, scale, theme)
    found = [(height, gain) for height, gain in enumerate(gains.rows)]
    infinite = [(gain.value, height) for height, gain in found if math.isinf(gain.value or 0.0)]
    mark_edges(figure, infinite, scale, theme.text, name="infinite", size=10)
    for status, mark in MARKS.items():
        here = [(height, gain) for height, gain in found if gain.cell.status is status]
        if not here:
            continue
        colour = mark.colour(theme)
        verdict = status in _SYMBOLS
        figure.add_trace(
            go.Scatter(
                x=[scale.beside(-math.inf if gain.value is None else gain.value) for _, gain in here],
                y=[height for height, _ in here],
                customdata=[
                    None if gain.cell.row is None else [gain.cell.row.label.slot] for _, gain in here
                ],
                mode="markers+text",
                name=mark.label,
                marker={
                    "symbol": _SYMBOLS.get(status, mark.symbol),
                    "size": 15 if verdict else 13 if mark.size > 5 else 5,
                    # An open mark hides the line behind it.
                    "color": [
                        colour if gain.confirmed or not verdict else theme.background for _, gain in here
                    ],
                    "line": {"width": 2, "color": colour},
                },
                text=[_beside(gain) for _, gain in here],
                textposition=[edge_of(gain.value) for _, gain in here],
                textfont={"size": 11, "color": theme.muted},
                hovertext=[_hover(gain) for _, gain in here],
                hovertemplate="%{hovertext}<extra></extra>",
                unselected={"marker": {"opacity": 1}},
                cliponaxis=False,
            )
        )
    test = next((gain.cell.row.test for gain in gains.rows if gain.cell.row is not None), "")
    names = [wrapped(gain.cell.model) for gain in gains.rows]
    column = gains.rows[0].cell.column if gains.rows else None
    _lay_out(figure, names, scale, theme, "" if column is None else column.test, gains.reference, test)
    columns_at_right(figure, _numbers(gains), theme)
    return figure


def window_gains_figure(gains: WindowGains, theme: Theme) -> go.Figure:
    """Draw the information gain of each window, a small mark by its outcome; none is averaged."""
    drawn = [
        (height + _offset(place), row)
        for height, rows in enumerate(gains.rows.values())
        for place, row in enumerate(rows)
        if row.information_gain is not None
    ]
    values = [row.information_gain for _, row in drawn if row.information_gain is not None]
    finite = [value for value in values if math.isfinite(value)]
    scale = Scale.of([*finite, 0.0] if finite else [])
    figure = go.Figure()
    for status in sorted(MARKS, key=lambda one: one in _COLOURED):  # over those without a difference
        here = [(height, row) for height, row in drawn if row.outcome.value == status.value]
        if not here:
            continue
        mark, coloured = MARKS[status], status in _COLOURED
        colour = mark.colour(theme)
        figure.add_trace(
            go.Scatter(
                x=[scale.at(row.information_gain or 0.0) for _, row in here],
                y=[height for height, _ in here],
                customdata=[[row.label.slot] for _, row in here],
                mode="markers",
                name=mark.label,
                marker={
                    "symbol": _SYMBOLS.get(status, mark.symbol) + _OPEN.get(status, ""),
                    "size": 9 if coloured else 6,
                    "color": colour,
                    "opacity": 1 if coloured else _FAINT,
                    "line": {"width": 1, "color": theme.background if coloured else colour},
                },
                hovertext=[_window_hover(row) for _, row in here],
                hovertemplate="%{hovertext}<extra></extra>",
                unselected={"marker": {"opacity": 1 if coloured else _FAINT}},
                cliponaxis=False,
            )
        )
    first = next((row for rows in gains.rows.values() for row in rows), None)
    names = [wrapped(model) for model in gains.rows]
    title = "" if first is None else first.label.test
    _lay_out(figure, names, scale, theme, title, gains.reference, "" if first is None else first.test)
    columns_at_right(figure, _counted(gains), theme)
    return figure


def _lay_out(
    figure: go.Figure,
    names: Sequence[str],
    scale: Scale,
    theme: Theme,
    test: str,
    reference: str,
    registered: str,
) -> None:
    title = f"<b>{html.escape(test)}</b> against {html.escape(cut(reference, 24))}"
    across = f"information gain per {gain_unit(registered)} (nats)"
    lay_out_rows(figure, names, scale, theme, title=title, across=across)
    if scale.span[0] <= 0 <= scale.span[1] and scale.ticks is None:
        figure.add_vline(x=0, line={"color": theme.muted, "width": 1.5}, layer="below")


def _offset(place: int) -> float:
    """Put neighbouring windows at different heights of their row, so that marks hide each other less."""
    return (-0.24, 0.0, 0.24, -0.12, 0.12)[place % 5]


def _finite(gain: Gain) -> list[float]:
    ends = () if gain.cell.row is None else gain.cell.row.interval or ()
    return [end for end in (gain.value, *ends) if end is not None and math.isfinite(end)]


def _intervals(figure: go.Figure, gains: Gains, scale: Scale, theme: Theme) -> None:
    x: list[float | None] = []
    y: list[float | None] = []
    for height, gain in enumerate(gains.rows):
        row = gain.cell.row
        if row is not None and row.interval is not None:
            x += [scale.at(row.interval[0]), scale.at(row.interval[1]), None]
            y += [height, height, None]
    if x:
        figure.add_trace(
            go.Scatter(
                x=x,
                y=y,
                mode="lines+markers",
                name="interval",
                line={"width": 2.5, "color": theme.curve},
                marker={"symbol": "line-ns-open", "size": 9, "line": {"width": 2, "color": theme.curve}},
                hoverinfo="skip",
            )
        )


def _beside(gain: Gain) -> str:
    """Write beside a mark what it lacks: a verdict, an interval, a finite number."""
    words = _words(gain)
    infinite = f" {number(gain.value)} " if gain.value is not None and math.isinf(gain.value) else ""
    if not words:
        return infinite
    lines = textwrap.wrap(infinite + words, _WORD_LINE, max_lines=2, placeholder=" …")
    return "<br>".join(f" {html.escape(line)}" for line in lines)


def _words(gain: Gain) -> str:
    cell, row = gain.cell, gain.cell.row
    if cell.status in _SYMBOLS:
        return ""
    label = MARKS[cell.status].label
    if row is None:
        error = None if cell.unit is None else cell.unit.error
        return label if error is None else f"{label}: {error.kind}"
    if row.outcome is Outcome.UNDEFINED and 0 < row.n_observed < 2:
        return "too few events: no interval"
    return f"{label}: {row.reason}" if row.reason else label


def _p(row: ResultRow | None) -> float | None:
    match None if row is None else row.quantiles:
        case WilcoxonQuantile(p=p) | PValue(p=p):
            return p
        case _:
            return None


def _hover(gain: Gain) -> str:
    lines = hover_of_window(gain.cell)
    first, _, last = lines.rpartition("<br>")
    row, ranks = gain.cell.row, gain.ranks
    if row is not None and row.interval is not None:
        low, high = (number(end) for end in row.interval)
        first += f"<br>{100 * (1 - row.alpha):g} % interval {low} to {high}"
    if ranks is not None:
        texts = quantile_texts(ranks.quantiles)
        said = ", ".join(equation(name, text) for name, text in texts.items()) or f"undefined: {ranks.reason}"
        first += f"<br>{html.escape(cut(f'{ranks.label.test}: {said}', 120))}"
    return f"{first}<br>{last}" if first else last


def _window_hover(row: ResultRow) -> str:
    label = MARKS[Status(row.outcome.value)].label
    lines = [
        f"<b>{html.escape(row.label.model)}</b> against {html.escape(str(row.label.reference))}",
        window_name(row.label.window),
        label if row.reason is None else html.escape(cut(f"{label}: {row.reason}", 120)),
        f"information gain {number(row.information_gain)} nats per {gain_unit(row.test)}",
    ]
    if row.interval is not None:
        lines.append(
            f"{100 * (1 - row.alpha):g} % interval {' to '.join(number(end) for end in row.interval)}"
        )
    return "<br>".join([*lines, events(row.n_observed), "<i>Click for the distribution</i>"])


def _numbers(gains: Gains) -> dict[str, list[str]]:
    """Write the columns at the right: the gain, the p of W, the number of events, and of windows."""
    rows = [gain.cell.row for gain in gains.rows]
    columns = {"gain": [_signed(gain.value) for gain in gains.rows]}
    if any(gain.ranks is not None for gain in gains.rows):
        p_values = [_p(gain.ranks) for gain in gains.rows]
        columns["p of W"] = ["–" if p is None else short_number(p) for p in p_values]
    columns["events"] = ["–" if row is None else str(row.n_observed) for row in rows]
    spans: list[Span | None] = [gain.cell.span for gain in gains.rows]
    if any(span is not None for span in spans):
        columns["windows"] = [
            "–"
            if span is None
            else f"{span.n_windows}" + (f", {len(span.missing)} missing" if span.missing else "")
            for span in spans
        ]
    return columns


def _signed(gain: float | None) -> str:
    return f"+{number(gain, 3)}" if gain is not None and gain > 0 else number(gain, 3)


def _counted(gains: WindowGains) -> dict[str, list[str]]:
    """Write the columns at the right: how many windows ended how."""
    heads = {"▶": Status.BETTER, "◀": Status.WORSE, "◇": Status.NO_DIFFERENCE, "undef.": Status.UNDEFINED}
    counts = [gains.counts.get(model, {}) for model in gains.rows]
    columns = {head: [str(found.get(status, 0)) for found in counts] for head, status in heads.items()}
    return columns | {"windows": [str(sum(found.values())) for found in counts]}
