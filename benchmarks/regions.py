"""How fast regions come and find cells, beside pyCSEP in the same run. Run by ``make bench-regions``.

pyCSEP builds a region each time; forequake does so once and then loads it. Both find the cells of the same
points, and the cells are compared. A line ``ratio NAME VALUE`` says how many times faster forequake is in CPU
time, the best of several runs; imports are not counted.
"""

import os
import platform
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forequake.regions import Region, build_region
from forequake.regions.specs import AftershockRegion, GlobalRegion, NamedRegion, RegionSpec, ZoomRegion

_REPEATS: Final = 20
_POINTS: Final = 10_000
_FILE: Final = Path(__file__).with_name("REGIONS.md")


def _cases() -> dict[str, tuple[RegionSpec, Callable[[], Any]]]:
    from csep.core import regions

    return {
        "california": (NamedRegion(name="california_relm_region"), regions.california_relm_region),
        "new_zealand": (NamedRegion(name="nz_csep_region"), regions.nz_csep_region),
        "aftershock": (
            AftershockRegion(magnitude=7.1, longitude=-117.5993, latitude=35.7695),
            lambda: regions.generate_aftershock_region(7.1, -117.5993, 35.7695),
        ),
        "global_half_degree": (GlobalRegion(cell_size=0.5), lambda: regions.global_region(0.5)),
        "california_quadtree": (
            NamedRegion(name="california_quadtree_region"),
            regions.california_quadtree_region,
        ),
        "quadtree_zoom_7": (
            ZoomRegion(zoom=7),
            lambda: regions.QuadtreeGrid2D.from_single_resolution(7),
        ),
    }


def _best(call: Callable[[], Any], repeats: int) -> tuple[float, Any]:
    """Give the least CPU time of some calls in milliseconds, and what the last one gave."""
    least = float("inf")
    for _ in range(repeats):
        start = time.process_time()
        given = call()
        least = min(least, time.process_time() - start)
    return least * 1e3, given


def _points(region: Region) -> NDArray[np.float64]:
    """Draw points in cells, as catalogs round them."""
    draws = np.random.default_rng(1)
    west, east, south, north = region.corners[draws.integers(len(region), size=_POINTS)].T
    points = np.column_stack([draws.uniform(west, east), draws.uniform(south, north)]).round(4)
    return points[region.cells_of(*points.T) >= 0]


def _row(name: str, spec: RegionSpec, build: Callable[[], Any]) -> str:
    first_ms, _ = _best(lambda: build_region(spec, Path), 1)
    load_ms, _ = _best(lambda: build_region(spec, Path).inputs.key, _REPEATS)
    build_ms, theirs = _best(build, 1)
    points = _points(build_region(spec, Path))
    # The first question of a region that was just loaded, and later ones.
    fresh_ms, _ = _best(lambda: build_region(spec, Path).cells_of(*points.T), _REPEATS)
    region = build_region(spec, Path)
    ours_ms, ours = _best(lambda: region.cells_of(*points.T), _REPEATS)
    slow = hasattr(theirs, "quadkeys")
    theirs_ms, found = _best(lambda: theirs.get_index_of(*points.T), 1 if slow else _REPEATS)
    if not np.array_equal(ours, found):
        message = f"{name}: {int((ours != found).sum())} points lie in other cells"
        raise SystemExit(message)
    print(f"ratio load_{name} {build_ms / load_ms:.3g}")
    print(f"ratio locate_{name} {theirs_ms / ours_ms:.3g}", flush=True)
    times = (build_ms, first_ms, load_ms, theirs_ms, fresh_ms, ours_ms)
    return f"| {name} | {len(region):,} | " + " | ".join(f"{ms:,.2f}" for ms in times) + " |"


def main() -> None:
    """Measure, print the ratios, and write the table."""
    with tempfile.TemporaryDirectory() as folder:
        os.environ["XDG_CACHE_HOME"] = folder
        rows = [_row(name, *case) for name, case in _cases().items()]
    version = platform.python_version()
    text = f"""\
# Regions: building, loading, finding cells

Made by `make bench-regions` on {platform.machine()}, {os.cpu_count()} cores, Python {version}.
Milliseconds of CPU time; forequake's the best of {_REPEATS} runs, but for the first build. Loading includes
the check of the file and the region's key. Cells are found for {_POINTS:,} points in the region (a few were
rounded out of it), the same by both; "after loading" includes loading.

| region | cells | pyCSEP builds | first build | from the cache | pyCSEP finds | after loading | later |
|---|---|---|---|---|---|---|---|
"""
    _FILE.write_text(text + "\n".join(rows) + "\n", encoding="utf-8")
    print(f"written to {_FILE.name}")


if __name__ == "__main__":
    main()
