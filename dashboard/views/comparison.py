"""Models against a reference, and against each other: information gains with their intervals."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import numpy as np
import streamlit as st

from dashboard import _data
from dashboard._words import count_of, number, window_name
from dashboard.figures.cells import Column, WindowMatrix, window_matrix
from dashboard.figures.gains import (
    POINTING,
    Gains,
    WindowGains,
    gains_figure,
    gains_of,
    statuses_of,
    window_gains_figure,
)
from dashboard.figures.legend import window_legend
from dashboard.figures.marks import MARKS, Status
from dashboard.figures.pairs import PairMatrix, pair_matrix
from dashboard.views._frame import Frame, frame, say_filters
from dashboard.views._kinds import columns_of_kind, definition_of
from dashboard.views._opening import open_slot, slot_in, slots_of
from dashboard.views._pairs import show_pairs
from dashboard.views._parts import clickable
from dashboard.views._steps import step_windows
from dashboard.views._tables import show_table, window_table
from dashboard.views._text import plain
from stores import ResultColumns, ResultRow, columns_of_rows

#: The signed-rank test of the same two forecasts, by the test that gives the interval.
_RANKS: Final = {"poisson_paired_t": "poisson_w", "cumulative_paired_t": "cumulative_w"}
#: Windows are drawn one by one as far as this many results go, the latest ones.
_MOST_ROWS: Final = 4_000
_FILLED: Final = "filled where the W-test finds a difference, too (p below alpha)"


@dataclass(frozen=True)
class _Comparison:
    """A test against a reference, and the signed-rank test beside it."""

    column: Column
    test: str
    ranks: Column | None


def show() -> None:
    """Draw the page."""
    shown = frame()
    st.header("Comparison")
    st.caption(f"{plain(shown.name)}: how much better than another forecast is each, in nats per event?")
    if not say_filters(shown):
        return
    found = _comparisons(shown)
    batch = [column for column in shown.columns if column.against_all]
    if not found and not batch:
        st.info(
            "There is no comparison among the tests shown. Consistency tests have a page of their own.",
            icon=":material/filter_alt:",
        )
        return
    single = [one for one in found if one.column.scope == "window"]
    spanning = [one for one in found if one.column.scope == "windows"]
    reference = _choose_reference(found)
    if spanning and (shown.window is None or not (single or batch)):
        _over_windows(shown, [one for one in spanning if one.column.reference == reference])
    summed = {one.test.removeprefix("cumulative_") for one in spanning}
    if shown.window is None and len(shown.windows.listed) > 1:
        listed = [one for one in single if one.test.removeprefix("poisson_") not in summed]
        for one in listed:
            if one.column.reference == reference:
                _window_by_window(shown, one)
        _all_pairs(shown, single, batch)
    elif shown.one_window is not None and (single or batch):
        step_windows(shown, shown.one_window)
        rows = _data.window_rows(shown.address, shown.name, shown.token, shown.one_window)
        _in_window(shown, [one for one in single if one.column.reference == reference], rows)
        _pairs_in_window(shown, single, batch, rows)
        if spanning:
            st.caption("Tests over all windows stand with all windows.")


def _comparisons(shown: Frame) -> list[_Comparison]:
    """List the tests with a reference; a signed-rank test stands beside the one that gives the interval."""
    ranks: dict[tuple[str, str | None], Column] = {}
    for column in shown.all_columns:
        definition = definition_of(shown, column.test)
        if definition is not None and definition.name in _RANKS.values():
            ranks.setdefault((definition.name, column.reference), column)
    found = []
    for column, definition in columns_of_kind(shown, "comparison"):
        if column.reference is None or column.against_all:
            continue
        found.append(
            _Comparison(
                column, definition.name, ranks.get((_RANKS.get(definition.name, ""), column.reference))
            )
        )
    beside = {one.ranks for one in found if one.ranks is not None}
    return [one for one in found if one.column not in beside]


def _choose_reference(found: Sequence[_Comparison]) -> str | None:
    """Let the reader choose with which model the others are compared."""
    references = list(dict.fromkeys(str(one.column.reference) for one in found))
    if len(references) < 2:
        return references[0] if references else None
    if st.session_state.get("against") not in (None, *references):  # of another experiment
        st.session_state["against"] = None
    picked = st.selectbox(
        "Reference", references, index=None, placeholder=references[0], key="against", bind="query-params"
    )
    return picked or references[0]


def _say_marks() -> None:
    st.caption(
        "A line is the interval of the information gain: wholly above 0 the model is better, below it worse. "
        f"A mark is {_FILLED}. Click it for the result."
    )


def _in_window(shown: Frame, found: Sequence[_Comparison], rows: Sequence[ResultRow]) -> None:
    """Show one window's gains over the reference."""
    if not found:
        return
    _say_marks()
    window = shown.one_window
    units = [unit for unit in shown.units if unit.label.window == window]
    name = f"{shown.name}_comparison" + ("" if window is None else f"_{window.id}")
    for one in found:
        matrix = window_matrix(shown.models, [one.column], rows, units)
        _show_gains(shown, one, matrix, rows, name)


