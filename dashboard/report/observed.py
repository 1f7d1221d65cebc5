"""The section of a report that shows the observed catalog."""

from collections.abc import Iterator
from typing import Final

import numpy as np
import plotly.graph_objects as go

from dashboard._theme import Theme
from dashboard._words import events
from dashboard.figures.catalog import epicentre_map, magnitude_time
from dashboard.figures.judged import judge, reason_words
from dashboard.report.blocks import Block, Picture, Table, Words
from dashboard.report.material import Material

__all__ = ["catalog_blocks"]

#: Rows of the table of events, the largest ones.
_LISTED: Final = 100
_WIDTH: Final = 620


def catalog_blocks(of: Material) -> Iterator[Block]:
    """Show where and when events came, and which of them count."""
    config = of.config
    if config is None or not of.has_inputs:
        return
    found = of.experiment
    judged = judge(
        found.events,
        windows=config.windows,
        region=found.region,
        magnitude_min=config.magnitudes[0],
        depth_km=config.depth_km,
    )
    span = of.window or config.span
    inside = judged.within(span)
    if not len(inside):
        yield Words("No event came in this time.")
        return
    counted = int(inside.counted.sum())

    def over_time(theme: Theme) -> go.Figure:
        return magnitude_time(inside, config, span, None, theme)

    def places(theme: Theme) -> go.Figure:
        return epicentre_map(inside, of.pixels, theme, _WIDTH)

    yield Picture(
        name="magnitudes-over-time",
        draw=over_time,
        alt=f"Magnitudes of {events(len(inside))} over time",
        caption=f"{events(len(inside))}, of which {counted} count: filled marks. The dashed line is the "
        "least magnitude; bands are windows.",
        least_width=480,
    )
    yield Picture(
        name="epicentres",
        draw=places,
        alt=f"Map of {events(len(inside))}, {counted} of them in the test",
        caption="Larger marks are larger events; filled ones count in the test.",
    )
    largest = inside.take(np.argsort(-inside.events.magnitude, kind="stable")[:_LISTED])
    columns = largest.events
    yield Table(
        "Events" if len(largest) == len(inside) else f"The largest {_LISTED} events",
        [
            {
                "time (UTC)": f"{time:%Y-%m-%d %H:%M:%S}",
                "magnitude": round(float(columns.magnitude[place]), 2),
                "longitude": round(float(columns.longitude[place]), 4),
                "latitude": round(float(columns.latitude[place]), 4),
                "depth in km": round(float(columns.depth_km[place]), 2),
                "in the test": f"no: {reason_words(code)}" if code else "yes",
            }
            for place, (time, code) in enumerate(zip(columns.times(), largest.why_not.tolist(), strict=True))
        ],
    )
