"""Runs: their numbers, their states and their heartbeats."""

import sqlite3
import uuid

from forequake.results import RunChange, RunDraft, RunRecord, RunState, StageTiming
from forequake.timers import Timers
from stores._codec import decode_run, encode_run, from_us
from stores._refusals import no_experiment_record, no_run, other_state
from stores.exchange import RunRef
from stores.sqlite.kept import outdate

__all__ = ["begin_run", "runs", "timings", "update_run"]


def begin_run(db: sqlite3.Connection, draft: RunDraft, now_us: int, store: str) -> RunRecord:
    """Write a new run under the experiment's next number; see `ResultsStore.begin_run`."""
    key = draft.experiment_key
    if db.execute("SELECT 1 FROM records WHERE kind = 'experiment' AND key = ?", (key,)).fetchone() is None:
        raise no_experiment_record(store, key, "begins")
    (run_no,) = db.execute(
        "INSERT INTO experiments (name, record_key, next_run, token) VALUES (?, ?, 2, 0) "
        "ON CONFLICT (name) DO UPDATE SET record_key = excluded.record_key, next_run = next_run + 1 "
        "RETURNING next_run - 1",
        (draft.experiment, key),
    ).fetchone()
    moment = from_us(now_us)
    run = RunRecord(
        **dict(draft),
        id=str(uuid.uuid4()),
        run_no=run_no,
        started_at=moment,
        heartbeat_at=moment,
    )
    db.execute(
        "INSERT INTO runs (id, experiment, run_no, state, started_us, heartbeat_us, body) "
        "VALUES (?, ?, ?, ?, ?, ?, ?)",
        (run.id, run.experiment, run_no, run.state.value, now_us, now_us, encode_run(run)),
    )
    return run


def update_run(
    db: sqlite3.Connection, ref: RunRef, change: RunChange, expect: RunState, now_us: int, store: str
) -> RunRecord:
    """Change a run and refresh its heartbeat; see `ResultsStore.update_run`."""
    row = db.execute(
        "SELECT body FROM runs WHERE id = ? AND experiment = ? AND run_no = ?",
        (ref.id, ref.experiment, ref.run_no),
    ).fetchone()
    if row is None:
        raise no_run(store, ref)
    run = decode_run(row[0])
    if run.state is not expect:
        raise other_state(store, run, expect)
    moment = from_us(now_us)
    changes = {name: value for name, value in dict(change).items() if value is not None}
    if change.state is not None:
        changes["ended_at"] = None if change.state is RunState.RUNNING else moment
    changed = run.model_copy(update={**changes, "heartbeat_at": moment})
    db.execute(
        "UPDATE runs SET state = ?, heartbeat_us = ?, body = ? WHERE id = ?",
        (changed.state.value, now_us, encode_run(changed), ref.id),
    )
    if change.state is RunState.CRASHED:  # as on servers, where it may have died before it said what changed
        outdate(db, ref.experiment)
    return changed


def runs(db: sqlite3.Connection, experiment: str | None, limit: int) -> list[RunRecord]:
    """List runs, those that started last first; see `ResultsStore.runs`."""
    rows = db.execute(
        "SELECT body FROM runs WHERE ?1 IS NULL OR experiment = ?1 "
        "ORDER BY started_us DESC, run_no DESC LIMIT ?2",
        (experiment, limit),
    )
    return [decode_run(body) for (body,) in rows]


def timings(db: sqlite3.Connection, experiment: str, limit: int) -> tuple[StageTiming, ...]:
    """Add up what the last runs took; see `ResultsStore.timings`."""
    sums = Timers()
    for (body,) in db.execute(
        "SELECT body FROM runs WHERE experiment = ? ORDER BY run_no DESC LIMIT ?", (experiment, max(limit, 0))
    ):
        kept = decode_run(body).timings
        sums.add_all(() if kept is None else kept.stages)
    return sums.stages()
