"""Timers: what counts in which stage, and what is kept of many times."""

import math
import statistics
import threading
import time
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from forequake.results import OTHER_MODELS, RunRecord, RunTimings, Stage, StageTiming, UnderWay
from forequake.timers import Timers, Timing, collecting
from forequake.windows import TimeWindow

_WINDOW = TimeWindow(start=datetime(2020, 1, 1, tzinfo=UTC), end=datetime(2020, 1, 2, tzinfo=UTC))


def test_no_time_counts_twice() -> None:
    with (
        collecting(Timers()) as timers,
        Timing(Stage.TESTS, "one", _WINDOW, "N") as testing,
        Timing(Stage.READ) as reading,
    ):
        time.sleep(0.02)
        with Timing(Stage.CHECK) as checking:
            time.sleep(0.01)
    assert testing.seconds < 0.01 <= checking.seconds
    assert reading.seconds >= 0.02
    assert testing.inside == {Stage.CHECK: checking.seconds, Stage.READ: reading.seconds}
    found = {timing.stage: timing for timing in timers.stages()}
    assert list(found) == [Stage.READ, Stage.CHECK, Stage.TESTS]
    assert {timing.model for timing in found.values()} == {"one"}
    longest = found[Stage.CHECK].longest
    assert (longest.seconds, longest.window, longest.test) == (checking.seconds, _WINDOW.id, "N")


def test_what_ends_badly_counts_too() -> None:
    timers = Timers()
    seen: list[UnderWay] = []

    def breaks() -> None:
        with Timing(Stage.RUN, "one", _WINDOW):
            seen.extend(timers.timings().under_way)
            raise ZeroDivisionError

    with collecting(timers), pytest.raises(ZeroDivisionError):
        breaks()
    assert [(each.stage, each.model, each.window) for each in seen] == [(Stage.RUN, "one", _WINDOW.id)]
    (timing,) = timers.timings().stages
    assert (timing.stage, timing.number) == (Stage.RUN, 1)
    assert timers.timings().under_way == ()


def test_nothing_is_kept_where_nobody_asks() -> None:
    with Timing(Stage.READ, "one") as outside:
        pass
    with collecting(Timers()) as timers:
        thread = threading.Thread(target=lambda: Timing(Stage.READ, "one").__enter__())
        thread.start()
        thread.join()
    assert outside.seconds >= 0
    assert timers.timings() == RunTimings()


@given(st.lists(st.floats(1e-6, 1e5), min_size=1, max_size=60), st.integers(0, 60))
def test_a_median_is_right_within_five_percent_however_it_is_added_up(times: list[float], cut: int) -> None:
    parts = [Timers(), Timers()]
    for place, seconds in enumerate(times):
        parts[place >= cut].add(Stage.RUN, "one", seconds)
    whole = Timers()
    for part in parts:
        whole.add_all(part.stages())
    (timing,) = whole.stages()
    exact = statistics.median if len(times) <= 2 else statistics.median_low
    assert timing.median == pytest.approx(exact(times), rel=0.0501)
    assert timing.number == len(times)
    assert timing.seconds == pytest.approx(math.fsum(times))
    assert timing.longest.seconds == max(times)
    assert timing == StageTiming.model_validate_json(timing.model_dump_json())


def test_the_record_of_a_run_with_very_many_models_stays_small() -> None:
    timers = Timers()
    for number in range(1000):
        timers.add(Stage.RUN, f"model {number}", 1.0 + number)
    timers.add(Stage.STORE, None, 0.5)
    stages = timers.timings().stages
    assert len(stages) == 102
    others = next(timing for timing in stages if timing.model == OTHER_MODELS)
    assert (others.number, others.longest.seconds) == (900, 900.0)
    assert math.fsum(timing.seconds for timing in stages) == math.fsum(range(1, 1001)) + 0.5
    assert {timing.model for timing in stages} >= {None, "model 999", "model 900"}


def test_a_clock_that_stands_still_is_no_error() -> None:
    timers = Timers()
    for _ in range(3):
        timers.add(Stage.STORE, None, 0.0)
    (timing,) = timers.stages()
    assert (timing.median, timing.seconds, timing.longest.seconds) == (0.0, 0.0, 0.0)


def test_a_run_of_before_has_no_timings() -> None:
    assert RunRecord.model_fields["timings"].default is None
