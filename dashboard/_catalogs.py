"""What the page of the catalog reads: events with whether they count, and forecasts over a window's time."""

import streamlit as st

from dashboard import _data, _inputs
from dashboard._forecast_sums import growth_of
from dashboard.figures.growth import Growth
from dashboard.figures.judged import JudgedEvents, judge
from forequake.quantities import Sha256
from forequake.windows import TimeWindow

__all__ = ["growth", "judged"]


@st.cache_resource(max_entries=4, show_spinner="Reading the catalog")
def judged(address: str, record_key: Sha256) -> JudgedEvents:
    """Give all events of the observed catalog, and why some do not count.

    Raises
    ------
    NotFound
        Where the store lacks the catalog or the region.
    """
    found = _inputs.experiment(address, record_key)
    config = found.config
    return judge(
        found.events,
        windows=config.windows,
        region=found.region,
        magnitude_min=config.magnitudes[0],
        depth_km=config.depth_km,
    )


@st.cache_resource(max_entries=64, show_spinner="Reading the forecast")
def growth(address: str, record_key: Sha256, model: str, window: TimeWindow) -> Growth:
    """Give the numbers of events that a model expects up to each moment of a window.

    Raises
    ------
    NotFound
        Where the forecast was never made, or the store has it no more.
    ForecastError
        Where there is none for the window.
    """
    sums = _inputs.forecast_sums(address, record_key, model, window)
    return growth_of(_data.store(address), _inputs.experiment(address, record_key), model, window, sums)
