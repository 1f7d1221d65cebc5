"""Synthetic catalogs, and the rates that they have on average.

The folders `aftershocks` and `stationary` hold the same copy of this file: each is installed on its own.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from stationary.files import CELL, Task, write_catalogs, write_rates

#: Places in a cell that an event may have, along each side; none lies on an edge.
_STEPS = 1000


@dataclass(frozen=True)
class Forecast:
    """What a model expects in a window.

    Attributes
    ----------
    means : array, shape (catalogs,)
        Expected number of events of `Task.edges`' first magnitude or more; each synthetic catalog has its own
        where the model does not know its parameters exactly.
    mean
        Expected number over all that the model holds possible.
    shares : array, shape (cells,)
        Of the events in each cell; their sum is 1.
    b_value
        Of the Gutenberg-Richter law, without an upper limit.
    when
        From numbers between 0 and 1 to days since the window's start: the inverse of the share of events that
        come until then.
    """

    means: NDArray[np.float64]
    mean: float
    shares: NDArray[np.float64]
    b_value: float
    when: Callable[[NDArray[np.float64]], NDArray[np.float64]]


def write(task: Task, cells: NDArray[np.float64], forecast: Forecast, generator: np.random.Generator) -> None:
    """Write a forecast as what is asked for: synthetic catalogs, or rates."""
    if task.arguments["output"] == "rates":
        above = 10.0 ** (-forecast.b_value * (task.edges - task.edges[0]))
        write_rates(task, cells, forecast.mean * np.outer(forecast.shares, above - np.append(above[1:], 0.0)))
    else:
        _write_catalogs(task, cells, forecast, generator)


def spread(generator: np.random.Generator, number: int) -> NDArray[np.float64]:
    """Draw numbers between 0 and 1 in random order, one in each of `number` equal parts.

    Each is uniformly distributed, and together they are so more evenly than by chance: 1,000 catalogs show a
    tail of 0.0215 as 0.021 or 0.022, whatever the seed.
    """
    return (generator.permutation(number) + generator.random(number)) / number


def poisson_numbers(means: NDArray[np.float64], levels: NDArray[np.float64]) -> NDArray[np.int64]:
    """Give the quantiles of Poisson distributions, one for each mean and level."""
    most = int(means.max() + 10 * np.sqrt(means.max()) + 20)
    log_factorials = np.concatenate([[0.0], np.cumsum(np.log(np.arange(1, most + 1)))])
    counts = np.arange(most + 1)
    numbers = [
        np.searchsorted(np.cumsum(np.exp(counts * np.log(mean) - mean - log_factorials)), level, side="right")
        for mean, level in zip(means.tolist(), levels.tolist(), strict=True)
    ]
    return np.minimum(np.array(numbers, dtype=np.int64), most)


def _write_catalogs(
    task: Task, cells: NDArray[np.float64], forecast: Forecast, generator: np.random.Generator
) -> None:
    numbers = poisson_numbers(forecast.means, spread(generator, len(forecast.means)))
    total = int(numbers.sum())
    days = forecast.when(generator.random(total))
    corner = cells[generator.choice(len(cells), size=total, p=forecast.shares), :2]
    within = CELL * (generator.integers(_STEPS, size=(total, 2)) + 0.5) / _STEPS
    magnitude = task.edges[0] - np.log10(1 - generator.random(total)) / forecast.b_value
    write_catalogs(
        task,
        np.repeat(np.arange(len(numbers)), numbers),
        np.minimum(days * 86_400_000, task.end - task.start - 1).astype(np.int64),
        corner + within,
        # Cut, not rounded, to two digits: rounding would move events into the next magnitude bin.
        np.floor(magnitude * 100 + 1e-6) / 100,
    )
