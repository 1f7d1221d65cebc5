"""Catalogs of observed earthquakes: reading, snapshots, and cutting to what is tested."""

from forequake.catalogs.events import Events

__all__ = ["Events"]
