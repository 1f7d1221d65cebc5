"""The stages of a run: what is stored already, forecasts, blocks of results, and the summary."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, ParamSpec, TypeVar

from prefect import get_run_logger
from prefect.futures import PrefectFuture

from flows._blocks import BlockWork, Broken, mark_upstream_failed
from flows._patience import patiently
from flows._sealed import Sealing
from flows._session import Session
from flows._tasks import (
    aggregate,
    describe_counts,
    evaluate_block,
    make_forecasts_of,
    place_of,
    report,
    seal_forecasts_of,
    snapshot_catalogs,
    stage_model_source,
)
from forequake.ahead import due_ahead
from forequake.config import FolderModel
from forequake.errors import StoreError
from forequake.experiments import WINDOW_OPEN, Experiment
from forequake.models.demands import Demand
from forequake.plan import (
    Plan,
    PlannedBlock,
    Selection,
    forecasts_needed,
    lacking_forecasts,
    plan_experiment,
    result_keys,
)
from forequake.quantities import Sha256
from forequake.renewal import Renewal
from forequake.results import BAD_ENDS, EvaluationRecord, Label, RunCounts, Stage, UnitEnd, UnitState
from forequake.timers import Timing, collecting
from stores import Binding, Block, ResultsStore, RunRef

__all__ = ["RunRequest", "RunUnderWay", "collect", "work"]

P = ParamSpec("P")
T = TypeVar("T")

#: Bindings of results that exist already are published in batches of so many.
_BATCH: Final = 1000


@dataclass(frozen=True)
class RunRequest:
    """The parameters of the flow.

    Attributes
    ----------
    force_forecasts
        Whether programs make new forecasts in the place of sealed ones.
    scheduled
        No person began the run.
    report
        The file to write a report to when the run has ended; None for none.
    """

    config: str
    label: str | None
    store: str
    models: tuple[str, ...]
    tests: tuple[str, ...]
    windows: tuple[str, ...]
    force: bool
    force_stage: tuple[str, ...] = ()
    force_build: tuple[str, ...] = ()
    force_forecasts: bool = False
    scheduled: bool = False
    report: str | None = None

    def sealing(self, store: Callable[[], ResultsStore]) -> Sealing:
        """Say where the sealed forecasts are, and which of them are made anew."""
        anew = frozenset(self.models), frozenset(self.windows)
        return Sealing(store, anew=anew if self.force_forecasts else None)

    def renewal(self, began: datetime) -> Renewal:
        """Say which models a run that began then fetches and builds anew."""
        return Renewal(began, self.scheduled, frozenset(self.force_stage), frozenset(self.force_build))


@dataclass
class RunUnderWay:
    """What the stages of one run share.

    Attributes
    ----------
    experiment
        As the files were when the run began; every stage speaks of this one.
    environment
        Key of the record of what the run's process has loaded.
    renewal
        Which models are fetched and built anew.
    tally
        What became of the results that were looked at so far.
    blocks
        The blocks that were submitted and not counted yet: number of results, and what will tell.
    patient
        Whether a store that does not answer is asked again.
    """

    request: RunRequest
    store: ResultsStore
    session: Session
    experiment: Experiment
    run: RunRef
    environment: Sha256
    renewal: Renewal
    tally: RunCounts = field(default_factory=RunCounts)
    blocks: list[tuple[int, PrefectFuture[dict[str, int]]]] = field(default_factory=list)
    patient: bool = True

    @property
    def key(self) -> Sha256:
        """The key of the experiment's record."""
        return self.experiment.record.key

    def rebuild(self, model: str) -> Demand | None:
        """Say how new a model's environment must be."""
        spec = self.experiment.model(model)
        return self.renewal.environment(spec) if isinstance(spec, FolderModel) else None

    def count(self, counts: RunCounts | Mapping[str, int]) -> None:
        """Add to the tally."""
        more = counts.model_dump() if isinstance(counts, RunCounts) else counts
        self.tally = RunCounts(
            **{name: value + more[name] for name, value in self.tally.model_dump().items()}
        )

    def ask(self, call: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Ask the store, and again while it does not answer; an interrupt ends the waiting."""
        if not self.patient:
            return call(*args, **kwargs)
        return patiently(self.session, call, *args, **kwargs)


def work(this: RunUnderWay, selection: Selection) -> None:
    """Publish what the store has, and compute and publish what is due.

    Raises
    ------
    StoreError
        Where the store failed for longer than the retries.
    """
    log = get_run_logger()
    keys = result_keys(this.experiment, selection)
    lacking = lacking_forecasts(this.experiment, selection)
    known = this.ask(this.store.existing, EvaluationRecord, tuple(keys.values()))
    plan = plan_experiment(this.experiment, keys, known, force=this.request.force)
    log.info(
        "%s, run %d: %d results, %d of them stored already, %d due",
        this.experiment.name,
        this.run.run_no,
        len(plan.units),
        len(plan.cached),
        len(plan.due),
    )
    this.session.on_plan(len(plan.units) + len(lacking), len(plan.cached))
    ahead = _ahead(this, selection)
    _publish_cached(this, plan)
    _note_lacking(this, lacking)
    if plan.due:
        snapshot_catalogs.submit(this.request.store, this.request.config, this.key, this.run.id).result()
        broken = _forecasts(this, plan)
        _evaluations(this, plan.blocks, broken)
        # They take what the blocks above have stored.
        _evaluations(this, plan.over_windows, broken)
    _count_ahead(this, ahead)
    total = aggregate.submit(this.request.store, this.experiment.name).result()
    report.submit(this.request.store, this.experiment.name, describe_counts(this.tally)).result()
    log.info("%s has %d results now; this run: %s", this.experiment.name, total, describe_counts(this.tally))


_Sealing = dict[str, PrefectFuture[tuple[int, dict[str, str]]]]


def _ahead(this: RunUnderWay, selection: Selection) -> _Sealing:
    """Begin with the forecasts of windows that have not ended, for which there is least time."""
    due = due_ahead(this.experiment, selection.models, selection.windows)
    return {
        model: seal_forecasts_of.submit(
            this.request.store,
            this.request.config,
            this.key,
            this.run.model_dump(),
            model,
            [window.id for window in windows],
            this.rebuild(model),
        )
        for model, windows in due.items()
    }


def _count_ahead(this: RunUnderWay, sealing: _Sealing) -> None:
    """Wait for these forecasts; one that cannot be made counts as failed, and the next run tries again."""
    for model, future in sealing.items():
        outcome = _value(future)
        if isinstance(outcome, BaseException):
            get_run_logger().error("%s: no forecast was sealed: %s", model, outcome)
            outcome = 0, {"": str(outcome)}
        sealed, broken = outcome
        this.count(RunCounts(sealed=sealed, failed=len(broken)))


def _publish_cached(this: RunUnderWay, plan: Plan) -> None:
    bindings = [Binding(label=unit.label, key=unit.key) for unit in plan.cached]
    for begin in range(0, len(bindings), _BATCH):
        batch = bindings[begin : begin + _BATCH]
        with collecting(this.session.timers(this.run.id)), Timing(Stage.STORE):
            this.ask(this.store.publish, this.run, batch)
        this.session.on_progress(len(batch), "stored already")
    this.count(RunCounts(cached=len(bindings)))
    _forget_old_troubles(this, plan)


def _forget_old_troubles(this: RunUnderWay, plan: Plan) -> None:
    """Take units off the list whose results are stored: a process died between writing them and saying so."""
    bad = {unit.label.slot for unit in this.ask(this.store.units, this.experiment.name, BAD_ENDS)}
    if not bad:
        return
    labels = tuple(unit.label for unit in plan.cached if unit.label.slot in bad)
    if not labels:
        return
    block = Block(id=f"stored by {this.run.id}", units=labels)
    claim = this.ask(this.session.take, this.store, this.run, block)
    if claim is not None:
        ends = [UnitEnd(label=label, state=UnitState.SUCCEEDED) for label in labels]
        this.ask(this.store.finish, claim, ends)
        this.session.forget(this.run, claim.block)


def _note_lacking(this: RunUnderWay, lacking: Mapping[Label, str]) -> None:
    """Tell of results that cannot be had: those of open windows are waited for, the others have failed."""
    absent = {label: reason for label, reason in lacking.items() if reason != WINDOW_OPEN}
    waiting = len(lacking) - len(absent)
    if waiting:
        get_run_logger().info("%d results wait for windows that have not ended", waiting)
        this.session.on_progress(waiting, "waiting for windows to end")
        this.count(RunCounts(waiting=waiting))
    for model in dict.fromkeys(label.model for label in absent):
        labels = tuple(label for label in absent if label.model == model)
        part = BlockWork(
            id=f"without forecasts {this.experiment.name} {model}",
            labels=labels,
            broken={},
            environment=this.environment,
            lacking=absent,
        )
        this.count(this.ask(mark_upstream_failed, this.store, this.session, this.experiment, this.run, part))


def _forecasts(this: RunUnderWay, plan: Plan) -> Broken:
    """Make the forecasts that the due results need; give those that cannot be had, each with the reason."""
    request = this.request
    broken: Broken = {}
    needed = forecasts_needed(this.experiment, plan)
    staged = {
        model: stage_model_source.submit(request.store, request.config, this.key, model) for model in needed
    }
    making: dict[str, PrefectFuture[dict[str, str]]] = {}
    # A task below a failed one would stay pending in Prefect for ever: it is never submitted.
    for model, future in staged.items():
        trouble = _value(future)
        if isinstance(trouble, BaseException):
            broken[model] = dict.fromkeys(needed[model], str(trouble))
        else:
            making[model] = make_forecasts_of.submit(
                request.store,
                request.config,
                this.key,
                this.run.id,
                model,
                needed[model],
                this.rebuild(model),
            )
    for model, made in making.items():
        reasons = _value(made)
        if isinstance(reasons, BaseException):
            reasons = dict.fromkeys(needed[model], str(reasons))
        if reasons:
            broken[model] = reasons
    return broken


def _value(future: PrefectFuture[T]) -> T | BaseException:
    """Wait for a task and give what it returned or raised; what concerns the whole run is raised on."""
    outcome: T | BaseException = future.result(raise_on_failure=False)
    if isinstance(outcome, StoreError):
        raise outcome
    return outcome


def _evaluations(this: RunUnderWay, blocks: Sequence[PlannedBlock], broken: Broken) -> None:
    for block in blocks:
        part = BlockWork(
            id=block.id,
            labels=tuple(unit.label for unit in block.units),
            broken=broken,
            environment=this.environment,
            force=this.request.force,
        )
        if all(part.obstacle(this.experiment, label) for label in part.labels):
            this.count(
                this.ask(mark_upstream_failed, this.store, this.session, this.experiment, this.run, part)
            )
        else:
            this.blocks.append((len(block.units), _submit(this, block, broken)))
    collect(this)


def collect(this: RunUnderWay) -> None:
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


def _submit(this: RunUnderWay, block: PlannedBlock, broken: Broken) -> PrefectFuture[dict[str, int]]:
    return evaluate_block.submit(
        store=this.request.store,
        experiment_key=this.key,
        run=this.run.model_dump(),
        model=block.model,
        block_id=block.id,
        places=[place_of(unit.label) for unit in block.units],
        broken=broken,
        environment=this.environment,
        force=this.request.force,
    )
