"""What a check of a MongoDB store reads, and how latest rows are built again."""

import time
from collections.abc import Collection, Iterator, Sequence
from typing import BinaryIO, Final

from pymongo.database import Database

from forequake.errors import CorruptRecord, SchemaVersion
from forequake.quantities import Sha256
from stores._checking import BoundRow, Holdings, is_right
from stores._codec import RESULT_KINDS, Encoded, from_us
from stores._latest import LABEL, Latest, label_fields, label_of, latest_fields, latest_of
from stores._rows import result_row
from stores.exchange import Finding
from stores.mongo.blobs import blob_sizes, open_blob
from stores.mongo.places import binding_id, bindings_after
from stores.mongo.records import bodies_of, encoded_after, insert_new, kinds_stored, present
from stores.mongo.server import Document, Server, server_now_us
from stores.mongo.sweeping import strays

__all__ = ["MongoHoldings", "latest_expected", "latest_stored", "write_expected"]

_RESULTS: Final = (RESULT_KINDS, ("distribution",))
#: A publication writes the binding before the row: what looks wrong is looked at again after so many seconds.
_PAUSES: Final = (0.05, 0.5)


class MongoHoldings(Holdings):
    """What a check reads."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def faults(self) -> Iterator[Finding]:
        """Give nothing: the server looks after its files itself."""
        return iter(())

    def kinds(self) -> list[tuple[str, ...]]:
        """Give the kinds, those of the results together."""
        with self._server.talking() as db:
            return [*_RESULTS, *((kind,) for kind in kinds_stored(db))]

    def records(self, kinds: Sequence[str], after: Sha256 | None, limit: int) -> list[Encoded]:
        """Read records in their stored form."""
        with self._server.talking() as db:
            return encoded_after(db, kinds, after, limit)

    def runs(self, after: str, limit: int) -> list[tuple[str, str]]:
        """Read ids and bodies of runs."""
        with self._server.talking() as db:
            found = db["runs"].find({"_id": {"$gt": after}}, {"body": 1}).sort("_id", 1).limit(limit)
            return [(each["_id"], each["body"]) for each in found]

    def blob_sizes(self) -> dict[Sha256, int]:
        """Give the sizes of blobs."""
        with self._server.talking() as db:
            return blob_sizes(db)

    def open_blob(self, sha: Sha256) -> BinaryIO:
        """Open a blob."""
        return open_blob(self._server, sha)

    def strays(self) -> Iterator[str]:
        """Name files of GridFS that no blob names."""
        with self._server.talking() as db:
            found = strays(db)
        return (f"the file {file} of GridFS" for file in found)

    def bindings(self, after: tuple[Sha256, int], limit: int) -> list[BoundRow]:
        """Read bindings, and whether what they name is there."""
        with self._server.talking() as db:
            page = bindings_after(db, after, limit)
            results = present(db, "results", {each["key"] for each in page})
            runs = _known_runs(db, page)
        return [
            BoundRow(
                slot=each["_id"]["slot"],
                run_no=each["_id"]["run_no"],
                label=[each.get(name) for name in LABEL],
                key=each["key"],
                has_result=each["key"] in results,
                has_run=(each["experiment"], each["_id"]["run_no"]) in runs,
            )
            for each in page
        ]

    def places(self, after: Sha256, limit: int) -> list[tuple[Sha256, bool]]:
        """Compare latest rows with their bindings."""
        with self._server.talking() as db:
            slots = _slots_after(db, after, limit)
            wrong = _wrong(db, slots)
            for pause in _PAUSES:
                if wrong:
                    time.sleep(pause)
                    wrong = _wrong(db, wrong)
        return [(slot, slot not in wrong) for slot in slots]

    def rebuild(self, slot: Sha256) -> bool:
        """Write the row that the bindings give, in place of what stands."""
        with self._server.talking() as db:
            while _wrong(db, [slot]):
                experiment = _rebuild(db, slot)
                only = {} if experiment is None else {"_id": experiment}
                db["experiments"].update_many(only, {"$inc": {"token": 1}})
        return True


def latest_expected(db: Database[Document], slots: Collection[Sha256]) -> dict[Sha256, Latest | None]:
    """Give the latest rows that bindings give; a slot whose result cannot be read is left out."""
    last: dict[Sha256, Document] = {}
    for each in db["bindings"].find({"_id.slot": {"$in": list(slots)}}).sort("_id.run_no", 1):
        last[each["_id"]["slot"]] = each
    results = bodies_of(db, {each["key"] for each in last.values()})
    expected: dict[Sha256, Latest | None] = {}
    for slot in slots:
        bound = last.get(slot)
        if bound is None:
            expected[slot] = None
            continue
        run_no, bound_at = bound["_id"]["run_no"], from_us(bound["bound_us"])
        try:
            label, encoded = label_of(*(bound[name] for name in LABEL)), results[bound["key"]]
            expected[slot] = Latest(result_row(label, encoded, run_no=run_no, bound_at=bound_at), run_no)
        except (KeyError, CorruptRecord, SchemaVersion):
            continue  # each a finding of its own
    return expected


def latest_stored(document: Document | None) -> Latest | None:
    """Read a latest row's document.

    Raises
    ------
    CorruptRecord
        Where it is none.
    """
    if document is None:
        return None
    return latest_of(document["_id"], {name: value for name, value in document.items() if name != "_id"})


def write_expected(
    db: Database[Document], slot: Sha256, stands: Document | None, expected: Latest | None
) -> bool:
    """Replace a latest row, if it still stands as it was read; tell whether it did."""
    if expected is None:
        return bool(db["latest"].delete_one(stands or {"_id": slot}).deleted_count)
    fields: Document = dict(latest_fields(expected))
    if stands is None:
        return bool(db["latest"].update_one({"_id": slot}, {"$setOnInsert": fields}, upsert=True).upserted_id)
    same = {name: stands.get(name) for name in ("_id", "run_no", "bound_run", "key", "outcome")}
    return bool(db["latest"].replace_one(same, fields).matched_count)


def _wrong(db: Database[Document], slots: Collection[Sha256]) -> list[Sha256]:
    expected = latest_expected(db, slots)
    stored = {each["_id"]: each for each in db["latest"].find({"_id": {"$in": list(slots)}})}
    wrong = []
    for slot, latest in expected.items():
        try:
            right = is_right(latest, latest_stored(stored.get(slot)))
        except CorruptRecord:
            right = False
        if not right:
            wrong.append(slot)
    return wrong


def _rebuild(db: Database[Document], slot: Sha256) -> str | None:
    """Write the row that the bindings give; give the experiment whose row it is, where that is known."""
    expected = latest_expected(db, [slot])[slot]
    document = db["latest"].find_one({"_id": slot})
    try:
        stored = latest_stored(document)
    except CorruptRecord:
        stored = None
    if expected is not None and stored is not None and stored.row.run_no > expected.row.run_no:
        of_it = {"experiment": expected.row.label.experiment, "run_no": stored.row.run_no}
        if db["runs"].find_one(of_it, {"_id": 1}):
            expected = _vouched(db, slot, stored, expected)
    write_expected(db, slot, document, expected)
    known = expected or stored
    return None if known is None else known.row.label.experiment


def _vouched(db: Database[Document], slot: Sha256, stored: Latest, expected: Latest) -> Latest:
    """Give the row that the bindings give to a run that vouched for its value later than they tell."""
    run_no = stored.row.run_no
    own = db["bindings"].find_one({"_id": binding_id(slot, stored.bound_run)}, {"key": 1})
    if own is None or own["key"] != stored.row.key or stored.row.key == expected.row.key:
        return Latest(expected.row.model_copy(update={"run_no": run_no}), expected.bound_run)
    # Behind the vouching an earlier run bound another value, and died before it could see that it was late:
    # the later run gets the binding that it would have got then.
    now_us = server_now_us(db)
    binding = {**label_fields(stored.row.label), "key": stored.row.key, "bound_us": now_us}
    insert_new(db, "bindings", [{"_id": binding_id(slot, run_no), **binding}])
    result = bodies_of(db, [stored.row.key])[stored.row.key]
    return Latest(result_row(stored.row.label, result, run_no=run_no, bound_at=from_us(now_us)), run_no)


def _slots_after(db: Database[Document], after: Sha256, limit: int) -> list[Sha256]:
    of_bindings: list[Sha256] = []
    behind = {"_id.slot": {"$gt": after}}
    found = db["bindings"].find(behind, {"_id": 1}).sort([("_id.slot", 1), ("_id.run_no", 1)])
    for each in found.batch_size(limit + 1):  # or the server would send 16 MB at a time
        if not of_bindings or of_bindings[-1] != each["_id"]["slot"]:
            if len(of_bindings) == limit:
                break
            of_bindings.append(each["_id"]["slot"])
    of_rows = db["latest"].find({"_id": {"$gt": after}}, {"_id": 1}).sort("_id", 1).limit(limit)
    return sorted({*of_bindings, *(each["_id"] for each in of_rows)})[:limit]


def _known_runs(db: Database[Document], page: Collection[Document]) -> set[tuple[str, int]]:
    wanted: dict[str, set[int]] = {}
    for each in page:
        wanted.setdefault(each["experiment"], set()).add(each["_id"]["run_no"])
    known: set[tuple[str, int]] = set()
    for experiment, numbers in wanted.items():
        of_it = {"experiment": experiment, "run_no": {"$in": sorted(numbers)}}
        known.update((experiment, each["run_no"]) for each in db["runs"].find(of_it, {"run_no": 1}))
    return known
