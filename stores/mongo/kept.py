"""Counting a MongoDB store's latest results, and keeping what was counted.

MongoDB counts a million rows in seconds.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError, OperationFailure

from stores._answers import OVERVIEW, Answers, Body, Topic
from stores._codec import to_us
from stores._columns import FIELDS, PIECE
from stores._rows import Group
from stores.mongo.server import Document

__all__ = ["MongoAnswers", "count_results", "keep", "outdate"]

_NO_RIGHT: Final = 13
#: MongoDB takes documents of 16 MB.
_LARGEST: Final = 15 << 20
#: The indexes that have all that is counted.
_BY_WINDOW: Final = {"experiment": 1, "start_us": 1, "test": 1, "model": 1, "_id": 1, "end_us": 1}
_BY_TEST: Final = dict.fromkeys(("experiment", "test", "model", "reference", "outcome", "computed_us"), 1)
_PLACE: Final = ("test", "model", "reference", "outcome")


class MongoAnswers(Answers):
    """What is to be told of an experiment, given by its document."""

    def __init__(self, db: Database[Document], experiment: Document) -> None:
        self.experiment = experiment["_id"]
        self.token = experiment["token"]
        self._db = db

    @classmethod
    def of(cls, db: Database[Document], experiment: str) -> "MongoAnswers | None":
        """Give what is to be told of an experiment; None where the store has no such one."""
        found = db["experiments"].find_one({"_id": experiment})
        return None if found is None else cls(db, found)

    def kept(self, topic: Topic, from_us: int | None = None) -> list[bytes] | None:
        """Read pieces, if all of them have the token: they are written one by one."""
        there = self._pieces(topic)
        if there is None:
            return None
        ids = [each["_id"] for each in there if from_us is None or each["last_us"] >= from_us]
        wanted = {"_id": {"$in": ids}, "token": self.token}
        bodies = {each["_id"]["part"]: each["body"] for each in self._db["kept"].find(wanted)}
        # Another process may have written under a later token in between.
        return [bodies[part] for part in sorted(bodies)] if len(bodies) == len(ids) else None

    def _pieces(self, topic: Topic) -> list[Document] | None:
        first, behind = (_id(self.experiment, topic, part) for part in (0, 1 << 30))
        wanted = {"_id": {"$gte": first, "$lt": behind}, "token": self.token}
        try:
            there = list(self._db["kept"].find(wanted, {"parts": 1, "last_us": 1}))
        except OperationFailure as error:
            if error.code != _NO_RIGHT:  # a user who was made before anything was kept counts
                raise
            return None
        return there if there and len(there) == there[0]["parts"] else None

    def groups(self) -> list[Group]:
        """Count by test, model, reference and outcome."""
        found = self._db["latest"].aggregate(
            [
                {"$match": {"experiment": self.experiment}},
                {
                    "$group": {
                        "_id": {name: f"${name}" for name in _PLACE},
                        "n_windows": {"$sum": 1},
                        "newest_us": {"$max": "$computed_us"},
                    }
                },
            ],
            hint=_BY_TEST,
        )
        return [
            Group(
                **{name: each["_id"].get(name) for name in _PLACE},
                n_windows=each["n_windows"],
                newest_us=each["newest_us"],
            )
            for each in found
        ]

    def count_windows(self) -> int:
        """Count different windows."""
        window = {"start_us": "$start_us", "end_us": "$end_us"}
        counted = self._db["latest"].aggregate(
            [{"$match": {"experiment": self.experiment}}, {"$group": {"_id": window}}, {"$count": "n"}],
            hint=_BY_WINDOW,
        )
        return sum(int(each["n"]) for each in counted)

    def cells(self, start_from: datetime | None) -> Iterator[tuple[str, int, int, int]]:
        """Count by model and window."""
        wanted: Document = {"experiment": self.experiment}
        if start_from is not None:
            wanted["start_us"] = {"$gte": to_us(start_from)}
        window = {"start_us": "$start_us", "end_us": "$end_us"}
        # Few groups with a long list each, counted here, take a third of the time of many groups.
        grouped = self._db["latest"].aggregate(
            [{"$match": wanted}, {"$group": {"_id": window, "models": {"$push": "$model"}}}], hint=_BY_WINDOW
        )
        for each in grouped:
            for model, number in Counter[str](each["models"]).items():
                yield model, each["_id"]["start_us"], each["_id"]["end_us"], number

    def fields(self, test: str) -> Iterator[Sequence[Sequence[Any]]]:
        """Read the rows of a test."""
        found = self._db["latest"].find(
            {"experiment": self.experiment, "test": test}, {"_id": 0, **dict.fromkeys(FIELDS, 1)}
        )
        rows: list[list[Any]] = []
        for each in found.batch_size(PIECE):
            rows.append([each.get(name) for name in FIELDS])
            if len(rows) == PIECE:
                yield rows
                rows = []
        yield rows


def _id(experiment: str, topic: Topic, part: int) -> Document:
    return {"experiment": experiment, **topic._asdict(), "part": part}


def count_results(db: Database[Document], experiment: Document) -> int:
    """Count all latest results of an experiment, given by its document."""
    wanted = {"_id": _id(experiment["_id"], Topic(OVERVIEW), 0), "token": experiment["token"]}
    try:
        kept = db["kept"].find_one(wanted, {"n": 1})
    except OperationFailure as error:
        if error.code != _NO_RIGHT:
            raise
        kept = None
    return db["latest"].count_documents({"experiment": experiment["_id"]}) if kept is None else int(kept["n"])


def keep(db: Database[Document], experiment: str, token: int, topic: Topic, bodies: Sequence[Body]) -> None:
    """Keep an answer instead of the former one, unless it is too large or this user has no right to."""
    if any(len(body.data) > _LARGEST for body in bodies):
        return
    for part, body in enumerate(bodies):
        place = _id(experiment, topic, part)
        shared = {"experiment": experiment, "what": topic.what, "token": token, "parts": len(bodies)}
        document = {**shared, "n": body.n, "last_us": body.last_us, "body": body.data}
        try:
            # A change gives a new token after its rows: what was counted in between is read no more.
            db["kept"].replace_one({"_id": place, "token": {"$lte": token}}, document, upsert=True)
        except DuplicateKeyError:  # another process kept what is newer
            continue
        except OperationFailure as error:
            if error.code != _NO_RIGHT:
                raise
            return
    try:
        behind = {"$gte": _id(experiment, topic, len(bodies)), "$lt": _id(experiment, topic, 1 << 30)}
        db["kept"].delete_many({"_id": behind, "token": {"$lt": token}})
    except OperationFailure as error:
        if error.code != _NO_RIGHT:
            raise


def outdate(db: Database[Document], experiment: str | None = None) -> None:
    """Give one or all experiments another token, where somebody may have died between a row and the token."""
    only = {} if experiment is None else {"_id": experiment}
    db["experiments"].update_many(only, {"$inc": {"token": 1}})
