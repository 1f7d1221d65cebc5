"""Events and rates of a map as tables, and rates as a file."""

import io
from collections.abc import Mapping
from functools import partial
from typing import Any

import numpy as np
import streamlit as st
from numpy.typing import NDArray

from dashboard.figures.events import SeenEvents
from dashboard.figures.pixels import Pixels
from dashboard.views._files import file_name, plain_cell
from forequake.catalogs import Events

__all__ = ["events_table", "gains_table", "offer_rates"]

Array = NDArray[np.float64]


def events_table(seen: SeenEvents) -> list[dict[str, Any]]:
    """List the events of a map, those that count first."""
    counted = [entry | {"counts": "yes"} for entry in _entries(seen.counted)]
    outside = [
        entry | {"counts": f"no: {reason}"}
        for entry, reason in zip(_entries(seen.outside), seen.reasons, strict=True)
    ]
    return counted + outside


def gains_table(seen: SeenEvents, gains: Array, at_events: Mapping[str, Array]) -> list[dict[str, Any]]:
    """List the events that count by their gains, the largest first; those without a gain come last.

    Parameters
    ----------
    at_events
        What each model expects in the events' bins.
    """
    order = np.argsort(-np.where(np.isnan(gains), -np.inf, gains), kind="stable")
    entries = _entries(seen.counted)
    return [
        {"gain": None if np.isnan(gains[place]) else float(gains[place])}
        | entries[place]
        | {f"rate of {model}": float(rates[place]) for model, rates in at_events.items()}
        for place in order
    ]


def _entries(events: Events) -> list[dict[str, Any]]:
    return [
        {
            "time": moment,
            "magnitude": magnitude,
            "longitude": longitude,
            "latitude": latitude,
            "depth in km": depth,
            "id": str(name),
        }
        for moment, magnitude, longitude, latitude, depth, name in zip(
            events.times(),
            events.magnitude.tolist(),
            events.longitude.tolist(),
            events.latitude.tolist(),
            events.depth_km.tolist(),
            events.event_id,
            strict=True,
        )
    ]


def offer_rates(pixels: Pixels, rates: Mapping[str, Array], name: str) -> None:
    """Offer the rates of the maps as a file that is made when it is asked for."""
    st.download_button(
        "Download the rates as CSV",
        key="download rates csv",
        data=partial(_rates_as_csv, pixels, rates),
        file_name=file_name(f"{name}_rates.csv"),
        mime="text/csv",
        on_click="ignore",
        icon=":material/download:",
    )


def _rates_as_csv(pixels: Pixels, rates: Mapping[str, Array]) -> bytes:
    """Write a line for each pixel of the region: its edges in degrees, cells, and rates."""
    row, column = np.nonzero(pixels.inside)
    x, y = pixels.longitude, pixels.latitude
    columns = [x[column], x[column + 1], y[row], y[row + 1], pixels.cells[row, column]]
    columns += [one[row, column] for one in rates.values()]
    heads = ["west", "east", "south", "north", "cells", *(f'"{plain_cell(model)}"' for model in rates)]
    text = io.StringIO()
    np.savetxt(
        text, np.column_stack(columns), fmt="%.10g", delimiter=",", header=",".join(heads), comments=""
    )
    return text.getvalue().encode()
