"""Which reader understands a file: by the format that a configuration names, or by the file's ending."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from forequake.errors import ForecastError, unknown
from forequake.forecasts.gridded import ForecastTable
from forequake.forecasts.readers._text import opening
from forequake.forecasts.readers.dat import read_dat
from forequake.forecasts.readers.forecastml import read_forecastml
from forequake.forecasts.readers.gear1 import areas_of, is_gear1, read_gear1
from forequake.forecasts.readers.hdf5 import read_hdf5
from forequake.forecasts.readers.quadtree import read_quadtree
from forequake.forecasts.readers.table import read_table

__all__ = ["FORMATS", "READERS", "ForecastFormat", "read_forecast", "reader_of", "source_files"]


@dataclass(frozen=True)
class ForecastFormat:
    """A form of gridded forecast files.

    Attributes
    ----------
    version
        Name and version of the reader. It counts in every forecast's key, and changes with the numbers.
    read
        The reader.
    """

    version: str
    read: Callable[[Path], ForecastTable]


#: Formats by the names that a configuration may use: floatCSEP's, and gear1.
FORMATS: Final[dict[str, ForecastFormat]] = {
    "dat": ForecastFormat("dat/1", read_dat),
    "csv": ForecastFormat("floatcsep-csv/1", read_table),
    "xml": ForecastFormat("forecastml/1", read_forecastml),
    "hdf5": ForecastFormat("floatcsep-hdf5/1", read_hdf5),
    "quadtree": ForecastFormat("quadtree/1", read_quadtree),
    "gear1": ForecastFormat("gear1/1", read_gear1),
}

#: Formats by the endings that need no name. The first line tells apart the forms that share one.
READERS: Final[dict[str, ForecastFormat]] = {
    ".dat": FORMATS["dat"],
    ".csv": FORMATS["csv"],
    ".xml": FORMATS["xml"],
    ".hdf5": FORMATS["hdf5"],
    ".h5": FORMATS["hdf5"],
}


def _format_of(path: Path, format: str | None) -> ForecastFormat:
    if format is not None:
        name = format.lower().removeprefix(".")
        known = FORMATS | {"h5": FORMATS["hdf5"], "qtree": FORMATS["quadtree"]}
        if name in known:
            return known[name]
        message = f"{path}: {unknown('forecast format', name, FORMATS)}"
        raise ForecastError(message)
    ending = path.suffix.lower()
    if ending in READERS:
        return READERS[ending]
    message = (
        f"{path}: {unknown('forecast reader for the ending', ending, READERS)}; or name the format: "
        f"{', '.join(FORMATS)}"
    )
    raise ForecastError(message)


def reader_of(path: Path, format: str | None = None) -> str:
    """Give the name and version of the reader for a file.

    Parameters
    ----------
    format
        One of `FORMATS`; None for the one of the file's ending.

    Raises
    ------
    ForecastError
        Where there is no such format, or no reader has the ending.
    """
    return _format_of(path, format).version


def read_forecast(path: Path, format: str | None = None) -> ForecastTable:
    """Read a gridded forecast.

    Parameters
    ----------
    format
        One of `FORMATS`; None for the one of the file's ending.

    Raises
    ------
    ForecastError
        Where the file cannot be read, is cut short, or does not have the form; the message names the line.
    """
    return _format_of(path, format).read(path)


def source_files(path: Path, format: str | None = None) -> tuple[Path, ...]:
    """Give the files that together decide a forecast: one, but for GEAR1, whose areas stand in a second.

    Raises
    ------
    ForecastError
        As `read_forecast`, where the beginning of the file is looked at.
    """
    reader = _format_of(path, format)
    shared = reader is FORMATS["dat"] and is_gear1(opening(path, comments=True).line)
    return (path, areas_of(path)) if shared or reader is FORMATS["gear1"] else (path,)
