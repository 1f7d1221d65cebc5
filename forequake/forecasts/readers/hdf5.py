"""floatCSEP's HDF5 form: arrays named rates, magnitudes, bboxes, dh and poly_mask, or quadkeys."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forequake.errors import ForecastError
from forequake.forecasts.gridded import ForecastScope, ForecastTable
from forequake.forecasts.readers._flags import flag_findings
from forequake.forecasts.readers._text import unreadable
from forequake.forecasts.readers.quadtree import corners_of_tiles

__all__ = ["read_hdf5"]

#: A small file can unpack to any size: so many numbers are read from one array, 3.2 GB, and no more.
_MOST_NUMBERS: Final = 400_000_000


def read_hdf5(path: Path) -> ForecastTable:
    """Read ``.hdf5`` as floatCSEP's ``GriddedForecastParsers.hdf5`` does.

    Only arrays of numbers and of fixed text in the file itself are read: no objects, no links to other files.

    Raises
    ------
    ForecastError
        Where the file cannot be read, or lacks an array, or one has another shape or type.
    """
    import h5py

    try:
        with path.open("rb"), h5py.File(path, "r") as file:
            return _table(path, file)
    except OSError as error:
        if error.errno is not None and error.strerror:
            raise unreadable(path, error) from error
        message = f"{path}: the file is cut short, damaged or not HDF5 ({str(error)[:120]})"
        raise ForecastError(message) from error
    except (KeyError, RuntimeError, TypeError, ValueError) as error:  # h5py's words for damage inside
        message = f"{path}: the file is damaged ({str(error)[:120]})"
        raise ForecastError(message) from error


def _table(path: Path, file: Any) -> ForecastTable:
    rates = _numbers(path, file, "rates", 2)
    magnitudes = _numbers(path, file, "magnitudes", 1)
    if not rates.size:
        message = f"{path}: the file has no rates"
        raise ForecastError(message)
    if len(magnitudes) != rates.shape[1] or not np.all(np.diff(magnitudes) > 0):
        message = (
            f"{path}: magnitudes must increase, one for each of the {rates.shape[1]} columns of rates; "
            f"there are {len(magnitudes)}"
        )
        raise ForecastError(message)
    corners = _tiles(path, file) if "quadkeys" in file else _boxes(path, file)
    if len(corners) != len(rates):
        message = f"{path}: there are {len(corners)} cells, and rates of {len(rates)}"
        raise ForecastError(message)
    masked = int((_numbers(path, file, "poly_mask", 1) != 1).sum()) if "poly_mask" in file else 0
    return ForecastTable(
        path=path,
        corners=corners,
        magnitudes=magnitudes,
        rates=rates,
        scope=ForecastScope(_moment(path, file, "start_date"), _moment(path, file, "end_date")),
        findings=flag_findings(masked, "cells"),
    )


def _dataset(path: Path, file: Any, name: str) -> Any:
    import h5py

    found = file.get(name)
    if found is None:
        message = f"{path}: there is no array {name!r}; there is: {', '.join(map(str, file)) or 'nothing'}"
        raise ForecastError(message)
    if not isinstance(found, h5py.Dataset) or found.file.filename != file.filename:
        message = f"{path}: {name} is not an array of this file"
        raise ForecastError(message)
    if found.is_virtual or found.external:
        message = f"{path}: {name} takes its values from another file; a forecast must stand in one"
        raise ForecastError(message)
    if found.size is None or found.size > _MOST_NUMBERS:
        message = f"{path}: {name} has {found.size} values; at most {_MOST_NUMBERS} are read"
        raise ForecastError(message)
    return found


def _numbers(path: Path, file: Any, name: str, dimensions: int) -> NDArray[np.float64]:
    dataset = _dataset(path, file, name)
    if dataset.dtype.kind not in "fiu" or dataset.ndim != dimensions:
        message = (
            f"{path}: {name} must be numbers in {dimensions} dimensions; "
            f"it is {dataset.dtype} in {dataset.ndim}"
        )
        raise ForecastError(message)
    return np.asarray(dataset[()], dtype=np.float64)


def _boxes(path: Path, file: Any) -> NDArray[np.float64]:
    """Read the corners of cells: four points each, longitude and latitude."""
    points = _numbers(path, file, "bboxes", 3)
    if points.shape[1:] != (4, 2):
        message = f"{path}: bboxes must have four points of two numbers for each cell; it has {points.shape}"
        raise ForecastError(message)
    low, high = points.min(axis=1), points.max(axis=1)
    return np.column_stack([low[:, 0], high[:, 0], low[:, 1], high[:, 1]])


def _texts(path: Path, file: Any, name: str) -> list[bytes]:
    """Read text, which HDF5 keeps as fixed bytes or as strings of its own."""
    import h5py

    dataset = _dataset(path, file, name)
    if dataset.dtype.kind != "S" and h5py.check_string_dtype(dataset.dtype) is None:
        message = f"{path}: {name} must be text; it is {dataset.dtype}"
        raise ForecastError(message)
    return [bytes(value) for value in np.ravel(dataset[()]).tolist()]


def _tiles(path: Path, file: Any) -> NDArray[np.float64]:
    return corners_of_tiles(path, np.array(_texts(path, file, "quadkeys"), dtype=bytes))


def _moment(path: Path, file: Any, name: str) -> datetime | None:
    """Read a date that was stored beside the arrays, as floatCSEP's serializer can."""
    if name not in file:
        return None
    text = b" ".join(_texts(path, file, name)).decode("utf-8", "replace")
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        message = f"{path}: {name} is {text[:40]!r}, which is not a date in ISO 8601"
        raise ForecastError(message) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
