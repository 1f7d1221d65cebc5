"""One test of one model over the windows: the quantile that decides, or the score, window by window."""

import html
import math
from collections.abc import Mapping, Sequence
from itertools import accumulate
from typing import Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard._theme import Theme
from dashboard._words import events, number, window_name
from dashboard.figures.marks import MARKS, Status
from forequake.evaluations.registry import TESTS
from forequake.results import LowerQuantile, PValue, Side, TailQuantiles
from forequake.windows import TimeWindow, overlap
from stores import ResultColumns, ResultRow

__all__ = ["deciding_value", "deciding_values", "series_figure"]

#: Sizes of marks in CSS pixels, by up to how many windows: of very many, large ones would be an area.
_SIZES: Final = ((120, 9), (400, 6), (math.inf, 4))
#: Where an undefined result, or one that is infinite, stands on the axis of quantiles.
_BELOW: Final = -0.06


def deciding_value(row: ResultRow) -> float | None:
    """Give where a result stands between its tails, the information gain of a comparison, or the score.

    Returns
    -------
    float or None
        The probability of the nearer tail, from its own end of the axis: P(X <= observed) up to 1/2, or
        1 - P(X >= observed) from 1/2 on, so that a count is rejected exactly where this is below alpha/2
        or above 1 - alpha/2. For one-sided tests the quantile that decides. None where there is none.
    """
    if row.kind == "comparison":
        return row.information_gain
    if row.kind == "score":
        return row.statistic
    match row.quantiles:
        case TailQuantiles(delta1=upper, delta2=lower) if row.side is Side.TWO_SIDED:
            return max(1 - upper, 0.5) if upper < lower else min(lower, 0.5)
        case TailQuantiles(delta1=upper) if row.side is Side.UPPER:
            return upper
        case TailQuantiles(delta2=lower):
            return lower
        case LowerQuantile(q=value) | PValue(p=value):
            return value
        case _:
            return None


def deciding_values(columns: ResultColumns) -> NDArray[np.float64]:
    """Give what `deciding_value` gives for each result; NaN where there is none. Shape (rows,)."""
    kinds = {kind: columns.quantile_kind == code for code, kind in enumerate(columns.quantile_kinds)}
    nowhere = np.zeros(len(columns), dtype=np.bool_)
    upper, lower = columns.number("delta1"), columns.number("delta2")
    nearer = np.where(upper < lower, np.maximum(1 - upper, 0.5), np.minimum(lower, 0.5))
    values = np.full(len(columns), np.nan)
    for code, form in enumerate(columns.forms):
        of_form = columns.form == code
        if form.kind in ("comparison", "score"):
            values[of_form] = (columns.information_gain if form.kind == "comparison" else columns.statistic)[
                of_form
            ]
            continue
        tails = {Side.TWO_SIDED: nearer, Side.UPPER: upper}.get(form.side, lower)
        for kind, given in (
            ("tails", tails),
            ("lower", columns.number("q")),
            ("p_value", columns.number("p")),
        ):
            here = of_form & kinds.get(kind, nowhere)
            values[here] = given[here]
    return values


def series_figure(
    rows: Sequence[ResultRow],
    chosen: TimeWindow | None,
    theme: Theme,
    marks: Mapping[str, str] | None = None,
) -> go.Figure:
    """Draw the results of one test of one model over time; one mark per window, by its outcome.

    Marks carry the id of their window as ``customdata``.

    Parameters
    ----------
    rows
        In order of time.
    chosen
        The window that the page shows, ringed.
    marks
        What is to be known of windows, by their ids; those are shaded, too.
    """
    marks = marks or {}
    figure = go.Figure()
    windows = [row.label.window for row in rows]
    finite = _heights(rows)
    size = next(pixels for most, pixels in _SIZES if len(rows) <= most)
    sums = _running_sums(rows)
    for status, mark in MARKS.items():
        picked = [place for place, row in enumerate(rows) if row.outcome.value == status.value]
        if not picked:
            continue
        colour = mark.colour(theme)
        figure.add_trace(
            go.Scatter(
                x=[windows[place].start for place in picked],
                y=[finite[place] for place in picked],
                customdata=[[windows[place].id] for place in picked],
                mode="markers",
                name=mark.label,
                marker={
                    "symbol": mark.symbol,
                    "size": size,
                    "color": colour,
                    "line": {"width": 1.5 if "open" in mark.symbol else 0, "color": colour},
                },
                hovertext=[
                    _hover(rows[place], sums[place], marks.get(windows[place].id)) for place in picked
                ],
                hovertemplate="%{hovertext}<extra></extra>",
                unselected={"marker": {"opacity": 1}},
            )
        )
    if chosen is not None and chosen in windows:
        _ring(figure, chosen, finite[windows.index(chosen)], theme)
    _shade_marked(figure, windows, marks, theme)
    _lay_out(figure, rows, theme)
    return figure


