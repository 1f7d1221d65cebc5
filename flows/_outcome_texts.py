"""Outcomes in words, for tables: the same in the terminal, in Prefect's pages and in files."""

import math
from collections.abc import Collection, Iterable, Sequence
from statistics import fmean
from typing import Final

from forequake.evaluations.registry import TESTS
from forequake.evaluations.scores import total_score
from forequake.natural_order import natural
from forequake.quantities import Sha256
from forequake.results import EvaluationRecord, Outcome, SimulatedDistribution
from forequake.wording import count_of
from stores import ResultRow, ResultsStore

__all__ = [
    "SpanParts",
    "cell_text",
    "column_name",
    "is_against_all",
    "is_over_windows",
    "outcome_table",
    "over_windows_text",
    "pairs_text",
    "pycsep_sentence",
    "quantile_text",
    "reason_lines",
    "score_sums",
    "span_parts",
]

#: Ids of the windows that a result over windows lacks, behind the number of those that it is made from.
SpanParts = tuple[int, tuple[str, ...]]

#: A table names so many reasons why results are undefined.
_MOST_REASONS: Final = 8
_NAMES: Final = {
    "p_adjusted": "corrected p",
    "w_p": "p of W",
    "w_p_adjusted": "corrected p of W",
    "family": "family of",
}


def is_over_windows(row: ResultRow) -> bool:
    """Tell whether a result is made from several windows, and so belongs to none of them."""
    return row.test in TESTS and TESTS[row.test].scope == "windows"


def column_name(row: ResultRow) -> str:
    """Name a column of the matrix: the test, and its reference where it has one.

    A test that compares all models with each other has one column.
    """
    name = row.label.test
    return name if row.label.reference is None or is_against_all(row) else f"{name} vs {row.label.reference}"


def is_against_all(row: ResultRow) -> bool:
    return row.test in TESTS and TESTS[row.test].against_all


def span_parts(store: ResultsStore, row: ResultRow) -> SpanParts:
    """Give how many windows a result over windows is made from, and which it lacks."""
    record = store.get(EvaluationRecord, row.key)
    return record.n_windows or 0, record.missing


def over_windows_text(parts: SpanParts) -> str:
    """Say of how many windows something is made, and how many are missing.

    Examples
    --------
    >>> over_windows_text((7, ("2020-01-01_2020-01-08",))), over_windows_text((1, ()))
    ('over 7 windows, 1 missing', 'over 1 window')
    """
    count, missing = parts
    lacking = f", {len(missing)} missing" if missing else ""
    return f"over {count_of(count, 'window')}{lacking}"


def cell_text(store: ResultsStore, rows: list[ResultRow]) -> str:
    """Say the outcomes of one test of one model: in words for one window, counted or summed for several."""
    if rows[0].kind == "score":
        return _score_text(rows)
    if is_over_windows(rows[0]):
        latest = max(rows, key=lambda row: row.label.window.end)
        return f"{_outcome_text(store, latest)}, {over_windows_text(span_parts(store, latest))}"
    if is_against_all(rows[0]):
        many = len({row.label.window for row in rows}) > 1
        form = "better {better}, worse {worse} of {defined} comparisons"
        return _counted_text(rows, form if many else "better than {better}, worse than {worse} of {defined}")
    if len(rows) == 1:
        return _outcome_text(store, rows[0])
    if rows[0].kind == "comparison":
        return _counted_text(rows, "better {better}, worse {worse} of {defined}")
    return _counted_text(rows, "rejected {rejected}/{defined}")


def pairs_text(rows: Sequence[ResultRow]) -> str:
    """Name the models than which one is better and worse in a window.

    Parameters
    ----------
    rows
        Of one model in one window, one for each other model.
    """
    names = {
        outcome: [str(row.label.reference) for row in rows if row.outcome is outcome] for outcome in Outcome
    }
    words = (
        (Outcome.BETTER, "better than"),
        (Outcome.WORSE, "worse than"),
        (Outcome.UNDEFINED, "undefined:"),
    )
    said = [f"{word} {', '.join(names[outcome])}" for outcome, word in words if names[outcome]]
    if names[Outcome.NO_DIFFERENCE]:
        said.append(f"no difference from {len(names[Outcome.NO_DIFFERENCE])}")
    return "; ".join(said)


def _outcome_text(store: ResultsStore, row: ResultRow) -> str:
    outcome = row.outcome.value.replace("_", " ")
    numbers = quantile_text(store, row)
    return f"{outcome} ({numbers})" if numbers else outcome


