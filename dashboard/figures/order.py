"""The order of the rows of a matrix."""

from dataclasses import dataclass
from typing import Final

from dashboard.figures.cells import Column, CountedCell, CountedMatrix, WindowCell, WindowMatrix
from dashboard.figures.marks import Status
from dashboard.figures.series import deciding_value
from forequake.natural_order import natural

__all__ = ["Sorting", "sorted_models"]

#: Good news first; what has no verdict last.
_RANK: Final = {
    Status.BETTER: 0,
    Status.PASSED: 1,
    Status.NO_DIFFERENCE: 2,
    Status.SCORE_ONLY: 2,
    Status.WORSE: 3,
    Status.REJECTED: 4,
    Status.UNDEFINED: 5,
    Status.ITSELF: 6,
}


@dataclass(frozen=True)
class Sorting:
    """By the results of a column, else by name, else as they come."""

    column: Column | None = None
    by_name: bool = False


def sorted_models(matrix: WindowMatrix | CountedMatrix, sorting: Sorting) -> tuple[str, ...]:
    """Put the models in order: by outcome and number in one window, by share rejected or sum over many."""
    if sorting.column is None:
        return tuple(sorted(matrix.models, key=natural)) if sorting.by_name else matrix.models
    if isinstance(matrix, WindowMatrix):
        ranks = {cell.model: _window_rank(cell) for cell in matrix.cells if cell.column == sorting.column} | {
            cell.model: _counted_rank(cell) for cell in matrix.batches if cell.column == sorting.column
        }
    else:
        ranks = {cell.model: _counted_rank(cell) for cell in matrix.cells if cell.column == sorting.column}
    return tuple(sorted(matrix.models, key=ranks.__getitem__))


def _window_rank(cell: WindowCell) -> tuple[float, float]:
    value = None if cell.row is None else deciding_value(cell.row)
    return float(_RANK.get(cell.status, 9)), -value if value is not None else 0.0


def _counted_rank(cell: CountedCell) -> tuple[float, float]:
    if cell.total is not None:
        return 0.0, -cell.total
    if cell.spread is not None:
        return 0.0, -cell.spread[0]
    if not cell.decided:
        return 2.0, 0.0
    if cell.share is not None:
        return 0.0, cell.share
    better, worse = (cell.counts.get(status, 0) for status in (Status.BETTER, Status.WORSE))
    return 1.0, (worse - better) / cell.decided
