"""The embedded store: one SQLite file, no server."""

from stores.sqlite.store import SqliteStore

__all__ = ["SqliteStore"]