def _over_windows(shown: Frame, found: Sequence[_Comparison]) -> None:
    """Show the gains over the reference of all windows together, as tests over windows have them."""
    st.subheader("Over all windows")
    if not found:
        st.caption("No test over all windows has this reference.")
        return
    columns = [column for one in found for column in (one.column, one.ranks) if column is not None]
    tests = tuple(sorted({column.test for column in columns}))
    read = _data.over_windows(shown.address, shown.name, shown.token, tests)
    rows = [row for row, _ in read]
    lacking = {window for _, span in read for window in span.missing}
    st.caption(
        "One result of each model, of the windows that it has in common with the reference. "
        + (f"{count_of(len(lacking), 'window')} missing from some." if lacking else "")
    )
    _say_marks()
    units = [unit for unit in shown.units if unit.label.test in tests]
    for one in found:
        spans = {row.key: span for row, span in read}
        matrix = window_matrix(shown.models, [one.column], rows, units, spans)
        _show_gains(shown, one, matrix, rows, f"{shown.name}_comparison_over_windows")


def _show_gains(
    shown: Frame, one: _Comparison, matrix: WindowMatrix, rows: Sequence[ResultRow], name: str
) -> None:
    """Draw the gains of one test, and the table below."""
    ranks = [] if one.ranks is None else [row for row in rows if _is_of(row, one.ranks)]
    gains = gains_of(str(one.column.reference), matrix.cells, ranks)
    if not gains.rows:
        return
    st.html(window_legend(statuses_of(gains), shown.theme, POINTING))
    figure = gains_figure(gains, shown.theme)
    key = f"gains-{shown.all_columns.index(one.column)}"
    mark = clickable(
        figure,
        key,
        least=gains.least_width,
        alt=f"{one.column.test} against {gains.reference}, information gain: "
        + ", ".join(
            f"{gain.cell.model} {number(gain.value, 3)} {MARKS[gain.cell.status].label}"
            for gain in gains.rows
        ),
    )
    if mark is not None:
        open_slot(str(mark[0]))
    if one.ranks is None:
        st.caption("No W-test has this reference: no mark is filled.")
    table = f"{name}_{one.column.test}_vs_{gains.reference}"
    opens = slots_of(cell.row for cell in matrix.cells)
    show_table(_gains_table(matrix, gains), table, figures={table: figure}, opens=opens)


def _is_of(row: ResultRow, column: Column) -> bool:
    return (row.label.test, row.label.reference) == (column.test, column.reference)


def _gains_table(matrix: WindowMatrix, gains: Gains) -> list[dict[str, Any]]:
    by_model = {gain.cell.model: gain for gain in gains.rows}
    table = []
    for entry in window_table(matrix):
        gain = by_model[entry["model"]]
        row, ranks = gain.cell.row, gain.ranks
        reason = entry.pop("reason")
        interval = (None, None) if row is None or row.interval is None else row.interval
        table.append(
            entry
            | {
                "interval from": interval[0],
                "interval to": interval[1],
                "w_p": getattr(None if ranks is None else ranks.quantiles, "p", None),
                "outcome of W": None if ranks is None else ranks.outcome.value.replace("_", " "),
                "reason": reason,
            }
        )
    return table


