"""Calls the function of a model with what it may know, and writes what it gives: runs in the model's process.

A copy of this file is put into the private folder of each run, and is started by the Python of the model's
environment, so it needs NumPy alone and no newer Python than 3.9. Beside it lie ``source`` (the model's
files), ``input`` (``call.json`` and arrays) and ``forecasts`` (the answer). See docs/models.md.
"""

from __future__ import annotations

import faulthandler
import importlib
import importlib.util
import inspect
import json
import linecache
import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timezone
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

_HERE: Final = Path(__file__).resolve().parent

try:
    import numpy as np
except ImportError as missing:  # told in place of an answer
    (_HERE / "forecasts" / "verdict.json").write_text(
        json.dumps({"stage": "numpy", "error": str(missing)}), encoding="utf-8"
    )
    sys.exit(1)

__all__ = ["EVENT_ROW", "RUNNER_VERSION", "Given", "Past", "main"]

#: Changes with what a function is given or may give; it counts in the keys of forecasts.
RUNNER_VERSION: Final = 1
_COLUMNS: Final = ("time", "longitude", "latitude", "depth_km", "magnitude")
#: An event of a simulated catalog as it is written.
EVENT_ROW: Final = np.dtype(
    [("catalog", "<i8"), *((name, "<i8" if name == "time" else "<f8") for name in _COLUMNS)]
)
_BUFFER_BYTES: Final = 1 << 20
_MOST_FRAMES: Final = 6
_MOST_LETTERS: Final = 1000
#: Between two words on how many catalogs there are.
_PROGRESS_SECONDS: Final = 0.5
_DAY_US: Final = 86_400_000_000


class _Unfit(Exception):
    """What a function gave is no forecast."""

    def __init__(self, message: str, cause: str = "unreadable_output") -> None:
        self.cause = cause
        super().__init__(message)


class Past:
    """The events before the window, in order of time. All arrays are read-only, of shape (events,).

    Attributes
    ----------
    time : array of datetime64[us]
        Origin times in UTC.
    longitude, latitude, depth_km, magnitude : array of float64
        Degrees, kilometres (NaN where it is not known), and magnitudes.
    id : array of str
    cell, bin : array of int64
        The cell and the magnitude bin that hold each event; -1 outside the region, and below the first bin.
    """

    def __init__(self) -> None:
        self.time = _array("time_us").view("datetime64[us]")
        self.longitude = _array("longitude")
        self.latitude = _array("latitude")
        self.depth_km = _array("depth_km")
        self.magnitude = _array("magnitude")
        self.id = _array("id")
        self.cell = _array("cell")
        self.bin = _array("bin")

    def __len__(self) -> int:
        return len(self.time)


class Given:
    """What a model may know. All arrays are read-only.

    Attributes
    ----------
    start, end : datetime
        The window, half-open, in UTC.
    days : float
        Its length.
    past : Past
        The events before it.
    cells : array of float64, shape (cells, 4)
        West, east, south and north of each cell in degrees.
    areas : array of float64, shape (cells,)
        Square kilometres.
    magnitudes : array of float64, shape (bins,)
        Lower edges of the magnitude bins; the last bin is open.
    depth_km : tuple of float, or None
        Least and greatest depth of the events that are tested; None where any depth counts.
    n_catalogs : int or None
        How many catalogs to simulate (``n_sims``); None where nothing is said, or rates are wanted.
    """

    def __init__(self, call: Mapping[str, Any]) -> None:
        self.start, self.end = (datetime.fromisoformat(moment) for moment in call["window"])
        self.days = (self.end - self.start).total_seconds() / 86400
        self.past = Past()
        self.cells = _array("cells")
        self.areas = _array("areas")
        self.magnitudes = _array("magnitudes")
        self.depth_km = None if call["depth_km"] is None else tuple(call["depth_km"])
        self.n_catalogs = call["n_catalogs"]

    def after(self, days: Any) -> Any:
        """Give the times so many days after the window's start, as an array of datetime64[us]."""
        start = np.datetime64(self.start.replace(tzinfo=None), "us")
        microseconds = np.floor(np.asarray(days, dtype=np.float64) * _DAY_US)
        return start + microseconds.astype(np.int64).astype("timedelta64[us]")


