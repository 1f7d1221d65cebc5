"""Regions: square cells in degrees, from a name, from a file, or from a forecast."""

from forequake.regions.build import REGION_NAMES, named_region, region_from_file
from forequake.regions.cells import SAME_CELL_DEGREES, Region

__all__ = ["REGION_NAMES", "SAME_CELL_DEGREES", "Region", "named_region", "region_from_file"]
