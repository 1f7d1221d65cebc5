"""Catalog-based forecast files: read once, in pieces, into their compact form."""

import hashlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.errors import ForecastError, unknown
from forequake.forecasts.catalog_based.cache import CompactCache
from forequake.forecasts.catalog_based.compact import CompactWriter, Header
from forequake.forecasts.catalog_based.forecast import CatalogForecast
from forequake.forecasts.catalog_based.quality import reading_findings
from forequake.forecasts.catalog_based.text import NotPlain, Rows, exact_rows, fast_rows, find_text_form
from forequake.forecasts.catalog_based.ucerf3 import ucerf3_rows
from forequake.forecasts.policy import QualityPolicy
from forequake.quantities import Sha256

__all__ = ["CATALOG_READERS", "catalog_content", "catalog_reader_of", "read_catalog_forecast"]

#: Format -> name and version of its reader. The version counts in every forecast's key.
CATALOG_READERS: Final = {"csv": "catalogs-csv/1", "ucerf3": "catalogs-ucerf3/1"}
_FORMATS: Final = {".csv": "csv", ".txt": "csv", ".bin": "ucerf3"}
#: More than any forecast has; each costs 8 bytes, listed or not.
_MOST_CATALOGS: Final = 10_000_000


def catalog_reader_of(path: Path, format: str | None = None) -> str:
    """Give the name and version of the reader for a format, or for a file's ending.

    Parameters
    ----------
    format
        ``csv`` (pyCSEP's columns or Hermes', told apart by the first line) or ``ucerf3`` (merged binary
        catalogs). By default what the ending says; a further ``.gz`` does not matter.

    Raises
    ------
    ForecastError
        Where there is no such format, or none has the ending.
    """
    return CATALOG_READERS[_format_of(path, format)]


def read_catalog_forecast(
    path: Path,
    format: str | None = None,
    *,
    n_catalogs: int | None = None,
    policy: QualityPolicy = "refuse",
    folder: Path | None = None,
) -> CatalogForecast:
    """Read simulated catalogs, or map what an earlier reading of the same bytes left.

    The rules are pyCSEP's (``csep.load_catalog_forecast``): catalogs are numbered from 0 on and stand in this
    order; one that has a row without an event, or no row at all, is empty and counts. Memory is bounded: it
    does not grow with the number of events.

    Parameters
    ----------
    format
        See `catalog_reader_of`.
    n_catalogs
        How many catalogs were simulated. A file that leaves out empty catalogs cannot say how many follow its
        last one; None takes that one as the last, as pyCSEP does.
    policy
        ``refuse``: values that no event has (a magnitude that is missing), or more catalogs than
        `n_catalogs`, are an error. ``record``: such events never count, the file's catalogs are taken, and
        both are recorded.
    folder
        Where the compact form is kept; by default the user's cache folder.

    Raises
    ------
    ForecastError
        Where the file cannot be read, is cut short, has text in place of a number, has catalogs that are out
        of order, or none at all and `n_catalogs` does not say how many; and where the policy refuses it.
    """
    kind = _format_of(path, format)
    if n_catalogs is not None and not 1 <= n_catalogs <= _MOST_CATALOGS:
        message = f"{path}: the number of catalogs must lie from 1 to {_MOST_CATALOGS}, got {n_catalogs}"
        raise ForecastError(message)
    before = _state(path)
    said = "own" if n_catalogs is None else n_catalogs
    name = f"{catalog_content(path)}-{CATALOG_READERS[kind].replace('/', '-')}-{said}"

    def write(target: Path) -> None:
        _make_compact(path, kind, n_catalogs, target)
        if _state(path) != before:
            target.unlink(missing_ok=True)
            message = f"{path}: the file changed while it was read; wait until it is whole"
            raise ForecastError(message)

    cache = CompactCache(folder)
    forecast = replace(cache.get(name) or cache.make(name, write), source=str(path))
    return replace(forecast, findings=reading_findings(forecast, n_catalogs, policy))


