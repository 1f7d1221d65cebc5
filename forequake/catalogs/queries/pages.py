"""What services answer, made into rows: GeoJSON of three kinds, and the text form of FDSN."""

import json
import math
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, NamedTuple, TypeVar

__all__ = ["Garbled", "Page", "Row", "fdsn_json", "fdsn_text", "geonet_json"]

_Made = TypeVar("_Made")

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
#: Columns of the text form, in the order of the specification of fdsnws-event 1.2; the last is optional.
_COLUMNS: Final = (
    "eventid",
    "time",
    "latitude",
    "longitude",
    "depth/km",
    "author",
    "catalog",
    "contributor",
    "contributorid",
    "magtype",
    "magnitude",
    "magauthor",
    "eventlocationname",
)


class Garbled(Exception):
    """An answer is not what the service gives when it is well: cut off, a web page, or broken rows."""


class Row(NamedTuple):
    """One event; `updated` orders versions of it and is no part of it.

    The time is in microseconds since 1970, the depth in kilometres (NaN where it is not given).
    """

    event_id: str
    time_us: int
    longitude: float
    latitude: float
    depth_km: float
    magnitude: float
    event_type: str
    magnitude_type: str
    updated: int


class Page(NamedTuple):
    """The events of one answer, how many had no magnitude, and how many the service says there are."""

    rows: tuple[Row, ...]
    without_magnitude: int = 0
    stated: int | None = None

    @property
    def size(self) -> int:
        """Number of events in the answer, with those that have no magnitude."""
        return len(self.rows) + self.without_magnitude


def fdsn_json(body: bytes) -> Page:
    """Read GeoJSON as ComCat and INGV write it.

    ComCat has ids beside the properties and times in milliseconds; INGV has ids among the properties and
    times in ISO 8601. Both have longitude, latitude and depth in kilometres as coordinates.

    Raises
    ------
    Garbled
        Where it is not that, or has another number of events than it says.
    """

    def row(feature: Mapping[str, Any]) -> Row | None:
        properties, places = feature["properties"], feature["geometry"]["coordinates"]
        name = feature["id"] if "id" in feature else properties["eventId"]
        if properties["mag"] is None:
            return None
        return Row(
            event_id=str(name),
            time_us=_time_us(properties["time"]),
            longitude=_number(places[0], -360, 360),
            latitude=_number(places[1], -90, 90),
            depth_km=_depth(places[2] if len(places) > 2 else None),
            magnitude=_number(properties["mag"], -10, 12),
            event_type=_text(properties.get("type")),
            magnitude_type=_text(properties.get("magType")),
            updated=int(properties.get("updated") or 0),
        )

    return _features(body, row)


def geonet_json(body: bytes) -> Page:
    """Read GeoJSON as GeoNet's quake search writes it: depths and magnitudes among the properties.

    Raises
    ------
    Garbled
        Where it is not that.
    """

    def row(feature: Mapping[str, Any]) -> Row | None:
        properties, places = feature["properties"], feature["geometry"]["coordinates"]
        name = properties["publicid"] if "publicid" in properties else properties["eventId"]
        if properties["magnitude"] is None:
            return None
        changed = properties.get("modificationtime")
        return Row(
            event_id=str(name),
            time_us=_time_us(properties["origintime"]),
            longitude=_number(places[0], -360, 360),
            latitude=_number(places[1], -90, 90),
            depth_km=_depth(properties.get("depth")),
            magnitude=_number(properties["magnitude"], -10, 12),
            event_type=_text(properties.get("eventtype")),
            magnitude_type=_text(properties.get("magnitudetype")),
            updated=_time_us(changed) if changed else 0,
        )

    return _features(body, row)


