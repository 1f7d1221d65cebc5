"""Catalogs of observed earthquakes: reading, snapshots, and cutting to what is tested."""

from forequake.catalogs.events import Events
from forequake.catalogs.files import read_catalog

__all__ = ["Events", "read_catalog"]
