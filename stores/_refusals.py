"""What every kind of store refuses, in the same words: errors to be raised, each naming the store."""

from collections.abc import Collection, Iterable

from pydantic import ValidationError

from forequake.errors import ClaimLost, Conflict, CorruptRecord, NotFound, StoreFull
from forequake.quantities import Sha256
from forequake.results import BAD_ENDS, RunRecord, RunState, UnitError, UnitRecord, UnitState
from stores._codec import from_us, to_us
from stores.exchange import Binding, BoundResult, Claim, RunRef

__all__ = [
    "another_run",
    "claim_lost",
    "full",
    "no_experiment_record",
    "no_run",
    "other_state",
    "refuse_foreign",
    "refuse_missing",
    "refuse_other_value",
    "refuse_unended",
    "second_value",
    "unit_error",
]


def no_run(store: str, run: RunRef) -> NotFound:
    """Say that there is no such run."""
    return NotFound(f"{store} has no run {run.run_no} of {run.experiment!r} with the id {run.id}")


def no_experiment_record(store: str, key: Sha256, what: str) -> NotFound:
    """Say that a run's experiment is not there; `what` the run would do."""
    return NotFound(f"{store} has no experiment record {key}: put it before a run of it {what}")


def other_state(store: str, run: RunRecord, expect: RunState) -> Conflict:
    """Say that a run is not as its change expects."""
    return Conflict(
        f"{store}: run {run.run_no} of {run.experiment!r} is {run.state}, not {expect} as expected"
    )


def another_run(store: str, run: RunRecord) -> Conflict:
    """Say that a run's number or id is taken by another one."""
    return Conflict(
        f"{store}: the run {run.run_no} of {run.experiment!r} there is another one than the run with the "
        f"id {run.id}"
    )


def refuse_foreign(run: RunRef, bindings: Iterable[Binding]) -> None:
    """Raise `ValueError` where a label is of another experiment than the run."""
    for binding in bindings:
        if binding.label.experiment != run.experiment:
            message = f"a run of {run.experiment!r} cannot publish for {binding.label.experiment!r}"
            raise ValueError(message)


def refuse_missing(store: str, keys: Iterable[Sha256], there: Collection[Sha256], what: str) -> None:
    """Raise `NotFound` for the first of the results that is not there; `what` would be done with it."""
    for key in keys:
        if key not in there:
            message = f"{store} has no result {key}: put it before {what}"
            raise NotFound(message)


def second_value(store: str, run: RunRef, binding: Binding) -> Conflict:
    """Say that a run has another result in a place already."""
    label = binding.label
    return Conflict(
        f"{store}: run {run.run_no} of {run.experiment!r} has another result already for {label.test} of "
        f"{label.model} in {label.window.id}: a run has one result in a place"
    )


def refuse_other_value(store: str, bound: BoundResult, key: Sha256, bound_us: int) -> None:
    """Raise `Conflict` where a binding stands with another key or another time."""
    label = bound.label
    place = f"{label.test} of {label.model} in {label.window.id}, run {bound.run_no} of {label.experiment!r}"
    if key != bound.key:
        message = f"{store} has another result for {place}: {key} instead of {bound.key}"
        raise Conflict(message)
    if bound_us != to_us(bound.bound_at):
        message = f"{store} has another time for {place}: {from_us(bound_us)} instead of {bound.bound_at}"
        raise Conflict(message)


def refuse_unended(units: Iterable[UnitRecord]) -> None:
    """Raise `ValueError` where a unit that is to be adopted did not end."""
    for unit in units:
        if unit.state not in BAD_ENDS and unit.state is not UnitState.SUCCEEDED:
            message = f"a unit that is {unit.state} cannot be adopted: only one that ended"
            raise ValueError(message)


def claim_lost(store: str, held: Claim, owner: str) -> ClaimLost:
    """Say that a block was claimed anew, by whom (an empty text where it was given back since)."""
    by = f"by {owner} " if owner else ""
    return ClaimLost(
        f"{store}: the block {held.block} was claimed anew {by}after the lease of {held.owner} ran out; "
        "how its units ended was not written"
    )


def full(store: str, what: str) -> StoreFull:
    """Say that there is no space left where the store lives; `what` says whose."""
    return StoreFull(
        f"{store} is full: {what}. What was stored before is safe; make space and run again, which computes "
        "only what is missing"
    )


def unit_error(text: str | None) -> UnitError | None:
    """Read the error of a unit.

    Raises
    ------
    CorruptRecord
        Where the text cannot be read.
    """
    if text is None:
        return None
    try:
        return UnitError.model_validate_json(text)
    except ValidationError as error:
        message = f"the error of a unit cannot be read: {text[:100]!r}"
        raise CorruptRecord(message) from error
