"""Binding results to their places: what a publication changes, and what it leaves."""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from forequake.quantities import Sha256
from forequake.results import EvaluationRecord
from stores._codec import Encoded, from_us, to_us
from stores._latest import Latest, label_of
from stores._refusals import no_run, refuse_foreign, refuse_missing, second_value
from stores._rows import result_row
from stores.exchange import Binding, BoundResult, PublishReport, RunRef
from stores.sqlite.latest import label_columns, write_latest
from stores.sqlite.tables import bodies_of, existing

__all__ = ["bind", "bindings", "history", "publish"]

_BIND: Final = (
    "INSERT INTO bindings "
    "(slot, run_no, experiment, test, model, reference, start_us, end_us, key, bound_us) "
    "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (slot, run_no) DO NOTHING"
)
_BOUND: Final = (
    "SELECT experiment, test, model, reference, start_us, end_us, key, run_no, bound_us FROM bindings"
)


class _Place(NamedTuple):
    """What `publish` must know of a slot's latest row."""

    run_no: int
    bound_run: int
    key: Sha256


def publish(
    db: sqlite3.Connection, run: RunRef, bindings: Sequence[Binding], now_us: int, store: str
) -> PublishReport:
    """Bind results to their places; see `ResultsStore.publish`."""
    known = db.execute(
        "SELECT 1 FROM runs WHERE id = ? AND experiment = ? AND run_no = ?",
        (run.id, run.experiment, run.run_no),
    ).fetchone()
    if known is None:
        raise no_run(store, run)
    refuse_foreign(run, bindings)
    stored = existing(db, EvaluationRecord, {binding.key for binding in bindings})
    refuse_missing(store, (binding.key for binding in bindings), stored, "it is published")
    same, others = _sorted_out(db, bindings)
    publication = _Publication(db, run, bodies_of(db, {other.key for _, other in others}), now_us, store)
    publication.vouch(same)
    for slot, binding in others:
        publication.bind(slot, binding)
    if publication.changed:
        db.execute("UPDATE experiments SET token = token + 1 WHERE name = ?", (run.experiment,))
    return PublishReport(
        appended=publication.appended, unchanged=publication.unchanged, outdated=publication.outdated
    )


def _sorted_out(
    db: sqlite3.Connection, bindings: Sequence[Binding]
) -> tuple[list[Sha256], list[tuple[Sha256, Binding]]]:
    """Give the slots whose latest value stays as it is, and the bindings of all others with their slots."""
    slots = [binding.label.slot for binding in bindings]
    standing = dict(
        db.execute(
            "SELECT slot, key FROM latest WHERE slot IN (SELECT value FROM json_each(?))",
            (json.dumps(slots),),
        ).fetchall()
    )
    same: list[Sha256] = []
    others: list[tuple[Sha256, Binding]] = []
    for slot, binding in zip(slots, bindings, strict=True):
        if standing.get(slot) == binding.key:
            same.append(slot)
        else:
            others.append((slot, binding))
    return same, others


class _Publication:
    """One call of `publish`, binding by binding."""

    def __init__(
        self,
        db: sqlite3.Connection,
        run: RunRef,
        results: dict[Sha256, Encoded],
        now_us: int,
        store: str,
    ) -> None:
        self._db = db
        self._run = run
        self._results = results
        self._now_us = now_us
        self._store = store
        self.appended = self.unchanged = self.outdated = 0
        self.changed = False

    def vouch(self, slots: Sequence[Sha256]) -> None:
        """Let this run speak for latest values that it has as well."""
        self.unchanged += len(slots)
        done = self._db.execute(
            "UPDATE latest SET run_no = ?1 WHERE run_no < ?1 AND slot IN (SELECT value FROM json_each(?2))",
            (self._run.run_no, json.dumps(slots)),
        )
        self.changed = self.changed or done.rowcount > 0

    def bind(self, slot: Sha256, binding: Binding) -> None:
        """Bind a value that is not a slot's latest one, or was not when the call began."""
        row = self._db.execute("SELECT run_no, bound_run, key FROM latest WHERE slot = ?", (slot,)).fetchone()
        place = None if row is None else _Place(*row)
        if place is not None and place.key == binding.key:
            self.vouch([slot])
        elif place is None or place.run_no < self._run.run_no:
            self.appended += 1
            self._append(slot, binding, self._run.run_no)
            self._set_latest(slot, binding, self._run.run_no)
        elif place.run_no == self._run.run_no:
            raise second_value(self._store, self._run, binding)
        else:
            self.outdated += 1
            self._enter_history(slot, binding, place)

    def _enter_history(self, slot: Sha256, binding: Binding, place: _Place) -> None:
        stands = self._db.execute(
            "SELECT key FROM bindings WHERE slot = ? AND run_no = ?", (slot, self._run.run_no)
        ).fetchone()
        if stands is not None:
            if stands[0] != binding.key:
                raise second_value(self._store, self._run, binding)
            return
        self._append(slot, binding, self._run.run_no)
        if place.bound_run < self._run.run_no:
            # The later run only vouched for an older binding. Now that another value stands between them,
            # it needs a binding of its own, or the history would end with the outdated value.
            vouched = Binding(label=binding.label, key=place.key)
            self._append(slot, vouched, place.run_no)
            self._db.execute(
                "UPDATE latest SET bound_run = run_no, bound_us = ? WHERE slot = ?", (self._now_us, slot)
            )
            self.changed = True

    def _append(self, slot: Sha256, binding: Binding, run_no: int) -> None:
        moment = from_us(self._now_us)
        bind(self._db, slot, BoundResult(**dict(binding), run_no=run_no, bound_at=moment))

    def _set_latest(self, slot: Sha256, binding: Binding, run_no: int) -> None:
        row = result_row(
            binding.label, self._results[binding.key], run_no=run_no, bound_at=from_us(self._now_us)
        )
        write_latest(self._db, slot, Latest(row, run_no))
        self.changed = True


def history(db: sqlite3.Connection, slot: Sha256) -> list[BoundResult]:
    """Read all values of a slot; see `ResultsStore.history`."""
    return _bound(db.execute(f"{_BOUND} WHERE slot = ? ORDER BY run_no", (slot,)))


def bindings(db: sqlite3.Connection, after: tuple[Sha256, int] | None, limit: int) -> list[BoundResult]:
    """Read bindings of all experiments; see `ResultsStore.bindings`."""
    slot, run_no = after or ("", 0)
    return _bound(
        db.execute(
            f"{_BOUND} WHERE (slot, run_no) > (?, ?) ORDER BY slot, run_no LIMIT ?", (slot, run_no, limit)
        )
    )


def bind(db: sqlite3.Connection, slot: Sha256, bound: BoundResult) -> bool:
    """Write a binding if its slot has none of this run; tell whether it was written."""
    _, *label = label_columns(bound.label, slot)
    values = (slot, bound.run_no, *label, bound.key, to_us(bound.bound_at))
    return db.execute(_BIND, values).rowcount == 1


def _bound(rows: Iterable[tuple[Any, ...]]) -> list[BoundResult]:
    return [
        BoundResult(label=label_of(*label), key=key, run_no=run_no, bound_at=from_us(bound_us))
        for *label, key, run_no, bound_us in rows
    ]
