"""Where an observed statistic lies among simulated ones."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["TIE", "share_not_above"]

#: Statistics are equal where they differ by at most this share of the observed one.
TIE: Final = 1e-12


def share_not_above(sample: NDArray[np.float64], observed: float) -> float:
    """Give P(simulated <= observed), where equal but for rounding is equal.

    Parameters
    ----------
    sample : array of float64, shape (simulations,)
        May hold -infinity.
    observed
        May be -infinity.

    Examples
    --------
    >>> share_not_above(np.array([-3.0, -2.0 + 4e-16, -1.0, -1.5]), -2.0)
    0.5
    """
    limit = observed + TIE * abs(observed) if math.isfinite(observed) else observed
    return int(np.count_nonzero(sample <= limit)) / len(sample)
