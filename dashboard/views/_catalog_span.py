"""The span of time that the page of the catalog shows: brushed over its figure, or written."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, Final

import streamlit as st

from dashboard._words import stamp, window_name
from dashboard.views._failures import unknown_name
from forequake.windows import TimeWindow

__all__ = ["SPAN", "brushed", "choose_span", "figure_key", "has_box"]

#: The name of the parameter of the address.
SPAN: Final = "catalog_span"
_BETWEEN: Final = " to "
#: How often what was brushed has been taken back.
_TURN: Final = "times that the span was taken back"


def choose_span(whole: TimeWindow) -> TimeWindow | None:
    """Let the reader write a span; None where there is none, or what is written is no span."""
    text = st.text_input(
        "Span of time (UTC)",
        key=SPAN,
        bind="query-params",
        placeholder=f"drag over the figure, or write as {window_name(whole)}",
    )
    if not text or not text.strip():
        return None
    st.button("Whole time", on_click=_clear, type="tertiary", icon=":material/close:")
    try:
        first, _, last = text.partition(_BETWEEN)
        return TimeWindow(start=_moment(first), end=_moment(last))
    except ValueError:
        unknown_name(f"{text!r} is no span of time, such as {window_name(whole)!r}; all events are shown")
        return None


def figure_key(experiment: str) -> str:
    """Give the key of the figure that is brushed; a new one forgets what was brushed."""
    return f"magnitude-time {experiment} {st.session_state.get(_TURN, 0)}"


def has_box(key: str) -> bool:
    """Tell whether a span is brushed over a figure."""
    return bool(_boxes(st.session_state.get(key)))


def _clear() -> None:
    st.session_state[SPAN] = ""
    st.session_state[_TURN] = st.session_state.get(_TURN, 0) + 1


def brushed(key: str) -> Callable[[], None]:
    """Give what takes over the span that was brushed over a figure."""

    def take() -> None:
        boxes = _boxes(st.session_state.get(key))
        if not boxes:
            st.session_state[SPAN] = ""
            return
        ends = sorted(_time(end) for end in boxes[-1]["x"])
        if ends[0] < ends[1]:
            st.session_state[SPAN] = _BETWEEN.join(stamp(TimeWindow(start=ends[0], end=ends[1])))

    return take


def _boxes(state: Any) -> list[Any]:
    selection = state.get("selection") if state else None
    return list(selection.get("box", [])) if selection else []


def _time(end: Any) -> datetime:
    """Read the end of a brushed box, to the second: a number of milliseconds, or a date."""
    if isinstance(end, int | float):
        moment = datetime.fromtimestamp(end / 1000, UTC)
    else:
        moment = _moment(str(end).split(".")[0])
    return moment.replace(microsecond=0)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text.strip())
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
