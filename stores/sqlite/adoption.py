"""Taking over runs, bindings and units from another store, as it has them."""

import json
import sqlite3
from collections.abc import Collection, Sequence

from forequake.errors import CorruptRecord, NotFound
from forequake.quantities import Sha256
from forequake.results import RunRecord, UnitRecord, UnitState
from stores._codec import encode_run, to_us
from stores._latest import Latest
from stores._refusals import another_run, no_experiment_record, refuse_other_value, refuse_unended
from stores.exchange import BoundResult
from stores.sqlite.latest import label_columns, latest_of_bindings, stored_latest, write_latest
from stores.sqlite.publication import bind
from stores.sqlite.work import WRITE_UNIT

__all__ = ["adopt"]


def adopt(
    db: sqlite3.Connection,
    runs: Sequence[RunRecord],
    bindings: Sequence[BoundResult],
    units: Sequence[UnitRecord],
    store: str,
) -> None:
    """Take over runs, bindings and units; see `ResultsStore.adopt`."""
    refuse_unended(units)
    for run in runs:
        _adopt_run(db, run, store)
    _refuse_loose(db, bindings, store)
    touched = {}
    for bound in bindings:
        slot = bound.label.slot
        if not bind(db, slot, bound):
            _refuse_other(db, slot, bound, store)
        touched[slot] = bound.label.experiment
    changed = {experiment for slot, experiment in touched.items() if _renew_latest(db, slot)}
    db.execute(
        "UPDATE experiments SET token = token + 1 WHERE name IN (SELECT value FROM json_each(?))",
        (json.dumps(sorted(changed)),),
    )
    for unit in units:
        _adopt_unit(db, unit)


def _adopt_run(db: sqlite3.Connection, run: RunRecord, store: str) -> None:
    key = run.experiment_key
    if db.execute("SELECT 1 FROM records WHERE kind = 'experiment' AND key = ?", (key,)).fetchone() is None:
        raise no_experiment_record(store, key, "is adopted")
    others = db.execute(
        "SELECT id, experiment, run_no FROM runs WHERE id = ? OR (experiment = ? AND run_no = ?)",
        (run.id, run.experiment, run.run_no),
    ).fetchall()
    if any(tuple(other) != (run.id, run.experiment, run.run_no) for other in others):
        raise another_run(store, run)
    # The record of the highest run is the experiment's, as if the runs had begun here in their order.
    db.execute(
        "INSERT INTO experiments (name, record_key, next_run, token) VALUES (?, ?, ?, 0) "
        "ON CONFLICT (name) DO UPDATE SET "
        "record_key = iif(excluded.next_run >= next_run, excluded.record_key, record_key), "
        "next_run = max(excluded.next_run, next_run)",
        (run.experiment, key, run.run_no + 1),
    )
    db.execute(
        "INSERT INTO runs (id, experiment, run_no, state, started_us, heartbeat_us, body) "
        "VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET state = excluded.state, "
        "started_us = excluded.started_us, heartbeat_us = excluded.heartbeat_us, body = excluded.body",
        (
            run.id,
            run.experiment,
            run.run_no,
            run.state.value,
            to_us(run.started_at),
            to_us(run.heartbeat_at),
            encode_run(run),
        ),
    )


def _refuse_loose(db: sqlite3.Connection, bindings: Collection[BoundResult], store: str) -> None:
    """Refuse bindings whose run or result is not there."""
    for experiment, run_no in sorted({(bound.label.experiment, bound.run_no) for bound in bindings}):
        known = db.execute(
            "SELECT 1 FROM runs WHERE experiment = ? AND run_no = ?", (experiment, run_no)
        ).fetchone()
        if known is None:
            message = f"{store} has no run {run_no} of {experiment!r}: adopt it before its bindings"
            raise NotFound(message)
    missing = db.execute(
        "SELECT value FROM json_each(?) WHERE value NOT IN (SELECT key FROM results) ORDER BY value LIMIT 1",
        (json.dumps(sorted({bound.key for bound in bindings})),),
    ).fetchone()
    if missing is not None:
        message = f"{store} has no result {missing[0]}: put it before its binding is adopted"
        raise NotFound(message)


def _refuse_other(db: sqlite3.Connection, slot: Sha256, bound: BoundResult, store: str) -> None:
    key, bound_us = db.execute(
        "SELECT key, bound_us FROM bindings WHERE slot = ? AND run_no = ?", (slot, bound.run_no)
    ).fetchone()
    refuse_other_value(store, bound, key, bound_us)


def _renew_latest(db: sqlite3.Connection, slot: Sha256) -> bool:
    """Write the latest row that the bindings give; tell whether it is another than before."""
    expected = latest_of_bindings(db, slot)
    if expected is None:
        return False
    try:
        stands = stored_latest(db, slot)
    except CorruptRecord:
        stands = None
    if stands is not None and stands.row.key == expected.row.key:
        run_no = max(stands.row.run_no, expected.row.run_no)  # who vouched last still does
        expected = Latest(expected.row.model_copy(update={"run_no": run_no}), expected.bound_run)
    if expected == stands:
        return False
    db.execute("DELETE FROM latest WHERE slot = ?", (slot,))
    write_latest(db, slot, expected)
    return True


def _adopt_unit(db: sqlite3.Connection, unit: UnitRecord) -> None:
    slot = unit.label.slot
    db.execute("DELETE FROM units WHERE slot = ?", (slot,))
    if unit.state is UnitState.SUCCEEDED:
        return
    error = None if unit.error is None else unit.error.model_dump_json()
    place = label_columns(unit.label, slot)
    # Of no block and no claim: nobody holds it.
    ended = (unit.state.value, unit.attempts, error, unit.owner, "", 0, to_us(unit.changed_at))
    db.execute(WRITE_UNIT, (*place, *ended))
