"""A matrix as a table, on the page and as a file."""

import csv
import html
import io
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Final

import plotly.graph_objects as go
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

_NO_FIGURES: Final[Mapping[str, go.Figure]] = MappingProxyType({})
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


def show_table(
    table: Sequence[dict[str, Any]],
    name: str,
    figures: Mapping[str, go.Figure] = _NO_FIGURES,
    *,
    whole: Callable[[], Sequence[dict[str, Any]]] | None = None,
) -> None:
    """Show a table behind a heading that opens it, with files to download.

    Parameters
    ----------
    name
        Of the files.
    figures
        Those that show the same, by the names of their files: each to be had as a page of its own.
    whole
        Gives all rows for the files, where `table` has only the first ones.
    """
    if not table:
        return
    heads = [head for head in dict.fromkeys(head for entry in table for head in entry) if head != _DRAWN]
    with st.expander("The same as a table, and to download", icon=":material/table:"):
        columns = [head for head in heads if any(entry.get(head) is not None for entry in table)]
        shown = [{head: (entry | _texts(entry)).get(head) for head in columns} for entry in table]
        st.dataframe(shown, hide_index=True, placeholder="")
        if whole is not None:
            st.caption(f"The first {len(table)} rows; the files have all.")
        with st.container(horizontal=True):
            rows = whole or (lambda: table)
            _offer(name, "csv", "text/csv", lambda: _as_csv(rows(), heads))
            _offer(name, "parquet", "application/vnd.apache.parquet", lambda: _as_parquet(rows(), heads))
            for of, figure in figures.items():
                _offer(of, "html", "text/html", partial(_as_page, figure, of))


def _offer(name: str, ending: str, mime: str, make: Callable[[], bytes]) -> None:
    """Offer a file that is made when it is asked for."""
    word = {"csv": "CSV", "parquet": "Parquet", "html": "HTML"}[ending]
    st.download_button(
        f"Download as {word}",
        key=f"download {name} {ending}",
        data=make,
        file_name=f"{name}.{ending}".replace(":", "").replace("/", "_"),
        mime=mime,
        on_click="ignore",
        icon=":material/download:",
    )


def _as_csv(table: Sequence[dict[str, Any]], heads: Sequence[str]) -> bytes:
    text = io.StringIO()
    writer = csv.DictWriter(text, heads, extrasaction="ignore", lineterminator="\n")
    writer.writeheader()
    writer.writerows(table)
    return text.getvalue().encode()


def _as_parquet(table: Sequence[dict[str, Any]], heads: Sequence[str]) -> bytes:
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(pa.table({head: [entry.get(head) for entry in table] for head in heads}), sink)
    return sink.getvalue()


def _as_page(figure: go.Figure, title: str) -> bytes:
    page: str = figure.to_html(include_plotlyjs=True, full_html=True, config={"displaylogo": False})
    return page.replace("<head>", f"<head><title>{html.escape(title)}</title>", 1).encode()
