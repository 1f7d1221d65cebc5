"""The contract of reading many results: pages, filters, counts."""

import base64
import json
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta

import pytest

from forequake.errors import NotFound
from forequake.quantities import now
from forequake.results import Outcome, RunState
from stores.base import ResultsStore
from stores.exchange import Binding, ResultQuery, ResultRow
from stores.testing._contract_base import ContractBase, begin, ref
from stores.testing.filling import fill_store
from stores.testing.samples import sample_experiment, sample_label, sample_result, sample_window

__all__ = ["QueriesContract"]

_TESTS = ("N", "S", "T")
_MODELS = ("alpha", "beta", "γ-model")


def _rows(store: ResultsStore, query: ResultQuery) -> list[ResultRow]:
    """Read all pages of a query."""
    rows: list[ResultRow] = []
    cursor: str | None = None
    for _ in range(1000):
        page = store.latest(query.model_copy(update={"cursor": cursor}))
        assert len(page.rows) <= query.limit
        rows += page.rows
        cursor = page.cursor
        if cursor is None:
            return rows
        assert len(page.rows) == query.limit
    pytest.fail("the pages have no end")


def _order(row: ResultRow) -> tuple[object, ...]:
    return row.label.window.start, row.label.test, row.label.model, row.label.slot


class QueriesContract(ContractBase):
    """`latest` with its filters and pages, `overview` and `experiments`."""

    @pytest.fixture
    def filled(self, store: ResultsStore) -> ResultsStore:
        fill_store(store, models=_MODELS, tests=_TESTS, windows=6)
        fill_store(store, models=_MODELS, tests=_TESTS, windows=2, experiment="other", seed=2)
        return store

    @pytest.mark.parametrize("limit", [1, 7, 48, 49, 10_000])
    def test_pages_give_every_row_once_in_order(self, filled: ResultsStore, limit: int) -> None:
        rows = _rows(filled, ResultQuery(experiment="sample", limit=limit))
        assert len(rows) == 6 * (3 * 2 + 2)
        assert [_order(row) for row in rows] == sorted({_order(row) for row in rows})

    @pytest.mark.parametrize("as_of", [False, True], ids=["latest", "as_of"])
    @pytest.mark.parametrize(
        "chosen",
        [
            {"tests": ("N",)},
            {"tests": ("N", "T", "unknown")},
            {"models": ("γ-model",)},
            {"references": ("alpha",)},
            {"outcomes": (Outcome.UNDEFINED, Outcome.REJECTED)},
            {"start_from": sample_window(2).start},
            {"start_before": sample_window(2).start},
            {"start_from": sample_window(1).start, "start_before": sample_window(1).end},
            {"window": sample_window(3)},
            {"window": sample_window(3), "tests": ("S",), "start_from": sample_window(2).start},
            {"window": sample_window(3), "outcomes": (Outcome.PASSED, Outcome.BETTER)},
            {"tests": ("S",), "models": ("beta",), "outcomes": (Outcome.PASSED,)},
            {"models": ("unknown",)},
        ],
        ids=lambda chosen: "+".join(chosen),
    )
    def test_filters_take_what_they_say(
        self, filled: ResultsStore, chosen: dict[str, object], as_of: bool
    ) -> None:
        everything = ResultQuery(experiment="sample", as_of=now() if as_of else None)
        query = ResultQuery.model_validate({**dict(everything), **chosen, "limit": 5})

        def fits(row: ResultRow) -> bool:
            label = row.label
            return (
                (not query.tests or label.test in query.tests)
                and (not query.models or label.model in query.models)
                and (not query.references or label.reference in query.references)
                and (not query.outcomes or row.outcome in query.outcomes)
                and (query.start_from is None or label.window.start >= query.start_from)
                and (query.start_before is None or label.window.start < query.start_before)
                and query.window in (None, label.window)
            )

        expected = [row for row in _rows(filled, everything) if fits(row)]
        assert _rows(filled, query) == expected
        assert bool(expected) is (query.models != ("unknown",))

    def test_as_of_now_is_the_latest(self, filled: ResultsStore) -> None:
        query = ResultQuery(experiment="sample", limit=11)
        as_of = query.model_copy(update={"as_of": now()})
        assert _rows(filled, as_of) == _rows(filled, query)
        past = query.model_copy(update={"as_of": now() - timedelta(days=1)})
        assert filled.latest(past).rows == ()

    def test_a_cursor_goes_on_where_its_page_ended(self, filled: ResultsStore) -> None:
        query = ResultQuery(experiment="sample", limit=20)
        before = _rows(filled, query)
        cursor = filled.latest(query).cursor
        # Rows that come before the cursor's place do not shift what follows it.
        earlier = sample_label("A", "early", -1)
        result = sample_result(99)
        filled.put([result])
        filled.publish(ref(begin(filled)), [Binding(label=earlier, key=result.key)])
        rest = _rows(filled, query.model_copy(update={"cursor": None}))
        assert rest[1:] == before
        page = filled.latest(query.model_copy(update={"cursor": cursor}))
        assert list(page.rows) == before[20:40]

    @pytest.mark.parametrize(
        "cursor",
        [
            *("", "x", "bm9uc2Vuc2U=", "W10=", "é", "WzEsMiwzLDRd"),
            base64.urlsafe_b64encode(json.dumps([10**30, "N", "alpha", "0"]).encode()).decode(),
            base64.urlsafe_b64encode(json.dumps([1, "\ud800", "alpha", "0"]).encode()).decode(),
            base64.urlsafe_b64encode(b"[" * 100_000).decode(),
        ],
        ids=["none", "short", "words", "empty", "accent", "numbers", "large", "half", "deep"],
    )
    def test_a_strange_cursor_is_not_found(self, store: ResultsStore, cursor: str) -> None:
        with pytest.raises(NotFound, match="cursor"):
            store.latest(ResultQuery(experiment="sample", cursor=cursor))

    def test_an_unknown_experiment_has_no_rows_and_no_overview(self, store: ResultsStore) -> None:
        page = store.latest(ResultQuery(experiment="nothing"))
        assert (page.rows, page.cursor) == ((), None)
        with pytest.raises(NotFound, match="nothing"):
            store.overview("nothing")
        assert store.history(sample_label().slot) == []

    def test_the_overview_counts_what_is_latest(self, filled: ResultsStore) -> None:
        rows = _rows(filled, ResultQuery(experiment="sample"))
        overview = filled.overview("sample")
        counted = Counter((row.label.test, row.label.model, row.label.reference, row.outcome) for row in rows)
        assert counted == Counter(
            {
                (cell.test, cell.model, cell.reference, outcome): count
                for cell in overview.cells
                for outcome, count in cell.outcomes.items()
            }
        )
        assert len(overview.cells) == 8
        assert {cell.n_windows for cell in overview.cells} == {6}
        assert overview.n_windows == 6
        assert overview.last_computed_at == max(row.computed_at for row in rows)
        for cell in overview.cells:
            mine = [row for row in rows if (row.label.test, row.label.model) == (cell.test, cell.model)]
            assert cell.last_computed_at == max(row.computed_at for row in mine)

    def test_the_coverage_counts_results_by_model_and_window(self, filled: ResultsStore) -> None:
        rows = _rows(filled, ResultQuery(experiment="sample"))
        counted = Counter((row.label.window, row.label.model) for row in rows)
        coverage = filled.coverage("sample")
        assert coverage.windows == tuple(sample_window(number) for number in range(6))
        assert coverage.models == _MODELS
        assert counted == {
            (window, model): count
            for window, counts in zip(coverage.windows, coverage.counts, strict=True)
            for model, count in zip(coverage.models, counts, strict=True)
        }
        later = filled.coverage("sample", sample_window(4).start)
        assert (later.windows, later.counts) == (coverage.windows[4:], coverage.counts[4:])
        nothing = filled.coverage("nothing")
        assert (nothing.windows, nothing.models, nothing.counts) == ((), (), ())

    def test_windows_that_grow_from_one_start_are_covered_apart(self, store: ResultsStore) -> None:
        results = [sample_result(number) for number in range(3)]
        store.put(results)
        first, other = sample_label(), sample_label(model="beta")
        grown = first.window.model_copy(update={"end": sample_window(5).end})
        labels = [first, first.model_copy(update={"window": grown}), other]
        found = [Binding(label=label, key=result.key) for label, result in zip(labels, results, strict=True)]
        store.publish(ref(begin(store)), found)
        coverage = store.coverage("sample")
        for as_of in (None, now()):
            for window, models in ((first.window, ["alpha", "beta"]), (grown, ["alpha"])):
                page = store.latest(ResultQuery(experiment="sample", window=window, as_of=as_of))
                assert [(row.label.model, row.label.window) for row in page.rows] == [
                    (model, window) for model in models
                ]
        assert coverage.windows == (first.window, grown)
        assert (coverage.models, coverage.counts) == (("alpha", "beta"), ((1, 1), (1, 0)))

    def test_the_token_changes_with_every_latest_result(self, store: ResultsStore) -> None:
        results = [sample_result(number) for number in range(4)]
        store.put(results)
        tokens = []
        for result in results:
            run = ref(begin(store))
            store.publish(run, [Binding(label=sample_label(), key=result.key)])
            tokens.append(store.overview("sample").token)
        assert len(set(tokens)) == 4
        assert [summary.token for summary in store.experiments()] == tokens[-1:]

    def test_an_experiment_that_only_began_is_listed_and_empty(self, store: ResultsStore) -> None:
        assert store.experiments() == []
        run = begin(store)
        (summary,) = store.experiments()
        assert (summary.name, summary.n_results, summary.n_runs) == ("sample", 0, 1)
        assert summary.last_run_state is RunState.RUNNING
        assert summary.last_started_at == run.started_at
        overview = store.overview("sample")
        assert (overview.cells, overview.n_windows, overview.last_computed_at) == ((), 0, None)

    def test_experiments_are_listed_by_name_with_their_last_run(self, filled: ResultsStore) -> None:
        again = fill_store(filled, models=_MODELS, tests=_TESTS, windows=1)
        begin(filled, "aaa")
        names: Sequence[str] = [summary.name for summary in filled.experiments()]
        assert names == ["aaa", "other", "sample"]
        summary = filled.experiments()[2]
        assert (summary.n_results, summary.n_runs) == (48, 2)
        assert summary.last_run_counts == again.counts
        assert summary.last_run_counts is not None
        assert summary.last_run_counts.cached == 8
        assert summary.last_run_state is RunState.COMPLETED
        assert summary.record_key == sample_experiment("sample", 1).key
