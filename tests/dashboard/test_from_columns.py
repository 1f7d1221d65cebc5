"""What pages make of columns is what the rows of the same results say, one by one."""

import math
from collections.abc import Iterator
from statistics import fmean

import numpy as np
import pytest

from dashboard._experiment import over_windows_of, summary_of, windows_of
from dashboard._words import is_drawn
from dashboard.figures.grids import STATUSES, grid_of
from dashboard.figures.marks import Status
from dashboard.figures.pairs import pair_matrix
from dashboard.figures.series import deciding_value, deciding_values
from forequake.evaluations.scores import total_score
from forequake.results import LowerQuantile, TailQuantiles
from stores import Binding, ResultQuery, ResultRow, ResultsStore, RunRef, columns_of_rows, open_store
from stores.testing import fill_store, sample_label, sample_result, sample_window

TESTS = ("N", "S", "T", "W", "IG", "ROC", "catalog N", "catalog M", "PL", "batch T/W")
MODELS = ("alpha", "beta", "gamma", "delta")


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ResultsStore]:
    with open_store(f"sqlite:///{tmp_path_factory.mktemp('columns') / 'results.sqlite'}") as store:
        run = fill_store(store, models=MODELS, tests=TESTS, windows=12)
        ref = RunRef(id=run.id, experiment="sample", run_no=run.run_no)
        result = sample_result(5, test="S")
        store.put([result])
        label = sample_label("S", "beta", sample_window(3).model_copy(update={"end": sample_window(7).end}))
        store.publish(ref, [Binding(label=label, key=result.key)])
        yield store


def rows_of(store: ResultsStore, test: str) -> list[ResultRow]:
    rows = store.latest(ResultQuery(experiment="sample", tests=(test,), limit=10_000)).rows
    return sorted(rows, key=lambda row: (row.label.window.start, row.label.window.end, row.label.model))


def number(value: float | None) -> float:
    return math.nan if value is None else value


@pytest.mark.parametrize("test", TESTS)
def test_grids_hold_what_rows_say(filled: ResultsStore, test: str) -> None:
    rows, columns = rows_of(filled, test), filled.columns("sample", test)
    assert columns is not None
    np.testing.assert_array_equal(deciding_values(columns), [number(deciding_value(row)) for row in rows])
    models = ("gamma", "unknown", "beta", "alpha")
    grid = grid_of(columns, models, [sample_window(30)])
    assert grid is not None
    kept = [row for row in rows if row.label.model in models]
    assert grid.models == tuple(model for model in models if any(row.label.model == model for row in kept))
    assert set(grid.windows) == {sample_window(30), *(row.label.window for row in kept)}
    first = kept[0]
    assert (grid.test, grid.registered, grid.reference, grid.kind) == (
        test,
        first.test,
        first.label.reference,
        first.kind,
    )
    assert (grid.side, grid.alpha) == (first.side, first.alpha)
    assert grid.drawn == is_drawn(first.test, next((row.quantiles for row in kept if row.quantiles), None))
    assert int(grid.of(Status.MISSING).sum()) == grid.status.size - len(kept)
    for row in kept:
        at = grid.models.index(row.label.model), grid.windows.index(row.label.window)
        assert STATUSES[grid.status[at]].value == row.outcome.value
        upper = lower = math.nan
        if isinstance(row.quantiles, TailQuantiles):
            upper, lower = row.quantiles.delta1, row.quantiles.delta2
        elif isinstance(row.quantiles, LowerQuantile):
            lower = row.quantiles.q
        np.testing.assert_array_equal(
            [grid.value[at], grid.upper[at], grid.lower[at], grid.expected[at], grid.events[at[1]]],
            [number(deciding_value(row)), upper, lower, row.n_forecast, row.n_observed],
        )


