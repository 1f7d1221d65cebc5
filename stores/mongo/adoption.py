"""Taking over runs, bindings and units from another store, as it has them."""

from collections.abc import Collection, Sequence

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from forequake.errors import CorruptRecord, NotFound
from forequake.quantities import Sha256
from forequake.results import RunRecord, UnitRecord, UnitState
from stores._codec import to_us
from stores._latest import Latest, label_fields, latest_fields
from stores._refusals import (
    another_run,
    no_experiment_record,
    refuse_missing,
    refuse_other_value,
    refuse_unended,
)
from stores.exchange import BoundResult
from stores.mongo.care import latest_expected, latest_stored, write_expected
from stores.mongo.places import binding_id
from stores.mongo.records import in_pieces, insert_new, present
from stores.mongo.runs import run_document
from stores.mongo.server import Document

__all__ = ["adopt"]

_PIECE = 1000


def adopt(
    db: Database[Document],
    runs: Sequence[RunRecord],
    bindings: Sequence[BoundResult],
    units: Sequence[UnitRecord],
    store: str,
) -> None:
    """Take over runs, bindings and units; see `ResultsStore.adopt`."""
    refuse_unended(units)
    for run in runs:
        _refuse_other_run(db, run, store)
    _refuse_twice(runs, store)
    _refuse_loose(db, runs, bindings, store)
    new = _new_bindings(db, bindings, store)
    for run in runs:
        _adopt_run(db, run, store)
    for piece in in_pieces(new, _PIECE):
        insert_new(db, "bindings", piece)
    _renew_latest(db, bindings)
    for unit in units:
        _adopt_unit(db, unit)


def _refuse_other_run(db: Database[Document], run: RunRecord, store: str) -> None:
    record = {"kind": "experiment", "key": run.experiment_key}
    if db["records"].find_one({"_id": record}, {"_id": 1}) is None:
        raise no_experiment_record(store, run.experiment_key, "is adopted")
    same = [{"_id": run.id}, {"experiment": run.experiment, "run_no": run.run_no}]
    for other in db["runs"].find({"$or": same}, {"experiment": 1, "run_no": 1}):
        if (other["_id"], other["experiment"], other["run_no"]) != (run.id, run.experiment, run.run_no):
            raise another_run(store, run)


def _refuse_twice(runs: Sequence[RunRecord], store: str) -> None:
    ids: dict[str, tuple[str, int]] = {}
    numbers: dict[tuple[str, int], str] = {}
    for run in runs:
        place = run.experiment, run.run_no
        if ids.setdefault(run.id, place) != place or numbers.setdefault(place, run.id) != run.id:
            raise another_run(store, run)


def _refuse_loose(
    db: Database[Document], runs: Collection[RunRecord], bindings: Collection[BoundResult], store: str
) -> None:
    """Refuse bindings whose run or result is not there."""
    coming = {(run.experiment, run.run_no) for run in runs}
    for experiment, run_no in sorted({(bound.label.experiment, bound.run_no) for bound in bindings} - coming):
        if db["runs"].find_one({"experiment": experiment, "run_no": run_no}, {"_id": 1}) is None:
            message = f"{store} has no run {run_no} of {experiment!r}: adopt it before its bindings"
            raise NotFound(message)
    keys = {bound.key for bound in bindings}
    refuse_missing(store, sorted(keys), present(db, "results", keys), "its binding is adopted")


def _new_bindings(db: Database[Document], bindings: Sequence[BoundResult], store: str) -> list[Document]:
    """Give those that are not there yet, and refuse what contradicts those that are, or one another."""
    stands: dict[tuple[Sha256, int], tuple[Sha256, int]] = {}
    for piece in in_pieces(bindings, _PIECE):
        ids = [binding_id(bound.label.slot, bound.run_no) for bound in piece]
        for each in db["bindings"].find({"_id": {"$in": ids}}, {"key": 1, "bound_us": 1}):
            stands[each["_id"]["slot"], each["_id"]["run_no"]] = (each["key"], each["bound_us"])
    new = []
    for bound in bindings:
        place, value = (bound.label.slot, bound.run_no), (bound.key, to_us(bound.bound_at))
        if place not in stands:
            stands[place] = value
            fields = {**label_fields(bound.label), "key": bound.key, "bound_us": value[1]}
            new.append({"_id": binding_id(*place), **fields})
        else:
            refuse_other_value(store, bound, *stands[place])
    return new


