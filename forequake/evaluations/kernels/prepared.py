"""A forecast's rates with the sums that its tests share."""

from dataclasses import dataclass
from functools import cached_property
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.evaluations.kernels.cumulative import CumulativeRates

__all__ = ["BinRates", "PreparedForecast"]

#: Bins that are looked at together, so that what is made of them stays in the processor's cache.
_BLOCK: Final = 1 << 15


@dataclass(frozen=True, eq=False)
class BinRates:
    """Expected numbers of events in a row of bins: of the whole grid, or of one of its marginals.

    Attributes
    ----------
    rates : array of float64, shape (bins,)
        Finite, from 0 on.
    """

    rates: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.rates)

    @cached_property
    def total(self) -> float:
        """The expected number in all bins."""
        return float(np.sum(self.rates))

    @cached_property
    def occupiable(self) -> int:
        """How many bins have a rate above 0, and so can hold a simulated event."""
        return int(np.count_nonzero(self.rates))

    @cached_property
    def _cumulative(self) -> CumulativeRates:
        return CumulativeRates.of(self.rates, self.total)

    @cached_property
    def squared_probabilities(self) -> float:
        """The sum over the bins of the squared probability of one event or more, 1 - exp(-rate)."""
        total = 0.0
        for start in range(0, len(self.rates), _BLOCK):
            probability = 1.0 - np.exp(-self.rates[start : start + _BLOCK])
            total += float(probability @ probability)
        return total

    def bins_of(self, numbers: NDArray[np.float64]) -> NDArray[np.intp]:
        """Give the bin that each uniform number falls into; a bin of rate 0 gets none.

        Parameters
        ----------
        numbers : array of float64, shape (draws,)
            In [0, 1). The bin of u is the first whose cumulative sum, as a share of the total, lies above u.
        """
        return self._cumulative.bins_of(numbers)


@dataclass(frozen=True, eq=False)
class PreparedForecast:
    """A gridded forecast, scaled to its window; what is computed from it alone is computed once.

    Threads may share one.

    Attributes
    ----------
    rates : array of float64, shape (cells, bins)
        Expected numbers of events, in C order: another order of summation changes the last digits.
    """

    rates: NDArray[np.float64]

    @classmethod
    def of(cls, rates: NDArray[np.float64]) -> "PreparedForecast":
        """Prepare rates.

        Raises
        ------
        ValueError
            Where a rate is negative or NaN.
        """
        least = float(np.min(rates))
        if not least >= 0:
            message = f"the rate {least:g}; rates are numbers from 0 on"
            raise ValueError(message)
        return cls(rates=np.ascontiguousarray(rates, dtype=np.float64))

    @property
    def total(self) -> float:
        """The expected number of events."""
        return self.joint.total

    @cached_property
    def joint(self) -> BinRates:
        """All space-magnitude bins, cell by cell."""
        return BinRates(self.rates.reshape(-1))

    @cached_property
    def spatial(self) -> BinRates:
        """The cells, summed over magnitudes."""
        return BinRates(np.sum(self.rates, axis=1))

    @cached_property
    def magnitude(self) -> BinRates:
        """The magnitude bins, summed over cells."""
        return BinRates(np.sum(self.rates, axis=0))
