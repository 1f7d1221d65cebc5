"""Aftershock regions and polygons where pyCSEP gives none: at the date line and at the poles."""

from collections.abc import Callable

import numpy as np
import pytest

from forequake.errors import RegionError
from forequake.regions import Region
from forequake.regions.specs import (
    AftershockRegion,
    BoxRegion,
    GlobalRegion,
    MaskedRegion,
    QuadkeyRegion,
    RegionSpec,
)

Build = Callable[[RegionSpec], Region]

WORLD = GlobalRegion(cell_size=1.0)


def _cells(region: Region, turn: float = 0.0) -> set[tuple[float, float]]:
    return {((west + turn + 180) % 360 - 180, south) for west, south in region.origins.tolist()}


@pytest.mark.parametrize("longitude", [-179.6, 180.4])
def test_a_circle_may_cross_the_date_line(longitude: float, build: Build) -> None:
    there = build(AftershockRegion(magnitude=7.9, longitude=longitude, latitude=-18.3, within=WORLD))
    here = build(AftershockRegion(magnitude=7.9, longitude=0.4, latitude=-18.3, within=WORLD))
    assert len(here) > 60
    assert _cells(there) == _cells(here, turn=180.0)


def test_cells_beyond_the_date_line_are_met_in_either_convention(build: Build) -> None:
    box = BoxRegion(west=170, east=190, south=-30, north=-5, cell_size=1.0)
    parts = [
        build(AftershockRegion(magnitude=7.9, longitude=-179.6, latitude=-18.3, within=within))
        for within in (box, WORLD)
    ]
    assert _cells(parts[0]) == _cells(parts[1])


def test_a_circle_may_hold_a_pole(build: Build) -> None:
    region = build(AftershockRegion(magnitude=8.5, longitude=12.0, latitude=-88.0, within=WORLD))
    radius_km = 3 * 10 ** (-3.22 + 0.69 * 8.5)
    assert (region.origins[:, 1] == -90).sum() == 360
    # From the pole, away from the epicentre, the circle reaches less far than towards it.
    degrees = radius_km / 111.2
    across = region.origins[region.origins[:, 0] == -168.0, 1]
    along = region.origins[region.origins[:, 0] == 12.0, 1]
    assert across.max() == pytest.approx(-90 + degrees - 2, abs=1)
    assert along.max() == pytest.approx(-90 + degrees + 2, abs=1)


def test_a_circle_beside_a_pole_is_the_same_measured_either_way(build: Build) -> None:
    # A radius a little less than the way to the pole is a polygon, a little more are distances.
    to_pole_km = 222.8
    magnitude = (np.log10(to_pole_km / 3) + 3.22) / 0.69
    less, more = (
        build(AftershockRegion(magnitude=magnitude + step, longitude=30.0, latitude=88.0, within=WORLD))
        for step in (-0.02, 0.02)
    )
    assert _cells(less) < _cells(more)
    assert len(more) - len(less) < 0.3 * len(more)


def test_a_polygon_may_cross_the_date_line(build: Build) -> None:
    polygon = ((170.0, -20.0), (190.0, -20.0), (190.0, -10.0), (170.0, -10.0))
    region = build(MaskedRegion(polygon=polygon, within=WORLD))
    assert len(region) == 200
    assert {west for west, _ in _cells(region)} == {*range(170, 180), *range(-180, -170)}


def test_nothing_inside_is_refused(build: Build) -> None:
    with pytest.raises(RegionError, match=r"no cell of global, 1 degrees .* within 0\.0\d+ km .*M2. of 0, 0"):
        build(AftershockRegion(magnitude=2.0, longitude=0.0, latitude=0.0, within=WORLD))
    with pytest.raises(RegionError, match="the polygon holds the centre of no cell of global, 1 degrees"):
        build(MaskedRegion(polygon=((0, 0), (0.1, 0), (0, 0.1)), within=WORLD))


def test_overlapping_quadkeys_are_refused(build: Build) -> None:
    with pytest.raises(RegionError, match=r"quadtree cells overlap: 123 lies in the cell 12$"):
        build(QuadkeyRegion(quadkeys=("0", "123", "12", "13")))
