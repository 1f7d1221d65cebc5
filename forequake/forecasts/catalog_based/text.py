"""Rows of simulated catalogs as text files give them, in pieces: pyCSEP's columns and those of Hermes.

Text is read twice in the worst case: first by pyarrow, which is fast and takes plain files only, and where
that meets anything else, line by line by Python, whose rules decide and whose errors name the line.
"""

import csv
import gzip
import math
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import BinaryIO, Final, NamedTuple, cast

import numpy as np
from numpy.typing import NDArray

from forequake.errors import ForecastError

__all__ = ["NotPlain", "Rows", "TextForm", "exact_rows", "fast_rows", "find_text_form", "opened"]

#: What stands for a missing number.
_MISSING: Final = ("", "nan", "NaN", "NAN", "None", "none", "null", "NULL", "NA")
#: Columns as a piece of rows has them, beside the number of the catalog.
_NUMBERS: Final = ("longitude", "latitude", "depth_km", "magnitude")
_PIECE_BYTES: Final = 1 << 20
_PIECE_ROWS: Final = 20_000
_LONGEST_HEADING: Final = 1 << 14
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_TIME_FORMS: Final = (
    "%Y-%m-%dT%H:%M:%S.%f",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%d %H:%M:%S.%f",
    "%Y-%m-%d %H:%M:%S",
)


class NotPlain(Exception):
    """The fast reader leaves this file to the exact one."""


class Rows(NamedTuple):
    """Consecutive rows of a source.

    Attributes
    ----------
    catalog_id : array of int64, shape (rows,)
    is_event : array of bool, shape (rows,)
        False where a row only names a catalog, which is empty.
    time_us : array of int64, shape (rows,)
        Microseconds since 1970-01-01T00:00Z.
    longitude, latitude, depth_km, magnitude : array of float64, shape (rows,)
        NaN where they are missing.
    lines : array of int64, shape (rows,), or None
        Where they stand in a text, from 1 on.
    """

    catalog_id: NDArray[np.int64]
    is_event: NDArray[np.bool_]
    time_us: NDArray[np.int64]
    longitude: NDArray[np.float64]
    latitude: NDArray[np.float64]
    depth_km: NDArray[np.float64]
    magnitude: NDArray[np.float64]
    lines: NDArray[np.int64] | None = None


@dataclass(frozen=True)
class _Order:
    """The order of the columns of one text form, and the words that a heading may have for each."""

    name: str
    columns: tuple[str, ...]
    optional: int
    example: str


_WORDS: Final = {
    "longitude": {"lon", "longitude"},
    "latitude": {"lat", "latitude"},
    "magnitude": {"mag", "magnitude", "m"},
    "time": {"time_string", "time", "origin_time", "datetime"},
    "depth_km": {"depth", "depth_km"},
    "catalog_id": {"catalog_id", "realization_id", "cat_id"},
    "event_id": {"event_id"},
}
_CSEP: Final = _Order(
    "csep",
    ("longitude", "latitude", "magnitude", "time", "depth_km", "catalog_id", "event_id"),
    1,
    "lon,lat,mag,time_string,depth,catalog_id,event_id",
)
_HERMES: Final = _Order(
    "hermes",
    ("catalog_id", "magnitude", "depth_km", "latitude", "longitude", "time"),
    0,
    "realization_id,magnitude,depth,latitude,longitude,time",
)


@dataclass(frozen=True)
class TextForm:
    """How one text file of catalogs is laid out.

    Attributes
    ----------
    columns
        What each column is, in the order of the file; ``other 8`` and so on beyond those that are known.
    heading
        Whether the first line is one.
    """

    columns: tuple[str, ...]
    heading: bool


