"""An observed statistic among simulated ones: how many lie on either side, and which are equal to it.

Two ways of adding the same numbers differ in the last digits. Where few events and round rates make many
simulated statistics equal to the observed one, the order of a sum must not decide on which side they fall.
So a simulated statistic counts as equal where it differs from the observed one by at most 1e-12 of the
latter's size, or of 1 where that is smaller; and what is equal counts on both sides.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.results import TailQuantiles

__all__ = ["ROUNDING", "tails_of"]

#: Statistics that differ by less than this share of their size differ by rounding only.
ROUNDING: Final = 1e-12


def tails_of(observed: float, simulated: NDArray[np.float64], *, size: float = 1.0) -> TailQuantiles:
    """Give the shares of simulated statistics from the observed one up, and from it down.

    Parameters
    ----------
    observed
        Finite.
    simulated : array of float64, shape (simulations,)
        At least one, none of them NaN.
    size
        Size of the terms that make the statistic, where they may cancel each other.

    Examples
    --------
    >>> tails_of(0.3, np.array([0.1 + 0.2, 0.4, 0.5, 0.2]))
    TailQuantiles(kind='tails', delta1=0.75, delta2=0.5)
    """
    slack = ROUNDING * max(1.0, abs(observed), size)
    number = len(simulated)
    return TailQuantiles(
        delta1=np.count_nonzero(simulated >= observed - slack) / number,
        delta2=np.count_nonzero(simulated <= observed + slack) / number,
    )
