"""One tick of a schedule: a run that comes from a deployment and must not stand in another one's way.

A tick first asks whether it is worth anything: a newer one may be due already (a worker that was off finds
all that it missed, the oldest first), another one may be at it, or nothing may be new. Each of these ends
within seconds, completed, with a state and a message that say so, and writes no run. One tick of an
experiment at a time is a matter of a claim in the store, not of a limit in Prefect, whose slots leak when a
process is killed.
"""

import contextlib
import logging
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, Final
from uuid import UUID

from prefect import get_run_logger
from prefect.client.orchestration import get_client
from prefect.client.schemas.filters import (
    FlowRunFilter,
    FlowRunFilterDeploymentId,
    FlowRunFilterExpectedStartTime,
    FlowRunFilterState,
    FlowRunFilterStateType,
)
from prefect.client.schemas.objects import FlowRun, State, StateType
from prefect.client.schemas.sorting import FlowRunSort
from prefect.context import FlowRunContext
from prefect.exceptions import FailedRun
from prefect.states import Completed, Failed

from flows._preparation import prepare, reconcile
from flows._run import RunRequest, execute
from flows._sealed import Sealing
from flows._session import current_session
from flows._tasks import open_named_store
from forequake.ahead import due_ahead
from forequake.errors import ClaimLost, ForequakeError, StoreError
from forequake.experiments import Experiment
from forequake.plan import Selection, result_keys
from forequake.quantities import now
from forequake.results import EvaluationRecord, RunState
from stores import Block, Claim, ResultQuery, ResultsStore

__all__ = ["Tick", "current_tick", "run_tick"]

#: A tick that starts later than this after its time looks whether a newer one is due. Below it, a machine
#: that is slower than the schedule would let every tick give way to the next, and none would ever work.
_LATE: Final = timedelta(seconds=60)
#: So many of the runs that a worker missed are ended at once; the next late one ends the rest.
_MOST_MISSED: Final = 200
_PAGE: Final = 10_000

_State = State[dict[str, int]]


@dataclass(frozen=True)
class Tick:
    """Which run of which deployment this is.

    Attributes
    ----------
    due
        When it was to start.
    scheduled
        Whether the schedule made it; a person did otherwise.
    """

    id: UUID
    deployment: UUID
    due: datetime
    scheduled: bool


def current_tick() -> Tick | None:
    """Tell which tick this flow is; None where it was not started through a deployment."""
    context = FlowRunContext.get()
    run = None if context is None else context.flow_run
    if run is None or run.deployment_id is None:
        return None
    due = run.expected_start_time or now()
    return Tick(id=run.id, deployment=run.deployment_id, due=due, scheduled=run.auto_scheduled)


def run_tick(request: RunRequest, tick: Tick) -> _State:
    """Do what is due of an experiment, unless another tick does it or nothing is new.

    Returns
    -------
    State
        ``Superseded``, ``Skipped`` or ``NothingNew`` (all of them completed) where there was nothing to do
        for this tick; what the run ended in; or ``Failed`` with one sentence where the user's files, the
        store or the machine did not let it run: the next tick tries again.
    """
    log = get_run_logger()
    try:
        with _deaf_to_interrupts():
            state = _superseded(tick) or _run_alone(request, tick)
    except ForequakeError as error:
        log.error("%s", error)
        state = Failed(message=str(error))
    if state.is_failed():
        # Prefect would log a traceback of its own workings behind the sentence that says what is wrong.
        logging.getLogger("prefect.flow_runs").addFilter(_is_no_failed_run)
    if state.is_completed() and state.name != "Completed":
        log.info("%s: %s", state.name, state.message)
    return state


def _is_no_failed_run(record: logging.LogRecord) -> bool:
    return not (record.exc_info and isinstance(record.exc_info[1], FailedRun))


