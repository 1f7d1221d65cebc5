"""A Poisson process with the mean rate of the time just before the window: tomorrow will be as today."""

import numpy as np
from numpy.typing import NDArray

from aftershocks.completeness import days_until
from aftershocks.files import Past, Task
from aftershocks.simulation import Forecast
from aftershocks.space import shares_of

#: Arguments of this model: over how many days the mean is taken, and from which magnitude on.
OWN = {"days": "1", "learn_from": "3.5"}
#: Of the Gutenberg-Richter law by which the rate is carried to other magnitudes.
B = 1.0
#: Added to the number of events, so that a quiet day does not say that there will never be another one.
HALF_AN_EVENT = 0.5


def forecast_of(
    task: Task, past: Past, cells: NDArray[np.float64], generator: np.random.Generator
) -> Forecast:
    """Forecast the events in a window by those of the last days in which the catalog is complete."""
    least = float(task.arguments["learn_from"])
    begin = -float(task.arguments["days"])
    if len(past.days):
        largest = int(np.argmax(past.magnitude))
        begin = max(begin, float(past.days[largest]) + days_until(float(past.magnitude[largest]), least))
    if begin >= 0:
        message = f"the catalog is not complete from magnitude {least:g} on before the window begins"
        raise SystemExit(message)
    number = int(((past.days >= begin) & (past.magnitude >= least - 1e-9)).sum())
    mean = (number + HALF_AN_EVENT) / -begin * task.days * 10.0 ** (B * (least - task.edges[0]))
    means = np.full(int(task.arguments["n_sims"]), mean)
    return Forecast(means, float(mean), shares_of(past, cells), B, lambda share: share * task.days)
