"""The matrix as data: which column stands where, what a cell is, what chance explains."""

import math
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from dashboard.figures.cell_text import below_mark
from dashboard.figures.cells import (
    Column,
    columns_of,
    counted_matrix,
    window_matrix,
)
from dashboard.figures.chance import binomial_limit
from dashboard.figures.marks import Status
from dashboard.figures.order import Sorting, sorted_models
from forequake.results import LowerQuantile, Outcome, TailQuantiles, UnitError, UnitRecord, UnitState
from stores import Overview, OverviewCell, ResultRow
from stores.testing import sample_label

RowMaker = Callable[..., ResultRow]

NOW = datetime(2024, 1, 1, tzinfo=UTC)


def unit(test: str, model: str, window: int = 0, state: UnitState = UnitState.FAILED) -> UnitRecord:
    return UnitRecord(
        label=sample_label(test, model, window),
        state=state,
        attempts=2,
        error=UnitError(kind="EvaluationError", message="no number <came>"),
        owner="host/boot/1/1",
        changed_at=NOW,
    )


def overview(*cells: tuple[str, str, str | None, dict[Outcome, int]]) -> Overview:
    return Overview(
        experiment="sample",
        token=1,
        n_windows=40,
        last_computed_at=NOW,
        cells=tuple(
            OverviewCell(
                test=test,
                model=model,
                reference=reference,
                outcomes=outcomes,
                n_windows=sum(outcomes.values()),
                last_computed_at=NOW,
            )
            for test, model, reference, outcomes in cells
        ),
    )


def test_columns_stand_in_the_order_of_the_field_then_by_reference() -> None:
    places = [("W", "b"), ("CL", None), ("T", "b"), ("L", None), ("T", "a"), ("S", None), ("N", None)]
    columns = columns_of([*places, ("M", None), ("N", None)], {})
    assert [column.name for column in columns] == [
        "N", "M", "S", "L", "CL", "T vs a", "T vs b", "W vs b",
    ]  # fmt: skip


def test_columns_bear_the_fields_letters_whatever_the_experiment_calls_its_tests() -> None:
    columns = columns_of([("Poisson_S", None), ("Poisson_N", None), ("mine", None)], {
        "Poisson_S": "poisson_spatial", "Poisson_N": "poisson_number",
    })  # fmt: skip
    assert [(column.letters, column.test) for column in columns] == [
        ("N", "Poisson_N"), ("S", "Poisson_S"), ("mine", "mine"),
    ]  # fmt: skip


def test_two_tests_with_the_same_letters_bear_their_own_names() -> None:
    columns = columns_of([("S1", None), ("S2", None)], dict.fromkeys(("S1", "S2"), "poisson_spatial"))
    assert [column.letters for column in columns] == ["S1", "S2"]


def test_a_users_own_tests_bear_the_names_that_the_experiment_gives_them() -> None:
    columns = columns_of([("Spread", None), ("Hits", "reference")], {
        "Spread": "own_consistency",
        "Hits": "own_comparison",
    })  # fmt: skip
    assert {column.test: column.letters for column in columns} == {"Spread": "Spread", "Hits": "Hits"}


def test_a_cell_is_its_result_or_why_there_is_none(row: RowMaker) -> None:
    columns = (Column("N", None, "N"), Column("T", "alpha", "T"))
    rows = [row("N", "alpha", outcome=Outcome.REJECTED)]
    running = unit("N", "gamma", state=UnitState.RUNNING)
    matrix = window_matrix(("alpha", "beta", "gamma"), columns, rows, [unit("N", "beta"), running])
    assert [cell.status for cell in matrix.cells] == [
        Status.REJECTED, Status.ITSELF, Status.FAILED, Status.MISSING, Status.RUNNING, Status.MISSING,
    ]  # fmt: skip


def test_a_result_outweighs_a_later_failure_to_compute_it_again(row: RowMaker) -> None:
    matrix = window_matrix(("alpha",), (Column("S", None, "S"),), [row("S")], [unit("S", "alpha")])
    assert matrix.cells[0].status is Status.PASSED


