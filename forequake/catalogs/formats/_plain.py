"""Plain tables, read by pyarrow: the fast way, for files with nothing unusual in them.

Whatever is unusual (quotes, other forms of times, values out of their limits) ends this way with
`NotPlain`; `forequake.catalogs.formats._rows` then reads the file anew, exactly, and says what is wrong.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, Never

import numpy as np
from numpy.typing import NDArray

from forequake.catalogs.formats._values import LIMITS

__all__ = ["Kind", "NotPlain", "PlainRows", "plain_rows"]

_PIECE_BYTES: Final = 16 << 20
_BOM: Final = b"\xef\xbb\xbf"
_FIRST_US: Final = -62_135_596_800_000_000
_LONGEST_ID: Final = 256

#: What a column holds: a number, a time without or with a zone, or text.
Kind = Literal["number", "time", "zoned time", "text"]


class NotPlain(Exception):  # no error: the other way knows what to do
    """The file has something that is not for the fast way."""


@dataclass(frozen=True, eq=False)
class PlainRows:
    """Some rows of a table; the methods are those of `Rows`.

    Attributes
    ----------
    table
        The needed columns under their numbers, as pyarrow has them.
    columns
        How many the file has.
    """

    table: Any
    columns: int

    def __len__(self) -> int:
        return int(self.table.num_rows)

    def place(self, row: int) -> Never:
        """Leave mistakes to the exact way."""
        raise NotPlain(row)

    def require(self, least: int, expected: str) -> None:
        """Check the number of columns, which is that of every row."""
        if self.columns < least:
            raise NotPlain(expected)

    def numbers(
        self, index: int, what: str, *, optional: bool = False, limits: tuple[float, float] | None = None
    ) -> NDArray[np.float64]:
        """Give a column of numbers within limits; missing ones are NaN where they may be."""
        values: NDArray[np.float64] = self._column(index).to_numpy()
        least, greatest = limits or LIMITS[what]
        fine = (values >= least) & (values <= greatest)
        if optional:
            fine |= np.isnan(values)
        if not fine.all():
            raise NotPlain(what)
        return values

    def times(self, index: int, *, zone_required: bool = False) -> NDArray[np.int64]:
        """Give a column of times in microseconds since 1970."""
        column = self._column(index)
        if column.null_count or (column.type.tz is not None) != zone_required:
            raise NotPlain
        times: NDArray[np.int64] = column.cast("int64").to_numpy()
        if (times < _FIRST_US).any():  # the year 0, which Python's calendar lacks
            raise NotPlain
        return times

    def texts(self, index: int) -> list[str]:
        """Give a column of texts without blanks around them; empty where the table has no such column."""
        if index >= self.columns:
            return [""] * len(self)
        return [text.strip() for text in self._column(index).to_pylist()]

    def ids(self, index: int) -> NDArray[np.str_]:
        """Give a column of event ids."""
        texts = self.texts(index)
        if max(map(len, texts), default=0) > _LONGEST_ID:
            raise NotPlain
        return np.array(texts, dtype=np.str_)

    def _column(self, index: int) -> Any:
        return self.table.column(str(index))


def plain_rows(
    path: Path, delimiters: str, kinds: Mapping[int, Kind], is_heading: Callable[[list[str]], bool]
) -> Iterator[PlainRows]:
    """Read a table in pieces.

    Parameters
    ----------
    delimiters
        Those that the format knows; the first that stands in the first line is taken. A blank means blanks
        and tabs, several of which are one.
    kinds
        Of the columns that are needed.

    Raises
    ------
    NotPlain
        Where the file, from there on, is for the exact way.
    """
    try:
        with path.open("rb") as file:
            start = len(_BOM) if file.read(len(_BOM)) == _BOM else 0
            file.seek(start)
            first = file.readline().decode()
            delimiter = next((sign for sign in delimiters if sign in first), delimiters[-1])
            cells = _split(first, delimiter)
            if cells and is_heading(cells):
                start = file.tell()
                cells = _split(file.readline().decode(), delimiter)
            # Lines that end with \r alone would be one line here, and a quote may run on into the next.
            if "\r" in first.removesuffix("\r\n") or '"' in first:
                raise NotPlain
            file.seek(start)
            while piece := _lines(file, delimiter):
                if not cells or b'"' in piece or _BOM in piece:
                    raise NotPlain
                yield PlainRows(_parsed(piece, delimiter, len(cells), kinds), len(cells))
    except (OSError, ValueError) as error:  # pyarrow's errors are ValueErrors, those of decoding too
        raise NotPlain from error


def _split(line: str, delimiter: str) -> list[str]:
    return line.split() if delimiter == " " else line.split(delimiter)


def _lines(file: BinaryIO, delimiter: str) -> bytes:
    """Give the next piece, which ends with a line; of several blanks and tabs it has one blank."""
    if delimiter != " ":
        return file.read(_PIECE_BYTES) + file.readline()
    lines = file.readlines(_PIECE_BYTES)
    if any(b"\r" in line[:-2] for line in lines):
        raise NotPlain
    return b"\n".join([b" ".join(line.split()) for line in lines])


def _parsed(piece: bytes, delimiter: str, columns: int, kinds: Mapping[int, Kind]) -> Any:
    import pyarrow as pa
    from pyarrow import csv

    types = {
        "number": pa.float64(),
        "time": pa.timestamp("us"),
        "zoned time": pa.timestamp("us", tz="UTC"),
        "text": pa.string(),
    }
    needed = {str(index): types[kind] for index, kind in kinds.items() if index < columns}
    return csv.read_csv(
        pa.BufferReader(piece),
        read_options=csv.ReadOptions(
            column_names=[str(index) for index in range(columns)],
            block_size=len(piece) + 1,
            use_threads=False,
        ),
        parse_options=csv.ParseOptions(delimiter=delimiter, quote_char=False),
        convert_options=csv.ConvertOptions(
            column_types=needed,
            include_columns=list(needed),
            null_values=["", "nan", "NaN", "NAN", "none", "None", "null"],
            strings_can_be_null=False,
        ),
    )
