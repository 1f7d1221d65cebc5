"""Alarm diagrams: how well models rank their cells, all over each other."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

import numpy as np
import streamlit as st

from dashboard import _data, _inputs
from dashboard._words import OUTCOMES, count_of, events, number, window_name
from dashboard.figures.alarms import DIAGRAMS, READ, ModelCurve, alarm_figure, areas_figure
from dashboard.figures.lines import MOST_LINES, styles_of
from dashboard.views._failures import unknown_name
from dashboard.views._files import csv_rows, file_name
from dashboard.views._filters import drop_unknown
from dashboard.views._frame import Frame, frame, say_filters
from dashboard.views._opening import open_slot, slot_in
from dashboard.views._parts import clickable
from dashboard.views._steps import step_windows
from dashboard.views._tables import show_table
from dashboard.views._text import plain
from forequake.errors import NotFound, unknown
from forequake.evaluations.registry import TESTS
from forequake.results import Label
from forequake.windows import TimeWindow
from stores import ResultRow

_KEY: Final = "alarm_diagram"
#: So many areas are listed one by one.
_MOST_ROWS: Final = 2000


@dataclass(frozen=True)
class _Page:
    """What the page shows: one score in all windows, and its curves in one of them."""

    shown: Frame
    test: str
    registered: str
    window: TimeWindow
    rows: tuple[ResultRow, ...]


def show() -> None:
    """Draw the page."""
    shown = frame()
    st.header("Alarms")
    if not say_filters(shown):
        return
    st.caption("How well models rank their cells: areas of 0.5 are no skill, 1 is the most that can be.")
    diagrams = _diagrams(shown)
    window = shown.one_window
    if not diagrams or window is None:
        _no_diagrams(shown)
        return
    test = _choose(list(diagrams))
    rows = _data.window_rows(shown.address, shown.name, shown.token, window)
    mine = tuple(row for row in rows if row.label.test == test and row.label.model in shown.models)
    page = _Page(shown, test, diagrams[test], window, mine)
    step_windows(shown, window)
    _one_window(page)
    if len(shown.windows.listed) > 1:
        _all_windows(page)


def _diagrams(shown: Frame) -> dict[str, str]:
    """Give the experiment's tests that have curves, with forequake's names of them."""
    config = shown.config
    known = {} if config is None else {test.name: test.test for test in config.tests}
    found = {}
    for column in shown.columns:
        name = known.get(column.test) or _data.registered_name(
            shown.address, shown.name, shown.token, column.test
        )
        if name in DIAGRAMS:
            found[column.test] = name
    return found


def _no_diagrams(shown: Frame) -> None:
    if shown.chosen.filtered:
        st.info("The filters leave no alarm score.", icon=":material/filter_alt:")
        return
    st.info("This experiment has no alarm scores. They are named in its tests:", icon=":material/show_chart:")
    st.code("- ROC: {func: roc}\n- Molchan: {func: molchan}", language="yaml")


def _choose(names: Sequence[str]) -> str:
    """Let the reader choose a diagram where there are several."""
    if len(names) == 1:
        return names[0]
    asked = st.query_params.get(_KEY)
    if _KEY not in st.session_state and asked is not None and asked not in names:
        unknown_name(f"{unknown('diagram', asked, names)}.")
    drop_unknown(_KEY, names)
    if st.session_state.get(_KEY, "") is None:  # dropped, as what another experiment left
        del st.session_state[_KEY]
    first = None if _KEY in st.session_state else names[0]
    picked = st.segmented_control("Diagram", names, default=first, key=_KEY, bind="query-params")
    return names[0] if picked is None else str(picked)


def _one_window(page: _Page) -> None:
    shown, rows = page.shown, page.rows
    records = _data.scores(shown.address, tuple(row.key for row in rows))
    curves = [
        ModelCurve(row.label.model, row.label.slot, records[row.key])
        for row in rows
        if row.key in records and records[row.key].curve is not None
    ]
    file = f"{shown.name}_{page.test}_{page.window.id}"
    slots = {row.label.model: row.label.slot for row in rows}

    def opens(entry: Mapping[str, Any]) -> str | None:
        return slots.get(entry["model"])

    if not curves:
        _nothing_drawn(page)
        show_table(_table(page), file, opens=opens)
        return
    units = _units(page)
    st.caption(_says(page, units))
    alike = _alike(curves)
    if alike:
        st.caption(f":material/layers: The same curve: {'; '.join(alike)}.")
    logarithmic = st.toggle("Logarithmic axis of what is in alarm", key="alarm_log", bind="query-params")
    best = [row.label.model for row in sorted(rows, key=lambda row: -(row.statistic or 0.0))]
    styles = styles_of(shown.models, best[:MOST_LINES], shown.theme)
    figure = alarm_figure(
        curves, styles, shown.theme, None if units is None else units[0], logarithmic=logarithmic
    )
    mark = clickable(
        figure,
        f"curves {page.test} {page.window.id}",
        least=340,
        alt=f"{page.test} in {window_name(page.window)}, areas: "
        + ", ".join(f"{one.model} {number(one.result.statistic, 3)}" for one in curves),
    )
    if mark and len(mark) == 1:
        open_slot(str(mark[0]))
    undefined = [row for row in rows if row.statistic is None]
    if undefined:
        names = ", ".join(plain(row.label.model) for row in undefined)
        st.caption(f":material/circle: Undefined for {names}: {plain(undefined[0].reason or '')}.")
    show_table(_table(page), file, {file: figure}, opens=opens)
    st.download_button(
        "Download the curves as CSV",
        data=lambda: _curves_csv(curves),
        file_name=file_name(f"{file}_curves.csv"),
        mime="text/csv",
        on_click="ignore",
        icon=":material/download:",
        type="tertiary",
    )


def _nothing_drawn(page: _Page) -> None:
    """Say why there is no curve in the window."""
    reasons = sorted({row.reason for row in page.rows if row.reason})
    if reasons:
        st.info(
            f"{plain(page.test)} is undefined in this window: {plain('; '.join(reasons))}.",
            icon=":material/radio_button_unchecked:",
        )
    elif page.rows:
        st.info("The store has the areas of this window, but not its curves.", icon=":material/inventory_2:")
    else:
        st.info(f"{plain(page.test)} has no results in this window.", icon=":material/hourglass_empty:")


def _units(page: _Page) -> tuple[int, str] | None:
    """Count what a curve's steps are: events, or cells with events, which the events alone do not tell."""
    what, n_events = DIAGRAMS[page.registered], page.rows[0].n_observed
    if what == "event" or n_events == 1:
        return n_events, what
    try:
        found = _inputs.experiment(page.shown.address, page.shown.record_key)
        return len(np.unique(found.observation(page.window).cells)), what
    except NotFound:
        return None


