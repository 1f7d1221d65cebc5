"""The contract of runs and of work under way: numbers, claims, leases, fences, units."""

import time
from collections.abc import Collection
from concurrent.futures import ProcessPoolExecutor
from datetime import timedelta

import pytest

from forequake.errors import ClaimLost, Conflict, NotFound
from forequake.quantities import now
from forequake.results import (
    RunChange,
    RunCounts,
    RunState,
    UnitEnd,
    UnitError,
    UnitState,
)
from stores.base import ResultsStore
from stores.exchange import Block, Claim, RunRef
from stores.testing._contract_base import PROCESSES, ContractBase, begin, ref
from stores.testing.processes import begin_runs, claim_blocks, finish_block
from stores.testing.samples import sample_experiment, sample_label, sample_run

__all__ = ["ClaimsContract", "RunsContract"]

_SHORT = timedelta(milliseconds=30)
_ERROR = UnitError(kind="EvaluationError", message="no number came out")


def _block(name: str = "a", windows: Collection[int] = (0, 1)) -> Block:
    model = f"model-{name}"
    return Block(id=f"block-{name}", units=tuple(sample_label("N", model, number) for number in windows))


def _ends(block: Block, state: UnitState = UnitState.SUCCEEDED) -> list[UnitEnd]:
    error = None if state is UnitState.SUCCEEDED else _ERROR
    return [UnitEnd(label=label, state=state, error=error) for label in block.units]


def _states(store: ResultsStore) -> list[UnitState]:
    return [unit.state for unit in store.units("sample")]


def _take(store: ResultsStore, block: Block, owner: str = "one", ttl: timedelta = _SHORT * 2000) -> Claim:
    (claim,) = store.claim([block], owner, ttl)
    return claim


def _let_lapse() -> None:
    time.sleep(2 * _SHORT.total_seconds())


class RunsContract(ContractBase):
    """`begin_run`, `update_run` and `runs`."""

    def test_a_run_begins_with_what_it_says_of_itself(self, store: ResultsStore) -> None:
        experiment = sample_experiment()
        store.put([experiment])
        draft = sample_run(experiment)
        run = store.begin_run(draft)
        assert {name: run.__dict__[name] for name in type(draft).model_fields} == dict(draft)
        assert (run.run_no, run.state, run.ended_at, run.counts) == (1, RunState.RUNNING, None, RunCounts())
        assert run.started_at == run.heartbeat_at
        assert abs(run.started_at - now()) < timedelta(seconds=60)
        assert store.runs("sample") == [run]

    def test_numbers_grow_in_each_experiment(self, store: ResultsStore) -> None:
        assert [begin(store).run_no for _ in range(3)] == [1, 2, 3]
        assert begin(store, "other").run_no == 1
        assert begin(store, number=1).run_no == 4

    def test_processes_that_begin_at_once_get_different_numbers(
        self, url: str, store: ResultsStore, others: ProcessPoolExecutor
    ) -> None:
        experiment = sample_experiment()
        store.put([experiment])
        start = time.time() + 0.1
        futures = [
            others.submit(begin_runs, url, sample_run(experiment), 10, start) for _ in range(PROCESSES)
        ]
        given = [future.result(timeout=60) for future in futures]
        assert sorted(number for numbers in given for number in numbers) == list(range(1, 10 * PROCESSES + 1))
        assert all(numbers == sorted(numbers) for numbers in given)

    def test_a_run_needs_its_experiment(self, store: ResultsStore) -> None:
        with pytest.raises(NotFound, match=sample_experiment().key):
            store.begin_run(sample_run(sample_experiment()))
        assert store.runs(None) == []
        assert store.experiments() == []

    def test_a_change_keeps_the_rest_and_is_a_heartbeat(self, store: ResultsStore) -> None:
        run = begin(store)
        time.sleep(0.003)
        counts = RunCounts(computed=3)
        changed = store.update_run(
            ref(run), RunChange(counts=counts, flow_run_id="f"), expect=RunState.RUNNING
        )
        assert changed.heartbeat_at > run.heartbeat_at
        expected = {"heartbeat_at": changed.heartbeat_at, "counts": counts, "flow_run_id": "f"}
        assert changed == run.model_copy(update=expected)
        beaten = store.update_run(ref(run), RunChange(), expect=RunState.RUNNING)
        assert beaten == changed.model_copy(update={"heartbeat_at": beaten.heartbeat_at})
        assert store.runs("sample") == [beaten]

    @pytest.mark.parametrize("state", [state for state in RunState if state is not RunState.RUNNING])
    def test_a_final_state_ends_a_run(self, store: ResultsStore, state: RunState) -> None:
        run = begin(store)
        ended = store.update_run(
            ref(run), RunChange(state=state, notes="n", tags=("t",)), expect=RunState.RUNNING
        )
        assert (ended.state, ended.notes, ended.tags) == (state, "n", ("t",))
        assert ended.ended_at == ended.heartbeat_at
        with pytest.raises(Conflict, match=state.value):
            store.update_run(ref(run), RunChange(), expect=RunState.RUNNING)
        again = store.update_run(ref(run), RunChange(state=RunState.RUNNING), expect=state)
        assert (again.state, again.ended_at) == (RunState.RUNNING, None)

    def test_an_unknown_run_is_not_found(self, store: ResultsStore) -> None:
        run = ref(begin(store))
        for name, value in {"id": "another", "experiment": "another", "run_no": 2}.items():
            with pytest.raises(NotFound, match="no run"):
                store.update_run(run.model_copy(update={name: value}), RunChange(), expect=RunState.RUNNING)

    def test_runs_are_listed_with_the_last_first(self, store: ResultsStore) -> None:
        for experiment in ("sample", "other", "sample"):
            begin(store, experiment)
            time.sleep(0.002)
        listed = [(run.experiment, run.run_no) for run in store.runs(None)]
        assert listed == [("sample", 2), ("other", 1), ("sample", 1)]
        assert [run.run_no for run in store.runs("sample")] == [2, 1]
        assert [run.experiment for run in store.runs(None, limit=2)] == ["sample", "other"]
        assert store.runs("nothing") == []


