"""floatCSEP's table: a heading with the magnitudes, then a line a cell with all its rates."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.errors import ForecastError, suggestion
from forequake.forecasts.gridded import ForecastScope, ForecastTable
from forequake.forecasts.readers._flags import flag_findings
from forequake.forecasts.readers._text import Batch, Opening, TextTable, opening, read_numbers
from forequake.forecasts.readers.quadtree import read_quadtree_table
from forequake.results import QualityFinding

__all__ = ["read_table"]

_CORNERS: Final = ("lon_min", "lon_max", "lat_min", "lat_max")
_KNOWN: Final = (*_CORNERS, "depth_min", "depth_max", "mask")
#: floatCSEP takes a heading between these two for a magnitude.
_LOWEST_MAGNITUDE: Final = -1.0
_HIGHEST_MAGNITUDE: Final = 12.0


@dataclass(frozen=True)
class _Heading:
    """Which column is what; `other` are those that mean nothing here."""

    columns: int
    named: dict[str, int]
    magnitudes: NDArray[np.float64]
    rates: list[int]
    other: list[str]


def read_table(path: Path) -> ForecastTable:
    """Read ``.csv`` as floatCSEP does: cells of corners, or quadtree tiles where the heading has ``tile``.

    The columns are found by their headings, in any order: `lon_min`, `lon_max`, `lat_min`, `lat_max`, and the
    lower edges of the magnitude bins; `depth_min`, `depth_max` and `mask` may be there.

    Raises
    ------
    ForecastError
        Where the file cannot be read, or the heading or a line is not of the form.
    """
    first = opening(path, comments=False)
    if "tile" in first.line or first.line.lower().startswith("quadkey"):
        return read_quadtree_table(path)
    delimiter = "," if first.line.count(",") > 2 else None
    heading = _heading(path, first, delimiter)
    table = TextTable(path, first.number, heading.columns, delimiter)
    return read_numbers(table, lambda batches: _collect(path, heading, batches))


def _heading(path: Path, first: Opening, delimiter: str | None) -> _Heading:
    words = [word.strip() for word in first.line.replace("#", "").split(delimiter)]
    named: dict[str, int] = {}
    edges: list[float] = []
    rates: list[int] = []
    other: list[str] = []
    for column, word in enumerate(words):
        edge = _edge(word)
        if word in named:
            message = f"{path}:{first.number}: two columns are headed {word!r}"
            raise ForecastError(message)
        if word in _KNOWN:
            named[word] = column
        elif edge is not None:
            edges.append(edge)
            rates.append(column)
        else:
            other.append(word)
    for corner in _CORNERS:
        if corner not in named:
            near = suggestion(corner, other)
            hint = f"; is it {near!r}?" if near else ""
            message = f"{path}:{first.number}: there is no column {corner}{hint}"
            raise ForecastError(message)
    magnitudes = np.array(edges)
    if not len(magnitudes) or np.any(np.diff(magnitudes) <= 0):
        message = (
            f"{path}:{first.number}: the headings of the rates must be the lower edges of the magnitude bins "
            f"and increase; got {edges[:5]}"
        )
        raise ForecastError(message)
    return _Heading(len(words), named, magnitudes, rates, other)


def _edge(word: str) -> float | None:
    try:
        number = float(word)
    except ValueError:
        return None
    return number if _LOWEST_MAGNITUDE < number < _HIGHEST_MAGNITUDE else None


def _collect(path: Path, heading: _Heading, batches: Iterator[Batch]) -> ForecastTable:
    corners: list[NDArray[np.float64]] = []
    rates: list[NDArray[np.float64]] = []
    top, bottom, masked = np.inf, -np.inf, 0
    named = heading.named
    for batch in batches:
        columns = [np.asarray(column, dtype=np.float64) for column in batch]
        corners.append(np.column_stack([columns[named[corner]] for corner in _CORNERS]))
        rates.append(np.column_stack([columns[place] for place in heading.rates]))
        if {"depth_min", "depth_max"} <= named.keys():
            top = min(top, columns[named["depth_min"]].min())
            bottom = max(bottom, columns[named["depth_max"]].max())
        if "mask" in named:
            masked += int((columns[named["mask"]] != 1).sum())
    if not rates:
        message = f"{path}: the file has no rates"
        raise ForecastError(message)
    return ForecastTable(
        path=path,
        corners=np.concatenate(corners),
        magnitudes=heading.magnitudes,
        rates=np.concatenate(rates),
        scope=ForecastScope(depth_km=(float(top), float(bottom)) if top <= bottom else None),
        findings=flag_findings(masked, "cells"),
        doubts=_unknown_columns(heading.other),
    )


def _unknown_columns(other: list[str]) -> tuple[QualityFinding, ...]:
    if not other:
        return ()
    message = f"columns are headed by neither a magnitude nor a known word: {', '.join(map(repr, other[:5]))}"
    return (
        QualityFinding(
            code="unknown_columns", severity="warning", message=f"{message}; not used", count=len(other)
        ),
    )
