"""Observed events on a map: those that a test counts, those that it does not, and what each is worth."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from dashboard.figures.pixels import Pixels
from forequake.catalogs import Events
from forequake.regions import Region
from forequake.windows import TimeWindow

__all__ = ["MOST_OUTSIDE", "SeenEvents", "event_gains", "seen_events"]

#: Of events that do not count, so many are drawn: the largest.
MOST_OUTSIDE: Final = 2000
#: Magnitudes are written with few digits; edges of bins are sums that rounding touches.
_SAME_MAGNITUDE: Final = 1e-9

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class SeenEvents:
    """Events in a window and on its map.

    Attributes
    ----------
    counted
        Those that a test counts, in order of time.
    outside
        Those that it does not, the largest first.
    reasons : tuple of str
        Why each of `outside` does not count: magnitude, depth, region, or several of them.
    n_outside
        How many there are; `outside` has at most `MOST_OUTSIDE`.
    """

    counted: Events
    outside: Events
    reasons: tuple[str, ...]
    n_outside: int

    def from_magnitude(self, least: float) -> "SeenEvents":
        """Give those of a magnitude and above; `n_outside` then counts what is drawn."""
        large = self.outside.magnitude >= least - _SAME_MAGNITUDE
        return SeenEvents(
            counted=self.counted.take(self.counted.magnitude >= least - _SAME_MAGNITUDE),
            outside=self.outside.take(large),
            reasons=tuple(reason for reason, kept in zip(self.reasons, large, strict=True) if kept),
            n_outside=int(large.sum()),
        )


def seen_events(
    events: Events,
    *,
    window: TimeWindow,
    region: Region,
    magnitude_min: float,
    depth_km: tuple[float, float] | None,
    pixels: Pixels,
) -> SeenEvents:
    """Find the events of a window, and why some do not count.

    What counts is cut as tests cut it (`Events.cut`); beyond the map's edges nothing is looked at.
    """
    counted = events.cut(window=window, region=region, magnitude_min=magnitude_min, depth_km=depth_km)
    here = events.before(window.end)
    here = here.take(np.arange(len(events.before(window.start)), len(here)))
    west, east, south, north = pixels.box
    turned = pixels.turned(here.longitude)
    on_map = (turned >= west) & (turned <= east) & (here.latitude >= south) & (here.latitude <= north)
    here = here.take(on_map)
    small = here.magnitude < magnitude_min
    deep = np.zeros(len(here), dtype=np.bool_)
    if depth_km is not None:
        least = -np.inf if depth_km[0] == 0 else depth_km[0]
        deep = ~((here.depth_km >= least) & (here.depth_km <= depth_km[1]))
    away = region.cells_of(here.longitude, here.latitude) < 0 if len(here) else deep
    chosen = np.flatnonzero(small | deep | away)
    chosen = chosen[np.argsort(-here.magnitude[chosen], kind="stable")]
    drawn = chosen[:MOST_OUTSIDE]
    named = (("magnitude", small), ("depth", deep), ("region", away))
    reasons = tuple(", ".join(name for name, holds in named if holds[place]) for place in drawn)
    return SeenEvents(counted=counted, outside=here.take(drawn), reasons=reasons, n_outside=len(chosen))


def event_gains(at_events: Array, total: float, reference_at_events: Array, reference_total: float) -> Array:
    """Give each event's part of the information gain of one forecast over another, in nats.

    The logarithm of the ratio of the expected numbers in the event's bin, less the event's share of the
    difference of the totals; the mean is the information gain of the T-test (Rhoades et al. 2011).

    Parameters
    ----------
    at_events, reference_at_events : array of float64, shape (events,)
        Expected numbers in the events' bins.
    total, reference_total
        Expected numbers in all bins.

    Returns
    -------
    array of float64, shape (events,)
        Infinite where one of the forecasts expects none in an event's bin; NaN where both do.

    Examples
    --------
    >>> event_gains(np.array([0.2, 0.1]), 1.5, np.array([0.1, 0.1]), 1.0).round(4)
    array([ 0.4431, -0.25  ])
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = np.log(at_events) - np.log(reference_at_events)
    gains: Array = ratios - (total - reference_total) / max(len(at_events), 1)
    return gains