def _window_by_window(shown: Frame, one: _Comparison) -> None:
    """Show the gains of single windows, where no test takes them together."""
    column, listed = one.column, shown.windows.listed
    most = max(_MOST_ROWS // max(len(shown.chosen.all_models), 1), 1)
    since = None if len(listed) <= most else listed[-most].window.start
    found = _data.pairs(shown.address, shown.name, shown.token, column.test, since)
    rows = {
        model: [row for row in found if _is_of(row, column) and row.label.model == model]
        for model in shown.models
        if model != column.reference
    }
    counts = {
        cell.model: {Status(outcome.value): count for outcome, count in cell.outcomes.items()}
        for cell in shown.counted.cells
        if (cell.test, cell.reference) == (column.test, column.reference)
    }
    ordered = sorted(rows, key=lambda model: _balance(counts.get(model, {})))
    gains = WindowGains(str(column.reference), {model: rows[model] for model in ordered}, counts)
    st.caption(
        "Each mark is a window, judged by its own interval; one of a single event has none. The gains are "
        "not averaged, since no test was made of all windows together: `cumulative_paired_t` is one. "
        "Click a mark for its result."
    )
    if since is not None:
        st.caption(
            f"The latest {most} of {count_of(shown.windows.count, 'window')} are drawn; all are counted."
        )
    if shown.dependent:
        st.caption("The windows share time, so their results depend on one another.")
    st.html(window_legend(statuses_of(gains), shown.theme, POINTING))
    figure = window_gains_figure(gains, shown.theme)
    key = f"window-gains-{shown.all_columns.index(column)}"
    mark = clickable(
        figure,
        key,
        least=gains.least_width,
        alt=f"{column.test} against {gains.reference}, windows better and worse: "
        + ", ".join(
            f"{model} {found.get(Status.BETTER, 0)} and {found.get(Status.WORSE, 0)}"
            for model, found in ((model, counts.get(model, {})) for model in ordered)
        ),
    )
    if mark is not None:
        open_slot(str(mark[0]))
    name = f"{shown.name}_{column.test}_vs_{gains.reference}_windows"
    drawn = [row for some in gains.rows.values() for row in some]
    labels = {(row.label.model, window_name(row.label.window)): row.label for row in drawn}
    show_table(
        [_window_entry(row) for row in drawn],
        name,
        {name: figure},
        opens=lambda entry: slot_in(labels, (entry["model"], entry["window"])),
    )


def _balance(counts: dict[Status, int]) -> float:
    decided = sum(counts.get(status, 0) for status in (Status.BETTER, Status.WORSE, Status.NO_DIFFERENCE))
    return (counts.get(Status.WORSE, 0) - counts.get(Status.BETTER, 0)) / decided if decided else 2.0


def _window_entry(row: ResultRow) -> dict[str, Any]:
    interval = row.interval or (None, None)
    return {
        "model": row.label.model,
        "reference": row.label.reference,
        "window": window_name(row.label.window),
        "outcome": row.outcome.value.replace("_", " "),
        "information gain": row.information_gain,
        "interval from": interval[0],
        "interval to": interval[1],
        "events": row.n_observed,
        "reason": row.reason,
    }


def _pairs_in_window(
    shown: Frame, single: Sequence[_Comparison], batch: Sequence[Column], rows: Sequence[ResultRow]
) -> None:
    """Show models against each other in one window."""
    for columns in [[column] for column in batch] + _by_test(single):
        matrix = pair_matrix(shown.models, columns_of_rows(row for row in rows if _is_of_any(row, columns)))
        _show_pairs(shown, columns, matrix)


def _all_pairs(shown: Frame, single: Sequence[_Comparison], batch: Sequence[Column]) -> None:
    """Show models against each other over all windows: how many each won, on common windows."""
    tests = [[column] for column in batch] + _by_test(single)
    if not tests:
        return
    common = st.toggle(
        "Models against each other: only windows that all pairs have",
        value=True,
        key="common",
        bind="query-params",
        help="Gains over different windows cannot be compared.",
    )
    n_models = len(shown.chosen.all_models)
    for columns in tests:
        per_window = n_models * ((n_models - 1) if columns[0].against_all else len(columns))
        since = _data.pairs_since(shown.windows.listed, per_window)
        parts = _parts(shown, columns, since)
        matrix = pair_matrix(shown.models, parts, independent=not shown.dependent, common=common)
        _show_pairs(shown, columns, matrix)


def _show_pairs(shown: Frame, columns: Sequence[Column], matrix: PairMatrix) -> None:
    definition = definition_of(shown, columns[0].test)
    show_pairs(
        matrix,
        shown.theme,
        experiment=shown.name,
        test=columns[0].test if definition is None or columns[0].against_all else definition.short,
        independent=not shown.dependent,
        corrected=columns[0].against_all,
    )


def _parts(shown: Frame, columns: Sequence[Column], since: datetime | None) -> list[ResultColumns]:
    """Read the results of tests against the references of the columns, or against all models."""
    found = []
    for test in dict.fromkeys(column.test for column in columns):
        read = _data.columns(shown.address, shown.name, shown.token, test, since)
        if read is None:
            continue
        of_test = [column for column in columns if column.test == test]
        codes = [read.code_of("references", column.reference or "") for column in of_test]
        every = any(column.against_all for column in of_test)
        found.append(read if every else read.where(np.isin(read.reference, codes)))
    return found


def _is_of_any(row: ResultRow, columns: Sequence[Column]) -> bool:
    return any(
        row.label.test == column.test and (column.against_all or row.label.reference == column.reference)
        for column in columns
    )


def _by_test(single: Sequence[_Comparison]) -> list[list[Column]]:
    """Give the columns of each test that compares with two references or more."""
    found: dict[str, dict[str | None, Column]] = {}
    for one in single:
        found.setdefault(one.test, {}).setdefault(one.column.reference, one.column)
    return [list(columns.values()) for columns in found.values() if len(columns) > 1]


if __name__ == "__main__":
    show()
