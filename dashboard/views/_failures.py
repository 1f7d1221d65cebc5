"""What pages say where there is nothing to show: no experiment, no result, a store that does not answer."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import streamlit as st
from streamlit.errors import StreamlitDuplicateElementKey

from dashboard import _data
from dashboard._public import is_public
from dashboard.views._text import plain
from forequake.errors import (
    AccessDenied,
    CorruptRecord,
    ForequakeError,
    InputError,
    NotFound,
    SchemaVersion,
    StoreUnavailable,
)
from stores import shown_url

__all__ = ["explained", "no_experiments", "no_forecast", "no_inputs", "no_results", "unknown_name"]

_TITLES: tuple[tuple[type[ForequakeError], str], ...] = (
    (StoreUnavailable, "The results store does not answer"),
    (AccessDenied, "The results store may not be read"),
    (CorruptRecord, "Something in the results store is damaged"),
    (SchemaVersion, "The results store was written by a newer forequake"),
    (NotFound, "The results store does not have this"),
    (InputError, "The results store cannot be found"),
)


@contextmanager
def explained() -> Iterator[None]:
    """Say what went wrong and offer to try again; the address in the browser stays as it is."""
    try:
        yield
    except ForequakeError as error:
        title = next((text for kind, text in _TITLES if isinstance(error, kind)), "This did not work")
        why = "" if is_public() else f" {plain(str(error))}"  # errors name hosts and files
        st.error(f"**{title}.**{why}", icon=":material/error:")
        _say_store()
        st.button("Try again", on_click=_data.forget, type="primary")
        _keep_address()


def _keep_address() -> None:
    """Keep the choices in the address whose widgets were not drawn.

    Streamlit drops a parameter with its widget, and another experiment would open when the page is loaded
    again. So each has a widget of its kind here, which nobody sees; a session keeps its value.
    """
    st.html("<style>.st-key-kept-choices {display: none}</style>")
    with st.container(key="kept-choices"):
        for name in st.query_params.to_dict():
            held = st.session_state.get(name)
            with suppress(StreamlitDuplicateElementKey):  # drawn before something went wrong
                if held is not None:
                    _stand_in(name, held)


def _stand_in(name: str, held: object) -> None:
    """Draw a widget with the value that a choice has, which is not its default: that has no parameter."""
    if isinstance(held, bool):
        st.toggle(name, value=not held, key=name, bind="query-params")
    elif isinstance(held, str):
        st.selectbox(name, [held], index=None, key=name, bind="query-params")
    elif isinstance(held, list):
        st.multiselect(name, held, key=name, bind="query-params")


def no_experiments() -> None:
    """Say how the first experiment gets into the store."""
    st.header("No experiment yet")
    if is_public():
        st.markdown("None is open to the public so far.")
        return
    st.markdown("This store is empty. Run an experiment, then come back:")
    st.code("forequake run config.yml", language="console")
    _say_store()
    st.button("Look again", on_click=_data.forget)


def no_results(experiment: str) -> None:
    """Say how an experiment without results gets some."""
    st.info(
        f"The experiment **{plain(experiment)}** has no results yet. They appear here as they are computed.",
        icon=":material/hourglass_empty:",
    )
    if not is_public():
        st.markdown("Where no run is under way, start one:")
        st.code("forequake run config.yml", language="console")
    st.button("Look again", on_click=_data.forget)


def unknown_name(message: str) -> None:
    """Say that a link names something that is not there."""
    st.warning(f"{plain(message[:1].upper() + message[1:])}", icon=":material/link_off:")


def _say_store() -> None:
    """Name the store, but not to the public."""
    if is_public():
        return
    try:
        name = shown_url(_data.store_address())
    except ForequakeError:
        name = "none"
    st.caption(f"Store: {plain(name)}")


def no_inputs() -> None:
    """Say that the store has lost what results were computed from."""
    st.info(
        "The store has the results of this experiment, but not its region or its catalog: "
        "there is nothing to draw.",
        icon=":material/inventory_2:",
    )


def no_forecast(models: Sequence[str]) -> None:
    """Say of which models the store has no forecast for the window that is shown."""
    named = ", ".join(f"**{plain(model)}**" for model in models)
    st.info(f"The store has no forecast of {named} for this window.", icon=":material/inventory_2:")
