"""The sections of a report, in their order: each a function that gives its blocks, or none."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final, TypeVar

from dashboard._words import count_of, window_name
from dashboard.figures.bands import bands, least_width
from dashboard.figures.cells import Column, CountedMatrix, WindowMatrix
from dashboard.figures.forest import forest_figure, forest_of
from dashboard.figures.legend import counted_legend, window_legend
from dashboard.figures.marks import Status
from dashboard.figures.matrix import matrix_figure
from dashboard.figures.pairs import pair_figure, pair_matrix
from dashboard.figures.regions import acceptance
from dashboard.figures.tables import DRAWN, counted_table, quantile_texts_of, window_table
from dashboard.report.alarms import alarm_blocks
from dashboard.report.blocks import Block, Legend, Picture, Section, Table, Words, evenly
from dashboard.report.changes import change_blocks
from dashboard.report.compared import calibration_blocks, comparison_blocks, reliability_blocks
from dashboard.report.head import head_blocks, missing_blocks, rule_blocks
from dashboard.report.material import Material
from dashboard.report.observed import catalog_blocks, count_blocks
from dashboard.report.on_maps import event_blocks, map_blocks
from dashboard.report.over_time import gain_blocks, quantile_blocks
from forequake.windows import TimeWindow

__all__ = ["SECTIONS", "sections_of"]

Maker = Callable[[Material], Iterator[Block]]
M = TypeVar("M", WindowMatrix, CountedMatrix)

#: Rows of a matrix that fit a page.
_MOST_ROWS: Final = 13

_SAYS_NUMBER: Final = (
    "The number below a mark is the quantile that decides; T shows the information gain, a score itself."
)


def _overview(of: Material) -> Iterator[Block]:
    columns = [column for column in of.columns if column.scope == "window"]
    if not columns or not of.models:
        return
    if of.window is not None:
        yield from _in_window(of, columns, of.window)
        return
    matrix = of.counts(columns)
    yield Legend(tuple(Status), lambda theme: counted_legend(theme, matrix))
    note = (
        "The windows overlap, so their results depend on one another: no limit of chance is drawn."
        if of.dependent
        else "A true forecast is rejected now and then as well; a ring marks more rejections than chance "
        "gives in 95 % of cases."
    )
    for number, part in enumerate(_on_pages(matrix)):
        yield Picture(
            name=f"overview-{number + 1}",
            draw=partial(matrix_figure, part),
            alt=f"Matrix of {count_of(len(part.models), 'model')} by {count_of(len(part.columns), 'test')}, "
            "counted over all windows; the table below has the same content",
            caption=f"In each cell: rejected windows of those with a verdict. {note}",
            least_width=least_width(part),
        )
    yield _table("All windows, counted", counted_table(matrix))


def _in_window(of: Material, columns: Sequence[Column], window: TimeWindow) -> Iterator[Block]:
    matrix = of.matrix_of(window, columns)
    yield from _matrix_blocks(matrix, "overview", f"in the window {window_name(window)}", _SAYS_NUMBER)
    compared = {column.test for column in columns if column.against_all}
    batch = [row for row in of.rows_in(window) if row.label.test in compared and row.label.model in of.models]
    yield _table("Results of this window", window_table(matrix, batch, errors=False))


def _over_windows(of: Material) -> Iterator[Block]:
    columns = [column for column in of.columns if column.scope == "windows"]
    if not columns or not of.over_windows or of.choice.window is not None:
        return
    matrix = of.matrix_over_windows(columns)
    lacking = {window for _, span in of.over_windows for window in span.missing}
    missing = f" {count_of(len(lacking), 'window')} missing from some of them." if lacking else ""
    yield Words(f"One result of each model, made from all windows that have ended.{missing}")
    how = "The number below a mark is the quantile that decides, or the information gain."
    yield from _matrix_blocks(matrix, "over-windows", "over all windows", how)
    yield _table("Results over all windows", window_table(matrix, errors=False))


def _matrix_blocks(matrix: WindowMatrix, name: str, where: str, how: str) -> Iterator[Block]:
    statuses = tuple(dict.fromkeys(cell.status for cell in matrix.cells))
    yield Legend(statuses, lambda theme: window_legend(statuses, theme))
    for number, part in enumerate(_on_pages(matrix)):
        yield Picture(
            name=f"{name}-{number + 1}",
            draw=partial(matrix_figure, part),
            alt=f"Matrix of {count_of(len(part.models), 'model')} by {count_of(len(part.columns), 'test')} "
            f"{where}; the table below has the same content",
            caption=how,
            least_width=least_width(part),
        )


def _on_pages(matrix: M) -> Iterator[M]:
    """Break a matrix into parts that fit a page, by its tests and by its models."""
    for band in bands(matrix):
        for models in evenly(matrix.models, _MOST_ROWS):
            part: Any = replace(
                band,
                models=tuple(models),
                cells=tuple(cell for cell in band.cells if cell.model in models),
            )
            if isinstance(part, WindowMatrix):
                part = replace(part, batches=tuple(cell for cell in part.batches if cell.model in models))
            yield part


def _consistency(of: Material) -> Iterator[Block]:
    window = of.one_window
    single = [
        column
        for column in of.columns
        if column.scope == "window" and (known := of.definition(column.test)) is not None
        if known.kind == "consistency" and not known.of
    ]
    if not single or window is None:
        return
    latest = "" if of.window is not None else ", the latest one with results"
    yield Words(
        f"Each test in the window {window_name(window)}{latest}: does what was observed lie where the "
        "forecast's own distribution has it? A bar reaches over all values that the test does not reject; an "
        "arrow at its end: no limit there. The thin tick is the median, the mark what was observed."
    )
    matrix = of.matrix_of(window, single)
    for column in single:
        records = of.records(
            [cell.row.key for cell in matrix.cells if cell.column == column and cell.row is not None]
        )
        forest = forest_of(matrix, column, {key: acceptance(record) for key, record in records.items()})
        if forest.test is None:
            continue
        verdicts = [row.cell.status for row in forest.rows]
        said = (
            f"{column.test} of {count_of(len(forest.rows), 'model')}: "
            f"{verdicts.count(Status.PASSED)} not rejected, {verdicts.count(Status.REJECTED)} rejected"
        )
        yield Picture(
            name=f"consistency-{column.test}",
            draw=partial(forest_figure, forest),
            alt=said,
            caption=f"{said}.",
            least_width=forest.least_width,
        )


def _pairs(of: Material) -> Iterator[Block]:
    for column in of.columns:
        if not column.against_all:
            continue
        columns = of.columns_of(column)
        if columns is not None and of.window is not None:
            columns = columns.in_window(of.window)
        matrix = pair_matrix(of.models, [] if columns is None else [columns], independent=not of.dependent)
        if not matrix.windows:
            continue
        yield Picture(
            name=f"pairs-{column.test}",
            title=column.name,
            draw=partial(pair_figure, matrix),
            alt=f"{column.test}: matrix of {count_of(len(matrix.models), 'model')} against each other",
            caption=f"{column.test}, in {count_of(len(matrix.windows), 'window')} in which all pairs have a "
            "result. Blue ▲: the model of the row is better than that of the column; orange ▼: worse, after "
            "correction for all pairs. The number is the information gain per event, in nats.",
            least_width=matrix.least_width,
        )


def _table(title: str, rows: Sequence[dict[str, Any]]) -> Table:
    """Give a table with its quantiles in words."""
    shown: list[Mapping[str, Any]] = [
        {name: value for name, value in (row | quantile_texts_of(row)).items() if name != DRAWN}
        for row in rows
    ]
    return Table(title, shown)


#: All sections with their headings.
SECTIONS: Final[tuple[tuple[str, Maker], ...]] = (
    ("The experiment", head_blocks),
    ("Overview", _overview),
    ("Over all windows", _over_windows),
    ("Consistency", _consistency),
    ("Comparison", comparison_blocks),
    ("Models against each other", _pairs),
    ("Information gain over time", gain_blocks),
    ("Window by window", quantile_blocks),
    ("Calibration", calibration_blocks),
    ("Numbers of events over windows", reliability_blocks),
    ("Alarms", alarm_blocks),
    ("Maps", map_blocks),
    ("Where the gain comes from", event_blocks),
    ("The observed catalog", catalog_blocks),
    ("Observed and expected numbers", count_blocks),
    ("What changed", change_blocks),
    ("What is missing", missing_blocks),
    ("How outcomes are decided", rule_blocks),
)


def sections_of(of: Material, progress: Callable[[str], None] = lambda title: None) -> list[Section]:
    """Make all sections that have something to say.

    Parameters
    ----------
    progress
        Told the heading of each section before it is made.
    """
    found = []
    for title, make in SECTIONS:
        progress(title)
        blocks = tuple(make(of))
        if blocks:
            found.append(Section(title, blocks))
    return found
