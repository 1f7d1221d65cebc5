"""The rings of the overview, corrected for the number of cells: of a hundred some exceed chance by chance."""

from dataclasses import replace

from dashboard.figures.cells import CountedMatrix
from dashboard.figures.marks import Status
from forequake.evaluations.over_windows.holm import holm

__all__ = ["corrected"]


def corrected(matrix: CountedMatrix) -> CountedMatrix:
    """Correct the chance of each cell's rejections for the number of cells (Holm 1979).

    A cell's p is the probability that a true forecast is rejected in so many windows or more, each with
    probability alpha. Cells without a limit of chance are not of the family.
    """
    from scipy.stats import binom

    family = [cell for cell in matrix.cells if cell.limit is not None and cell.alpha is not None]
    p_values = [
        float(binom.sf(cell.counts.get(Status.REJECTED, 0) - 1, cell.decided, cell.alpha)) for cell in family
    ]
    places = {(cell.model, cell.column): p for cell, p in zip(family, holm(p_values), strict=True)}
    cells = tuple(replace(cell, p_adjusted=places.get((cell.model, cell.column))) for cell in matrix.cells)
    return replace(matrix, cells=cells)
