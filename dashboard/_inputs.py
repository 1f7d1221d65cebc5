"""What results were computed from, as the store has it: the region, events, and forecasts made small.

Forecasts are kept as their sums over magnitudes, and over the cells of each pixel of a map, never whole: the
rates of a global forecast fill gigabytes.
"""

import streamlit as st

from dashboard import _data
from dashboard._forecast_sums import ForecastSums, seen_in, sums_of
from dashboard.figures.events import SeenEvents
from dashboard.figures.pixels import Pixels, pixels_of
from forequake.catalogs import Events
from forequake.experiments import Experiment
from forequake.quantities import Sha256
from forequake.windows import TimeWindow

__all__ = ["ForecastSums", "experiment", "forecast_sums", "observed", "pixels", "seen"]


@st.cache_resource(max_entries=4, show_spinner=False)
def experiment(address: str, record_key: Sha256) -> Experiment:
    """Read a resolved experiment: its region and its observed catalog.

    Raises
    ------
    NotFound
        Where the store lacks one of them.
    """
    return Experiment.from_store(_data.store(address), record_key)


def observed(address: str, record_key: Sha256, window: TimeWindow) -> Events:
    """Give the events that count in a window."""
    return experiment(address, record_key).observed(window)[0]


@st.cache_resource(max_entries=4, show_spinner=False)
def pixels(address: str, record_key: Sha256) -> Pixels:
    """Lay the region out as a map."""
    return pixels_of(experiment(address, record_key).region)


def seen(address: str, record_key: Sha256, window: TimeWindow) -> SeenEvents:
    """Give all events of the catalog in a window and on the map, and why some do not count."""
    return seen_in(experiment(address, record_key), window, pixels(address, record_key))


@st.cache_resource(max_entries=64, show_spinner="Reading the forecast")
def forecast_sums(
    address: str, record_key: Sha256, model: str, window: TimeWindow, from_bin: int = 0
) -> ForecastSums:
    """Read a model's forecast for a window, and sum it up; see `dashboard._forecast_sums.sums_of`."""
    found, map_of = experiment(address, record_key), pixels(address, record_key)
    return sums_of(_data.store(address), found, map_of, model, window, from_bin)
