"""Results in their places: what a publication changes, and what it leaves.

There are no transactions, so that a server without a replica set will do. Each slot's latest row is changed
only from the state that was read, and read again where somebody else was faster; the binding is written
before it. What was written before a crash is what would be written again.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from pymongo import InsertOne, UpdateOne
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from forequake.errors import StoreUnavailable
from forequake.quantities import Sha256
from forequake.results import Label
from stores._codec import Encoded, from_us
from stores._latest import LABEL, Latest, label_fields, label_of, latest_fields
from stores._refusals import no_run, refuse_foreign, refuse_missing, second_value
from stores._rows import result_row
from stores.exchange import Binding, BoundResult, PublishReport, RunRef
from stores.mongo.faults import DUPLICATE
from stores.mongo.records import bodies_of, in_pieces, insert_new, present
from stores.mongo.server import Document, server_now_us

__all__ = ["binding_id", "bindings_after", "bound_result", "history", "publish"]

#: So many bindings are written at a time.
_BATCH: Final = 1000
#: How often a row may change between reading and writing before the store counts as too busy.
_PATIENCE: Final = 50


class _Place(NamedTuple):
    """What `publish` must know of a slot's latest row."""

    run_no: int
    bound_run: int
    key: Sha256


class _Turn(NamedTuple):
    """Which runs bound a latest row and vouched for it last: they have one value in its slot."""

    run_no: int
    bound_run: int


class _Own(NamedTuple):
    """A binding that this run wrote before."""

    key: Sha256
    bound_us: int


def binding_id(slot: Sha256, run_no: int) -> Document:
    """Give the id of a binding."""
    return {"slot": slot, "run_no": run_no}


def bound_result(document: Document) -> BoundResult:
    """Read a binding."""
    label = label_of(*(document.get(name) for name in LABEL))
    return BoundResult(
        label=label,
        key=document["key"],
        run_no=document["_id"]["run_no"],
        bound_at=from_us(document["bound_us"]),
    )


def bindings_after(db: Database[Document], after: tuple[Sha256, int], limit: int) -> list[Document]:
    """Read bindings in the order of slot and run, those behind a slot and a run."""
    if limit < 1:
        return []
    slot, run_no = after
    behind = [{"_id.slot": {"$gt": slot}}, {"_id.slot": slot, "_id.run_no": {"$gt": run_no}}]
    wanted = {"_id.slot": {"$gte": slot}, "$or": behind}
    return list(db["bindings"].find(wanted).sort([("_id.slot", 1), ("_id.run_no", 1)]).limit(limit))


def history(db: Database[Document], slot: Sha256) -> list[BoundResult]:
    """Read all values of a slot; see `ResultsStore.history`."""
    return [bound_result(each) for each in db["bindings"].find({"_id.slot": slot}).sort("_id.run_no", 1)]


def publish(
    db: Database[Document], run: RunRef, bindings: Sequence[Binding], store: str, untold: set[str]
) -> PublishReport:
    """Bind results to their places; see `ResultsStore.publish`.

    Parameters
    ----------
    untold
        The experiments whose rows this process may have changed without giving them a new token, since the
        server was away by then. The next publication does it.
    """
    _refuse_unknown_run(db, run, store)
    refuse_foreign(run, bindings)
    stored = present(db, "results", {binding.key for binding in bindings})
    refuse_missing(store, (binding.key for binding in bindings), stored, "it is published")
    publication = _Publication(db, run, server_now_us(db), store)
    try:
        for part in _parts(bindings):
            publication.bind(part)
    finally:
        if publication.changed or run.experiment in untold:
            untold.add(run.experiment)
            db["experiments"].update_one({"_id": run.experiment}, {"$inc": {"token": 1}})
            untold.discard(run.experiment)
    return publication.report()


def _refuse_unknown_run(db: Database[Document], run: RunRef, store: str) -> None:
    known = {"_id": run.id, "experiment": run.experiment, "run_no": run.run_no}
    if db["runs"].find_one(known, {"_id": 1}) is None:
        raise no_run(store, run)


