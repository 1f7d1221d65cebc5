"""One consistency test of all models: where it does not reject, and what was observed.

Every mark carries the slot of its result as ``customdata``.
"""

import html
import math
import textwrap
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import plotly.graph_objects as go

from dashboard._theme import Theme
from dashboard._words import is_drawn, number, short_number
from dashboard.figures.cell_text import below_mark, hover_of_window, wrapped
from dashboard.figures.cells import Column, WindowCell, WindowMatrix
from dashboard.figures.marks import MARKS, Status
from dashboard.figures.regions import Acceptance, counts_events
from dashboard.figures.rows import (
    Scale,
    columns_at_right,
    edge_of,
    lay_out_rows,
    least_width,
    mark_edges,
)
from forequake.evaluations.registry import TESTS
from forequake.quantities import Sha256
from forequake.results import Side, TailQuantiles

__all__ = ["Forest", "ForestRow", "forest_figure", "forest_of"]

#: From this ratio of the largest to the smallest number of events on, their axis is logarithmic.
_DECADES: Final = 30
_VERDICTS: Final = (Status.PASSED, Status.REJECTED)
#: Words beside a mark have at most so many letters in a line, and two lines; all of them are in its hover.
_REASON_LINE: Final = 28


@dataclass(frozen=True)
class ForestRow:
    """A model: its result, or why there is none.

    Attributes
    ----------
    accepted
        None where the result has no distribution.
    """

    cell: WindowCell
    accepted: Acceptance | None

    @property
    def observed(self) -> float | None:
        """The observed statistic of a result with a verdict."""
        if self.cell.row is None or self.cell.status not in _VERDICTS:
            return None
        return self.cell.row.statistic


@dataclass(frozen=True)
class Forest:
    """One test of all models.

    Attributes
    ----------
    test
        forequake's name of the test; None where no model has a result.
    """

    column: Column
    rows: tuple[ForestRow, ...]
    test: str | None

    @property
    def counts(self) -> bool:
        """Whether the statistic is a number of events."""
        return self.test is not None and counts_events(self.test)

    @property
    def least_width(self) -> int:
        """The width in pixels below which letters would run into each other."""
        return least_width([wrapped(row.cell.model) for row in self.rows], _numbers(self))


def forest_of(matrix: WindowMatrix, column: Column, regions: Mapping[Sha256, Acceptance | None]) -> Forest:
    """Take one test out of a matrix.

    Parameters
    ----------
    regions
        Where results do not reject, by their keys.
    """
    rows = tuple(
        ForestRow(cell, None if cell.row is None else regions.get(cell.row.key))
        for cell in matrix.cells
        if cell.column == column
    )
    test = next((row.cell.row.test for row in rows if row.cell.row is not None), None)
    return Forest(column, rows, test)


def forest_figure(forest: Forest, theme: Theme, *, normalised: bool = False) -> go.Figure:
    """Draw a bar from end to end of what a test does not reject, its median, and the observed statistic.

    Parameters
    ----------
    normalised
        Whether a statistic stands as its distance from the median in interquartile ranges. Numbers of events
        stand as they are.
    """
    normalised = normalised and not forest.counts
    places = [_Place.of(row, normalised=normalised) for row in forest.rows]
    scale = _scale(forest, places)
    figure = go.Figure()
    _bars(figure, places, scale, theme)
    _observed(figure, forest, places, scale, theme)
    heading = f"<b>{html.escape(forest.column.letters)}</b>"
    if forest.column.letters != forest.column.test:
        heading += f" · {html.escape(forest.column.test)}"
    lay_out_rows(
        figure,
        [wrapped(row.cell.model) for row in forest.rows],
        scale,
        theme,
        title=heading,
        across=_across(forest, normalised=normalised, logarithmic=scale.logarithmic),
    )
    columns_at_right(figure, _numbers(forest), theme)
    return figure


@dataclass(frozen=True)
class _Place:
    """A row in the units of the axis; None where it has no place on it."""

    row: ForestRow
    low: float | None = None
    high: float | None = None
    median: float | None = None
    observed: float | None = None
    bulk: tuple[float, ...] = ()
    words: str = ""

    @classmethod
    def of(cls, row: ForestRow, *, normalised: bool) -> "_Place":
        accepted, observed = row.accepted, row.observed
        if observed is None:
            return cls(row, words=_why(row.cell))
        if accepted is None:
            if normalised:
                return cls(row, words="no distribution: not normalised")
            return cls(row, observed=observed)
        values = [accepted.low, accepted.high, accepted.median, observed, *accepted.bulk]
        if normalised:
            shares = [accepted.normalised(value) for value in values]
            values = [share for share in shares if share is not None]
            if len(values) < len(shares):
                return cls(row, words="no spread: not normalised")
        low, high, median, observed, *bulk = values
        return cls(row, low, high, median, observed, tuple(bulk))


def _why(cell: WindowCell) -> str:
    """Say in few words why a row has no verdict."""
    label = MARKS[cell.status].label
    if cell.row is not None:
        return f"{label}: {cell.row.reason}" if cell.row.reason else label
    if cell.unit is not None and cell.unit.error is not None:
        return f"{label}: {cell.unit.error.kind}"
    return label


def _scale(forest: Forest, places: Sequence[_Place]) -> Scale:
    values = [
        value
        for place in places
        for value in (place.low, place.high, place.median, place.observed, *place.bulk)
        if value is not None and math.isfinite(value)
    ]
    logarithmic = forest.counts and bool(values) and max(values) > _DECADES * max(min(values), 1.0)
    return Scale.of(values, logarithmic=logarithmic, counts=forest.counts)


