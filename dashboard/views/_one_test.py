"""The choice of one test for a page, and its results in all windows."""

from collections.abc import Sequence

import streamlit as st

from dashboard import _grids
from dashboard.figures.cells import Column
from dashboard.figures.grids import Grid
from dashboard.views._failures import unknown_name
from dashboard.views._filters import drop_unknown
from dashboard.views._frame import Frame
from dashboard.views._kinds import definition_of
from forequake.errors import unknown
from forequake.evaluations.registry import TestDefinition

__all__ = ["choose_one", "columns_in_windows", "grid_of_column", "say_bounds"]


def columns_in_windows(shown: Frame) -> list[tuple[Column, TestDefinition]]:
    """List the tests that have one result of a model in each window, with what is known of them."""
    found = [
        (column, definition_of(shown, column.test))
        for column in shown.columns
        if column.scope == "window" and not column.against_all
    ]
    return [(column, definition) for column, definition in found if definition is not None]


def choose_one(label: str, key: str, options: Sequence[str], usual: str, *, width: int = 260) -> str:
    """Let the reader choose one of some names; the choice is kept in the address."""
    asked = st.query_params.get(key)
    if asked and asked not in options and key not in st.session_state:
        unknown_name(f"{unknown(label.lower(), asked, options)}.")
    drop_unknown(key, options)
    picked = st.selectbox(
        label, list(options), index=None, placeholder=usual, key=key, bind="query-params", width=width
    )
    return picked or usual


def grid_of_column(shown: Frame, column: Column) -> Grid | None:
    """Read the results of a test in all windows, of all models; those under way are marked."""
    models = shown.chosen.all_models
    found = _grids.grid(
        shown.address,
        shown.name,
        shown.token,
        column.test,
        column.reference,
        models,
        [summary.window for summary in shown.windows.listed],
        _grids.since_of(shown.windows, len(models)),
    )
    return None if found is None else found.with_units(shown.units)


def say_bounds(shown: Frame, grid: Grid) -> None:
    """Say where a page cannot hold all windows."""
    if len(grid.windows) < shown.windows.count:
        st.caption(
            f":material/more_horiz: The last {len(grid.windows)} of {shown.windows.count} windows are shown."
        )
