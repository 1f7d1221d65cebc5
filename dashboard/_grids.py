"""The results of one test of all models in all windows, as arrays."""

from collections.abc import Iterable
from datetime import datetime

import streamlit as st

from dashboard import _data
from dashboard._experiment import MOST_IN_COLUMNS, pairs_since
from dashboard.figures.grids import Grid, grid_of
from forequake.windows import TimeWindow

__all__ = ["expected_of", "grid", "since_of"]


@st.cache_resource(max_entries=12, show_spinner="Reading results")
def grid(
    address: str,
    experiment: str,
    token: int,
    test: str,
    reference: str | None,
    models: tuple[str, ...],
    _windows: Iterable[TimeWindow],
    since: datetime | None,
) -> Grid | None:
    """Read the results of a test; None where there is none.

    Parameters
    ----------
    models
        All of the experiment.
    _windows
        In which results may be missing; the same as long as the token is, so that they are no part of what
        the answer is kept under: to hash a thousand takes as long as all else.
    since
        Only windows that begin then or later; see `since_of`.
    """
    columns = _data.columns(address, experiment, token, test, since)
    if columns is not None and reference is not None:
        columns = columns.where(columns.reference == columns.code_of("references", reference))
    if columns is None:
        return None
    due = [window for window in _windows if since is None or window.start >= since]
    return grid_of(columns, models, due)


def since_of(windows: _data.Windows, models: int) -> datetime | None:
    """Give from when on the results of so many models fit into what is read; None for all."""
    return pairs_since(windows.listed, models, MOST_IN_COLUMNS)


def expected_of(address: str, experiment: str, token: int, model: str) -> dict[TimeWindow, float]:
    """Give a model's expected number of events in each window, by the test that it has in most windows."""
    counted = _data.overview(address, experiment, token)
    cells = [cell for cell in counted.cells if cell.model == model]
    if not cells:
        return {}
    cell = max(cells, key=lambda each: each.n_windows)
    columns = _data.columns(address, experiment, token, cell.test, None)
    if columns is None:
        return {}
    found = columns.of(cell.model, cell.reference)
    return dict(zip(found.windows, found.n_forecast.tolist(), strict=True))
