"""Events that are in a catalog twice."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.catalogs.events import Events

__all__ = ["Duplicates", "find_duplicates"]

_EARTH_RADIUS_KM: Final = 6371.0
#: Each event is compared with so many that follow it: catalogs with dates only have thousands of one time.
_MOST_NEIGHBOURS: Final = 1000
#: Magnitudes are decimals: 4.3 and 4.1 are 0.2 apart, though not in binary.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, eq=False)
class Duplicates:
    """Pairs of events that are probably one.

    Attributes
    ----------
    earlier, later : array of int, shape (pairs,)
        Indices of the events; each event is the later one of at most one pair.
    same_id : array of bool, shape (pairs,)
        Whether both have one id; else they are near in time, place and magnitude.
    """

    earlier: NDArray[np.intp]
    later: NDArray[np.intp]
    same_id: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.later)


def find_duplicates(events: Events, *, seconds: float, kilometres: float, magnitude: float) -> Duplicates:
    """Find events with an earlier one's id, or within all three tolerances of an earlier one.

    An event that is itself a duplicate makes no other one.

    Parameters
    ----------
    seconds, kilometres, magnitude
        Tolerances in origin time, epicentre and magnitude, all included.
    """
    later_by_id = _same_ids(events)
    gone = set(later_by_id)
    near: dict[int, int] = {}
    for first, second in _near_pairs(events, seconds, kilometres, magnitude):
        if first not in gone and second not in gone:
            gone.add(second)
            near[second] = first
    pairs = [(later, earlier, True) for later, earlier in later_by_id.items()]
    pairs += [(later, earlier, False) for later, earlier in near.items()]
    pairs.sort()
    return Duplicates(
        earlier=np.array([earlier for _, earlier, _ in pairs], dtype=np.intp),
        later=np.array([later for later, _, _ in pairs], dtype=np.intp),
        same_id=np.array([same for _, _, same in pairs], dtype=np.bool_),
    )


def _same_ids(events: Events) -> dict[int, int]:
    """Give the first event with the same id for each event that is not the first with its id."""
    _, first, inverse = np.unique(events.event_id, return_index=True, return_inverse=True)
    firsts = first[inverse]
    repeated = (firsts != np.arange(len(events))) & (events.event_id != "")
    return {int(later): int(firsts[later]) for later in np.flatnonzero(repeated)}


def _near_pairs(events: Events, seconds: float, kilometres: float, magnitude: float) -> list[tuple[int, int]]:
    tolerance = round(seconds * 1e6)
    pairs: list[tuple[int, int]] = []
    candidates = np.arange(len(events))
    latitude, longitude = np.radians(events.latitude), np.radians(events.longitude)
    for step in range(1, _MOST_NEIGHBOURS + 1):
        candidates = candidates[candidates < len(events) - step]
        # Times increase, so who is too far from one event is too far from all after it.
        candidates = candidates[events.time_us[candidates + step] - events.time_us[candidates] <= tolerance]
        if not len(candidates):
            break
        apart = np.abs(events.magnitude[candidates] - events.magnitude[candidates + step])
        one = candidates[apart <= magnitude + _ROUNDING]
        one = one[_distance(latitude, longitude, one, one + step) <= kilometres]
        pairs += zip(one.tolist(), (one + step).tolist(), strict=True)
    return sorted(pairs)


def _distance(
    latitude: NDArray[np.float64],
    longitude: NDArray[np.float64],
    one: NDArray[np.intp],
    other: NDArray[np.intp],
) -> NDArray[np.float64]:
    """Give distances of epicentres in kilometres on a sphere, by the haversine formula, from radians."""
    half_north = np.sin((latitude[other] - latitude[one]) / 2) ** 2
    half_east = np.sin((longitude[other] - longitude[one]) / 2) ** 2
    square = half_north + np.cos(latitude[one]) * np.cos(latitude[other]) * half_east
    distance: NDArray[np.float64] = 2 * _EARTH_RADIUS_KM * np.arcsin(np.sqrt(np.clip(square, 0, 1)))
    return distance
