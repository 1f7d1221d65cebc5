"""The cell of a point: `Region.cells_of`, by which events are cut and counted, against pyCSEP's own grid."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from forequake.evaluations import Observation
from forequake.regions import Region, named_region

Cells = Callable[[NDArray[np.float64]], NDArray[np.intp]]


def _pycsep_cells(region: Region) -> Cells:
    """pyCSEP's answers, with -1 where it raises; a point at a time would take minutes."""
    from csep.core.regions import CartesianGrid2D
    from csep.utils.calc import bin1d_vec

    grid = CartesianGrid2D.from_origins(region.origins, dh=region.cell_size)

    def cells(points: NDArray[np.float64]) -> NDArray[np.intp]:
        x, y = bin1d_vec(points[:, 0], grid.xs), bin1d_vec(points[:, 1], grid.ys)
        inside = (x >= 0) & (y >= 0)
        inside[inside] = grid.bbox_mask[y[inside], x[inside]] == 0
        found = np.full(len(points), -1, dtype=np.intp)
        if inside.any():
            found[inside] = grid.get_index_of(points[inside, 0], points[inside, 1])
        return found

    return cells


@pytest.fixture(scope="module", params=["california", "one degree", "one degree about zero"])
def regions(request: pytest.FixtureRequest) -> tuple[Region, Cells]:
    if request.param == "california":
        region = named_region("california_relm_region")
    else:
        west, south = (-122.0, 30.0) if request.param == "one degree" else (-3.0, -4.0)
        places = [(west + x, south + y) for x in range(9) for y in range(7) if (x, y) != (4, 4)]
        region = Region(name="one degree", origins=np.array(places), cell_size=1.0)
    return region, _pycsep_cells(region)


def _points(region: Region, kind: str) -> NDArray[np.float64]:
    random = np.random.default_rng(11)
    low, high = region.origins.min(axis=0) - 1, region.origins.max(axis=0) + region.cell_size + 1
    corners = region.origins[random.integers(len(region), size=40_000)]
    corners = corners + region.cell_size * random.integers(0, 2, size=corners.shape)
    match kind:
        case "anywhere":
            return random.uniform(low, high, size=(40_000, 2))
        case "two decimals":
            return np.round(random.uniform(low, high, size=(40_000, 2)), 2)
        case "corners":
            return corners
        case "rounded corners":
            return np.round(corners, 4)
        case "west and south edges":
            edges = np.round(corners, 4)
            edges[::2, 0] += random.uniform(0, 0.5, size=20_000) * region.cell_size
            edges[1::2, 1] += random.uniform(0, 0.5, size=20_000) * region.cell_size
            return edges
        case "near edges":
            steps = np.array([-1e-6, -1e-9, 1e-9, 1e-6])
            nudges: NDArray[np.float64] = steps[random.integers(4, size=corners.shape)]
            return np.add(np.round(corners, 4), nudges, dtype=np.float64)
    raise AssertionError(kind)


@pytest.mark.parametrize(
    "kind",
    ["anywhere", "two decimals", "corners", "rounded corners", "west and south edges", "near edges"],
)
def test_cells_are_pycseps(kind: str, regions: tuple[Region, Cells]) -> None:
    region, pycsep_cells = regions
    points = _points(region, kind)
    ours, theirs = region.cells_of(points[:, 0], points[:, 1]), pycsep_cells(points)
    assert np.array_equal(ours, theirs)
    assert (ours >= 0).any()
    assert (ours < 0).any()


def test_a_row_of_cells_ends_where_its_cells_end(observe: Callable[..., Observation]) -> None:
    # pyCSEP's own grid takes a single row or column for one without end.
    region = observe([], columns=2, rows=1).region
    assert region.cells_of([10.5, 11.5, 11.5], [40.5, 40.5, 41.5]).tolist() == [0, 1, -1]
    assert _pycsep_cells(region)(np.array([[11.5, 41.5]])).tolist() == [1]
