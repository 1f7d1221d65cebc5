"""Consistency tests of all models side by side: what each does not reject, and what was observed."""

from collections.abc import Mapping, Sequence
from typing import Any

import streamlit as st

from dashboard import _data
from dashboard._words import count_of, events
from dashboard.figures.cells import Column, Span, WindowMatrix, window_matrix
from dashboard.figures.forest import Forest, forest_figure, forest_of
from dashboard.figures.legend import window_legend
from dashboard.figures.regions import Acceptance
from dashboard.views._frame import Frame, frame, say_filters
from dashboard.views._kinds import columns_of_kind
from dashboard.views._opening import open_slot, slots_of
from dashboard.views._parts import clickable
from dashboard.views._steps import step_windows
from dashboard.views._tables import show_table, window_table
from dashboard.views._text import plain
from forequake.quantities import Sha256
from forequake.results import UnitRecord
from forequake.windows import TimeWindow
from stores import ResultRow


def show() -> None:
    """Draw the page."""
    shown = frame()
    st.header("Consistency")
    st.caption(
        f"{plain(shown.name)}: does what was observed lie where the forecast's own distribution has it?"
    )
    if not say_filters(shown):
        return
    # Tests of other tests' results, as calibration is one, have no distribution of a forecast.
    columns = [column for column, test in columns_of_kind(shown, "consistency") if not test.of]
    if not columns:
        st.info(
            "There is no consistency test among the tests shown. Comparisons have a page of their own.",
            icon=":material/filter_alt:",
        )
        return
    single = [column for column in columns if column.scope == "window"]
    spanning = [column for column in columns if column.scope == "windows"]
    _say_how()
    normalised = st.toggle(
        "Distance from the median in interquartile ranges",
        key="normalised",
        bind="query-params",
        help="Puts models of different likelihoods on one scale; numbers of events stay as they are.",
    )
    if spanning and (shown.window is None or not single):
        _over_windows(shown, spanning, normalised=normalised)
    if single and shown.one_window is not None:
        _in_window(shown, single, shown.one_window, normalised=normalised)
        if spanning and shown.window is not None:
            st.caption("Tests over all windows stand with all windows.")


def _say_how() -> None:
    st.caption(
        "The bar reaches over all that the test does not reject, at its own level and side; an arrow at its "
        "end: no limit there. The thin tick is the median. Click a mark for its distribution."
    )


def _in_window(shown: Frame, columns: Sequence[Column], window: TimeWindow, *, normalised: bool) -> None:
    rows = _data.window_rows(shown.address, shown.name, shown.token, window)
    units = [unit for unit in shown.units if unit.label.window == window]
    step_windows(shown, window)
    observed = next((item.n_observed for item in shown.windows.listed if item.window == window), None)
    if shown.window is None and len(shown.windows.listed) > 1:
        st.caption("The latest window with results; choose another one at the side.")
    if observed == 0:
        st.caption(f":material/event_busy: The window has {events(0)}: most tests say nothing about it.")
    _draw(shown, columns, rows, units, f"{shown.name}_consistency_{window.id}", normalised=normalised)


def _over_windows(shown: Frame, columns: Sequence[Column], *, normalised: bool) -> None:
    tests = tuple(sorted({column.test for column in columns}))
    found = _data.over_windows(shown.address, shown.name, shown.token, tests)
    units = [unit for unit in shown.units if unit.label.test in tests]
    spans = {row.key: span for row, span in found}
    st.subheader("Over all windows")
    made = sorted({span.n_windows for span in spans.values()})
    lacking = {window for span in spans.values() for window in span.missing}
    over = " or ".join(str(count) for count in made) or "no"
    missing = f"; {count_of(len(lacking), 'window')} missing from some" if lacking else ""
    st.caption(f"One result of each model, of {over} windows together{missing}.")
    name = f"{shown.name}_consistency_over_windows"
    _draw(shown, columns, [row for row, _ in found], units, name, spans, normalised=normalised)


def _draw(
    shown: Frame,
    columns: Sequence[Column],
    rows: Sequence[ResultRow],
    units: Sequence[UnitRecord],
    name: str,
    spans: Mapping[Sha256, Span] | None = None,
    *,
    normalised: bool,
) -> None:
    """Draw a figure for each test, two side by side where the screen has room, and the table below."""
    matrix = window_matrix(shown.models, columns, rows, units, spans)
    st.html(window_legend((cell.status for cell in matrix.cells), shown.theme))
    forests = []
    for column in columns:
        keys = tuple(cell.row.key for cell in matrix.cells if cell.column == column and cell.row is not None)
        forests.append(forest_of(matrix, column, _data.regions(shown.address, keys)))
    figures = {}
    for first in range(0, len(forests), 2):
        for place, part in zip(st.columns(min(2, len(forests))), forests[first : first + 2], strict=False):
            key = f"forest-{'over-' if spans is not None else ''}{shown.all_columns.index(part.column)}"
            figure = forest_figure(part, shown.theme, normalised=normalised)
            figures[f"{name}_{part.column.test}"] = figure
            with place:
                _show(part, figure, key)
    opens = slots_of(cell.row for cell in matrix.cells)
    show_table(_table(matrix, forests), name, figures=figures, opens=opens)


def _show(forest: Forest, figure: Any, key: str) -> None:
    verdicts = [row.cell.status.value for row in forest.rows]
    mark = clickable(
        figure,
        key,
        least=forest.least_width,
        alt=f"{forest.column.test} of {count_of(len(forest.rows), 'model')}: "
        f"{verdicts.count('passed')} not rejected, {verdicts.count('rejected')} rejected, "
        f"{len(verdicts) - verdicts.count('passed') - verdicts.count('rejected')} without a verdict; "
        "the table below has the same content",
    )
    if mark is not None:
        open_slot(str(mark[0]))


def _table(matrix: WindowMatrix, forests: Sequence[Forest]) -> list[dict[str, Any]]:
    regions: dict[tuple[str, str], Acceptance | None] = {
        (row.cell.model, row.cell.column.test): row.accepted for part in forests for row in part.rows
    }
    table = []
    for entry in window_table(matrix):
        accepted = regions.get((entry["model"], entry["test"]))
        reason = entry.pop("reason")
        table.append(
            entry
            | {
                "not rejected from": None if accepted is None else accepted.low,
                "not rejected to": None if accepted is None else accepted.high,
                "median": None if accepted is None else accepted.median,
                "reason": reason,
            }
        )
    return table


if __name__ == "__main__":
    show()
