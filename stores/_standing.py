"""What stood at a time: present columns without what came since, and the few rows where another value stood.

Of a place, the value that the highest run bound is the latest one: where it was bound by then, it stood then.
Only the other places need be looked up, and those that came since then have no rows.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Iterator
from datetime import datetime
from itertools import groupby
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.windows import TimeWindow
from stores._codec import from_us
from stores._columns import columns_of_rows
from stores._rows import Group, coverage_of, overview_of
from stores.columns import OUTCOMES, ResultColumns
from stores.exchange import Coverage, Overview, ResultQuery, ResultRow

__all__ = ["Span", "coverage_of_columns", "only_of", "overview_of_columns", "questions", "spans_of"]

#: Start and end of a window, in microseconds since 1970.
Span = tuple[int, int]

_PAGE: Final = 10_000


def spans_of(columns: ResultColumns) -> Iterable[Span]:
    """Give the windows of columns, in order."""
    return zip(columns.starts.tolist(), columns.ends.tolist(), strict=True)


# --- places where another value stood --------------------------------------------------------------------


def questions(
    changed: Collection[ResultColumns], windows: Collection[Span], moment: datetime
) -> Iterator[ResultQuery]:
    """Ask what stood in the places of columns, and in few others.

    Of windows one behind the other in which the same models changed by the same tests, one question is asked.

    Parameters
    ----------
    changed
        Columns of different tests of one experiment.
    windows
        All those in which these tests have results.
    """
    order = sorted(windows)
    place = {span: number for number, span in enumerate(order)}
    for (tests, models), spans in _alike(changed).items():
        experiment = next(iter(changed)).experiment
        query = ResultQuery(experiment=experiment, tests=tests, models=models, as_of=moment, limit=_PAGE)
        for run in _runs(place[span] for span in spans):
            (first, _), (last, _) = order[run[0]], order[run[-1]]
            neighbours = [
                order[number][0] for number in (run[0] - 1, run[-1] + 1) if 0 <= number < len(order)
            ]
            # Windows that grow from one start are told apart by their ends: only one by one.
            if len(run) > 1 and not {first, last} & set(neighbours):
                yield query.model_copy(
                    update={"start_from": from_us(first), "start_before": from_us(last + 1)}
                )
                continue
            for start, end in order[run[0] : run[-1] + 1]:
                window = TimeWindow.model_construct(start=from_us(start), end=from_us(end))
                yield query.model_copy(update={"window": window})


def _alike(
    changed: Iterable[ResultColumns],
) -> dict[tuple[tuple[str, ...], tuple[str, ...]], list[Span]]:
    """Give windows by the tests and models that changed in them."""
    of_span: defaultdict[Span, tuple[set[str], set[str]]] = defaultdict(lambda: (set(), set()))
    for columns in changed:
        there = np.zeros((len(columns.starts), len(columns.models)), dtype=np.bool_)
        there[columns.window, columns.model] = True
        rows, which = np.unique(there, axis=0, return_inverse=True)
        named = [[columns.models[code] for code in np.flatnonzero(row)] for row in rows]
        for span, row in zip(spans_of(columns), which.reshape(-1).tolist(), strict=True):
            tests, models = of_span[span]
            tests.add(columns.test)
            models.update(named[row])
    found: defaultdict[tuple[tuple[str, ...], tuple[str, ...]], list[Span]] = defaultdict(list)
    for span, (tests, models) in of_span.items():
        found[tuple(sorted(tests)), tuple(sorted(models))].append(span)
    return found


def _runs(numbers: Iterable[int]) -> Iterator[list[int]]:
    """Give numbers in order, those that follow one another together."""
    for _, run in groupby(enumerate(sorted(numbers)), key=lambda each: each[1] - each[0]):
        yield [number for _, number in run]


def only_of(rows: Iterable[ResultRow], changed: Iterable[ResultColumns]) -> Iterator[ResultColumns]:
    """Put the rows into columns that are in the places of others, and leave the rest."""
    asked = {columns.test: columns for columns in changed}
    for found in columns_of_rows(rows):
        places = set(_places(asked[found.test]))
        inside = np.array([place in places for place in _places(found)])
        if inside.any():
            yield found.where(inside)


def _places(columns: ResultColumns) -> Iterator[tuple[str, str | None, Span]]:
    references, spans = [*columns.references, None], list(spans_of(columns))  # -1 stands for none
    codes = (columns.model.tolist(), columns.reference.tolist(), columns.window.tolist())
    for model, reference, window in zip(*codes, strict=True):
        yield columns.models[model], references[reference], spans[window]


# --- counting --------------------------------------------------------------------------------------------


def overview_of_columns(experiment: str, token: int, parts: Iterable[ResultColumns]) -> Overview:
    """Count the results of an experiment, each of which is in one of the parts."""
    counts: Counter[tuple[str, str, str | None, str]] = Counter()
    newest: dict[tuple[str, str, str | None, str], int] = {}
    windows: set[Span] = set()
    for part in parts:
        for group in _groups(part):
            counts[group[:4]] += group.n_windows
            newest[group[:4]] = max(newest.get(group[:4], group.newest_us), group.newest_us)
        windows.update(spans_of(part))
    groups = (Group(*place, n_windows=count, newest_us=newest[place]) for place, count in counts.items())
    return overview_of(experiment, token, groups, len(windows))


def _groups(columns: ResultColumns) -> Iterator[Group]:
    shape = len(columns.models), len(columns.references) + 1, len(OUTCOMES)
    code = np.ravel_multi_index((columns.model, columns.reference + 1, columns.outcome), shape)
    counts = np.bincount(code, minlength=int(np.prod(shape)))
    newest = np.full(len(counts), np.iinfo(np.int64).min)
    np.maximum.at(newest, code, columns.computed)
    references = (None, *columns.references)
    for place in np.flatnonzero(counts):
        model, reference, outcome = np.unravel_index(place, shape)
        yield Group(
            test=columns.test,
            model=columns.models[model],
            reference=references[reference],
            outcome=OUTCOMES[outcome].value,
            n_windows=int(counts[place]),
            newest_us=int(newest[place]),
        )


def coverage_of_columns(parts: Iterable[ResultColumns]) -> Coverage:
    """Count results by model and window, each of which is in one of the parts."""
    counted = [(list(spans_of(part)), part.models, _matrix(part)) for part in parts]
    spans = sorted({span for found, _, _ in counted for span in found})
    models = sorted({model for _, found, _ in counted for model in found})
    row = {span: place for place, span in enumerate(spans)}
    column = {model: place for place, model in enumerate(models)}
    total = np.zeros((len(spans), len(models)), dtype=np.int64)
    for found, names, matrix in counted:
        total[np.ix_([row[span] for span in found], [column[name] for name in names])] += matrix
    return coverage_of(
        (models[place], *span, number)
        for span, numbers in zip(spans, total.tolist(), strict=True)
        for place, number in enumerate(numbers)
        if number
    )


def _matrix(columns: ResultColumns) -> NDArray[np.int64]:
    shape = len(columns.starts), len(columns.models)
    code = np.ravel_multi_index((columns.window, columns.model), shape)
    return np.bincount(code, minlength=shape[0] * shape[1]).reshape(shape).astype(np.int64)
