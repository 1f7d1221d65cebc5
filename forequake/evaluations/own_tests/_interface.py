"""What a user's own test is called with, and how its answer is read: runs in the test's process.

This file is loaded by its path in a Python without forequake (see `forequake.processes`), so it needs NumPy
alone. docs/own_tests.md describes its objects.
"""

import inspect
import random
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["Catalog", "Events", "Forecast", "SimulatedEvents", "call"]

#: A longer list of the answer than this is not looked through.
_MOST_VALUES: Final = 1_000_000
#: A longer integer is no number of any use, and none that JSON can hold.
_MOST_BITS: Final = 1024


class Events:
    """Earthquakes, observed or simulated, with their places on the grid. All arrays are read-only.

    Attributes
    ----------
    time : array of datetime64[us], shape (events,)
        Origin times in UTC.
    longitude, latitude, depth_km, magnitude : array of float64, shape (events,)
    cell, bin : array of int64, shape (events,)
        The row and the column of a forecast's rates that hold each event.
    """

    def __init__(self, arrays: "_Arrays", name: str, shape: tuple[int, int]) -> None:
        self.time: NDArray[np.datetime64] = arrays[f"{name}.time_us"].view("datetime64[us]")
        self.longitude: NDArray[np.float64] = arrays[f"{name}.longitude"]
        self.latitude: NDArray[np.float64] = arrays[f"{name}.latitude"]
        self.depth_km: NDArray[np.float64] = arrays[f"{name}.depth_km"]
        self.magnitude: NDArray[np.float64] = arrays[f"{name}.magnitude"]
        self.cell: NDArray[np.int64] = arrays[f"{name}.cell"]
        self.bin: NDArray[np.int64] = arrays[f"{name}.bin"]
        self._shape = shape

    def __len__(self) -> int:
        return len(self.time)

    @cached_property
    def counts(self) -> NDArray[np.int64]:
        """Number of events in each cell and magnitude bin, shape (cells, bins)."""
        places = self.cell * self._shape[1] + self.bin
        counts = np.bincount(places, minlength=self._shape[0] * self._shape[1]).reshape(self._shape)
        counts.flags.writeable = False
        return counts


class Catalog(Events):
    """The target events of a window.

    Attributes
    ----------
    start, end : datetime
        The window, half-open, in UTC.
    """

    def __init__(self, arrays: "_Arrays", window: Sequence[str], shape: tuple[int, int]) -> None:
        super().__init__(arrays, "catalog", shape)
        self.start, self.end = (datetime.fromisoformat(moment) for moment in window)


class SimulatedEvents(Events):
    """The events of all simulated catalogs of a forecast.

    Attributes
    ----------
    catalog : array of int64, shape (events,)
        The catalog of each event, from 0 on, in order; catalogs without events have none here.
    """

    def __init__(self, arrays: "_Arrays", name: str, shape: tuple[int, int]) -> None:
        super().__init__(arrays, name, shape)
        self.catalog: NDArray[np.int64] = arrays[f"{name}.catalog"]


class Forecast:
    """A forecast for the window.

    Attributes
    ----------
    kind : str
        ``gridded`` or ``catalog``.
    cells : array of float64, shape (cells, 4)
        West, east, south and north of each cell in degrees.
    magnitudes : array of float64, shape (bins,)
        Lower edges of the magnitude bins; the last bin is open.
    n_catalogs : int or None
        Number of simulated catalogs, the empty ones among them; None for a gridded forecast.
    events : SimulatedEvents or None
        What they hold in the window; None for a gridded forecast.
    """

    def __init__(self, arrays: "_Arrays", name: str, n_catalogs: int | None) -> None:
        self._arrays = arrays
        self._name = name
        self.kind = "gridded" if n_catalogs is None else "catalog"
        self.cells: NDArray[np.float64] = arrays["cells"]
        self.magnitudes: NDArray[np.float64] = arrays["magnitudes"]
        self.n_catalogs = n_catalogs
        shape = len(self.cells), len(self.magnitudes)
        self.events = None if n_catalogs is None else SimulatedEvents(arrays, name, shape)

    @cached_property
    def rates(self) -> NDArray[np.float64]:
        """Expected number of events in each cell and magnitude bin, shape (cells, bins).

        Of simulated catalogs: the mean number.
        """
        if self.events is None or self.n_catalogs is None:
            return self._arrays[f"{self._name}.rates"]
        rates: NDArray[np.float64] = self.events.counts / self.n_catalogs
        rates.flags.writeable = False
        return rates

    @cached_property
    def total(self) -> float:
        """Expected number of events."""
        return float(self.rates.sum())