def _parts(bindings: Sequence[Binding]) -> list[dict[Sha256, Binding]]:
    """Cut a batch so that no slot stands twice in a part, in the order of the batch."""
    parts: list[dict[Sha256, Binding]] = []
    turns: dict[Sha256, int] = {}
    for binding in bindings:
        slot = binding.label.slot
        turn = turns[slot] = turns.get(slot, -1) + 1
        if turn == len(parts):
            parts.append({})
        parts[turn][slot] = binding
    return [dict(piece) for part in parts for piece in in_pieces(part.items(), _BATCH)]


def _is_latest(binding: Binding, place: _Place | None) -> bool:
    return place is not None and place.key == binding.key


class _Publication:
    """One call of `publish`."""

    def __init__(
        self,
        db: Database[Document],
        run: RunRef,
        now_us: int,
        store: str,
    ) -> None:
        self._db = db
        self._run = run
        self._results: dict[Sha256, Encoded] = {}
        self._now_us = now_us
        self._store = store
        self._counts = dict.fromkeys(("appended", "unchanged", "outdated"), 0)
        self._appended: set[Sha256] = set()
        self._passed: set[Sha256] = set()
        self._histories: list[Document] = []
        self._updates: list[InsertOne[Document] | UpdateOne] = []
        self._vouched: dict[_Turn, list[Sha256]] = {}
        self.changed = False

    def report(self) -> PublishReport:
        return PublishReport(**self._counts)

    def bind(self, part: dict[Sha256, Binding]) -> None:
        """Bind the results of one part, again and again while others change its rows in between."""
        self._appended.clear()
        for _ in range(_PATIENCE):
            said = self._plan(part)
            if self._write():
                for word in said:
                    self._counts[word] += 1
                return
        message = f"{self._store} is busy: others keep changing the same {len(part)} results; try again"
        raise StoreUnavailable(message)

    def _plan(self, part: dict[Sha256, Binding]) -> list[str]:
        """Read how the places stand, and note what is to be written; give a word for each binding."""
        wanted = {"run_no": 1, "bound_run": 1, "key": 1}
        places = {
            each["_id"]: _Place(each["run_no"], each["bound_run"], each["key"])
            for each in self._db["latest"].find({"_id": {"$in": list(part)}}, wanted)
        }
        own = [binding_id(slot, self._run.run_no) for slot in part]
        standing = {
            each["_id"]["slot"]: _Own(each["key"], each["bound_us"])
            for each in self._db["bindings"].find({"_id": {"$in": own}}, {"key": 1, "bound_us": 1})
        }
        self._histories, self._updates, self._vouched = [], [], {}
        self._results = bodies_of(
            self._db,
            {binding.key for slot, binding in part.items() if not _is_latest(binding, places.get(slot))},
        )
        self._passed = self._passed_over(part, places)
        return [
            self._step(slot, binding, places.get(slot), standing.get(slot)) for slot, binding in part.items()
        ]

    def _passed_over(self, part: dict[Sha256, Binding], places: dict[Sha256, _Place]) -> set[Sha256]:
        """Give the unchanged slots where a binding follows the latest one, up to this run's own.

        Whoever wrote it died before it wrote the row, or is just about to. Vouching for the row alone would
        leave a history that ends with another value.
        """
        same = {
            slot: place.bound_run
            for slot, place in places.items()
            if place.key == part[slot].key and place.run_no < self._run.run_no
        }
        if not same:
            return set()
        numbers = {"$gt": min(same.values()), "$lte": self._run.run_no}
        found = self._db["bindings"].find(
            {"_id.slot": {"$in": list(same)}, "_id.run_no": numbers}, {"_id": 1}
        )
        ids = [each["_id"] for each in found]
        return {place["slot"] for place in ids if place["run_no"] > same[place["slot"]]}

    def _step(self, slot: Sha256, binding: Binding, place: _Place | None, stands: _Own | None) -> str:
        run_no = self._run.run_no
        if slot in self._passed and place is not None:
            return self._bind_again(slot, binding, place, stands)
        if place is not None and _is_latest(binding, place):
            if place.run_no < run_no:
                self._vouched.setdefault(_Turn(place.run_no, place.bound_run), []).append(slot)
            # Appended is what an earlier attempt of this call wrote, before it had to begin again.
            return "appended" if slot in self._appended and place.bound_run == run_no else "unchanged"
        other = stands is not None and stands.key != binding.key
        if other or (place is not None and place.run_no == run_no):
            raise second_value(self._store, self._run, binding)
        if stands is None:
            self._histories.append(self._binding(slot, binding.label, binding.key, run_no))
        if place is None or place.run_no < run_no:
            self._appended.add(slot)
            # A binding that stands was written by an attempt that was cut off before the row.
            self._set_latest(slot, binding, place, self._now_us if stands is None else stands.bound_us)
            return "appended"
        if place.bound_run < run_no:
            # The later run only vouched for an older binding. Now that another value stands between them,
            # it needs a binding of its own, or the history would end with the outdated value.
            self._histories.append(self._binding(slot, binding.label, place.key, place.run_no))
            self._change(slot, place, {"bound_run": place.run_no, "bound_us": self._now_us})
        return "outdated"

    def _bind_again(self, slot: Sha256, binding: Binding, place: _Place, stands: _Own | None) -> str:
        """Bind an unchanged value anew, since another one was bound in between."""
        run_no = self._run.run_no
        if stands is not None and stands.key != binding.key:
            raise second_value(self._store, self._run, binding)
        if stands is None:
            self._histories.append(self._binding(slot, binding.label, binding.key, run_no))
        bound_us = self._now_us if stands is None else stands.bound_us
        self._change(slot, place, {"run_no": run_no, "bound_run": run_no, "bound_us": bound_us})
        self._appended.add(slot)
        return "appended"

    def _set_latest(self, slot: Sha256, binding: Binding, place: _Place | None, bound_us: int) -> None:
        run_no, bound_at = self._run.run_no, from_us(bound_us)
        row = result_row(binding.label, self._results[binding.key], run_no=run_no, bound_at=bound_at)
        fields: Document = dict(latest_fields(Latest(row, run_no)))
        if place is None:
            self._updates.append(InsertOne({"_id": slot, **fields}))
        else:
            self._change(slot, place, fields)

    def _change(self, slot: Sha256, place: _Place, fields: Document) -> None:
        self._updates.append(UpdateOne({"_id": slot, **place._asdict()}, {"$set": fields}))

    def _binding(self, slot: Sha256, label: Label, key: Sha256, run_no: int) -> Document:
        return {
            "_id": binding_id(slot, run_no),
            **label_fields(label),
            "key": key,
            "bound_us": self._now_us,
        }

    def _write(self) -> bool:
        """Write what was planned; tell whether all rows stood as they were read."""
        stood = insert_new(self._db, "bindings", self._histories)
        if any(self._histories[position]["_id"]["run_no"] == self._run.run_no for position in stood):
            return False  # somebody published for the same run at once: look whether the same
        self.changed = self.changed or bool(self._updates or self._vouched)  # also where the answer is lost
        return self._update() and self._vouch()

    def _vouch(self) -> bool:
        """Let this run speak for unchanged rows, all that stand alike at once; tell whether all still did."""
        done = [
            self._db["latest"]
            .update_many({"_id": {"$in": slots}, **turn._asdict()}, {"$set": {"run_no": self._run.run_no}})
            .matched_count
            == len(slots)
            for turn, slots in self._vouched.items()
        ]
        return all(done)

    def _update(self) -> bool:
        if not self._updates:
            return True
        try:
            result = self._db["latest"].bulk_write(self._updates, ordered=False)
            done = result.matched_count + result.inserted_count
        except BulkWriteError as error:
            details = error.details or {}
            if details.get("writeConcernErrors") or any(
                fault["code"] != DUPLICATE for fault in details["writeErrors"]
            ):
                raise
            done = details["nMatched"] + details["nInserted"]
        return done == len(self._updates)
