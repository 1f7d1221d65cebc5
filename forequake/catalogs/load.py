"""A catalog by its definition: read or asked for, put right by its rules, cut to its own limits."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from forequake.catalogs.events import Events
from forequake.catalogs.files import read_source
from forequake.catalogs.rules import apply_rules
from forequake.catalogs.specs import Box, CatalogSpec, FileCatalog, QueryCatalog
from forequake.errors import CatalogError

if TYPE_CHECKING:
    from forequake.catalogs.queries import QueryBounds

__all__ = ["LEARNING_YEARS", "LoadedCatalog", "learning_start", "load_catalog", "query_bounds"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
#: Years before the first window from which an input catalog is asked for where it has no start of its own.
LEARNING_YEARS: Final = 10
#: Asked for so much below the floor where the rules may take another magnitude than the service goes by.
_MAGNITUDE_MARGIN: Final = 0.5
#: Degrees by which rounding may move a longitude from one convention to the other.
_ROUNDING: Final = 1e-9


@dataclass(frozen=True, eq=False)
class LoadedCatalog:
    """A catalog that is ready to be stored and cut to windows.

    Attributes
    ----------
    notes
        What the user should know: what was asked, and what was left out or changed and by which rule.
    source
        A path, a data set, or ``query_comcat``.
    """

    events: Events
    notes: tuple[str, ...]
    source: str


def load_catalog(
    spec: CatalogSpec,
    locate: Callable[[str], Path],
    bounds: "QueryBounds | None" = None,
    *,
    learning: bool = False,
) -> LoadedCatalog:
    """Read or ask for a catalog, apply its rules, and cut it to its own limits.

    Parameters
    ----------
    locate
        Gives the file that a path of the configuration means on this machine.
    bounds
        Of the experiment: its first window's start and its last one's end, its least magnitude, depths and
        box. A query takes from here what its definition leaves open; a file needs none of it.
    learning
        Whether models learn from this catalog. A query without a start then begins `LEARNING_YEARS` before
        `bounds.start`, and a note says so.

    Raises
    ------
    CatalogError
        Where the source or a rule of it cannot be used, with the reason. Of a service that did not answer it
        is one whose `transient` says that trying again can help.
    """
    notes: tuple[str, ...] = ()
    if isinstance(spec.source, QueryCatalog):
        from forequake.catalogs.queries import query  # httpx: only where a service is asked

        limits = _with_limits_of(spec, bounds, learning=learning)
        asked = query_bounds(spec, bounds, learning=learning)
        if learning and spec.start is None:
            notes = (
                f"{spec.title}: the input catalog has no start_date; it is asked for from "
                f"{asked.start:%Y-%m-%d} on, {LEARNING_YEARS} years before the first window",
            )
        source = query(spec.source.service, asked, address=spec.source.address)
    else:
        limits = spec
        source = read_source(locate(spec.source.path), spec.source.format)
    authoritative = apply_rules(source, spec.rules)
    inside = _inside(authoritative.events, limits)
    events = authoritative.events if inside.all() else authoritative.events.take(inside)
    notes += authoritative.notes
    if isinstance(spec.source, FileCatalog) and len(events) < len(authoritative):
        notes += (f"{len(events)} of {len(authoritative)} events are within the catalog's own limits",)
    return LoadedCatalog(events=events, notes=notes, source=spec.title)


def query_bounds(spec: CatalogSpec, bounds: "QueryBounds | None", *, learning: bool = False) -> "QueryBounds":
    """Give what a service is asked for: the definition's own limits, and the experiment's where it has none.

    A magnitude floor is lowered by 0.5 where the rules prefer types of magnitude, since the service goes by
    its own choice; depths are asked for in the service's own datum.

    Raises
    ------
    CatalogError
        Where neither gives a start or an end.
    """
    from forequake.catalogs.queries import QueryBounds  # httpx: only where a service is asked

    limits = _with_limits_of(spec, bounds, learning=learning)
    if limits.start is None or limits.end is None:
        message = f"{spec.title}: a query needs a start and an end"
        raise CatalogError(message)
    magnitude, depths = limits.magnitude_min, limits.depth_km
    if magnitude is not None and spec.rules.magnitude_types:
        magnitude -= _MAGNITUDE_MARGIN
    if depths is not None and spec.rules.depth_offset_km:
        offset = spec.rules.depth_offset_km
        depths = (depths[0] and depths[0] - offset, depths[1] - offset)
    return QueryBounds(
        start=limits.start, end=limits.end, magnitude_min=magnitude, depth_km=depths, box=limits.region
    )


def _with_limits_of(spec: CatalogSpec, bounds: "QueryBounds | None", *, learning: bool) -> CatalogSpec:
    """Give a definition with the experiment's limits where it has none of its own."""
    if bounds is None:
        return spec
    start = learning_start(bounds.start) if learning else bounds.start
    return spec.model_copy(
        update={
            "start": spec.start or start,
            "end": spec.end or bounds.end,
            "magnitude_min": bounds.magnitude_min if spec.magnitude_min is None else spec.magnitude_min,
            "depth_km": spec.depth_km or bounds.depth_km,
            "region": spec.region or bounds.box,
        }
    )


def _inside(events: Events, spec: CatalogSpec) -> NDArray[np.bool_]:
    """Tell which events are within a definition's own limits (see `CatalogSpec`)."""
    inside = np.ones(len(events), dtype=np.bool_)
    if spec.start is not None:
        inside &= events.time_us >= (spec.start - _EPOCH) // _MICROSECOND
    if spec.end is not None:
        inside &= events.time_us < (spec.end - _EPOCH) // _MICROSECOND
    if spec.magnitude_min is not None:
        inside &= events.magnitude >= spec.magnitude_min
    if spec.region is not None:
        inside &= _in_box(events, spec.region)
    if spec.depth_km is not None:
        missing = int(np.isnan(events.depth_km[inside]).sum())
        if missing:
            message = (
                f"{spec.title}: {missing} {'event has' if missing == 1 else 'events have'} no depth, but the "
                f"catalog takes depths from {spec.depth_km[0]:g} to {spec.depth_km[1]:g} km only; say with "
                "the rule missing_depth what becomes of them: drop, or a depth in kilometres"
            )
            raise CatalogError(message)
        least = -np.inf if spec.depth_km[0] == 0 else spec.depth_km[0]
        inside &= (events.depth_km >= least) & (events.depth_km <= spec.depth_km[1])
    return inside


def _in_box(events: Events, box: Box) -> NDArray[np.bool_]:
    """Tell which events lie in a box, whichever way longitudes are counted."""
    west, east, south, north = box
    inside: NDArray[np.bool_] = (events.latitude >= south) & (events.latitude <= north)
    width = (east - west) % 360
    if width == 0 and east != west:
        return inside
    return inside & ((events.longitude - west + _ROUNDING) % 360 <= width + 2 * _ROUNDING)


def learning_start(first: datetime) -> datetime:
    """Give the moment `LEARNING_YEARS` before the first window, from which an input catalog is asked for."""
    try:
        return first.replace(year=first.year - LEARNING_YEARS)
    except ValueError:  # the 29th of February
        return first.replace(year=first.year - LEARNING_YEARS, day=28)
