"""Readers of gridded forecast files, one module a form; `registry` says which one reads a file."""

from forequake.forecasts.readers.registry import (
    FORMATS,
    READERS,
    ForecastFormat,
    read_forecast,
    reader_of,
    source_files,
)

__all__ = ["FORMATS", "READERS", "ForecastFormat", "read_forecast", "reader_of", "source_files"]