def test_undefined_failed_and_missing_windows_are_counted_apart() -> None:
    counts = {Outcome.PASSED: 20, Outcome.REJECTED: 10, Outcome.UNDEFINED: 4}
    matrix = counted_matrix(
        ("alpha",),
        (Column("S", None, "S"),),
        overview(("S", "alpha", None, counts)),
        expected=40,
        alphas={"S": 0.05},
        independent=True,
        units=[unit("S", "alpha", window) for window in (34, 35)],
    )
    cell = matrix.cells[0]
    assert cell.decided == 30
    assert cell.share == pytest.approx(1 / 3)
    assert {status: cell.counts[status] for status in (Status.UNDEFINED, Status.FAILED, Status.MISSING)} == {
        Status.UNDEFINED: 4, Status.FAILED: 2, Status.MISSING: 4,
    }  # fmt: skip
    assert cell.limit == 4
    assert cell.beyond_chance


def test_windows_that_overlap_have_no_limit_of_chance() -> None:
    matrix = counted_matrix(
        ("alpha",),
        (Column("S", None, "S"),),
        overview(("S", "alpha", None, {Outcome.REJECTED: 40})),
        expected=40,
        alphas={"S": 0.05},
        independent=False,
    )
    assert matrix.cells[0].limit is None
    assert not matrix.cells[0].beyond_chance


@given(st.integers(1, 5000), st.floats(0.001, 0.5))
def test_the_limit_of_chance_is_scipys_binomial_quantile(windows: int, alpha: float) -> None:
    assert binomial_limit(windows, alpha) == binom.ppf(0.95, windows, alpha)


def test_models_are_sorted_by_outcome_and_within_it_by_the_quantile(row: RowMaker) -> None:
    column = Column("S", None, "S")
    rows = [
        row("S", "low", quantiles=LowerQuantile(q=0.2)),
        row("S", "none", outcome=Outcome.UNDEFINED),
        row("S", "bad", outcome=Outcome.REJECTED, quantiles=LowerQuantile(q=0.01)),
        row("S", "high", quantiles=LowerQuantile(q=0.8)),
    ]
    matrix = window_matrix(("low", "none", "bad", "high"), (column,), rows)
    assert sorted_models(matrix, Sorting(column)) == ("high", "low", "bad", "none")
    assert sorted_models(matrix, Sorting(by_name=True)) == ("bad", "high", "low", "none")
    assert sorted_models(matrix, Sorting()) == matrix.models


def test_models_are_sorted_by_the_share_of_rejections_over_windows() -> None:
    column = Column("S", None, "S")
    cells = overview(
        ("S", "a", None, {Outcome.PASSED: 1, Outcome.REJECTED: 3}),
        ("S", "b", None, {Outcome.UNDEFINED: 4}),
        ("S", "c", None, {Outcome.PASSED: 4}),
    )
    matrix = counted_matrix(
        ("a", "b", "c"), (column,), cells, expected=4, alphas={"S": 0.05}, independent=True
    )
    assert sorted_models(matrix, Sorting(column)) == ("c", "a", "b")


def test_models_are_sorted_by_the_sum_of_scores_over_windows() -> None:
    column = Column("LL", None, "LL")
    cells = overview(*(("LL", model, None, {Outcome.SCORE_ONLY: 4}) for model in "abc"))
    sums = {"a": -20.0, "b": -math.inf, "c": -10.0}
    totals: dict[tuple[str, str, str | None], float | None] = {
        (model, "LL", None): total for model, total in sums.items()
    }
    matrix = counted_matrix(
        ("a", "b", "c"), (column,), cells, expected=4, alphas={}, independent=True, totals=totals
    )
    assert sorted_models(matrix, Sorting(column)) == ("c", "a", "b")


@pytest.mark.parametrize(
    ("test", "shown"), [("N", "0.010"), ("catalog N", "0.010"), ("catalog M", "0.20"), ("catalog S", "0.010")]
)
def test_the_number_below_a_mark_is_of_the_tail_that_counts(row: RowMaker, test: str, shown: str) -> None:
    found = row(test, quantiles=TailQuantiles(delta1=0.2, delta2=0.01))
    (cell,) = window_matrix(("alpha",), (Column(test, None, test),), [found]).cells
    assert below_mark(cell) == shown
