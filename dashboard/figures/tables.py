"""Matrices as tables: a row a cell, with the numbers as they are."""

from collections.abc import Sequence
from typing import Any, Final

from dashboard._words import error_words, is_drawn, quantile
from dashboard.figures.cells import CountedMatrix, WindowMatrix
from dashboard.figures.marks import MARKS, Status
from stores import ResultRow

__all__ = ["DRAWN", "counted_table", "quantile_texts_of", "window_table"]

_PROBABILITIES: Final = ("delta1", "delta2", "q", "p", "p_adjusted", "w_p", "w_p_adjusted")
_QUANTILES: Final = (
    "delta1",
    "delta2",
    "q",
    "t",
    "t_critical",
    "p",
    "p_adjusted",
    "w_p",
    "w_p_adjusted",
    "family",
)

#: Whether an entry's quantiles are counted from n simulations; not shown.
DRAWN: Final = "drawn"


def window_table(
    matrix: WindowMatrix, pairs: Sequence[ResultRow] = (), *, errors: bool = True
) -> list[dict[str, Any]]:
    """List the cells of one window, or of all windows, but for the reference's own.

    Parameters
    ----------
    pairs
        Results of tests against all other models.
    errors
        Whether to give the words of errors, which name files and hosts; else their kinds alone.
    """
    table = []
    for cell in matrix.cells:
        if cell.status is Status.ITSELF:
            continue
        error = None if cell.unit is None else cell.unit.error
        reason = None if cell.row is None else cell.row.reason
        if error is not None:
            reason = error_words(error) if errors else error.kind
        entry = _entry(
            cell.model, cell.column.test, cell.column.reference, MARKS[cell.status].label, cell.row
        )
        if cell.span is not None:
            missing = ", ".join(cell.span.missing) or None
            entry |= {"windows": cell.span.n_windows, "missing windows": missing}
        table.append(entry | {"reason": reason})
    for row in pairs:
        label, outcome = row.label, MARKS[Status(row.outcome.value)].label
        entry = _entry(label.model, label.test, label.reference, outcome, row)
        table.append(entry | {"reason": row.reason})
    return table


def _entry(
    model: str, test: str, reference: str | None, outcome: str, row: ResultRow | None
) -> dict[str, Any]:
    quantiles = {} if row is None or row.quantiles is None else row.quantiles.named()
    return {
        "model": model,
        "test": test,
        "reference": reference,
        "outcome": outcome,
        **{name: quantiles.get(name) for name in _QUANTILES},
        "statistic": None if row is None else row.statistic,
        "information gain": None if row is None else row.information_gain,
        "events": None if row is None else row.n_observed,
        "expected": None if row is None else row.n_forecast,
        DRAWN: row is not None and is_drawn(row.test, row.quantiles),
    }


def counted_table(matrix: CountedMatrix) -> list[dict[str, Any]]:
    """List the cells over all windows with their counts, but for the reference's own."""
    return [
        {
            "model": cell.model,
            "test": cell.column.test,
            "reference": cell.column.reference,
            "verdicts": cell.decided,
            **{
                MARKS[status].label: cell.counts.get(status, 0)
                for status in MARKS
                if status not in (Status.ITSELF, Status.RUNNING)
            },
            "share rejected": cell.share,
            "limit of chance": cell.limit,
            "p of chance, corrected": cell.p_adjusted,
            "sum of scores": cell.total,
            "mean score": None if cell.spread is None else cell.spread[0],
            "least score": None if cell.spread is None else cell.spread[1],
            "greatest score": None if cell.spread is None else cell.spread[2],
        }
        for cell in matrix.cells
        if cell.model != cell.column.reference
    ]


def quantile_texts_of(entry: dict[str, Any]) -> dict[str, str]:
    """Write quantiles as they are read; the file to download keeps the numbers."""
    return {
        name: quantile(entry[name], "n" if entry.get(DRAWN) else None)
        for name in _PROBABILITIES
        if entry.get(name) is not None
    }
