"""Sample records and filled stores: valid, repeatable, and as various as real ones."""

import math
import subprocess
import sys

import pytest

from forequake.evaluations.registry import TESTS
from forequake.results import DistributionRecord, EvaluationRecord, Outcome, RunState, UnitState
from stores import ResultQuery, open_store
from stores.testing import (
    fill_bulk,
    fill_store,
    sample_distribution,
    sample_label,
    sample_result,
    sample_window,
)


def test_a_filled_store_holds_models_x_tests_x_windows(url: str) -> None:
    with open_store(url) as store:
        run = fill_store(store, models=("a", "b", "c"), tests=("N", "S", "T"), windows=5, failed=2)
        rows = store.latest(ResultQuery(experiment="sample")).rows
        assert len(rows) == 5 * (3 * 2 + 2) - 2
        assert (run.state, run.run_no) == (RunState.COMPLETED, 1)
        assert (run.counts.computed, run.counts.cached, run.counts.failed) == (len(rows), 0, 2)
        assert run.counts.undefined == sum(row.outcome is Outcome.UNDEFINED for row in rows)
        assert {row.label.reference for row in rows if row.label.test == "T"} == {"a"}
        failed = store.units("sample")
        assert [unit.state for unit in failed] == [UnitState.FAILED] * 2
        assert {unit.label.slot for unit in failed}.isdisjoint(row.label.slot for row in rows)
        assert list(store.check()) == []


def test_filling_again_finds_everything_there(url: str) -> None:
    with open_store(url) as store:
        first = fill_store(store, windows=3)
        token = store.overview("sample").token
        again = fill_store(store, windows=3)
        assert (again.run_no, again.counts.cached, again.counts.computed) == (2, first.counts.computed, 0)
        fill_store(store, windows=3, seed=2)
        assert store.overview("sample").token > token
        assert len(store.scan(EvaluationRecord)) == 2 * first.counts.computed


def test_a_filled_store_has_every_outcome_of_its_tests(url: str) -> None:
    with open_store(url) as store:
        fill_store(store, windows=40)
        rows = store.latest(ResultQuery(experiment="sample", limit=10_000)).rows
        assert {row.outcome for row in rows} >= {
            Outcome.PASSED,
            Outcome.REJECTED,
            Outcome.WORSE,
            Outcome.NO_DIFFERENCE,
            Outcome.UNDEFINED,
        }
        assert any(row.statistic == -math.inf for row in rows)
        for row in rows:
            assert (row.reason is None) is (row.outcome is not Outcome.UNDEFINED)
            quantiles = {} if row.quantiles is None else row.quantiles.named()
            if "q" in quantiles:
                assert (row.outcome is Outcome.REJECTED) is (quantiles["q"] < row.alpha)
                whole = store.get(DistributionRecord, row.key).values
                assert row.statistic is not None
                below = sum(value <= row.statistic for value in whole)
                assert quantiles["q"] == pytest.approx(below / len(whole))
            if "delta1" in quantiles:
                assert (row.outcome is Outcome.REJECTED) is (min(quantiles.values()) < row.alpha / 2)
                # P(X >= n) and P(X <= n) share the probability of n itself.
                mass = math.exp(-row.n_forecast) * row.n_forecast**row.n_observed
                mass /= math.factorial(row.n_observed)
                assert sum(quantiles.values()) == pytest.approx(1 + mass)


@pytest.mark.parametrize("test", sorted(TESTS))
def test_samples_are_functions_of_their_arguments(test: str) -> None:
    assert sample_result(4, test=test) == sample_result(4, test=test)
    assert sample_result(4, test=test).key != sample_result(5, test=test).key
    assert sample_result(4, test=test).test == test
    assert sample_result(4, test=test, outcome=Outcome.UNDEFINED).reason
    assert sample_distribution(sample_result(4, test=test)).key == sample_result(4, test=test).key


def test_sample_windows_tile() -> None:
    assert sample_window(3).end == sample_window(4).start
    assert sample_label(window=2).window == sample_window(2)


def test_very_many_results_have_keys_of_their_own(url: str) -> None:
    with open_store(url) as store:
        assert fill_bulk(store, 70, batch=32) == 3
        assert fill_bulk(store, 1, first_window=3) == 1
        rows = store.latest(ResultQuery(experiment="bulk")).rows
        assert len(rows) == len({row.key for row in rows}) == 120
        assert {row.label.window for row in rows} == {sample_window(number) for number in range(4)}
        assert list(store.check()) == []


def test_samples_need_no_pytest() -> None:
    code = "import sys, stores.testing; sys.exit('pytest' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
