"""One run from its files to its end: what the flow `run-experiment` does, step by step."""

import io
from functools import partial
from typing import Any

from prefect import get_run_logger, tags
from prefect.client.schemas.objects import State
from prefect.exceptions import TerminationSignal
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from flows._patience import patiently
from flows._preparation import begin_prepared, preparation_timings, reconcile
from flows._report import make_report
from flows._session import Session, current_session
from flows._stages import RunRequest, RunUnderWay, collect, work
from flows._tasks import describe_counts, open_named_store
from forequake.config import LoadedExperiment
from forequake.environment import git_state, record_environment
from forequake.errors import Conflict, StoreUnavailable
from forequake.experiments import Experiment
from forequake.model_runs import run_shelf
from forequake.models.holds import remove_abandoned
from forequake.own_code import own_file_contents
from forequake.plan import Selection
from forequake.processes import end_orphans
from forequake.quantities import now
from forequake.results import RunChange, RunDraft, RunRecord, RunState
from stores import ResultsStore, RunRef

__all__ = ["RunRequest", "execute"]


def execute(request: RunRequest) -> State[dict[str, int]]:
    """Do a run and give the flow's final state: failed where any unit failed, with what was done stored.

    Raises
    ------
    InputError
        Before anything was written, where the user's files or names are wrong.
    StoreError
        Where the store failed for longer than the retries.
    """
    renewal, sealing = request.renewal(now()), request.sealing(partial(open_named_store, request.store))
    loaded, experiment = begin_prepared(request.config, get_run_logger().info, renewal, sealing)
    selection = Selection(request.models, request.tests, request.windows)
    selection.check(experiment)
    selection = selection.with_parts(experiment)
    session = current_session()
    store = patiently(session, open_named_store, request.store)
    for data in own_file_contents(loaded, experiment.inputs):
        patiently(session, store.put_blob, io.BytesIO(data))
    patiently(session, store.put, [experiment.record, record_environment()])
    patiently(session, reconcile, store, experiment.name)
    end_orphans(run_shelf())
    remove_abandoned(run_shelf(), "made-")
    begun = _begin(store, session, _draft(request, loaded, experiment, session))
    reference = RunRef(id=begun.id, experiment=begun.experiment, run_no=begun.run_no)
    this = RunUnderWay(request, store, session, experiment, reference, record_environment().key, renewal)
    session.timers(begun.id).add_all(preparation_timings(experiment.record.key))
    session.keep_alive(store, reference)
    state = RunState.CRASHED
    try:
        with tags(experiment.name):
            work(this, selection)
        state = _final_state(this)
    except TerminationSignal:  # Prefect's form of SIGTERM, also when a run is cancelled in its pages
        session.stop.set()
        collect(this)
        state = RunState.INTERRUPTED
    except StoreUnavailable:
        this.patient = False  # it was asked for long enough
        raise
    finally:  # also where an interrupt or a failing store ends the run: it must not seem to be running
        session.let_go(reference)
        ended = _end(this, state)
        session.forget_timers(reference.id)
    if request.report is not None and ended.state in (RunState.COMPLETED, RunState.FAILED):
        make_report(store, request.config, request.report, experiment.name)
    return _flow_state(ended)


def _draft(
    request: RunRequest, loaded: LoadedExperiment, experiment: Experiment, session: Session
) -> RunDraft:
    commit, dirty = git_state(loaded.folder)
    return RunDraft(
        experiment=experiment.name,
        experiment_key=experiment.record.key,
        owner=session.owner,
        command=_command(request),
        git_commit=commit,
        git_dirty=dirty,
        environment=record_environment().key,
        host=session.owner.split("/")[0],
        seed=experiment.config.seed,
        label=request.label,
        tags=("forequake", experiment.name, *(("scheduled",) if request.scheduled else ())),
        flow_run_id=flow_run.get_id(),
    )


def _command(request: RunRequest) -> tuple[str, ...]:
    words = ["forequake", "run", request.config, "--store", request.store]
    for option, names in (
        ("--model", request.models),
        ("--test", request.tests),
        ("--window", request.windows),
        ("--force-stage", request.force_stage),
        ("--force-build", request.force_build),
    ):
        words += [word for name in names for word in (option, name)]
    words += ["--force-forecasts"] if request.force_forecasts else []
    if request.report is not None:
        words += ["--report", request.report]
    return (*words, "--force") if request.force else tuple(words)


def _final_state(this: RunUnderWay) -> RunState:
    if this.session.stop.is_set():
        return RunState.INTERRUPTED
    failed = this.tally.failed + this.tally.upstream_failed
    return RunState.FAILED if failed else RunState.COMPLETED


def _begin(store: ResultsStore, session: Session, draft: RunDraft) -> RunRecord:
    """Begin a run once, also where the answer of the store to the first call is lost."""
    asked = False

    def begin() -> RunRecord:
        nonlocal asked
        if asked:
            for run in store.runs(draft.experiment):
                ours = run.flow_run_id == draft.flow_run_id and run.owner == draft.owner
                if ours and run.state is RunState.RUNNING:
                    return run
        asked = True
        return store.begin_run(draft)

    return patiently(session, begin)


def _end(this: RunUnderWay, state: RunState) -> RunRecord:
    if state is RunState.CRASHED and this.session.stop.is_set():
        state = RunState.INTERRUPTED
    timings = this.session.timers(this.run.id).timings()
    change = RunChange(state=state, counts=this.tally, timings=timings)

    def end() -> RunRecord:
        try:
            return this.store.update_run(this.run, change, expect=RunState.RUNNING)
        except Conflict:
            for run in this.store.runs(this.run.experiment):
                if (run.id, run.state, run.counts) == (this.run.id, state, this.tally):
                    return run  # it ended by an earlier call, whose answer was lost
            raise

    return this.ask(end)


def _flow_state(run: RunRecord) -> State[dict[str, int]]:
    counts: dict[str, Any] = run.counts.model_dump()
    message = describe_counts(run.counts)
    if run.state is RunState.COMPLETED:
        return Completed(message=message, data=counts)
    name = "Interrupted" if run.state is RunState.INTERRUPTED else "CompletedWithErrors"
    return Failed(name=name, message=message)