def _array(name: str) -> Any:
    file = _HERE / "input" / f"{name}.npy"
    try:
        return np.load(file, mmap_mode="r", allow_pickle=False)
    except ValueError:  # an empty array cannot be mapped
        array = np.load(file, allow_pickle=False)
        array.flags.writeable = False
        return array


class _Call:
    """One call of a function, and the answer in the folder ``forecasts``."""

    def __init__(self) -> None:
        self._call: dict[str, Any] = json.loads((_HERE / "input" / "call.json").read_text(encoding="utf-8"))
        self._source = _HERE / "source"
        self._process = os.getpid()
        self._package = ""
        self._stage = "import"
        self._n_catalogs = 0
        self._told = False

    def run(self) -> dict[str, Any]:
        """Make the call and write what it gave; tell how it ended."""
        given = Given(self._call)
        try:
            function = self._function()
            self._stage = "call"
            # For code that draws from the generators of the process.
            random.seed(self._call["seed"])
            np.random.seed(self._call["seed"])  # noqa: NPY002  # this process is the call's alone
            offered = {
                "seed": self._call["seed"],
                "rng": np.random.default_rng(self._call["seed"]),
                "progress": self._progress,
            }
            named = dict(_taken(function, offered), **self._call["arguments"])
            answer = function(given, **named)
            self.leave_copies()
            if self._call["forecast_type"] == "gridded":
                _write_rates(answer, len(given.cells), len(given.magnitudes))
            else:
                self._write_catalogs(answer)
        except _Unfit as error:
            return {"stage": "unfit", "error": str(error), "cause": error.cause}
        except SystemExit as error:
            return {"stage": "exit", "code": str(0 if error.code is None else error.code)}
        except BaseException as error:  # noqa: BLE001  # whatever the foreign code raises is told
            return {
                "stage": self._stage,
                "error": _named(error),
                "memory": isinstance(error, MemoryError),
                "trace": self._trace(error),
                "n_catalogs": self._n_catalogs,
            }
        return {"stage": "answer", "n_catalogs": self._n_catalogs}

    def leave_copies(self) -> None:
        """End what the function forked and let come back: one process answers."""
        if os.getpid() != self._process:
            os._exit(0)

    def _function(self) -> Callable[..., Any]:
        place, _, name = self._call["function"].rpartition(":")
        file, is_file = self._source / place, place.endswith(".py")
        os.chdir(file.parent if is_file else self._source)
        sys.path[0] = str(file.parent if is_file else self._source)
        if is_file:
            # A file may have the name of a module that is loaded, which others look up under it.
            known = file.stem + "_" if file.stem in sys.modules else file.stem
            spec = importlib.util.spec_from_file_location(known, str(file))
            module = importlib.util.module_from_spec(spec)  # type: ignore[arg-type]  # it is a .py file
            sys.modules[known] = module
            spec.loader.exec_module(module)  # type: ignore[union-attr]
        else:
            module = importlib.import_module(place)
            self._package = str(Path(getattr(module, "__file__", None) or ".").parent)
        function = getattr(module, name)
        if not callable(function):
            message = f"{self._call['function']} is a {type(function).__name__}, not a function"
            raise TypeError(message)
        return function  # type: ignore[no-any-return]

    def _progress(self, share: float, **more: Any) -> None:
        """Tell how far a function is: a share from 0 to 1, and words by names, such as ``step="fit"``."""
        if not 0 <= share <= 1:
            message = f"progress takes a share from 0 to 1, got {share}"
            raise ValueError(message)
        self._told = True
        sys.stdout.write(json.dumps(dict(more, progress=float(share)), default=str) + "\n")
        sys.stdout.flush()

    def _write_catalogs(self, answer: Any) -> None:
        """Write simulated catalogs one by one as they come."""
        expected: int | None = self._call["n_catalogs"]
        last = time.monotonic()
        with (_HERE / "forecasts" / "catalogs.bin").open("wb", buffering=_BUFFER_BYTES) as file:
            file.write(bytes(EVENT_ROW.itemsize))
            for catalog in _catalogs_of(answer):
                self.leave_copies()
                file.write(_rows(catalog, self._n_catalogs).tobytes())
                self._n_catalogs += 1
                moment = time.monotonic()
                if expected and not self._told and moment > last + _PROGRESS_SECONDS:
                    self._progress(min(1.0, self._n_catalogs / expected), step="catalogs")
                    last, self._told = moment, False
        if not self._n_catalogs:
            message = "gave no catalog; empty ones have empty arrays"
            raise _Unfit(message)
        if expected is not None and self._n_catalogs != expected:
            message = f"gave {self._n_catalogs} catalogs, but n_sims says {expected}"
            raise _Unfit(message)

    def _trace(self, error: BaseException) -> list[str]:
        """Give the last lines of the traceback that lie in the model's files."""
        frames = traceback.extract_tb(error.__traceback__)
        root = self._root([frame.filename for frame in frames])
        if isinstance(error, SyntaxError) and error.filename and _lies_in(error.filename, root):
            text = (error.text or "").strip()
            return [f"{os.path.relpath(error.filename, root)}:{error.lineno}: {text}"]
        return [
            f"{os.path.relpath(frame.filename, root)}:{frame.lineno}, in {frame.name}: "
            + linecache.getline(frame.filename, frame.lineno or 0).strip()
            for frame in frames
            if _lies_in(frame.filename, root)
        ][-_MOST_FRAMES:]

    def _root(self, files: Sequence[str]) -> str:
        """Give the folder with the model's files: its source, or where its package is installed."""
        source = str(self._source)
        return source if not self._package or any(_lies_in(file, source) for file in files) else self._package


