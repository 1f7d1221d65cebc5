"""Catalogs of observed earthquakes: definitions, reading, rules, snapshots, and cutting to what is tested."""

from forequake.catalogs.completeness import IncompletePart, completeness, incomplete_part
from forequake.catalogs.events import Events
from forequake.catalogs.files import read_catalog, read_source
from forequake.catalogs.load import LEARNING_YEARS, LoadedCatalog, load_catalog
from forequake.catalogs.rules import apply_rules
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
    "LEARNING_YEARS",
    "CatalogRules",
    "CatalogSpec",
    "CompletenessSpec",
    "CompletenessStep",
    "Events",
    "FileCatalog",
    "IncompletePart",
    "LoadedCatalog",
    "Mainshock",
    "QueryCatalog",
    "SourceEvents",
    "apply_rules",
    "completeness",
    "incomplete_part",
    "load_catalog",
    "read_catalog",
    "read_source",
]
