"""What a page shows: experiment, window, models and tests, each kept in the page's address."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import streamlit as st

from dashboard import _data
from dashboard._words import window_name
from dashboard.figures.cells import Column
from dashboard.views._failures import unknown_name
from dashboard.views._text import plain
from forequake.errors import unknown
from forequake.windows import TimeWindow
from stores import ExperimentSummary

__all__ = ["ALL_WINDOWS", "LATEST", "Chosen", "choose_experiment", "choose_parts", "choose_window"]

ALL_WINDOWS: Final = "all"
LATEST: Final = "latest"


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


def choose_experiment(listing: _data.Listing) -> ExperimentSummary | None:
    """Let the reader choose an experiment; None where the link names one that there is not."""
    by_name = {summary.name: summary for summary in listing.experiments}
    asked = st.query_params.get("experiment")
    if asked is not None and asked not in by_name:
        _offer(asked, list(by_name))
        return None
    if asked is None and "experiment" not in st.session_state:
        # Set, not left as the widget's default: a default is not written into the address, so that a copied
        # link would show another experiment once the store has one more.
        st.session_state["experiment"] = _newest(listing)
    name = st.sidebar.selectbox(
        "Experiment", list(by_name), index=None, key="experiment", required=True, bind="query-params"
    )
    return None if name is None else by_name.get(name)


def choose_window(windows: _data.Windows) -> TimeWindow | None:
    """Let the reader choose a window; None stands for all of them."""
    spans = {summary.window.id: summary.window for summary in windows.listed}
    newest = windows.listed[-1].window
    if len(spans) == 1:
        return newest
    options = [ALL_WINDOWS, LATEST, *reversed(spans)]
    asked = st.query_params.get("window")
    if asked is not None and asked not in options:
        unknown_name(f"the experiment has no results in the window {asked!r}: all windows are shown")
    if "window" not in st.session_state and (asked is None or asked not in options):
        st.session_state["window"] = ALL_WINDOWS

    def shown(option: str) -> str:
        if option == ALL_WINDOWS:
            return f"All {len(spans)} windows"
        return "Latest window" if option == LATEST else window_name(spans[option])

    option = st.sidebar.selectbox(
        "Window (UTC)",
        options,
        index=None,
        format_func=shown,
        key="window",
        required=True,
        bind="query-params",
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
    for asked in st.query_params.get_all(parameter):
        if asked and asked not in options:
            unknown_name(unknown(parameter, asked, options))
    return st.sidebar.multiselect(
        label, options, key=parameter, placeholder="all", bind="query-params", wrap=True
    )


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
