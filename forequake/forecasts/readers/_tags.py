"""The cells of a regular ForecastML document, found by the places of its tags instead of an XML parser."""

import re
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Cells", "cells_by_tags"]

_HEAD: Final = re.compile(rb"""(?:\xef\xbb\xbf)?<\?xml [^>]*?\?>|<""")
_ENCODING: Final = re.compile(rb"""encoding=['"](?!utf-8['"]|us-ascii['"])""", re.IGNORECASE)
_SPACE: Final = r"[ \t\r\n]"
_ATTRIBUTE: Final = rf"""{_SPACE}+([a-z]+){_SPACE}*={_SPACE}*(?:'([0-9eE.+-]+)'|"([0-9eE.+-]+)")"""
_CELL_TAG: Final = re.compile(rf"<cell{_ATTRIBUTE}{_ATTRIBUTE}{_SPACE}*>")
_BIN_TAG: Final = re.compile(rf"<bin{_ATTRIBUTE}{_SPACE}*>")
_OPEN_CELL: Final = b"<cell"
_CLOSE_CELL: Final = b"</cell>"
_CLOSE_BIN: Final = "</bin>"


@dataclass(frozen=True, eq=False)
class Cells:
    """The cells of a document, in its order.

    Attributes
    ----------
    middles : array of float64, shape (cells, 2)
        Longitude and latitude.
    magnitudes : array of float64, shape (bins,)
        The bins' `m`, increasing.
    rates : array of float64, shape (cells, bins)
    given : array of bool, shape (cells, bins), optional
        None where every cell has every bin.
    """

    middles: NDArray[np.float64]
    magnitudes: NDArray[np.float64]
    rates: NDArray[np.float64]
    given: NDArray[np.bool_] | None = None


def cells_by_tags(data: bytes) -> tuple[Cells, bytes] | None:
    """Read the cells of a document in the form that CSEP's files have, and give the document without them.

    Between the first and the last tag of a cell the document must have nothing but cells with the same bins
    in increasing order: no comment, entity or other element. All this is checked.

    Returns
    -------
    Cells, bytes
        Or None where the document is not so regular: then an XML parser must read it.
    """
    first, last = data.find(_OPEN_CELL), data.rfind(_CLOSE_CELL)
    head = _HEAD.match(data)
    if first < 0 or last < first or head is None or _ENCODING.search(head[0]) or b"<!" in data:
        return None
    end = last + len(_CLOSE_CELL)
    try:
        cells = _read_cells(data[first:end])
    except ValueError:  # pyarrow's too
        return None
    return None if cells is None else (cells, data[:first] + data[end:])


def _read_cells(body: bytes) -> Cells | None:
    """Read cells from a text that begins with the first one's tag and ends with the last one's."""
    import pyarrow as pa
    from pyarrow import compute

    letters = np.frombuffer(body, dtype=np.uint8)
    starts = np.flatnonzero(letters == ord("<"))
    ends = np.flatnonzero(letters == ord(">")) + 1
    period = 2 * body[: body.find(_CLOSE_CELL)].count(_CLOSE_BIN.encode()) + 2
    if len(starts) != len(ends) or len(starts) % period or period < 4:
        return None
    offsets = np.column_stack([starts, ends]).ravel()
    if not (np.diff(offsets) >= 0).all():
        return None
    # Without a copy: tag, text, tag, text, ..., tag. A tag's number is half of its place.
    buffers = [None, pa.py_buffer(offsets.astype(np.int32)), pa.py_buffer(body)]
    pieces = pa.Array.from_buffers(pa.string(), len(offsets) - 1, buffers)
    places = 2 * np.arange(len(starts)).reshape(-1, period)
    opened, closed = places[:, 1:-1:2], places[:, 2:-1:2]
    gaps = np.concatenate([places[:, 0], closed.ravel(), places[:-1, -1]]) + 1
    if (
        _unique(pieces, closed) != [_CLOSE_BIN]
        or _unique(pieces, places[:, -1]) != [_CLOSE_CELL.decode()]
        or any(gap.strip(" \t\r\n") for gap in _unique(pieces, gaps))
    ):
        return None
    magnitudes = _magnitudes(pieces.take(pa.array(opened.ravel())).dictionary_encode(), opened.shape)
    tags = pieces.take(pa.array(places[:, 0])).to_pylist()
    middles = [_attributes(_CELL_TAG, tag, "lon", "lat") for tag in tags]
    rates = compute.cast(pieces.take(pa.array(opened.ravel() + 1)), pa.float64())
    if not np.all(np.diff(magnitudes) > 0):
        return None
    return Cells(np.array(middles), magnitudes, rates.to_numpy().reshape(opened.shape))


def _unique(pieces: Any, places: NDArray[np.intp]) -> list[str]:
    import pyarrow as pa

    texts: list[str] = pieces.take(pa.array(places.ravel())).unique().to_pylist()
    return texts


def _magnitudes(tags: Any, shape: tuple[int, ...]) -> NDArray[np.float64]:
    """Read the bins' `m` where every cell has the same tags in the same order."""
    codes = tags.indices.to_numpy().reshape(shape)
    if not (codes == codes[0]).all():
        message = "the cells have different bins"
        raise ValueError(message)
    different = tags.dictionary.to_pylist()
    return np.array([_attributes(_BIN_TAG, different[code], "m")[0] for code in codes[0]])


def _attributes(pattern: re.Pattern[str], tag: str, *wanted: str) -> list[float]:
    """Read the numbers in a tag that has just these attributes, in any order."""
    mark = pattern.fullmatch(tag)
    if mark is not None:
        words = mark.groups()
        found = {
            words[place]: words[place + 1] or words[place + 2] or "" for place in range(0, len(words), 3)
        }
        if found.keys() == set(wanted):
            return [float(found[name]) for name in wanted]
    message = f"{tag} is not a plain tag"
    raise ValueError(message)
