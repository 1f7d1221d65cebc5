"""The bins of magnitude and the depths of an experiment from its keys of region."""

from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Final

from forequake.config._places import Place, Problems
from forequake.config._region_shape import RegionSection

__all__ = ["magnitude_edges", "read_depths", "read_magnitudes"]

_MOST_BINS: Final = 10_000
#: Edges and widths are written with a few decimals.
_SAME_WIDTH: Final = 1e-6
#: What a catalog may hold at most (`forequake.quantities.DepthKm`): open where one end is not given.
_ANY_DEPTH: Final = (-20.0, 7000.0)


def read_magnitudes(
    section: RegionSection, entries: Mapping[str, Place], problems: Problems, notes: list[str]
) -> tuple[float, ...] | None:
    """Give the lower edges of the magnitude bins, or note why there are none.

    Parameters
    ----------
    notes
        Gets what the user should know although nothing is wrong.
    """
    if "magnitudes" in entries:
        return _listed(section, entries, problems)
    least, most, width = section.mag_min, section.mag_max, section.mag_bin
    in_order = least is None or most is None or least < most
    if not in_order:
        problems.add(entries["mag_max"], f"must be greater than mag_min, {entries['mag_min'].value}")
    if not in_order or least is None or most is None or width is None:
        return None
    if (most - least) / width > _MOST_BINS:
        problems.add(entries["mag_bin"], f"that makes more than {_MOST_BINS} bins")
        return None
    edges = magnitude_edges(least, most, width)
    last, wanted, step = (Decimal(repr(value)) for value in (edges[-1], most, width))
    if wanted - last > step / 2:  # there floatCSEP adds a bin that lies above mag_max
        problems.add(
            entries["mag_max"],
            f"must lie whole bins of {width:g} above mag_min; near are {edges[-1]:g} and {last + step}",
        )
        return None
    if wanted != last:
        notes.append(f"the last magnitude bin begins at {edges[-1]:g}, the last edge up to mag_max {most:g}")
    return edges


def magnitude_edges(least: float, most: float, width: float) -> tuple[float, ...]:
    """Give the edges from `least` up to `most`, which is the last where it lies on an edge.

    Counted in decimals, since sums of binary fractions drift.

    Examples
    --------
    >>> magnitude_edges(4.0, 4.3, 0.1)
    (4.0, 4.1, 4.2, 4.3)
    """
    first, last, step = (Decimal(repr(float(value))) for value in (least, most, width))
    return tuple(float(first + number * step) for number in range(int((last - first) / step) + 1))


def _listed(
    section: RegionSection, entries: Mapping[str, Place], problems: Problems
) -> tuple[float, ...] | None:
    """Give the listed edges; keys beside them must say the same."""
    edges = section.magnitudes
    if edges is None:
        return None
    widths = [above - edge for edge, above in pairwise(edges)]
    if any(abs(width - widths[0]) > _SAME_WIDTH for width in widths):
        problems.add(entries["magnitudes"], "the tests take bins of one width only, but these have several")
    elif widths and section.mag_bin is not None and abs(widths[0] - section.mag_bin) > _SAME_WIDTH:
        problems.add(entries["mag_bin"], f"the bins listed in magnitudes are {widths[0]:.6g} wide")
    if section.mag_min is not None and section.mag_min != edges[0]:
        problems.add(entries["mag_min"], f"the first edge of magnitudes is {edges[0]:g}")
    if section.mag_max is not None and section.mag_max < edges[-1]:
        problems.add(entries["mag_max"], f"the last edge of magnitudes is {edges[-1]:g}")
    return tuple(edges)


def read_depths(
    section: RegionSection, entries: Mapping[str, Place], problems: Problems
) -> tuple[float, float] | None:
    """Give the least and greatest depth in kilometres, or None where any depth counts."""
    least, most = section.depth_min, section.depth_max
    if section.depths is not None:
        for key, given, listed in zip(("depth_min", "depth_max"), (least, most), section.depths, strict=True):
            if given is not None and given != listed:
                problems.add(entries["depths"], f"{key} says {given:g}, and this says {listed:g}")
        least, most = section.depths
    if least is None and most is None:
        return None
    if least is not None and most is not None and least > most:
        where = entries["depth_max" if "depth_max" in entries else "depths"]
        problems.add(where, f"must not be less than depth_min, which is {least:g}")
    return (_ANY_DEPTH[0] if least is None else least, _ANY_DEPTH[1] if most is None else most)
