"""Results in their places, as every store reads them: rows from stored bodies, and the cursors of pages."""

import base64
import binascii
import json
from collections.abc import Iterable
from datetime import datetime
from typing import NamedTuple

from pydantic import ValidationError

from forequake.errors import CorruptRecord, NotFound
from forequake.results import Label, Outcome
from forequake.windows import TimeWindow
from stores._codec import Encoded, body_of, from_us, to_us
from stores.exchange import Coverage, Overview, OverviewCell, Page, ResultRow

__all__ = ["Cursor", "Group", "coverage_of", "overview_of", "page_of", "result_row"]

#: What a row takes from the body of its result, besides `kind` and `key`.
_FROM_BODY = (
    "test",
    "statistic",
    "quantiles",
    "outcome",
    "reason",
    "alpha",
    "side",
    "n_observed",
    "n_forecast",
    "information_gain",
    "interval",
    "seed",
    "computed_at",
)

#: No time of this calendar is farther from 1970, in microseconds.
_FARTHEST_US = 10**18


def result_row(label: Label, encoded: Encoded, *, run_no: int, bound_at: datetime) -> ResultRow:
    """Put a stored result into its place, without reading its distribution.

    Raises
    ------
    CorruptRecord
        Where the body does not have what a row shows.
    SchemaVersion
        Where a newer forequake wrote it.
    """
    body = body_of(encoded)
    shown = {name: body[name] for name in _FROM_BODY if name in body}
    try:
        return ResultRow.model_validate(
            {
                **shown,
                "label": label,
                "key": encoded.key,
                "run_no": run_no,
                "bound_at": bound_at,
                "kind": encoded.kind,
            }
        )
    except ValidationError as error:
        fields = ", ".join(str(part) for problem in error.errors() for part in problem["loc"][:1])
        message = f"the {encoded.kind} record {encoded.key} cannot be read: bad or missing {fields}"
        raise CorruptRecord(message) from error


class Cursor(NamedTuple):
    """Where a page of results ended: the order of rows, as the values of the last one.

    Attributes
    ----------
    start_us
        Start of the window, in microseconds since 1970.
    """

    start_us: int
    test: str
    model: str
    slot: str

    def text(self) -> str:
        """Write the cursor as text that says nothing to its holder."""
        return base64.urlsafe_b64encode(json.dumps(self).encode()).decode()

    @classmethod
    def read(cls, text: str, store: str) -> "Cursor":
        """Read a cursor back.

        Raises
        ------
        NotFound
            Where no store wrote it.
        """
        try:
            parts = json.loads(base64.b64decode(text, altchars=b"-_", validate=True))
            json.dumps(parts, ensure_ascii=False).encode()  # half a character is none
        except (binascii.Error, ValueError, RecursionError):
            parts = None
        match parts:
            case [int() as start_us, str() as test, str() as model, str() as slot] if (
                abs(start_us) <= _FARTHEST_US
            ):
                return cls(start_us, test, model, slot)
        message = f"{store}: {text!r} is not the cursor of a page of results; begin again without one"
        raise NotFound(message)


def page_of(rows: list[ResultRow], limit: int) -> Page[ResultRow]:
    """Make a page of rows in their order; more of them than the limit tell that it is not the last."""
    if len(rows) <= limit:
        return Page(rows=tuple(rows))
    label = rows[limit - 1].label
    cursor = Cursor(to_us(label.window.start), label.test, label.model, label.slot)
    return Page(rows=tuple(rows[:limit]), cursor=cursor.text())


class Group(NamedTuple):
    """The latest results of one test of one model that have one outcome.

    Attributes
    ----------
    newest_us
        When the last of them was computed, in microseconds since 1970.
    """

    test: str
    model: str
    reference: str | None
    outcome: str
    n_windows: int
    newest_us: int


def overview_of(experiment: str, token: int, groups: Iterable[Group], n_windows: int) -> Overview:
    """Put the counts of an experiment together, in the order of tests, models and references."""
    cells: dict[tuple[str, str, str | None], list[Group]] = {}
    for group in sorted(groups, key=lambda each: (each.test, each.model, each.reference or "", each.outcome)):
        cells.setdefault(group[:3], []).append(group)
    newest = max((group.newest_us for cell in cells.values() for group in cell), default=None)
    return Overview(
        experiment=experiment,
        token=token,
        cells=tuple(
            OverviewCell(
                test=test,
                model=model,
                reference=reference,
                outcomes={Outcome(group.outcome): group.n_windows for group in cell},
                n_windows=sum(group.n_windows for group in cell),
                last_computed_at=from_us(max(group.newest_us for group in cell)),
            )
            for (test, model, reference), cell in cells.items()
        ),
        n_windows=n_windows,
        last_computed_at=None if newest is None else from_us(newest),
    )


def coverage_of(counted: Iterable[tuple[str, int, int, int]]) -> Coverage:
    """Put counts into a matrix: each is a model, start and end of a window in microseconds, and a number."""
    found = list(counted)
    models = sorted({model for model, *_ in found})
    column = {model: place for place, model in enumerate(models)}
    rows: dict[tuple[int, int], list[int]] = {}
    for model, start_us, end_us, number in found:
        rows.setdefault((start_us, end_us), [0] * len(models))[column[model]] += number
    spans = sorted(rows)
    return Coverage(
        windows=tuple(TimeWindow(start=from_us(start), end=from_us(end)) for start, end in spans),
        models=tuple(models),
        counts=tuple(tuple(rows[span]) for span in spans),
    )
