"""Smoothed seismicity: past epicentres, each spread over a region's cells by a kernel.

Distances are those on a sphere. The kernels are normalised on the plane:

- ``gaussian``: K(r) = exp(-r^2 / 2 d^2) / (2 pi d^2). Frankel (1995) writes exp(-r^2 / c^2), c = d sqrt(2).
- ``power_law``: K(r) = d / (2 pi (r^2 + d^2)^1.5), of Helmstetter, Kagan and Jackson (2007).

A kernel is integrated over each cell in closed form, on the plane that touches the Earth at the event. Where
it changes little within a cell, the density at the middle times the area stands for that: of a power law from
eight sides of the cell on, right to 0.6 %, and of a Gaussian with d of eight sides or more, right to 0.5 % up
to 3 d. A kernel ends at its reach, and what falls outside the region or beyond is given back to the cells
inside, so that each event counts as one event.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.config.model_specs import Kernel
from forequake.regions import Region

__all__ = ["LEAST_DISTANCE_KM", "SMOOTHING_VERSION", "neighbour_distances", "smoothed_shares"]

#: Changes with the numbers that the same events give; it counts in the keys of forecasts.
SMOOTHING_VERSION: Final = 1
#: Epicentres are not known better (Helmstetter et al., 2007): no adaptive distance is less, in kilometres.
LEAST_DISTANCE_KM: Final = 0.5

_Floats = NDArray[np.float64]

_EARTH_RADIUS_KM: Final = 6371.0  # as in areas of cells
#: A kernel is smooth over cells whose side is this part of its distance d, or of that to the event.
_SMOOTH_SIDES: Final = 8.0
#: A Gaussian has 1.5e-8 of its mass beyond so many distances.
_GAUSSIAN_REACH: Final = 6.0
#: A power law has 5 % of its mass beyond so many distances; it ends there, but never nearer than the next.
_POWER_LAW_REACH: Final = 20.0
_POWER_LAW_REACH_KM: Final = 1000.0
#: Pairs of events and cells that are computed at a time: a megabyte for each array.
_PAIRS: Final = 1 << 17
_TINY: Final = 1e-300


def neighbour_distances(longitude: _Floats, latitude: _Floats, number: int) -> _Floats:
    """Give each event's distance to the `number`-th nearest other event, 0.5 km or more.

    Parameters
    ----------
    longitude, latitude : array of float64, shape (events,)
        Degrees; there must be more events than `number`.

    Returns
    -------
    array of float64, shape (events,)
        Kilometres along the Earth.
    """
    from scipy.spatial import KDTree

    places = _unit_vectors(longitude, latitude)
    chords = KDTree(places).query(places, k=[number + 1])[0][:, 0]
    return np.maximum(_along_the_earth(chords), LEAST_DISTANCE_KM)


def smoothed_shares(
    region: Region, longitude: _Floats, latitude: _Floats, distance_km: _Floats, kernel: Kernel
) -> _Floats:
    """Spread events over a region's cells, each event alike.

    Parameters
    ----------
    longitude, latitude : array of float64, shape (events,)
        Epicentres within the region, at least one, in degrees.
    distance_km : array of float64, shape (events,)
        The kernel's distance d of each event.

    Returns
    -------
    array of float64, shape (cells,)
        Shares of the events; sum 1 but for rounding. Zero beyond the reach of all events.
    """
    shape = _KERNELS[kernel]
    cells, events = _Cells(region), _unit_vectors(longitude, latitude)
    reach = shape.reach(distance_km)
    shares = np.zeros(len(region))
    for chosen, found in _neighbourhoods(events, reach, cells):
        rows = max(1, _PAIRS // len(found))
        for begin in range(0, len(chosen), rows):
            some = chosen[begin : begin + rows]
            weights = _weights(events[some], distance_km[some], reach[some], cells, found, shape)
            weights /= weights.sum(axis=1, keepdims=True)
            shares[found] += weights.sum(axis=0)
    return shares / len(longitude)


def _unit_vectors(longitude: _Floats, latitude: _Floats) -> _Floats:
    east, north = np.radians(longitude), np.radians(latitude)
    return np.column_stack([np.cos(north) * np.cos(east), np.cos(north) * np.sin(east), np.sin(north)])


def _along_the_earth(chord: _Floats) -> _Floats:
    """Give the distance along the Earth for a chord in units of its radius."""
    arc: _Floats = 2 * _EARTH_RADIUS_KM * np.arcsin(np.minimum(chord / 2, 1.0))
    return arc


class _Cells:
    """Middles, sides and areas of a region's cells, in kilometres where they are lengths."""

    def __init__(self, region: Region) -> None:
        from scipy.spatial import KDTree

        south, north = region.corners[:, 2:].T
        self.area = region.area
        middle = region.corners[:, 0] + region.widths / 2
        self.places = _unit_vectors(middle, (south + north) / 2)
        self.half_height = _EARTH_RADIUS_KM * np.radians(north - south) / 2
        self.half_width = self.area / (4 * self.half_height)  # so that the rectangle has the cell's area
        self.half_diagonal = np.hypot(self.half_width, self.half_height)
        self.rough = _SMOOTH_SIDES * 2 * np.maximum(self.half_width, self.half_height)
        self.tree = KDTree(self.places)


