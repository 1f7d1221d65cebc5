"""Parts of a region: the cells inside a polygon, or around an epicentre."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.errors import RegionError
from forequake.regions.cells import Region

__all__ = ["around_epicentre", "inside_polygon"]

#: Corners of the polygon that stands for a circle, the first of them twice: pyCSEP's.
_CORNERS: Final = 100
#: What pyCSEP takes off a cell's upper edges, so that centres are its to the last bit.
_EPSILON: Final = float(np.finfo(float).eps)
_HALF_TURN: Final = 180.0
_QUARTER_METRES: Final = 10_001_000.0  # from the equator to a pole


def around_epicentre(
    region: Region, *, magnitude: float, epicentre: tuple[float, float], num_radii: float
) -> Region:
    """Take the cells whose centres lie within some rupture lengths of an epicentre.

    As in pyCSEP's ``generate_aftershock_region``: the length is 10^(-3.22 + 0.69 M) km (Wells and
    Coppersmith, strike-slip), the circle a polygon of 99 corners on the WGS84 ellipsoid. Other than there,
    the circle may cross the date line or hold a pole; then distances are measured.

    Parameters
    ----------
    epicentre
        Degrees east, degrees north.

    Raises
    ------
    RegionError
        Where no centre lies that near.
    """
    from pyproj import Geod

    earth = Geod(ellps="WGS84")
    longitude, latitude = epicentre
    radius_m = num_radii * 10 ** (-3.22 + 0.69 * magnitude) * 1000
    centres = _centres(region)
    _, _, to_pole = earth.inv(longitude, latitude, longitude, math.copysign(90.0, latitude))
    if radius_m < min(to_pole, _QUARTER_METRES):
        angles = np.linspace(0, 360, _CORNERS)
        same = np.ones(_CORNERS)
        east, north, _ = earth.fwd(longitude * same, latitude * same, angles, radius_m * same)
        near = _inside(centres, np.column_stack([_near(np.asarray(east), longitude), north]), longitude)
    else:
        same = np.ones(len(centres))
        _, _, away = earth.inv(longitude * same, latitude * same, centres[:, 0], centres[:, 1])
        near = np.asarray(away) <= radius_m
    return _part(
        region,
        near,
        f"no cell of {region.name} has its centre within {radius_m / 1000:.3g} km "
        f"({num_radii:g} rupture lengths of M{magnitude:g}) of {longitude:g}, {latitude:g}",
    )


def inside_polygon(region: Region, polygon: tuple[tuple[float, float], ...]) -> Region:
    """Take the cells whose centres lie in a polygon, as in pyCSEP's ``masked_region``.

    Parameters
    ----------
    polygon
        Its corners in order: degrees east, degrees north.

    Raises
    ------
    RegionError
        Where it holds no centre.
    """
    corners = np.array(polygon)
    middle = float(corners[:, 0].min() + corners[:, 0].max()) / 2
    held = _inside(_centres(region), corners, middle)
    return _part(region, held, f"the polygon holds the centre of no cell of {region.name}")


def _part(region: Region, chosen: NDArray[np.bool_], nothing: str) -> Region:
    if not chosen.any():
        raise RegionError(nothing)
    return Region(name=region.name, origins=region.origins[chosen], cell_size=region.cell_size)


def _inside(points: NDArray[np.float64], polygon: NDArray[np.float64], middle: float) -> NDArray[np.bool_]:
    from matplotlib.path import Path  # as pyCSEP does, with its answers for points on the line

    turned = np.column_stack([_near(points[:, 0], middle), points[:, 1]])
    return np.asarray(Path(polygon).contains_points(turned), dtype=np.bool_)


def _near(longitude: NDArray[np.float64], middle: float) -> NDArray[np.float64]:
    """Turn longitudes that lie more than half a turn from a meridian; leave the others to the last bit."""
    away = longitude - middle
    return longitude - 360.0 * np.where(np.abs(away) > _HALF_TURN, np.sign(away), 0.0)


def _centres(region: Region) -> NDArray[np.float64]:
    """Give the centres of cells, summed up as pyCSEP does; shape (cells, 2)."""
    west, south = region.origins.T
    east, north = west + region.cell_size - _EPSILON, south + region.cell_size - _EPSILON
    return np.column_stack([(west + west + east + east) / 4, (south + north + north + south) / 4])
