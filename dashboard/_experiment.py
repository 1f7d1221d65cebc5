"""What an experiment has, put in the order in which pages and reports show it; no Streamlit."""

import math
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import fmean
from typing import Final

from dashboard.figures.cells import Column, CountedMatrix, columns_of, counted_matrix
from forequake.config import ExperimentConfig
from forequake.evaluations.registry import TESTS
from forequake.evaluations.scores import total_score
from forequake.results import Outcome, UnitRecord
from forequake.windows import TimeWindow
from stores import Overview, OverviewCell, ResultQuery, ResultRow, ResultsStore

__all__ = [
    "GRID_PAGES",
    "MOST_PAGES",
    "PAGE",
    "Place",
    "ScoreSummary",
    "WindowSummary",
    "Windows",
    "axes",
    "count_windows",
    "is_dependent",
    "latest_ends",
    "pages",
    "pairs_since",
    "place_of",
    "summary_of",
    "units_of",
    "windows_of",
]

#: Model, test and reference.
Place = tuple[str, str, str | None]

#: A page of the store, and how many of them are read at most.
PAGE: Final = 10_000
MOST_PAGES: Final = 5
#: How many where rows are put into arrays at once, and not kept.
GRID_PAGES: Final = 10


@dataclass(frozen=True)
class WindowSummary:
    """A window of an experiment and its number of target events."""

    window: TimeWindow
    n_observed: int


@dataclass(frozen=True)
class Windows:
    """The windows that have results, in order of time.

    Attributes
    ----------
    count
        Number of windows with results; the largest experiments have more than a page can list.
    alphas
        Level of each test that was read, by the experiment's name.
    complete
        Whether all are listed.
    """

    listed: tuple[WindowSummary, ...]
    count: int
    complete: bool
    alphas: dict[str, float]

    @property
    def overlap(self) -> bool:
        """Whether windows share time, so that their results depend on one another."""
        spans = [summary.window for summary in self.listed]
        return any(former.end > latter.start for former, latter in pairwise(spans))


@dataclass(frozen=True)
class ScoreSummary:
    """The scores of windows: their sum where they add up, else mean, least and greatest one."""

    total: float | None = None
    spread: tuple[float, float, float] | None = None


def pages(store: ResultsStore, query: ResultQuery, most: int = MOST_PAGES) -> list[ResultRow]:
    """Read the first pages of an answer: all of it, but for the largest experiments."""
    rows: list[ResultRow] = []
    for _ in range(most):
        page = store.latest(query)
        rows += page.rows
        if page.cursor is None:
            break
        query = query.model_copy(update={"cursor": page.cursor})
    return rows


def windows_of(
    counted: Overview,
    spanning: Collection[str],
    spans: Collection[TimeWindow],
    series: Callable[[OverviewCell], Sequence[ResultRow]],
) -> Windows:
    """List the windows: those of the test and model that have most, joined by others where some lack.

    Parameters
    ----------
    spanning
        Tests over all windows, by the experiment's names: their results are in no window. An experiment of
        nothing else has the span of all windows for its only one.
    spans
        The spans of their results.
    series
        Reads the results of a test of a model.
    """
    found: dict[TimeWindow, int] = {}
    alphas: dict[str, float] = {}
    cells = [cell for cell in counted.cells if cell.test not in spanning] or list(counted.cells)
    cells.sort(key=lambda cell: -cell.n_windows)
    for cell in cells[:MOST_PAGES]:
        rows = series(cell)
        found |= {row.label.window: row.n_observed for row in rows}
        alphas |= {row.label.test: row.alpha for row in rows[-1:]}
        if len(found) >= counted.n_windows:
            break
    count = counted.n_windows - len(set(spans) - set(found))
    ordered = sorted(found.items(), key=lambda item: (item[0].start, item[0].end))
    listed = tuple(WindowSummary(window, events) for window, events in ordered)
    return Windows(listed, count, complete=len(listed) >= count, alphas=alphas)


def latest_ends(rows: Iterable[ResultRow]) -> list[ResultRow]:
    """Of the results over windows in each place keep the one with the latest end."""
    latest: dict[Place, ResultRow] = {}
    for row in rows:
        place = place_of(row)
        if place not in latest or row.label.window.end > latest[place].label.window.end:
            latest[place] = row
    return list(latest.values())


