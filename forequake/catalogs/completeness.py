"""Magnitude of completeness over time, and the parts of a window where small events may be missing."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.catalogs.specs import CompletenessSpec, Mainshock
from forequake.windows import TimeWindow

__all__ = ["IncompletePart", "completeness", "incomplete_part"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_DAY_US: Final = 86_400_000_000
#: Constants of the aftershock law of Helmstetter, Kagan and Jackson (2006).
_DROP: Final = 4.5
_SLOPE: Final = 0.75


@dataclass(frozen=True)
class IncompletePart:
    """Where in a window events may be missing.

    Attributes
    ----------
    spans
        In order of time; they do not touch one another.
    fraction
        Of the window's length, from 0 to 1.
    """

    spans: tuple[TimeWindow, ...]
    fraction: float


def completeness(spec: CompletenessSpec, moments: Sequence[datetime]) -> NDArray[np.float64]:
    """Give the magnitude from which on the catalog is complete at some moments.

    Parameters
    ----------
    moments
        With a time zone.

    Returns
    -------
    array of float64, shape (moments,)
        Infinite before the first of the spec's steps and at the very moment of a mainshock; minus infinity
        where the spec sets no limit.

    Examples
    --------
    A day after an M 7.1 the law gives 7.1 - 4.5:

    >>> shock = Mainshock(time=datetime(2019, 7, 6, 3, 19, 53, tzinfo=UTC), magnitude=7.1)
    >>> day = datetime(2019, 7, 7, 3, 19, 53, tzinfo=UTC)
    >>> float(completeness(CompletenessSpec(mainshocks=(shock,)), [day])[0].round(6))
    2.6
    """
    times = np.array([_microseconds(moment) for moment in moments], dtype=np.int64)
    greatest = np.full(len(times), -math.inf if spec.floor is None else spec.floor)
    if spec.steps:
        starts = [-math.inf if step.start is None else _microseconds(step.start) for step in spec.steps]
        magnitudes = np.array([math.inf, *(step.magnitude for step in spec.steps)])
        greatest = np.maximum(greatest, magnitudes[np.searchsorted(starts, times, side="right")])
    for shock in spec.mainshocks:
        days = (times - _microseconds(shock.time)) / _DAY_US
        with np.errstate(divide="ignore", invalid="ignore"):
            law = shock.magnitude - _DROP - _SLOPE * np.log10(days)
        greatest = np.maximum(greatest, np.where(days >= 0, law, -math.inf))
    return greatest


def incomplete_part(spec: CompletenessSpec, window: TimeWindow, magnitude_min: float) -> IncompletePart:
    """Find where in a window events of `magnitude_min` may be missing, to the microsecond.

    That is where the magnitude of completeness is greater than `magnitude_min`. The spans are solved for,
    not sampled.

    Examples
    --------
    >>> shock = Mainshock(time=datetime(2019, 7, 6, 3, 19, 53, tzinfo=UTC), magnitude=7.1)
    >>> day = TimeWindow(start=datetime(2019, 7, 6, tzinfo=UTC), end=datetime(2019, 7, 7, tzinfo=UTC))
    >>> part = incomplete_part(CompletenessSpec(mainshocks=(shock,)), day, 3.5)
    >>> [span.id[:41] for span in part.spans], round(part.fraction, 4)
    (['2019-07-06T03:19:53Z_2019-07-06T04:50:44.'], 0.0631)
    """
    start, end = _microseconds(window.start), _microseconds(window.end)
    spans = []
    for first, last in _joined(_incomplete_spans(spec, magnitude_min, start, end)):
        low, high = max(first, start), min(last, end)
        if low < high:
            spans.append((low, high))
    return IncompletePart(
        spans=tuple(TimeWindow(start=_moment(low), end=_moment(high)) for low, high in spans),
        fraction=sum(high - low for low, high in spans) / (end - start),
    )


def _incomplete_spans(
    spec: CompletenessSpec, magnitude_min: float, start: int, end: int
) -> list[tuple[int, int]]:
    """List the spans that each part of the spec makes incomplete; endless ones stop at the window's end."""
    if spec.floor is not None and spec.floor > magnitude_min:
        return [(start, end)]
    spans = []
    if spec.steps:
        starts = [start if step.start is None else _microseconds(step.start) for step in spec.steps]
        spans.append((min(start, starts[0]), starts[0]))
        ends = [*starts[1:], max(end, starts[-1])]
        spans += [
            (first, last)
            for step, first, last in zip(spec.steps, starts, ends, strict=True)
            if step.magnitude > magnitude_min
        ]
    for shock in spec.mainshocks:
        moment = _microseconds(shock.time)
        spans.append((moment, moment + _recovery(shock, magnitude_min)))
    return spans


def _recovery(shock: Mainshock, magnitude: float) -> int:
    """Give the microseconds after which the aftershock law has come down to a magnitude."""
    return math.ceil(10 ** ((shock.magnitude - _DROP - magnitude) / _SLOPE) * _DAY_US)


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Join spans that overlap or touch."""
    joined: list[tuple[int, int]] = []
    for first, last in sorted(spans):
        if joined and first <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(joined[-1][1], last))
        else:
            joined.append((first, last))
    return joined


def _microseconds(moment: datetime) -> int:
    return (moment - _EPOCH) // _MICROSECOND


def _moment(microseconds: int) -> datetime:
    return _EPOCH + microseconds * _MICROSECOND
