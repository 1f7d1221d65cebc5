"""The section of a report with alarm diagrams: how well models rank their cells."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from statistics import median
from typing import Final

import numpy as np
import plotly.graph_objects as go

from dashboard._theme import Theme
from dashboard._words import OUTCOMES, count_of, events, window_name
from dashboard.figures.alarms import DIAGRAMS, READ, ModelCurve, alarm_figure, areas_figure
from dashboard.figures.cells import Column
from dashboard.figures.lines import MOST_LINES, Line, styles_of
from dashboard.report.blocks import Block, Picture, Table, Words
from dashboard.report.material import Material
from forequake.evaluations.registry import TestDefinition
from forequake.results import ScoreRecord
from forequake.windows import TimeWindow
from stores import ResultRow

__all__ = ["alarm_blocks"]

_LEAST: Final = 340
_WIDE: Final = 640


def alarm_blocks(of: Material) -> Iterator[Block]:
    """Draw the curves of each diagram in one window, and its areas in all."""
    for column in of.columns:
        known = of.definition(column.test)
        if known is None or known.name not in DIAGRAMS or column.scope != "window":
            continue
        rows = [row for row in of.rows_of(column) if row.label.model in of.models]
        if of.window is not None:
            rows = [row for row in rows if row.label.window == of.window]
        yield from _curves(of, column, known, rows)
        if len({row.label.window for row in rows}) > 1:
            yield from _areas(of, column, known, rows)


def _curves(
    of: Material, column: Column, known: TestDefinition, rows: Sequence[ResultRow]
) -> Iterator[Block]:
    """Draw the latest window in which a model has a curve; others say nothing of ranks."""
    drawn = max((row.label.window for row in rows if row.statistic is not None), default=None, key=_start)
    if drawn is None:
        reasons = sorted({row.reason for row in rows if row.reason})
        if reasons:
            yield Words(f"{column.test} is undefined in each window: {'; '.join(reasons)}.")
        return
    here = [row for row in rows if row.label.window == drawn]
    records = of.records([row.key for row in here])
    curves = [
        ModelCurve(row.label.model, row.label.slot, record)
        for row in here
        if isinstance(record := records.get(row.key), ScoreRecord) and record.curve is not None
    ]
    if not curves:
        return
    best = [row.label.model for row in sorted(here, key=lambda row: -(row.statistic or 0.0))]
    units = _units(of, here[0], DIAGRAMS[known.name])

    def draw(theme: Theme) -> go.Figure:
        styles: dict[str, Line] = styles_of(of.models, best[:MOST_LINES], theme)
        return alarm_figure(curves, styles, theme, units)

    n_events = here[0].n_observed
    band = "" if units is None else " The band is of chance, for events that are independent of each other."
    left = f" The {MOST_LINES} largest areas of {len(of.models)} have colours." * (
        len(of.models) > MOST_LINES
    )
    yield Picture(
        name=f"alarms-{column.test}",
        title=column.name,
        draw=draw,
        alt=f"{column.test} in {window_name(drawn)}: curves of {count_of(len(curves), 'model')}; the table "
        "below has their areas",
        caption=f"The window {window_name(drawn)}, {events(n_events)}. {READ[known.name]}{band}{left}",
        least_width=_LEAST,
    )
    yield Table(
        f"{column.name}: areas in this window",
        [
            {
                "model": row.label.model,
                known.measure: row.statistic,
                "outcome": OUTCOMES[row.outcome],
                "events": row.n_observed,
                "expected": row.n_forecast,
                "reason": row.reason,
            }
            for row in sorted(here, key=lambda row: -(row.statistic or 0.0))
        ],
    )


def _start(window: TimeWindow) -> tuple[datetime, datetime]:
    return window.start, window.end


def _units(of: Material, row: ResultRow, what: str) -> int | None:
    """Count what a curve's steps are: events, or cells with events."""
    if what == "event" or row.n_observed == 1:
        return row.n_observed
    if not of.has_inputs:
        return None
    return len(np.unique(of.experiment.observation(row.label.window).cells)) or None


def _areas(of: Material, column: Column, known: TestDefinition, rows: Sequence[ResultRow]) -> Iterator[Block]:
    """Draw the areas over windows; they are of different events, so they are neither summed nor averaged."""
    series: dict[str, list[ResultRow]] = {model: [] for model in of.models}
    for row in sorted(rows, key=lambda row: _start(row.label.window)):
        series[row.label.model].append(row)
    series = {model: found for model, found in series.items() if found}
    middles = {model: _middle(found) for model, found in series.items()}
    best = sorted(series, key=lambda model: -middles[model])

    def draw(theme: Theme) -> go.Figure:
        return areas_figure(
            series, None, styles_of(of.models, best[:MOST_LINES], theme), theme, known.measure
        )

    windows = {row.label.window for row in rows}
    yield Picture(
        name=f"areas-{column.test}",
        title=f"{column.name}: areas in all windows",
        draw=draw,
        alt=f"{known.measure} of {count_of(len(series), 'model')} in {count_of(len(windows), 'window')}",
        caption="Each window is of its own events, so areas do not add up. The dashed line is no skill.",
        least_width=_WIDE,
    )
    yield Table(
        f"{column.name}: areas in all windows",
        [
            {
                "model": model,
                "windows": len(found),
                "undefined": sum(row.statistic is None for row in found),
                f"median {known.measure}": middles[model] if _values(found) else None,
                "least": min(_values(found), default=None),
                "greatest": max(_values(found), default=None),
            }
            for model, found in series.items()
        ],
    )


def _values(rows: Sequence[ResultRow]) -> list[float]:
    return [row.statistic for row in rows if row.statistic is not None]


def _middle(rows: Sequence[ResultRow]) -> float:
    values = _values(rows)
    return median(values) if values else 0.0
