"""What leaves the pages: a link that shows the same later on, and the form in which pictures are saved."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlencode

import streamlit as st

from dashboard._as_of import written
from dashboard._words import window_name
from dashboard.views._filters import AS_OF, LATEST
from dashboard.views._frame import Frame

__all__ = ["choose_picture", "offer_link", "permanent_query"]

#: Pages that show the latest window where none is chosen.
_OF_ONE_WINDOW: Final = ("map",)


def choose_picture() -> None:
    """Let the reader choose as what the button at a figure saves it."""
    st.sidebar.selectbox(
        "Save figures as", ["SVG", "PNG"], index=None, placeholder="SVG", key="picture", bind="query-params"
    )


def offer_link(page: str, shown: Frame) -> None:
    """Offer an address that shows the same view also when there are newer results.

    Parameters
    ----------
    page
        The page's name in its address.
    """
    base = (st.context.url or "").split("?")[0]
    query = permanent_query(page, shown, {name: st.query_params.get_all(name) for name in st.query_params})
    with st.sidebar.popover("Permanent link", icon=":material/link:", type="tertiary"):
        st.caption("Shows this view also when there are newer results; the button at its right copies it.")
        st.code(f"{base}?{urlencode(query, doseq=True)}", language=None, wrap_lines=True)


def permanent_query(page: str, shown: Frame, asked: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    """Name all that a view shows: the experiment, a window by its times in place of the latest one, the time.

    What a page shows by itself, as the latest window, the first reference or the best models, it finds again
    among the results of that time.

    Parameters
    ----------
    asked
        What the address has, by its parameters.
    """
    query: dict[str, Any] = {AS_OF: written(shown.listing.read_at)} | dict(asked) | {"experiment": shown.name}
    one = shown.window
    if one is None and page in _OF_ONE_WINDOW:
        one = shown.one_window
    if one is not None:
        query["window"] = window_name(one)
    elif query.get("window") == [LATEST]:
        del query["window"]
    return query
