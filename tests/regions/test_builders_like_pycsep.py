"""Every builder against pyCSEP's own: the same cells in the same order, and the same cell for a point."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from forequake.catalogs import read_catalog
from forequake.regions import REGION_NAMES, QuadtreeRegion, Region, named_region
from forequake.regions.specs import (
    AftershockRegion,
    CatalogQuadtree,
    GlobalRegion,
    InlineRegion,
    MaskedRegion,
    NamedRegion,
    QuadkeyRegion,
    RegionSpec,
    ZoomRegion,
)
from forequake.regions.tiles import divided, latitude_of_line, quadkeys_of

Build = Callable[[RegionSpec], Region]
Points = NDArray[np.float64]
FindCells = Callable[[Any, Points], NDArray[np.intp]]

#: As the first version of forequake computed them: stored results are found by them.
KEYS = {
    "california_relm_collection_region": "b7cf7a03de6d6f0dbacaab64dcc9267aedc76196165769fc85f51b460e200123",
    "california_relm_region": "ea53128bec32bb8ad625386de4f80db3308281ff5d4c05d4d7c831556b9aff90",
    "italy_csep_collection_region": "ac9e578951307427a101c3dd0aa7196352cc1f0e8a6b15624a40503be71a4ef9",
    "italy_csep_region": "52014fb3cc21b5a82b35465e44267d6de8eccd927ec027b4761461c70b39f159",
    "nz_csep_collection_region": "397856b3f0dff922b0e9282d6802e169ddb40394df6bf5894463ed0879f8b23b",
    "nz_csep_region": "b39be0eb844be6c07f89ba89ca1cd3f3d7fe2308f990930b78883fbf26f125a4",
}


def _points(region: Region) -> Points:
    """Points anywhere, rounded as catalogs round, and on the corners of cells."""
    random = np.random.default_rng(3)
    west, east, south, north = region.corners.T
    low, high = np.array([west.min(), south.min()]) - 1, np.array([east.max(), north.max()]) + 1
    anywhere = random.uniform(low, high, size=(400, 2))
    some = region.corners[random.integers(len(region), size=200)]
    corners = [some[:, [0, 2]], some[:, [1, 2]], some[:, [0, 3]], some[:, [1, 3]], some[:, [0, 2]] + 1e-9]
    points: Points = np.concatenate([anywhere, np.round(anywhere, 2), *corners])
    return points[(points[:, 0] < 180) & (points[:, 0] >= -180) & (np.abs(points[:, 1]) < 90)]


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in REGION_NAMES if name != "global_region"])
def test_named_regions_are_those_of_pycsep_also_from_the_cache(
    name: str, pycsep_region: Callable[..., Any], pycsep_cells: FindCells
) -> None:
    theirs = pycsep_region(name)
    for _ in ("built", "from the cache"):
        ours = named_region(name)
        assert np.array_equal(ours.origins, theirs.origins())
        np.testing.assert_allclose(ours.area, theirs.get_cell_area(), rtol=1e-9)
        if isinstance(ours, QuadtreeRegion):
            assert ours.quadkeys == list(theirs.quadkeys)
            assert np.array_equal(ours.corners[:, [0, 2, 1, 3]], theirs.bounds)
        else:
            assert ours.cell_size == theirs.dh
            assert ours.inputs.key == KEYS[name]
        points = _points(ours)
        assert np.array_equal(ours.cells_of(*points.T), pycsep_cells(theirs, points))


@pytest.mark.parametrize("cell_size", [10.0, 7.5, 6.0])
def test_a_global_region_is_pycseps(
    cell_size: float, build: Build, pycsep_region: Callable[..., Any], pycsep_cells: FindCells
) -> None:
    theirs = pycsep_region("global_region", cell_size)
    ours = build(GlobalRegion(cell_size=cell_size))
    assert np.array_equal(ours.origins, theirs.origins())
    points = _points(ours)
    assert np.array_equal(ours.cells_of(*points.T), pycsep_cells(theirs, points))
    np.testing.assert_allclose(ours.area, theirs.get_cell_area(), rtol=1e-9)
    assert ours.area.sum() == pytest.approx(4 * np.pi * 6371.0**2)


@pytest.mark.slow
def test_the_finest_global_region_needs_no_polygons(build: Build) -> None:
    # pyCSEP's would take some ten gigabytes.
    region = build(NamedRegion(name="global_region"))
    assert len(region) == 3600 * 1800
    assert region.origins[[0, 1, 1800, -1]].tolist() == [
        [-180, -90],
        [-180, -89.9],
        [-179.9, -90],
        [179.9, 89.9],
    ]


@pytest.mark.slow
def test_an_aftershock_region_is_pycseps(build: Build, pycsep_region: Callable[..., Any]) -> None:
    from csep.core.regions import generate_aftershock_region

    california = partial(pycsep_region, "california_relm_region")
    theirs = generate_aftershock_region(7.1, -117.5993, 35.7695, num_radii=3, region=california)
    ours = build(AftershockRegion(magnitude=7.1, longitude=-117.5993, latitude=35.7695, num_radii=3))
    assert len(ours) == 644  # what the documentation of pyCSEP counts
    assert np.array_equal(ours.origins, theirs.origins())
    assert ours.name == "aftershocks of M7.1 at -117.599, 35.7695"


@pytest.mark.parametrize("step", [1, -1])
def test_a_polygon_through_centres_takes_the_cells_that_pycsep_takes(step: int, build: Build) -> None:
    from csep.core.regions import CartesianGrid2D, masked_region
    from csep.models import Polygon

    places = np.arange(-3, 3) / 2
    origins = tuple((float(x), float(y)) for x in places for y in places)
    corners = ((-0.75, -0.75), (0.75, -0.75), (0.75, 0.75), (-0.75, 0.75))[::step]
    theirs = masked_region(CartesianGrid2D.from_origins(np.array(origins), dh=0.5), Polygon(corners))
    ours = build(MaskedRegion(polygon=corners, within=InlineRegion(cell_size=0.5, origins=origins)))
    assert np.array_equal(ours.origins, theirs.origins())


def test_a_polygon_takes_the_cells_that_pycsep_takes(build: Build, pycsep_region: Callable[..., Any]) -> None:
    from csep.core.regions import masked_region
    from csep.models import Polygon

    corners = ((-31.0, -20.0), (42.5, -12.0), (20.0, 40.0), (-60.0, 33.0))
    theirs = masked_region(pycsep_region("global_region", 7.5), Polygon(corners))
    ours = build(MaskedRegion(polygon=corners, within=GlobalRegion(cell_size=7.5)))
    assert np.array_equal(ours.origins, theirs.origins())


@pytest.fixture(scope="module")
def catalog_file() -> Path:
    from csep.utils import datasets

    return Path(datasets.comcat_example_catalog_fname)


def _same_quadtree(ours: Region, theirs: Any, find: FindCells) -> None:
    assert isinstance(ours, QuadtreeRegion)
    assert ours.quadkeys == list(theirs.quadkeys)
    assert np.array_equal(ours.corners[:, [0, 2, 1, 3]], theirs.bounds)
    assert np.array_equal(ours.origins, theirs.origins())
    np.testing.assert_allclose(ours.area, theirs.get_cell_area(), rtol=1e-9)
    points = _points(ours)
    cells = ours.cells_of(*points.T)
    assert np.array_equal(cells, find(theirs, points))
    assert (cells >= 0).any()
    assert (cells < 0).any()


def test_a_quadtree_of_one_level_is_pycseps(build: Build, pycsep_cells: FindCells) -> None:
    from csep.core.regions import QuadtreeGrid2D

    _same_quadtree(build(ZoomRegion(zoom=4)), QuadtreeGrid2D.from_single_resolution(4), pycsep_cells)


def test_a_quadtree_of_quadkeys_is_pycseps(build: Build, pycsep_cells: FindCells) -> None:
    from csep.core.regions import QuadtreeGrid2D

    keys = ("31", "0", "2001", "2000", "200213", "302131022131202")
    _same_quadtree(build(QuadkeyRegion(quadkeys=keys)), QuadtreeGrid2D.from_quadkeys(keys), pycsep_cells)


@pytest.mark.parametrize(("threshold", "zoom"), [(100, 11), (3, 8), (1, 14)])
def test_a_quadtree_by_a_catalog_is_pycseps(
    threshold: int, zoom: int, catalog_file: Path, build: Build, pycsep_cells: FindCells
) -> None:
    from csep.core.catalogs import CSEPCatalog
    from csep.core.regions import QuadtreeGrid2D

    events = read_catalog(catalog_file)
    rows = [("", 0, *place, 5.0, 5.0) for place in zip(events.latitude, events.longitude, strict=True)]
    catalog = CSEPCatalog(data=rows, compute_stats=False)
    spec = CatalogQuadtree(path=str(catalog_file), threshold=threshold, zoom=zoom)
    theirs = QuadtreeGrid2D.from_catalog(catalog, threshold, zoom=zoom)
    _same_quadtree(build(spec), theirs, pycsep_cells)


@pytest.mark.parametrize("threshold", [1, 4])
def test_events_on_the_edges_of_quadtree_cells_count_as_in_pycsep(threshold: int) -> None:
    from csep.core.catalogs import CSEPCatalog
    from csep.core.regions import QuadtreeGrid2D

    draws = np.random.default_rng(12)
    longitude: Points = (
        draws.integers(0, 33, size=60) * np.float64(11.25) - 180.0
    )  # up to the date line, which is outside
    latitude = np.array([latitude_of_line(line, 5) for line in draws.integers(0, 33, size=60).tolist()])
    rows = [("", 0, *place, 5.0, 5.0) for place in zip(latitude, longitude, strict=True)]
    theirs = QuadtreeGrid2D.from_catalog(CSEPCatalog(data=rows, compute_stats=False), threshold, zoom=6)
    ours = divided(longitude, latitude, threshold=threshold, zoom=6)
    assert quadkeys_of(ours) == list(theirs.quadkeys)


def test_a_catalog_to_360_degrees_makes_the_same_quadtree(tmp_path: Path, build: Build) -> None:
    draws = np.random.default_rng(13)
    longitude, latitude = np.round(draws.uniform([-180, -80], [180, 80], size=(80, 2)), 2).T
    longitude[0] = -180.0
    trees = []
    for name, turned in (("180", longitude), ("360", np.where(longitude < 0, longitude + 360, longitude))):
        rows = zip(np.round(turned, 2).tolist(), latitude.tolist(), strict=True)
        lines = [f"{east},{north},5.0,2019-07-06T03:19:53.040000,8.0,,e\n" for east, north in rows]
        file = tmp_path / f"{name}.csv"
        file.write_text("lon,lat,mag,time_string,depth,catalog_id,event_id\n" + "".join(lines))
        trees.append(build(CatalogQuadtree(path=str(file), threshold=2, zoom=9)).inputs.canon)
    assert trees[0] == trees[1]
