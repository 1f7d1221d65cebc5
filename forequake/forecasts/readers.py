"""Readers of gridded forecast files, each under the ending that it understands."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.errors import ForecastError, unknown
from forequake.forecasts.gridded import ForecastTable
from forequake.results import QualityFinding

__all__ = ["READERS", "Reader", "read_forecast", "reader_of"]

#: Reads one format of forecast files.
Reader = Callable[[Path], ForecastTable]

#: Ending -> (name and version of the reader, the reader). The version counts in every forecast's key.
READERS: Final[dict[str, tuple[str, Reader]]] = {}


def _reads(ending: str, version: str) -> Callable[[Reader], Reader]:
    def register(reader: Reader) -> Reader:
        READERS[ending] = (version, reader)
        return reader

    return register


def reader_of(path: Path) -> str:
    """Give the name and version of the reader for a file's ending.

    Raises
    ------
    ForecastError
        Where no reader has the ending.
    """
    ending = path.suffix.lower()
    if ending in READERS:
        return READERS[ending][0]
    message = f"{path}: {unknown('forecast reader for the ending', ending, READERS)}"
    raise ForecastError(message)


def read_forecast(path: Path) -> ForecastTable:
    """Read a gridded forecast by the reader of its ending.

    Raises
    ------
    ForecastError
        Where the file cannot be read, is cut short, or does not have the form of its ending.
    """
    reader_of(path)
    return READERS[path.suffix.lower()][1](path)


@_reads(".dat", "dat/1")
def _read_dat(path: Path) -> ForecastTable:
    """Read CSEP's text form: west east south north top bottom magnitude-from magnitude-to rate flag."""
    rows = _numbers(path, delimiter=None, skip=0)
    if rows.shape[1] not in (9, 10):
        message = (
            f"{path}: expected 9 or 10 columns (lon_min lon_max lat_min lat_max depth_min depth_max "
            f"mag_min mag_max rate flag), got {rows.shape[1]}"
        )
        raise ForecastError(message)
    magnitudes, bins = np.unique(np.round(rows[:, 6], 6), return_inverse=True)
    return ForecastTable(
        path=path,
        corners=rows[:, :4],
        magnitudes=magnitudes,
        bins=bins.astype(np.intp),
        rates=rows[:, 8],
        findings=_flag_findings(rows[:, 9]) if rows.shape[1] == 10 else (),
    )


@_reads(".csv", "floatcsep-csv/1")
def _read_csv(path: Path) -> ForecastTable:
    """Read floatCSEP's table: a heading with the magnitudes, then a line a cell with all its rates."""
    heading = _first_line(path).split(",")
    words = [word.strip() for word in heading]
    expected = ["lon_min", "lon_max", "lat_min", "lat_max", "depth_min", "depth_max"]
    if words[:6] != expected:
        message = f"{path}:1: expected the columns {', '.join(expected)} and the magnitudes, got {words[:6]}"
        raise ForecastError(message)
    try:
        magnitudes = np.array([float(word) for word in words[6:]])
    except ValueError as error:
        message = f"{path}:1: the columns from the seventh on must be magnitudes ({error})"
        raise ForecastError(message) from error
    if not len(magnitudes) or np.any(np.diff(magnitudes) <= 0):
        message = f"{path}:1: the magnitudes of the columns must increase"
        raise ForecastError(message)
    rows = _numbers(path, delimiter=",", skip=1)
    if rows.shape[1] != len(words):
        message = f"{path}: the lines have {rows.shape[1]} columns, the heading has {len(words)}"
        raise ForecastError(message)
    n_bins = len(magnitudes)
    return ForecastTable(
        path=path,
        corners=np.repeat(rows[:, :4], n_bins, axis=0),
        magnitudes=magnitudes,
        bins=np.tile(np.arange(n_bins), len(rows)),
        rates=rows[:, 6:].ravel(),
    )


def _numbers(path: Path, *, delimiter: str | None, skip: int) -> NDArray[np.float64]:
    try:
        with path.open(encoding="utf-8-sig") as file:
            if not any(line.strip() and not line.startswith("#") for line in islice(file, skip, None)):
                message = f"{path}: the file has no rates"
                raise ForecastError(message)
        return np.loadtxt(path, delimiter=delimiter, skiprows=skip, ndmin=2, encoding="utf-8-sig")
    except ValueError as error:  # also a UnicodeDecodeError
        message = f"{path}: the file is cut short or damaged: {str(error).split(';')[0]}"
        raise ForecastError(message) from error
    except OSError as error:
        message = f"{path}: the forecast cannot be read ({error})"
        raise ForecastError(message) from error


def _first_line(path: Path) -> str:
    try:
        with path.open(encoding="utf-8-sig") as file:
            return file.readline()
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: the forecast cannot be read ({error})"
        raise ForecastError(message) from error


def _flag_findings(flags: NDArray[np.float64]) -> tuple[QualityFinding, ...]:
    """Tell of cells that their author took out (flag 0) or marked otherwise; their rates are used."""
    other = int((flags != 1).sum())
    if not other:
        return ()
    message = f"{other} rows have a flag other than 1; their rates are used as they are, as pyCSEP does"
    return (QualityFinding(code="flagged_rows", severity="warning", message=message, count=other),)
