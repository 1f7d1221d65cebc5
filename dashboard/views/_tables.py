"""A matrix as a table, on the page and as a file."""

import csv
import io
from collections.abc import Sequence
from typing import Any, Final

import streamlit as st

from dashboard._words import quantile
from dashboard.figures.cells import CountedMatrix, WindowMatrix
from dashboard.figures.marks import MARKS, Status

__all__ = ["counted_table", "show_table", "window_table"]

_PROBABILITIES: Final = ("delta1", "delta2", "q", "p")


def window_table(matrix: WindowMatrix) -> list[dict[str, Any]]:
    """List the cells of one window, but for the reference's own."""
    table = []
    for cell in matrix.cells:
        if cell.status is Status.ITSELF:
            continue
        row, error = cell.row, None if cell.unit is None else cell.unit.error
        quantiles = {} if row is None or row.quantiles is None else row.quantiles.named()
        table.append(
            {
                "model": cell.model,
                "test": cell.column.test,
                "reference": cell.column.reference,
                "outcome": MARKS[cell.status].label,
                **{name: quantiles.get(name) for name in ("delta1", "delta2", "q", "t", "t_critical", "p")},
                "statistic": None if row is None else row.statistic,
                "information gain": None if row is None else row.information_gain,
                "events": None if row is None else row.n_observed,
                "expected": None if row is None else row.n_forecast,
                "reason": f"{error.kind}: {error.message}" if error else None if row is None else row.reason,
            }
        )
    return table


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
        }
        for cell in matrix.cells
        if cell.model != cell.column.reference
    ]


def _with_texts(table: Sequence[dict[str, Any]]) -> list[tuple[dict[str, Any], dict[str, str]]]:
    """Pair entries with their quantiles as they are read; the file to download keeps the numbers."""
    return [
        (
            entry,
            {
                name: quantile(entry[name], "n" if name == "q" else None)
                for name in _PROBABILITIES
                if entry.get(name) is not None
            },
        )
        for entry in table
    ]


def show_table(table: Sequence[dict[str, Any]], name: str) -> None:
    """Show a table behind a heading that opens it, with a file to download."""
    if not table:
        return
    with st.expander("The same as a table", icon=":material/table:"):
        columns = [name for name in table[0] if any(entry[name] is not None for entry in table)]
        shown = [{name: (entry | texts)[name] for name in columns} for entry, texts in _with_texts(table)]
        st.dataframe(shown, hide_index=True, placeholder="")
        text = io.StringIO()
        writer = csv.DictWriter(text, list(table[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(table)
        st.download_button(
            "Download as CSV",
            text.getvalue(),
            file_name=f"{name}.csv".replace(":", ""),
            mime="text/csv",
            on_click="ignore",
            icon=":material/download:",
        )
