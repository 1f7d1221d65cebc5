"""One run from its files to its end: what the flow `run-experiment` does, step by step."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from prefect import get_run_logger, tags
from prefect.client.schemas.objects import State
from prefect.exceptions import TerminationSignal
from prefect.futures import PrefectFuture
from prefect.runtime import flow_run
from prefect.states import Completed, Failed

from flows._blocks import BlockWork, mark_upstream_failed
from flows._preparation import prepare, reconcile
from flows._session import Session, current_session
from flows._tasks import (
    aggregate,
    describe_counts,
    evaluate_block,
    make_forecast,
    open_named_store,
    report,
    snapshot_catalog,
    stage_model_source,
)
from forequake.config import LoadedExperiment
from forequake.environment import git_state, record_environment
from forequake.errors import StoreError
from forequake.experiments import Experiment
from forequake.plan import Plan, PlannedBlock, Selection, plan_experiment, result_keys
from forequake.quantities import Sha256
from forequake.results import (
    BAD_ENDS,
    EvaluationRecord,
    RunChange,
    RunCounts,
    RunDraft,
    RunRecord,
    RunState,
    UnitEnd,
    UnitState,
)
from stores import Binding, Block, ResultsStore, RunRef

__all__ = ["RunRequest", "execute"]

T = TypeVar("T")

#: Bindings of results that exist already are published in batches of so many.
_BATCH: Final = 1000


@dataclass(frozen=True)
class RunRequest:
    """The parameters of the flow."""

    config: str
    label: str | None
    store: str
    models: tuple[str, ...]
    tests: tuple[str, ...]
    windows: tuple[str, ...]
    force: bool


@dataclass
class _Run:
    """What the steps of one run share."""

    request: RunRequest
    store: ResultsStore
    session: Session
    experiment: Experiment
    run: RunRef
    environment: Sha256
    tally: RunCounts = field(default_factory=RunCounts)
    blocks: list[tuple[int, PrefectFuture[dict[str, int]]]] = field(default_factory=list)

    @property
    def key(self) -> Sha256:
        return self.experiment.record.key

    def count(self, counts: RunCounts | Mapping[str, int]) -> None:
        more = counts.model_dump() if isinstance(counts, RunCounts) else counts
        self.tally = RunCounts(
            **{name: value + more[name] for name, value in self.tally.model_dump().items()}
        )


def execute(request: RunRequest) -> State[dict[str, int]]:
    """Do a run and give the flow's final state: failed where any unit failed, with what was done stored.

    Raises
    ------
    InputError
        Before anything was written, where the user's files or names are wrong.
    StoreError
        Where the store failed for longer than the retries.
    """
    loaded, experiment = prepare(request.config)
    selection = Selection(request.models, request.tests, request.windows)
    selection.check(experiment)
    store = open_named_store(request.store)
    store.put([experiment.record, record_environment()])
    reconcile(store, experiment.name)
    session = current_session()
    begun = store.begin_run(_draft(request, loaded, experiment, session))
    reference = RunRef(id=begun.id, experiment=begun.experiment, run_no=begun.run_no)
    this = _Run(request, store, session, experiment, reference, record_environment().key)
    session.keep_alive(store, reference)
    state = RunState.CRASHED
    try:
        with tags(experiment.name):
            _work(this, selection)
        state = _final_state(this)
    except TerminationSignal:  # Prefect's form of SIGTERM, also when a run is cancelled in its pages
        session.stop.set()
        _collect(this)
        state = RunState.INTERRUPTED
    finally:  # also where an interrupt or a failing store ends the run: it must not seem to be running
        session.let_go(reference)
        ended = _end(this, state)
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
        tags=("forequake", experiment.name),
        flow_run_id=flow_run.get_id(),
    )


def _command(request: RunRequest) -> tuple[str, ...]:
    words = ["forequake", "run", request.config, "--store", request.store]
    for option, names in (
        ("--model", request.models),
        ("--test", request.tests),
        ("--window", request.windows),
    ):
        words += [word for name in names for word in (option, name)]
    return (*words, "--force") if request.force else tuple(words)


def _work(this: _Run, selection: Selection) -> None:
    log = get_run_logger()
    keys = result_keys(this.experiment, selection)
    known = this.store.existing(EvaluationRecord, tuple(keys.values()))
    plan = plan_experiment(this.experiment, keys, known, force=this.request.force)
    log.info(
        "%s, run %d: %d results, %d of them stored already, %d due",
        this.experiment.name,
        this.run.run_no,
        len(plan.units),
        len(plan.cached),
        len(plan.due),
    )
    this.session.on_plan(len(plan.units), len(plan.cached))
    _publish_cached(this, plan)
    if plan.due:
        snapshot_catalog.submit(this.request.store, this.request.config, this.key).result()
        broken = _forecasts(this, plan)
        _evaluations(this, plan, broken)
    total = aggregate.submit(this.request.store, this.experiment.name).result()
    report.submit(this.request.store, this.experiment.name, describe_counts(this.tally)).result()
    log.info("%s has %d results now; this run: %s", this.experiment.name, total, describe_counts(this.tally))


def _publish_cached(this: _Run, plan: Plan) -> None:
    bindings = [Binding(label=unit.label, key=unit.key) for unit in plan.cached]
    for begin in range(0, len(bindings), _BATCH):
        batch = bindings[begin : begin + _BATCH]
        this.store.publish(this.run, batch)
        this.session.on_progress(len(batch), "stored already")
    this.count(RunCounts(cached=len(bindings)))
    _forget_old_troubles(this, plan)


def _forget_old_troubles(this: _Run, plan: Plan) -> None:
    """Take units off the list whose results are stored: a process died between writing them and saying so."""
    bad = {unit.label.slot for unit in this.store.units(this.experiment.name, BAD_ENDS)}
    labels = tuple(unit.label for unit in plan.cached if unit.label.slot in bad)
    if not labels:
        return
    claim = this.session.take(this.store, this.run, Block(id=f"stored by {this.run.id}", units=labels))
    if claim is not None:
        ends = [UnitEnd(label=label, state=UnitState.SUCCEEDED) for label in labels]
        this.store.finish(claim, ends)
        this.session.forget(this.run, claim.block)


def _forecasts(this: _Run, plan: Plan) -> dict[str, str]:
    """Make the forecasts that the due results need; give the models that have none, each with the reason."""
    request = this.request
    broken: dict[str, str] = {}
    staged = {
        model: stage_model_source.submit(request.config, this.key, model) for model in plan.models_needed
    }
    making: dict[str, PrefectFuture[int]] = {}
    # A task below a failed one would stay pending in Prefect for ever: it is never submitted.
    for model, future in staged.items():
        content = _value(future)
        if isinstance(content, BaseException):
            broken[model] = str(content)
        else:
            windows = _windows_needed(plan, model)
            making[model] = make_forecast.submit(
                request.store, request.config, this.key, model, windows, content
            )
    for model, made in making.items():
        number = _value(made)
        if isinstance(number, BaseException):
            broken[model] = str(number)
    return broken


def _windows_needed(plan: Plan, model: str) -> list[str]:
    places = [unit.label for unit in plan.due if model in (unit.label.model, unit.label.reference)]
    return list(dict.fromkeys(label.window.id for label in places))


def _value(future: PrefectFuture[T]) -> T | BaseException:
    """Wait for a task and give what it returned or raised; what concerns the whole run is raised on."""
    outcome: T | BaseException = future.result(raise_on_failure=False)
    if isinstance(outcome, StoreError):
        raise outcome
    return outcome


def _evaluations(this: _Run, plan: Plan, broken: dict[str, str]) -> None:
    for block in plan.blocks:
        work = BlockWork(
            id=block.id,
            labels=tuple(unit.label for unit in block.units),
            broken=broken,
            environment=this.environment,
            force=this.request.force,
        )
        if all(work.obstacle(label) for label in work.labels):
            this.count(mark_upstream_failed(this.store, this.session, this.run, work))
        else:
            this.blocks.append((len(block.units), _submit(this, block, broken)))
    _collect(this)


def _collect(this: _Run) -> None:
    """Wait for the blocks that were submitted, and count what became of their results.

    A block that breaks is counted as failed as a whole, and its neighbours go on; only a store that fails
    ends the run.
    """
    while this.blocks:
        size, future = this.blocks[0]
        outcome = _value(future)
        if isinstance(outcome, BaseException):
            get_run_logger().error("a block of %d results broke: %r", size, outcome)
            outcome = RunCounts(failed=size).model_dump()
        this.count(outcome)
        this.blocks.pop(0)


def _submit(this: _Run, block: PlannedBlock, broken: dict[str, str]) -> PrefectFuture[dict[str, int]]:
    return evaluate_block.submit(
        store=this.request.store,
        experiment_key=this.key,
        run=this.run.model_dump(),
        model=block.model,
        block_id=block.id,
        places=[[unit.label.model, unit.label.test, unit.label.window.id] for unit in block.units],
        broken=broken,
        environment=this.environment,
        force=this.request.force,
    )


def _final_state(this: _Run) -> RunState:
    if this.session.stop.is_set():
        return RunState.INTERRUPTED
    failed = this.tally.failed + this.tally.upstream_failed
    return RunState.FAILED if failed else RunState.COMPLETED


def _end(this: _Run, state: RunState) -> RunRecord:
    if state is RunState.CRASHED and this.session.stop.is_set():
        state = RunState.INTERRUPTED
    change = RunChange(state=state, counts=this.tally)
    return this.store.update_run(this.run, change, expect=RunState.RUNNING)


def _flow_state(run: RunRecord) -> State[dict[str, int]]:
    counts: dict[str, Any] = run.counts.model_dump()
    message = describe_counts(run.counts)
    if run.state is RunState.COMPLETED:
        return Completed(message=message, data=counts)
    name = "Interrupted" if run.state is RunState.INTERRUPTED else "CompletedWithErrors"
    return Failed(name=name, message=message)
