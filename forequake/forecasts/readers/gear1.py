"""GEAR1's own form: numbers above each magnitude for each square metre, with the areas in a second file."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.errors import ForecastError
from forequake.forecasts.gridded import ForecastTable
from forequake.forecasts.readers._text import Batch, Opening, TextTable, opening, read_numbers

__all__ = ["AREAS_NAME", "areas_of", "is_gear1", "read_gear1"]

#: The name under which ``csep.utils.readers.mapping_GEAR1`` writes the areas, beside the rates.
AREAS_NAME: Final = "areas_region.dat"

#: GEAR1 is defined on cells of 0.1 degrees; its files give their middles.
_HALF_CELL: Final = 0.05
_HEADING: Final = ["", "longitude", "latitude"]
_MAGNITUDE: Final = re.compile(r"m(\d)(\d\d)")


def is_gear1(line: str) -> bool:
    """Tell whether a line is the heading that ``csep.utils.readers.mapping_GEAR1`` writes."""
    words = [word.strip() for word in line.split(",")]
    return words[:3] == _HEADING and all(_MAGNITUDE.fullmatch(word) for word in words[3:])


def areas_of(path: Path) -> Path:
    """Give the file of areas that belongs to a file of rates."""
    return path.with_name(AREAS_NAME)


def read_gear1(path: Path) -> ForecastTable:
    """Read what ``mapping_GEAR1`` wrote, to the rates of ``csep.utils.readers.read_GEAR1_format``.

    A row gives the middle of a cell of 0.1 degrees and yearly numbers of earthquakes above each magnitude
    for each square metre. pyCSEP takes the middles for corners; here the cells lie where GEAR1 has them.

    Raises
    ------
    ForecastError
        Where a file is missing, a line is not of the form, or the two files speak of different cells.
    """
    first = opening(path, comments=False)
    magnitudes = _magnitudes(path, first)
    rows = _numbers(TextTable(path, first.number, 3 + len(magnitudes), ","))
    areas = areas_of(path)
    if not areas.is_file():
        message = f"{path}: the areas of its cells must stand beside it, in a file named {AREAS_NAME}"
        raise ForecastError(message)
    heading = opening(areas, comments=False)
    square_metres = _numbers(TextTable(areas, heading.number, 4, ","))
    if not np.array_equal(rows[:, 1:3], square_metres[:, 1:3]):
        message = f"{areas}: the areas are not those of the cells of {path.name}, in the same order"
        raise ForecastError(message)
    above = rows[:, 3:]
    with np.errstate(over="ignore", invalid="ignore"):  # what is not finite is judged with all rates
        density = np.column_stack([above[:, :-1] - above[:, 1:], above[:, -1]])
        rates = density * square_metres[:, 3:]
    west, south = (rows[:, 1:3] - _HALF_CELL).T
    east, north = (rows[:, 1:3] + _HALF_CELL).T
    return ForecastTable(
        path=path,
        corners=np.column_stack([west, east, south, north]),
        magnitudes=magnitudes,
        rates=rates,
    )


def _magnitudes(path: Path, first: Opening) -> NDArray[np.float64]:
    if is_gear1(first.line):
        marks = [_MAGNITUDE.fullmatch(word.strip()) for word in first.line.split(",")[3:]]
        magnitudes = np.array([float(f"{mark[1]}.{mark[2]}") for mark in marks if mark])
        if len(magnitudes) and np.all(np.diff(magnitudes) > 0):
            return magnitudes
    message = (
        f"{path}:{first.number}: expected GEAR1's heading: an empty word, longitude, latitude, and "
        f"magnitudes such as m595 that increase; got {first.line[:60]!r}"
    )
    raise ForecastError(message)


def _numbers(table: TextTable) -> NDArray[np.float64]:
    def consume(batches: Iterator[Batch]) -> NDArray[np.float64]:
        parts = [np.column_stack(batch).astype(np.float64, copy=False) for batch in batches]
        return np.concatenate(parts) if parts else np.empty((0, table.columns))

    rows = read_numbers(table, consume)
    if not len(rows):
        message = f"{table.path}: the file has no rates"
        raise ForecastError(message)
    return rows
