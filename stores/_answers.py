"""Answers about all results of an experiment: counted from its latest rows, or kept from before.

Whoever has changed many results keeps the answers with the token that the experiment had before the rows were
read (`summarise`). They are read only while the token is the same; then and always they are what counting
gives. So nothing kept need ever be put right: it is outdated, and left alone.
"""

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from datetime import datetime
from typing import Any, Final, NamedTuple

from stores._codec import to_us
from stores._columns import columns_of, from_bytes, pieces, sealed, to_bytes, unsealed
from stores._rows import Group, coverage_of, overview_of
from stores.columns import ResultColumns, joined
from stores.exchange import Coverage, Overview

__all__ = [
    "COLUMNS",
    "COVERAGE",
    "MANY",
    "OVERVIEW",
    "Answers",
    "Body",
    "Topic",
    "columns",
    "coverage",
    "overview",
    "summarise",
]

#: From so many results on, answers are kept.
MANY: Final = 10_000
OVERVIEW: Final = "overview"
COVERAGE: Final = "coverage"
COLUMNS: Final = "columns"

#: Model, start and end of a window in microseconds since 1970, and a number of results.
_Cell = tuple[str, int, int, int]


class Topic(NamedTuple):
    """What an answer is about; of columns, the test, of other answers ""."""

    what: str
    test: str = ""


class Body(NamedTuple):
    """A piece of an answer that is kept.

    Attributes
    ----------
    n
        Number of results.
    last_us
        When the last of its windows starts, in microseconds since 1970.
    """

    n: int
    last_us: int
    data: bytes


class Answers(ABC):
    """What a store can tell of one experiment that it has.

    Attributes
    ----------
    experiment
        Its name.
    token
        The one that it had before anything else was read.
    """

    experiment: str
    token: int

    @abstractmethod
    def kept(self, topic: Topic, from_us: int | None = None) -> list[bytes] | None:
        """Give the pieces of an answer, but for those of earlier windows; None where it is not kept."""

    @abstractmethod
    def groups(self) -> list[Group]:
        """Count all latest results."""

    @abstractmethod
    def count_windows(self) -> int:
        """Count the windows with results."""

    @abstractmethod
    def cells(self, start_from: datetime | None) -> Iterable[_Cell]:
        """Count results by model and window."""

    @abstractmethod
    def fields(self, test: str) -> Iterator[Sequence[Sequence[Any]]]:
        """Read the fields (`stores._columns.FIELDS`) of a test's latest rows, in pieces."""


def overview(answers: Answers) -> Overview:
    """Count all results; see `ResultsStore.overview`."""
    kept = _read(answers, OVERVIEW)
    if kept is None:
        groups, n_windows = answers.groups(), answers.count_windows()
    else:
        groups, n_windows = [Group(*values) for values in kept["groups"]], kept["n_windows"]
    return overview_of(answers.experiment, answers.token, groups, n_windows)


def coverage(answers: Answers, start_from: datetime | None) -> Coverage:
    """Count results by model and window; see `ResultsStore.coverage`."""
    kept = _read(answers, COVERAGE)
    if kept is None:
        return coverage_of(answers.cells(start_from))
    from_us = None if start_from is None else to_us(start_from)
    return coverage_of(
        (model, *span, number)
        for span, numbers in zip(kept["spans"], kept["counts"], strict=True)
        if from_us is None or span[0] >= from_us
        for model, number in zip(kept["models"], numbers, strict=True)
        if number
    )


def columns(answers: Answers, test: str, start_from: datetime | None) -> ResultColumns | None:
    """Read the results of a test as columns; see `ResultsStore.columns`."""
    from_us = None if start_from is None else to_us(start_from)
    parts = _kept_columns(answers, test, from_us)
    if parts is None:
        counted = columns_of(answers.experiment, test, answers.fields(test))
        parts = [] if counted is None else [counted]
    if not parts:
        return None
    found = joined(parts)
    return (found if start_from is None else found.since(start_from)) or None


def _kept_columns(answers: Answers, test: str, from_us: int | None) -> list[ResultColumns] | None:
    kept = answers.kept(Topic(COLUMNS, test), from_us)
    if kept is None:
        return None
    read = [from_bytes(data) for data in kept]
    parts = [part for part in read if part is not None]
    return parts if len(parts) == len(read) else None


def _read(answers: Answers, what: str) -> Any:
    for data in answers.kept(Topic(what)) or ():
        content = unsealed(data)
        return None if content is None else json.loads(content)
    return None


def summarise(
    reading: Callable[[], AbstractContextManager[Answers]],
    keep: Callable[[int, Topic, Sequence[Body]], None],
) -> bool:
    """Count what is not kept under the experiment's token; tell whether there was anything to do.

    One answer at a time is read and in memory, so that nobody waits for the others.

    Parameters
    ----------
    reading
        Gives the experiment as it is at the moment.
    keep
        Writes an answer under a token, instead of what was kept about it.
    """
    with reading() as answers:
        counted = overview(answers)
    n_results = sum(cell.n_windows for cell in counted.cells)
    if n_results < MANY:
        return False
    topics = [Topic(OVERVIEW), Topic(COVERAGE)]
    topics += [Topic(COLUMNS, test) for test in sorted({cell.test for cell in counted.cells})]
    worked = False
    for topic in topics:
        with reading() as answers:
            if _is_readable(answers, topic):
                continue
            token, bodies = answers.token, list(_bodies(answers, topic))
        keep(token, topic, bodies)
        worked = True
    return worked


def _is_readable(answers: Answers, topic: Topic) -> bool:
    """Tell whether an answer is kept, undamaged, in the form that this version reads."""
    kept = answers.kept(topic)
    return kept is not None and all(unsealed(data) is not None for data in kept)


def _bodies(answers: Answers, topic: Topic) -> Iterator[Body]:
    match topic.what:
        case "overview":
            groups = answers.groups()
            content = {"groups": [list(group) for group in groups], "n_windows": answers.count_windows()}
            yield Body(sum(group.n_windows for group in groups), 0, _sealed(content))
        case "coverage":
            found = coverage_of(answers.cells(None))
            spans = [(to_us(window.start), to_us(window.end)) for window in found.windows]
            content = {"models": found.models, "spans": spans, "counts": found.counts}
            yield Body(sum(map(sum, found.counts)), 0, _sealed(content))
        case _:
            whole = columns_of(answers.experiment, topic.test, answers.fields(topic.test))
            for piece in () if whole is None else pieces(whole):
                yield Body(len(piece), int(piece.starts[-1]), to_bytes(piece))


def _sealed(content: dict[str, Any]) -> bytes:
    return sealed(json.dumps(content, separators=(",", ":")).encode())
