"""The keys of region_config."""

from itertools import pairwise
from typing import Annotated

from pydantic import AfterValidator, Field

from forequake.config._refusals import refuse
from forequake.config._regions import RegionPlace
from forequake.config._section import Section, key
from forequake.quantities import DepthKm, Magnitude

__all__ = ["RegionSection"]


def _increasing(edges: list[float]) -> list[float]:
    for lower, upper in pairwise(edges):
        if lower >= upper:
            refuse(f"the edges must increase, but {upper:g} follows {lower:g}")
    return edges


def _both(depths: list[float]) -> list[float]:
    if len(depths) != 2:
        refuse("expected a pair [depth_min, depth_max]")
    return depths


_Edges = Annotated[list[Magnitude], AfterValidator(_increasing)]
_Pair = Annotated[list[DepthKm], AfterValidator(_both)]


class RegionSection(Section):
    """region_config."""

    region: RegionPlace | None = key(
        "A region's name, a file with the corners of its cells, or its definition."
    )
    mag_min: Magnitude | None = key("Lower edge of the first magnitude bin.")
    mag_max: Magnitude | None = key("Lower edge of the last magnitude bin, which is open upwards.")
    mag_bin: Annotated[float, Field(gt=0, allow_inf_nan=False)] | None = key("Width of a magnitude bin.")
    magnitudes: _Edges | None = key(
        "Lower edges of the magnitude bins, instead of mag_min, mag_max and mag_bin.",
        min_length=1,
        max_length=10_000,
    )
    depth_min: DepthKm | None = key("Events that are shallower do not count, kilometres; not given: none.")
    depth_max: DepthKm | None = key("Events that are deeper do not count, kilometres; not given: none.")
    depths: _Pair | None = key("Both depths, [depth_min, depth_max], as floatCSEP writes them.")
