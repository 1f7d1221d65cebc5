"""Reading results in their places: pages of rows, and counts."""

import json
import sqlite3
from typing import Final

from stores._answers import OVERVIEW
from stores._codec import Encoded, decode_run, from_us, to_us
from stores._latest import label_of
from stores._rows import Cursor, page_of, result_row
from stores.exchange import ExperimentSummary, Page, ResultQuery, ResultRow
from stores.sqlite.latest import LATEST, read_latest
from stores.sqlite.schema import has_kept

__all__ = ["experiments", "latest_page", "page_as_of"]

# No list of words means any word; the planner sees the same few texts each time.
_ANY_TEST: Final = "(:tests IS NULL OR p.test IN (SELECT value FROM json_each(:tests)))"
_ANY_MODEL: Final = "(:models IS NULL OR p.model IN (SELECT value FROM json_each(:models)))"
_FILTERS: Final = """
    p.experiment = :experiment
    AND (:refs IS NULL OR p.reference IN (SELECT value FROM json_each(:refs)))
    AND p.start_us >= :from_us AND p.start_us < :before_us
    AND (:end_us IS NULL OR p.end_us = :end_us)
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
_AS_OF: Final = """
    SELECT p.slot, p.experiment, p.test, p.model, p.reference, p.start_us, p.end_us, p.run_no, p.bound_us,
        r.kind, r.key, r.v, r.canon, r.body
    FROM {places} JOIN results AS r ON r.key = p.key
    WHERE {filters} AND p.bound_us <= :as_of
    AND p.run_no = (SELECT max(run_no) FROM bindings WHERE slot = p.slot AND bound_us <= :as_of)
    AND (:outcomes IS NULL OR json_extract(r.body, '$.outcome') IN (SELECT value FROM json_each(:outcomes)))
    {order}
"""
_PAGE_AS_OF: Final = _AS_OF.format(
    places="bindings AS p", filters=f"{_FILTERS} AND {_ANY_TEST} AND {_ANY_MODEL}", order=_ORDER
)
# Of some the slots are those of their latest rows: only they are found by a window's end, and by tests and
# models in the index alone, before any binding is read.
_SOME_AS_OF: Final = _AS_OF.format(
    places="latest AS l INDEXED BY latest_by_window CROSS JOIN bindings AS p ON p.slot = l.slot",
    filters=f"{_FILTERS} AND {_ANY_TEST} AND {_ANY_MODEL}".replace("p.", "l."),
    order=_ORDER.replace("p.", "l."),
)

_EXPERIMENTS: Final = """
    SELECT e.name, e.record_key, e.token, {count},
        (SELECT count(*) FROM runs WHERE experiment = e.name),
        (SELECT body FROM runs WHERE experiment = e.name ORDER BY run_no DESC LIMIT 1)
    FROM experiments AS e ORDER BY e.name
"""
_COUNT: Final = "(SELECT count(*) FROM latest WHERE experiment = e.name)"
_KEPT_COUNT: Final = f"""
    coalesce((SELECT n FROM kept WHERE experiment = e.name AND what = '{OVERVIEW}' AND test = '' AND part = 0
        AND token = e.token), {_COUNT})
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
    some = query.window is not None or query.tests or query.models
    statement = _SOME_AS_OF if some else _PAGE_AS_OF
    for _, *label, run_no, bound_us, kind, key, version, canon, body in db.execute(
        statement, _parameters(query, store)
    ):
        encoded = Encoded(kind, key, version, canon, body, None)
        rows.append(result_row(label_of(*label), encoded, run_no=run_no, bound_at=from_us(bound_us)))
    return page_of(rows, query.limit)


def _parameters(query: ResultQuery, store: str) -> dict[str, str | int | None]:
    cursor = Cursor(-_FAR, "", "", "") if query.cursor is None else Cursor.read(query.cursor, store)
    from_us = -_FAR if query.start_from is None else to_us(query.start_from)
    before_us = _FAR if query.start_before is None else to_us(query.start_before)
    end_us = None
    if query.window is not None:
        start_us, end_us = to_us(query.window.start), to_us(query.window.end)
        from_us, before_us = max(from_us, start_us), min(before_us, start_us + 1)
    return {
        "experiment": query.experiment,
        "tests": _words(query.tests),
        "models": _words(query.models),
        "refs": _words(query.references),
        "outcomes": _words(query.outcomes),
        "from_us": max(from_us, cursor.start_us),  # so that a late page does not pass all earlier rows
        "before_us": before_us,
        "end_us": end_us,
        "as_of": None if query.as_of is None else to_us(query.as_of),
        "c_start": cursor.start_us,
        "c_test": cursor.test,
        "c_model": cursor.model,
        "c_slot": cursor.slot,
        "limit": query.limit + 1,  # one more tells whether this page is the last
    }


def _words(words: tuple[str, ...]) -> str | None:
    return json.dumps(words) if words else None


def experiments(db: sqlite3.Connection) -> list[ExperimentSummary]:
    """List experiments by name; see `ResultsStore.experiments`."""
    found = []
    for name, record_key, token, results, runs, body in db.execute(
        _EXPERIMENTS.format(count=_KEPT_COUNT if has_kept(db) else _COUNT)
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
