"""Counting an SQLite store's latest results, and keeping what was counted."""

import sqlite3
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from stores._answers import Answers, Body, Topic
from stores._codec import to_us
from stores._columns import FIELDS, PIECE
from stores._rows import Group
from stores.sqlite.schema import has_kept

__all__ = ["SqliteAnswers", "keep", "outdate"]

_FAR: Final = 1 << 62
_OF_IT: Final = "experiment = ? AND what = ? AND test = ? AND token = ?"


class SqliteAnswers(Answers):
    """What one transaction sees of an experiment, which it must have."""

    def __init__(self, db: sqlite3.Connection, experiment: str, token: int) -> None:
        self.experiment = experiment
        self.token = token
        self._db = db

    @classmethod
    def of(cls, db: sqlite3.Connection, experiment: str) -> "SqliteAnswers | None":
        """Give what is to be told of an experiment; None where the store has no such one."""
        row = db.execute("SELECT token FROM experiments WHERE name = ?", (experiment,)).fetchone()
        return None if row is None else cls(db, experiment, row[0])

    def kept(self, topic: Topic, from_us: int | None = None) -> list[bytes] | None:
        """Read pieces; one transaction wrote all of an answer."""
        if not self._has(topic):
            return None
        rows = self._db.execute(
            f"SELECT body FROM kept WHERE {_OF_IT} AND last_us >= ? ORDER BY part",  # noqa: S608 - our own
            (self.experiment, *topic, self.token, -_FAR if from_us is None else from_us),
        )
        return [body for (body,) in rows]

    def _has(self, topic: Topic) -> bool:
        if not has_kept(self._db):
            return False
        first = f"SELECT 1 FROM kept WHERE {_OF_IT} AND part = 0"  # noqa: S608 - our own words
        return self._db.execute(first, (self.experiment, *topic, self.token)).fetchone() is not None

    def groups(self) -> list[Group]:
        """Count by the index of tests."""
        found = self._db.execute(
            "SELECT test, model, reference, outcome, count(*), max(computed_us) FROM latest "
            "WHERE experiment = ? GROUP BY test, model, reference, outcome",
            (self.experiment,),
        )
        return [Group(*group) for group in found]

    def count_windows(self) -> int:
        """Count by the index of windows."""
        (windows,) = self._db.execute(
            "SELECT count(*) FROM (SELECT DISTINCT start_us, end_us FROM latest WHERE experiment = ?)",
            (self.experiment,),
        ).fetchone()
        return int(windows)

    def cells(self, start_from: datetime | None) -> Iterator[tuple[str, int, int, int]]:
        """Count by the index of windows."""
        return self._db.execute(
            "SELECT model, start_us, end_us, count(*) FROM latest INDEXED BY latest_by_window "
            "WHERE experiment = ? AND start_us >= ? GROUP BY start_us, model, end_us",
            (self.experiment, -_FAR if start_from is None else to_us(start_from)),
        )

    def fields(self, test: str) -> Iterator[Sequence[Sequence[Any]]]:
        """Read the rows of a test."""
        found = self._db.execute(
            f"SELECT {', '.join(FIELDS)} FROM latest INDEXED BY latest_by_test "  # noqa: S608 - our own names
            "WHERE experiment = ? AND test = ?",
            (self.experiment, test),
        )
        while rows := found.fetchmany(PIECE):
            yield rows


def keep(db: sqlite3.Connection, experiment: str, token: int, topic: Topic, bodies: Sequence[Body]) -> None:
    """Keep an answer instead of the former one, unless the experiment has another token by now."""
    now = db.execute("SELECT token FROM experiments WHERE name = ?", (experiment,)).fetchone()
    if now is None or now[0] != token:
        return
    db.execute("DELETE FROM kept WHERE experiment = ? AND what = ? AND test = ?", (experiment, *topic))
    db.executemany(
        "INSERT INTO kept (experiment, what, test, part, token, n, last_us, body) "
        "VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
        [(experiment, *topic, part, token, *body) for part, body in enumerate(bodies)],
    )


def outdate(db: sqlite3.Connection, experiment: str | None = None) -> None:
    """Give one or all experiments another token, so that nothing kept is read any more."""
    db.execute("UPDATE experiments SET token = token + 1 WHERE ?1 IS NULL OR name = ?1", (experiment,))
