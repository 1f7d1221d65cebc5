"""Rings of the overview, corrected for the number of cells: against scipy's own binomial test."""

import pytest
from scipy.stats import binomtest

from dashboard._theme import LIGHT
from dashboard.figures.cell_text import hover_of_counts
from dashboard.figures.cells import Column, CountedCell, CountedMatrix
from dashboard.figures.chance import binomial_limit
from dashboard.figures.corrected import corrected
from dashboard.figures.marks import Status
from dashboard.figures.matrix import matrix_figure

S, T = Column("S", None, "S"), Column("T", "a", "T")


def _cell(model: str, rejected: int, decided: int) -> CountedCell:
    counts = {Status.REJECTED: rejected, Status.PASSED: decided - rejected}
    return CountedCell(model, S, counts, binomial_limit(decided, 0.05), alpha=0.05)


def test_a_ring_must_be_rarer_the_more_cells_there_are() -> None:
    cells = (_cell("a", 11, 100), _cell("b", 30, 100), _cell("c", 2, 100), CountedCell("c", T, {}))
    matrix = CountedMatrix(("a", "b", "c"), (S, T), cells)
    assert [cell.beyond_chance for cell in cells] == [True, True, False, False]
    found = corrected(matrix)
    p = [binomtest(count, 100, 0.05, alternative="greater").pvalue for count in (11, 30, 2)]
    assert [cell.p_adjusted for cell in found.cells[:3]] == pytest.approx([2 * p[0], 3 * p[1], p[2]])
    assert found.cells[3].p_adjusted is None
    assert [cell.beyond_chance for cell in found.cells] == [2 * p[0] < 0.05, True, False, False]
    assert "(Holm)" in hover_of_counts(found.cells[0])


def test_headings_lead_to_the_page_of_their_test() -> None:
    matrix = CountedMatrix(("a",), (S, T), (_cell("a", 1, 10), CountedCell("a", T, {})))
    figure = matrix_figure(matrix, LIGHT, {S: 'consistency?test="S"&window=1'})
    first, second = figure.layout.xaxis.ticktext
    assert '<a href="consistency?test=&quot;S&quot;&amp;window=1" target="_self">' in first
    assert "<a" not in second
