"""What a simulated test finds before a level of significance makes a verdict of it."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

__all__ = ["Scored", "Silent"]


@dataclass(frozen=True, eq=False)
class Scored:
    """An observed statistic and the simulated ones.

    Attributes
    ----------
    observed
        Finite.
    simulated : array of float64, shape (simulations,)
        In the order of simulation, at least one.
    flags
        What a reader must know beside the numbers.
    size
        Size of the terms that make the statistic, where they may cancel each other.
    """

    observed: float
    simulated: NDArray[np.float64]
    flags: tuple[str, ...] = ()
    size: float = 1.0


@dataclass(frozen=True)
class Silent:
    """Why a test says nothing."""

    reason: str
    flags: tuple[str, ...] = ()
