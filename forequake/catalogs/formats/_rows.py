"""Text files in pieces: rows with their lines, so that memory is bounded and mistakes have a place."""

import csv
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Final, TextIO

import numpy as np
from numpy.typing import NDArray

from forequake.catalogs.formats._plain import Kind, NotPlain, PlainRows, plain_rows
from forequake.catalogs.formats._times import iso_time
from forequake.catalogs.formats._values import checked_numbers
from forequake.catalogs.source_events import SourceEvents
from forequake.errors import CatalogError

__all__ = ["Columns", "Rows", "Table", "TableForm", "gather", "open_text", "read_table", "text_rows"]

#: Rows that are in memory as texts at one time.
_PIECE: Final = 50_000
_LONGEST_ID: Final = 256
_DELIMITERS: Final = {";": "semicolons", "\t": "tabs", "|": "bars", " ": "blanks", ",": "commas"}

#: Columns of some events, by the names that `SourceEvents.in_order` has for them.
Columns = dict[str, NDArray[np.generic]]


@dataclass(frozen=True)
class Rows:
    """Some rows of a file.

    Attributes
    ----------
    lines
        Where each row stands; counts from 1.
    cells
        The texts of each row.
    """

    path: Path
    lines: Sequence[int]
    cells: Sequence[Sequence[str]]

    def __len__(self) -> int:
        return len(self.lines)

    def place(self, row: int) -> str:
        """Name a row's file and line."""
        return f"{self.path}:{self.lines[row]}"

    def column(self, index: int) -> list[str]:
        """Give the texts of a column."""
        return [row[index] for row in self.cells]

    def numbers(
        self, index: int, what: str, *, optional: bool = False, limits: tuple[float, float] | None = None
    ) -> NDArray[np.float64]:
        """Give a column of numbers within the limits of what they are (see `LIMITS`), or other limits.

        Raises
        ------
        CatalogError
            For the first row where there is none.
        """
        return checked_numbers(self.column(index), what, self.place, optional=optional, limits=limits)

    def times(self, index: int, *, zone_required: bool = False) -> NDArray[np.int64]:
        """Give a column of times in microseconds since 1970 (see `iso_time`).

        Raises
        ------
        CatalogError
            For the first row where there is none.
        """
        return np.array(
            [
                iso_time(self.place(row), text, zone_required=zone_required)
                for row, text in enumerate(self.column(index))
            ],
            dtype=np.int64,
        )

    def texts(self, index: int) -> list[str]:
        """Give a column of texts without blanks around them; rows that end before it have none."""
        return [row[index].strip() if len(row) > index else "" for row in self.cells]

    def ids(self, index: int) -> NDArray[np.str_]:
        """Give a column of event ids."""
        names = self.texts(index)
        if max(map(len, names), default=0) > _LONGEST_ID:
            row = next(row for row, name in enumerate(names) if len(name) > _LONGEST_ID)
            message = f"{self.place(row)}: the event id is longer than {_LONGEST_ID} characters"
            raise CatalogError(message)
        return np.array(names, dtype=np.str_)

    def require(self, least: int, expected: str) -> None:
        """Check that every row has its columns.

        Raises
        ------
        CatalogError
            For the first row that is too short, with what is expected.
        """
        if min(map(len, self.cells), default=least) >= least:
            return
        row = next(row for row, cells in enumerate(self.cells) if len(cells) < least)
        cells = self.cells[row]
        message = (
            f"{self.place(row)}: expected {expected}, got {len(cells)} "
            f"{'column' if len(cells) == 1 else 'columns'}"
        )
        if len(cells) == 1:
            other = next((name for sign, name in _DELIMITERS.items() if sign in cells[0]), None)
            message += f"; they seem to stand apart by {other}" if other else ""
        raise CatalogError(message)


#: Rows of either way of reading.
Table = Rows | PlainRows


