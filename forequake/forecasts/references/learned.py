"""References that learn from the events before each window: smoothed seismicity and the running mean.

Where events are expected, in which magnitudes and how many are three separate things: a map, a
Gutenberg-Richter law, and a mean rate. The rates are those of the time whose mean is taken, and the scale of
a forecast brings them to its window. So a day without an event has the forecast of the day before, scaled.
"""

import hashlib
import math
from collections.abc import Iterable
from typing import Annotated, Any, Final

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from forequake.catalogs import Events
from forequake.config.model_specs import Kernel, LearningReference, Smoothing
from forequake.config.specs import ExperimentConfig
from forequake.errors import ForecastError
from forequake.forecasts.gridded import GriddedRates
from forequake.forecasts.references.past import LearningCatalog, Past
from forequake.forecasts.references.shares import area_shares, b_value_of, magnitude_shares
from forequake.forecasts.references.smoothing import (
    SMOOTHING_VERSION,
    neighbour_distances,
    smoothed_shares,
)
from forequake.keys import KeyInputs, array_digest
from forequake.quantities import Sha256
from forequake.recent import Recent
from forequake.regions import Region
from forequake.results import ForecastSource, QualityFinding
from forequake.windows import TimeWindow

__all__ = ["FEWEST_FOR_B", "LearnedInputs", "learned_rates", "learned_sources"]

#: b is not estimated from fewer events: its standard error is b / sqrt(n), 14 % for so many.
FEWEST_FOR_B: Final = 50
#: Changes with the numbers that the same past gives; it counts in the keys of forecasts.
_LEARNING_VERSION: Final = 1
#: A catalog without any event in this last part of its time may have ended early.
_SILENT_PART: Final = 0.1
#: A map of the globe in cells of 0.5 degrees takes 2 MB.
_MOST_MAPS: Final = 8
_maps: Final[Recent[NDArray[np.float64]]] = Recent(_MOST_MAPS)


class LearnedInputs(KeyInputs):
    """What decides a learned forecast beside its region, bins and scale: the definition and the past.

    Attributes
    ----------
    count
        Events in the time whose mean rate is taken.
    places
        SHA-256 of the epicentres that are smoothed; None where events are spread by area.
    magnitudes
        SHA-256 of the magnitudes from which b is estimated; None where it is given.
    """

    what = "learned_reference"

    version: int = _LEARNING_VERSION
    mag_min: float
    count: int
    b_value: float | None
    mag_bin: float | None
    magnitudes: Sha256 | None
    kernel: Kernel | None
    neighbours: int | None
    bandwidth_km: float | None
    background: float | None
    smoothing: Annotated[int | None, Field(ge=1)] = None
    places: Sha256 | None


def learned_sources(
    model: LearningReference,
    config: ExperimentConfig,
    region: Region,
    events: Events,
    windows: Iterable[TimeWindow],
) -> dict[str, ForecastSource]:
    """Give what decides the forecast of each window, by the ids of windows; nothing is smoothed yet.

    Parameters
    ----------
    events
        The whole catalog from which models learn.
    windows
        Those that have begun: the past of others is not complete yet.
    """
    catalog, digests = LearningCatalog(model, config, region, events), _Digests()
    sources = {}
    for window in windows:
        past = catalog.past(window)
        inputs = _inputs(model, catalog, past, digests)
        sources[window.id] = ForecastSource(
            content=inputs.key,
            reader=f"{model.reference}/{_LEARNING_VERSION}",
            unit_years=past.years if past.years > 0 else None,
        )
    return sources


def learned_rates(
    model: LearningReference,
    config: ExperimentConfig,
    region: Region,
    magnitudes: NDArray[np.float64],
    events: Events,
    window: TimeWindow,
) -> GriddedRates:
    """Learn the forecast of a window.

    Parameters
    ----------
    magnitudes : array of float64, shape (bins,)
        Lower edges of the experiment's bins.
    events
        The whole catalog from which models learn; what came at the window's start or later is not used.

    Returns
    -------
    GriddedRates
        Over `ForecastSource.unit_years`; their sum is the number of events of that time at the experiment's
        least magnitude, by Gutenberg and Richter where it learned from another one.

    Raises
    ------
    ForecastError
        Where there is too little to learn from.
    """
    catalog = LearningCatalog(model, config, region, events)
    past = catalog.past(window)
    lack = _lack(model, catalog, past)
    if lack is not None:
        message = f"the reference {model.name!r} cannot learn before this window: {lack}"
        raise ForecastError(message)
    b_value = model.b_value
    if b_value is None:
        b_value = b_value_of(past.magnitude[past.whole], catalog.magnitude_min, model.mag_bin)
        if not math.isfinite(b_value):
            message = f"the reference {model.name!r} cannot estimate b: all magnitudes are one; give b_value"
            raise ForecastError(message)
    total = past.count * 10.0 ** (-b_value * (float(magnitudes[0]) - catalog.magnitude_min))
    cells = area_shares(region)
    if model.smoothing is not None:
        cells = _smooth_map(model.smoothing, region, past.places)
    rates = total * np.outer(cells, magnitude_shares(magnitudes, b_value))
    findings = _findings(model, catalog, past, events, b_value)
    return GriddedRates(rates=rates, findings=findings)


