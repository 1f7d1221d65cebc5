"""The tests over quadtree cells of several levels, against pyCSEP on its own `QuadtreeGrid2D`."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from forequake.catalogs import Events
from forequake.evaluations import Evaluated, Observation
from forequake.forecasts import uniform_rates
from forequake.regions import QuadtreeRegion
from forequake.regions.tiles import tiles_of_quadkeys
from forequake.results import LowerQuantile, StudentQuantiles, TailQuantiles, WilcoxonQuantile

Rates = NDArray[np.float64]


@pytest.fixture(scope="module")
def quadtree() -> Observation:
    """Twelve events in cells of four levels, given out of order; none in the rest of the world."""
    keys = ["1230", "0", "1231", "2", "12331", "12330", "12333", "12332", "1232", "13", "120", "3"]
    random = np.random.default_rng(8)
    longitude = np.concatenate([random.uniform(46, 89, 10), [-100.0, 100.0]])
    latitude = np.concatenate([random.uniform(1, 39, 10), [20.0, -45.0]])
    size = len(longitude)
    events = Events(
        time_us=np.arange(size, dtype=np.int64),
        longitude=longitude,
        latitude=latitude,
        depth_km=np.zeros(size),
        magnitude=np.round(4.0 + random.exponential(0.4, size), 1),
        event_id=np.array([f"event-{n}" for n in range(size)], dtype=np.str_),
    )
    region = QuadtreeRegion.from_tiles(tiles_of_quadkeys(keys), name="several levels")
    assert region.cells_of(longitude, latitude).min() >= 0
    return Observation(region=region, magnitudes=np.array([4.0, 4.5, 5.0]), events=events)


@pytest.fixture(scope="module")
def rates(quadtree: Observation) -> Rates:
    shape = (len(quadtree.region), 3)
    return np.asarray(np.random.default_rng(9).uniform(0.05, 1.0, shape), dtype=np.float64)


@pytest.mark.parametrize("letters", ["N", "S", "M", "L", "CL", "T", "W"])
def test_numbers_are_pycseps(
    letters: str,
    quadtree: Observation,
    rates: Rates,
    run: Callable[..., Evaluated],
    pycsep: Callable[..., Any],
) -> None:
    reference = uniform_rates(quadtree.region, quadtree.magnitudes, total=15.0, b_value=1.0).rates
    ours = run(letters, rates, quadtree, reference=reference)
    theirs = pycsep(letters, rates, quadtree, reference=reference if letters in "TW" else None)
    assert ours.statistic == pytest.approx(theirs.observed_statistic, rel=1e-12)
    match ours.quantiles:
        case TailQuantiles(delta1=delta1, delta2=delta2):
            assert (delta1, delta2) == theirs.quantile
        case LowerQuantile(q=q):
            assert q == theirs.quantile
            assert ours.sample is not None
            assert ours.sample.tolist() == theirs.test_distribution
        case StudentQuantiles(t=t, t_critical=t_critical):
            assert (t, t_critical) == pytest.approx(theirs.quantile[:2], rel=1e-12)
        case WilcoxonQuantile(p=p):
            assert p == pytest.approx(theirs.quantile, rel=1e-12)
        case None:
            raise AssertionError(ours.reason)


def test_a_uniform_reference_goes_by_area(quadtree: Observation) -> None:
    from csep.core.regions import QuadtreeGrid2D

    assert isinstance(quadtree.region, QuadtreeRegion)
    area = QuadtreeGrid2D.from_quadkeys(quadtree.region.quadkeys).get_cell_area()
    found = uniform_rates(quadtree.region, quadtree.magnitudes, total=2.0, b_value=1.0).rates.sum(axis=1)
    np.testing.assert_allclose(found, 2.0 * area / area.sum(), rtol=1e-12)