def _adopt_run(db: Database[Document], run: RunRecord, store: str) -> None:
    # The number is taken first: a run that begins meanwhile gets a higher one. The record of the highest run
    # is the experiment's, as if the runs had begun here in their order.
    higher = {"$gte": [run.run_no, {"$ifNull": ["$last_run", 0]}]}
    change: Document = {
        "record_key": {"$cond": [higher, run.experiment_key, "$record_key"]},
        "last_run": {"$max": [run.run_no, {"$ifNull": ["$last_run", 0]}]},
        "token": {"$ifNull": ["$token", 0]},
    }
    db["experiments"].update_one({"_id": run.experiment}, [{"$set": change}], upsert=True)
    try:
        db["runs"].replace_one({"_id": run.id}, run_document(run), upsert=True)
    except DuplicateKeyError as error:  # a run that began meanwhile has the number
        raise another_run(store, run) from error


def _renew_latest(db: Database[Document], bindings: Sequence[BoundResult]) -> None:
    """Write the latest rows that the bindings give."""
    touched = {bound.label.slot: bound.label.experiment for bound in bindings}
    changed = set()
    try:
        for piece in in_pieces(touched, _PIECE):
            pending: list[Sha256] = list(piece)
            while pending:
                pending, written = _renew(db, pending)
                changed |= {touched[slot] for slot in written}
    finally:
        if changed:
            db["experiments"].update_many({"_id": {"$in": sorted(changed)}}, {"$inc": {"token": 1}})


def _renew(db: Database[Document], slots: list[Sha256]) -> tuple[list[Sha256], list[Sha256]]:
    """Write rows; give the slots where somebody else wrote at the same time, and those that were changed."""
    rows = {each["_id"]: each for each in db["latest"].find({"_id": {"$in": slots}})}
    new: list[Document] = []
    again: list[Sha256] = []
    written: list[Sha256] = []
    for slot, expected in latest_expected(db, slots).items():
        document = rows.get(slot)
        if expected is None:
            continue
        if document is None:  # as a whole copy begins: written together
            new.append({"_id": slot, **latest_fields(expected)})
            continue
        stands = _stands(document)
        if stands is not None and stands.row.key == expected.row.key:
            run_no = max(stands.row.run_no, expected.row.run_no)  # who vouched last still does
            expected = Latest(expected.row.model_copy(update={"run_no": run_no}), expected.bound_run)
        if expected != stands:
            (written if write_expected(db, slot, document, expected) else again).append(slot)
    stood = {new[position]["_id"] for position in insert_new(db, "latest", new)}
    written += [each["_id"] for each in new if each["_id"] not in stood]
    return [*again, *stood], written


def _stands(document: Document) -> Latest | None:
    try:
        return latest_stored(document)
    except CorruptRecord:
        return None


def _adopt_unit(db: Database[Document], unit: UnitRecord) -> None:
    slot = unit.label.slot
    if unit.state is UnitState.SUCCEEDED:
        db["units"].delete_one({"_id": slot})
        return
    document = {
        **label_fields(unit.label),
        "state": unit.state.value,
        "attempts": unit.attempts,
        "error": None if unit.error is None else unit.error.model_dump_json(),
        "owner": unit.owner,
        "block": "",  # of no block and no claim: nobody holds it
        "token": 0,
        "changed_us": to_us(unit.changed_at),
    }
    db["units"].replace_one({"_id": slot}, document, upsert=True)
