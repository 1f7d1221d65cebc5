"""The overview: every test of every model at a glance, and a click to the single result."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import streamlit as st

from dashboard import _data
from dashboard._experiment import Place
from dashboard.figures.cells import Column, window_matrix
from dashboard.figures.corrected import corrected
from dashboard.figures.legend import counted_legend, window_legend
from dashboard.figures.order import Sorting, sorted_models
from dashboard.figures.pairs import pair_matrix
from dashboard.views._frame import frame, say_filters
from dashboard.views._matrices import (
    Page,
    count_page,
    draw_matrix,
    matrix_files,
    same,
    show_over_windows,
)
from dashboard.views._opening import open_slot, place_named, slot_of, slots_of
from dashboard.views._pairs import show_pairs
from dashboard.views._parts import failures_table, head
from dashboard.views._tables import counted_table, show_table, window_table
from forequake.windows import TimeWindow
from stores import Overview, columns_of_rows

_BY_NAME: Final = "name"


def show() -> None:
    """Draw the page."""
    shown = frame()
    head(
        shown.address,
        shown.listing,
        shown.summary,
        shown.counted,
        shown.windows,
        shown.window,
        shown.config,
    )
    if not say_filters(shown) or not shown.columns:
        return
    page = Page(
        address=shown.address,
        name=shown.name,
        token=shown.token,
        config=shown.config,
        units=shown.units,
        models=shown.models,
        all_models=shown.chosen.all_models,
        columns=shown.columns,
        theme=shown.theme,
    )
    if shown.window is None:
        _all_windows(page, shown.counted, shown.windows)
    else:
        _in_window(page, shown.window)
    failures_table(shown.units)


def _in_window(page: Page, window: TimeWindow) -> None:
    rows = _data.window_rows(page.address, page.name, page.token, window)
    here = [unit for unit in page.units if unit.label.window == window]
    columns = [column for column in page.columns if column.scope == "window"]
    if columns:
        matrix = window_matrix(page.models, columns, rows, here)
        models = sorted_models(matrix, _sorting(columns))
        matrix = window_matrix(models, columns, rows, here)
        st.caption(
            "The number below a mark is the quantile that decides; T shows the information gain, a score "
            "itself. Click a mark for its distribution."
        )
        st.html(window_legend((cell.status for cell in matrix.cells), page.theme))
        place = draw_matrix(matrix, page, "matrix")
        if place is not None and any(cell.row is not None for cell in matrix.cells if same(cell, place)):
            open_slot(slot_of(page.name, place, window))
        compared = {column.test for column in columns if column.against_all}
        batch = [row for row in rows if row.label.test in compared and row.label.model in models]
        file = f"{page.name}_{window.id}"
        opens = slots_of([*(cell.row for cell in matrix.cells), *batch])
        files = matrix_files(matrix, page.theme, file)
        show_table(window_table(matrix, batch), file, files, opens=opens)
        for test in sorted(compared):
            of_test = columns_of_rows(row for row in batch if row.label.test == test)
            pairs = pair_matrix(models, of_test)
            show_pairs(pairs, page.theme, experiment=page.name, test=test)
    if any(column.scope == "windows" for column in page.columns):
        st.caption("Tests over all windows stand with all windows.")


def _all_windows(page: Page, counted: Overview, windows: _data.Windows) -> None:
    columns = [column for column in page.columns if column.scope == "window"]
    models: Sequence[str] = page.models
    if columns:
        matrix = count_page(page, counted, windows, columns)
        models = sorted_models(matrix, _sorting(columns))
        matrix = count_page(replace(page, models=tuple(models)), counted, windows, columns)
        if page.dependent(windows):
            note = "The windows overlap, so their results depend on one another: no limit of chance is drawn."
        else:
            note = (
                "Rejected windows of those with a verdict. A true forecast is rejected now and then as well; "
                "a ring marks more rejections than chance gives in 95 % of cases."
            )
            if _holm():
                matrix = corrected(matrix)
                note += " They are corrected for the number of cells: chance gives any ring in 5 % of cases."
        st.caption(f"{note} Click a cell for its latest window.")
        st.html(counted_legend(page.theme, matrix))
        place = draw_matrix(matrix, page, "matrix")
        slot = None if place is None else _latest(page, place)
        if slot is not None:
            open_slot(slot)
        file = f"{page.name}_all_windows"
        files = matrix_files(matrix, page.theme, file)
        show_table(counted_table(matrix), file, files, opens=lambda entry: _latest(page, place_named(entry)))
    show_over_windows(replace(page, models=tuple(models)))
    for column in columns:
        if column.against_all:
            n_pairs = len(page.all_models) * (len(page.all_models) - 1)
            since = _data.pairs_since(windows.listed, n_pairs)
            read = _data.columns(page.address, page.name, page.token, column.test, since)
            free = not page.dependent(windows)
            pairs = pair_matrix(models, [] if read is None else [read], independent=free)
            show_pairs(pairs, page.theme, experiment=page.name, test=column.test, independent=free)


def _latest(page: Page, place: Place) -> str | None:
    """Give the slot of the latest result in a place."""
    model, test, reference = place
    rows = _data.series(page.address, page.name, page.token, test, model, reference)
    return rows[-1].label.slot if rows else None


def _holm() -> bool:
    """Let the reader correct the rings for the number of cells."""
    return st.toggle(
        "Correct for the number of cells (Holm)",
        key="holm",
        bind="query-params",
        help="Of 100 cells of true forecasts about 5 have a ring by chance.",
    )


def _sorting(columns: Sequence[Column]) -> Sorting:
    names = {column.name: column for column in columns}
    picked = st.sidebar.selectbox(
        "Sort models by",
        [_BY_NAME, *names],
        index=None,
        placeholder="the experiment's order",
        key="sort",
        bind="query-params",
    )
    return Sorting(column=names.get(picked or ""), by_name=picked == _BY_NAME)


if __name__ == "__main__":
    show()