def _bars(figure: go.Figure, places: Sequence[_Place], scale: Scale, theme: Theme) -> None:
    x: list[float | None] = []
    y: list[float | None] = []
    medians: list[tuple[float, int]] = []
    ends: list[tuple[float, int]] = []
    for height, place in enumerate(places):
        if place.low is None or place.high is None or place.median is None:
            continue
        x += [scale.at(place.low), scale.at(place.high), None]
        y += [height, height, None]
        ends += [(end, height) for end in (place.low, place.high) if math.isinf(end)]
        medians.append((scale.at(place.median), height))
    if not medians:
        return
    figure.add_trace(
        go.Scatter(
            x=x,
            y=y,
            mode="lines",
            name="not rejected between",
            line={"width": 9, "color": theme.bar},
            hoverinfo="skip",
        )
    )
    mark_edges(figure, ends, scale, theme.bar, name="no limit on this side", size=15)
    figure.add_trace(
        go.Scatter(
            x=[median for median, _ in medians],
            y=[height for _, height in medians],
            mode="markers",
            name="median",
            marker={
                "symbol": "line-ns-open",
                "size": 15,
                "color": theme.curve,
                "line": {"width": 1.5, "color": theme.curve},
            },
            hoverinfo="skip",
        )
    )


def _observed(
    figure: go.Figure, forest: Forest, places: Sequence[_Place], scale: Scale, theme: Theme
) -> None:
    infinite = [
        (place.observed, height)
        for height, place in enumerate(places)
        if place.observed is not None and math.isinf(place.observed)
    ]
    mark_edges(figure, infinite, scale, theme.text, name="infinite", size=10)
    for status, mark in MARKS.items():
        found = [(height, place) for height, place in enumerate(places) if place.row.cell.status is status]
        if not found:
            continue
        colour = mark.colour(theme)
        figure.add_trace(
            go.Scatter(
                x=[
                    scale.beside(-math.inf if place.observed is None else place.observed)
                    for _, place in found
                ],
                y=[height for height, _ in found],
                customdata=[_slot(place.row.cell) for _, place in found],
                mode="markers+text",
                name=mark.label,
                marker={
                    "symbol": mark.symbol,
                    "size": 13 if mark.size > 5 else 5,
                    "color": colour,
                    "line": {
                        "width": 2 if "open" in mark.symbol else 1,
                        "color": _rim(mark.symbol, colour, theme),
                    },
                },
                text=[_beside(place) for _, place in found],
                textposition=[edge_of(place.observed) for _, place in found],
                textfont={"size": 11, "color": theme.text if status in _VERDICTS else theme.muted},
                hovertext=[_hover(place.row) for _, place in found],
                hovertemplate="%{hovertext}<extra></extra>",
                unselected={"marker": {"opacity": 1}},
                cliponaxis=False,
            )
        )


def _rim(symbol: str, colour: str, theme: Theme) -> str:
    """Give a filled mark a rim that parts it from its bar."""
    return colour if "open" in symbol else theme.background


def _slot(cell: WindowCell) -> list[str] | None:
    return None if cell.row is None else [cell.row.label.slot]


def _beside(place: _Place) -> str:
    """Write what stands beside a mark: why there is no verdict, or that the statistic is infinite."""
    if place.observed is None:
        lines = textwrap.wrap(place.words, _REASON_LINE, max_lines=2, placeholder=" …")
        return "<br>".join(f" {html.escape(line)}" for line in lines)
    return f" {number(place.observed)} " if math.isinf(place.observed) else ""


def _hover(row: ForestRow) -> str:
    lines = hover_of_window(row.cell)
    if row.accepted is None:
        return lines
    first, _, last = lines.rpartition("<br>")
    low, high = number(row.accepted.low, 6), number(row.accepted.high, 6)
    return f"{first}<br>not rejected from {low} to {high}, median {number(row.accepted.median, 6)}<br>{last}"


def _numbers(forest: Forest) -> dict[str, list[str]]:
    """Write the columns at the right: the quantiles, and the number of events."""
    rows = [row.cell.row for row in forest.rows]
    heads = {_head(row.quantiles, row.side) for row in rows if row is not None and row.quantiles is not None}
    return {
        heads.pop() if len(heads) == 1 else "quantile": [_quantiles(row.cell) for row in forest.rows],
        "events": ["–" if row is None else str(row.n_observed) for row in rows],
    }


def _head(quantiles: Any, side: Side) -> str:
    if isinstance(quantiles, TailQuantiles):
        return {Side.UPPER: "delta1", Side.LOWER: "delta2"}.get(side, "delta1 /\ndelta2")
    return {"lower": "q"}.get(quantiles.kind, "p")


def _quantiles(cell: WindowCell) -> str:
    row = cell.row
    if row is not None and isinstance(row.quantiles, TailQuantiles) and row.side is Side.TWO_SIDED:
        drawn = is_drawn(row.test, row.quantiles)
        both = (row.quantiles.delta1, row.quantiles.delta2)
        return " / ".join(short_number(value, drawn=drawn) for value in both)
    return below_mark(cell) or "–"


def _across(forest: Forest, *, normalised: bool, logarithmic: bool) -> str:
    if normalised:
        return "(statistic − median) / interquartile range"
    if forest.counts:
        return "number of events" + (", logarithmic" if logarithmic else "")
    if forest.test is None:
        return ""
    return TESTS[forest.test].measure if forest.test in TESTS else "statistic"