def _neighbourhoods(
    events: _Floats, reach: _Floats, cells: _Cells
) -> Iterator[tuple[NDArray[np.intp], NDArray[np.intp]]]:
    """Give events that lie together and reach about as far, with all cells that any of them can reach."""
    level = np.ceil(np.log2(reach))
    side = 2.0**level / 2 / _EARTH_RADIUS_KM
    boxes = np.column_stack([level, np.floor(events / side[:, None])])
    _, group = np.unique(boxes, axis=0, return_inverse=True)
    order = np.argsort(group.ravel(), kind="stable")
    edges = np.flatnonzero(np.diff(group.ravel()[order])) + 1
    widest = float(cells.half_diagonal.max())
    for chosen in np.split(order, edges):
        middle = events[chosen].mean(axis=0)
        middle /= max(float(np.sqrt((middle**2).sum())), _TINY)
        aside = _along_the_earth(np.sqrt(((events[chosen] - middle) ** 2).sum(axis=1)))
        angle = min((float((aside + reach[chosen]).max()) + widest) / _EARTH_RADIUS_KM, np.pi)
        found = cells.tree.query_ball_point(middle, 2 * np.sin(angle / 2) + 1e-9, return_sorted=True)
        yield chosen, np.array(found, dtype=np.intp)


def _weights(
    events: _Floats,
    distance: _Floats,
    reach: _Floats,
    cells: _Cells,
    found: NDArray[np.intp],
    shape: "_Shape",
) -> _Floats:
    """Integrate the kernel of each event over each of the found cells; shape (events, found cells)."""
    places = cells.places[found]
    cosine = events[:, :1] * places[:, 0]
    cosine += events[:, 1:2] * places[:, 1]
    cosine += events[:, 2:] * places[:, 2]
    along = np.arccos(np.clip(cosine, -1.0, 1.0, out=cosine), out=cosine)
    along *= _EARTH_RADIUS_KM
    weights = shape.density(along, distance[:, None]) * cells.area[found]
    ended = along > reach[:, None] + cells.half_diagonal[found]
    weights[ended] = 0.0
    rough = shape.scale(along, distance[:, None]) < cells.rough[found]
    event, place = np.nonzero(rough & ~ended)
    cell = found[place]
    east, north = _on_the_plane(events[event], cells.places[cell])
    weights[event, place] = shape.over_rectangle(
        east, north, cells.half_width[cell], cells.half_height[cell], distance[event]
    )
    return weights


def _on_the_plane(origins: _Floats, places: _Floats) -> tuple[_Floats, _Floats]:
    """Give kilometres east and north of each origin, with its distances and directions on the sphere."""
    x, y, z = origins.T
    level = np.maximum(np.hypot(x, y), _TINY)
    east = (x * places[:, 1] - y * places[:, 0]) / level
    north = places[:, 2] * level - z * (x * places[:, 0] + y * places[:, 1]) / level
    chord = np.sqrt(((places - origins) ** 2).sum(axis=1))
    stretch = _along_the_earth(chord) / np.maximum(np.hypot(east, north), _TINY)
    return east * stretch, north * stretch


@dataclass(frozen=True)
class _Shape:
    """A kernel.

    Attributes
    ----------
    reach
        From its distance d to where it ends, in kilometres.
    scale
        Of r and d: the length within which the density changes much.
    density
        Of r and d, per square kilometre.
    over_rectangle
        Its integral over a rectangle: middle east and north of the event, half the sides, and d.
    """

    reach: Callable[[_Floats], _Floats]
    scale: Callable[[_Floats, _Floats], _Floats]
    density: Callable[[_Floats, _Floats], _Floats]
    over_rectangle: Callable[[_Floats, _Floats, _Floats, _Floats, _Floats], _Floats]


def _gaussian(r: _Floats, d: _Floats) -> _Floats:
    density: _Floats = np.exp(-0.5 * (r / d) ** 2) / (2 * np.pi * d**2)
    return density


def _gaussian_over(x: _Floats, y: _Floats, half_x: _Floats, half_y: _Floats, d: _Floats) -> _Floats:
    from scipy.special import erf

    unit = d * np.sqrt(2.0)
    across = erf((x + half_x) / unit) - erf((x - half_x) / unit)
    along = erf((y + half_y) / unit) - erf((y - half_y) / unit)
    integral: _Floats = across * along / 4
    return integral


def _power_law(r: _Floats, d: _Floats) -> _Floats:
    square = r**2 + d**2
    density: _Floats = d / (2 * np.pi) / (square * np.sqrt(square))
    return density


def _power_law_over(x: _Floats, y: _Floats, half_x: _Floats, half_y: _Floats, d: _Floats) -> _Floats:
    def corner(x: _Floats, y: _Floats) -> _Floats:
        angle: _Floats = np.arctan(x * y / (d * np.sqrt(x**2 + y**2 + d**2)))
        return angle

    east, west, north, south = x + half_x, x - half_x, y + half_y, y - half_y
    integral = corner(east, north) - corner(west, north) - corner(east, south) + corner(west, south)
    return np.maximum(integral, 0.0) / (2 * np.pi)


_KERNELS: Final[dict[Kernel, _Shape]] = {
    "gaussian": _Shape(
        reach=lambda d: _GAUSSIAN_REACH * d,
        scale=lambda r, d: d,
        density=_gaussian,
        over_rectangle=_gaussian_over,
    ),
    "power_law": _Shape(
        reach=lambda d: np.maximum(_POWER_LAW_REACH * d, _POWER_LAW_REACH_KM),
        scale=lambda r, d: r,
        density=_power_law,
        over_rectangle=_power_law_over,
    ),
}
