"""Kernels on cells, beside a slow integration, and what holds whatever the events are."""

import numpy as np
import pytest
from numpy.typing import NDArray

from forequake.config.model_specs import Kernel
from forequake.forecasts.references.smoothing import neighbour_distances, smoothed_shares
from forequake.regions import Region

EARTH_KM = 6371.0
DEGREE_KM = EARTH_KM * np.pi / 180
KERNELS: list[Kernel] = ["power_law", "gaussian"]
Floats = NDArray[np.float64]


def _grid(west: float, south: float, columns: int, rows: int, size: float) -> Region:
    origins = [(west + x * size, south + y * size) for y in range(rows) for x in range(columns)]
    corners: Floats = np.array(origins, dtype=np.float64)
    return Region("grid", corners.round(9), size)


def _haversine(longitude: Floats, latitude: Floats, east: float, north: float) -> Floats:
    half = [np.radians(latitude - north) / 2, np.radians(longitude - east) / 2]
    square = np.sin(half[0]) ** 2 + np.cos(np.radians(latitude)) * np.cos(np.radians(north)) * (
        np.sin(half[1]) ** 2
    )
    distance: Floats = 2 * EARTH_KM * np.arcsin(np.sqrt(square))
    return distance


def _slow_shares(region: Region, east: Floats, north: Floats, distance: Floats, kernel: Kernel) -> Floats:
    """Integrate by the densities at the middles of 100 x 100 parts of every cell."""
    part = (np.arange(100) + 0.5) / 100 * region.cell_size
    total = np.zeros(len(region))
    for lon, lat, d in zip(east, north, distance, strict=True):
        integrals = []
        for west, south in region.origins:
            x, y = np.meshgrid(west + part, south + part)
            r = _haversine(x, y, lon, lat)
            if kernel == "gaussian":
                density = np.exp(-(r**2) / (2 * d**2)) / (2 * np.pi * d**2)
            else:
                density = d / (2 * np.pi) * (r**2 + d**2) ** -1.5
            integrals.append(float((density * np.cos(np.radians(y))).sum()))
        total += np.array(integrals) / sum(integrals)
    return total / len(east)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("distance", [3.0, 40.0])
def test_it_is_the_integral_over_each_cell(kernel: Kernel, distance: float) -> None:
    region = _grid(-118, 35, 6, 5, 0.2)
    east, north = np.array([-117.93, -117.15]), np.array([35.31, 35.88])
    distances = np.array([distance, 1.7 * distance])

    found = smoothed_shares(region, east, north, distances, kernel)
    slow = _slow_shares(region, east, north, distances, kernel)

    assert found.sum() == pytest.approx(1, abs=1e-13)
    assert found == pytest.approx(slow, rel=3e-3, abs=1e-6)


@pytest.mark.parametrize("kernel", KERNELS)
def test_distant_cells_have_the_density_at_their_middles(kernel: Kernel) -> None:
    region = _grid(0, 0, 40, 1, 0.5)  # more than eight sides away, 500 km and further
    east, north, distances = np.array([0.2]), np.array([0.3]), np.array([150.0])

    found = smoothed_shares(region, east, north, distances, kernel)
    slow = _slow_shares(region, east, north, distances, kernel)

    inside = _haversine(region.origins[:, 0] + 0.25, np.full(40, 0.25), 0.2, 0.3) < 900
    assert inside.sum() == 17
    assert (found / found[0])[inside] == pytest.approx((slow / slow[0])[inside], rel=7e-3)


@pytest.mark.parametrize("kernel", KERNELS)
def test_splitting_every_cell_splits_its_share(kernel: Kernel) -> None:
    rng = np.random.default_rng(4)
    east, north = rng.uniform(10, 13, 30), rng.uniform(45, 47, 30)
    distances = rng.uniform(2, 60, 30)
    coarse, fine = _grid(10, 45, 15, 10, 0.2), _grid(10, 45, 30, 20, 0.1)

    whole = smoothed_shares(coarse, east, north, distances, kernel)
    parts = smoothed_shares(fine, east, north, distances, kernel)

    joined = np.zeros(len(coarse))
    np.add.at(joined, coarse.cells_of(*(fine.origins + 0.05).T), parts)
    assert joined == pytest.approx(whole, rel=7e-3, abs=1e-7)


def test_a_narrow_kernel_leaves_the_event_in_its_cell() -> None:
    region = _grid(0, 0, 3, 3, 1.0)
    shares = smoothed_shares(region, np.array([1.5]), np.array([1.5]), np.array([0.5]), "gaussian")

    assert shares.tolist() == [0, 0, 0, 0, 1, 0, 0, 0, 0]


def test_an_event_on_an_edge_is_shared_in_halves() -> None:
    region = _grid(0, -0.5, 2, 1, 1.0)
    shares = smoothed_shares(region, np.array([1.0]), np.array([0.0]), np.array([2.0]), "gaussian")

    assert shares == pytest.approx([0.5, 0.5], abs=1e-12)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_date_line_is_no_border(kernel: Kernel) -> None:
    region = _grid(-180, -90, 36, 18, 10.0)
    at_line = smoothed_shares(region, np.array([179.0]), np.array([5.0]), np.array([300.0]), kernel)
    elsewhere = smoothed_shares(region, np.array([-1.0]), np.array([5.0]), np.array([300.0]), kernel)

    rolled = np.roll(elsewhere.reshape(18, 36), 18, axis=1).ravel()
    assert at_line == pytest.approx(rolled, rel=1e-9, abs=1e-15)


@pytest.mark.parametrize("kernel", KERNELS)
def test_the_order_of_events_and_of_cells_does_not_count(kernel: Kernel) -> None:
    rng = np.random.default_rng(8)
    region = _grid(0, 40, 12, 12, 0.5)
    east, north, distances = rng.uniform(0, 6, 40), rng.uniform(40, 46, 40), rng.uniform(1, 80, 40)
    events, cells = rng.permutation(40), rng.permutation(len(region))
    shuffled = Region("shuffled", region.origins[cells], 0.5)

    shares = smoothed_shares(region, east, north, distances, kernel)
    again = smoothed_shares(shuffled, east[events], north[events], distances[events], kernel)

    assert again == pytest.approx(shares[cells], rel=1e-9, abs=1e-15)


def test_distances_to_neighbours_by_hand() -> None:
    east, north = np.array([0.0, 1.0, 3.0, 3.0]), np.zeros(4)

    first = neighbour_distances(east, north, 1) / DEGREE_KM
    third = neighbour_distances(east, north, 3) / DEGREE_KM

    least = 0.5 / DEGREE_KM  # two events in one place
    assert first == pytest.approx([1, 1, least, least], rel=1e-12)
    assert third == pytest.approx([3, 2, 3, 3], rel=1e-12)