def _heights(rows: Sequence[ResultRow]) -> list[float]:
    """Give where each mark stands; what is undefined or infinite stands where the finite ones end."""
    values = [deciding_value(row) for row in rows]
    finite = [value for value in values if value is not None and math.isfinite(value)]
    low = high = _BELOW
    if rows and rows[0].kind == "comparison":
        low = high = 0.0
    elif rows and rows[0].kind == "score":
        least, most = min(finite, default=0.0), max(finite, default=0.0)
        margin = 0.1 * (most - least) or 1.0
        low, high = least - margin, most + margin
    return [
        value if value is not None and math.isfinite(value) else high if value == math.inf else low
        for value in values
    ]


def _running_sums(rows: Sequence[ResultRow]) -> list[float | None]:
    """Give the sum of the scores up to each window; None where they do not add up."""
    summed = bool(rows) and rows[0].test in TESTS and TESTS[rows[0].test].adds_up
    if not summed or overlap(row.label.window for row in rows):
        return [None] * len(rows)
    sums = accumulate(0.0 if row.statistic is None else row.statistic for row in rows)
    return [None if math.isnan(total) else total for total in sums]


def _ring(figure: go.Figure, window: TimeWindow, height: float, theme: Theme) -> None:
    """Ring the mark of the window that the page shows."""
    figure.add_trace(
        go.Scatter(
            x=[window.start],
            y=[height],
            mode="markers",
            marker={
                "symbol": "circle-open",
                "size": 20,
                "color": theme.text,
                "line": {"width": 2, "color": theme.text},
            },
            name="this window",
            hoverinfo="skip",
        )
    )


def _shade_marked(
    figure: go.Figure, windows: Sequence[TimeWindow], marks: Mapping[str, str], theme: Theme
) -> None:
    """Shade the windows with a mark, those that follow one another as one."""
    for first, last in _stretches([window.id in marks for window in windows]):
        figure.add_vrect(
            x0=windows[first].start,
            x1=windows[last].end,
            fillcolor=theme.silent,
            opacity=0.2,
            line_width=0,
            layer="below",
        )


def _stretches(marked: Sequence[bool]) -> list[tuple[int, int]]:
    """Give the first and the last place of each stretch of marked ones."""
    places = [place for place, found in enumerate(marked) if found]
    firsts = [place for place in places if place - 1 not in places]
    lasts = [place for place in places if place + 1 not in places]
    return list(zip(firsts, lasts, strict=True))


def _hover(row: ResultRow, total: float | None, mark: str | None) -> str:
    value = deciding_value(row)
    what = {"comparison": "information gain", "score": "score"}.get(row.kind, "quantile")
    lines = [
        f"<b>{window_name(row.label.window)}</b>",
        MARKS[Status(row.outcome.value)].label,
        row.reason or f"{what} = {number(value, 3)}",
        events(row.n_observed),
    ]
    if total is not None:
        lines.append(f"sum up to here = {number(total, 5)}")
    if mark is not None:
        lines.append(html.escape(mark))
    return "<br>".join(lines)


def _lay_out(figure: go.Figure, rows: Sequence[ResultRow], theme: Theme) -> None:
    figure.update_layout(
        height=260,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        dragmode=False,
        clickmode="event+select",
        hovermode="closest",
        showlegend=True,
        legend={
            "orientation": "h",
            "x": 0,
            "xanchor": "left",
            "y": 1,
            "yanchor": "bottom",  # above: below, it would lie on the title of narrow figures
            "itemclick": False,
            "itemdoubleclick": False,
        },
    )
    figure.update_xaxes(showgrid=False, fixedrange=True, automargin=True, title={"text": "start of window"})
    unit = {"comparison": "nats per event", "score": _unit(rows)}.get(rows[0].kind if rows else "")
    if unit is not None:
        figure.update_yaxes(title={"text": unit}, zeroline=True, fixedrange=True, automargin=True)
        return
    figure.update_yaxes(
        title={"text": _quantile_title(rows)},
        range=[-0.12, 1.06],
        tickvals=[0, 0.25, 0.5, 0.75, 1],
        zeroline=False,
        fixedrange=True,
        automargin=True,
    )
    if rows:
        for low, high in _tails(rows[0]):
            figure.add_hrect(
                y0=low, y1=high, fillcolor=theme.differ, opacity=0.12, line_width=0, layer="below"
            )


def _quantile_title(rows: Sequence[ResultRow]) -> str:
    """Name the probability that decides, as `deciding_value` gives it."""
    quantiles = next((row.quantiles for row in rows if row.quantiles is not None), None)
    match quantiles:
        case TailQuantiles() if rows[0].side is Side.TWO_SIDED:
            return "quantile"
        case TailQuantiles():
            return "delta1" if rows[0].side is Side.UPPER else "delta2"
        case LowerQuantile():
            return "q"
        case PValue():
            return "p"
        case _:
            return "quantile"


def _unit(rows: Sequence[ResultRow]) -> str:
    """Give the unit of a score; shares of an area have none."""
    definition = TESTS.get(rows[0].test) if rows else None
    unit = "" if definition is None else definition.measure.partition(" (")[2].removesuffix(")")
    return unit or "score"


def _tails(row: ResultRow) -> list[tuple[float, float]]:
    """Give the parts of the axis in which the test rejects."""
    if row.side is Side.TWO_SIDED:
        return [(0.0, row.alpha / 2), (1 - row.alpha / 2, 1.0)]
    return [] if row.side is Side.NONE else [(0.0, row.alpha)]
