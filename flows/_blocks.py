"""Computing one block of results under its claim, and marking those that cannot be computed."""

import contextlib
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from flows._patience import run_logger
from flows._session import Session
from forequake.across import AcrossInputs, nothing_there, present_inputs
from forequake.errors import ClaimLost, ForequakeError, Interrupted, StoreError
from forequake.evaluations import ResultInputs
from forequake.experiments import Experiment
from forequake.quantities import Sha256
from forequake.results import (
    EvaluationRecord,
    Label,
    Outcome,
    Record,
    RunCounts,
    Stage,
    UnitEnd,
    UnitError,
    UnitState,
)
from forequake.shelf import ForecastShelf
from forequake.timers import Timing, collecting
from forequake.units import evaluate_unit
from stores import Binding, Block, Claim, ResultsStore, RunRef

__all__ = ["BlockWork", "Broken", "compute_block", "mark_upstream_failed"]

#: Forecasts that could not be made: by the names of models, the ids of windows with the reasons.
Broken = dict[str, dict[str, str]]

#: Results are written when so many wait, or after so many seconds: what a crash may cost.
_BATCH: Final = 200
_BATCH_SECONDS: Final = 5.0
#: How often a block that somebody else holds is looked at again, in seconds.
_PATIENCE: Final = 1.0


@dataclass(frozen=True)
class BlockWork:
    """A block as a worker gets it.

    Attributes
    ----------
    labels
        The places whose results are due.
    broken
        Forecasts that could not be made: what needs them ends upstream_failed.
    lacking
        Places whose forecasts are not there, each with the reason.
    """

    id: str
    labels: tuple[Label, ...]
    broken: Broken
    environment: Sha256
    force: bool = False
    lacking: Mapping[Label, str] = field(default_factory=dict)

    def obstacle(self, experiment: Experiment, label: Label) -> str | None:
        """Tell why a result cannot be computed, or give None where it can.

        A result over windows is made from those that are there, and a family is one of the models that have
        a forecast.
        """
        if label in self.lacking or experiment.over_windows(label):
            return self.lacking.get(label)
        for name in (label.model, label.reference):
            if name is not None and label.window.id in self.broken.get(name, {}):
                return f"no forecast of model {name!r}: {self.broken[name][label.window.id]}"
        return None

    def inputs_as_found(
        self, experiment: Experiment, store: ResultsStore, label: Label
    ) -> ResultInputs | AcrossInputs | None:
        """Give what decides a result that depends on what is there; None for others."""
        if experiment.over_windows(label):
            return present_inputs(experiment, store, label)
        window = label.window
        models = experiment.models_of(label, window)
        lost = [name for name in models if window.id in self.broken.get(name, {})]
        if not lost or {label.model, label.reference} & set(lost):
            return None
        return experiment.result_inputs(label).without(
            {experiment.forecast_key(name, window) for name in lost}
        )


@dataclass
class _Writer:
    """Writes results in batches: first the values, then which experiment has them."""

    store: ResultsStore
    run: RunRef
    session: Session
    records: list[Record] = field(default_factory=list)
    bindings: list[Binding] = field(default_factory=list)
    written_at: float = field(default_factory=time.monotonic)

    def add(self, label: Label, key: Sha256, records: Sequence[Record] = ()) -> None:
        self.records += records
        self.bindings.append(Binding(label=label, key=key))
        if len(self.bindings) >= _BATCH or time.monotonic() - self.written_at > _BATCH_SECONDS:
            self.flush()

    def flush(self) -> None:
        if self.bindings:
            with Timing(Stage.STORE, self.bindings[0].label.model, self.bindings[0].label.window):
                if self.records:
                    self.store.put(self.records)
                self.store.publish(self.run, self.bindings)
            self.session.on_progress(len(self.bindings), self.bindings[-1].label.model)
        self.records, self.bindings, self.written_at = [], [], time.monotonic()


def compute_block(
    store: ResultsStore, session: Session, experiment: Experiment, run: RunRef, work: BlockWork
) -> RunCounts:
    """Claim a block, compute what the store lacks of it, write it, and give the block back.

    While another run holds the block this one waits: the results that appear meanwhile are taken over.

    Raises
    ------
    StoreError
        Where the store fails; what was written by then stays, and a repetition continues behind it.
    """
    block = Block(id=work.id, units=work.labels)
    claim = _await_claim(store, session, run, block)
    if claim is None:
        return RunCounts(skipped=len(work.labels))
    try:
        with (
            contextlib.closing(ForecastShelf(experiment, store, session.stop)) as shelf,
            collecting(session.timers(run.id)),
        ):
            counts, ends = _compute(store, session, run, work, shelf)
    except StoreError as error:
        if not error.transient:
            with contextlib.suppress(StoreError):
                store.finish(claim, ())
            session.forget(run, block.id)
        raise
    with contextlib.suppress(ClaimLost):  # our results stand all the same: they are what anybody gets
        store.finish(claim, ends)
    session.forget(run, block.id)
    return counts