def fdsn_text(body: bytes) -> Page:
    """Read the text form of fdsnws-event: a row for each event, columns between vertical bars.

    Raises
    ------
    Garbled
        Where a row has less columns than the heading, or a value is not what it should be.
    """
    columns: tuple[str, ...] = _COLUMNS
    rows, without = [], 0
    for number, line in enumerate(_decoded(body).splitlines(), 1):
        cells = [cell.strip() for cell in line.split("|")]
        if line.startswith("#"):
            heading = tuple(cell.lstrip("#").strip().casefold() for cell in cells)
            columns = heading if "eventid" in heading else columns
            continue
        if not line.strip():
            continue
        if len(cells) < len(columns):
            message = f"line {number} has {len(cells)} columns, not {len(columns)}: {line[:80]!r}"
            raise Garbled(message)
        values = dict(zip(columns, cells, strict=False))
        if not values.get("magnitude"):
            without += 1
            continue
        rows.append(_understood(f"line {number}", _text_row, values))
    return Page(tuple(rows), without)


def _text_row(values: Mapping[str, str]) -> Row:
    return Row(
        event_id=values["eventid"],
        time_us=_time_us(values["time"]),
        longitude=_number(values["longitude"], -360, 360),
        latitude=_number(values["latitude"], -90, 90),
        depth_km=_depth(values["depth/km"]),
        magnitude=_number(values["magnitude"], -10, 12),
        event_type=values.get("eventtype", ""),
        magnitude_type=values.get("magtype", ""),
        updated=0,
    )


def _features(body: bytes, row: Callable[[Mapping[str, Any]], Row | None]) -> Page:
    if not body.strip():
        return Page(())
    document = _json(body)
    if not isinstance(document, dict) or not isinstance(document.get("features"), list):
        message = "it is JSON, but no collection of features"
        raise Garbled(message)
    features = document["features"]
    metadata = document.get("metadata")
    stated = metadata.get("count") if isinstance(metadata, dict) else None
    if isinstance(stated, int) and stated != len(features):
        message = f"it holds {len(features)} events and says that it holds {stated}"
        raise Garbled(message)
    found = list(_each(features, row))
    rows = tuple(one for one in found if one is not None)
    return Page(rows, len(found) - len(rows), stated if isinstance(stated, int) else None)


def _each(features: list[Any], row: Callable[[Mapping[str, Any]], Row | None]) -> Iterator[Row | None]:
    for number, feature in enumerate(features, 1):
        yield _understood(f"event {number}", row, feature)


def _understood(place: str, make: Callable[[Mapping[str, Any]], _Made], given: Mapping[str, Any]) -> _Made:
    try:
        return make(given)
    except (KeyError, IndexError, TypeError, ValueError, OverflowError) as error:
        what = f"there is no {error}" if isinstance(error, KeyError) else str(error)
        message = f"{place} cannot be read: {what}"
        raise Garbled(message) from error


def _json(body: bytes) -> object:
    text = _decoded(body)
    try:
        return json.loads(text)
    except ValueError as error:
        message = f"its {len(body)} bytes are no whole JSON ({error})"
        raise Garbled(message) from error
    except RecursionError as error:
        message = "its JSON is nested too deeply"
        raise Garbled(message) from error


def _decoded(body: bytes) -> str:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        message = f"it is no text in UTF-8 ({error})"
        raise Garbled(message) from error
    if text.lstrip()[:1] == "<":
        message = "it is a web page, not events"
        raise Garbled(message)
    return text


def _number(value: object, least: float, greatest: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        message = f"{value!r} is not a number"
        raise TypeError(message)
    number = float(value)
    if not least <= number <= greatest:
        message = f"{value!r} is not between {least:g} and {greatest:g}"
        raise ValueError(message)
    return number


def _depth(value: object) -> float:
    return math.nan if value is None or value == "" else _number(value, -100, 7000)


def _text(value: object) -> str:
    return "" if value is None else str(value).strip()


def _time_us(value: object) -> int:
    """Read milliseconds since 1970, or ISO 8601, which is in UTC unless it says otherwise."""
    if isinstance(value, str):
        moment = datetime.fromisoformat(value)
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment
        return (moment - _EPOCH) // _MICROSECOND
    return round(_number(value, -1e14, 1e14) * 1000)
