"""The contract of results in their places: publish, latest, history, overview."""

import random
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from datetime import datetime, timedelta

import pytest

from forequake.errors import Conflict, NotFound
from forequake.quantities import now
from forequake.results import EvaluationRecord, Label
from stores.base import ResultsStore
from stores.exchange import Binding, PublishReport, ResultQuery, ResultRow, RunRef
from stores.testing._contract_base import PROCESSES, ContractBase, begin, ref
from stores.testing.processes import publish_all
from stores.testing.samples import (
    sample_comparison,
    sample_digest,
    sample_label,
    sample_result,
    sample_score,
)

__all__ = ["PublishContract"]

_PLACE = sample_label()


def _bind(label: Label, result: EvaluationRecord) -> list[Binding]:
    return [Binding(label=label, key=result.key)]


def _history(store: ResultsStore, label: Label = _PLACE) -> list[tuple[int, str]]:
    return [(bound.run_no, bound.key) for bound in store.history(label.slot)]


def _only_row(store: ResultsStore, as_of: datetime | None = None) -> ResultRow:
    (row,) = store.latest(ResultQuery(experiment="sample", as_of=as_of)).rows
    return row


def _later() -> None:
    """Let the clock of any store move on."""
    time.sleep(0.003)


class PublishContract(ContractBase):
    """`publish` and `history`, and what they do to `latest`, `overview` and the token."""

    @pytest.fixture
    def runs(self, store: ResultsStore) -> list[RunRef]:
        """Begin four runs; the place of one in the list is its number."""
        refs = [ref(begin(store)) for _ in range(4)]
        return [refs[0], *refs]

    @pytest.fixture
    def values(self, store: ResultsStore) -> list[EvaluationRecord]:
        results = [sample_result(number) for number in range(3)]
        store.put(results)
        return results

    def test_a_first_value_is_appended(
        self, store: ResultsStore, runs: Sequence[RunRef], values: Sequence[EvaluationRecord]
    ) -> None:
        before = now()
        report = store.publish(runs[1], _bind(_PLACE, values[0]))
        assert report == PublishReport(appended=1)
        (bound,) = store.history(_PLACE.slot)
        assert (bound.label, bound.key, bound.run_no) == (_PLACE, values[0].key, 1)
        assert abs(bound.bound_at - before) < timedelta(seconds=60)
        row = _only_row(store)
        assert (row.key, row.run_no, row.bound_at) == (values[0].key, 1, bound.bound_at)

    def test_a_row_shows_what_its_result_says(self, store: ResultsStore, run: RunRef) -> None:
        result, comparison, score = sample_result(3, test="L"), sample_comparison(4), sample_score(5)
        places = [
            sample_label("Likelihood"),
            sample_label("T-test", "beta", reference="alpha"),
            sample_label("the score"),
        ]
        records = (result, comparison, score)
        store.put(records)
        store.publish(
            run,
            [Binding(label=place, key=record.key) for place, record in zip(places, records, strict=True)],
        )
        rows = store.latest(ResultQuery(experiment="sample")).rows
        for row, place, record in zip(rows, places, records, strict=True):
            assert row.label == place
            shared = row.model_fields_set & type(record).model_fields.keys()
            assert len(shared) >= 13
            assert {name: row.__dict__[name] for name in shared} == {
                name: record.__dict__[name] for name in shared
            }
        assert rows[1].interval == comparison.interval
        assert rows[1].information_gain == comparison.information_gain

    def test_an_unchanged_value_writes_no_binding(
        self, store: ResultsStore, runs: Sequence[RunRef], values: Sequence[EvaluationRecord]
    ) -> None:
        store.publish(runs[1], _bind(_PLACE, values[0]))
        bound_at = _only_row(store).bound_at
        _later()
        assert store.publish(runs[2], _bind(_PLACE, values[0])) == PublishReport(unchanged=1)
        assert _history(store) == [(1, values[0].key)]
        assert (_only_row(store).run_no, _only_row(store).bound_at) == (2, bound_at)

    def test_a_value_that_goes_and_returns_is_three_bindings(
        self, store: ResultsStore, runs: Sequence[RunRef], values: Sequence[EvaluationRecord]
    ) -> None:
        for run, value in zip(runs[1:4], (values[0], values[1], values[0]), strict=True):
            assert store.publish(run, _bind(_PLACE, value)) == PublishReport(appended=1)
        keys = [values[0].key, values[1].key, values[0].key]
        assert _history(store) == list(zip((1, 2, 3), keys, strict=True))
        assert _only_row(store).key == values[0].key

    def test_publishing_again_changes_nothing(
        self, store: ResultsStore, runs: Sequence[RunRef], values: Sequence[EvaluationRecord]
    ) -> None:
        bindings = [
            *_bind(_PLACE, values[0]),
            *_bind(sample_label("N", "beta"), values[1]),
        ]
        assert store.publish(runs[2], bindings) == PublishReport(appended=2)
        state = store.latest(ResultQuery(experiment="sample")), store.overview("sample")
        _later()
        assert store.publish(runs[2], bindings) == PublishReport(unchanged=2)
        assert (store.latest(ResultQuery(experiment="sample")), store.overview("sample")) == state
        assert _history(store) == [(2, values[0].key)]
        assert store.publish(runs[2], []) == PublishReport()

    def test_a_slow_older_run_cannot_win(
        self, store: ResultsStore, runs: Sequence[RunRef], values: Sequence[EvaluationRecord]
    ) -> None:
        store.publish(runs[2], _bind(_PLACE, values[1]))
        assert store.publish(runs[1], _bind(_PLACE, values[0])) == PublishReport(outdated=1)
        assert _history(store) == [(1, values[0].key), (2, values[1].key)]
        assert (_only_row(store).key, _only_row(store).run_no) == (values[1].key, 2)
        assert store.publish(runs[1], _bind(_PLACE, values[0])) == PublishReport(outdated=1)
        assert len(_history(store)) == 2

    def test_a_slow_older_run_with_the_same_value_adds_nothing(
        self, store: ResultsStore, runs: Sequence[RunRef], values: Sequence[EvaluationRecord]
    ) -> None:
        store.publish(runs[3], _bind(_PLACE, values[1]))
        assert store.publish(runs[1], _bind(_PLACE, values[1])) == PublishReport(unchanged=1)
        assert _history(store) == [(3, values[1].key)]
        assert _only_row(store).run_no == 3

    def test_a_run_that_vouched_is_not_outdone_by_an_older_one(
        self, store: ResultsStore, runs: Sequence[RunRef], values: Sequence[EvaluationRecord]
    ) -> None:
        store.publish(runs[1], _bind(_PLACE, values[0]))
        store.publish(runs[3], _bind(_PLACE, values[0]))
        assert _history(store) == [(1, values[0].key)]
        assert store.publish(runs[2], _bind(_PLACE, values[1])) == PublishReport(outdated=1)
        # Run 3 had no binding of its own, since nothing had changed; now it needs one.
        assert _history(store) == [(1, values[0].key), (2, values[1].key), (3, values[0].key)]
        row = _only_row(store)
        assert (row.key, row.run_no) == (values[0].key, 3)
        assert row.bound_at == store.history(_PLACE.slot)[-1].bound_at
        assert _only_row(store, now()).key == values[0].key
        assert [finding for finding in store.check() if finding.severity == "error"] == []

    def test_a_run_says_one_thing_in_one_place(
        self, store: ResultsStore, runs: Sequence[RunRef], values: Sequence[EvaluationRecord]
    ) -> None:
        store.publish(runs[2], _bind(_PLACE, values[0]))
        with pytest.raises(Conflict, match="run 2"):
            store.publish(runs[2], _bind(_PLACE, values[1]))
        store.publish(runs[1], _bind(_PLACE, values[1]))
        with pytest.raises(Conflict, match="run 1"):
            store.publish(runs[1], _bind(_PLACE, values[2]))
        assert _history(store) == [(1, values[1].key), (2, values[0].key)]

    def test_what_is_not_stored_is_not_published(
        self, store: ResultsStore, runs: Sequence[RunRef], values: Sequence[EvaluationRecord]
    ) -> None:
        gone = Binding(label=sample_label("N", "beta"), key=sample_digest("gone"))
        with pytest.raises(NotFound, match=gone.key):
            store.publish(runs[1], [*_bind(_PLACE, values[0]), gone])
        for name, value in {"id": "another", "experiment": "another", "run_no": 7}.items():
            other = runs[1].model_copy(update={name: value})
            place = sample_label(experiment=other.experiment)
            with pytest.raises(NotFound, match="no run"):
                store.publish(other, _bind(place, values[0]))
        assert store.history(_PLACE.slot) == []
        assert store.latest(ResultQuery(experiment="sample")).rows == ()

    def test_a_run_publishes_for_its_own_experiment_only(
        self, store: ResultsStore, runs: Sequence[RunRef], values: Sequence[EvaluationRecord]
    ) -> None:
        with pytest.raises(ValueError, match="another"):
            store.publish(
                runs[1],
                [*_bind(_PLACE, values[0]), *_bind(sample_label(experiment="another"), values[0])],
            )
        assert store.history(_PLACE.slot) == []

    def test_every_part_of_a_label_makes_another_place(self, store: ResultsStore, run: RunRef) -> None:
        window = sample_label().window
        longer = window.model_copy(update={"end": window.end + timedelta(microseconds=1)})
        places = [
            sample_label(),
            sample_label("L"),
            sample_label("N", "beta"),
            sample_label(reference="beta"),
            sample_label(window=1),
            sample_label(window=longer),
        ]
        results = [sample_result(number) for number in range(len(places))]
        store.put(results)
        report = store.publish(
            run,
            [
                binding
                for place, result in zip(places, results, strict=True)
                for binding in _bind(place, result)
            ],
        )
        assert report == PublishReport(appended=len(places))
        for place, result in zip(places, results, strict=True):
            assert _history(store, place) == [(1, result.key)]

    def test_experiments_share_values_but_not_places(
        self, store: ResultsStore, run: RunRef, values: Sequence[EvaluationRecord]
    ) -> None:
        other = ref(begin(store, "other"))
        store.publish(run, _bind(_PLACE, values[0]))
        store.publish(other, _bind(sample_label(experiment="other"), values[0]))
        token = store.overview("sample").token
        store.publish(ref(begin(store, "other")), _bind(sample_label(experiment="other"), values[1]))
        assert _only_row(store).key == values[0].key
        assert store.overview("sample").token == token
        assert _history(store) == [(1, values[0].key)]

    def test_as_of_a_time_gives_what_stood_then(
        self, store: ResultsStore, runs: Sequence[RunRef], values: Sequence[EvaluationRecord]
    ) -> None:
        for run, value in zip(runs[1:4], values, strict=True):
            store.publish(run, _bind(_PLACE, value))
            _later()
        moments = [bound.bound_at for bound in store.history(_PLACE.slot)]
        instant = timedelta(microseconds=1)
        early = ResultQuery(experiment="sample", as_of=moments[0] - instant)
        assert store.latest(early).rows == ()
        for number, moment in enumerate(moments):
            row = _only_row(store, moment)
            assert (row.key, row.run_no, row.bound_at) == (values[number].key, number + 1, moment)
        assert _only_row(store, moments[1] - instant).key == values[0].key
        assert _only_row(store, moments[2] - instant).key == values[1].key
        assert _only_row(store, now() + timedelta(days=1)) == _only_row(store)

    def test_as_of_a_time_an_outdated_value_never_stood(
        self, store: ResultsStore, runs: Sequence[RunRef], values: Sequence[EvaluationRecord]
    ) -> None:
        store.publish(runs[2], _bind(_PLACE, values[1]))
        _later()
        store.publish(runs[1], _bind(_PLACE, values[0]))
        outdated, standing = store.history(_PLACE.slot)
        assert outdated.bound_at > standing.bound_at
        assert _only_row(store, standing.bound_at).key == values[1].key
        assert _only_row(store, outdated.bound_at).key == values[1].key

    def test_in_any_order_the_last_of_the_history_is_the_latest(
        self, store: ResultsStore, runs: Sequence[RunRef], values: Sequence[EvaluationRecord]
    ) -> None:
        draw = random.Random(20200101)  # noqa: S311 - an order, no secret
        for window in range(40):
            place = sample_label(window=window)
            said = {run: draw.choice(values) for run in runs[1:]}
            order = [*said, *draw.choices(list(said), k=3)]
            draw.shuffle(order)
            newest, key = 0, ""
            for run in order:
                store.publish(run, _bind(place, said[run]))
                if run.run_no >= newest:
                    newest, key = run.run_no, said[run].key
                history = store.history(place.slot)
                assert history[-1].key == key
                row = store.latest(ResultQuery(experiment="sample", start_from=place.window.start)).rows[0]
                assert (row.key, row.run_no, row.bound_at) == (key, newest, history[-1].bound_at)
                stood = [bound.run_no for bound in history]
                assert stood == sorted(set(stood))
        assert [finding for finding in store.check() if finding.severity == "error"] == []

    def test_processes_that_publish_at_once_leave_one_order(
        self,
        url: str,
        store: ResultsStore,
        others: ProcessPoolExecutor,
        runs: Sequence[RunRef],
        values: Sequence[EvaluationRecord],
    ) -> None:
        places = [sample_label(window=window) for window in range(25)]
        start = time.time() + 0.1
        futures = [
            others.submit(
                publish_all,
                url,
                runs[number + 1],
                [binding for place in places for binding in _bind(place, values[number])],
                start,
            )
            for number in range(PROCESSES)
        ]
        for future in futures:
            assert all(report.appended + report.outdated == 1 for report in future.result(timeout=60))
        rows = store.latest(ResultQuery(experiment="sample")).rows
        assert [row.key for row in rows] == [values[PROCESSES - 1].key] * len(places)
        for place in places:
            assert _history(store, place) == [(number + 1, values[number].key) for number in range(PROCESSES)]
        assert [finding for finding in store.check() if finding.severity == "error"] == []
