"""How runs stand, how long they last and how fast they are."""

from datetime import datetime, timedelta
from typing import Final

from forequake.environment import owner_is_dead
from forequake.results import RunRecord, RunState, Stage
from stores import LEASE

__all__ = ["duration_of", "results_a_minute", "state_of", "trigger_of"]

#: A run tells of itself four times within a lease; a little later it is given up.
_SILENCE: Final = LEASE + timedelta(seconds=10)


def state_of(run: RunRecord, moment: datetime) -> str:
    """Say how a run stands; one whose heart stopped crashed, though nobody has marked it yet."""
    if run.state is RunState.RUNNING and (moment - run.heartbeat_at > _SILENCE or owner_is_dead(run.owner)):
        return RunState.CRASHED.value
    return run.state.value


def trigger_of(run: RunRecord) -> str:
    """Say what began a run."""
    return "schedule" if "scheduled" in run.tags else "by hand"


def results_a_minute(run: RunRecord, moment: datetime) -> float | None:
    """Give how many results a run computes in a minute; None where that is not known.

    Of a run under way that is what it had computed when it last told of itself.
    """
    if run.ended_at is not None:
        count, until = run.counts.computed, run.ended_at
    else:
        stages = () if run.timings is None else run.timings.stages
        count = sum(timing.number for timing in stages if timing.stage is Stage.TESTS)
        until = min(run.heartbeat_at, moment)
    seconds = (until - run.started_at).total_seconds()
    return 60 * count / seconds if count and seconds > 0 else None


def duration_of(run: RunRecord, moment: datetime) -> str:
    """Say how long a run lasts, or did: up to its last heartbeat where it crashed."""
    crashed = state_of(run, moment) == RunState.CRASHED.value
    end = run.ended_at or (run.heartbeat_at if crashed else moment)
    seconds = max((end - run.started_at).total_seconds(), 0.0)
    if seconds < 120:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s" if minutes < 120 else f"{minutes // 60} h {minutes % 60} min"