def place_of(row: ResultRow) -> Place:
    """Give model, test and reference of a result."""
    return row.label.model, row.label.test, row.label.reference


def axes(
    counted: Overview, config: ExperimentConfig | None, registered_name: Callable[[str], str | None]
) -> tuple[list[str], tuple[Column, ...]]:
    """Give models and columns, in the experiment's order, of what it plans and of what it has.

    Parameters
    ----------
    registered_name
        Gives forequake's name of a test that the experiment's files have no more.
    """
    places = [(cell.test, cell.reference) for cell in counted.cells]
    models = [cell.model for cell in counted.cells]
    references = [cell.reference for cell in counted.cells if cell.reference is not None]
    registered: dict[str, str] = {}
    if config is not None:
        places += [(test.name, test.reference) for test in config.tests]
        models = [model.name for model in config.models] + models
        registered = {test.name: test.test for test in config.tests}
    for test in {test for test, _ in places} - set(registered):
        name = registered_name(test)
        registered |= {} if name is None else {test: name}
    return list(dict.fromkeys(models + references)), columns_of(places, registered)


def is_dependent(windows: Windows, config: ExperimentConfig | None) -> bool:
    """Tell whether windows share time, so that their results depend on one another."""
    return windows.overlap or (config is not None and config.growth == "cumulative")


def units_of(units: Iterable[UnitRecord], config: ExperimentConfig | None) -> tuple[UnitRecord, ...]:
    """Leave out computations of models and windows that the experiment's files do not name any more."""
    if config is None or not config.windows:
        return tuple(units)
    models, windows = {model.name for model in config.models}, set(config.windows)
    first, ends = min(window.start for window in windows), {window.end for window in windows}
    return tuple(
        unit
        for unit in units
        if unit.label.model in models
        and (
            unit.label.window in windows
            or (unit.label.window.start == first and unit.label.window.end in ends)  # over windows
        )
    )


def count_windows(
    models: Sequence[str],
    columns: Sequence[Column],
    counted: Overview,
    windows: Windows,
    config: ExperimentConfig | None,
    scores: Callable[[OverviewCell], ScoreSummary],
    *,
    units: Collection[UnitRecord] = (),
    opponents: int = 0,
) -> CountedMatrix:
    """Count an experiment's results over all windows.

    Parameters
    ----------
    scores
        Sums up the scores of a test of a model.
    opponents
        Number of models with which a test against all others compares each of them.
    """
    alphas = dict(windows.alphas)
    if config is None:
        alphas = {column.test: max(alphas.values(), default=0.05) for column in columns} | alphas
    else:
        for test in config.tests:
            alphas[test.name] = config.alpha if test.alpha is None else test.alpha
    summaries: Mapping[Place, ScoreSummary] = {
        (cell.model, cell.test, cell.reference): scores(cell)
        for cell in counted.cells
        if Outcome.SCORE_ONLY in cell.outcomes
    }
    dependent = is_dependent(windows, config)
    return counted_matrix(
        models,
        columns,
        counted,
        expected=windows.count if config is None else len(config.windows),
        alphas=alphas,
        independent=not dependent,
        units=units,
        totals={} if dependent else {place: found.total for place, found in summaries.items()},
        spreads={place: found.spread for place, found in summaries.items()},
        opponents=opponents,
    )


def summary_of(rows: Collection[ResultRow]) -> ScoreSummary:
    """Sum up scores of one test, where they add up; else give mean and range, unless the test's do add up."""
    scores = {row.label.window: row.statistic for row in rows if row.statistic is not None}
    if not scores:
        return ScoreSummary()
    test = next(row.test for row in rows)
    if test not in TESTS or TESTS[test].adds_up:
        return ScoreSummary(total=total_score(test, scores))
    values = list(scores.values())
    if {math.inf, -math.inf} <= set(values):
        return ScoreSummary()
    return ScoreSummary(spread=(fmean(values), min(values), max(values)))


def pairs_since(
    listed: Sequence[WindowSummary], n_rows: int, most_pages: int = MOST_PAGES
) -> datetime | None:
    """Give from when on the results of windows, so many in each, fit into what is read; None for all."""
    most = PAGE * most_pages // max(n_rows, 1)
    return None if len(listed) <= most else listed[-most].window.start
