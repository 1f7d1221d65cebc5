"""The matrices of the overview: windows counted, and results over windows."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlencode

import plotly.graph_objects as go
import streamlit as st

from dashboard import _data
from dashboard._experiment import Place, count_windows, is_dependent
from dashboard._theme import Theme
from dashboard._words import count_of
from dashboard.figures.alarms import DIAGRAMS
from dashboard.figures.bands import bands, least_width
from dashboard.figures.cells import (
    Column,
    CountedMatrix,
    WindowCell,
    WindowMatrix,
    window_matrix,
)
from dashboard.figures.legend import window_legend
from dashboard.figures.marks import MARKS
from dashboard.figures.matrix import matrix_figure
from dashboard.views._filters import link_to
from dashboard.views._kinds import GAINS, definition_of
from dashboard.views._opening import open_slot, slots_of
from dashboard.views._parts import chosen_cell, clickable
from dashboard.views._tables import show_table, window_table
from forequake.config import ExperimentConfig
from forequake.results import UnitRecord
from stores import Overview, OverviewCell

__all__ = [
    "Page",
    "count_page",
    "draw_matrix",
    "matrix_files",
    "same",
    "show_over_windows",
]


@dataclass(frozen=True)
class Page:
    """What the overview shows.

    Attributes
    ----------
    address, name, token
        Of the store, the experiment, and its state.
    models, columns
        What the filters leave.
    """

    address: str
    name: str
    token: int
    config: ExperimentConfig | None
    units: tuple[UnitRecord, ...]
    models: tuple[str, ...]
    all_models: tuple[str, ...]
    columns: tuple[Column, ...]
    theme: Theme

    def dependent(self, windows: _data.Windows) -> bool:
        """Tell whether windows share time, so that their results depend on one another."""
        return is_dependent(windows, self.config)


def count_page(
    page: Page, counted: Overview, windows: _data.Windows, columns: Sequence[Column]
) -> CountedMatrix:
    """Count an experiment's results over all windows."""

    def scores(cell: OverviewCell) -> _data.ScoreSummary:
        return _data.score_summary(page.address, page.name, page.token, cell.test, cell.model, cell.reference)

    return count_windows(
        page.models,
        columns,
        counted,
        windows,
        page.config,
        scores,
        units=page.units,
        opponents=len(page.all_models) - 1,
    )


def show_over_windows(page: Page) -> None:
    """Show the results over all windows, each a cell of its own."""
    columns = [column for column in page.columns if column.scope == "windows"]
    if not columns:
        return
    tests = tuple(sorted({column.test for column in columns}))
    found = _data.over_windows(page.address, page.name, page.token, tests)
    rows = [row for row, _ in found]
    units = [unit for unit in page.units if unit.label.test in tests]
    matrix = window_matrix(page.models, columns, rows, units, {row.key: span for row, span in found})
    st.subheader("Over all windows")
    lacking = {window for _, span in found for window in span.missing}
    missing = f" {count_of(len(lacking), 'window')} missing from some of them." if lacking else ""
    st.caption(
        f"One result of each model, made from all windows that have ended.{missing} The number below a mark "
        "is the quantile that decides, or the information gain. Click a mark for the picture."
    )
    st.html(window_legend((cell.status for cell in matrix.cells), page.theme))
    place = draw_matrix(matrix, page, "over-windows")
    for cell in matrix.cells:
        if place is not None and cell.row is not None and same(cell, place):
            open_slot(cell.row.label.slot)
    file = f"{page.name}_over_windows"
    opens = slots_of(cell.row for cell in matrix.cells)
    show_table(window_table(matrix), file, matrix_files(matrix, page.theme, file), opens=opens)


def draw_matrix(matrix: WindowMatrix | CountedMatrix, page: Page, key: str) -> Place | None:
    """Show a matrix, in bands where it has many tests; give the cell that was clicked, if one was."""
    chosen = None
    found = {column: _page_of(page, column) for column in matrix.columns}
    links = {column: link for column, link in found.items() if link is not None}
    for number, part in enumerate(bands(matrix)):
        name = f"{key}-{number + 1}" if number else key
        carried = clickable(
            matrix_figure(part, page.theme, links),
            name,
            least=least_width(part),
            alt=f"Matrix of {count_of(len(part.models), 'model')} by "
            f"{count_of(len(part.columns), 'test')}: {_said(part)}; the table below has the same content",
        )
        chosen = chosen or chosen_cell(carried)
    return chosen


def _said(matrix: WindowMatrix | CountedMatrix) -> str:
    """Say in words what a matrix shows: its outcomes by number, or its rings."""
    if isinstance(matrix, CountedMatrix):
        ringed = [f"{cell.column.name} of {cell.model}" for cell in matrix.cells if cell.beyond_chance]
        return f"more rejections than chance gives in {', '.join(ringed) or 'no cell'}"
    statuses = [cell.status for cell in matrix.cells]
    return ", ".join(
        f"{statuses.count(status)} {mark.label}" for status, mark in MARKS.items() if status in statuses
    )


def _page_of(page: Page, column: Column) -> str | None:
    """Give the address of the page that shows one test of all models; None where there is none.

    Pages of scores have their own choice of one, and show other tests besides.
    """
    known = definition_of(page, column.test)
    if known is not None and known.name in DIAGRAMS:
        to, more = "alarms", {"alarm_diagram": column.test}
    elif known is not None and known.kind == "score" and known.name in GAINS:
        to, more = "time", {"time_score": column.test}
    elif column.reference is not None or column.against_all:
        to, more = "comparison", {"test": column.test}
        if column.reference is not None:
            more["against"] = column.reference
    elif known is not None and known.kind == "consistency" and not known.of:
        to, more = "consistency", {"test": column.test}
    else:
        return None
    query = {name: value for name, value in link_to(**more).items() if name not in more} | more
    return f"{to}?{urlencode(query, doseq=True)}"


def matrix_files(
    matrix: WindowMatrix | CountedMatrix, theme: Theme, name: str
) -> dict[str, Callable[[], go.Figure]]:
    """Give what draws a matrix again for its files, band by band."""
    parts = bands(matrix)
    names = [name] if len(parts) == 1 else [f"{name}_{number + 1}" for number in range(len(parts))]
    return {name: partial(matrix_figure, part, theme) for name, part in zip(names, parts, strict=True)}


def same(cell: WindowCell, place: Place) -> bool:
    """Tell whether a cell is in a place."""
    return (cell.model, cell.column.test, cell.column.reference) == place
