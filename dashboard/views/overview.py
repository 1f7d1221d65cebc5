"""The overview: every test of every model at a glance, and a click to the single result."""

from collections.abc import Sequence
from typing import Any, Final

import streamlit as st

from dashboard import _data
from dashboard._theme import theme_of
from dashboard._words import count_of
from dashboard.figures.cells import (
    Column,
    CountedMatrix,
    WindowMatrix,
    columns_of,
    counted_matrix,
    window_matrix,
)
from dashboard.figures.legend import counted_legend, window_legend
from dashboard.figures.matrix import counted_figure, window_figure
from dashboard.figures.order import Sorting, sorted_models
from dashboard.views._failures import no_experiments, no_results
from dashboard.views._filters import Chosen, choose_experiment, choose_parts, choose_window, remember
from dashboard.views._parts import PLOT, chosen_cell, failures_table, head, scrolled
from dashboard.views._tables import counted_table, show_table, window_table
from dashboard.views._text import plain
from forequake.config import ExperimentConfig
from forequake.results import Label, Outcome, UnitRecord
from forequake.windows import TimeWindow
from stores import ExperimentSummary, Overview

_BY_NAME: Final = "name"
#: The least width of a cell and of the models' names, in pixels; below it the matrix is scrolled.
_CELL_WIDTH: Final = 46
_COUNTED_WIDTH: Final = 84
_NAME_WIDTH: Final = 130


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
    windows = _data.windows(address, summary.name, summary.token)
    window = choose_window(windows)
    models, columns = _axes(counted, config)
    chosen = choose_parts(models, columns)
    kept = [column for column in columns if column.test in chosen.tests]
    head(listing, summary, counted, windows, window, config)
    if not _say_filters(chosen) or not kept:
        return
    if window is None:
        _over_windows(address, summary, counted, windows, chosen, kept, config, units)
    else:
        _in_window(address, summary, window, chosen, kept, units)
    failures_table(units)
    remember()


def _axes(counted: Overview, config: ExperimentConfig | None) -> tuple[list[str], tuple[Column, ...]]:
    """Give models and columns, in the experiment's order, of what it plans and of what it has."""
    places = [(cell.test, cell.reference) for cell in counted.cells]
    models = [cell.model for cell in counted.cells]
    references = [cell.reference for cell in counted.cells if cell.reference is not None]
    registered: dict[str, str] = {}
    if config is not None:
        places += [(test.name, test.reference) for test in config.tests]
        models = [model.name for model in config.models] + models
        registered = {test.name: test.test for test in config.tests}
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


def _in_window(
    address: str,
    summary: ExperimentSummary,
    window: TimeWindow,
    chosen: Chosen,
    columns: Sequence[Column],
    units: Sequence[UnitRecord],
) -> None:
    rows = _data.window_rows(address, summary.name, summary.token, window)
    here = [unit for unit in units if unit.label.window == window]
    matrix = window_matrix(chosen.models, columns, rows, here)
    models = sorted_models(matrix, _sorting(columns))
    matrix = window_matrix(models, columns, rows, here)
    st.caption(
        "The number below a mark is the quantile that decides; T shows the information gain, a score itself. "
        "Click a mark for its distribution."
    )
    theme = theme_of(st.context.theme.type)
    st.html(window_legend((cell.status for cell in matrix.cells), theme))
    place = _draw(window_figure(matrix, theme), matrix)
    if place is not None:
        model, test, reference = place
        has_result = any(
            cell.row is not None and (cell.model, cell.column.test, cell.column.reference) == place
            for cell in matrix.cells
        )
        if has_result:
            label = Label(experiment=summary.name, test=test, model=model, reference=reference, window=window)
            _open(label.slot)
    show_table(window_table(matrix), f"{summary.name}_{window.id}")


def _over_windows(
    address: str,
    summary: ExperimentSummary,
    counted: Overview,
    windows: _data.Windows,
    chosen: Chosen,
    columns: Sequence[Column],
    config: ExperimentConfig | None,
    units: Sequence[UnitRecord],
) -> None:
    alphas = dict(windows.alphas)
    growing = windows.overlap
    if config is not None:
        alphas |= {test.name: config.alpha if test.alpha is None else test.alpha for test in config.tests}
        growing = growing or config.growth == "cumulative"
    else:
        alphas = {column.test: max(alphas.values(), default=0.05) for column in columns} | alphas

    totals = {} if growing else _sums_of_scores(address, summary, counted)

    def count(models: Sequence[str]) -> CountedMatrix:
        return counted_matrix(
            models,
            columns,
            counted,
            expected=counted.n_windows if config is None else len(config.windows),
            alphas=alphas,
            independent=not growing,
            units=units,
            totals=totals,
        )

    matrix = count(sorted_models(count(chosen.models), _sorting(columns)))
    if growing:
        note = "The windows overlap, so their results depend on one another: no limit of chance is drawn."
    else:
        note = (
            "Rejected windows of those with a verdict. A true forecast is rejected now and then as well; a "
            "ring marks more rejections than chance gives in 95 % of cases."
        )
    st.caption(f"{note} Click a cell for its latest window.")
    theme = theme_of(st.context.theme.type)
    legend = counted_legend(
        theme,
        ring=any(cell.beyond_chance for cell in matrix.cells),
        comparisons=any(cell.decided and cell.column.reference is not None for cell in matrix.cells),
        scores=any(cell.total is not None for cell in matrix.cells),
    )
    st.html(legend)
    place = _draw(counted_figure(matrix, theme), matrix)
    if place is not None:
        model, test, reference = place
        rows = _data.series(address, summary.name, summary.token, test, model, reference)
        if rows:
            _open(rows[-1].label.slot)
    show_table(counted_table(matrix), f"{summary.name}_all_windows")


def _sums_of_scores(
    address: str, summary: ExperimentSummary, counted: Overview
) -> dict[tuple[str, str, str | None], float | None]:
    """Add up scores over all windows, by model, test and reference."""
    return {
        (cell.model, cell.test, cell.reference): _data.score_sum(
            address, summary.name, summary.token, cell.test, cell.model, cell.reference
        )
        for cell in counted.cells
        if Outcome.SCORE_ONLY in cell.outcomes
    }


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


def _draw(figure: Any, matrix: WindowMatrix | CountedMatrix) -> tuple[str, str, str | None] | None:
    """Show the matrix; give the cell that was clicked, if one was."""
    cell = _COUNTED_WIDTH if isinstance(matrix, CountedMatrix) else _CELL_WIDTH
    with scrolled("matrix", _NAME_WIDTH + cell * len(matrix.columns)):
        event = st.plotly_chart(
            figure,
            key="matrix",
            on_select="rerun",
            selection_mode="points",
            config=PLOT,
            alt=f"Matrix of {count_of(len(matrix.models), 'model')} by "
            f"{count_of(len(matrix.columns), 'test')}; the table below has the same content",
        )
    return chosen_cell(event)


def _open(slot: str) -> None:
    remember()
    st.switch_page("views/result.py", query_params={"slot": slot})


if __name__ == "__main__":
    show()
