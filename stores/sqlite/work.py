"""Work under way: claims with leases and fencing tokens, and the units of claimed blocks."""

import sqlite3
from collections.abc import Collection, Sequence
from typing import Final

from forequake.results import BAD_ENDS, UnitEnd, UnitRecord, UnitState
from stores._codec import from_us
from stores._latest import label_of
from stores._refusals import claim_lost, unit_error
from stores.exchange import Block, Claim
from stores.sqlite.latest import label_columns

__all__ = ["WRITE_UNIT", "claim", "finish", "release", "renew", "units"]

# Free is a block that nobody ever held, or whose lease ran out.
_CLAIM: Final = """
    INSERT INTO claims (block, owner, token, until_us) VALUES (:block, :owner, 1, :until)
    ON CONFLICT (block) DO UPDATE SET owner = :owner, token = token + 1, until_us = :until
    WHERE until_us <= :now
    RETURNING token
"""
#: Writes a unit; what stands in its slot is replaced, and the attempts are added.
WRITE_UNIT: Final = """
    INSERT INTO units
    (slot, experiment, test, model, reference, start_us, end_us, state, attempts, error, owner, block, token,
        changed_us)
    VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
    ON CONFLICT (slot) DO UPDATE SET state = excluded.state, attempts = attempts + excluded.attempts,
        error = excluded.error, owner = excluded.owner, block = excluded.block, token = excluded.token,
        changed_us = excluded.changed_us
"""
# A running unit whose block is held by nobody, or by another claim than the one that began it, has crashed.
_UNITS: Final = """
    SELECT * FROM (
        SELECT u.experiment, u.test, u.model, u.reference, u.start_us, u.end_us,
            CASE WHEN u.state = 'running' AND (c.until_us IS NULL OR c.until_us <= :now OR c.token <> u.token)
                THEN 'crashed' ELSE u.state END AS state,
            u.attempts, u.error, u.owner, u.changed_us
        FROM units AS u LEFT JOIN claims AS c ON c.block = u.block WHERE u.experiment = :experiment
    )
    ORDER BY start_us, test, model, reference
"""


def claim(
    db: sqlite3.Connection, blocks: Sequence[Block], owner: str, now_us: int, ttl_us: int
) -> list[Claim]:
    """Take the blocks that nobody holds; see `ResultsStore.claim`."""
    taken = []
    for block in blocks:
        held = db.execute("SELECT owner FROM claims WHERE block = ?", (block.id,)).fetchone()
        row = db.execute(
            _CLAIM, {"block": block.id, "owner": owner, "until": now_us + ttl_us, "now": now_us}
        ).fetchone()
        if row is None:
            continue
        if held is not None and held[0] not in ("", owner):
            db.execute("INSERT OR REPLACE INTO losses VALUES (?, ?, ?)", (held[0], block.id, now_us))
        # Who takes a block back holds it: there is no loss to tell any more.
        db.execute("DELETE FROM losses WHERE owner = ? AND block = ?", (owner, block.id))
        (token,) = row
        for label in block.units:
            db.execute(
                WRITE_UNIT,
                (
                    *label_columns(label, label.slot),
                    UnitState.RUNNING.value,
                    1,
                    None,
                    owner,
                    block.id,
                    token,
                    now_us,
                ),
            )
        taken.append(Claim(block=block.id, owner=owner, token=token, until=from_us(now_us + ttl_us)))
    return taken


def renew(db: sqlite3.Connection, owner: str, now_us: int, ttl_us: int) -> frozenset[str]:
    """Extend the leases of an owner and give the blocks that it lost; see `ResultsStore.renew`."""
    db.execute("UPDATE claims SET until_us = ? WHERE owner = ?", (now_us + ttl_us, owner))
    lost = db.execute("DELETE FROM losses WHERE owner = ? RETURNING block", (owner,)).fetchall()
    return frozenset(block for (block,) in lost)


def finish(db: sqlite3.Connection, held: Claim, ends: Sequence[UnitEnd], now_us: int, store: str) -> None:
    """Write how the units of a block ended and give it back; see `ResultsStore.finish`."""
    row = db.execute("SELECT token, owner FROM claims WHERE block = ?", (held.block,)).fetchone()
    if row is None or row[0] != held.token:
        raise claim_lost(store, held, "" if row is None else row[1])
    # Units of an earlier claim that still read as running have nobody left who could end them.
    ended = db.execute(
        "DELETE FROM units WHERE block = ? AND (token = ? OR state = 'running') RETURNING slot, attempts",
        (held.block, held.token),
    )
    attempts = dict(ended.fetchall())
    for end in ends:
        slot = end.label.slot
        if end.state not in BAD_ENDS:
            db.execute("DELETE FROM units WHERE slot = ? AND block = ?", (slot, held.block))
            continue
        db.execute(
            WRITE_UNIT,
            (
                *label_columns(end.label, slot),
                end.state.value,
                attempts.get(slot, 0),
                None if end.error is None else end.error.model_dump_json(),
                held.owner,
                held.block,
                held.token,
                now_us,
            ),
        )
    db.execute("UPDATE claims SET owner = '', until_us = 0 WHERE block = ?", (held.block,))


def release(db: sqlite3.Connection, owner: str, now_us: int) -> int:
    """End the leases of an owner; see `ResultsStore.release`."""
    # The owner stays named: if it lives after all, it is told what others take from it.
    return db.execute(
        "UPDATE claims SET until_us = 0 WHERE owner = ? AND until_us > ?", (owner, now_us)
    ).rowcount


def units(
    db: sqlite3.Connection, experiment: str, states: Collection[UnitState], now_us: int
) -> list[UnitRecord]:
    """List units that are under way or ended badly; see `ResultsStore.units`."""
    found = []
    for *label, state, attempts, error, owner, changed_us in db.execute(
        _UNITS, {"experiment": experiment, "now": now_us}
    ):
        if states and state not in states:
            continue
        found.append(
            UnitRecord(
                label=label_of(*label),
                state=UnitState(state),
                attempts=attempts,
                error=unit_error(error),
                owner=owner,
                changed_at=from_us(changed_us),
            )
        )
    return found
