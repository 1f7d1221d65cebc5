"""The section of a report that compares two states: before the latest run and now, or two experiments."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Final

from dashboard._revisions import Axis, Pair, Shift, count_shifts, paired, revisions_table
from dashboard._words import count_of, window_name
from dashboard.figures.revisions import MOST_DUMBBELLS, dumbbell_figure, farthest
from dashboard.report.blocks import Block, Picture, Table, Words
from dashboard.report.material import Material
from stores import ResultQuery, ResultRow

__all__ = ["change_blocks"]

#: So many results of each state are read at most, those of the last windows.
_MOST: Final = 10_000
#: Rows of the table of changed outcomes.
_LISTED: Final = 200
_TITLES: Final[tuple[tuple[Axis, str], ...]] = (("probability", "Quantiles"), ("gain", "Information gains"))


def change_blocks(of: Material) -> Iterator[Block]:
    """Show which results moved, and which changed sides."""
    other = of.choice.against
    if other is None and len(of.runs) < 2:
        return
    # What stood before the latest run is what had been stored when it began.
    moment = of.runs[0].started_at if other is None else None
    pairs = paired(_rows(of, other or of.name, moment), _rows(of, of.name, None))
    if other is None:
        yield Words(
            f"Before run {of.runs[0].run_no}, the latest one, and after it{_where(of)}: {_counts(pairs)}."
        )
        if all(pair.shift in (Shift.SAME, Shift.ADDED) for pair in pairs):
            return
    else:
        yield Words(f"Before: {other}. After: {of.name}{_where(of)}: {_counts(pairs)}.")
    moved = [pair for pair in pairs if pair.shift is not Shift.SAME]
    for axis, title in _TITLES:
        yield from _dumbbells(of, moved, axis, title)
    changed = [pair for pair in moved if pair.shift is Shift.OUTCOME]
    if changed:
        more = f", the first {_LISTED} of {len(changed)}" if len(changed) > _LISTED else ""
        yield Table(f"Changed outcomes{more}", revisions_table(changed[:_LISTED]))


def _where(of: Material) -> str:
    if of.window is not None:
        return f" in the window {window_name(of.window)}"
    since = _since(of)
    return "" if since is None else f" in windows that begin at {since:%Y-%m-%d %H:%M} or later"


def _counts(pairs: Sequence[Pair]) -> str:
    counts = {shift: number for shift, number in count_shifts(pairs).items() if number}
    return ", ".join(f"{number} {shift.value}" for shift, number in counts.items()) or "no results"


def _since(of: Material) -> datetime | None:
    """Give from when on the results of windows fit into what is read; None for all."""
    listed = of.windows.listed
    most = max(_MOST // max(len(of.counted.cells), 1), 1)
    return None if len(listed) <= most else listed[-most].window.start


def _rows(of: Material, experiment: str, moment: datetime | None) -> list[ResultRow]:
    """Read what is shown of an experiment, as it stood at a time; None for now."""
    window = of.window
    query = ResultQuery(
        experiment=experiment,
        as_of=moment,
        start_from=_since(of) if window is None else window.start,
        start_before=None if window is None else window.start + timedelta(microseconds=1),
        limit=_MOST,
    )
    tests = {column.test for column in of.columns}
    return [
        row
        for row in of.store.latest(query).rows
        if row.label.model in of.models
        and row.label.test in tests
        and (window is None or row.label.window == window)
    ]


def _dumbbells(of: Material, pairs: Sequence[Pair], axis: Axis, title: str) -> Iterator[Block]:
    drawn = farthest(pairs, axis)
    if not drawn:
        return
    of_windows = "" if of.window is not None else " in the window where it moved farthest"
    more = (
        f" The {MOST_DUMBBELLS} that moved farthest of {len(drawn)}." if len(drawn) > MOST_DUMBBELLS else ""
    )
    yield Picture(
        name=f"changes-{axis}",
        title=title,
        draw=partial(dumbbell_figure, drawn, axis),
        alt=f"{title} of {count_of(min(len(drawn), MOST_DUMBBELLS), 'place')} before and after",
        caption=f"From the open circle (before) to the mark of the outcome (after), each model and test"
        f"{of_windows}.{more}",
        least_width=560,
    )
