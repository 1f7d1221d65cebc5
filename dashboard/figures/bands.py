"""The columns of the overview matrix: their headings, their widths, and bands of them where they are many."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Any, Final, TypeVar

from dashboard.figures.cell_text import cut
from dashboard.figures.cells import Column, CountedMatrix, WindowMatrix

__all__ = ["bands", "heading_of", "least_width"]

Matrix = TypeVar("Matrix", bound=WindowMatrix | CountedMatrix)

#: The least width of a cell, of a letter in a heading, and of the models' names, in pixels.
_CELL: Final = 46
_COUNTED_CELL: Final = 84
_LETTER: Final = 7.3
_NAMES: Final = 130
#: What is left for the cells of one band beside the sidebar on a screen of 1,300 pixels.
_ROOM: Final = 715
#: Letters of a heading's line, if its words are no longer, and of a word.
_HEADING: Final = 8
_LONGEST: Final = 14


def bands(matrix: Matrix) -> list[Matrix]:
    """Break a matrix with many tests into several that follow one another, so that none is cut off.

    Bands have about as many columns as each other; tests with one reference stay together where they can.
    """
    columns = matrix.columns
    count = 1
    while count < len(columns) and any(
        _columns_width(matrix, part) > _ROOM for part in _split(columns, count)
    ):
        count += 1
    return [_part(matrix, part) for part in _split(columns, count)]


def _split(columns: tuple[Column, ...], count: int) -> list[tuple[Column, ...]]:
    places = [math.ceil(len(columns) * step / count) for step in range(count + 1)]
    return [columns[start:end] for start, end in pairwise(_at_groups(columns, places))]


def _at_groups(columns: tuple[Column, ...], places: list[int]) -> list[int]:
    """Move breaks to where another reference begins, if that is at most one column away."""
    ends = {
        place for place in range(1, len(columns)) if columns[place].reference != columns[place - 1].reference
    }
    moved = [
        next((near for near in (place, place + 1, place - 1) if near in ends), place) for place in places
    ]
    moved[0], moved[-1] = places[0], places[-1]
    return moved if len(set(moved)) == len(places) else places


def _part(matrix: Matrix, columns: tuple[Column, ...]) -> Matrix:
    parts: dict[str, Any] = {
        "columns": columns,
        "cells": tuple(cell for cell in matrix.cells if cell.column in columns),
    }
    if isinstance(matrix, WindowMatrix):
        parts["batches"] = tuple(cell for cell in matrix.batches if cell.column in columns)
    return replace(matrix, **parts)


def least_width(matrix: WindowMatrix | CountedMatrix) -> int:
    """Give the width in pixels below which cells or headings would run into each other."""
    return _NAMES + math.ceil(_columns_width(matrix, matrix.columns))


def _columns_width(matrix: WindowMatrix | CountedMatrix, columns: Sequence[Column]) -> float:
    counted = isinstance(matrix, CountedMatrix)
    widest = max((len(word) for column in columns for word in heading_of(column)), default=0)
    cell = _COUNTED_CELL if counted or any(column.against_all for column in columns) else _CELL
    return len(columns) * max(cell, _LETTER * widest + 6)


def heading_of(column: Column) -> list[str]:
    """Break a test's name into at most three lines."""
    lines = [""]
    for word in column.letters.split():
        if lines[-1] and len(lines[-1]) + 1 + len(word) > _HEADING:
            lines.append(word)
        else:
            lines[-1] = f"{lines[-1]} {word}".strip()
    return [cut(line, _LONGEST) for line in lines[:3]]
