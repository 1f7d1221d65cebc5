"""A matrix as a table, on the page and as a file."""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from types import MappingProxyType
from typing import Any, Final, TypeAlias
from zlib import crc32

import plotly.graph_objects as go
import streamlit as st

from dashboard._theme import theme_of
from dashboard.figures.tables import DRAWN, counted_table, quantile_texts_of, window_table
from dashboard.views._files import as_csv, as_page, as_parquet, file_name
from dashboard.views._opening import Opens, open_slot

__all__ = ["counted_table", "show_rows", "show_table", "window_table"]

_HASH: Final = re.compile(r"[0-9a-f]{64}")
#: A table without a figure lists so many rows.
_MOST_LISTED: Final = 300
#: A figure, or what draws it.
Drawn: TypeAlias = go.Figure | Callable[[], go.Figure]
_NO_FIGURES: Final[Mapping[str, Drawn]] = MappingProxyType({})


def show_table(
    table: Sequence[dict[str, Any]],
    name: str,
    figures: Mapping[str, Drawn] = _NO_FIGURES,
    *,
    whole: Callable[[], Sequence[dict[str, Any]]] | None = None,
    opens: Opens | None = None,
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
    opens
        Finds the result that a row is of: choosing the row leads there, also by keys, as a click on a mark
        of the figure does.
    """
    if not table:
        return
    heads = [head for head in dict.fromkeys(head for entry in table for head in entry) if head != DRAWN]
    with st.expander("The same as a table, and to download", icon=":material/table:"):
        columns = [head for head in heads if any(entry.get(head) is not None for entry in table)]
        shown = [{head: (entry | quantile_texts_of(entry)).get(head) for head in columns} for entry in table]
        if opens is None:
            st.dataframe(shown, hide_index=True, placeholder="")
        else:
            _show_opening(table, shown, f"rows {name}", opens)
        if whole is not None:
            st.caption(f"The first {len(table)} rows; the files have all.")
        with st.container(horizontal=True):
            _offer_rows(whole or (lambda: table), name, heads)
            theme = theme_of(st.context.theme.type)
            for of, figure in figures.items():
                _offer(of, "html", "text/html", partial(as_page, figure, of, theme))


def _show_opening(
    table: Sequence[dict[str, Any]], shown: Sequence[dict[str, Any]], key: str, opens: Opens
) -> None:
    """Show rows, and go to the result of the one that is chosen.

    Links in cells would not do: Streamlit's grid opens them in another tab, and by keys not at all.
    """
    # A choice is of these rows on this page: on another it would lead away at once.
    key = f"{key} {crc32(repr(shown).encode()):08x} {st.query_params.get('slot', '')}"
    st.caption("Tick a row to open its result; by keys: Tab into the table, arrows, Shift and Space.")
    event = st.dataframe(
        shown, hide_index=True, placeholder="", key=key, on_select="rerun", selection_mode="single-row"
    )
    for row in event["selection"]["rows"]:
        slot = opens(table[row]) if row < len(table) else None
        if slot is None:
            st.caption(":material/info: This row has no other result to open.")
        else:
            open_slot(slot)


def show_rows(
    table: Sequence[dict[str, Any]], name: str, links: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Show a table that no figure shows, with files to download.

    Parameters
    ----------
    name
        Of the files.
    links
        Columns of addresses, each with the words of its links.
    """
    heads = list(dict.fromkeys(head for entry in table for head in entry))
    columns = [head for head in heads if any(entry.get(head) is not None for entry in table)]
    if len(table) > _MOST_LISTED:
        st.caption(f"The first {_MOST_LISTED} of {len(table):,} rows are listed; the files have all.")
    st.dataframe(
        [{head: _short(entry.get(head)) for head in columns} for entry in table[:_MOST_LISTED]],
        hide_index=True,
        placeholder="",
        column_config={
            head: st.column_config.LinkColumn(display_text=words) for head, words in links.items()
        },
    )
    with st.container(horizontal=True):
        _offer_rows(lambda: table, name, heads)


def _short(value: Any) -> Any:
    """Cut hashes, which the files have whole."""
    return f"{value[:12]}…" if isinstance(value, str) and _HASH.fullmatch(value) else value


def _offer_rows(rows: Callable[[], Sequence[dict[str, Any]]], name: str, heads: Sequence[str]) -> None:
    _offer(name, "csv", "text/csv", lambda: as_csv(rows(), heads))
    _offer(name, "parquet", "application/vnd.apache.parquet", lambda: as_parquet(rows(), heads))


def _offer(name: str, ending: str, mime: str, make: Callable[[], bytes]) -> None:
    """Offer a file that is made when it is asked for."""
    word = {"csv": "CSV", "parquet": "Parquet", "html": "HTML"}[ending]
    st.download_button(
        f"Download as {word}",
        key=f"download {name} {ending}",
        data=make,
        file_name=file_name(f"{name}.{ending}"),
        mime=mime,
        on_click="ignore",
        icon=":material/download:",
    )
