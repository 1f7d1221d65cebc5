"""A matrix as a table, on the page and as a file."""

import csv
import io
from collections.abc import Sequence
from typing import Any, Final

import streamlit as st

from dashboard._words import is_drawn, quantile
from dashboard.figures.cells import CountedMatrix, WindowMatrix
from dashboard.figures.marks import MARKS, Status
from stores import ResultRow

__all__ = ["counted_table", "show_table", "window_table"]

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
_DRAWN: Final = "drawn"


def window_table(matrix: WindowMatrix, pairs: Sequence[ResultRow] = ()) -> list[dict[str, Any]]:
    """List the cells of one window, or of all windows, but for the reference's own.

    Parameters
    ----------
    pairs
        Results of tests against all other models.
    """
    table = []
    for cell in matrix.cells:
        if cell.status is Status.ITSELF:
            continue
        error = None if cell.unit is None else cell.unit.error
        reason = f"{error.kind}: {error.message}" if error else None if cell.row is None else cell.row.reason
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
        _DRAWN: row is not None and is_drawn(row.test, row.quantiles),
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
            "sum of scores": cell.total,
            "mean score": None if cell.spread is None else cell.spread[0],
            "least score": None if cell.spread is None else cell.spread[1],
            "greatest score": None if cell.spread is None else cell.spread[2],
        }
        for cell in matrix.cells
        if cell.model != cell.column.reference
    ]


def _texts(entry: dict[str, Any]) -> dict[str, str]:
    """Write quantiles as they are read; the file to download keeps the numbers."""
    return {
        name: quantile(entry[name], "n" if entry.get(_DRAWN) else None)
        for name in _PROBABILITIES
        if entry.get(name) is not None
    }


def show_table(table: Sequence[dict[str, Any]], name: str) -> None:
    """Show a table behind a heading that opens it, with a file to download."""
    if not table:
        return
    heads = [head for head in dict.fromkeys(head for entry in table for head in entry) if head != _DRAWN]
    with st.expander("The same as a table", icon=":material/table:"):
        columns = [head for head in heads if any(entry.get(head) is not None for entry in table)]
        shown = [{head: (entry | _texts(entry)).get(head) for head in columns} for entry in table]
        st.dataframe(shown, hide_index=True, placeholder="")
        text = io.StringIO()
        writer = csv.DictWriter(text, heads, extrasaction="ignore", lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
        st.download_button(
            "Download as CSV",
            key=f"download {name}",
            data=text.getvalue(),
            file_name=f"{name}.csv".replace(":", ""),
            mime="text/csv",
            on_click="ignore",
            icon=":material/download:",
        )