def find_text_form(path: Path) -> TextForm:
    """Tell by the first line how a text file is laid out: pyCSEP's columns or Hermes', with a heading or not.

    Raises
    ------
    ForecastError
        Where the first line is neither, or the file is empty or no text.
    """
    try:
        with opened(path) as file:
            start = file.read(_LONGEST_HEADING)
    except (OSError, EOFError, zlib.error) as error:
        message = f"{path}: the forecast cannot be read ({error})"
        raise ForecastError(message) from error
    if not start.strip():
        message = f"{path}: the file is empty"
        raise ForecastError(message)
    try:
        first = start.lstrip(b"\r\n").splitlines()[0].decode("utf-8-sig")
        fields = [field.strip() for field in next(csv.reader([first]))]
    except (UnicodeDecodeError, csv.Error) as error:
        message = f"{path}:1: not a text of catalogs ({error})"
        raise ForecastError(message) from error
    for order in (_CSEP, _HERMES):
        heading = fields[0].lower() in _WORDS[order.columns[0]]
        if heading or _looks_like(order, fields):
            if heading:
                _check_heading(path, order, fields)
            needed = len(order.columns) - order.optional
            if len(fields) >= needed:
                extra = tuple(f"other {number}" for number in range(len(order.columns), len(fields)))
                return TextForm((*order.columns[: len(fields)], *extra), heading)
    message = (
        f"{path}:1: neither pyCSEP's catalogs ({_CSEP.example}) nor Hermes' ({_HERMES.example}): "
        f"the first line is {first[:80]!r}"
    )
    raise ForecastError(message)


def _check_heading(path: Path, order: _Order, fields: list[str]) -> None:
    """Refuse columns in another order: pyCSEP reads by place, whatever the heading says."""
    for place, (field, column) in enumerate(zip(fields, order.columns, strict=False)):
        elsewhere = {name for name, words in _WORDS.items() if field.lower() in words} - {column}
        if elsewhere:
            message = (
                f"{path}:1: column {place + 1} is {field!r}, where the form has {order.example!r}; "
                "the columns must stand in this order"
            )
            raise ForecastError(message)


def _looks_like(order: _Order, fields: list[str]) -> bool:
    """Tell whether a first line without heading is a row of a form."""
    if len(fields) < len(order.columns) - order.optional:
        return False
    row = dict(zip(order.columns, fields, strict=False))
    try:
        int(row["catalog_id"])
        if row["time"]:
            _parse_time(row["time"])
    except ValueError:
        return False
    return True


def opened(path: Path) -> BinaryIO:
    """Open a file, or what is packed in one whose name ends in ``.gz``."""
    packed = path.suffix.lower() == ".gz"
    return cast("BinaryIO", gzip.open(path, "rb")) if packed else path.open("rb")


def fast_rows(path: Path, form: TextForm) -> Iterator[Rows]:
    """Read a plain text file in pieces.

    Raises
    ------
    NotPlain
        Where anything is not as pyarrow takes it; `exact_rows` says whether it is wrong.
    """
    import pyarrow as pa
    from pyarrow import csv as arrow

    kinds = {name: pa.float64() for name in _NUMBERS} | {"time": pa.string(), "catalog_id": pa.int64()}
    options = {
        "read_options": arrow.ReadOptions(
            block_size=_PIECE_BYTES, column_names=list(form.columns), skip_rows=int(form.heading)
        ),
        "convert_options": arrow.ConvertOptions(
            column_types=kinds,
            include_columns=[name for name in form.columns if name in kinds],
            null_values=list(_MISSING),
            strings_can_be_null=True,
        ),
    }
    try:
        with (
            pa.input_stream(str(path), compression="detect") as file,
            arrow.open_csv(file, **options) as reader,
        ):
            for piece in reader:
                if piece.num_rows:
                    yield _from_arrow(piece)
    except (pa.ArrowException, OSError, EOFError) as error:
        raise NotPlain from error


def _from_arrow(piece: object) -> Rows:
    import pyarrow as pa

    assert isinstance(piece, pa.RecordBatch)  # noqa: S101 - for the type checker
    numbers = {name: piece.column(name).to_numpy(zero_copy_only=False) for name in _NUMBERS}
    times = piece.column("time")
    ids = piece.column("catalog_id")
    no_time = times.is_null().to_numpy(zero_copy_only=False)
    is_event = ~np.logical_and.reduce([no_time, *(np.isnan(column) for column in numbers.values())])
    if ids.null_count or (no_time & is_event).any():
        raise NotPlain
    if times.null_count:
        times = times.fill_null("1970-01-01T00:00:00")
    try:
        moments = times.cast(pa.timestamp("us"))
    except pa.ArrowInvalid:
        moments = times.cast(pa.timestamp("us", "UTC"))  # all with an offset, or none is plain
    return Rows(ids.to_numpy(), is_event, moments.cast(pa.int64()).to_numpy(), **numbers)


