"""Outcomes in words, for tables: the same in the terminal, in Prefect's pages and in files."""

import re
from collections.abc import Callable, Collection, Iterable, Iterator
from datetime import timedelta
from statistics import median

from pydantic import ValidationError

from forequake.config import ExperimentConfig
from forequake.evaluations.registry import COMPAT_FLAG, TESTS
from forequake.evaluations.scores import total_score
from forequake.places import incomplete_windows, labels_of
from forequake.quantities import Sha256
from forequake.results import EvaluationRecord, ExperimentRecord, Label, Outcome, UnitRecord
from stores import ResultQuery, ResultRow, ResultsStore

__all__ = [
    "all_rows",
    "artifact_key",
    "cell_text",
    "column_name",
    "current_config",
    "current_rows",
    "current_units",
    "outcome_table",
    "pycsep_sentence",
    "quantile_text",
    "score_sums",
    "undefined_reasons",
    "window_marks",
    "with_pycsep_numbers",
]


def all_rows(store: ResultsStore, query: ResultQuery) -> Iterator[ResultRow]:
    """Read all pages of a query."""
    while True:
        page = store.latest(query)
        yield from page.rows
        if page.cursor is None:
            return
        query = query.model_copy(update={"cursor": page.cursor})


def current_rows(store: ResultsStore, experiment: str) -> tuple[list[ResultRow], int]:
    """Read the results that an experiment has as its files were in its latest run.

    Returns
    -------
    list of ResultRow
        In the order of windows.
    int
        Number of results of earlier versions of the files, with models, tests or windows that are gone.
    """
    has = _is_current(store, experiment)
    rows = list(all_rows(store, ResultQuery(experiment=experiment, limit=10_000)))
    current = [row for row in rows if has(row.label)]
    current.sort(key=lambda row: (row.label.window.start, row.label.window.end))
    return current, len(rows) - len(current)


def current_units(store: ResultsStore, experiment: str) -> list[UnitRecord]:
    """Read the units that are under way or ended badly, as far as the latest run's files still have them."""
    has = _is_current(store, experiment)
    return [unit for unit in store.units(experiment) if has(unit.label)]


def current_config(store: ResultsStore, experiment: str) -> ExperimentConfig | None:
    """Read an experiment's configuration of its latest run; None where another version wrote it."""
    latest = next(summary for summary in store.experiments() if summary.name == experiment)
    try:
        return ExperimentConfig.model_validate(store.get(ExperimentRecord, latest.record_key).config)
    except ValidationError:
        return None


def _is_current(store: ResultsStore, experiment: str) -> Callable[[Label], bool]:
    """Give what tells whether the files of the latest run have a place."""
    config = current_config(store, experiment)
    if config is None:  # better too much than nothing
        return lambda label: True
    places = {_place(label) for label in labels_of(config)}
    return lambda label: _place(label) in places


def _place(label: Label) -> tuple[object, ...]:
    """Tell places of one experiment apart: as slots do, and quicker."""
    return label.test, label.model, label.reference, label.window.start, label.window.end


def with_pycsep_numbers(store: ResultsStore, experiment: str, rows: Iterable[ResultRow]) -> frozenset[Sha256]:
    """Give the keys of results with the numbers of pyCSEP: those of tests with ``compat: pycsep``.

    What the latest run vouched for is as its configuration says; other results are looked up one by one.
    """
    config, runs = current_config(store, experiment), store.runs(experiment, 1)
    asked = None if config is None else {test.name for test in config.tests if test.compat}

    def has(row: ResultRow) -> bool:
        known = TESTS.get(row.test)
        if known is None or not known.has_pycsep_numbers:
            return False
        if asked is not None and runs and row.run_no == runs[0].run_no:
            return row.label.test in asked
        return COMPAT_FLAG in store.get(EvaluationRecord, row.key).flags

    return frozenset(row.key for row in rows if has(row))


def pycsep_sentence(rows: Iterable[ResultRow], keys: Collection[Sha256]) -> str | None:
    """Say which columns have the numbers of pyCSEP, by the keys of their results; None where none has."""
    columns = dict.fromkeys(column_name(row) for row in rows if row.key in keys)
    return f"Numbers of pyCSEP, not forequake's own: {', '.join(columns)}." if columns else None


def window_marks(config: ExperimentConfig | None) -> dict[str, str]:
    """Say what is to be known of windows beside their results, by their ids."""
    if config is None:
        return {}
    parts = incomplete_windows(config)
    floor = f"{config.magnitudes[0]:g}"
    return {
        window.id: f"the catalog may miss events of magnitude {floor} in "
        f"{_length(parts[window.id].fraction * (window.end - window.start))} of this window"
        for window in config.windows
        if window.id in parts
    }


