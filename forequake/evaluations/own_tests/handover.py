"""Writing what a user's own test takes into the folder of its process, as arrays in ``.npy`` form."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from forequake.evaluations.inputs import Observation, ResultInputs
from forequake.evaluations.kernels import PreparedForecast
from forequake.forecasts.catalog_based import CatalogForecast, CountedEvents
from forequake.quantities import Sha256

__all__ = ["CalledForecast", "SimulatedForecast", "hand_over"]


@dataclass(frozen=True, eq=False)
class SimulatedForecast:
    """A catalog-based forecast, and which of its events count in the window."""

    forecast: CatalogForecast
    counted: CountedEvents

    @property
    def total(self) -> float:
        """The expected number of events: the mean over all catalogs."""
        return len(self.counted) / self.counted.n_catalogs


#: What a test is called with: a gridded forecast, scaled to the window, or a catalog-based one.
CalledForecast = PreparedForecast | SimulatedForecast

_Array = tuple[str, Callable[[], NDArray[Any]]]


def hand_over(
    folder: Path,
    inputs: ResultInputs,
    observation: Observation,
    forecasts: Mapping[str, tuple[Sha256, CalledForecast]],
) -> dict[str, str]:
    """Write the arrays of a call, but for those that the call before it left there.

    Parameters
    ----------
    folder
        Of one experiment alone. What this call does not take is removed.
    forecasts
        Each with its key, by what it is for the call.

    Returns
    -------
    dict
        The files by the names that ``_interface`` has for the arrays.
    """
    arrays = dict(_grid(observation))
    arrays |= {f"catalog.{name}": array for name, array in _observed(inputs.catalog, observation)}
    for role, (key, forecast) in forecasts.items():
        arrays |= {f"{role}.{name}": array for name, array in _forecast(key, forecast)}
    wanted = {f"{stem}.npy": make for stem, make in arrays.values()}
    there = {place.name for place in folder.iterdir()}
    for name in there - wanted.keys():
        (folder / name).unlink()
    for name in wanted.keys() - there:
        np.save(folder / name, np.ascontiguousarray(wanted[name]()), allow_pickle=False)
        (folder / name).chmod(0o400)
    return {name: str(folder / f"{stem}.npy") for name, (stem, _) in arrays.items()}


def _grid(observation: Observation) -> Iterator[tuple[str, _Array]]:
    yield "cells", ("cells", lambda: observation.region.corners)
    yield "magnitudes", ("magnitudes", lambda: observation.magnitudes)


def _observed(key: Sha256, observation: Observation) -> Iterator[tuple[str, _Array]]:
    events = observation.events
    columns: dict[str, Callable[[], NDArray[Any]]] = {
        "time_us": lambda: events.time_us,
        "longitude": lambda: events.longitude,
        "latitude": lambda: events.latitude,
        "depth_km": lambda: events.depth_km,
        "magnitude": lambda: events.magnitude,
        "cell": lambda: observation.cells.astype(np.int64),
        "bin": lambda: observation.bins.astype(np.int64),
    }
    yield from ((name, (f"{key}-{name}", make)) for name, make in columns.items())


def _forecast(key: Sha256, forecast: CalledForecast) -> Iterator[tuple[str, _Array]]:
    if isinstance(forecast, PreparedForecast):
        yield "rates", (f"{key}-rates", lambda: forecast.rates)
        return
    events, counted = forecast.forecast, forecast.counted
    columns: dict[str, Callable[[], NDArray[Any]]] = {
        "time_us": lambda: events.time_us[counted.event],
        "longitude": lambda: events.longitude[counted.event],
        "latitude": lambda: events.latitude[counted.event],
        "depth_km": lambda: events.depth_km[counted.event],
        "magnitude": lambda: events.magnitude[counted.event],
        "cell": lambda: counted.cell.astype(np.int64),
        "bin": lambda: counted.bin.astype(np.int64),
        "catalog": lambda: counted.catalog.astype(np.int64),
    }
    yield from ((name, (f"{key}-{name}", make)) for name, make in columns.items())
