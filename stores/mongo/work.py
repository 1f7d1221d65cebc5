"""Work under way: claims with leases and fencing tokens, and the units of claimed blocks.

A claim is one document, changed in one step. Whoever holds a block's highest token may write its units; the
document also names those who lost the block and have not been told.
"""

import uuid
from collections.abc import Collection, Iterator, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

from pymongo import ReturnDocument, UpdateOne
from pymongo.database import Database
from pymongo.errors import BulkWriteError, DuplicateKeyError

from forequake.errors import ClaimLost
from forequake.results import BAD_ENDS, UnitEnd, UnitRecord, UnitState
from stores._codec import from_us
from stores._latest import LABEL, label_fields, label_of
from stores._refusals import claim_lost, unit_error
from stores.exchange import Block, Claim
from stores.mongo.faults import DUPLICATE
from stores.mongo.records import in_pieces
from stores.mongo.server import Document, server_now_us

__all__ = ["Claims", "finish", "release", "renew", "units"]

_MICROSECOND: Final = timedelta(microseconds=1)
#: While the end of a block is written its lease holds for so long at least, in microseconds.
_FINISHING_US: Final = 30_000_000
_PIECE: Final = 1000
#: How often units are read anew while others change them.
_LOOKS: Final = 5


class Claims:
    """Takes blocks, and remembers the attempts of this process of which it never heard how they ended.

    Without a replica set the driver does not repeat a write whose answer was cut off. Such a claim may stand,
    and since a process renews all its leases it would hold the block for ever, without knowing. So each
    attempt has a mark of its own, by which it is found again. An attempt is remembered when it breaks, not
    while it goes on: what another thread is just taking is no claim to be found.
    """

    def __init__(self) -> None:
        self._unsure: dict[tuple[str, str], list[str]] = {}

    def claim(
        self, db: Database[Document], blocks: Sequence[Block], owner: str, ttl: timedelta
    ) -> list[Claim]:
        """Take the blocks that nobody holds; see `ResultsStore.claim`."""
        taken: list[Claim] = []
        tried: dict[str, list[str]] = {}
        try:
            for block in blocks:
                # Of several threads that repeat a call only one looks for what it may have left.
                earlier = self._unsure.pop((block.id, owner), [])
                mark = uuid.uuid4().hex
                tried[block.id] = [*tried.get(block.id, ()), *earlier, mark]
                claim = _claim(db, block, owner, ttl // _MICROSECOND, mark, earlier)
                if claim is not None:
                    taken.append(claim)
        except BaseException:  # nobody hears of those that were taken either
            for block_id, marks in tried.items():
                self._unsure.setdefault((block_id, owner), []).extend(marks)
            raise
        return taken


def _claim(
    db: Database[Document], block: Block, owner: str, ttl_us: int, mark: str, earlier: Sequence[str]
) -> Claim | None:
    now_us = server_now_us(db)
    held = _taken_unheard(db, block.id, owner, earlier) or _take(db, block.id, owner, mark, now_us, ttl_us)
    if held is None:
        return None
    claim = Claim(block=block.id, owner=owner, token=held["token"], until=from_us(held["until_us"]))
    _begin_units(db, block, claim, now_us)
    return claim


def _taken_unheard(db: Database[Document], block: str, owner: str, marks: Sequence[str]) -> Document | None:
    if not marks:
        return None
    return db["claims"].find_one({"_id": block, "owner": owner, "mark": {"$in": list(marks)}})


def _take(
    db: Database[Document], block: str, owner: str, mark: str, now_us: int, ttl_us: int
) -> Document | None:
    try:
        held: Document | None = db["claims"].find_one_and_update(
            {"_id": block, "until_us": {"$lte": now_us}},
            _taking(owner, mark, now_us, ttl_us),
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
    except DuplicateKeyError:  # it is there, and its lease holds
        return None
    return held


def _taking(owner: str, mark: str, now_us: int, ttl_us: int) -> list[Document]:
    """Give the change of a claim from whoever held it last to a new owner."""
    new = {"$literal": owner}
    losers: Document = {
        "$filter": {"input": {"$ifNull": ["$losers", []]}, "cond": {"$ne": ["$$this.owner", new]}}
    }
    # Nobody loses what was given back, or what is taken back.
    nobody_loses = {"$in": [{"$ifNull": ["$owner", ""]}, ["", new]]}
    loser = [{"owner": "$owner", "lost_us": now_us}]
    return [
        {
            "$set": {
                "losers": {"$concatArrays": [losers, {"$cond": [nobody_loses, [], loser]}]},
                "owner": new,
                "token": {"$add": [{"$ifNull": ["$token", 0]}, 1]},
                "until_us": now_us + ttl_us,
                "mark": mark,
            }
        }
    ]


def _begin_units(db: Database[Document], block: Block, claim: Claim, now_us: int) -> None:
    begun = {
        "state": UnitState.RUNNING.value,
        "error": None,
        "owner": claim.owner,
        "block": block.id,
        "token": claim.token,
        "changed_us": now_us,
    }
    changes = [
        UpdateOne(
            {"_id": label.slot},
            {"$set": {**label_fields(label), **begun}, "$inc": {"attempts": 1}},
            upsert=True,
        )
        for label in block.units
    ]
    for piece in in_pieces(changes, _PIECE):
        db["units"].bulk_write(piece, ordered=False)


def renew(db: Database[Document], owner: str, ttl: timedelta) -> frozenset[str]:
    """Extend the leases of an owner and give the blocks that it lost; see `ResultsStore.renew`."""
    until_us = server_now_us(db) + ttl // _MICROSECOND
    db["claims"].update_many({"owner": owner}, {"$set": {"until_us": until_us}})
    return frozenset(_told_losses(db, owner))


def _told_losses(db: Database[Document], owner: str) -> Iterator[str]:
    told = {"$pull": {"losers": {"owner": owner}}}
    while True:
        found = db["claims"].find_one_and_update({"losers.owner": owner}, told, {"_id": 1})
        if found is None:
            return
        yield str(found["_id"])


def finish(db: Database[Document], held: Claim, ends: Sequence[UnitEnd], store: str) -> None:
    """Write how the units of a block ended and give it back; see `ResultsStore.finish`.

    The lease is extended first, if the token still is the last one: nobody takes the block while its end is
    written. The units are guarded by the token as well.
    """
    now_us = server_now_us(db)
    kept: Document = {"until_us": {"$max": ["$until_us", now_us + _FINISHING_US]}}
    ours = {"_id": held.block, "token": held.token}
    if db["claims"].find_one_and_update(ours, [{"$set": kept}], {"_id": 1}) is None:
        raise _lost(db, held, store)
    bad = [end for end in ends if end.state in BAD_ENDS]
    good = [end.label.slot for end in ends if end.state not in BAD_ENDS]
    _write_bad_ends(db, held, bad, now_us)
    # Units of an earlier claim that still read as running have nobody left who could end them.
    ended = [{"token": held.token}, {"token": {"$lt": held.token}, "state": UnitState.RUNNING.value}]
    stay = [end.label.slot for end in bad]
    db["units"].delete_many({"block": held.block, "_id": {"$nin": stay}, "$or": ended})
    if good:
        db["units"].delete_many({"block": held.block, "_id": {"$in": good}, "token": {"$lte": held.token}})
    if not db["claims"].update_one(ours, {"$set": {"owner": "", "until_us": 0}}).matched_count:
        raise _lost(db, held, store)


def _write_bad_ends(db: Database[Document], held: Claim, ends: Sequence[UnitEnd], now_us: int) -> None:
    changes = []
    for end in ends:
        fields = {
            **label_fields(end.label),
            "state": end.state.value,
            "error": None if end.error is None else end.error.model_dump_json(),
            "owner": held.owner,
            "block": held.block,
            "token": held.token,
            "changed_us": now_us,
        }
        mine_or_older = [{"block": {"$ne": held.block}}, {"token": {"$lte": held.token}}]
        changes.append(
            UpdateOne(
                {"_id": end.label.slot, "$or": mine_or_older},
                {"$set": fields, "$setOnInsert": {"attempts": 0}},
                upsert=True,
            )
        )
    for piece in in_pieces(changes, _PIECE):
        _write_all_but_newer(db, piece)


def _write_all_but_newer(db: Database[Document], changes: list[UpdateOne]) -> None:
    try:
        db["units"].bulk_write(changes, ordered=False)
    except BulkWriteError as error:
        details: Mapping[str, Any] = error.details or {}
        others = [fault for fault in details.get("writeErrors", ()) if fault["code"] != DUPLICATE]
        if others or details.get("writeConcernErrors"):
            raise


def _lost(db: Database[Document], held: Claim, store: str) -> ClaimLost:
    found = db["claims"].find_one({"_id": held.block}) or {}
    return claim_lost(store, held, found.get("owner", ""))


def release(db: Database[Document], owner: str) -> int:
    """End the leases of an owner; see `ResultsStore.release`."""
    # The owner stays named: if it lives after all, it is told what others take from it.
    holding = {"owner": owner, "until_us": {"$gt": server_now_us(db)}}
    return db["claims"].update_many(holding, {"$set": {"until_us": 0}}).modified_count


def units(db: Database[Document], experiment: str, states: Collection[UnitState]) -> list[UnitRecord]:
    """List units that are under way or ended badly; see `ResultsStore.units`."""
    found = []
    for each, crashed in _listed(db, experiment):
        state = UnitState.CRASHED if crashed else UnitState(each["state"])
        if states and state not in states:
            continue
        found.append(
            UnitRecord(
                label=label_of(*(each[name] for name in LABEL)),
                state=state,
                attempts=each["attempts"],
                error=unit_error(each["error"]),
                owner=each["owner"],
                changed_at=from_us(each["changed_us"]),
            )
        )
    return found


def _listed(db: Database[Document], experiment: str) -> list[tuple[Document, bool]]:
    """Read the units of an experiment in their order, each with whether its process crashed.

    That is a running unit whose block is held by nobody, or by another claim than the one that began it.
    Units are read before the claims: one that ended in between only seems so, and all is read again.
    """
    for _ in range(_LOOKS):
        listed = sorted(db["units"].find({"experiment": experiment}), key=_order)
        running = [each for each in listed if each["state"] == UnitState.RUNNING.value]
        held = _held(db, {each["block"] for each in running})
        crashed = [each for each in running if (each["block"], each["token"]) not in held]
        if _stand(db, crashed):
            break
    gone = {each["_id"] for each in crashed}
    return [(each, each["_id"] in gone) for each in listed]


def _held(db: Database[Document], blocks: Collection[str]) -> set[tuple[str, int]]:
    """Give the blocks whose leases hold, with the tokens of their claims."""
    now_us = server_now_us(db)
    held: set[tuple[str, int]] = set()
    for piece in in_pieces(blocks, _PIECE):
        for claim in db["claims"].find({"_id": {"$in": piece}, "until_us": {"$gt": now_us}}):
            held.add((claim["_id"], claim["token"]))
    return held


def _stand(db: Database[Document], units: Sequence[Document]) -> bool:
    """Tell whether units still are as they were read."""
    for piece in in_pieces(units, _PIECE):
        same = [{"_id": each["_id"], "token": each["token"], "state": each["state"]} for each in piece]
        if db["units"].count_documents({"$or": same}) != len(piece):
            return False
    return True


def _order(unit: Document) -> tuple[int, str, str, str]:
    return unit["start_us"], unit["test"], unit["model"], unit["reference"] or ""
