"""The bins of magnitude and the depths of an experiment from its keys of region."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Final

from forequake.config._places import Place, Problems
from forequake.config._region_shape import RegionSection

__all__ = ["magnitude_edges", "read_depths", "read_magnitudes"]

_MOST_BINS: Final = 10_000
#: What a catalog may hold at most (`forequake.quantities.DepthKm`): open where one end is not given.
_ANY_DEPTH: Final = (-20.0, 7000.0)


def read_magnitudes(
    section: RegionSection, entries: Mapping[str, Place], problems: Problems
) -> tuple[float, ...] | None:
    """Give the lower edges of the magnitude bins, or note why there are none."""
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
    if Decimal(repr(edges[-1])) != Decimal(repr(most)):
        beyond = Decimal(repr(edges[-1])) + Decimal(repr(width))
        problems.add(
            entries["mag_max"],
            f"must lie whole bins of {width:g} above mag_min; near are {edges[-1]:g} and {beyond}",
        )
        return None
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
    if "mag_bin" in entries:
        problems.add(entries["mag_bin"], "the bins are listed in magnitudes; leave this key out")
    edges = section.magnitudes
    if edges is None:
        return None
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
    if least is None and most is None:
        return None
    if least is not None and most is not None and least > most:
        problems.add(
            entries["depth_max"], f"must not be less than depth_min, which is {entries['depth_min'].value}"
        )
    return (_ANY_DEPTH[0] if least is None else least, _ANY_DEPTH[1] if most is None else most)