def exact_rows(path: Path, form: TextForm) -> Iterator[Rows]:
    """Read a text file line by line.

    Raises
    ------
    ForecastError
        With the line and the value: text in place of a number, an event without a time, a line that is cut.
    """
    piece = _Piece()
    try:
        with opened(path) as file:
            reader = csv.reader(_lines(file))
            for fields in reader:
                if not fields or (reader.line_num == 1 and form.heading):
                    continue
                place = f"{path}:{reader.line_num}"
                if len(fields) != len(form.columns):
                    message = (
                        f"{place}: {len(fields)} columns where the first line has {len(form.columns)}: "
                        "the file is cut short or damaged"
                    )
                    raise ForecastError(message)
                piece.add(place, reader.line_num, dict(zip(form.columns, fields, strict=True)))
                if len(piece) == _PIECE_ROWS:
                    yield piece.rows()
                    piece = _Piece()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError, csv.Error) as error:
        message = f"{path}: the file is cut short or damaged ({error})"
        raise ForecastError(message) from error
    if len(piece):
        yield piece.rows()


def _lines(file: BinaryIO) -> Iterator[str]:
    for number, line in enumerate(file):
        yield line.decode("utf-8-sig" if number == 0 else "utf-8")


class _Piece:
    """Rows that were read line by line."""

    def __init__(self) -> None:
        self._integers: list[tuple[int, int, int, bool]] = []
        self._numbers: list[tuple[float, ...]] = []

    def __len__(self) -> int:
        return len(self._numbers)

    def add(self, place: str, line: int, fields: dict[str, str]) -> None:
        numbers = tuple(_number(place, name, fields[name]) for name in _NUMBERS)
        time = fields["time"].strip()
        try:
            catalog = int(np.int64(int(fields["catalog_id"])))
        except (ValueError, OverflowError) as error:
            message = f"{place}: the number of the catalog {fields['catalog_id']!r} is not a whole number"
            raise ForecastError(message) from error
        is_event = time not in _MISSING or not all(math.isnan(number) for number in numbers)
        if is_event and time in _MISSING:
            message = f"{place}: the event has no time"
            raise ForecastError(message)
        try:
            time_us = _parse_time(time) if is_event else 0
        except (ValueError, OverflowError) as error:
            message = f"{place}: the time {time!r} is not in the form 2019-07-06T03:22:35.630000"
            raise ForecastError(message) from error
        self._integers.append((catalog, time_us, line, is_event))
        self._numbers.append(numbers)

    def rows(self) -> Rows:
        integers = np.array(self._integers, dtype=np.int64).reshape(-1, 4)
        numbers = np.array(self._numbers, dtype=np.float64).reshape(-1, len(_NUMBERS))
        named = {name: numbers[:, place] for place, name in enumerate(_NUMBERS)}
        return Rows(integers[:, 0], integers[:, 3] == 1, integers[:, 1], **named, lines=integers[:, 2])


def _number(place: str, name: str, text: str) -> float:
    word = text.strip()
    if word in _MISSING:
        return math.nan
    try:
        return float(word)
    except ValueError as error:
        message = f"{place}: the {name.removesuffix('_km')} {text!r} is not a number"
        raise ForecastError(message) from error


def _parse_time(text: str) -> int:
    """Give microseconds since 1970; a time without an offset is UTC, as everywhere in pyCSEP."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        for form in _TIME_FORMS:
            try:
                moment = datetime.strptime(text, form)  # noqa: DTZ007 - made UTC below
                break
            except ValueError:
                continue
        else:
            raise
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return (moment - _EPOCH) // _MICROSECOND
