"""A catalog made by chance, with which a model can be tried: background, two mainshocks, their aftershocks.

Magnitudes follow Gutenberg and Richter with b = 1. Aftershocks follow Reasenberg and Jones (1989) with their
generic values for California: the rate of magnitude M or more, t days after a mainshock of magnitude Mm, is
10^(a + b (Mm - M)) (t + c)^-p. They lie around the mainshock with a density of (r^2 + d^2)^-1.5. Nothing of
it is fitted to the region: it has only to be of the kind that models expect.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.catalogs import Events
from forequake.regions import Region

__all__ = ["simulated_catalog"]

#: Reasenberg and Jones's generic a, p and c (in days); b for all magnitudes.
_A, _P, _C, _B = -1.67, 1.08, 0.05, 1.0
#: Where the density of aftershocks begins to fall, kilometres.
_NEAR_KM: Final = 2.0
_KM_PER_DEGREE: Final = 111.195
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_PAST: Final = timedelta(days=730)
#: So long before the cut-off the first mainshock is, and so much it exceeds the least magnitude that counts.
_SINCE: Final = timedelta(days=3)
_ABOVE: Final = 2.5
_LARGEST: Final = 9.0
#: Events are there from so much below the least magnitude that counts.
_BELOW: Final = 1.0
#: Background events per day, of all magnitudes.
_PER_DAY: Final = 0.4
_DEPTHS_KM: Final = (2.0, 15.0)
_TRIES: Final = 50


@dataclass(frozen=True)
class _Part:
    """Events of one origin: days since the catalog's begin, and where and how large they are."""

    days: NDArray[np.float64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    magnitude: NDArray[np.float64]


def simulated_catalog(
    region: Region,
    *,
    cut_off: datetime,
    until: datetime,
    magnitude_min: float,
    depth_km: tuple[float, float] | None = None,
    seed: int = 1,
) -> Events:
    """Simulate two years of earthquakes before a cut-off, and what comes after it.

    A mainshock 2.5 units above `magnitude_min` comes three days before the cut-off, and another one, half a
    unit larger, when a third of the time from the cut-off to `until` has gone.

    Parameters
    ----------
    region
        All epicentres lie in it.
    cut_off
        Where the past ends: when the window of a forecast begins.
    until
        Where the catalog ends.
    magnitude_min
        The least magnitude that counts; smaller events, by up to one unit, are there as well.
    depth_km
        Within which depths lie.
    seed
        The same one gives the same catalog.
    """
    random = np.random.default_rng(seed)
    begin, least = cut_off - _PAST, magnitude_min - _BELOW
    end = (until - begin) / timedelta(days=1)
    main = min(magnitude_min + _ABOVE, _LARGEST)
    parts = [_background(random, region, end, least, main - 0.2)]
    west, east, south, north = _central_cell(region)
    first = (cut_off - _SINCE - begin) / timedelta(days=1)
    later = (cut_off - begin + (until - cut_off) / 3) / timedelta(days=1)
    for day, magnitude in ((first, main), (later, main + 0.5)):
        place = float(random.uniform(west, east)), float(random.uniform(south, north))
        parts.append(_sequence(random, region, place, day, end, magnitude, least))
    names = ("days", "longitude", "latitude", "magnitude")
    days, longitude, latitude, magnitude_all = (
        np.concatenate([getattr(part, name) for part in parts]) for name in names
    )
    # Milliseconds: what the forms of catalogs keep.
    time_us = (begin - _EPOCH) // timedelta(microseconds=1) + np.floor(days * 86_400_000).astype(
        np.int64
    ) * 1000
    order = np.argsort(time_us, kind="stable")
    shallow, deep = _DEPTHS_KM if depth_km is None else depth_km
    depth = np.clip(random.uniform(*_DEPTHS_KM, size=len(order)), shallow, deep)
    longitude = np.where(longitude >= 180, longitude - 360, longitude)  # of regions across the date line
    return Events(
        time_us=time_us[order],
        longitude=np.round(longitude[order], 5),
        latitude=np.round(latitude[order], 5),
        depth_km=np.round(depth, 1),
        magnitude=np.round(magnitude_all[order], 2),
        event_id=np.array([f"simulated-{number:05d}" for number in range(len(order))]),
    )