def _says(page: _Page, units: tuple[int, str] | None) -> str:
    n_events = page.rows[0].n_observed
    said = [f"{events(n_events)[:1].upper()}{events(n_events)[1:]}"]
    if units is not None and units[1] != "event":
        said[0] += f" in {count_of(units[0], 'cell')}"
    said = [f"{said[0]}. {READ[page.registered]}"]
    if units is not None:
        said.append("The band takes events for independent of each other: of clusters it is too narrow.")
    if len(page.rows) > MOST_LINES:
        said.append(f"The {MOST_LINES} largest areas have colours; choose models at the side for others.")
    return " ".join([*said, "Click a mark for its result."])


def _alike(curves: Sequence[ModelCurve]) -> list[str]:
    """Name the models whose curves lie upon each other."""
    found: dict[tuple[tuple[float, ...], ...], list[str]] = {}
    for one in curves:
        if one.result.curve is not None:
            curve = one.result.curve
            found.setdefault((curve.x, curve.y), []).append(plain(one.model))
    return [", ".join(models) for models in found.values() if len(models) > 1]


def _table(page: _Page) -> list[dict[str, Any]]:
    measure = TESTS[page.registered].measure
    return [
        {
            "model": row.label.model,
            measure: row.statistic,
            "outcome": OUTCOMES[row.outcome],
            "events": row.n_observed,
            "expected": row.n_forecast,
            "reason": row.reason,
        }
        for row in sorted(page.rows, key=lambda row: -(row.statistic or 0.0))
    ]