@pytest.mark.parametrize("test", ["IG", "ROC"])
def test_scores_are_summed_up_as_those_of_rows(filled: ResultsStore, test: str) -> None:
    columns = filled.columns("sample", test)
    assert columns is not None
    for model in MODELS:
        rows = [row for row in rows_of(filled, test) if row.label.model == model]
        reference = rows[0].label.reference if rows else None
        found = summary_of(columns.of(model, reference))
        scores = {row.label.window: row.statistic for row in rows if row.statistic is not None}
        if test == "ROC" and scores:
            values = list(scores.values())
            assert found.spread == (fmean(values), min(values), max(values))
        else:
            assert found.spread is None
            assert found.total == (total_score(rows[0].test, scores) if scores else None)


def test_windows_are_those_of_the_results(filled: ResultsStore) -> None:
    asked = []

    def read(test: str) -> object:
        asked.append(test)
        return filled.columns("sample", test)

    found = windows_of(filled.overview("sample"), (), (), read)  # type: ignore[arg-type]
    events = {row.label.window: row.n_observed for test in TESTS for row in rows_of(filled, test)}
    assert {one.window: one.n_observed for one in found.listed} | {
        one: count for one, count in events.items() if one.end == sample_window(7).end
    } == events
    assert (found.count, found.complete, len(found.listed)) == (13, True, 13)
    assert 0 < len(asked) <= 5
    assert {"S": 0.05}.items() <= found.alphas.items()


@pytest.mark.parametrize("common", [True, False])
@pytest.mark.parametrize("independent", [True, False])
def test_pairs_are_counted_as_rows_are(filled: ResultsStore, common: bool, independent: bool) -> None:
    """Every model against every other one, with holes; the sums are those of the rows, in their order."""
    rows = [
        row.model_copy(update={"label": row.label.model_copy(update={"reference": other})})
        for place, other in enumerate(MODELS)
        for number, row in enumerate(rows_of(filled, "batch T/W"))
        if row.label.model != other and (number + place) % 11
    ]
    matrix = pair_matrix(MODELS, columns_of_rows(rows), independent=independent, common=common)
    there = {(row.label.model, str(row.label.reference), row.label.window): row for row in rows}
    due = {(model, other) for model, other, _ in there}
    windows = [
        window
        for window in sorted({window for *_, window in there}, key=lambda window: window.start)
        if not common or all((*pair, window) in there for pair in due)
    ]
    assert list(matrix.windows) == windows
    assert {(pair.model, pair.other) for pair in matrix.pairs if pair.counts} <= due
    for pair in matrix.pairs:
        mine = [there[key] for window in windows if (key := (pair.model, pair.other, window)) in there]
        assert {status.value: count for status, count in pair.counts.items()} == {
            outcome.value: sum(row.outcome is outcome for row in mine)
            for outcome in {row.outcome for row in mine}
        }
        last = None if pair.latest is None else pair.latest.label
        assert last == (mine[-1].label if mine else None)
        if pair.latest is not None:
            assert (pair.latest.quantiles, pair.latest.reason) == (mine[-1].quantiles, mine[-1].reason)
        events = sum(row.n_observed for row in mine)
        expected = {(row.label.model, row.label.window): row.n_forecast for row in there.values()}
        added = [
            number(row.information_gain) * row.n_observed
            if row.n_observed
            else expected.get((pair.other, row.label.window), math.nan) - row.n_forecast
            for row in mine
        ]
        total = sum(added)
        summed = (independent or len(mine) == 1) and events and not math.isnan(total)
        assert pair.gain == (total / events if summed else None)


def test_of_results_over_windows_the_latest_end_is_read(filled: ResultsStore) -> None:
    columns = [filled.columns("sample", test) for test in ("S", "T")]
    found = over_windows_of(filled, [each for each in columns if each is not None])
    rows = [row for test in ("S", "T") for row in rows_of(filled, test)]
    ends: dict[tuple[str, str], ResultRow] = {}
    for row in rows:
        place = row.label.test, row.label.model
        if place not in ends or row.label.window.end > ends[place].label.window.end:
            ends[place] = row
    assert {row.label.slot: row for row, _ in found} == {row.label.slot: row for row in ends.values()}
