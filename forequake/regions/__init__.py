"""Regions: square cells of one size or quadtree cells, from a name, a file, a dictionary or a rule."""

from forequake.regions.build import build_region, named_region
from forequake.regions.cells import SAME_CELL_DEGREES, Region
from forequake.regions.files import region_from_file
from forequake.regions.quadtree import QuadtreeRegion
from forequake.regions.specs import REGION_NAMES, RegionSpec
from forequake.regions.tiles import corners_of_quadkeys

__all__ = [
    "REGION_NAMES",
    "SAME_CELL_DEGREES",
    "QuadtreeRegion",
    "Region",
    "RegionSpec",
    "build_region",
    "corners_of_quadkeys",
    "named_region",
    "region_from_file",
]
