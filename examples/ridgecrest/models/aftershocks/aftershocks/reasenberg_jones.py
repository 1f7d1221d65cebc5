"""The law of Reasenberg and Jones (1989) for the aftershocks of the largest earthquake so far.

The rate of events of magnitude M or more, t days after a mainshock of magnitude Mm, is
10^(a + b (Mm - M)) (t + c)^-p. The generic a holds the aftershocks of aftershocks already, so the law is
applied to one mainshock and never summed over the events that followed.
"""

import numpy as np
from numpy.typing import NDArray

from aftershocks.completeness import magnitude_of
from aftershocks.files import Past, Task
from aftershocks.simulation import Forecast, spread
from aftershocks.space import shares_of

#: The generic values for California, c in days.
A, B, P, C = -1.67, 0.91, 1.08, 0.05
#: Standard deviation of a from one sequence to another, as the variants `drawn` and `updated` take it.
A_DEVIATION = 0.5
#: How a is known: exactly; by its distribution over sequences; by that and the aftershocks so far.
VARIANTS = ("fixed", "drawn", "updated")
#: Arguments of this model.
OWN = {"variant": "fixed", "complete_from": "2.5"}

_STEPS = 20_000


def forecast_of(
    task: Task, past: Past, cells: NDArray[np.float64], generator: np.random.Generator
) -> Forecast:
    """Forecast the aftershocks in a window."""
    variant = task.arguments["variant"]
    if variant not in VARIANTS:
        message = f"variant is {variant!r}, not one of {', '.join(VARIANTS)}"
        raise SystemExit(message)
    if not len(past.days):
        message = "there is no earthquake before the window, so there are no aftershocks to forecast"
        raise SystemExit(message)
    largest = int(np.argmax(past.magnitude))
    begin = -float(past.days[largest])
    end = begin + task.days
    number = int(task.arguments["n_sims"])
    # What a stands for is 10^a times this number of events.
    unit = 10.0 ** (B * (past.magnitude[largest] - task.edges[0])) * (_until(end) - _until(begin))
    if variant == "fixed":
        means, mean = np.full(number, 10.0**A * unit), float(10.0**A * unit)
    else:
        values, weights = distribution_of_a(past, largest, float(task.arguments["complete_from"]), variant)
        # Levels at the middle of the steps: each value stands for what lies half a step to either side.
        levels = np.cumsum(weights) - weights / 2
        means = 10.0 ** np.interp(spread(generator, number), levels, values) * unit
        mean = float(weights @ 10.0**values * unit)

    def when(share: NDArray[np.float64]) -> NDArray[np.float64]:
        reached = _until(begin) + share * (_until(end) - _until(begin))
        return (reached * (1 - P)) ** (1 / (1 - P)) - C - begin

    return Forecast(means, mean, shares_of(past, cells), B, when)


def distribution_of_a(
    past: Past, largest: int, complete_from: float, variant: str
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Give values of a and their probabilities, before or after the aftershocks so far have been counted.

    The likelihood is that of a Poisson process of the events above the magnitude of completeness, which falls
    with time: 10^(a n) exp(-10^a e), with n their number and e what the law expects of them for a = 0.
    """
    values = np.linspace(A - 6 * A_DEVIATION, A + 6 * A_DEVIATION, _STEPS)
    logarithm = -0.5 * ((values - A) / A_DEVIATION) ** 2
    if variant == "updated":
        mainshock, begin = float(past.magnitude[largest]), float(past.days[largest])
        days = past.days[largest + 1 :] - begin
        complete = magnitude_of(mainshock, np.maximum(days, 1e-9), complete_from)
        number = int((past.magnitude[largest + 1 :] >= complete - 1e-9).sum())
        logarithm += number * values * np.log(10.0) - 10.0**values * _exposure(
            mainshock, -begin, complete_from
        )
    weights = np.exp(logarithm - logarithm.max())
    return values, weights / weights.sum()


def _until(days: float) -> float:
    """Give the integral of (t + c)^-p, but for a constant."""
    return float((days + C) ** (1 - P) / (1 - P))


def _exposure(mainshock: float, days: float, complete_from: float) -> float:
    """Integrate 10^(b (Mm - Mc(t))) (t + c)^-p from the mainshock on, in steps that grow with time."""
    edges = days * np.linspace(0.0, 1.0, _STEPS + 1) ** 4
    middles = (edges[1:] + edges[:-1]) / 2
    above = 10.0 ** (B * (mainshock - magnitude_of(mainshock, middles, complete_from)))
    return float(np.sum(above * (middles + C) ** -P * np.diff(edges)))
