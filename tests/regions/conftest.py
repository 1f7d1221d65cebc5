"""pyCSEP's own regions, each built once, and what it says of points."""

from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from forequake.regions import REGION_NAMES, Region, build_region
from forequake.regions.specs import RegionSpec

Points = NDArray[np.float64]
Cells = NDArray[np.intp]


@pytest.fixture(scope="session")
def pycsep_region() -> Iterator[Callable[..., Any]]:
    """Call a builder of ``csep.core.regions`` by name; each builds once, also where forequake calls it."""
    from csep.core import regions

    builders = {name: cache(getattr(regions, name)) for name in REGION_NAMES}
    with pytest.MonkeyPatch.context() as patch:
        for name, builder in builders.items():
            patch.setattr(regions, name, builder)
        yield lambda name, *values: builders[name](*values)


@pytest.fixture(scope="session")
def pycsep_cells() -> Callable[[Any, Points], Cells]:
    """Give the cells that pyCSEP finds for points, with -1 where it raises or gives nothing."""
    from csep.utils.calc import bin1d_vec

    def find(region: Any, points: Points) -> Cells:
        found = np.full(len(points), -1, dtype=np.intp)
        if hasattr(region, "quadkeys"):
            for number, point in enumerate(points):
                cell = np.atleast_1d(region._find_location(*point))
                found[number] = cell[0] if len(cell) else -1
            return found
        x, y = bin1d_vec(points[:, 0], region.xs), bin1d_vec(points[:, 1], region.ys)
        inside = (x >= 0) & (y >= 0)
        inside[inside] = region.bbox_mask[y[inside], x[inside]] == 0
        if inside.any():
            found[inside] = region.get_index_of(points[inside, 0], points[inside, 1])
        return found

    return find


@pytest.fixture(scope="session")
def build() -> Callable[[RegionSpec], Region]:
    """Build a region whose paths are absolute."""

    def call(spec: RegionSpec) -> Region:
        return build_region(spec, Path)

    return call
