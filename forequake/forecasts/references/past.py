"""The events that a reference may learn from before a window, and none that came at its start or later."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.catalogs import CatalogSpec, Events, QueryCatalog
from forequake.catalogs.completeness import completeness, incomplete_part
from forequake.catalogs.load import learning_start
from forequake.config.model_specs import LearningReference
from forequake.config.specs import ExperimentConfig
from forequake.regions import Region
from forequake.schedules import Horizon
from forequake.windows import TimeWindow

__all__ = ["LearningCatalog", "Past"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


@dataclass(frozen=True, eq=False)
class Past:
    """What a reference learns from for one window.

    Attributes
    ----------
    places : array of float64, shape (events, 2)
        Degrees east and north of all events of the learning time that count, in order of time.
    magnitude : array of float64, shape (events,)
    whole : array of bool, shape (events,)
        At which of them the catalog is complete from the least magnitude on; b is estimated from these.
    start, end
        The time whose mean rate is taken: all of it, or its last part.
    count
        Events in that time.
    years
        Its length, without the parts in which the catalog is not complete.
    """

    places: NDArray[np.float64]
    magnitude: NDArray[np.float64]
    whole: NDArray[np.bool_]
    start: datetime
    end: datetime
    count: int
    years: float

    def __len__(self) -> int:
        return len(self.magnitude)


class LearningCatalog:
    """A learning catalog as one reference uses it.

    Parameters
    ----------
    events
        The whole catalog from which models learn, before any cut.

    Attributes
    ----------
    magnitude_min
        Least magnitude of the events that are learned from.
    floor
        Least magnitude that the catalog has by its own definition; None where that sets none.
    """

    def __init__(
        self, model: LearningReference, config: ExperimentConfig, region: Region, events: Events
    ) -> None:
        self._model = model
        spec = config.input_catalog or config.catalog
        self.magnitude_min = config.magnitudes[0] if model.mag_min is None else model.mag_min
        self.floor = spec.magnitude_min
        if self.floor is None and isinstance(spec.source, QueryCatalog):
            self.floor = config.magnitudes[0]
        self.start = model.start or _beginning(spec, config, events)
        ends = [end for end in (model.end, spec.end) if end is not None]
        self._end = min(ends, default=None)
        self._completeness = config.completeness
        last = max(self._until(window) for window in config.windows)
        chosen = events.take(np.zeros(0, dtype=np.intp))
        if self.start < last:
            span = TimeWindow(start=self.start, end=last)
            chosen = events.cut(
                window=span, region=region, magnitude_min=self.magnitude_min, depth_km=config.depth_km
            )
        self._events, self._whole = self._complete(chosen)
        self._places = np.column_stack([self._events.longitude, self._events.latitude])

    def past(self, window: TimeWindow) -> Past:
        """Give what there is to learn from before a window."""
        end = self._until(window)
        start = self.start
        if self._model.last is not None:
            start = max(start, Horizon.parse(self._model.last).after(end, -1))
        first, last = np.searchsorted(self._events.time_us, [_microseconds(start), _microseconds(end)])
        return Past(
            places=self._places[:last],
            magnitude=self._events.magnitude[:last],
            whole=self._whole[:last],
            start=start,
            end=end,
            count=max(int(last - first), 0),
            years=self._years(start, end),
        )

    def _until(self, window: TimeWindow) -> datetime:
        return window.start if self._end is None else min(window.start, self._end)

    def _years(self, start: datetime, end: datetime) -> float:
        if start >= end:
            return 0.0
        span = TimeWindow(start=start, end=end)
        if self._completeness is None:
            return span.years
        # For hours after a mainshock it is events that may be missing, not the time that counts less.
        lasting = self._completeness.model_copy(update={"mainshocks": ()})
        lacking = incomplete_part(lasting, span, self.magnitude_min)
        return span.years - sum(part.years for part in lacking.spans) if lacking.fraction < 1 else 0.0

    def _complete(self, events: Events) -> tuple[Events, NDArray[np.bool_]]:
        """Leave out events of times, and below magnitudes, for which the catalog is not complete."""
        if self._completeness is None:
            return events, np.ones(len(events), dtype=np.bool_)
        moments = events.times()
        lasting = completeness(self._completeness.model_copy(update={"mainshocks": ()}), moments)
        least = completeness(self._completeness, moments)
        counted = (lasting <= self.magnitude_min) & (events.magnitude >= least)
        # A mainshock's own moment has no limit: it is as well known as any event.
        counted |= (lasting <= self.magnitude_min) & np.isinf(least)
        return events.take(counted), least[counted] <= self.magnitude_min


def _beginning(spec: CatalogSpec, config: ExperimentConfig, events: Events) -> datetime:
    """Give the moment from which on the catalog has events: as it says, else that of its first event."""
    first = min(window.start for window in config.windows)
    if spec.start is not None:
        return spec.start
    if isinstance(spec.source, QueryCatalog):
        return learning_start(first) if config.input_catalog is not None else first
    return events.take(np.array([0])).times()[0] if len(events) else first


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND
