"""Numbers in text files: fast where a file is regular, and a slow pass that finds the line to blame."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from forequake.errors import ForecastError

__all__ = ["Batch", "Opening", "TextTable", "delimiter_of", "opening", "read_numbers", "unreadable"]

T = TypeVar("T")

#: One array for each column, of one length; the first is of bytes where the table has keys.
Batch = list[NDArray[np.generic]]

#: Bytes and lines that are read at a time; pyarrow reads some thirty blocks ahead.
_BLOCK_BYTES: Final = 1 << 20
_BLOCK_LINES: Final = 50_000
#: A heading, or a first line of data, has its end within so many bytes: 100,000 magnitude bins.
_LONGEST_LINE: Final = 1 << 20
_NUMBER: Final = re.compile(
    r"[+-]?(?:(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:e[+-]?[0-9]+)?|nan|inf|infinity)", re.IGNORECASE
)


@dataclass(frozen=True)
class Opening:
    """The first line of a file that says something.

    Attributes
    ----------
    line
        Without its end.
    number
        Counted from 1; the lines before it are blank, or comments where comments are allowed.
    """

    line: str
    number: int


@dataclass(frozen=True)
class TextTable:
    """Where the numbers of a text file stand.

    Attributes
    ----------
    skip
        Lines before the first one of data.
    columns
        Number of columns that every line must have.
    delimiter
        The one character between two fields, or None for any white space.
    keys
        Whether the first column is text without white space.
    """

    path: Path
    skip: int
    columns: int
    delimiter: str | None
    keys: bool = False


def unreadable(path: Path, error: Exception) -> ForecastError:
    """Make the error for a file that cannot be read at all."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return ForecastError(f"{path}: the forecast cannot be read ({reason})")


def opening(path: Path, *, comments: bool) -> Opening:
    """Give the first line that is not blank and, with `comments`, does not begin with ``#``.

    Raises
    ------
    ForecastError
        Where the file cannot be read, is not text, or has no such line.
    """
    try:
        with path.open("rb") as file:
            for number, raw in enumerate(iter(lambda: file.readline(_LONGEST_LINE), b""), 1):
                line = raw.decode("utf-8-sig" if number == 1 else "utf-8").rstrip("\r\n")
                if line.strip() and not (comments and line.lstrip().startswith("#")):
                    return Opening(line, number)
    except UnicodeDecodeError as error:
        message = f"{path}: the file is not text in UTF-8, so not a forecast in this form"
        raise ForecastError(message) from error
    except OSError as error:
        raise unreadable(path, error) from error
    message = f"{path}: the file has no rates"
    raise ForecastError(message)


def delimiter_of(line: str) -> str | None:
    """Give the one character that separates the words of a line, or None where it varies."""
    return next((mark for mark in "\t " if len(line.split(mark)) == len(line.split())), None)


def read_numbers(table: TextTable, consume: Callable[[Iterator[Batch]], T]) -> T:
    """Read a table's numbers, each correctly rounded, batch by batch, by the fastest way that can.

    Parameters
    ----------
    consume
        Called with the batches; once more from the beginning where the fast way meets something that is
        allowed but unusual, such as a comment between two lines.

    Raises
    ------
    ForecastError
        Where a line has other columns or something that is no number; the message names the line.
    """
    try:
        if table.delimiter is not None:
            try:
                return consume(_fast(table))
            except ValueError:  # of pyarrow; the slower way knows more forms, and whom to blame
                pass
        return consume(_slow(table))
    except ValueError as error:  # also a UnicodeDecodeError
        raise _blame(table, error) from error
    except OSError as error:
        raise unreadable(table.path, error) from error


def _fast(table: TextTable) -> Iterator[Batch]:
    import pyarrow as pa
    from pyarrow import csv

    names = [str(place) for place in range(table.columns)]
    types = dict.fromkeys(names, pa.float64()) | ({"0": pa.binary()} if table.keys else {})
    batches = csv.open_csv(
        table.path,
        csv.ReadOptions(column_names=names, skip_rows=table.skip, block_size=_BLOCK_BYTES),
        csv.ParseOptions(delimiter=table.delimiter, quote_char=False, escape_char=False),
        # No word stands for a missing number, as "NA" does by default.
        csv.ConvertOptions(column_types=types, null_values=[], strings_can_be_null=False),
    )
    for batch in batches:
        columns: Batch = [column.to_numpy(zero_copy_only=False) for column in batch.columns[table.keys :]]
        yield [_texts(batch.columns[0]), *columns] if table.keys else columns


def _texts(column: Any) -> NDArray[np.bytes_]:
    """Give a column of text as an array of bytes; each different text is made once."""
    coded = column.dictionary_encode()
    different = np.array(coded.dictionary.to_pylist(), dtype=np.bytes_)
    texts: NDArray[np.bytes_] = different[coded.indices.to_numpy()]
    return texts


def _slow(table: TextTable) -> Iterator[Batch]:
    with table.path.open(encoding="utf-8-sig") as file:
        rest = islice(file, table.skip, None)
        while lines := list(islice(rest, _BLOCK_LINES)):
            words = [line.split("#")[0].strip() for line in lines]
            full = [line for line in words if line]
            if not full:
                continue
            start = 0
            keys: Batch = []
            if table.keys:
                parts = [line.split(table.delimiter, 1) for line in full]
                keys = [np.array([part[0].strip().encode() for part in parts])]
                full, start = [part[-1] for part in parts], 1
                if not all(line.strip() for line in full):  # loadtxt would pass over such a line
                    message = "a line with a key only"
                    raise ValueError(message)
            rows = np.loadtxt(full, delimiter=table.delimiter, ndmin=2, comments=None)
            if rows.shape[1] != table.columns - start:
                message = f"{rows.shape[1] + start} columns"
                raise ValueError(message)
            yield [*keys, *rows.T]


def _blame(table: TextTable, error: ValueError) -> ForecastError:
    """Find the first line that is wrong, and say what is."""
    first = 1 if table.keys else 0
    with table.path.open("rb") as file:
        for number, raw in enumerate(file, 1):
            place = f"{table.path}:{number}"
            if number <= table.skip:
                continue
            try:
                words = raw.decode("utf-8-sig" if number == 1 else "utf-8").split("#")[0].strip()
            except UnicodeDecodeError:
                return ForecastError(f"{place}: the line is not text in UTF-8; the file is damaged")
            fields = [word.strip() for word in words.split(table.delimiter)] if words else []
            for word in fields[first:]:
                if not _NUMBER.fullmatch(word):
                    shown = repr(word[:40])
                    return ForecastError(
                        f"{place}: {shown} is not a number; the file is cut short or damaged"
                    )
            if fields and len(fields) != table.columns:
                message = f"expected {table.columns} columns, got {len(fields)}"
                return ForecastError(f"{place}: {message}; the file is cut short or damaged")
    return ForecastError(f"{table.path}: the file is cut short or damaged: {error}")
