"""What every page shows of which experiment: chosen at the side of the page, the same from page to page."""

from dataclasses import dataclass
from functools import partial
from typing import Final

import streamlit as st

from dashboard import _data
from dashboard._experiment import axes, is_dependent, units_of
from dashboard._theme import Theme, theme_of
from dashboard._words import count_of
from dashboard.figures.cells import Column
from dashboard.views._failures import no_experiments, no_results
from dashboard.views._filters import (
    Chosen,
    choose_address,
    choose_experiment,
    choose_parts,
    choose_window,
)
from dashboard.views._parts import failures_table
from dashboard.views._text import plain
from forequake.config import ExperimentConfig
from forequake.quantities import Sha256
from forequake.results import UnitRecord
from forequake.windows import TimeWindow
from stores import ExperimentSummary, Overview

__all__ = ["Frame", "draw_frame", "frame", "say_filters"]

#: Where a session keeps what its page shows.
_KEPT: Final = "frame"


@dataclass(frozen=True)
class Frame:
    """What a page shows.

    Attributes
    ----------
    address
        Of the store.
    summary, config
        The experiment; no config where it was stored by a forequake that this one does not understand.
    counted
        Its results, counted by test, model and outcome.
    units
        Its computations that are under way or ended badly, of the models and windows that it has now.
    windows
        Its windows that have results.
    window
        The one that the reader chose; None stands for all.
    all_columns
        Its tests with their references.
    chosen
        What the filters leave of models and tests.
    """

    address: str
    listing: _data.Listing
    summary: ExperimentSummary
    config: ExperimentConfig | None
    counted: Overview
    units: tuple[UnitRecord, ...]
    windows: _data.Windows
    window: TimeWindow | None
    all_columns: tuple[Column, ...]
    chosen: Chosen
    theme: Theme

    @property
    def name(self) -> str:
        """The experiment's name."""
        return self.summary.name

    @property
    def token(self) -> int:
        """What changes with the experiment's results."""
        return self.summary.token

    @property
    def models(self) -> tuple[str, ...]:
        """The models that the filters leave, in the experiment's order."""
        return self.chosen.models

    @property
    def columns(self) -> tuple[Column, ...]:
        """The tests that the filters leave."""
        return tuple(column for column in self.all_columns if column.test in self.chosen.tests)

    @property
    def record_key(self) -> Sha256:
        """Key of the experiment's record, from which its region and catalogs can be read."""
        return self.summary.record_key

    @property
    def dependent(self) -> bool:
        """Whether windows share time, so that their results depend on one another."""
        return is_dependent(self.windows, self.config)

    @property
    def one_window(self) -> TimeWindow | None:
        """The window for pages that show one at a time: the chosen one, else the latest with results."""
        if self.window is not None or not self.windows.listed:
            return self.window
        return self.windows.listed[-1].window


def frame() -> Frame:
    """Give what the page shows, within the run of a page."""
    found: Frame = st.session_state[_KEPT]
    return found


def draw_frame(*, without_results: bool = False) -> Frame | None:
    """Draw the choices at the side; None where there is nothing to show, which is said then.

    Parameters
    ----------
    without_results
        Whether the page has something to show of an experiment that has no results yet.

    Streamlit keeps widgets of the entry script from page to page, and in every page's address.
    """
    address = choose_address()
    listing = _data.experiments(address)
    if not listing.experiments:
        no_experiments()
        return None
    summary = choose_experiment(listing)
    if summary is None:
        return None
    counted = _data.overview(address, summary.name, summary.token)
    if not counted.cells and not without_results:
        st.header(plain(summary.name))
        no_results(summary.name)
        failures_table(_data.units(address, summary.name))
        return None
    config = _data.config(address, summary.record_key)
    models, columns = axes(
        counted, config, partial(_data.registered_name, address, summary.name, summary.token)
    )
    spanning = tuple(sorted({column.test for column in columns if column.scope == "windows"}))
    windows = _data.windows(address, summary.name, summary.token, spanning)
    found = Frame(
        address=address,
        listing=listing,
        summary=summary,
        config=config,
        counted=counted,
        units=units_of(_data.units(address, summary.name), config),
        windows=windows,
        window=choose_window(windows, always=bool(spanning)),
        all_columns=columns,
        chosen=choose_parts(models, columns),
        theme=theme_of(st.context.theme.type),
    )
    st.session_state[_KEPT] = found
    return found


def say_filters(shown: Frame) -> bool:
    """Say how much the filters leave; tell whether anything is left."""
    chosen = shown.chosen
    if not chosen.filtered:
        return True
    left = (
        f"{len(chosen.models)} of {count_of(len(chosen.all_models), 'model')} and "
        f"{len(chosen.tests)} of {count_of(len(chosen.all_tests), 'test')}"
    )
    with st.container(horizontal=True, vertical_alignment="center"):
        st.caption(f":material/filter_alt: The filters leave {left}.", width="content")
        st.button("Clear filters", on_click=_clear_filters, type="tertiary")
    return bool(chosen.models and chosen.tests)


def _clear_filters() -> None:
    st.session_state["model"] = []
    st.session_state["test"] = []
