"""Where a point lies: edges, the date line, both conventions of longitude, the poles."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from forequake.regions import QuadtreeRegion, Region, build_region, corners_of_quadkeys
from forequake.regions.specs import BoxRegion, GlobalRegion, RegionSpec, ZoomRegion
from forequake.regions.tiles import quadkeys_of, tiles_of_corners, tiles_of_quadkeys

Build = Callable[[RegionSpec], Region]

longitudes = st.floats(-180, 360, allow_nan=False)
latitudes = st.floats(-90, 90, allow_nan=False)


def _box(west: float, east: float, south: float, north: float, size: float) -> Region:
    spec = BoxRegion(west=west, east=east, south=south, north=north, cell_size=size)
    return build_region(spec, Path)


def _holds(region: Region, cell: int, longitude: float, latitude: float, slack: float) -> bool:
    west, east, south, north = region.corners[cell]
    turns = [longitude - 360, longitude, longitude + 360]
    across = any(west - slack <= turned < east + slack for turned in turns)
    return across and south - slack <= latitude and (latitude < north + slack or north == latitude == 90)


WORLD = _box(-180, 180, -90, 90, 30.0)
PACIFIC = _box(150, 210, -60, 30, 7.5)


@given(longitude=longitudes, latitude=latitudes)
def test_the_world_has_one_cell_for_every_point(longitude: float, latitude: float) -> None:
    (cell,) = WORLD.cells_of(longitude, latitude)
    assert cell >= 0
    assert _holds(WORLD, cell, longitude, latitude, slack=1e-12)


@given(longitude=st.integers(-18_000, 36_000), latitude=latitudes)
def test_a_whole_turn_changes_nothing(longitude: int, latitude: float) -> None:
    # As catalogs round longitudes; a turn costs at most the last bits of a number.
    degrees = longitude / 100
    for region in (WORLD, PACIFIC, TREE):
        turned = [turn for turn in (degrees - 360, degrees, degrees + 360) if -180 <= turn <= 360]
        assert len({*region.cells_of(turned, latitude).tolist()}) == 1


def test_a_region_across_the_date_line_meets_both_conventions() -> None:
    cells = PACIFIC.cells_of([179.9, 180.0, -180.0, -179.9, 180.1, 209.9, -150.1, -150.0, 149.9], [0.5] * 9)
    assert cells[1] == cells[2] == cells[3] == cells[4] == cells[0] + 12  # the next column of 12 rows
    assert cells[5] == cells[6] >= 0
    assert cells[7] == cells[8] == -1


def test_a_region_in_one_convention_meets_a_catalog_in_the_other() -> None:
    degrees = np.round(np.random.default_rng(1).uniform(-125, -113, size=500), 2)
    region = _box(-125.0, -113.0, 30.0, 44.0, 0.1)
    north = np.round(np.random.default_rng(2).uniform(30, 44, size=500), 2)
    assert np.array_equal(region.cells_of(degrees, north), region.cells_of(np.round(degrees + 360, 2), north))
    assert (region.cells_of(degrees, north) >= 0).sum() > 480


def test_a_hair_below_an_edge_the_cell_is_pycseps() -> None:
    from csep.utils.calc import bin1d_vec

    # Halves of a degree are exact, so that pyCSEP's grid has no rounding of its own.
    region = _box(-125.5, 4.5, 0.0, 0.5, 0.5)
    edges = np.arange(-125.5, 4.5, 0.5)
    hairs = np.concatenate([[0.0], np.logspace(-16, -10, 61)])
    points = (edges[:, np.newaxis] - hairs).ravel()
    expected = bin1d_vec(points, edges)
    assert np.array_equal(region.cells_of(points, np.zeros(len(points))), expected)
    assert (expected != np.floor((points + 125.5) / 0.5)).any()


def test_edges_are_met_in_the_other_convention_too() -> None:
    # 355.1 - 360 is -4.899999999999977: subtracting brings out how 355.1 was rounded.
    region = _box(-5.0, 5.0, 0.0, 1.0, 0.1)
    edges = np.round(np.arange(-5.0, 0.0, 0.1), 1)
    cells = region.cells_of(edges, np.full(50, 0.05))
    assert cells.tolist() == [10 * column for column in range(50)]
    assert region.cells_of(np.round(edges + 360, 1), np.full(50, 0.05)).tolist() == cells.tolist()


@pytest.mark.parametrize(
    ("west", "columns"), [(-125.4, 1254), (-5.0, 60), (0.0, 100), (0.3, 90), (120.7, 592)]
)
def test_a_cell_begins_at_its_edge_however_it_is_rounded(west: float, columns: int) -> None:
    # (0.3 - 0) / 0.1 is 2.9999999999999996, and so on: none of these quotients is whole.
    region = _box(west, round(west + columns / 10, 1), 0.0, 0.1, 0.1)
    edges = np.round(west + np.arange(columns) / 10, 1)
    assert region.cells_of(edges, np.zeros(columns)).tolist() == list(range(columns))


@pytest.mark.parametrize("size", [0.1, 0.2, 0.3, 0.5, 1 / 3, 1.0, 90.0])
def test_global_cells_reach_the_poles_and_meet_at_the_date_line(size: float, build: Build) -> None:
    if size < 0.3:
        region = _box(170, 180, 80, 90, size)
        northernmost, columns, rows = 90.0, round(10 / size), round(10 / size)
    else:
        region = build(GlobalRegion(cell_size=size))
        northernmost, columns, rows = 90.0, round(360 / size), round(180 / size)
        assert region.cells_of([180.0, -180.0, np.nextafter(180, 0)], [0.1] * 3).min() >= 0
        assert region.cells_of(180.0, 0.1) == region.cells_of(-180.0, 0.1)
    assert len(region) == columns * rows
    assert region.corners[:, 3].max() == northernmost
    at_pole = region.cells_of([175.0, 175.0], [90.0, np.nextafter(90, 0)])
    assert at_pole.min() >= 0
    assert (at_pole % rows == rows - 1).all()


def test_south_of_the_south_pole_and_nan_is_nowhere() -> None:
    assert WORLD.cells_of([0, np.nan, 0, np.inf, 0], [-90.5, 0, np.nan, 0, 90.5]).tolist() == [-1] * 5
    assert TREE.cells_of([0, np.nan, 0, np.inf, 0], [-90, 0, np.nan, 0, 90]).tolist() == [-1] * 5


# Every level from 1 to 5, in no order, with a hole.
KEYS = ["33", "1", "000", "002", "32", "0011", "00101", "2", "301", "00130"]
TREE = QuadtreeRegion.from_tiles(tiles_of_quadkeys(KEYS), name="tree")


@given(longitude=longitudes, latitude=latitudes)
def test_a_quadtree_cell_holds_its_points_and_no_other(longitude: float, latitude: float) -> None:
    (cell,) = TREE.cells_of(longitude, latitude)
    holding = [n for n in range(len(TREE)) if _holds(TREE, n, longitude, latitude, slack=0.0)]
    assert holding == ([cell] if cell >= 0 else [])


@given(keys=st.lists(st.text("0123", min_size=1, max_size=30), min_size=1, max_size=20))
@settings(max_examples=60)
def test_quadkeys_survive_their_corners(keys: list[str]) -> None:
    tiles = tiles_of_quadkeys(keys)
    assert quadkeys_of(tiles) == keys
    assert np.array_equal(tiles_of_corners(corners_of_quadkeys(keys)), tiles)


@pytest.mark.parametrize(
    ("key", "corners"),
    [
        ("0", [-180.0, 0.0, 0.0, 85.0511287798066]),  # the four quarters of the web Mercator map
        ("3", [0.0, 180.0, -85.0511287798066, 0.0]),
        ("213", [-45.0, 0.0, -66.51326044311186, -40.97989806962013]),  # the standard's example: tile 3, 5
    ],
)
def test_corners_are_those_of_the_web_mercator_map(key: str, corners: list[float]) -> None:
    np.testing.assert_allclose(corners_of_quadkeys([key])[0], corners, rtol=0, atol=1e-12)


def test_a_quadtree_of_the_deepest_level_is_exact() -> None:
    keys = ["0" * 30, "0" * 29 + "1", "1"]
    region = QuadtreeRegion.from_tiles(tiles_of_quadkeys(keys), name="deep")
    width = 360 / 2**30
    north = region.corners[0, 3]
    middle = (region.corners[0, 2] + north) / 2
    points = [(-180, middle), (-180 + width, middle), (-180 + 2 * width, middle), (-180, north), (10, 10)]
    assert region.cells_of(*np.array(points).T).tolist() == [0, 1, -1, -1, 2]


def test_the_box_is_around_all_cells() -> None:
    south, north = float(TREE.corners[:, 2].min()), float(TREE.corners[:, 3].max())
    boxes = [region.box for region in (WORLD, PACIFIC, TREE)]
    assert boxes == [(-180, 180, -90, 90), (150, 210, -60, 30), (-180, 180, south, north)]


def test_areas_of_quadtree_cells_fill_the_map(build: Build) -> None:
    region = build(ZoomRegion(zoom=5))
    zone = 2 * np.sin(np.radians(85.0511287798066)) * 2 * np.pi * 6371.0**2
    assert region.area.sum() == pytest.approx(zone, rel=1e-12)
