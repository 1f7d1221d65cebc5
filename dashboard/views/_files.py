"""Files that pages offer: names that any system takes, and rows as CSV and Parquet."""

import csv
import html
import io
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Final

import plotly.graph_objects as go

from dashboard._theme import Theme, template

__all__ = ["as_csv", "as_page", "as_parquet", "csv_rows", "file_name", "plain_cell"]

_UNFIT: Final = re.compile(r"[^\w.@+-]+")
#: What a spreadsheet takes for the beginning of a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def file_name(text: str) -> str:
    """Give a name for a file: letters, digits and a few signs, no blanks; times without their colons.

    Examples
    --------
    >>> file_name("Etna/M resampled_2019-07-06T06:00:00Z.csv"), file_name("../=a|b?.csv")
    ('Etna_M_resampled_2019-07-06T060000Z.csv', 'a_b_.csv')
    """
    return _UNFIT.sub("_", text.replace(":", "")).lstrip("._-+@") or "file"


def plain_cell(value: Any) -> Any:
    """Keep a spreadsheet from taking a text for a formula, by a quotation mark before it."""
    return f"'{value}" if isinstance(value, str) and value.startswith(_FORMULA) else value


def csv_rows(heads: Sequence[str], rows: Iterable[Sequence[Any]]) -> bytes:
    """Write rows as CSV; nothing for None.

    Examples
    --------
    >>> csv_rows(["model", "gain"], [("=1+1", -0.5), ("etas", None)]).splitlines()
    [b'model,gain', b"'=1+1,-0.5", b'etas,']
    """
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(plain_cell(head) for head in heads)
    writer.writerows([plain_cell(value) for value in row] for row in rows)
    return text.getvalue().encode()


def as_csv(table: Sequence[Mapping[str, Any]], heads: Sequence[str]) -> bytes:
    """Write the named columns of a table as CSV."""
    return csv_rows(heads, ([entry.get(head) for head in heads] for entry in table))


def as_parquet(table: Sequence[Mapping[str, Any]], heads: Sequence[str]) -> bytes:
    """Write the named columns of a table as Parquet; a column of numbers and words is one of words."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    sink = io.BytesIO()
    pq.write_table(pa.table({head: _column([entry.get(head) for entry in table]) for head in heads}), sink)
    return sink.getvalue()


def _column(values: list[Any]) -> list[Any]:
    words = [value for value in values if isinstance(value, str)]
    if not words or len(words) == sum(value is not None for value in values):
        return values
    return [None if value is None else str(value) for value in values]


def as_page(figure: go.Figure | Callable[[], go.Figure], title: str, theme: Theme) -> bytes:
    """Give a figure as a page of its own, which needs nothing else, in the colours that it was drawn for."""
    drawn = go.Figure(figure() if callable(figure) else figure).update_layout(template=template(theme))
    page: str = drawn.to_html(include_plotlyjs=True, full_html=True, config={"displaylogo": False})
    head = (
        f"<head><title>{html.escape(title)}</title>"
        f"<style>:root{{color-scheme:{theme.name}}}body{{background:{theme.background}}}</style>"
    )
    return page.replace("<head>", head, 1).encode()