def _format_of(path: Path, format: str | None) -> str:
    if format is not None:
        if format in CATALOG_READERS:
            return format
        message = (
            f"{path}: {unknown('reader of catalog-based forecasts for the format', format, CATALOG_READERS)}"
        )
        raise ForecastError(message)
    ending = (path.with_suffix("") if path.suffix.lower() == ".gz" else path).suffix.lower()
    if ending in _FORMATS:
        return _FORMATS[ending]
    message = f"{path}: {unknown('reader of catalog-based forecasts for the ending', ending, _FORMATS)}"
    raise ForecastError(message)


def _state(path: Path) -> tuple[int, int]:
    try:
        found = path.stat()
    except OSError as error:
        message = f"{path}: the forecast cannot be read ({error})"
        raise ForecastError(message) from error
    return found.st_size, found.st_mtime_ns


def catalog_content(path: Path) -> Sha256:
    """Hash the bytes of a file with simulated catalogs.

    Raises
    ------
    ForecastError
        Where it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        message = f"{path}: the forecast cannot be read ({error})"
        raise ForecastError(message) from error


def _make_compact(path: Path, kind: str, n_said: int | None, target: Path) -> None:
    if kind == "ucerf3":
        _stream(path, ucerf3_rows(path), n_said, target)
        return
    form = find_text_form(path)
    try:
        _stream(path, fast_rows(path, form), n_said, target)
    except (NotPlain, ForecastError):  # the exact reader takes it, or says what is wrong and in which line
        _stream(path, exact_rows(path, form), n_said, target)


def _stream(path: Path, rows: Iterator[Rows], n_said: int | None, target: Path) -> None:
    with CompactWriter(target.parent) as writer:
        numbering = _Numbering(path)
        for piece in rows:
            numbering.add(piece)
            events = piece.is_event
            writer.add(
                piece.time_us[events],
                piece.longitude[events],
                piece.latitude[events],
                piece.depth_km[events],
                piece.magnitude[events],
            )
        header, offsets = numbering.finish(n_said)
        writer.finish(target, header, offsets)


class _Numbering:
    """The numbers of the catalogs of consecutive rows, and how many events each catalog has."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._first = self._last = -1
        self._n_listed = 0
        self._catalogs: list[NDArray[np.int64]] = []
        self._sizes: list[NDArray[np.int64]] = []

    def add(self, rows: Rows) -> None:
        """Take the next rows.

        Raises
        ------
        ForecastError
            Where a number is below the one before it, or beyond all reason.
        """
        ids = rows.catalog_id
        steps = np.diff(ids, prepend=max(self._last, 0))
        for wrong, what in (
            (steps < 0, "comes after a greater one; catalogs must stand in the order of their numbers"),
            (ids >= _MOST_CATALOGS, f"is beyond all reason: at most {_MOST_CATALOGS} are read"),
        ):
            if wrong.any():
                place = int(np.argmax(wrong))
                line = "" if rows.lines is None else f":{rows.lines[place]}"
                reason = "is below 0" if ids[place] < 0 else what
                message = f"{self._path}{line}: the number of the catalog {ids[place]} {reason}"
                raise ForecastError(message)
        if self._last < 0:
            self._first = int(ids[0])
        self._n_listed += int((np.diff(ids, prepend=self._last) > 0).sum())
        self._last = int(ids[-1])
        catalogs, sizes = np.unique(ids[rows.is_event], return_counts=True)
        self._catalogs.append(catalogs)
        self._sizes.append(sizes)

    def finish(self, n_said: int | None) -> tuple[Header, NDArray[np.int64]]:
        """Give what the file says of its catalogs, and the offsets of their events.

        Raises
        ------
        ForecastError
            Where there is no catalog and nobody says how many there are.
        """
        n_found = self._last + 1
        if not n_found and n_said is None:
            message = (
                f"{self._path}: the file has no row of a catalog: where all are empty, the model must say "
                "how many there are (n_sims)"
            )
            raise ForecastError(message)
        shift = int(n_said is not None and self._first == 1 and self._last == n_said)
        number = max(n_found - shift, n_said or 0)
        sizes = np.zeros(number, dtype=np.int64)
        for catalogs, counts in zip(self._catalogs, self._sizes, strict=True):
            sizes[catalogs - shift] += counts
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(sizes)])
        header = Header(
            n_catalogs=number,
            n_events=int(offsets[-1]),
            n_listed=self._n_listed,
            first_id=self._first,
            last_id=self._last,
            shift=shift,
        )
        return header, offsets
