"""The contract of what runs took."""

from collections.abc import Sequence

import pytest

from forequake.results import RunChange, RunState, RunTimings, Stage, UnderWay
from forequake.timers import Timers
from stores.base import ResultsStore
from stores.testing._contract_base import ContractBase, begin, ref
from stores.testing.samples import sample_window

__all__ = ["TimingsContract"]


def _timings(seconds: Sequence[float], number: int = 0) -> RunTimings:
    timers = Timers()
    for each in seconds:
        timers.add(Stage.RUN, "alpha", each, sample_window(number))
    return timers.timings()


class TimingsContract(ContractBase):
    """`timings`, and `update_run` with what a run took."""

    def test_timings_of_runs_add_up(self, store: ResultsStore) -> None:
        first, second = _timings([0.5, 8.0]), _timings([2.0], 1)
        runs = [ref(begin(store)) for _ in range(3)]
        assert store.timings("sample", 10) == ()
        for run, timings in zip(runs[:2], (first, second), strict=True):
            store.update_run(run, RunChange(timings=timings), expect=RunState.RUNNING)
        store.update_run(runs[1], RunChange(), expect=RunState.RUNNING)
        assert [run.timings for run in store.runs("sample")] == [None, second, first]
        assert store.timings("sample") == ()
        assert store.timings("sample", 2) == second.stages
        (both,) = store.timings("sample", 10)
        assert (both.stage, both.model, both.number, both.seconds) == (Stage.RUN, "alpha", 3, 10.5)
        assert (both.longest.seconds, both.longest.window) == (8.0, sample_window().id)
        assert both.median == pytest.approx(2.0, rel=0.05)

    def test_timings_are_of_one_experiment(self, store: ResultsStore) -> None:
        for name, seconds in (("sample", 1.0), ("other", 2.0)):
            change = RunChange(timings=_timings([seconds]))
            store.update_run(ref(begin(store, name)), change, expect=RunState.RUNNING)
        assert [timing.seconds for timing in store.timings("sample", 10)] == [1.0]
        assert store.timings("sample", 0) == store.timings("nothing", 10) == ()

    def test_a_run_says_what_it_is_at(self, store: ResultsStore) -> None:
        run = begin(store)
        at = UnderWay(stage=Stage.RUN, model="alpha", window=sample_window().id, since=run.started_at)
        timings = RunTimings(under_way=(at,))
        store.update_run(ref(run), RunChange(timings=timings), expect=RunState.RUNNING)
        assert store.runs("sample")[0].timings == timings