def mark_upstream_failed(
    store: ResultsStore, session: Session, experiment: Experiment, run: RunRef, work: BlockWork
) -> RunCounts:
    """Write that none of a block's results can be computed, and why, without submitting it."""
    claim = session.take(store, run, Block(id=work.id, units=work.labels))
    if claim is not None:  # else another run is at it and will come to the same end
        reasons = {label: work.obstacle(experiment, label) or "" for label in work.labels}
        store.finish(claim, [_upstream_failed(label, reason) for label, reason in reasons.items()])
        session.forget(run, work.id)
    session.on_progress(len(work.labels), "upstream failed")
    return RunCounts(upstream_failed=len(work.labels))


def _await_claim(store: ResultsStore, session: Session, run: RunRef, block: Block) -> Claim | None:
    while not session.stop.is_set():
        claim = session.take(store, run, block)
        if claim is not None:
            return claim
        session.on_progress(0, "waiting for another run that computes the same")
        session.stop.wait(_PATIENCE)
    return None


def _compute(
    store: ResultsStore, session: Session, run: RunRef, work: BlockWork, shelf: ForecastShelf
) -> tuple[RunCounts, list[UnitEnd]]:
    experiment = shelf.experiment
    found = {label: work.inputs_as_found(experiment, store, label) for label in work.labels}
    keys = {
        label: experiment.result_key(label) if inputs is None else inputs.key
        for label, inputs in found.items()
    }
    known = set() if work.force else set(store.existing(EvaluationRecord, tuple(keys.values())))
    computed = session.computed(run, work.id)  # also by attempts that a failing store cut off
    writer = _Writer(store, run, session)
    ends: list[UnitEnd] = []
    tally = dict.fromkeys(RunCounts.model_fields, 0)
    for label, key in keys.items():
        obstacle = work.obstacle(experiment, label) or nothing_there(found[label])
        if session.stop.is_set() or session.lost(work.id):
            tally["skipped"] += 1
        elif key in known:
            writer.add(label, key)
            tally["computed" if label in computed else "cached"] += 1
            tally["undefined"] += computed.get(label) is Outcome.UNDEFINED
        elif obstacle is not None:
            ends.append(_upstream_failed(label, obstacle))
            session.on_progress(1, label.model)
            tally["upstream_failed"] += 1
        else:
            try:
                with Timing(Stage.TESTS, label.model, label.window, label.test):
                    record, distribution = evaluate_unit(
                        experiment,
                        shelf,
                        label,
                        found[label] or experiment.result_inputs(label),
                        work.environment,
                    )
            except StoreError:
                raise
            except Interrupted:  # a user's own test that was under way
                tally["skipped"] += 1
                continue
            except Exception as error:  # noqa: BLE001  # one result's defect is not the whole block's
                ends.append(UnitEnd(label=label, state=UnitState.FAILED, error=_trouble(label, error)))
                session.on_progress(1, label.model)
                tally["failed"] += 1
                continue
            # Before it is written, which may fail and be obeyed all the same.
            computed[label] = record.outcome
            writer.add(label, key, [record] if distribution is None else [record, distribution])
            known.add(key)  # places with equal inputs have one value
            ends.append(UnitEnd(label=label, state=UnitState.SUCCEEDED))
            tally["computed"] += 1
            tally["undefined"] += record.outcome is Outcome.UNDEFINED
    writer.flush()
    return RunCounts(**tally), ends


def _trouble(label: Label, error: Exception) -> UnitError:
    """Say what went wrong; a defect of forequake's own goes into the run's log with its traceback."""
    if isinstance(error, ForequakeError):
        return UnitError(kind=type(error).__name__, message=str(error))
    place = f"{label.test} of {label.model} for {label.window.id}"
    run_logger().error("%s: an error that was not foreseen", place, exc_info=error)
    return UnitError(kind=type(error).__name__, message=f"an error that was not foreseen: {error!r}")


def _upstream_failed(label: Label, reason: str) -> UnitEnd:
    return UnitEnd(
        label=label,
        state=UnitState.UPSTREAM_FAILED,
        error=UnitError(kind="UpstreamFailed", message=reason),
    )