def _smooth_map(smoothing: Smoothing, region: Region, places: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give each cell's share of the events; shape (cells,)."""
    east, north = places.T

    def smooth() -> NDArray[np.float64]:
        if smoothing.neighbours is not None:
            distances = neighbour_distances(east, north, smoothing.neighbours)
        else:
            distances = np.full(len(places), smoothing.bandwidth_km, dtype=np.float64)
        shares = smoothed_shares(region, east, north, distances, smoothing.kernel)
        return (1.0 - smoothing.background) * shares + smoothing.background * area_shares(region)

    # From day to day a running mean counts other events, and smooths the same ones.
    return _maps.get(f"{region.inputs.key} {array_digest(places)} {smoothing.model_dump_json()}", smooth)


def _lack(model: LearningReference, catalog: LearningCatalog, past: Past) -> str | None:
    """Say why there is too little to learn from; None where there is enough."""
    least = catalog.magnitude_min
    if catalog.floor is not None and least < catalog.floor:
        return (
            f"it learns from magnitude {least:g} on, and its catalog has mag_min {catalog.floor:g}; "
            "raise the reference's mag_min, or lower the catalog's"
        )
    if past.years <= 0:
        return (
            f"its learning begins at {catalog.start:%Y-%m-%d %H:%M}, and at no time from then to the window "
            f"is the catalog complete from magnitude {least:g} on; give an input_catalog that starts earlier"
        )
    found = f"{past.count} of magnitude {least:g} or more in the region"
    if past.count == 0:
        when = f"the last {model.last}" if model.last else f"all the time from {catalog.start:%Y-%m-%d} on"
        return f"there are no events to count ({found} in {when})"
    neighbours = 0 if model.smoothing is None else model.smoothing.neighbours or 0
    if len(past) <= neighbours:
        return f"its {len(past)} events have no neighbour number {neighbours}; give bandwidth_km"
    whole = int(past.whole.sum())
    if model.b_value is None and whole < FEWEST_FOR_B:
        return (
            f"b is estimated from {FEWEST_FOR_B} events or more, and there are {whole} of magnitude "
            f"{least:g} or more in the region; give b_value, or a lower mag_min"
        )
    return None


def _findings(
    model: LearningReference, catalog: LearningCatalog, past: Past, events: Events, b_value: float
) -> tuple[QualityFinding, ...]:
    """Tell what was learned, and where the catalog may have ended before the time that is counted."""
    how = "given" if model.b_value is not None else f"+- {b_value / math.sqrt(past.whole.sum()):.2f}"
    message = (
        f"learned from {len(past)} events of magnitude {catalog.magnitude_min:g} or more from "
        f"{catalog.start:%Y-%m-%d} on, b = {b_value:.3f} ({how}); {past.count} of them give the mean rate"
    )
    findings = [QualityFinding(code="learned", severity="note", message=message, count=len(past))]
    all_past = events.time_us[: np.searchsorted(events.time_us, int(past.end.timestamp() * 1e6))]
    span = (past.end - catalog.start).total_seconds()
    silent = past.end.timestamp() - float(all_past[-1]) / 1e6 if len(all_past) else span
    if silent > _SILENT_PART * span:
        message = (
            f"the learning catalog has no event at all in the last {silent / span:.0%} of the time from "
            f"{catalog.start:%Y-%m-%d} to the window; where it ends early, say so with end_date"
        )
        findings.append(QualityFinding(code="learning_catalog_silent", severity="warning", message=message))
    return tuple(findings)


class _Digests:
    """Hashes of arrays of which one begins with the one before, as the pasts of windows in order do."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[int, Any]] = {}

    def of(self, what: str, array: NDArray[np.float64]) -> Sha256:
        """Hash an array's little-endian bytes; what was hashed for the window before is not read again."""
        length, digest = self._known.get(what, (0, hashlib.sha256()))
        if len(array) < length:
            length, digest = 0, hashlib.sha256()
        digest.update(np.ascontiguousarray(array[length:], dtype="<f8").tobytes())
        self._known[what] = len(array), digest
        return str(digest.hexdigest())


def _inputs(
    model: LearningReference, catalog: LearningCatalog, past: Past, digests: _Digests
) -> LearnedInputs:
    smoothing, estimated = model.smoothing, model.b_value is None
    places = magnitudes = None
    if smoothing is not None:
        places = digests.of("places", past.places)
    if estimated:
        magnitudes = digests.of("magnitudes", past.magnitude[past.whole])
    return LearnedInputs(
        mag_min=catalog.magnitude_min,
        count=past.count,
        b_value=model.b_value,
        mag_bin=model.mag_bin if estimated else None,
        magnitudes=magnitudes,
        kernel=smoothing and smoothing.kernel,
        neighbours=smoothing and smoothing.neighbours,
        bandwidth_km=smoothing and smoothing.bandwidth_km,
        background=smoothing and smoothing.background,
        smoothing=SMOOTHING_VERSION if smoothing is not None else None,
        places=places,
    )
