"""The sections of a report that are maps: where models expect events, and which events a model gains from."""

import html
from collections.abc import Iterator
from typing import Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard._forecast_sums import ForecastSums
from dashboard._theme import Theme
from dashboard._words import count_of, number, window_name
from dashboard.figures.events import event_gains
from dashboard.figures.maps import MapLayout, gain_map, rate_map, rate_range, shown_rates
from dashboard.report.blocks import Block, Picture, Table, Words
from dashboard.report.material import Material
from forequake.windows import TimeWindow

__all__ = ["event_blocks", "map_blocks"]

#: So many models have maps of their own; of each more a page would grow by some hundred kilobytes.
_MOST_MAPS: Final = 6
#: Rows of the table of events.
_MOST_EVENTS: Final = 200
_WIDTH: Final = 620
_DAY: Final = 86_400.0

Array = NDArray[np.float64]


def map_blocks(of: Material) -> Iterator[Block]:
    """Show where models expect events in one window, and where they came."""
    window = of.one_window
    if window is None or not of.has_inputs:
        return
    found = _forecasts(of, window)
    if not found:
        return
    latest = "" if of.window is not None else ", the latest one with results"
    left = f" Maps of the first {len(found)} of {len(of.models)} models." * (len(found) < len(of.models))
    yield Words(f"The window {window_name(window)}{latest}.{left}")
    days = (window.end - window.start).total_seconds() / _DAY
    rates = {model: shown_rates(of.pixels, sums.per_pixel, "cell", days) for model, sums in found.items()}
    colours = rate_range(*rates.values())
    seen = of.seen(window)
    for model, sums in found.items():

        def draw(theme: Theme, model: str = model, sums: ForecastSums = sums) -> go.Figure:
            layout = MapLayout(pixels=of.pixels, seen=seen, theme=theme, width=_WIDTH)
            return rate_map(layout, rates[model], "cell", colours, sums.n_catalogs)

        counted = "" if sums.n_catalogs is None else f", counted from {sums.n_catalogs} catalogs"
        yield Picture(
            name=f"map-{model}",
            title=model,
            draw=draw,
            alt=f"Map of the rates of {model}: {number(sums.total)} events expected, "
            f"{len(seen.counted)} came",
            caption=f"{number(sums.total)} events expected{counted}. All maps have one range of colours. "
            "Larger marks are larger events; filled ones count in the test, open ones lie outside of its "
            "magnitudes, depths or region.",
        )


def event_blocks(of: Material) -> Iterator[Block]:
    """Show from which events of one window a model gains over the reference."""
    window = of.one_window
    if window is None or not of.has_inputs:
        return
    reference = next((column.reference for column in of.columns if column.reference is not None), None)
    if reference is None:
        return
    seen, theirs = of.seen(window), of.sums(reference, window)
    if theirs is None or not len(seen.counted):
        return
    for model, ours in _forecasts(of, window).items():
        if model == reference:
            continue
        gains = event_gains(ours.at_events, ours.total, theirs.at_events, theirs.total)

        def draw(
            theme: Theme, model: str = model, gains: Array = gains, own: Array = ours.per_pixel
        ) -> go.Figure:
            layout = MapLayout(pixels=of.pixels, seen=seen, theme=theme, width=_WIDTH)
            names = (html.escape(model), html.escape(reference))
            return gain_map(layout, gains, names, (own, theirs.per_pixel))

        mean = "undefined" if np.isnan(gains).any() else f"{number(float(gains.mean()))} nats"
        yield Picture(
            name=f"gain-{model}",
            title=f"{model} over {reference}",
            draw=draw,
            alt=f"Map of {count_of(len(gains), 'event')} by the gain of {model} over {reference}",
            caption=f"Each event's own gain. Their mean is {mean} per event. "
            "Pale below them is where each model expects more.",
        )
        yield Table(
            f"Gains of {model} over {reference} by events",
            [
                {
                    "time": f"{time:%Y-%m-%d %H:%M:%S}",
                    "magnitude": float(magnitude),
                    "longitude": float(longitude),
                    "latitude": float(latitude),
                    "gain": None if np.isnan(gain) else float(gain),
                }
                for time, magnitude, longitude, latitude, gain in zip(
                    seen.counted.times(),
                    seen.counted.magnitude,
                    seen.counted.longitude,
                    seen.counted.latitude,
                    gains,
                    strict=True,
                )
            ][:_MOST_EVENTS],
        )


def _forecasts(of: Material, window: TimeWindow) -> dict[str, ForecastSums]:
    """Read the forecasts of the first models that have one."""
    found: dict[str, ForecastSums] = {}
    for model in of.models:
        sums = of.sums(model, window)
        if sums is not None:
            found[model] = sums
        if len(found) == _MOST_MAPS:
            break
    return found
