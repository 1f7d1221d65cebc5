"""The contract of columns of results, and of what is kept of large experiments."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import numpy as np
import pytest

from forequake.errors import NotFound
from forequake.results import Outcome, RunChange, RunState
from stores import _answers, _columns
from stores._codec import to_us
from stores.base import ResultsStore
from stores.columns import NUMBERS, OUTCOMES, ResultColumns
from stores.exchange import Binding, Coverage, ExperimentSummary, Overview, ResultQuery, ResultRow
from stores.testing._contract_base import ContractBase, begin, ref
from stores.testing.damage import Damage
from stores.testing.filling import fill_store
from stores.testing.samples import sample_label, sample_result, sample_window

__all__ = ["ColumnsContract", "same_as_rows"]

_TESTS = ("N", "S", "T", "W", "IG")
_MODELS = ("alpha", "beta", "γ-model")


def _rows(store: ResultsStore, test: str, start_from: datetime | None = None) -> list[ResultRow]:
    query = ResultQuery(experiment="sample", tests=(test,), start_from=start_from, limit=10_000)
    rows = list(store.latest(query).rows)
    rows.sort(key=lambda row: (row.label.window.start, row.label.window.end, *_who(row)))
    return rows


def _who(row: ResultRow) -> tuple[str, str]:
    return row.label.model, row.label.reference or ""


def _number(value: float | None) -> float:
    return float("nan") if value is None else value


def same_as_rows(columns: ResultColumns | None, rows: list[ResultRow]) -> None:
    """Compare columns with rows in their order, field by field."""
    assert columns is not None
    assert len(columns) == len(rows) > 0

    def words(known: tuple[str, ...], codes: np.ndarray[tuple[int], np.dtype[np.int32]]) -> list[str | None]:
        assert list(known) == sorted({known[code] for code in codes if code >= 0})
        return [known[code] if code >= 0 else None for code in codes]

    assert [columns.label(place) for place in range(len(columns))] == [row.label for row in rows]
    assert words(columns.models, columns.model) == [row.label.model for row in rows]
    assert words(columns.references, columns.reference) == [row.label.reference for row in rows]
    assert words(columns.reasons, columns.reason) == [row.reason for row in rows]
    kinds = [None if row.quantiles is None else row.quantiles.kind for row in rows]
    assert words(columns.quantile_kinds, columns.quantile_kind) == kinds
    assert [columns.windows[code] for code in columns.window] == [row.label.window for row in rows]
    assert [columns.forms[code] for code in columns.form] == [
        (row.test, row.kind, row.side, row.alpha) for row in rows
    ]
    assert [OUTCOMES[code] for code in columns.outcome] == [row.outcome for row in rows]
    assert columns.n_observed.tolist() == [row.n_observed for row in rows]
    assert columns.bound.tolist() == [to_us(row.bound_at) for row in rows]
    assert columns.computed.tolist() == [to_us(row.computed_at) for row in rows]
    for name in NUMBERS[:3]:
        np.testing.assert_array_equal(getattr(columns, name), [_number(getattr(row, name)) for row in rows])
    for place, name in enumerate(NUMBERS[3:]):
        ends = [_number(None if row.interval is None else row.interval[place]) for row in rows]
        np.testing.assert_array_equal(getattr(columns, name), ends)
    named = [{} if row.quantiles is None else row.quantiles.named() for row in rows]
    assert [columns.quantiles_at(place) for place in range(len(columns))] == [row.quantiles for row in rows]
    assert set().union(*named) <= set(columns.quantiles)
    for name in columns.quantiles:
        np.testing.assert_array_equal(columns.number(name), [_number(each.get(name)) for each in named])
    assert np.isnan(columns.number("nothing")).all()


def _everything(store: ResultsStore) -> tuple[Overview, Coverage, Coverage, list[ExperimentSummary]]:
    later = sample_window(3).start
    return (
        store.overview("sample"),
        store.coverage("sample"),
        store.coverage("sample", later),
        store.experiments(),
    )


class ColumnsContract(ContractBase):
    """`columns` and `summarise`."""

    @pytest.fixture
    def scored(self, store: ResultsStore) -> ResultsStore:
        fill_store(store, models=_MODELS, tests=_TESTS, windows=6)
        fill_store(store, models=_MODELS, tests=_TESTS[:1], windows=2, experiment="other", seed=2)
        return store

    @pytest.fixture
    def large(self, scored: ResultsStore, monkeypatch: pytest.MonkeyPatch) -> ResultsStore:
        """Give a store in which some dozens of results are many, and more than a piece."""
        monkeypatch.setattr(_answers, "MANY", 50)
        monkeypatch.setattr(_columns, "PIECE", 7)
        return scored

    @pytest.mark.parametrize("kept", [False, True], ids=["counted", "kept"])
    def test_columns_are_what_the_rows_are(self, large: ResultsStore, kept: bool) -> None:
        assert not kept or large.summarise("sample")
        for test in _TESTS:
            same_as_rows(large.columns("sample", test), _rows(large, test))
            for number in (0, 1, 5):
                since = sample_window(number).start
                same_as_rows(large.columns("sample", test, since), _rows(large, test, since))
            assert large.columns("sample", test, sample_window(6).start) is None
        assert large.columns("sample", "unknown") is None
        assert large.columns("nothing", "N") is None

    def test_windows_that_grow_and_forms_that_change_stay_apart(self, store: ResultsStore) -> None:
        results = [sample_result(1), sample_result(2, test="L"), sample_result(3, outcome=Outcome.UNDEFINED)]
        store.put(results)
        first = sample_label(model="beta")
        grown = first.window.model_copy(update={"end": sample_window(5).end})
        labels = [first, first.model_copy(update={"window": grown}), sample_label(model="alpha")]
        found = [Binding(label=label, key=result.key) for label, result in zip(labels, results, strict=True)]
        store.publish(ref(begin(store)), found)
        columns = store.columns("sample", "N")
        same_as_rows(columns, _rows(store, "N"))
        assert columns is not None
        assert columns.windows == (first.window, grown)
        assert len(columns.forms) == 2
        assert columns.model.tolist() == [0, 1, 1]

    def test_what_is_kept_changes_no_answer(self, large: ResultsStore) -> None:
        before = _everything(large)
        assert large.summarise("sample")
        assert _everything(large) == before
        assert not large.summarise("sample")
        assert not large.summarise("other")
        with pytest.raises(NotFound, match="nothing"):
            large.summarise("nothing")

    def test_what_is_kept_is_read_until_a_result_changes(self, large: ResultsStore, damage: Damage) -> None:
        large.summarise("sample")
        slot = _rows(large, "N")[0].label.slot
        before = _everything(large)
        damage.drop_latest(slot)  # behind the store's back: what is kept is not counted anew
        assert _everything(large) == before
        columns = large.columns("sample", "N")
        assert columns is not None
        assert len(columns) == 18
        result = sample_result(77)
        large.put([result])
        run = ref(begin(large))
        large.publish(run, [Binding(label=sample_label("N", "another", 2), key=result.key)])
        same_as_rows(large.columns("sample", "N"), _rows(large, "N"))
        assert large.overview("sample").token > before[0].token
        assert sum(cell.n_windows for cell in large.overview("sample").cells) == 6 * 12
        large.update_run(run, RunChange(state=RunState.COMPLETED), expect=RunState.RUNNING)
        counted = _everything(large)
        assert large.summarise("sample")
        assert _everything(large) == counted
        same_as_rows(large.columns("sample", "N"), _rows(large, "N"))

    def test_a_repair_forgets_what_is_kept(self, large: ResultsStore, damage: Damage) -> None:
        large.summarise("sample")
        damage.drop_latest(_rows(large, "S")[0].label.slot)
        assert [finding.repaired for finding in large.check(repair=True)] == [True]
        same_as_rows(large.columns("sample", "S"), _rows(large, "S"))
        assert large.summarise("sample")

    def test_several_may_keep_at_once_while_results_change(self, large: ResultsStore) -> None:
        results = [sample_result(number) for number in range(100, 120)]
        large.put(results)
        run = ref(begin(large))

        def write() -> None:
            for number, result in enumerate(results):
                label = sample_label("N", "another", number)
                large.publish(run, [Binding(label=label, key=result.key)])

        def read() -> None:
            for _ in range(10):
                large.summarise("sample")
                columns = large.columns("sample", "N")
                assert columns is not None
                assert 18 <= len(columns) <= 38

        with ThreadPoolExecutor(3) as pool:
            for future in [pool.submit(write), pool.submit(read), pool.submit(read)]:
                future.result(timeout=60)
        large.summarise("sample")
        same_as_rows(large.columns("sample", "N"), _rows(large, "N"))
        assert sum(cell.n_windows for cell in large.overview("sample").cells) == 6 * 12 + 20
