"""Removing blobs that no record refers to, and what uploads left that were cut off."""

from datetime import timedelta

from bson import ObjectId
from pymongo.database import Database

from forequake.quantities import Sha256
from forequake.results import Record
from stores._codec import KINDS, decode, to_us
from stores.exchange import SweepReport
from stores.mongo.blobs import packed_size, remove_file
from stores.mongo.records import encoded_after, kinds_stored
from stores.mongo.server import Document, server_now_us

__all__ = ["strays", "sweep"]

_PAGE = 500


def sweep(db: Database[Document], older_than: timedelta, *, dry_run: bool) -> SweepReport:
    """Remove old blobs without a use; see `ResultsStore.sweep`.

    A record that is put meanwhile makes its blobs young again before it is written, and a young blob stays.

    Raises
    ------
    CorruptRecord, SchemaVersion
        Where a record cannot be read, and so may refer to any blob; nothing is removed then.
    """
    before_us = server_now_us(db) - older_than // timedelta(microseconds=1)
    used = _referenced(db)
    old = {"stored_us": {"$lt": before_us}}
    removed, freed = [], 0
    for sha in [each["_id"] for each in db["blobs"].find(old, {"_id": 1}).sort("_id", 1)]:
        if sha in used:
            continue
        blob = db["blobs"].find_one({"_id": sha, **old})
        if blob is None:
            continue
        freed_here = packed_size(db, blob)
        if not dry_run:
            if not db["blobs"].delete_one({"_id": sha, **old}).deleted_count:
                continue
            remove_file(db, blob)
        removed.append(sha)
        freed += freed_here
    for file in strays(db):
        if to_us(file.generation_time) < before_us:
            freed += packed_size(db, {"file_id": file})
            if not dry_run:
                remove_file(db, {"file_id": file})
    if not dry_run:
        told = {"losers": {"lost_us": {"$lt": before_us}}}
        db["claims"].update_many({"losers.lost_us": {"$lt": before_us}}, {"$pull": told})
    return SweepReport(removed=tuple(removed), bytes_freed=freed, dry_run=dry_run)


def strays(db: Database[Document]) -> list[ObjectId]:
    """Give the files of GridFS that no blob names: what a cut-off upload left, or one that goes on now."""
    files = {each["_id"] for each in db["fs.files"].find({}, {"_id": 1})}
    # An upload writes its pieces first.
    files |= {each["_id"] for each in db["fs.chunks"].aggregate([{"$group": {"_id": "$files_id"}}])}
    named = {each["file_id"] for each in db["blobs"].find({"file_id": {"$exists": True}}, {"file_id": 1})}
    return sorted(files - named)


def _referenced(db: Database[Document]) -> set[Sha256]:
    used: set[Sha256] = set()
    for kind in kinds_stored(db):
        after: Sha256 | None = None
        while page := encoded_after(db, [kind], after, _PAGE):
            for encoded in page:
                used.update(decode(encoded, KINDS.get(kind, Record)).blobs)
            after = page[-1].key
    return used
