"""The commands ``reasenberg-jones`` and ``running-mean``."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from aftershocks import reasenberg_jones, running_mean
from aftershocks.files import Past, Task, read_cells, read_past, read_task
from aftershocks.simulation import Forecast, write


def run_reasenberg_jones() -> None:
    """Write the forecast that ``input/args.txt``, or the file that is named, asks for."""
    _run(reasenberg_jones.forecast_of, reasenberg_jones.OWN)


def run_running_mean() -> None:
    """Write the forecast that ``input/args.txt``, or the file that is named, asks for."""
    _run(running_mean.forecast_of, running_mean.OWN)


def _run(
    model: Callable[[Task, Past, NDArray[np.float64], np.random.Generator], Forecast], own: dict[str, str]
) -> None:
    file = Path(sys.argv[1] if len(sys.argv) > 1 else "input/args.txt")
    task, cells = read_task(file, own), read_cells("aftershocks")
    past = read_past(file.with_name("catalog.csv"), task, cells)
    generator = task.generator
    write(task, cells, model(task, past, cells, generator), generator)
