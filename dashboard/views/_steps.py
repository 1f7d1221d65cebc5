"""Steps from window to window, for pages that show one at a time."""

import streamlit as st

from dashboard._words import window_name
from dashboard.views._frame import Frame
from dashboard.views._text import plain
from forequake.windows import TimeWindow

__all__ = ["step_windows"]


def step_windows(shown: Frame, window: TimeWindow) -> None:
    """Name the window that a page shows, and lead to those before and after."""
    listed = [summary.window for summary in shown.windows.listed]
    place = listed.index(window) if window in listed else None
    with st.container(horizontal=True, vertical_alignment="center", gap="small"):
        st.markdown(f"Window **{plain(window_name(window))}** (UTC)", width="content")
        if place is None or len(listed) < 2:
            return
        before = listed[place - 1] if place else None
        after = listed[place + 1] if place + 1 < len(listed) else None
        _step("Previous window", ":material/chevron_left:", before)
        _step("Next window", ":material/chevron_right:", after)
        st.caption(f"{place + 1} of {len(listed)}", width="content")


def _step(label: str, icon: str, to: TimeWindow | None) -> None:
    st.button(
        label,
        icon=icon,
        type="tertiary",
        disabled=to is None,
        on_click=_go,
        args=(None if to is None else window_name(to),),
    )


def _go(name: str | None) -> None:
    st.session_state["window"] = name
