"""Counting an experiment's latest results.

MongoDB counts a million rows in seconds. So the counts of a large experiment are kept beside it, with the
token that it had: whoever may write keeps them, such as the end of a run, and everybody reads them until the
token changes.
"""

from collections import Counter
from collections.abc import Sequence
from datetime import datetime
from typing import Any, Final

from pymongo.database import Database
from pymongo.errors import OperationFailure

from forequake.errors import NotFound
from stores._codec import to_us
from stores._rows import Group, coverage_of, overview_of
from stores.exchange import Coverage, Overview
from stores.mongo.server import Document

__all__ = ["count_results", "coverage", "forget_counts", "overview"]

#: From so many results on, counts are kept.
_MANY: Final = 10_000
_NO_RIGHT: Final = 13
#: The index that has all that `coverage` counts.
_BY_WINDOW: Final = {"experiment": 1, "start_us": 1, "test": 1, "model": 1, "_id": 1, "end_us": 1}
_PLACE: Final = ("test", "model", "reference", "outcome")


def overview(db: Database[Document], experiment: str, store: str) -> Overview:
    """Count an experiment's latest results; see `ResultsStore.overview`."""
    found = db["experiments"].find_one({"_id": experiment})
    if found is None:
        message = f"{store} has no experiment {experiment!r}"
        raise NotFound(message)
    token, kept = found["token"], _kept(found)
    if kept is None:
        groups, n_windows = _groups(db, experiment), _count_windows(db, experiment)
        _keep(db, experiment, token, groups, n_windows)
    else:
        groups, n_windows = [Group(*values) for values in kept["groups"]], kept["n_windows"]
    return overview_of(experiment, token, groups, n_windows)


def coverage(db: Database[Document], experiment: str, start_from: datetime | None) -> Coverage:
    """Count results by model and window; see `ResultsStore.coverage`."""
    wanted: Document = {"experiment": experiment}
    if start_from is not None:
        wanted["start_us"] = {"$gte": to_us(start_from)}
    window = {"start_us": "$start_us", "end_us": "$end_us"}
    # Few groups with a long list each, counted here, take a third of the time of many groups.
    grouped = db["latest"].aggregate(
        [{"$match": wanted}, {"$group": {"_id": window, "models": {"$push": "$model"}}}], hint=_BY_WINDOW
    )
    return coverage_of(
        (model, each["_id"]["start_us"], each["_id"]["end_us"], number)
        for each in grouped
        for model, number in Counter[str](each["models"]).items()
    )


def count_results(db: Database[Document], experiment: Document) -> int:
    """Count all latest results of an experiment, given by its document."""
    kept = _kept(experiment)
    if kept is not None:
        return sum(Group(*values).n_windows for values in kept["groups"])
    return db["latest"].count_documents({"experiment": experiment["_id"]})


def forget_counts(db: Database[Document], experiment: str | None = None) -> None:
    """Let the results of one or all experiments be counted anew."""
    only = {} if experiment is None else {"_id": experiment}
    db["experiments"].update_many(only, {"$unset": {"counts": ""}})


def _kept(experiment: Document) -> dict[str, Any] | None:
    """Give the counts that are kept, if nothing has changed since."""
    counts = experiment.get("counts")
    return counts if isinstance(counts, dict) and counts["token"] == experiment["token"] else None


def _keep(
    db: Database[Document], experiment: str, token: int, groups: Sequence[Group], n_windows: int
) -> None:
    if sum(group.n_windows for group in groups) < _MANY:
        return
    counts = {"token": token, "groups": [list(group) for group in groups], "n_windows": n_windows}
    try:
        # A change gives a new token after its rows: whoever counted in between keeps what is read no more.
        db["experiments"].update_one({"_id": experiment, "token": token}, {"$set": {"counts": counts}})
    except OperationFailure as error:
        if error.code != _NO_RIGHT:  # a reader counts for itself
            raise


def _groups(db: Database[Document], experiment: str) -> list[Group]:
    found = db["latest"].aggregate(
        [
            {"$match": {"experiment": experiment}},
            {
                "$group": {
                    "_id": {name: f"${name}" for name in _PLACE},
                    "n_windows": {"$sum": 1},
                    "newest_us": {"$max": "$computed_us"},
                }
            },
        ]
    )
    return [
        Group(
            **{name: each["_id"].get(name) for name in _PLACE},
            n_windows=each["n_windows"],
            newest_us=each["newest_us"],
        )
        for each in found
    ]


def _count_windows(db: Database[Document], experiment: str) -> int:
    window = {"start_us": "$start_us", "end_us": "$end_us"}
    counted = db["latest"].aggregate(
        [{"$match": {"experiment": experiment}}, {"$group": {"_id": window}}, {"$count": "n"}]
    )
    return sum(int(each["n"]) for each in counted)
