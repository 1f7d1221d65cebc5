"""Binding results to their places: what a publication changes, and what it leaves."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Any, Final, NamedTuple

from forequake.quantities import Sha256
from stores._codec import Encoded, from_us, to_us
from stores._latest import Latest, label_of
from stores._refusals import no_run, refuse_foreign, refuse_missing, second_value
from stores._rows import result_row
from stores.exchange import Binding, BoundResult, PublishReport, RunRef
from stores.sqlite.latest import label_columns, write_latest
from stores.sqlite.tables import bodies_of

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
    results = bodies_of(db, {binding.key for binding in bindings})
    refuse_missing(store, (binding.key for binding in bindings), results, "it is published")
    publication = _Publication(db, run, results, now_us, store)
    for binding in bindings:
        publication.bind(binding)
    if publication.changed:
        db.execute("UPDATE experiments SET token = token + 1 WHERE name = ?", (run.experiment,))
    return PublishReport(
        appended=publication.appended, unchanged=publication.unchanged, outdated=publication.outdated
    )


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

    def bind(self, binding: Binding) -> None:
        slot = binding.label.slot
        row = self._db.execute("SELECT run_no, bound_run, key FROM latest WHERE slot = ?", (slot,)).fetchone()
        place = None if row is None else _Place(*row)
        if place is not None and place.key == binding.key:
            self.unchanged += 1
            self._vouch(slot, place)
        elif place is None or place.run_no < self._run.run_no:
            self.appended += 1
            self._append(slot, binding, self._run.run_no)
            self._set_latest(slot, binding, self._run.run_no)
        elif place.run_no == self._run.run_no:
            raise second_value(self._store, self._run, binding)
        else:
            self.outdated += 1
            self._enter_history(slot, binding, place)

    def _vouch(self, slot: Sha256, place: _Place) -> None:
        if place.run_no < self._run.run_no:
            self._db.execute("UPDATE latest SET run_no = ? WHERE slot = ?", (self._run.run_no, slot))
            self.changed = True

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
