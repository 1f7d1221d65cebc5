"""CSEP's text form: a line for each cell and magnitude bin, ten columns, no heading."""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

import numpy as np

from forequake.errors import ForecastError
from forequake.forecasts.gridded import ForecastScope, ForecastTable
from forequake.forecasts.readers._flags import flag_findings
from forequake.forecasts.readers._rows import RowCollector
from forequake.forecasts.readers._text import Batch, TextTable, delimiter_of, opening, read_numbers
from forequake.forecasts.readers.gear1 import is_gear1, read_gear1
from forequake.forecasts.readers.quadtree import is_quadtree_row, read_quadtree_rows

__all__ = ["read_dat"]

_COLUMNS: Final = "lon_min lon_max lat_min lat_max depth_min depth_max mag_min mag_max rate flag"


def read_dat(path: Path) -> ForecastTable:
    """Read ``.dat``: CSEP's form, or one of the two that share its ending, told by their first line.

    The rows may stand in any order; CSEP's order, magnitudes fastest, is read in one pass. The flag may be
    missing. Comments begin with ``#``.

    Raises
    ------
    ForecastError
        Where the file cannot be read, or a line is not of the form.
    """
    first = opening(path, comments=True)
    if is_gear1(first.line):
        return read_gear1(path)
    words = first.line.split("#")[0].split()
    if is_quadtree_row(words):
        return read_quadtree_rows(path)
    if len(words) not in (9, 10):
        message = f"{path}:{first.number}: expected 9 or 10 columns ({_COLUMNS}), got {len(words)}"
        raise ForecastError(message)
    table = TextTable(path, first.number - 1, len(words), delimiter_of(first.line))
    return read_numbers(table, lambda batches: _collect(path, batches))


def _collect(path: Path, batches: Iterator[Batch]) -> ForecastTable:
    rows = RowCollector(path)
    top, bottom, flagged = np.inf, -np.inf, 0
    for batch in batches:
        columns = [np.asarray(column, dtype=np.float64) for column in batch]
        rows.add(columns[:4], columns[6], columns[8])
        top = min(top, columns[4].min())
        bottom = max(bottom, columns[5].max())
        flagged += int((columns[9] != 1).sum()) if len(columns) == 10 else 0
    corners, magnitudes, rates, given = rows.table()
    return ForecastTable(
        path=path,
        corners=corners,
        magnitudes=magnitudes,
        rates=rates,
        given=given,
        scope=ForecastScope(depth_km=(float(top), float(bottom))),
        findings=flag_findings(flagged, "rows"),
    )
