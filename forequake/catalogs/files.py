"""Catalogs from files: every format of pyCSEP, and QuakeML."""

from pathlib import Path

from forequake.catalogs.events import Events
from forequake.catalogs.formats import READERS, recognise
from forequake.catalogs.source_events import SourceEvents
from forequake.catalogs.specs import CATALOG_FORMATS, CatalogFormat
from forequake.errors import CatalogError, unknown

__all__ = ["read_catalog", "read_source"]


def read_source(path: Path, format: str | None = None) -> SourceEvents:
    """Read a catalog file, before any rule.

    A missing depth is NaN; a missing time, place or magnitude is an error, since such an event cannot be
    counted or left out by any rule. An empty file is a catalog without events, which CSEP1's testing centers
    wrote for quiet days.

    Parameters
    ----------
    format
        One of `CATALOG_FORMATS`; None lets the file's ending and its first lines tell.

    Returns
    -------
    SourceEvents
        In order of time; events of one time stay in the order of the file.

    Raises
    ------
    CatalogError
        With the file, the line or event, and what is expected.

    Examples
    --------
    >>> from forequake.datasets import locate_dataset
    >>> len(read_source(locate_dataset("csep:comcat_example_catalog")))
    829
    """
    known: CatalogFormat | None
    if format is None:
        known = recognise(path)
    else:
        known = next((one for one in CATALOG_FORMATS if one == format), None)
        if known is None:
            message = f"{path}: {unknown('format of catalogs', format, CATALOG_FORMATS)}"
            raise CatalogError(message)
    if known is None:
        return SourceEvents.in_order(
            time_us=[],
            longitude=[],
            latitude=[],
            depth_km=[],
            magnitude=[],
            event_id=[],
            notes=(f"{path.name}: the file is empty, so there are no events",),
        )
    return READERS[known](path)


def read_catalog(path: Path, format: str | None = None) -> Events:
    """Read a catalog file as it is, without rules (see `read_source`).

    Raises
    ------
    CatalogError
        With the file, the line or event, and what is expected.
    """
    return read_source(path, format).events