def _curves_csv(curves: Sequence[ModelCurve]) -> bytes:
    drawn = [(one.model, one.result.curve) for one in curves if one.result.curve is not None]
    heads = ("model", drawn[0][1].x_name, drawn[0][1].y_name)
    return csv_rows(
        heads, [(model, x, y) for model, curve in drawn for x, y in zip(curve.x, curve.y, strict=True)]
    )


def _all_windows(page: _Page) -> None:
    """Show the areas over windows; they are of different events, so they are neither summed nor averaged."""
    shown = page.shown
    series = {
        model: _data.series(shown.address, shown.name, shown.token, page.test, model, None)
        for model in shown.models
    }
    series = {model: rows for model, rows in series.items() if rows}
    if not series:
        return
    st.subheader("In all windows")
    st.caption(
        "Each window is of its own events, so areas do not add up: look at few events with care. "
        "The dashed line is no skill. Click a mark for its result."
    )
    best = sorted(series, key=lambda model: -_middle(series[model]))
    styles = styles_of(shown.models, best[:MOST_LINES], shown.theme)
    measure = TESTS[page.registered].measure
    figure = areas_figure(series, page.window, styles, shown.theme, measure)
    mark = clickable(
        figure,
        f"areas {page.test}",
        least=480,
        alt=f"{measure} in {count_of(len(shown.windows.listed), 'window')}, medians: "
        + ", ".join(f"{model} {number(_middle(rows), 3)}" for model, rows in series.items()),
    )
    if mark and len(mark) == 3:
        open_slot(series[str(mark[0])][int(mark[1])].label.slot)
    file = f"{shown.name}_{page.test}_all_windows"
    labels: dict[tuple[str, TimeWindow | None], Label] = {
        (model, None): rows[-1].label for model, rows in series.items()
    }
    for model, rows in series.items():
        labels |= {(model, row.label.window): row.label for row in rows}
    show_table(
        _areas_table(series, measure),
        file,
        {file: figure},
        opens=lambda entry: slot_in(labels, (entry["model"], _window_of(entry))),
    )


def _window_of(entry: Mapping[str, Any]) -> TimeWindow | None:
    return TimeWindow.from_id(entry["window"]) if "window" in entry else None


def _middle(rows: Sequence[ResultRow]) -> float:
    values = [row.statistic for row in rows if row.statistic is not None]
    return median(values) if values else 0.0


def _areas_table(series: dict[str, tuple[ResultRow, ...]], measure: str) -> list[dict[str, Any]]:
    """List the area of each model in each window; where those are very many, what each model has."""
    if sum(len(rows) for rows in series.values()) > _MOST_ROWS:
        return [
            {
                "model": model,
                "windows": len(rows),
                "undefined": sum(row.statistic is None for row in rows),
                f"median {measure}": _middle(rows),
                "least": min((row.statistic for row in rows if row.statistic is not None), default=None),
                "greatest": max((row.statistic for row in rows if row.statistic is not None), default=None),
            }
            for model, rows in series.items()
        ]
    return [
        {
            "model": row.label.model,
            "window": row.label.window.id,
            measure: row.statistic,
            "events": row.n_observed,
            "reason": row.reason,
        }
        for rows in series.values()
        for row in rows
    ]


if __name__ == "__main__":
    show()
