"""The Global CMT project's own files: an archive, a file for each month, and the latest quick solutions."""

import tempfile
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forequake.catalogs.events import Events
from forequake.catalogs.formats.ndk import read_ndk
from forequake.catalogs.queries.bounds import QueryBounds, stamp
from forequake.catalogs.queries.conversation import Conversation, shown
from forequake.catalogs.queries.pages import Garbled
from forequake.catalogs.source_events import SourceEvents
from forequake.errors import CatalogError

__all__ = ["gcmt_events"]

_MONTHS: Final = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
#: All solutions from 1976 to 2020; later months have a file each.
_ARCHIVE: Final = "jan76_dec20.ndk"
_FIRST: Final = datetime(1976, 1, 1, tzinfo=UTC)
_FIRST_MONTH: Final = datetime(2021, 1, 1, tzinfo=UTC)
_QUICK: Final = "NEW_QUICK/qcmt.ndk"
#: A day without any solution is rare; quick solutions that begin later than this leave a gap.
_QUIET: Final = timedelta(days=7)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)


def gcmt_events(conversation: Conversation, folder: str, bounds: QueryBounds) -> SourceEvents:
    """Fetch the files that the span needs, and take the events within bounds and their margin.

    Months that have no file yet come from the quick solutions, which are preliminary; a note tells so.

    Raises
    ------
    CatalogUnavailable, CatalogError
        As for any query, and where neither kind of file covers a month.
    """
    folder = folder if folder.endswith("/") else folder + "/"
    asked_at = stamp(datetime.now(UTC).replace(microsecond=0))
    files, missing = _standard(conversation, folder, bounds)
    notes = []
    if missing is not None:
        # Last, since of two solutions for one event the first stands.
        files[_QUICK] = _quick(conversation, folder, missing)
        notes.append(f"events from {missing:%Y-%m-%d} on are quick solutions, which are preliminary")
    if bounds.start < _FIRST:
        notes.append(f"the catalog begins on {_FIRST:%Y-%m-%d}")
    names = list(files)
    read = f"{len(names)} files, {names[0]} to {names[-1]}," if len(names) > 3 else " and ".join(names)
    notes.insert(0, f"read {read or 'nothing'} of {shown(folder)} at {asked_at}")
    found = _joined(list(files.values()), tuple(notes))
    return found.take(_inside(found.events, bounds))


def _standard(
    conversation: Conversation, folder: str, bounds: QueryBounds
) -> tuple[dict[str, SourceEvents], datetime | None]:
    """Fetch the archive and the months, and tell the first month that has no file yet."""
    files: dict[str, SourceEvents] = {}
    missing: datetime | None = None
    if bounds.start < _FIRST_MONTH:
        files[_ARCHIVE] = conversation.ask(folder + _ARCHIVE, {}, _read)
    nothing = _joined([], ())
    for month in _months(bounds):
        name = f"NEW_MONTHLY/{month:%Y}/{_MONTHS[month.month - 1]}{month:%y}.ndk"
        events = conversation.ask(folder + name, {}, _read, missing=nothing)
        if events is nothing:
            missing = missing or month
        elif missing is None:
            files[name] = events
        else:
            message = (
                f"GCMT has no file for {missing:%Y-%m}, but one for {month:%Y-%m}. Asked: {shown(folder)}"
            )
            raise CatalogError(message)
    return files, missing


def _quick(conversation: Conversation, folder: str, since: datetime) -> SourceEvents:
    """Fetch the quick solutions, and make sure that they go back to the first month without a file."""
    events = conversation.ask(folder + _QUICK, {}, _read)
    times = events.events.time_us
    first = _EPOCH + int(times[0]) * _MICROSECOND
    if first > min(since + _QUIET, datetime.now(UTC)):
        message = (
            f"GCMT has no file for {since:%Y-%m}, and its quick solutions begin only at {stamp(first)}. "
            f"Asked: {shown(folder)}"
        )
        raise CatalogError(message)
    return events.take(times >= (since - _EPOCH) // _MICROSECOND)


def _months(bounds: QueryBounds) -> Iterator[datetime]:
    """Give the first moments of the months since 2021 that the span touches, as far as they have begun."""
    month = max(bounds.start.astimezone(UTC), _FIRST_MONTH)
    month = month.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    while month < min(bounds.end, datetime.now(UTC)):
        yield month
        month = (month + timedelta(days=31)).replace(day=1)


def _read(body: bytes) -> SourceEvents:
    """Read a file of the project; it never has one without events.

    Raises
    ------
    Garbled
        Where it is none, or not whole.
    """
    with tempfile.TemporaryDirectory(prefix="forequake-gcmt-") as folder:
        path = Path(folder) / "answer.ndk"
        path.write_bytes(body)
        try:
            events = read_ndk(path)
        except CatalogError as error:
            raise Garbled(str(error).replace(str(path), "its ndk file")) from error
    if not len(events):
        message = "its ndk file is empty"
        raise Garbled(message)
    return events


def _joined(files: list[SourceEvents], notes: tuple[str, ...]) -> SourceEvents:
    """Put the events of several files together; of solutions with one name the first stands."""
    seen: set[str] = set()
    kept = []
    for file in files:
        names = [str(name) for name in file.events.event_id]
        kept.append(file.take(np.array([name not in seen for name in names], dtype=np.bool_)))
        seen |= set(names)
    kinds = set.union(set(), *(file.other_magnitudes for file in kept))
    events = [file.events for file in kept]
    return SourceEvents.in_order(
        time_us=_column([one.time_us for one in events]),
        longitude=_column([one.longitude for one in events]),
        latitude=_column([one.latitude for one in events]),
        depth_km=_column([one.depth_km for one in events]),
        magnitude=_column([one.magnitude for one in events]),
        event_id=_column([one.event_id for one in events]),
        event_type=_column([file.event_type for file in kept]),
        magnitude_type=_column([file.magnitude_type for file in kept]),
        notes=notes,
        other_magnitudes={
            kind: _column([file.other_magnitudes[kind] for file in kept]) for kind in sorted(kinds)
        },
    )


def _column(arrays: Sequence[NDArray[Any]]) -> NDArray[Any]:
    return np.concatenate(arrays) if arrays else np.empty(0)


def _inside(events: Events, bounds: QueryBounds) -> NDArray[np.bool_]:
    start, end = ((moment - _EPOCH) // _MICROSECOND for moment in bounds.whole_seconds())
    chosen = (events.time_us >= start) & (events.time_us <= end)
    if bounds.magnitude_floor is not None:
        chosen &= events.magnitude >= bounds.magnitude_floor
    least, greatest = bounds.depths
    if least is not None:
        chosen &= events.depth_km >= least
    if greatest is not None:
        chosen &= events.depth_km <= greatest
    if bounds.box is not None:
        inside = np.zeros(len(events), dtype=np.bool_)
        for west, east, south, north in (part.box for part in bounds.parts() if part.box is not None):
            across = (events.longitude >= west) & (events.longitude <= east)
            inside |= across & (events.latitude >= south) & (events.latitude <= north)
        chosen &= inside
    return chosen
