"""Reading results in their places, page by page, and the list of experiments."""

from collections.abc import Iterator
from typing import Final

from pymongo import ASCENDING, DESCENDING
from pymongo.database import Database

from stores._codec import decode_run, from_us, to_us
from stores._latest import LABEL, label_of, latest_of
from stores._rows import Cursor, page_of, result_row
from stores.exchange import ExperimentSummary, Page, ResultQuery, ResultRow
from stores.mongo.kept import count_results
from stores.mongo.records import bodies_of
from stores.mongo.server import Document

__all__ = ["experiments", "latest_page", "page_as_of"]

_ORDER: Final = (
    ("start_us", ASCENDING),
    ("test", ASCENDING),
    ("model", ASCENDING),
    ("_id", ASCENDING),
)
#: The order of an index: rows as above, and of each slot the latest run first.
_AS_OF_ORDER: Final = (
    ("experiment", ASCENDING),
    ("start_us", ASCENDING),
    ("test", ASCENDING),
    ("model", ASCENDING),
    ("_id.slot", ASCENDING),
    ("_id.run_no", DESCENDING),
)
#: So many values of a past time are looked up at once.
_PIECE: Final = 1000


def latest_page(db: Database[Document], query: ResultQuery, store: str) -> Page[ResultRow]:
    """Read a page of the results that stand now; see `ResultsStore.latest`."""
    wanted = _wanted(query, store, "_id")
    if query.outcomes:
        wanted["outcome"] = {"$in": [outcome.value for outcome in query.outcomes]}
    found = db["latest"].find(wanted).sort(list(_ORDER)).limit(query.limit + 1)
    return page_of([latest_of(each.pop("_id"), each).row for each in found], query.limit)


def page_as_of(db: Database[Document], query: ResultQuery, store: str) -> Page[ResultRow]:
    """Read a page of the results that stood at `query.as_of`; see `ResultsStore.latest`."""
    rows: list[ResultRow] = []
    for bound in _bound_by_then(db, query, store):
        results = bodies_of(db, {each["key"] for each in bound})
        for each in bound:
            encoded = results.get(each["key"])
            if encoded is None:
                continue
            label = label_of(*(each[name] for name in LABEL))
            row = result_row(label, encoded, run_no=each["_id"]["run_no"], bound_at=from_us(each["bound_us"]))
            if not query.outcomes or row.outcome in query.outcomes:
                rows.append(row)
        if len(rows) > query.limit:
            break
    return page_of(rows, query.limit)


def _bound_by_then(db: Database[Document], query: ResultQuery, store: str) -> Iterator[list[Document]]:
    """Give of each slot the binding of the highest run that was bound by then, in the order of rows."""
    wanted = _wanted(query, store, "_id.slot")
    wanted["bound_us"] = {"$lte": 0 if query.as_of is None else to_us(query.as_of)}
    if query.window is not None:
        # The slots are those of the window's latest rows: only they are found by its end.
        window = {name: wanted[name] for name in ("experiment", "start_us", "end_us")}
        slots = [each["_id"] for each in db["latest"].find(window, {"_id": 1})]
        wanted["_id.slot"] = {"$in": slots}
    size = _PIECE if query.outcomes else min(_PIECE, query.limit + 1)  # outcomes are told apart only later
    piece: list[Document] = []
    last = None
    found = db["bindings"].find(wanted).sort(list(_AS_OF_ORDER))
    for each in found.batch_size(size):  # or the server would send 16 MB at a time
        if each["_id"]["slot"] == last:
            continue
        last = each["_id"]["slot"]
        piece.append(each)
        if len(piece) == size:
            yield piece
            piece = []
    yield piece


def _wanted(query: ResultQuery, store: str, slot: str) -> Document:
    wanted: Document = {"experiment": query.experiment}
    for field, words in (("test", query.tests), ("model", query.models), ("reference", query.references)):
        if words:
            wanted[field] = {"$in": list(words)}
    starts: Document = {}
    if query.start_before is not None:
        starts["$lt"] = to_us(query.start_before)
    if query.start_from is not None:
        starts["$gte"] = to_us(query.start_from)
    if query.window is not None:
        starts["$eq"], wanted["end_us"] = to_us(query.window.start), to_us(query.window.end)
    if query.cursor is not None:
        cursor = Cursor.read(query.cursor, store)
        # So that a late page does not pass all earlier rows.
        starts["$gte"] = max(cursor.start_us, starts.get("$gte", cursor.start_us))
        wanted["$or"] = _behind(cursor, slot)
    if starts:
        wanted["start_us"] = starts
    return wanted


def _behind(cursor: Cursor, slot: str) -> list[Document]:
    """Say in MongoDB's words that a row comes behind the one where a page ended."""
    here: Document = {}
    behind: list[Document] = []
    for field, value in zip(("start_us", "test", "model", slot), cursor, strict=True):
        behind.append({**here, field: {"$gt": value}})
        here[field] = value
    return behind


def experiments(db: Database[Document]) -> list[ExperimentSummary]:
    """List experiments by name; see `ResultsStore.experiments`."""
    found = []
    for each in db["experiments"].find().sort("_id", ASCENDING):
        of_it = {"experiment": each["_id"]}
        last = db["runs"].find_one(of_it, sort=[("run_no", DESCENDING)])
        run = None if last is None else decode_run(last["body"])
        found.append(
            ExperimentSummary(
                name=each["_id"],
                record_key=each["record_key"],
                n_results=count_results(db, each),
                n_runs=db["runs"].count_documents(of_it),
                last_run_state=None if run is None else run.state,
                last_run_counts=None if run is None else run.counts,
                last_started_at=None if run is None else run.started_at,
                token=each["token"],
            )
        )
    return found
