"""The command ``stationary``: a constant rate, which no earthquake changes."""

import sys
from pathlib import Path

import numpy as np

from stationary.files import read_cells, read_task
from stationary.simulation import Forecast, write

#: Least magnitude of the forecast in cells.csv.
LEAST = 4.95
#: Of the Gutenberg-Richter law by which its rates are carried to smaller magnitudes.
B = 1.0


def run() -> None:
    """Write the forecast that ``input/args.txt``, or the file that is named, asks for."""
    file = Path(sys.argv[1] if len(sys.argv) > 1 else "input/args.txt")
    task, cells = read_task(file, {}), read_cells("stationary")
    daily = cells[:, 2]
    mean = float(daily.sum() * task.days * 10.0 ** (B * (LEAST - task.edges[0])))
    means = np.full(int(task.arguments["n_sims"]), mean)
    forecast = Forecast(means, mean, daily / daily.sum(), B, lambda share: share * task.days)
    write(task, cells, forecast, task.generator)
