"""The contract of what a copy needs: reading all bindings, and adopting what another store has."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest

from forequake.errors import Conflict, NotFound
from forequake.results import (
    EvaluationRecord,
    Label,
    RunCounts,
    RunRecord,
    RunState,
    UnitEnd,
    UnitError,
    UnitRecord,
    UnitState,
)
from stores.base import ResultsStore
from stores.exchange import Binding, Block, BoundResult, PublishReport, ResultQuery
from stores.testing._contract_base import ContractBase, begin, ref
from stores.testing.filling import fill_store
from stores.testing.samples import sample_digest, sample_experiment, sample_label, sample_result, sample_run

__all__ = ["CopyContract"]

_THEN = datetime(2024, 5, 6, 7, 8, 9, 123457, tzinfo=UTC)
_QUERY = ResultQuery(experiment="sample")


def _run(run_no: int, *, name: str | None = None, number: int = 0) -> RunRecord:
    """Give a run as another store had it."""
    started = _THEN + run_no * timedelta(hours=1)
    return RunRecord(
        **dict(sample_run(sample_experiment("sample", number))),
        id=name or f"run-{run_no}",
        run_no=run_no,
        state=RunState.COMPLETED,
        started_at=started,
        heartbeat_at=started + timedelta(minutes=5),
        ended_at=started + timedelta(minutes=5),
        counts=RunCounts(computed=run_no),
    )


def _bound(run_no: int, result: EvaluationRecord, label: Label | None = None) -> BoundResult:
    moment = _THEN + run_no * timedelta(hours=1, microseconds=1)
    return BoundResult(label=label or sample_label(), key=result.key, run_no=run_no, bound_at=moment)


def _unit(state: UnitState = UnitState.FAILED, model: str = "alpha", attempts: int = 3) -> UnitRecord:
    return UnitRecord(
        label=sample_label("N", model),
        state=state,
        attempts=attempts,
        error=UnitError(kind="EvaluationError", message="keine Zahl: größer"),
        owner="elsewhere/boot/1/1",
        changed_at=_THEN,
    )


def _seen(store: ResultsStore) -> tuple[object, ...]:
    """Give all that adopting may change."""
    return (
        store.runs(None),
        store.bindings(),
        store.latest(_QUERY).rows,
        store.experiments(),
        store.units("sample"),
    )


class CopyContract(ContractBase):
    """`bindings` and `adopt`."""

    @pytest.fixture
    def given(self, store: ResultsStore) -> list[EvaluationRecord]:
        """Put an experiment's two records and three results, for runs that are adopted."""
        results = [sample_result(number) for number in range(3)]
        store.put([sample_experiment("sample", 0), sample_experiment("sample", 1), *results])
        return results

    def test_all_bindings_are_read_in_order(self, store: ResultsStore) -> None:
        assert store.bindings() == []
        fill_store(store, windows=2)
        fill_store(store, windows=2, seed=2)
        fill_store(store, windows=1, experiment="other")
        found = store.bindings()
        order = [(bound.label.slot, bound.run_no) for bound in found]
        assert order == sorted(set(order))
        slots = {slot for slot, _ in order}
        assert found == [bound for slot in sorted(slots) for bound in store.history(slot)]
        pages, after = [], None
        while page := store.bindings(after, limit=7):
            assert len(page) <= 7
            pages += page
            after = (page[-1].label.slot, page[-1].run_no)
        assert pages == found
        slot, _ = order[5]
        assert store.bindings((slot, 99), limit=1000) == [bound for bound in found if bound.label.slot > slot]

    def test_a_run_is_adopted_as_it_is(self, store: ResultsStore, given: Sequence[EvaluationRecord]) -> None:
        run = _run(7)
        store.adopt(runs=[run])
        assert store.runs("sample") == [run]
        (summary,) = store.experiments()
        assert (summary.name, summary.record_key) == ("sample", run.experiment_key)
        assert (summary.n_runs, summary.n_results, summary.last_started_at) == (1, 0, run.started_at)
        assert begin(store).run_no == 8

    def test_a_run_of_the_same_id_is_replaced(
        self, store: ResultsStore, given: Sequence[EvaluationRecord]
    ) -> None:
        run = _run(2)
        began = run.model_copy(update={"state": RunState.RUNNING, "ended_at": None, "counts": RunCounts()})
        store.adopt(runs=[began])
        store.adopt(runs=[run])
        assert store.runs("sample") == [run]
        assert begin(store).run_no == 3

    def test_the_highest_run_gives_the_record_of_the_experiment(
        self, store: ResultsStore, given: Sequence[EvaluationRecord]
    ) -> None:
        store.adopt(runs=[_run(1), _run(5, number=1), _run(3)])
        store.adopt(runs=[_run(2), _run(5, number=1)])
        (summary,) = store.experiments()
        assert summary.record_key == sample_experiment("sample", 1).key
        assert [run.run_no for run in store.runs("sample")] == [5, 3, 2, 1]
        assert begin(store).run_no == 6

    def test_a_run_needs_its_experiment_record(self, store: ResultsStore) -> None:
        with pytest.raises(NotFound, match=sample_experiment().key):
            store.adopt(runs=[_run(1)])
        assert store.runs(None) == []
        assert store.experiments() == []

    def test_a_number_or_an_id_of_another_run_is_refused(
        self, store: ResultsStore, given: Sequence[EvaluationRecord]
    ) -> None:
        store.adopt(runs=[_run(1)])
        before = _seen(store)
        for other in (_run(1, name="another"), _run(2, name="run-1")):
            with pytest.raises(Conflict, match="sample"):
                store.adopt(runs=[_run(3), other])
        with pytest.raises(Conflict, match="sample"):
            store.adopt(runs=[_run(4), _run(4, name="another")])
        assert _seen(store) == before

    def test_bindings_are_adopted_as_they_are(
        self, store: ResultsStore, given: Sequence[EvaluationRecord]
    ) -> None:
        bindings = [_bound(1, given[0]), _bound(2, given[1]), _bound(4, given[0])]
        store.adopt(runs=[_run(number) for number in range(1, 6)], bindings=bindings)
        assert store.history(sample_label().slot) == bindings
        (row,) = store.latest(_QUERY).rows
        assert (row.key, row.run_no, row.bound_at) == (given[0].key, 4, bindings[-1].bound_at)
        as_of = _QUERY.model_copy(update={"as_of": bindings[1].bound_at})
        (row,) = store.latest(as_of).rows
        assert (row.key, row.run_no) == (given[1].key, 2)
        assert list(store.check()) == []

    def test_in_any_order_the_highest_run_gives_the_latest(
        self, store: ResultsStore, given: Sequence[EvaluationRecord]
    ) -> None:
        store.adopt(runs=[_run(number) for number in range(1, 5)])
        places = [sample_label("N", "alpha", window) for window in range(3)]
        for numbers, place in zip(([3, 1, 2], [1, 3, 2], [2, 1, 3]), places, strict=True):
            for number in numbers:
                store.adopt(bindings=[_bound(number, given[number - 1], place)])
        assert [(row.key, row.run_no) for row in store.latest(_QUERY).rows] == [(given[2].key, 3)] * 3
        later = [_bound(4, given[0], places[0]), _bound(4, given[1], places[1])]
        store.adopt(bindings=later)
        assert [row.run_no for row in store.latest(_QUERY).rows] == [4, 4, 3]
        assert list(store.check()) == []

    def test_adopting_again_changes_nothing(
        self, store: ResultsStore, given: Sequence[EvaluationRecord]
    ) -> None:
        runs = [_run(1), _run(2)]
        bindings = [_bound(1, given[0]), _bound(2, given[1]), _bound(2, given[0], sample_label("N", "b"))]
        units = [_unit(), _unit(UnitState.CRASHED, "beta")]
        store.adopt(runs=runs, bindings=bindings, units=units)
        before = _seen(store)
        token = store.overview("sample").token
        assert token > 0
        store.adopt(runs=runs, bindings=bindings, units=units)
        store.adopt(runs=runs[:1], bindings=bindings[:1], units=units[1:])
        assert _seen(store) == before
        assert store.overview("sample").token == token

    def test_the_token_tells_of_a_new_latest_row(
        self, store: ResultsStore, given: Sequence[EvaluationRecord]
    ) -> None:
        store.adopt(runs=[_run(1), _run(2)], bindings=[_bound(2, given[1])])
        token = store.overview("sample").token
        store.adopt(bindings=[_bound(1, given[0])])
        assert store.overview("sample").token == token
        store.adopt(bindings=[_bound(2, given[1], sample_label("N", "beta"))])
        assert store.overview("sample").token > token

    def test_who_vouched_last_is_kept_and_can_be_taken_over(
        self, store: ResultsStore, given: Sequence[EvaluationRecord]
    ) -> None:
        runs = [_run(number) for number in range(1, 5)]
        bindings = [_bound(1, given[0])]
        store.adopt(runs=runs, bindings=bindings)
        again = [Binding(label=sample_label(), key=given[0].key)]
        assert store.publish(ref(runs[3]), again) == PublishReport(unchanged=1)
        store.adopt(runs=runs, bindings=bindings)
        (row,) = store.latest(_QUERY).rows
        assert (row.run_no, row.bound_at) == (4, bindings[0].bound_at)
        # Another store's run 2 came late there, so that run 4 got a binding of its own.
        store.adopt(bindings=[_bound(2, given[1]), _bound(4, given[0])])
        (row,) = store.latest(_QUERY).rows
        assert (row.key, row.run_no, row.bound_at) == (
            given[0].key,
            4,
            _bound(4, given[0]).bound_at,
        )
        assert [bound.run_no for bound in store.history(sample_label().slot)] == [1, 2, 4]
        assert list(store.check()) == []

    def test_a_binding_needs_its_run_and_its_result(
        self, store: ResultsStore, given: Sequence[EvaluationRecord]
    ) -> None:
        store.adopt(runs=[_run(1)])
        before = _seen(store)
        good = _bound(1, given[1], sample_label("N", "beta"))
        with pytest.raises(NotFound, match="run 2"):
            store.adopt(bindings=[good, _bound(2, given[0])], units=[_unit()])
        lost = good.model_copy(update={"key": sample_digest("nowhere")})
        with pytest.raises(NotFound, match=lost.key):
            store.adopt(runs=[_run(3)], bindings=[_bound(1, given[0]), lost], units=[_unit()])
        assert _seen(store) == before

    def test_another_key_or_time_of_a_run_is_refused(
        self, store: ResultsStore, given: Sequence[EvaluationRecord]
    ) -> None:
        store.adopt(runs=[_run(1)], bindings=[_bound(1, given[0])])
        before = _seen(store)
        good = _bound(1, given[1], sample_label("N", "beta"))
        later = _bound(1, given[0]).model_copy(update={"bound_at": _THEN + timedelta(days=9)})
        for other in (_bound(1, given[1]), later):
            with pytest.raises(Conflict, match="alpha"):
                store.adopt(runs=[_run(2)], bindings=[good, other], units=[_unit()])
        with pytest.raises(Conflict, match="beta"):
            store.adopt(bindings=[good, good.model_copy(update={"key": given[2].key})])
        assert _seen(store) == before

    def test_units_are_adopted_as_they_are(
        self, store: ResultsStore, given: Sequence[EvaluationRecord]
    ) -> None:
        units = [_unit(), _unit(UnitState.UPSTREAM_FAILED, "beta"), _unit(UnitState.CRASHED, "gamma")]
        store.adopt(runs=[_run(1)], units=units)
        assert store.units("sample") == units
        changed = _unit(UnitState.TIMED_OUT, attempts=4)
        store.adopt(units=[changed, _unit(UnitState.SUCCEEDED, "beta"), _unit(UnitState.SUCCEEDED, "new")])
        assert store.units("sample") == [changed, units[2]]

    def test_an_adopted_unit_is_begun_anew_as_any_other(self, store: ResultsStore) -> None:
        begin(store)
        store.adopt(units=[_unit(), _unit(model="beta")])
        block = Block(id="block", units=(_unit().label, _unit(model="beta").label))
        (claim,) = store.claim([block], "one")
        assert [(unit.state, unit.attempts) for unit in store.units("sample")] == [(UnitState.RUNNING, 4)] * 2
        end = UnitEnd(label=_unit().label, state=UnitState.FAILED)
        store.finish(claim, [end, UnitEnd(label=_unit(model="beta").label, state=UnitState.SUCCEEDED)])
        (unit,) = store.units("sample")
        assert (unit.label, unit.state, unit.attempts) == (_unit().label, UnitState.FAILED, 4)

    @pytest.mark.parametrize("state", [UnitState.RUNNING, UnitState.PLANNED, UnitState.SKIPPED])
    def test_a_unit_that_did_not_end_is_refused(
        self, store: ResultsStore, given: Sequence[EvaluationRecord], state: UnitState
    ) -> None:
        with pytest.raises(ValueError, match=state.value):
            store.adopt(runs=[_run(1)], units=[_unit(), _unit(state, "beta")])
        assert store.runs(None) == []
        assert store.units("sample") == []