def _counted_text(rows: Sequence[ResultRow], form: str) -> str:
    found = {outcome.value: sum(row.outcome is outcome for row in rows) for outcome in Outcome}
    undefined = found["undefined"]
    text = form.format(**found, defined=len(rows) - undefined)
    return f"{text}, undefined {undefined}" if undefined else text


def _score_text(rows: list[ResultRow]) -> str:
    scores = {row.label.window: row.statistic for row in rows if row.statistic is not None}
    parts = []
    if len(rows) == 1 and scores:
        parts.append(f"{rows[0].statistic:.6g}")
    elif scores:
        parts.append(_of_windows(rows[0].test, total_score(rows[0].test, scores), list(scores.values())))
    if len(scores) < len(rows):
        parts.append(f"undefined {len(rows) - len(scores)}" if len(rows) > 1 else "undefined")
    return ", ".join(parts)


def _of_windows(test: str, total: float | None, scores: list[float]) -> str:
    """Say the sum of scores, mean and range where they are of a kind that has no sum, or their number."""
    of = f"of {count_of(len(scores), 'window')}"
    if total is not None:
        return f"sum {total:.6g} {of}"
    if test in TESTS and not TESTS[test].adds_up and not {math.inf, -math.inf} <= set(scores):
        span = "" if len(scores) == 1 else f" ({min(scores):.4g} to {max(scores):.4g})"
        return f"mean {fmean(scores):.4g}{span} {of}"
    return f"{len(scores)} scores"


def pycsep_sentence(rows: Iterable[ResultRow], keys: Collection[Sha256]) -> str | None:
    """Say which columns have the numbers of pyCSEP, by the keys of their results; None where none has."""
    columns = dict.fromkeys(column_name(row) for row in rows if row.key in keys)
    return f"Numbers of pyCSEP, not forequake's own: {', '.join(columns)}." if columns else None


def quantile_text(store: ResultsStore, row: ResultRow) -> str:
    """Give the quantiles of a result by name, to three digits; 0 of n simulations is less than 1/n."""
    if row.outcome is Outcome.UNDEFINED or row.quantiles is None:
        return ""
    named = row.quantiles.named()
    drawn = _simulations(store, row) if 0 in named.values() else None
    parts = []
    for name, value in named.items():
        shown = _NAMES.get(name, name)
        if name == "t_critical":
            continue
        if value == 0 and name != "t":
            parts.append(f"{shown} < 1/{drawn}" if drawn else f"{shown} < 1e-300")
        else:
            parts.append(f"{shown} {value:.3g}")
    return ", ".join(parts)


def _simulations(store: ResultsStore, row: ResultRow) -> int | None:
    """Give the number of catalogs that a quantile was counted from; None for one that was not counted."""
    record = store.get(EvaluationRecord, row.key)
    if isinstance(record.distribution, SimulatedDistribution):
        return record.distribution.size
    return record.num_simulations


def reason_lines(rows: Iterable[ResultRow]) -> list[str]:
    """Say why results are undefined, and the columns of the matrix that each reason explains.

    Reasons that differ only by the numbers in their brackets are said once.
    """
    reasons: dict[str, tuple[set[str], dict[str, None]]] = {}
    for row in rows:
        if row.outcome is Outcome.UNDEFINED and row.reason:
            full, columns = reasons.setdefault(row.reason.partition(" (")[0], (set(), {}))
            full.add(row.reason)
            columns[column_name(row)] = None
    lines = [
        f"Undefined, {', '.join(columns)}: {next(iter(full)) if len(full) == 1 else reason}."
        for reason, (full, columns) in reasons.items()
    ]
    more = len(lines) - _MOST_REASONS
    return lines if more <= 0 else [*lines[:_MOST_REASONS], f"... and {more} more reasons."]


def score_sums(rows: Iterable[ResultRow]) -> list[str]:
    """Say the sums of scores over windows, or their means: a sentence for each test and model."""
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
    """Give the outcome matrix: a row for each model, a column for each test, in the order of the tests.

    Tests over all windows stand behind those of windows.
    """
    cells: dict[str, dict[str, list[ResultRow]]] = {}
    columns: dict[str, tuple[bool, int]] = {}
    order = {name: number for number, name in enumerate(TESTS)}
    for row in rows:
        column = column_name(row)
        columns[column] = is_over_windows(row), order.get(row.test, len(order))
        cells.setdefault(row.label.model, {}).setdefault(column, []).append(row)
    names = sorted(columns, key=lambda name: (columns[name], name))
    return [
        {"model": model} | {name: cell_text(store, row[name]) if name in row else "" for name in names}
        for model, row in sorted(cells.items(), key=lambda item: natural(item[0]))
    ]