def _length(span: timedelta) -> str:
    """Write a length of time in the unit that suits it."""
    minutes = span.total_seconds() / 60
    if minutes < 60:
        return f"{minutes:.2g} minutes"
    return f"{minutes / 60:.3g} hours" if minutes < 4320 else f"{minutes / 1440:.3g} days"


def artifact_key(experiment: str) -> str:
    """Give the name under which Prefect keeps the history of an experiment's outcome matrix."""
    words = re.sub(r"[^a-z0-9]+", "-", experiment.lower()).strip("-")
    return f"outcomes-{words}" if words else "outcomes"


def column_name(row: ResultRow) -> str:
    """Name a column of the matrix: the test, and its reference where it has one."""
    name = row.label.test
    return name if row.label.reference is None else f"{name} vs {row.label.reference}"


def cell_text(store: ResultsStore, rows: list[ResultRow]) -> str:
    """Say the outcomes of one test of one model: in words for one window, counted or summed for several."""
    if rows[0].kind == "score":
        return _score_text(rows)
    if len(rows) == 1:
        outcome = rows[0].outcome.value.replace("_", " ")
        numbers = quantile_text(store, rows[0])
        return f"{outcome} ({numbers})" if numbers else outcome
    undefined = sum(row.outcome is Outcome.UNDEFINED for row in rows)
    defined = len(rows) - undefined
    if rows[0].kind == "comparison":
        better = sum(row.outcome is Outcome.BETTER for row in rows)
        worse = sum(row.outcome is Outcome.WORSE for row in rows)
        text = f"better {better}, worse {worse} of {defined}"
    else:
        rejected = sum(row.outcome is Outcome.REJECTED for row in rows)
        text = f"rejected {rejected}/{defined}"
    return f"{text}, undefined {undefined}" if undefined else text


def _score_text(rows: list[ResultRow]) -> str:
    scores = {row.label.window: row.statistic for row in rows if row.statistic is not None}
    total = total_score(rows[0].test, scores)
    parts = []
    if len(rows) == 1 and scores:
        parts.append(f"{next(iter(scores.values())):.6g}")
    elif scores:
        parts.append(_of_windows(rows[0].test, total, list(scores.values())))
    if len(scores) < len(rows):
        parts.append(f"undefined {len(rows) - len(scores)}" if len(rows) > 1 else "undefined")
    return ", ".join(parts)


def _of_windows(test: str, total: float | None, scores: list[float]) -> str:
    """Say the sum of scores, the middle one where they are not of a kind that adds up, or their number."""
    of = f"of {len(scores)} window{'' if len(scores) == 1 else 's'}"
    if total is not None:
        return f"sum {total:.6g} {of}"
    if test in TESTS and not TESTS[test].adds_up:
        return f"median {median(scores):.6g} {of}"
    return f"{len(scores)} scores"


def quantile_text(store: ResultsStore, row: ResultRow) -> str:
    """Give the quantiles of a result by name, to three digits; 0 of n simulations is less than 1/n."""
    if row.outcome is Outcome.UNDEFINED or row.quantiles is None:
        return ""
    parts = []
    for name, value in row.quantiles.named().items():
        if name == "t_critical":
            continue
        if name == "q" and value == 0:
            simulations = store.get(EvaluationRecord, row.key).num_simulations
            parts.append(f"q < 1/{simulations}")
        else:
            parts.append(f"{name} {value:.3g}")
    return ", ".join(parts)


def undefined_reasons(rows: Iterable[ResultRow]) -> dict[str, list[str]]:
    """Give the reasons of undefined results, and the columns of the matrix that each of them explains."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row.outcome is Outcome.UNDEFINED and row.reason:
            columns = reasons.setdefault(row.reason, [])
            if column_name(row) not in columns:
                columns.append(column_name(row))
    return reasons


def score_sums(rows: Iterable[ResultRow]) -> list[str]:
    """Say the sums of scores over windows, a sentence for each test and model that has several."""
    places: dict[tuple[str, str], list[ResultRow]] = {}
    for row in rows:
        if row.kind == "score":
            places.setdefault((column_name(row), row.label.model), []).append(row)
    return [
        f"{column} of {model}: {_score_text(found)}."
        for (column, model), found in places.items()
        if len(found) > 1
    ]


def outcome_table(store: ResultsStore, rows: Iterable[ResultRow]) -> list[dict[str, str]]:
    """Give the outcome matrix: a row for each model, a column for each test, in the order of the tests."""
    cells: dict[str, dict[str, list[ResultRow]]] = {}
    columns: dict[str, int] = {}
    order = {name: number for number, name in enumerate(TESTS)}
    for row in rows:
        column = column_name(row)
        columns[column] = order.get(row.test, len(order))
        cells.setdefault(row.label.model, {}).setdefault(column, []).append(row)
    names = sorted(columns, key=lambda name: (columns[name], name))
    return [
        {"model": model} | {name: cell_text(store, row[name]) if name in row else "" for name in names}
        for model, row in cells.items()
    ]
