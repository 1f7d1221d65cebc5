"""Regions as pixels: nothing is lost, densities stay right, and a place is where it is."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from dashboard.figures.pixels import Pixels, pixels_of
from forequake.regions import QuadtreeRegion, Region, named_region
from forequake.regions.grids import WORLD, box_region
from forequake.regions.tiles import divided, tiles_of_quadkeys


def squares(seed: int) -> Region:
    """Take some cells of a box, which may lie beyond the date line."""
    draw = np.random.default_rng(seed)
    size = float(draw.choice([0.1, 0.5, 1.0]))
    west, south = float(draw.integers(-180, 340)), float(draw.integers(-90, 30))
    width, height = (float(count) for count in draw.integers(2, 60, size=2))
    whole = box_region("box", (west, west + width * size, south, south + height * size), size)
    kept = draw.random(len(whole)) < draw.uniform(0.2, 1)
    kept[0] = True
    return Region(name="some", origins=whole.origins[kept], cell_size=size)


def quadtree(seed: int) -> Region:
    """Divide the world where random events are, so that cells have several sizes."""
    draw = np.random.default_rng(seed)
    middle = draw.uniform((-180, -60), (180, 60))
    points = draw.normal(middle, 4.0, size=(30, 2))
    tiles = divided((points[:, 0] + 180) % 360 - 180, points[:, 1], threshold=4, zoom=8)
    return QuadtreeRegion.from_tiles(tiles, name="divided")


def holding(pixels: Pixels, longitude: float, latitude: float) -> tuple[int, int]:
    """Give row and column of the pixel that holds a point."""
    east = pixels.turned(np.array([longitude]))[0]
    row = int(np.searchsorted(pixels.latitude, latitude, "right")) - 1
    return row, int(np.searchsorted(pixels.longitude, east, "right")) - 1


@pytest.mark.parametrize("make", [squares, quadtree])
@settings(max_examples=15, deadline=None)
@given(seed=st.integers(0, 10_000), most=st.sampled_from([1, 7, 100, 4000, 2**18]))
def test_sums_areas_and_densities_are_those_of_the_cells(
    make: Callable[[int], Region], seed: int, most: int
) -> None:
    region = make(seed)
    pixels = pixels_of(region, most)
    assert pixels.inside.size <= most
    amounts = np.random.default_rng(seed).gamma(0.1, size=len(region))
    sums = pixels.sums(amounts)
    assert sums.sum() == pytest.approx(amounts.sum(), rel=1e-12)
    assert not sums[~pixels.inside].any()
    assert pixels.area.sum() == pytest.approx(region.area.sum(), rel=1e-9)
    assert pixels.cells.sum() == pytest.approx(len(region), rel=1e-9)
    even = pixels.sums(3.0 * region.area)  # the same density everywhere
    assert even[pixels.inside] == pytest.approx(3.0 * pixels.area[pixels.inside], rel=1e-9)


@pytest.mark.parametrize("make", [squares, quadtree])
@pytest.mark.parametrize("most", [50, 2**18])
def test_a_cell_is_drawn_where_it_lies(make: Callable[[int], Region], most: int) -> None:
    for seed in range(5):
        region = make(seed)
        pixels = pixels_of(region, most)
        for cell in (0, len(region) // 2, len(region) - 1):
            amounts = np.zeros(len(region))
            amounts[cell] = 1.0
            west, east, south, north = region.corners[cell]
            row, column = holding(pixels, (west + east) / 2, (south + north) / 2)
            assert pixels.sums(amounts)[row, column] > 0


def test_every_cell_of_california_has_a_pixel_of_its_own() -> None:
    region = named_region("california_relm_region")
    pixels = pixels_of(region)
    assert (pixels.shape, pixels.most_together, pixels.cell) == ((115, 123), 1, None)
    assert int(pixels.inside.sum()) == len(region) == 7682
    (cell,) = region.cells_of(-117.599, 35.7695)
    row, column = holding(pixels, -117.599, 35.7695)
    assert int(pixels.pixel[cell]) == row * 123 + column
    assert pixels.longitude[[column, column + 1]] == pytest.approx([-117.6, -117.5])
    assert pixels.latitude[[row, row + 1]] == pytest.approx([35.7, 35.8])


def test_a_box_across_the_date_line_is_one_piece_however_its_longitudes_are_written() -> None:
    beyond = box_region("box", (170.0, 190.0, -50.0, -30.0), 0.5)
    turned = beyond.origins.copy()
    turned[turned[:, 0] >= 180, 0] -= 360
    written = Region(name="turned", origins=turned, cell_size=0.5)
    for region in (beyond, written):
        pixels = pixels_of(region)
        assert pixels.box == (170.0, 190.0, -50.0, -30.0)
        assert pixels.inside.all()
        assert pixels.turned(np.array([-175.0, 185.0, 175.0])).tolist() == [185.0, 185.0, 175.0]
        amounts = np.arange(len(region), dtype=np.float64)
        assert pixels.sums(amounts)[0, 0] == amounts[region.cells_of(170.2, -49.8)][0]
        assert pixels.sums(amounts)[0, -1] == amounts[region.cells_of(-170.2, -49.8)][0]


def test_quadtree_cells_on_both_sides_of_the_date_line_are_one_piece() -> None:
    region = QuadtreeRegion.from_tiles(tiles_of_quadkeys(["1331", "0220", "02210"]), name="both")
    west, east, _, _ = pixels_of(region).box
    assert (west, east) == (157.5, 213.75)


def test_the_world_keeps_its_longitudes_and_ends_at_the_poles() -> None:
    for west in (-180.0, 0.0):
        region = box_region("world", (west, west + 360, *WORLD[2:]), 2.0)
        pixels = pixels_of(region, most=4050)
        assert pixels.box == (west, west + 360, -90.0, 90.0)
        assert pixels.shape == (45, 90)
        assert pixels.most_together == 4
        assert pixels.area.sum() == pytest.approx(4 * np.pi * 6371.0**2)


def test_cells_that_reach_over_the_pole_end_there() -> None:
    region = Region(name="cap", origins=np.array([[0.0, 80.0], [0.0, 87.0]]), cell_size=7.0)
    pixels = pixels_of(region)
    assert pixels.latitude.tolist() == [80.0, 87.0, 90.0]
    assert pixels.area.sum() == pytest.approx(region.area.sum())
