"""The overview: every test of every model at a glance, and a click to the single result."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final

import streamlit as st

from dashboard import _data
from dashboard._theme import theme_of
from dashboard._words import count_of
from dashboard.figures.cells import Column, columns_of, window_matrix
from dashboard.figures.legend import counted_legend, window_legend
from dashboard.figures.order import Sorting, sorted_models
from dashboard.views._failures import no_experiments, no_results
from dashboard.views._filters import Chosen, choose_experiment, choose_parts, choose_window, remember
from dashboard.views._matrices import (
    Page,
    count_windows,
    draw_matrix,
    open_result,
    open_slot,
    same,
    show_over_windows,
    show_pairs,
)
from dashboard.views._parts import failures_table, head
from dashboard.views._tables import counted_table, show_table, window_table
from dashboard.views._text import plain
from forequake.config import ExperimentConfig
from forequake.windows import TimeWindow
from stores import Overview

_BY_NAME: Final = "name"


def show() -> None:
    """Draw the page."""
    address = _data.store_address()
    listing = _data.experiments(address)
    if not listing.experiments:
        no_experiments()
        return
    summary = choose_experiment(listing)
    if summary is None:
        return
    config = _data.config(address, summary.record_key)
    counted = _data.overview(address, summary.name, summary.token)
    units = _data.units(address, summary.name)
    if not counted.cells:
        st.header(plain(summary.name))
        no_results(summary.name)
        failures_table(units)
        return
    models, columns = _axes(address, counted, config)
    spanning = tuple(sorted({column.test for column in columns if column.scope == "windows"}))
    windows = _data.windows(address, summary.name, summary.token, spanning)
    window = choose_window(windows, always=bool(spanning))
    chosen = choose_parts(models, columns)
    kept = [column for column in columns if column.test in chosen.tests]
    head(listing, summary, counted, windows, window, config)
    if not _say_filters(chosen) or not kept:
        return
    page = Page(
        address=address,
        name=summary.name,
        token=summary.token,
        config=config,
        units=tuple(units),
        models=chosen.models,
        all_models=tuple(models),
        columns=tuple(kept),
        theme=theme_of(st.context.theme.type),
    )
    if window is None:
        _all_windows(page, counted, windows)
    else:
        _in_window(page, window)
    failures_table(units)
    remember()


def _axes(
    address: str, counted: Overview, config: ExperimentConfig | None
) -> tuple[list[str], tuple[Column, ...]]:
    """Give models and columns, in the experiment's order, of what it plans and of what it has."""
    places = [(cell.test, cell.reference) for cell in counted.cells]
    models = [cell.model for cell in counted.cells]
    references = [cell.reference for cell in counted.cells if cell.reference is not None]
    registered: dict[str, str] = {}
    if config is not None:
        places += [(test.name, test.reference) for test in config.tests]
        models = [model.name for model in config.models] + models
        registered = {test.name: test.test for test in config.tests}
    for test in {test for test, _ in places} - set(registered):  # that the files have no more
        name = _data.registered_name(address, counted.experiment, counted.token, test)
        registered |= {} if name is None else {test: name}
    return list(dict.fromkeys(models + references)), columns_of(places, registered)


def _say_filters(chosen: Chosen) -> bool:
    """Say how much the filters leave; tell whether anything is left."""
    if not chosen.filtered:
        return True
    left = (
        f"{len(chosen.models)} of {count_of(len(chosen.all_models), 'model')} and "
        f"{len(chosen.tests)} of {count_of(len(chosen.all_tests), 'test')}"
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f":material/filter_alt: The filters leave {left}.", width="content")
        st.button("Clear filters", on_click=_clear_filters, type="tertiary")
    return bool(chosen.models and chosen.tests)


def _clear_filters() -> None:
    st.session_state["model"] = []
    st.session_state["test"] = []


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
        place = draw_matrix(matrix, page.theme, "matrix")
        if place is not None and any(cell.row is not None for cell in matrix.cells if same(cell, place)):
            open_result(page.name, place, window)
        compared = {column.test for column in columns if column.against_all}
        batch = [row for row in rows if row.label.test in compared and row.label.model in models]
        show_table(window_table(matrix, batch), f"{page.name}_{window.id}")
        for test in sorted(compared):
            show_pairs(page, models, test, [row for row in batch if row.label.test == test])
    if any(column.scope == "windows" for column in page.columns):
        st.caption("Tests over all windows stand with all windows.")


def _all_windows(page: Page, counted: Overview, windows: _data.Windows) -> None:
    columns = [column for column in page.columns if column.scope == "window"]
    models: Sequence[str] = page.models
    if columns:
        matrix = count_windows(page, counted, windows, columns)
        models = sorted_models(matrix, _sorting(columns))
        matrix = count_windows(replace(page, models=tuple(models)), counted, windows, columns)
        if page.dependent(windows):
            note = "The windows overlap, so their results depend on one another: no limit of chance is drawn."
        else:
            note = (
                "Rejected windows of those with a verdict. A true forecast is rejected now and then as well; "
                "a ring marks more rejections than chance gives in 95 % of cases."
            )
        st.caption(f"{note} Click a cell for its latest window.")
        st.html(counted_legend(page.theme, matrix))
        place = draw_matrix(matrix, page.theme, "matrix")
        if place is not None:
            rows = _data.series(page.address, page.name, page.token, place[1], place[0], place[2])
            if rows:
                open_slot(rows[-1].label.slot)
        show_table(counted_table(matrix), f"{page.name}_all_windows")
    show_over_windows(replace(page, models=tuple(models)))
    for column in columns:
        if column.against_all:
            n_pairs = len(page.all_models) * (len(page.all_models) - 1)
            since = _data.pairs_since(windows.listed, n_pairs)
            batch = _data.pairs(page.address, page.name, page.token, column.test, since)
            show_pairs(page, models, column.test, batch, independent=not page.dependent(windows))


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