class ClaimsContract(ContractBase):
    """`claim`, `renew`, `finish`, `release` and `units`."""

    def test_a_claimed_block_is_taken(self, store: ResultsStore) -> None:
        before = now()
        claims = store.claim([_block("a"), _block("b")], "one")
        assert [(claim.block, claim.owner) for claim in claims] == [("block-a", "one"), ("block-b", "one")]
        for claim in claims:
            assert timedelta(seconds=60) < claim.until - before < timedelta(seconds=180)
        assert store.claim([_block("a"), _block("b")], "two") == []
        assert store.claim([_block("a")], "one") == []
        (claim,) = store.claim([_block("b"), _block("c")], "two")
        assert claim.block == "block-c"

    def test_of_processes_that_ask_at_once_one_gets_a_block(
        self, url: str, store: ResultsStore, others: ProcessPoolExecutor
    ) -> None:
        blocks = [_block(str(number), [0]) for number in range(30)]
        start = time.time() + 0.1
        futures = [
            others.submit(claim_blocks, url, blocks, f"owner-{number}", timedelta(seconds=60), start)
            for number in range(PROCESSES)
        ]
        taken = [claim.block for future in futures for claim in future.result(timeout=60)]
        assert sorted(taken) == sorted(block.id for block in blocks)
        assert len(store.units("sample", [UnitState.RUNNING])) == 30

    def test_a_lease_runs_out(self, store: ResultsStore) -> None:
        first = _take(store, _block(), "one", _SHORT)
        _let_lapse()
        second = _take(store, _block(), "two")
        assert second.token > first.token
        assert second.until > first.until

    def test_an_owner_may_take_back_what_lapsed(self, store: ResultsStore) -> None:
        first = _take(store, _block(), "one", _SHORT)
        _let_lapse()
        second = _take(store, _block(), "one")
        assert second.token > first.token
        with pytest.raises(ClaimLost):
            store.finish(first, _ends(_block()))
        store.finish(second, _ends(_block()))

    def test_processes_race_for_a_block_that_lapsed(
        self, url: str, store: ResultsStore, others: ProcessPoolExecutor
    ) -> None:
        block = _block()
        first = _take(store, block, "dead", _SHORT)
        _let_lapse()
        start = time.time() + 0.1
        futures = [
            others.submit(claim_blocks, url, [block] * 5, f"owner-{number}", timedelta(seconds=60), start)
            for number in range(PROCESSES)
        ]
        (claim,) = [claim for future in futures for claim in future.result(timeout=60)]
        assert claim.token > first.token
        assert not others.submit(finish_block, url, first, _ends(block)).result(timeout=60)
        assert others.submit(finish_block, url, claim, _ends(block)).result(timeout=60)

    def test_the_fence_keeps_out_a_worker_that_was_thought_dead(self, store: ResultsStore) -> None:
        block = _block()
        slow = _take(store, block, "slow", _SHORT)
        _let_lapse()
        quick = _take(store, block, "quick")
        before = store.units("sample")
        with pytest.raises(ClaimLost, match="block-a"):
            store.finish(slow, _ends(block, UnitState.FAILED))
        assert store.units("sample") == before
        store.finish(quick, _ends(block))
        with pytest.raises(ClaimLost):
            store.finish(slow, _ends(block, UnitState.FAILED))
        assert store.units("sample") == []

    def test_a_lapsed_claim_that_nobody_took_may_be_finished(self, store: ResultsStore) -> None:
        claim = _take(store, _block(), ttl=_SHORT)
        _let_lapse()
        store.finish(claim, _ends(_block(), UnitState.FAILED))
        assert _states(store) == [UnitState.FAILED] * 2

    def test_a_finished_block_is_free_and_its_token_goes_on(self, store: ResultsStore) -> None:
        first = _take(store, _block(), "one")
        store.finish(first, _ends(_block()))
        assert store.renew("one") == frozenset()
        second = _take(store, _block(), "two")
        assert second.token > first.token
        assert store.renew("one") == frozenset()

    def test_finishing_again_changes_nothing(self, store: ResultsStore) -> None:
        claim = _take(store, _block())
        ends = [*_ends(_block("a", [0])), *_ends(_block("a", [1]), UnitState.TIMED_OUT)]
        store.finish(claim, ends)
        (before,) = store.units("sample")
        store.finish(claim, ends)
        (after,) = store.units("sample")
        assert after.model_copy(update={"changed_at": before.changed_at}) == before
        assert (after.state, after.attempts, after.error) == (UnitState.TIMED_OUT, 1, _ERROR)

    def test_renewing_extends_all_leases_of_an_owner(self, store: ResultsStore) -> None:
        for name in "ab":
            _take(store, _block(name), "one", _SHORT)
        assert store.renew("one", timedelta(seconds=60)) == frozenset()
        _let_lapse()
        assert store.claim([_block("a"), _block("b")], "two") == []
        assert store.renew("two") == frozenset()

    def test_a_lapsed_lease_that_nobody_took_is_renewed(self, store: ResultsStore) -> None:
        claim = _take(store, _block(), "one", _SHORT)
        _let_lapse()
        assert _states(store) == [UnitState.CRASHED] * 2
        assert store.renew("one", timedelta(seconds=60)) == frozenset()
        assert _states(store) == [UnitState.RUNNING] * 2
        assert store.claim([_block()], "two") == []
        store.finish(claim, _ends(_block()))

    def test_a_lost_block_is_told_once(self, store: ResultsStore) -> None:
        for name in "abc":
            _take(store, _block(name), "one", _SHORT)
        _let_lapse()
        taken = store.claim([_block("a"), _block("b")], "two")
        assert len(taken) == 2
        store.finish(taken[0], _ends(_block("a")))
        assert store.renew("one", timedelta(seconds=60)) == {"block-a", "block-b"}
        assert store.renew("one", timedelta(seconds=60)) == frozenset()
        assert store.claim([_block("b")], "one") == []
        assert store.claim([_block("c")], "two") == []

    def test_a_block_that_was_taken_back_is_not_lost(self, store: ResultsStore) -> None:
        for owner in ("one", "two"):
            _take(store, _block(), owner, _SHORT)
            _let_lapse()
        claim = _take(store, _block(), "one")
        assert store.renew("one") == frozenset()
        assert store.renew("two") == {"block-a"}
        store.finish(claim, _ends(_block()))

    def test_releasing_ends_the_leases_of_a_dead_owner(self, store: ResultsStore) -> None:
        claims = [_take(store, _block(name), "dead") for name in "ab"]
        _take(store, _block("c"), "alive")
        assert store.release("dead") == 2
        assert store.release("dead") == 0
        assert store.release("nobody") == 0
        crashed = store.units("sample", [UnitState.CRASHED])
        assert {unit.label.model for unit in crashed} == {"model-a", "model-b"}
        assert {unit.owner for unit in crashed} == {"dead"}
        again = store.claim([_block("a"), _block("b"), _block("c")], "alive")
        assert [claim.token > old.token for claim, old in zip(again, claims, strict=True)] == [True, True]

    def test_units_run_while_their_block_is_held(self, store: ResultsStore, run: RunRef) -> None:
        assert store.units(run.experiment) == []
        _take(store, _block("a", [0, 1, 2]), "one")
        units = store.units("sample")
        assert [unit.label for unit in units] == list(_block("a", [0, 1, 2]).units)
        for unit in units:
            assert (unit.state, unit.attempts, unit.error) == (UnitState.RUNNING, 1, None)
            assert unit.owner == "one"
            assert abs(unit.changed_at - now()) < timedelta(seconds=60)
        assert store.units("another") == []

    def test_units_that_end_badly_stay_with_state_and_error(self, store: ResultsStore) -> None:
        bad = [
            UnitState.FAILED,
            UnitState.TIMED_OUT,
            UnitState.KILLED,
            UnitState.CRASHED,
            UnitState.UPSTREAM_FAILED,
        ]
        block = _block("a", range(len(bad) + 1))
        claim = _take(store, block)
        ends = [
            UnitEnd(label=label, state=state, error=_ERROR)
            for label, state in zip(block.units, bad, strict=False)
        ]
        store.finish(claim, [*ends, UnitEnd(label=block.units[-1], state=UnitState.SUCCEEDED)])
        assert _states(store) == bad
        assert all(unit.error == _ERROR for unit in store.units("sample"))
        assert [unit.state for unit in store.units("sample", [UnitState.KILLED])] == [UnitState.KILLED]
        assert len(store.units("sample", {UnitState.KILLED, UnitState.FAILED})) == 2
        assert store.units("sample", [UnitState.RUNNING]) == []

    def test_attempts_count_until_a_unit_succeeds(self, store: ResultsStore) -> None:
        block = _block("a", [0])
        for attempt in (1, 2, 3):
            claim = _take(store, block)
            store.finish(claim, _ends(block, UnitState.FAILED))
            assert [unit.attempts for unit in store.units("sample")] == [attempt]
        store.finish(_take(store, block), _ends(block))
        assert store.units("sample") == []
        _take(store, block)
        assert [unit.attempts for unit in store.units("sample")] == [1]

    def test_a_unit_that_is_not_told_of_is_to_be_planned_again(self, store: ResultsStore) -> None:
        claim = _take(store, _block("a", [0, 1, 2]))
        store.finish(claim, _ends(_block("a", [1]), UnitState.FAILED))
        (unit,) = store.units("sample")
        assert unit.label == sample_label("N", "model-a", 1)
        store.finish(_take(store, _block("b")), ())
        assert len(store.units("sample")) == 1

    def test_a_crash_leaves_no_unit_running(self, store: ResultsStore) -> None:
        _take(store, _block("a", [0, 1, 2]), "dead", _SHORT)
        _let_lapse()
        assert [unit.state for unit in store.units("sample", [UnitState.CRASHED])] == [UnitState.CRASHED] * 3
        assert store.units("sample", [UnitState.RUNNING]) == []
        # The dead one had finished unit 0, so the next claim is for the others.
        claim = _take(store, _block("a", [1, 2]), "next")
        running = store.units("sample", [UnitState.RUNNING])
        assert [unit.attempts for unit in running] == [2, 2]
        store.finish(claim, _ends(_block("a", [1, 2])))
        assert store.units("sample") == []

    def test_an_earlier_failure_outlives_a_claim_of_other_units(self, store: ResultsStore) -> None:
        store.finish(_take(store, _block("a", [0])), _ends(_block("a", [0]), UnitState.FAILED))
        store.finish(_take(store, _block("a", [1])), _ends(_block("a", [1])))
        (unit,) = store.units("sample")
        assert (unit.label, unit.state) == (sample_label("N", "model-a", 0), UnitState.FAILED)

    def test_the_end_of_a_unit_of_an_earlier_claim_keeps_its_attempts(self, store: ResultsStore) -> None:
        _take(store, _block("a", [0]), ttl=timedelta(0))
        claim = _take(store, _block("a", [1]))
        store.finish(claim, _ends(_block("a", [0]), UnitState.FAILED))
        (unit,) = store.units("sample")
        assert (unit.label, unit.attempts) == (sample_label("N", "model-a", 0), 1)
