"""From which magnitude on a catalog is complete after a large earthquake (Helmstetter et al., 2006)."""

import numpy as np
from numpy.typing import NDArray

_OFFSET, _SLOPE = 4.5, 0.75


def magnitude_of(mainshock: float, days: NDArray[np.float64], least: float) -> NDArray[np.float64]:
    """Give M - 4.5 - 0.75 log10(days since the mainshock of magnitude M), but no less than `least`."""
    return np.maximum(least, mainshock - _OFFSET - _SLOPE * np.log10(days))


def days_until(mainshock: float, magnitude: float) -> float:
    """Give after how many days events of a magnitude are complete."""
    return float(10.0 ** ((mainshock - _OFFSET - magnitude) / _SLOPE))
