"""The sections of a report that show the observed catalog, and how many events models expect."""

from collections.abc import Iterator, Sequence
from typing import Any, Final

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from dashboard._forecast_sums import ForecastSums, growth_of
from dashboard._theme import LIGHT, Theme
from dashboard._words import count_of, events, number, window_name
from dashboard.figures.catalog import epicentre_map, magnitude_time
from dashboard.figures.catalog_counts import ModelCounts, cumulative_figure, magnitude_histogram
from dashboard.figures.growth import Growth
from dashboard.figures.judged import judge, reason_words
from dashboard.figures.lines import styles_of
from dashboard.report.blocks import Block, Picture, Table, Words
from dashboard.report.material import Material
from forequake.windows import TimeWindow

__all__ = ["catalog_blocks", "count_blocks"]

#: Rows of the table of events, the largest ones.
_LISTED: Final = 100
_WIDTH: Final = 620
#: So many models have their numbers drawn beside each other; of more the bars would touch.
_MOST_MODELS: Final = 4
_LEAST: Final = 480
_SELDOM: Final = 1e-4


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


def count_blocks(of: Material) -> Iterator[Block]:
    """Show how many events models expect in one window, by magnitude and over time, and how many came."""
    window, config = of.one_window, of.config
    if window is None or config is None or not of.has_inputs:
        return
    found = _expected(of, window)
    if not found:
        return
    observation = of.experiment.observation(window)
    edges = np.array(config.magnitudes)
    observed = np.bincount(observation.bins, minlength=len(edges))
    latest = "" if of.window is not None else ", the latest one with results"
    left = f" The first {len(found)} of {len(of.models)} models." * (len(found) < len(of.models))
    yield Words(f"The window {window_name(window)}{latest}: {events(len(observation.events))}.{left}")

    def counts(theme: Theme) -> list[ModelCounts]:
        styles = styles_of(list(found), list(found), theme)
        return [
            ModelCounts(model, styles[model], sums.per_bin, sums.band, growth)
            for model, (sums, growth) in found.items()
        ]

    def by_magnitude(theme: Theme) -> go.Figure:
        return magnitude_histogram(edges, observed, counts(theme), theme)

    def over_time(theme: Theme) -> go.Figure:
        return cumulative_figure(observation.events.time_us, window, counts(theme), theme)

    what = f"{events(len(observation.events))} beside what {count_of(len(found), 'model')} expect"
    yield Picture(
        name="numbers-by-magnitude",
        draw=by_magnitude,
        alt=f"By magnitude: {what}; the table below has the bins in which anything is seen",
        caption="By magnitude. Bars hold 95 %: Poisson's of rates, the simulated of catalogs.",
        least_width=_LEAST,
    )
    yield Table("Numbers by magnitude", _bins(edges, observed, counts(LIGHT)))
    yield Picture(
        name="numbers-over-time",
        draw=over_time,
        alt=f"Over time: {what}",
        caption="Over time. Rates hold for the whole window, so what they expect grows evenly.",
        least_width=_LEAST,
    )


def _expected(of: Material, window: TimeWindow) -> dict[str, tuple[ForecastSums, Growth]]:
    """Read the forecasts of the first models that have one."""
    found: dict[str, tuple[ForecastSums, Growth]] = {}
    for model in of.models:
        sums = of.sums(model, window)
        if sums is not None:
            found[model] = sums, growth_of(of.store, of.experiment, model, window, sums)
        if len(found) == _MOST_MODELS:
            break
    return found


def _bins(
    edges: NDArray[np.float64], observed: NDArray[np.int64], models: Sequence[ModelCounts]
) -> list[dict[str, Any]]:
    """List the bins up to the last one in which an event came or one in 10,000 windows is expected."""
    seen = observed > 0
    for counts in models:
        seen = seen | (counts.per_bin >= _SELDOM)
    last = int(np.flatnonzero(seen)[-1]) + 1 if seen.any() else 0
    table: list[dict[str, Any]] = [
        {"from magnitude": round(float(edge), 2), "observed": int(count)}
        for edge, count in zip(edges[:last], observed[:last], strict=True)
    ]
    for counts in models:
        low, high = counts.bands
        for place, entry in enumerate(table):
            entry[f"{counts.model} expected"] = float(counts.per_bin[place])
            ends = (number(float(end[place]), 3) for end in (low, high))
            entry[f"{counts.model} 95 %"] = " to ".join(ends)
    return table