def _background(random: np.random.Generator, region: Region, end: float, least: float, most: float) -> _Part:
    number = int(random.poisson(_PER_DAY * end))
    area = region.area
    cells = random.choice(len(region), size=number, p=area / area.sum())
    west, east, south, north = region.corners[cells].T
    margin = 0.01  # rounding shall move no epicentre out of its cell
    across, up = random.uniform(margin, 1 - margin, size=(2, number))
    return _Part(
        random.uniform(0, end, size=number),
        west + across * (east - west),
        south + up * (north - south),
        _magnitudes(random, number, least, most),
    )


def _sequence(
    random: np.random.Generator,
    region: Region,
    place: tuple[float, float],
    day: float,
    end: float,
    magnitude: float,
    least: float,
) -> _Part:
    """Make a mainshock with its aftershocks until the catalog ends."""
    first, last = (_omori(days) for days in (0.0, end - day))
    number = int(random.poisson(10.0 ** (_A + _B * (magnitude - least)) * (last - first)))
    reached = first + random.random(number) * (last - first)
    after = (reached * (1 - _P)) ** (1 / (1 - _P)) - _C
    longitude, latitude = _around(random, region, place, number)
    return _Part(
        np.concatenate([[day], np.minimum(day + after, end - 1e-6)]),
        np.concatenate([[place[0]], longitude]),
        np.concatenate([[place[1]], latitude]),
        np.concatenate([[magnitude], _magnitudes(random, number, least, magnitude - 0.3)]),
    )


def _omori(days: float) -> float:
    """Give the integral of (t + c)^-p, but for a constant."""
    return float((days + _C) ** (1 - _P) / (1 - _P))


def _around(
    random: np.random.Generator, region: Region, place: tuple[float, float], number: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Draw epicentres around a place; those that fall outside are drawn again, and in the end lie at it."""
    longitude, latitude = np.full(number, place[0]), np.full(number, place[1])
    missing = np.arange(number)
    for _ in range(_TRIES):
        distance = _NEAR_KM * np.sqrt(random.random(len(missing)) ** -2.0 - 1) / _KM_PER_DEGREE
        angle = random.uniform(0, 2 * np.pi, size=len(missing))
        east = place[0] + distance * np.cos(angle) / max(np.cos(np.radians(place[1])), 0.01)
        north = place[1] + distance * np.sin(angle)
        fits = np.abs(north) < 90
        fits[fits] = region.cells_of(np.round(east[fits], 5), np.round(north[fits], 5)) >= 0
        longitude[missing[fits]], latitude[missing[fits]] = east[fits], north[fits]
        missing = missing[~fits]
        if not len(missing):
            break
    return longitude, latitude


def _magnitudes(random: np.random.Generator, number: int, least: float, most: float) -> NDArray[np.float64]:
    """Draw from Gutenberg and Richter's law, cut at the top."""
    most = max(most, least + 0.1)
    share = random.random(number) * (1 - 10.0 ** (-_B * (most - least)))
    drawn: NDArray[np.float64] = least - np.log10(1 - share) / _B
    return drawn


def _central_cell(region: Region) -> tuple[float, float, float, float]:
    """Give the inner part of the cell that lies nearest to the middle of all cells."""
    corners = region.corners
    middles = np.column_stack([corners[:, :2].mean(axis=1), corners[:, 2:].mean(axis=1)])
    nearest = int(np.argmin(((middles - np.median(middles, axis=0)) ** 2).sum(axis=1)))
    west, east, south, north = corners[nearest].tolist()
    across, up = (east - west) / 4, (north - south) / 4
    return west + across, east - across, south + up, north - up