@contextmanager
def open_text(path: Path) -> Iterator[TextIO]:
    """Open UTF-8 text, with or without a byte order mark.

    Raises
    ------
    CatalogError
        Where it cannot be read, or is no such text; the latter with its line.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield file
    except OSError as error:
        message = f"{path}: the catalog cannot be read ({error.strerror})"
        raise CatalogError(message) from error
    except UnicodeDecodeError as error:
        message = f"{path}:{_undecodable(path)}: this is not UTF-8 text; save the file in UTF-8"
        raise CatalogError(message) from error


@dataclass(frozen=True)
class TableForm:
    """How a format writes its table.

    Attributes
    ----------
    delimiters
        Those that stand between columns; the first that is in the first line is taken, else the last. A blank
        means blanks and tabs, several of which are one.
    kinds
        Of the columns that are needed.
    headings
        First words of a heading, in lower case.
    quotes
        Whether cells may stand in quotes; a table without them may have comments that begin with # or %.
    """

    delimiters: str
    kinds: Mapping[int, Kind]
    headings: frozenset[str]
    quotes: bool

    def is_heading(self, row: list[str]) -> bool:
        """Tell whether a row is the heading."""
        return row[0].strip().lower() in self.headings


def read_table(
    path: Path, form: TableForm, columns: Callable[[Table], Columns], *, magnitude_type: str = ""
) -> SourceEvents:
    """Read a table: the fast way where it is plain, else exactly.

    Parameters
    ----------
    columns
        Takes the columns out of some rows.

    Raises
    ------
    CatalogError
        For the first row that is wrong.
    """
    try:
        plain = plain_rows(path, form.delimiters, form.kinds, form.is_heading)
        parts = [columns(rows) for rows in plain]
    except NotPlain:
        parts = [columns(rows) for rows in text_rows(path, form)]
    return gather(parts, magnitude_type=magnitude_type)


def text_rows(path: Path, form: TableForm) -> Iterator[Rows]:
    """Read a table exactly, in pieces, without blank rows and the heading."""
    with open_text(path) as file:
        numbered = _quoted(path, file, form) if form.quotes else _unquoted(file, form)
        first = True
        while piece := list(islice(numbered, _PIECE)):
            if first and form.is_heading(piece[0][1]):
                del piece[0]
            first = False
            yield Rows(path, [line for line, _ in piece], [cells for _, cells in piece])


def _quoted(path: Path, file: TextIO, form: TableForm) -> Iterator[tuple[int, list[str]]]:
    # Strict: a quote that is not closed would swallow the rest of the file.
    reader = csv.reader(file, delimiter=form.delimiters[0], skipinitialspace=True, strict=True)
    try:
        for row in reader:
            if row and any(map(str.strip, row)):
                yield reader.line_num, row
    except csv.Error as error:
        what = "a quote is not closed" if "end of data" in str(error) else error
        message = f"{path}:{reader.line_num}: the catalog is not in its text form ({what})"
        raise CatalogError(message) from error


def _unquoted(file: TextIO, form: TableForm) -> Iterator[tuple[int, list[str]]]:
    for number, line in enumerate(file, 1):
        stripped = line.strip()
        if stripped and stripped[0] not in "#%":
            delimiter = next((sign for sign in form.delimiters if sign in line), " ")
            yield number, line.split() if delimiter == " " else line.rstrip("\r\n").split(delimiter)


def gather(
    parts: Iterable[Columns],
    *,
    event_type: str = "",
    magnitude_type: str = "",
    notes: tuple[str, ...] = (),
) -> SourceEvents:
    """Join the columns of all pieces, in order of time; none gives no events."""
    pieces = list(parts)

    def column(name: str) -> NDArray[np.generic]:
        return np.concatenate([piece[name] for piece in pieces]) if pieces else np.array([])

    return SourceEvents.in_order(
        time_us=column("time_us"),
        longitude=column("longitude"),
        latitude=column("latitude"),
        depth_km=column("depth_km"),
        magnitude=column("magnitude"),
        event_id=column("event_id"),
        event_type=column("event_type") if pieces and "event_type" in pieces[0] else event_type,
        magnitude_type=magnitude_type,
        notes=notes,
    )


def _undecodable(path: Path) -> int:
    """Find the first line that is no UTF-8."""
    with path.open("rb") as file:
        for number, line in enumerate(file, 1):
            try:
                line.decode()
            except UnicodeDecodeError:
                return number
    return 1
