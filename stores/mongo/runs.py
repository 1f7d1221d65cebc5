"""Runs: their numbers, their states and their heartbeats."""

import uuid
from typing import Final, cast

from pymongo import DESCENDING, ReturnDocument
from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from forequake.results import RunChange, RunDraft, RunRecord, RunState, StageTiming
from forequake.timers import Timers
from stores._codec import decode_run, encode_run, from_us, to_us
from stores._refusals import no_experiment_record, no_run, other_state
from stores.exchange import RunRef
from stores.mongo.kept import outdate
from stores.mongo.server import Document, server_now_us

__all__ = ["begin_run", "run_document", "runs", "timings", "update_run"]

#: So many runs are read at a time.
_PIECE: Final = 100


def begin_run(db: Database[Document], draft: RunDraft, store: str) -> RunRecord:
    """Write a new run under the experiment's next number; see `ResultsStore.begin_run`."""
    key = draft.experiment_key
    if db["records"].find_one({"_id": {"kind": "experiment", "key": key}}, {"_id": 1}) is None:
        raise no_experiment_record(store, key, "begins")
    while True:
        counted = db["experiments"].find_one_and_update(
            {"_id": draft.experiment},
            {"$set": {"record_key": key}, "$inc": {"last_run": 1}, "$setOnInsert": {"token": 0}},
            upsert=True,
            return_document=ReturnDocument.AFTER,
        )
        experiment = cast(Document, counted)  # made where it was missing
        moment = from_us(server_now_us(db))
        run = RunRecord(
            **dict(draft),
            id=str(uuid.uuid4()),
            run_no=experiment["last_run"],
            started_at=moment,
            heartbeat_at=moment,
        )
        try:
            db["runs"].insert_one(run_document(run))
        except DuplicateKeyError:  # a run with this number was adopted in between
            continue
        return run


def run_document(run: RunRecord) -> Document:
    """Give a run as it is stored."""
    return {
        "_id": run.id,
        "experiment": run.experiment,
        "run_no": run.run_no,
        "state": run.state.value,
        "started_us": to_us(run.started_at),
        "heartbeat_us": to_us(run.heartbeat_at),
        "body": encode_run(run),
    }


def update_run(
    db: Database[Document], ref: RunRef, change: RunChange, expect: RunState, store: str
) -> RunRecord:
    """Change a run and refresh its heartbeat; see `ResultsStore.update_run`."""
    while True:
        stored = db["runs"].find_one({"_id": ref.id, "experiment": ref.experiment, "run_no": ref.run_no})
        if stored is None:
            raise no_run(store, ref)
        run = decode_run(stored["body"])
        if run.state is not expect:
            raise other_state(store, run, expect)
        changed = _changed(run, change, server_now_us(db))
        # Somebody else, such as the thread that keeps the heart beating, may have been faster.
        unchanged = {"_id": ref.id, "body": stored["body"]}
        if db["runs"].replace_one(unchanged, run_document(changed)).matched_count:
            if change.state is RunState.CRASHED:  # it may have died between a row and the token
                outdate(db, ref.experiment)
            return changed


def _changed(run: RunRecord, change: RunChange, now_us: int) -> RunRecord:
    moment = from_us(now_us)
    changes = {name: value for name, value in dict(change).items() if value is not None}
    if change.state is not None:
        changes["ended_at"] = None if change.state is RunState.RUNNING else moment
    return run.model_copy(update={**changes, "heartbeat_at": moment})


def runs(db: Database[Document], experiment: str | None, limit: int) -> list[RunRecord]:
    """List runs, those that started last first; see `ResultsStore.runs`."""
    if limit < 1:
        return []
    only = {} if experiment is None else {"experiment": experiment}
    order = [("started_us", DESCENDING), ("run_no", DESCENDING)]
    return [decode_run(each["body"]) for each in db["runs"].find(only).sort(order).limit(limit)]


def timings(db: Database[Document], experiment: str, limit: int) -> tuple[StageTiming, ...]:
    """Add up what the last runs took; see `ResultsStore.timings`."""
    sums = Timers()
    if limit < 1:
        return ()
    last = db["runs"].find({"experiment": experiment}, {"body": 1}).sort("run_no", DESCENDING)
    for each in last.limit(limit).batch_size(_PIECE):
        kept = decode_run(each["body"]).timings
        sums.add_all(() if kept is None else kept.stages)
    return sums.stages()
