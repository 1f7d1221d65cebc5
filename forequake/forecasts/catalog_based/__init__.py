"""Catalog-based forecasts: readers, the compact form, what counts in a window, and what is strange."""

from forequake.forecasts.catalog_based.cache import catalogs_from_file
from forequake.forecasts.catalog_based.counts import COUNTING_VERSION, CountedEvents, LeftOut
from forequake.forecasts.catalog_based.forecast import CatalogForecast
from forequake.forecasts.catalog_based.quality import FittedCatalogs, fit_catalogs
from forequake.forecasts.catalog_based.reading import (
    CATALOG_READERS,
    catalog_content,
    catalog_reader_of,
    read_catalog_forecast,
)

__all__ = [
    "CATALOG_READERS",
    "COUNTING_VERSION",
    "CatalogForecast",
    "CountedEvents",
    "FittedCatalogs",
    "LeftOut",
    "catalog_content",
    "catalog_reader_of",
    "catalogs_from_file",
    "fit_catalogs",
    "read_catalog_forecast",
]