@contextmanager
def _deaf_to_interrupts() -> Iterator[None]:
    """Leave Ctrl-C to the process that started this one: it ends its ticks in order, by SIGTERM."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


# --- lateness ----------------------------------------------------------------------------------------


def _superseded(tick: Tick) -> _State | None:
    """End a late tick where a newer one of its schedule is due; end those between the two as well."""
    if not tick.scheduled or now() - tick.due <= _LATE:
        return None
    with get_client(sync_client=True) as client:
        due = FlowRunFilter(
            deployment_id=FlowRunFilterDeploymentId(any_=[tick.deployment]),
            expected_start_time=FlowRunFilterExpectedStartTime(after_=tick.due, before_=now()),
        )
        newest = client.read_flow_runs(
            flow_run_filter=due, sort=FlowRunSort.EXPECTED_START_TIME_DESC, limit=20
        )
        times = [_due(run) for run in newest if run.auto_scheduled and run.id != tick.id]
        latest = max(times, default=tick.due)
        if latest <= tick.due:
            return None
        waiting = FlowRunFilter(
            deployment_id=due.deployment_id,
            expected_start_time=due.expected_start_time,
            state=FlowRunFilterState(type=FlowRunFilterStateType(any_=[StateType.SCHEDULED])),
        )
        found = client.read_flow_runs(flow_run_filter=waiting, limit=_MOST_MISSED)
        stale = [run.id for run in found if run.auto_scheduled and _due(run) < latest]
        message = f"a newer tick, due {latest:%Y-%m-%d %H:%M:%S} UTC, does what this one would have done"
        for identity in stale:
            client.set_flow_run_state(identity, Completed(name="Superseded", message=message))
    if stale:
        message += f"; {len(stale)} more that were late were ended with it"
    return Completed(name="Superseded", message=message)


def _due(run: FlowRun) -> datetime:
    return run.expected_start_time or datetime.max.replace(tzinfo=now().tzinfo)


# --- one at a time -----------------------------------------------------------------------------------


def _run_alone(request: RunRequest, tick: Tick) -> _State:
    """Do a run under the claim of its experiment; give way where another tick holds it.

    Sources of models are asked anew only where something is due.
    """
    opened = partial(open_named_store, request.store)
    _, experiment = prepare(request.config, get_run_logger().info, sealing=Sealing(opened))
    selection = Selection(request.models, request.tests, request.windows)
    selection.check(experiment)
    selection = selection.with_parts(experiment)
    store = opened()
    claim = _take(store, experiment.name)
    if claim is None:
        return Completed(name="Skipped", message=_who_is_at_it(store, experiment.name))
    try:
        if not request.force and not request.force_forecasts:
            stored = _all_stored(store, experiment, selection)
            if stored is not None:
                return Completed(name="NothingNew", message=f"all {stored} results are stored")
        return execute(replace(request, scheduled=tick.scheduled))
    finally:
        # A claim that cannot be given back runs out by itself.
        with contextlib.suppress(ClaimLost, StoreError):
            store.finish(claim, ())


def _take(store: ResultsStore, experiment: str) -> Claim | None:
    block = Block(id=f"tick of {experiment}", units=())
    owner = current_session().owner
    claims = store.claim([block], owner)
    if not claims:
        reconcile(store, experiment)  # a holder that was killed on this host need not be waited for
        claims = store.claim([block], owner)
    return claims[0] if claims else None


def _who_is_at_it(store: ResultsStore, experiment: str) -> str:
    run = next((run for run in store.runs(experiment) if run.state is RunState.RUNNING), None)
    if run is None:
        return f"another tick of {experiment} is just beginning or ending"
    process = run.owner.split("/")[2:3]
    return (
        f"run {run.run_no} of {experiment} is at it since {run.started_at:%Y-%m-%d %H:%M:%S} UTC "
        f"(on {run.host}{', process ' + process[0] if process else ''}); the next tick looks again"
    )


def _all_stored(store: ResultsStore, experiment: Experiment, selection: Selection) -> int | None:
    """Give the number of results where all are stored and stand in their places; None where a run is due."""
    if due_ahead(experiment, selection.models, selection.windows):
        return None
    summary = next((each for each in store.experiments() if each.name == experiment.name), None)
    if summary is None or summary.record_key != experiment.record.key:
        return None
    keys = result_keys(experiment, selection)
    if len(store.existing(EvaluationRecord, tuple(keys.values()))) < len(set(keys.values())):
        return None
    slots = {label.slot: key for label, key in keys.items()}
    if any(unit.label.slot in slots for unit in store.units(experiment.name)):
        return None  # left by a process that died between writing a result and saying so
    standing = dict(_standing(store, experiment.name))
    return len(slots) if all(standing.get(slot) == key for slot, key in slots.items()) else None


def _standing(store: ResultsStore, experiment: str) -> Iterator[tuple[Any, Any]]:
    """Give the slot and the key of each result that an experiment has now."""
    cursor = None
    while True:
        page = store.latest(ResultQuery(experiment=experiment, limit=_PAGE, cursor=cursor))
        yield from ((row.label.slot, row.key) for row in page.rows)
        cursor = page.cursor
        if cursor is None:
            return
