"""Catalogs from files: pyCSEP's text and JSON forms."""

import csv
import json
import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import numpy as np

from forequake.catalogs.events import Events
from forequake.errors import CatalogError

__all__ = ["read_catalog"]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class _Event:
    time_us: int
    longitude: float
    latitude: float
    depth_km: float
    magnitude: float
    event_id: str


def read_catalog(path: Path) -> Events:
    """Read a catalog in the form that its name says: ``.json`` for pyCSEP's JSON, else its text form.

    The text form has the columns longitude, latitude, magnitude, time (ISO 8601, UTC), depth in kilometres,
    catalog id, event id; a heading is optional. The JSON form is what ``CSEPCatalog.write_json`` writes.
    A missing depth is NaN; a missing time, place or magnitude is an error, since such an event cannot be
    counted or left out by any rule.

    Returns
    -------
    Events
        In order of time; events of one time stay in the order of the file.

    Raises
    ------
    CatalogError
        With the file, the line or event, and what is wrong.
    """
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        message = f"{path}: the catalog cannot be read ({error})"
        raise CatalogError(message) from error
    rows = _json_rows(path, text) if path.suffix.lower() == ".json" else _text_rows(path, text)
    try:
        return _arrays(rows)
    except csv.Error as error:
        message = f"{path}: the catalog is not in its text form ({error})"
        raise CatalogError(message) from error


def _text_rows(path: Path, text: str) -> Iterator[_Event]:
    reader = csv.reader(text.splitlines(), skipinitialspace=True)
    for row in reader:
        place = f"{path}:{reader.line_num}"
        if not row or not any(cell.strip() for cell in row):
            continue
        if reader.line_num == 1 and row[0].strip().lower() in {"lon", "longitude"}:
            continue
        if len(row) < 5:
            message = (
                f"{place}: expected lon, lat, magnitude, time, depth, catalog_id, event_id, "
                f"got {len(row)} columns"
            )
            raise CatalogError(message)
        yield _Event(
            time_us=_time_us(place, row[3]),
            longitude=_number(place, "longitude", row[0], -180, 360),
            latitude=_number(place, "latitude", row[1], -90, 90),
            depth_km=_depth(place, row[4]),
            magnitude=_number(place, "magnitude", row[2], -10, 12),
            event_id=row[6].strip() if len(row) > 6 else "",
        )


def _json_rows(path: Path, text: str) -> Iterator[_Event]:
    try:
        events = json.loads(text)["catalog"]
    except (ValueError, KeyError, TypeError) as error:
        message = f"{path}: not a catalog in pyCSEP's JSON form ({error})"
        raise CatalogError(message) from error
    for number, event in enumerate(events, 1):
        place = f"{path}: event {number}"
        if not isinstance(event, list) or len(event) != 6:
            message = f"{place}: expected [id, milliseconds, latitude, longitude, depth, magnitude]"
            raise CatalogError(message)
        name, milliseconds, latitude, longitude, depth, magnitude = event
        yield _Event(
            time_us=round(_number(place, "time in milliseconds", milliseconds, -1e14, 1e14)) * 1000,
            longitude=_number(place, "longitude", longitude, -180, 360),
            latitude=_number(place, "latitude", latitude, -90, 90),
            depth_km=_depth(place, depth),
            magnitude=_number(place, "magnitude", magnitude, -10, 12),
            event_id="" if name is None else str(name),
        )


def _number(place: str, what: str, value: object, least: float, greatest: float) -> float:
    if value is None or str(value).strip().lower() in {"", "nan", "none"}:
        message = f"{place}: the event has no {what}; give it one or take the event out"
        raise CatalogError(message)
    try:
        number = float(str(value))
    except ValueError as error:
        message = f"{place}: the {what} {value!r} is not a number"
        raise CatalogError(message) from error
    if not least <= number <= greatest:
        message = f"{place}: the {what} {value!r} is not between {least:g} and {greatest:g}"
        raise CatalogError(message)
    return number


def _depth(place: str, value: object) -> float:
    if value is None or str(value).strip().lower() in {"", "nan", "none"}:
        return math.nan
    return _number(place, "depth", value, -20, 7000)


def _time_us(place: str, text: str) -> int:
    try:
        moment = datetime.fromisoformat(text.strip())
    except ValueError as error:
        message = f"{place}: the time {text!r} is not in the form 2019-07-06T03:22:35.630000"
        raise CatalogError(message) from error
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _arrays(rows: Iterable[_Event]) -> Events:
    events = sorted(rows, key=lambda event: event.time_us)
    return Events(
        time_us=np.array([event.time_us for event in events], dtype=np.int64),
        longitude=np.array([event.longitude for event in events], dtype=np.float64),
        latitude=np.array([event.latitude for event in events], dtype=np.float64),
        depth_km=np.array([event.depth_km for event in events], dtype=np.float64),
        magnitude=np.array([event.magnitude for event in events], dtype=np.float64),
        event_id=np.array([event.event_id for event in events], dtype=np.str_),
    )