class _Arrays:
    """The arrays of a folder by name, mapped: what is not used is not read."""

    def __init__(self, places: Mapping[str, str]) -> None:
        self._places = places

    def __getitem__(self, name: str) -> NDArray[Any]:
        place = Path(self._places[name])
        try:
            return np.load(place, mmap_mode="r", allow_pickle=False)  # type: ignore[no-any-return]
        except ValueError:  # an empty file cannot be mapped
            array: NDArray[Any] = np.load(place, allow_pickle=False)
            array.flags.writeable = False
            return array


def call(function: Callable[..., object], payload: dict[str, Any]) -> dict[str, Any]:
    """Call a user's test; give its answer as JSON has it, or what in it JSON has not.

    Returns
    -------
    dict
        ``answer``, or ``unfit`` with the words of what is wrong.
    """
    arrays = _Arrays(payload["arrays"])
    kinds = payload["forecasts"]
    forecasts = {name: Forecast(arrays, name, n_catalogs) for name, n_catalogs in kinds.items()}
    shape = len(arrays["cells"]), len(arrays["magnitudes"])
    given: list[object] = [forecasts["forecast"], Catalog(arrays, payload["window"], shape)]
    if "reference" in forecasts:
        given.append(forecasts["reference"])
    named = _taken(function, {"seed": payload["seed"], "alpha": payload["alpha"]}) | payload["arguments"]
    # For code that draws from the generators of the process, as pyCSEP does.
    random.seed(payload["seed"])
    np.random.seed(payload["seed"])  # noqa: NPY002  # this process is the call's alone
    answer = function(*given, **named)
    if not isinstance(answer, Mapping):
        what = "nothing" if answer is None else f"a {type(answer).__name__}"
        return {"unfit": f"back {what}, not a dictionary such as {{'statistic': 1.5, 'p': 0.2}}"}
    try:
        return {"answer": {str(key): _plain(value, str(key)) for key, value in answer.items()}}
    except ValueError as error:
        return {"unfit": str(error)}


def _taken(function: Callable[..., object], offered: Mapping[str, object]) -> dict[str, object]:
    """Give what a function has parameters for."""
    parameters = inspect.signature(function).parameters.values()
    if any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in parameters):
        return dict(offered)
    names = {parameter.name for parameter in parameters}
    return {name: value for name, value in offered.items() if name in names}


def _plain(value: object, key: str) -> object:
    """Give a value as JSON has it.

    Raises
    ------
    ValueError
        Where JSON has no such value.
    """
    match value:
        case int() if value.bit_length() > _MOST_BITS:
            message = f"{key!r} as an integer of {value.bit_length()} bits, too large for a number"
            raise ValueError(message)
        case None | bool() | int() | float() | str():
            return value
        case np.generic() | np.ndarray():
            return _plain(value.tolist(), key)
        case list() | tuple():
            if len(value) > _MOST_VALUES:
                message = f"{key!r} with {len(value)} values; at most {_MOST_VALUES} are kept"
                raise ValueError(message)
            return [_plain(item, key) for item in value]
    message = f"{key!r} as a {type(value).__name__}; expected numbers, text or lists of them"
    raise ValueError(message)
