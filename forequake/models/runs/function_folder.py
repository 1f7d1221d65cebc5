"""The private folder of a run of a function: its source, what it may know as arrays, and what calls it."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from forequake.forecasts.catalog_based.counts import magnitude_bins
from forequake.models.runs import _function_runner
from forequake.models.runs.folder import copy_of
from forequake.models.runs.request import ModelRequest

__all__ = ["SOURCE", "fill_for_function", "runner_words"]

#: Folder with the copy of the model's files.
SOURCE: Final = "source"
_RUNNER: Final = "runner.py"


def runner_words(folder: Path) -> tuple[str, ...]:
    """Give the command that calls the function of a folder, in whatever environment."""
    return ("python", "-X", "utf8", str(folder / _RUNNER))


def fill_for_function(folder: Path, request: ModelRequest) -> str:
    """Write all that a call of a model's function takes, and give its arguments as they were written.

    Parameters
    ----------
    folder
        It is made here.

    Raises
    ------
    OSError
        Where the disk does not take it.
    """
    expected, window = request.expected, request.window
    folder.mkdir()
    for name in ("input", "forecasts"):
        (folder / name).mkdir()
    copy_of(request.source.folder, folder / SOURCE)
    shutil.copyfile(_function_runner.__file__, folder / _RUNNER)
    for name, make in _arrays(request).items():
        np.save(folder / "input" / f"{name}.npy", np.ascontiguousarray(make()), allow_pickle=False)
    call: dict[str, Any] = {
        "function": request.function,
        "forecast_type": expected.forecast_type,
        "window": [window.start.isoformat(), window.end.isoformat()],
        "depth_km": expected.depth_km,
        "n_catalogs": expected.n_catalogs,
        "seed": request.seed,
        "arguments": dict(request.arguments),
    }
    (folder / "input" / "call.json").write_text(json.dumps(call), encoding="utf-8")
    return json.dumps(call["arguments"], indent=2) + "\n"


def _arrays(request: ModelRequest) -> dict[str, Callable[[], NDArray[Any]]]:
    events, region, edges = request.input_catalog, request.expected.region, request.expected.magnitudes
    return {
        "time_us": lambda: events.time_us,
        "longitude": lambda: events.longitude,
        "latitude": lambda: events.latitude,
        "depth_km": lambda: events.depth_km,
        "magnitude": lambda: events.magnitude,
        "id": lambda: events.event_id,
        "cell": lambda: region.cells_of(events.longitude, events.latitude).astype(np.int64),
        "bin": lambda: _bins(events.magnitude, edges),
        "cells": lambda: region.corners,
        "areas": lambda: region.area,
        "magnitudes": lambda: edges,
    }


def _bins(magnitude: NDArray[np.float64], edges: NDArray[np.float64]) -> NDArray[np.int64]:
    bins = np.full(len(magnitude), -1, dtype=np.int64)
    counted = magnitude >= edges[0]  # as observed events are cut
    bins[counted] = magnitude_bins(magnitude[counted], edges)
    return bins