def _lies_in(file: str, folder: str) -> bool:
    return file.startswith(folder + os.sep)


def _taken(function: Callable[..., Any], offered: Mapping[str, Any]) -> dict[str, Any]:
    """Give what a function has parameters for."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):  # a function of C without one
        return {}
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters):
        return dict(offered)
    names = {parameter.name for parameter in parameters}
    return {name: value for name, value in offered.items() if name in names}


def _a(value: Any) -> str:
    return "nothing" if value is None else f"a {type(value).__name__}"


def _write_rates(answer: Any, n_cells: int, n_bins: int) -> None:
    wanted = f"numbers of shape ({n_cells} cells, {n_bins} magnitude bins)"
    try:
        found = np.asarray(answer)
    except ValueError:  # rows of different lengths
        found = np.asarray(None)
    if found.dtype.kind not in "fiub" or np.ma.is_masked(answer):
        masked = " with masked values" if np.ma.is_masked(answer) else ""
        message = f"gave {_a(answer)}{masked}; expected {wanted}"
        raise _Unfit(message)
    if found.shape != (n_cells, n_bins):
        turned = "; it is the other way round" if found.shape == (n_bins, n_cells) else ""
        message = f"gave an array of shape {found.shape}; expected {wanted}{turned}"
        raise _Unfit(message, "wrong_region")
    np.save(str(_HERE / "forecasts" / "rates.npy"), found.astype(np.float64), allow_pickle=False)


def _catalogs_of(answer: Any) -> Iterable[Any]:
    if hasattr(answer, "keys") or isinstance(answer, (str, bytes)) or not hasattr(answer, "__iter__"):
        what = "one catalog" if hasattr(answer, "keys") else _a(answer)
        message = f"gave {what}; expected a list of catalogs, or a generator of them"
        raise _Unfit(message)
    return answer  # type: ignore[no-any-return]


def _rows(catalog: Any, number: int) -> Any:
    """Give the events of a catalog as they are written."""
    if not hasattr(catalog, "keys"):
        message = f"gave as catalog {number} {_a(catalog)}; expected a dictionary of {', '.join(_COLUMNS)}"
        raise _Unfit(message)
    names = [str(name) for name in catalog.keys()]  # noqa: SIM118  # a table of pandas iterates otherwise
    for name in _COLUMNS:
        if name not in names:
            others = [one for one in names if one not in _COLUMNS]
            near = [one for one in others if name.startswith(one)] or get_close_matches(name, others)
            hint = f" ({near[0]!r} is not its name)" if near else ""
            message = f"gave catalog {number} without {name!r}{hint}; it needs {', '.join(_COLUMNS)}"
            raise _Unfit(message)
    columns = {name: _column(catalog[name], name, number) for name in _COLUMNS}
    sizes = {name: len(column) for name, column in columns.items()}
    if len(set(sizes.values())) > 1:
        told = ", ".join(f"{name} {size}" for name, size in sizes.items())
        message = f"gave catalog {number} with columns of different lengths: {told}"
        raise _Unfit(message)
    rows = np.empty(sizes["time"], dtype=EVENT_ROW)
    rows["catalog"] = number
    for name, column in columns.items():
        rows[name] = column
    return rows


def _column(value: Any, name: str, number: int) -> Any:
    try:
        found = np.asarray(value)
        if found.ndim != 1 or np.ma.is_masked(value):
            shape = f"it has the shape {found.shape}, not (events,)"
            message = "values are masked" if found.ndim == 1 else shape
            raise ValueError(message)
        return _times(found) if name == "time" else _numbers(found)
    except (TypeError, ValueError) as error:
        message = f"gave catalog {number} with a {name} that cannot be used: {error}"
        raise _Unfit(message) from error


def _numbers(found: Any) -> Any:
    if found.size and found.dtype.kind not in "fiu":
        message = f"it is an array of {found.dtype}, not of numbers"
        raise TypeError(message)
    return found.astype(np.float64)


def _times(found: Any) -> Any:
    """Give times in microseconds since 1970."""
    if not found.size:
        return np.zeros(0, dtype=np.int64)
    if found.dtype.kind == "O" and all(isinstance(one, datetime) for one in found):
        utc = [one.astimezone(timezone.utc).replace(tzinfo=None) if one.tzinfo else one for one in found]  # noqa: UP017
        found = np.array(utc, dtype="datetime64[us]")
    if found.dtype.kind != "M":
        message = f"it is an array of {found.dtype}, not of datetime64; given.after(days) gives such times"
        raise TypeError(message)
    if np.isnat(found).any():
        message = "a time is missing (NaT)"
        raise ValueError(message)
    return found.astype("datetime64[us]").astype(np.int64)


def _named(error: BaseException) -> str:
    """Give an error's kind and words, with Python's own suggestion where it has one."""
    lines = traceback.format_exception_only(type(error), error)
    text = "".join(lines[-1:] if isinstance(error, SyntaxError) else lines).strip()[:_MOST_LETTERS]
    kind = type(error)
    return kind.__name__ + text.removeprefix(f"{kind.__module__}.").removeprefix(kind.__qualname__)


def main() -> None:
    """Make the call that lies beside this file."""
    answers = _HERE / "forecasts"
    where = (answers / "where.txt").open("w")
    # Where a limit ends the process, or a fault of its own, the lines that it was in are told.
    faulthandler.enable(file=where, all_threads=False)
    faulthandler.register(signal.SIGTERM, file=where, all_threads=False, chain=True)
    call = _Call()
    verdict = call.run()
    call.leave_copies()
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):  # it was closed: nothing is to be printed any more
            stream.flush()
    (answers / "verdict.json").write_text(json.dumps(verdict), encoding="utf-8")
    os._exit(0 if verdict["stage"] == "answer" else 1)  # threads that are left would hold up the end


if __name__ == "__main__":
    main()
