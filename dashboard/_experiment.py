"""What an experiment has, put in the order in which pages and reports show it; no Streamlit."""

import math
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from statistics import fmean
from typing import Final

import numpy as np

from dashboard.figures.cells import Column, CountedMatrix, Span, columns_of, counted_matrix
from forequake.config import ExperimentConfig
from forequake.evaluations.registry import TESTS
from forequake.evaluations.scores import total_score
from forequake.results import EvaluationRecord, Outcome, UnitRecord
from forequake.windows import TimeWindow
from stores import Overview, OverviewCell, ResultColumns, ResultQuery, ResultRow, ResultsStore

__all__ = [
    "MOST_IN_COLUMNS",
    "MOST_ROWS",
    "PAGE",
    "Place",
    "ScoreSummary",
    "WindowSummary",
    "Windows",
    "axes",
    "count_windows",
    "is_dependent",
    "over_windows_of",
    "pairs_since",
    "place_of",
    "registered_name",
    "rows_of",
    "summary_of",
    "units_of",
    "windows_of",
]

#: Model, test and reference.
Place = tuple[str, str, str | None]

#: So many results are asked for at once: a question takes at most 0.15 s.
PAGE: Final = 2_500
#: So many are read at most, and so many as columns.
MOST_ROWS: Final = 50_000
MOST_IN_COLUMNS: Final = 100_000
#: Of so many tests the windows are looked for.
_MOST_TESTS: Final = 5


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


def rows_of(store: ResultsStore, query: ResultQuery) -> list[ResultRow]:
    """Read an answer piece by piece: all of it, but for the largest experiments."""
    query = query.model_copy(update={"limit": PAGE})
    rows: list[ResultRow] = []
    while len(rows) < MOST_ROWS:
        page = store.latest(query)
        rows += page.rows
        if page.cursor is None:
            break
        query = query.model_copy(update={"cursor": page.cursor})
    return rows


def registered_name(store: ResultsStore, counted: Overview, test: str) -> str | None:
    """Give forequake's name of a test by one of its results; None where it has none."""
    cell = next((cell for cell in counted.cells if cell.test == test), None)
    if cell is None:
        return None
    # Of one model few results are put into order to find the first.
    query = ResultQuery(experiment=counted.experiment, tests=(test,), models=(cell.model,), limit=1)
    rows = store.latest(query).rows
    return rows[0].test if rows else None


def windows_of(
    counted: Overview,
    spanning: Collection[str],
    spans: Collection[TimeWindow],
    columns: Callable[[str], ResultColumns | None],
) -> Windows:
    """List the windows: those of the tests that have most, joined by others where some lack.

    Parameters
    ----------
    spanning
        Tests over all windows, by the experiment's names: their results are in no window. An experiment of
        nothing else has the span of all windows for its only one.
    spans
        The spans of their results.
    columns
        Reads the results of a test.
    """
    found: dict[TimeWindow, int] = {}
    alphas: dict[str, float] = {}
    cells = [cell for cell in counted.cells if cell.test not in spanning] or list(counted.cells)
    totals = Counter[str]()
    for cell in cells:
        totals[cell.test] += cell.n_windows
    # Of as many windows those first that take the least reading: tests of all pairs come last.
    cells.sort(key=lambda cell: (-cell.n_windows, totals[cell.test]))
    for test in list(dict.fromkeys(cell.test for cell in cells))[:_MOST_TESTS]:
        read = columns(test)
        if read is None:
            continue
        events = np.zeros(len(read.windows), dtype=np.int64)
        events[read.window] = read.n_observed
        found |= dict(zip(read.windows, events.tolist(), strict=True))
        alphas[test] = read.forms[read.form[-1]].alpha
        if len(found) >= counted.n_windows:
            break
    count = counted.n_windows - len(set(spans) - set(found))
    ordered = sorted(found.items(), key=lambda item: (item[0].start, item[0].end))
    listed = tuple(WindowSummary(window, events) for window, events in ordered)
    return Windows(listed, count, complete=len(listed) >= count, alphas=alphas)


def over_windows_of(
    store: ResultsStore, columns: Iterable[ResultColumns]
) -> tuple[tuple[ResultRow, Span], ...]:
    """Read results over windows, and what they are made from: in each place the one with the latest end.

    Parameters
    ----------
    columns
        Of the tests over windows.
    """
    latest: dict[TimeWindow, set[Place]] = {}
    experiment = ""
    for each in columns:
        experiment = each.experiment
        for label in (each.label(place) for place in _latest_ends(each)):
            latest.setdefault(label.window, set()).add((label.model, label.test, label.reference))
    rows = []
    for window, places in latest.items():
        tests = tuple(sorted({test for _, test, _ in places}))
        query = ResultQuery(experiment=experiment, tests=tests, window=window)
        rows += [row for row in rows_of(store, query) if place_of(row) in places]
    records = store.get_many(EvaluationRecord, [row.key for row in rows])
    return tuple(
        (row, Span(records[row.key].n_windows or 0, records[row.key].missing))
        for row in rows
        if row.key in records
    )


def _latest_ends(columns: ResultColumns) -> list[int]:
    """Give the place of the result with the latest end, of each model and reference."""
    ends = columns.ends[columns.window]
    order = np.lexsort((np.arange(len(columns)), -ends))
    who = columns.model.astype(np.int64) * (len(columns.references) + 1) + columns.reference
    _, first = np.unique(who[order], return_index=True)
    found: list[int] = order[np.sort(first)].tolist()
    return found


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


def summary_of(columns: ResultColumns) -> ScoreSummary:
    """Sum up scores of one test, where they add up; else give mean and range, unless the test's do add up."""
    there = columns.where(~np.isnan(columns.statistic))
    if not len(there):
        return ScoreSummary()
    values = there.statistic.tolist()
    test = there.forms[there.form[0]].test
    if test not in TESTS or TESTS[test].adds_up:
        windows = [there.windows[code] for code in there.window]
        return ScoreSummary(total=total_score(test, dict(zip(windows, values, strict=True))))
    if {math.inf, -math.inf} <= set(values):
        return ScoreSummary()
    return ScoreSummary(spread=(fmean(values), min(values), max(values)))


def pairs_since(listed: Sequence[WindowSummary], n_rows: int, most: int = MOST_ROWS) -> datetime | None:
    """Give from when on the results of windows, so many in each, fit into what is read; None for all."""
    fitting = most // max(n_rows, 1)
    return None if len(listed) <= fitting else listed[-fitting].window.start
