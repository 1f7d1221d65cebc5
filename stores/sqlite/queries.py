"""Reading results in their places: pages of rows, and counts."""

import json
import sqlite3
from datetime import datetime
from typing import Final

from forequake.errors import NotFound
from stores._codec import Encoded, decode_run, from_us, to_us
from stores._latest import label_of
from stores._rows import Cursor, Group, coverage_of, overview_of, page_of, result_row
from stores.exchange import Coverage, ExperimentSummary, Overview, Page, ResultQuery, ResultRow
from stores.sqlite.latest import LATEST, read_latest

__all__ = ["coverage", "experiments", "latest_page", "overview", "page_as_of"]

# No list of words means any word; the planner sees the same few texts each time.
_ANY_TEST: Final = "(:tests IS NULL OR p.test IN (SELECT value FROM json_each(:tests)))"
_ANY_MODEL: Final = "(:models IS NULL OR p.model IN (SELECT value FROM json_each(:models)))"
_FILTERS: Final = """
    p.experiment = :experiment
    AND (:refs IS NULL OR p.reference IN (SELECT value FROM json_each(:refs)))
    AND p.start_us >= :from_us AND p.start_us < :before_us
    AND (p.start_us, p.test, p.model, p.slot) > (:c_start, :c_test, :c_model, :c_slot)
"""
_ORDER: Final = "ORDER BY p.start_us, p.test, p.model, p.slot LIMIT :limit"

# Rows in their order until the page is full, whatever else is asked for,
_LATEST_PAGE: Final = f"""
    SELECT {LATEST} FROM latest AS p INDEXED BY latest_by_window
    WHERE {_FILTERS} AND {_ANY_TEST} AND {_ANY_MODEL}
    AND (:outcomes IS NULL OR p.outcome IN (SELECT value FROM json_each(:outcomes)))
    {_ORDER}
"""  # noqa: S608 - our own names
# but of some tests of some models all rows, put into order: few beside all that the other way would pass.
_LATEST_SERIES: Final = f"""
    SELECT {LATEST} FROM latest AS p INDEXED BY latest_by_test
    WHERE {_FILTERS} AND p.test IN (SELECT value FROM json_each(:tests))
    AND p.model IN (SELECT value FROM json_each(:models))
    AND (:outcomes IS NULL OR p.outcome IN (SELECT value FROM json_each(:outcomes)))
    {_ORDER}
"""  # noqa: S608 - our own names

# Of a slot's bindings until then, the one of the highest run.
_PAGE_AS_OF: Final = f"""
    SELECT p.slot, p.experiment, p.test, p.model, p.reference, p.start_us, p.end_us, p.run_no, p.bound_us,
        r.kind, r.key, r.v, r.canon, r.body
    FROM bindings AS p JOIN results AS r ON r.key = p.key
    WHERE {_FILTERS} AND {_ANY_TEST} AND {_ANY_MODEL} AND p.bound_us <= :as_of
    AND p.run_no = (SELECT max(run_no) FROM bindings WHERE slot = p.slot AND bound_us <= :as_of)
    AND (:outcomes IS NULL OR json_extract(r.body, '$.outcome') IN (SELECT value FROM json_each(:outcomes)))
    {_ORDER}
"""  # noqa: S608 - our own names

_FAR: Final = 1 << 62


def latest_page(db: sqlite3.Connection, query: ResultQuery, store: str) -> Page[ResultRow]:
    """Read a page of the results that stand now; see `ResultsStore.latest`."""
    statement = _LATEST_SERIES if query.tests and query.models else _LATEST_PAGE
    rows = [read_latest(row).row for row in db.execute(statement, _parameters(query, store))]
    return page_of(rows, query.limit)


def page_as_of(db: sqlite3.Connection, query: ResultQuery, store: str) -> Page[ResultRow]:
    """Read a page of the results that stood at `query.as_of`; see `ResultsStore.latest`."""
    rows = []
    for _, *label, run_no, bound_us, kind, key, version, canon, body in db.execute(
        _PAGE_AS_OF, _parameters(query, store)
    ):
        encoded = Encoded(kind, key, version, canon, body, None)
        rows.append(result_row(label_of(*label), encoded, run_no=run_no, bound_at=from_us(bound_us)))
    return page_of(rows, query.limit)


def _parameters(query: ResultQuery, store: str) -> dict[str, str | int | None]:
    cursor = Cursor(-_FAR, "", "", "") if query.cursor is None else Cursor.read(query.cursor, store)
    from_us = -_FAR if query.start_from is None else to_us(query.start_from)
    return {
        "experiment": query.experiment,
        "tests": _words(query.tests),
        "models": _words(query.models),
        "refs": _words(query.references),
        "outcomes": _words(query.outcomes),
        "from_us": max(from_us, cursor.start_us),  # so that a late page does not pass all earlier rows
        "before_us": _FAR if query.start_before is None else to_us(query.start_before),
        "as_of": None if query.as_of is None else to_us(query.as_of),
        "c_start": cursor.start_us,
        "c_test": cursor.test,
        "c_model": cursor.model,
        "c_slot": cursor.slot,
        "limit": query.limit + 1,  # one more tells whether this page is the last
    }


def _words(words: tuple[str, ...]) -> str | None:
    return json.dumps(words) if words else None


def overview(db: sqlite3.Connection, experiment: str, store: str) -> Overview:
    """Count an experiment's latest results; see `ResultsStore.overview`."""
    row = db.execute("SELECT token FROM experiments WHERE name = ?", (experiment,)).fetchone()
    if row is None:
        message = f"{store} has no experiment {experiment!r}"
        raise NotFound(message)
    groups = db.execute(
        "SELECT test, model, reference, outcome, count(*), max(computed_us) FROM latest WHERE experiment = ? "
        "GROUP BY test, model, reference, outcome",
        (experiment,),
    ).fetchall()
    (windows,) = db.execute(
        "SELECT count(*) FROM (SELECT DISTINCT start_us, end_us FROM latest WHERE experiment = ?)",
        (experiment,),
    ).fetchone()
    return overview_of(experiment, row[0], (Group(*group) for group in groups), windows)


def coverage(db: sqlite3.Connection, experiment: str, start_from: datetime | None) -> Coverage:
    """Count results by model and window; see `ResultsStore.coverage`."""
    return coverage_of(
        db.execute(
            "SELECT model, start_us, end_us, count(*) FROM latest INDEXED BY latest_by_window "
            "WHERE experiment = ? AND start_us >= ? GROUP BY start_us, model, end_us",
            (experiment, -_FAR if start_from is None else to_us(start_from)),
        )
    )


def experiments(db: sqlite3.Connection) -> list[ExperimentSummary]:
    """List experiments by name; see `ResultsStore.experiments`."""
    found = []
    for name, record_key, token, results, runs, body in db.execute(
        "SELECT e.name, e.record_key, e.token, "
        "(SELECT count(*) FROM latest WHERE experiment = e.name), "
        "(SELECT count(*) FROM runs WHERE experiment = e.name), "
        "(SELECT body FROM runs WHERE experiment = e.name ORDER BY run_no DESC LIMIT 1) "
        "FROM experiments AS e ORDER BY e.name"
    ).fetchall():
        last = None if body is None else decode_run(body)
        found.append(
            ExperimentSummary(
                name=name,
                record_key=record_key,
                n_results=results,
                n_runs=runs,
                last_run_state=None if last is None else last.state,
                last_run_counts=None if last is None else last.counts,
                last_started_at=None if last is None else last.started_at,
                token=token,
            )
        )
    return found
