"""What a page shows: experiment, window, models and tests, each kept in the page's address."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st

from dashboard import _data
from dashboard._as_of import address_at, moment_of
from dashboard._words import window_name
from dashboard.figures.cells import Column
from dashboard.views._failures import unknown_name
from dashboard.views._text import clock, plain
from forequake.errors import unknown
from forequake.windows import TimeWindow
from stores import ExperimentSummary

__all__ = [
    "ALL_WINDOWS",
    "AS_OF",
    "LATEST",
    "Chosen",
    "choose_address",
    "choose_experiment",
    "choose_parts",
    "choose_window",
    "drop_unknown",
    "keep_choices",
    "link_to",
    "of_this_time",
    "say_moment",
]

#: Choices that all pages share, by the names of the address's parameters, which are their widgets' keys.
_COMMON: Final = ("experiment", "window", "model", "test", "picture")
#: Choices of single pages that hold from page to page.
_OF_PAGES: Final = (
    "sort",
    "holm",
    "normalised",
    "against",
    "common",
    "alarm_diagram",
    "alarm_log",
    "catalog_models",
    "catalog_span",
    "catalog_whole",
    "catalog_counted",
    "map_a",
    "map_b",
    "map_shows",
    "map_rate",
    "map_from",
    "map_colours",
    "map_outside",
    "map_range",
    "time_score",
    "time_over",
    "time_lines",
    "time_test",
    "pit_test",
    "pit_part",
    "pit_values",
)
_LAST: Final = "last experiment"
_PENDING: Final = "experiment to be set"

#: The address's word for the time whose results are shown; it has no widget.
AS_OF: Final = "as_of"
ALL_WINDOWS: Final = "All windows"
LATEST: Final = "Latest window"


@dataclass(frozen=True)
class Chosen:
    """The part of an experiment that a page shows.

    Attributes
    ----------
    models, tests
        What is left, in the experiment's order.
    all_models, all_tests
        What there is.
    """

    models: tuple[str, ...]
    tests: tuple[str, ...]
    all_models: tuple[str, ...]
    all_tests: tuple[str, ...]

    @property
    def filtered(self) -> bool:
        """Whether anything is left out."""
        return (self.models, self.tests) != (self.all_models, self.all_tests)


def keep_choices() -> None:
    """Keep all choices, which Streamlit drops where their widgets are not drawn."""
    for name in (*_COMMON, *_OF_PAGES):
        if name in st.session_state:
            st.session_state[name] = st.session_state[name]


def link_to(**more: str) -> dict[str, str | list[str]]:
    """Give the parameters of a link to another page: what is chosen, and more.

    Streamlit would write them into the address afterwards, one by one, and each would be a step of the
    browser's way back. A link to another experiment leaves out what is chosen of this one.
    """
    held = {name: st.session_state.get(name) for name in _COMMON}
    if more.get("experiment", held["experiment"]) != held["experiment"]:
        held = {}
    return of_this_time(**more) | {name: value for name, value in held.items() if value and name not in more}


def of_this_time(**query: str) -> dict[str, str | list[str]]:
    """Give the parameters of a link, and the time whose results are shown, which all links keep."""
    moment = st.query_params.get(AS_OF)
    return dict(query) if moment is None else {AS_OF: moment, **query}


def choose_address() -> str:
    """Give the address of the store to show, as it stood at the time that the link names."""
    asked = st.query_params.get(AS_OF)
    moment = None if asked is None else moment_of(asked)
    if asked is not None and moment is None:
        unknown_name(f"{asked!r} is no time in UTC, as 2024-05-01T12:00:00Z is one; the latest are shown.")
    return address_at(_data.store_address(), moment)


def say_moment() -> None:
    """Say that what came after a time is left out, and lead to the latest results."""
    moment = moment_of(st.query_params.get(AS_OF, ""))
    if moment is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(
            f":material/history: As of **{clock(moment)}**: later results are left out.", width="content"
        )
        st.button("Show the latest", on_click=_forget_moment, type="tertiary", key="show the latest")


def _forget_moment() -> None:
    st.query_params.pop(AS_OF, None)


def choose_experiment(listing: _data.Listing) -> ExperimentSummary | None:
    """Let the reader choose an experiment; None where the link names one that there is not."""
    by_name = {summary.name: summary for summary in listing.experiments}
    asked = st.query_params.get("experiment")
    pending = st.session_state.pop(_PENDING, None)
    if asked is not None and asked not in by_name:
        _offer(asked, list(by_name))
        return None
    if asked is None and _LAST not in st.session_state:
        # A default would not be written into the address, so a copied link would show another experiment once
        # the store has one more. Before its widget is there, a parameter may be set.
        pending = _newest(listing)
    if pending is not None and st.session_state.get("experiment") != pending:
        if "experiment" not in st.session_state:
            st.query_params["experiment"] = pending
        st.session_state["experiment"] = pending
    name = st.sidebar.selectbox(
        "Experiment", list(by_name), index=None, key="experiment", bind="query-params"
    )
    if name is None:
        # Cleared, or the browser's way back, which comes without any parameter. A widget is set before it
        # runs: so the script runs once more.
        last = st.session_state.get(_LAST)
        st.session_state[_PENDING] = last if last in by_name else _newest(listing)
        st.rerun()
    st.session_state[_LAST] = name
    return by_name[name]


def choose_window(windows: _data.Windows, *, always: bool) -> TimeWindow | None:
    """Let the reader choose a window; None stands for all of them.

    Parameters
    ----------
    always
        Whether all windows have something to show even where there is only one.
    """
    if not windows.count:
        return None
    # What stands in the list stands in the address, too: no numbers that change with the next window.
    spans = {window_name(summary.window): summary.window for summary in windows.listed}
    newest = windows.listed[-1].window
    if len(spans) == 1 and not always:
        return newest
    options = [ALL_WINDOWS, LATEST, *reversed(spans)]
    asked = st.query_params.get("window")
    if asked is not None and asked not in options and "window" not in st.session_state:
        unknown_name(f"the experiment has no results in the window {asked!r}; all windows are shown.")
    drop_unknown("window", options)
    option = st.sidebar.selectbox(
        "Window (UTC)", options, index=None, placeholder=ALL_WINDOWS, key="window", bind="query-params"
    )
    if option is None or option == ALL_WINDOWS:
        return None
    return newest if option == LATEST else spans[option]


def choose_parts(models: Sequence[str], columns: Sequence[Column]) -> Chosen:
    """Let the reader choose models and tests; nothing chosen means all."""
    tests = tuple(dict.fromkeys(column.test for column in columns))
    picked_models = _several("Models", "model", tuple(models))
    picked_tests = _several("Tests", "test", tests)
    return Chosen(
        models=tuple(model for model in models if not picked_models or model in picked_models),
        tests=tuple(test for test in tests if not picked_tests or test in picked_tests),
        all_models=tuple(models),
        all_tests=tests,
    )


def _several(label: str, parameter: str, options: tuple[str, ...]) -> list[str]:
    if parameter not in st.session_state:  # the link's own words, before the reader changed anything
        for asked in st.query_params.get_all(parameter):
            if asked and asked not in options:
                unknown_name(f"{unknown(parameter, asked, options)}.")
    drop_unknown(parameter, options)
    return st.sidebar.multiselect(
        label, options, key=parameter, placeholder="all", bind="query-params", wrap=True
    )


def drop_unknown(parameter: str, options: Sequence[str]) -> None:
    """Drop what another experiment left in a widget: Streamlit would refuse it."""
    held = st.session_state.get(parameter)
    if isinstance(held, list) and not set(held) <= set(options):
        st.session_state[parameter] = [word for word in held if word in options]
    elif isinstance(held, str) and held not in options:
        st.session_state[parameter] = None


def _newest(listing: _data.Listing) -> str:
    started = [summary for summary in listing.experiments if summary.last_started_at is not None]
    if not started:
        return listing.experiments[0].name
    return max(started, key=lambda summary: str(summary.last_started_at)).name


def _offer(asked: str, names: Sequence[str]) -> None:
    unknown_name(f"{unknown('experiment', asked, names)}.")
    st.markdown("Open one of these:")
    for name in names[:50]:
        st.page_link("views/overview.py", label=plain(name), query_params={"experiment": name})
