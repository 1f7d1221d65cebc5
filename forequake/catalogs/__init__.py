"""Catalogs of observed earthquakes: definitions, reading, rules, snapshots, and cutting to what is tested."""

from forequake.catalogs.events import Events
from forequake.catalogs.files import read_catalog, read_source
from forequake.catalogs.source_events import SourceEvents
from forequake.catalogs.specs import (
    CatalogRules,
    CatalogSpec,
    CompletenessSpec,
    CompletenessStep,
    FileCatalog,
    Mainshock,
    QueryCatalog,
)

__all__ = [
    "CatalogRules",
    "CatalogSpec",
    "CompletenessSpec",
    "CompletenessStep",
    "Events",
    "FileCatalog",
    "Mainshock",
    "QueryCatalog",
    "SourceEvents",
    "read_catalog",
    "read_source",
]
