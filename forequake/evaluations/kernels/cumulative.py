"""The cumulative sum of rates, and the bins that uniform numbers fall into.

pyCSEP draws a bin by looking a uniform number up in `numpy.cumsum` of all rates, divided by their total. Here
the same sums decide, digit for digit, so that no draw lands in another bin; but of a large grid only every
8th or 16th of them is kept, and those between are added up again where a number falls. The cumulative sum of
a global grid of half a degree takes 64 MB; a sixteenth of it stays in the processor's cache.

A cumulative sum is slow because each step waits for the one before. It need not. Doubles between one power of
two and the next are evenly spaced, and so while the sum stays between the two, adding a rate adds the rate
rounded to that spacing, whatever the sum is. Those rounded rates are multiples of the spacing, and their sums
are exact in any order: thousands of rates can be rounded at once and then be added by stretches, in the order
that the processor likes. Where the sum passes a power of two, or a rate lies just between two multiples
(which way it is rounded then depends on the sum), rates are added one by one.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

__all__ = ["CumulativeRates", "sums_at_ends"]

#: Bins of a stretch, on grids from so many bins on; on smaller ones each bin's sum is kept.
_STRETCHES: Final = ((1 << 20, 16), (1 << 18, 8))
#: Stretches that are summed together, and numbers that are looked up together: in the nearest caches.
_BLOCK: Final = 1 << 11
_TOGETHER: Final = 1 << 12
#: From so many bins on, the sums leave the processor's nearest cache.
_LONG: Final = 1 << 12


@dataclass(frozen=True, eq=False)
class CumulativeRates:
    """The cumulative sum of rates, all of it or that at the ends of stretches of bins.

    Attributes
    ----------
    rates : array of float64, shape (bins,)
    total
        Their sum as `numpy.sum` adds them, in another order than the cumulative sum.
    stretch
        How many bins there are from one kept sum to the next.
    sums : array of float64, shape (stretches + 1,)
        0, and the cumulative sums at the ends of the stretches.
    shares : array of float64, shape (stretches,)
        Those at the ends, divided by the total.
    """

    rates: NDArray[np.float64]
    total: float
    stretch: int
    sums: NDArray[np.float64]
    shares: NDArray[np.float64]

    @classmethod
    def of(cls, rates: NDArray[np.float64], total: float) -> "CumulativeRates":
        """Sum rates up; their total is finite and above 0."""
        stretch = next((stretch for least, stretch in _STRETCHES if len(rates) >= least), 1)
        sums = np.zeros(-(-len(rates) // stretch) + 1)
        if stretch == 1:
            np.cumsum(rates, out=sums[1:])
        else:
            sums_at_ends(rates, stretch, out=sums[1:])
        return cls(rates=rates, total=total, stretch=stretch, sums=sums, shares=sums[1:] / total)

    def bins_of(self, numbers: NDArray[np.float64]) -> NDArray[np.intp]:
        """Give the bin of each number: the first whose share lies above it, so never one of rate 0.

        Parameters
        ----------
        numbers : array of float64, shape (draws,)
            In [0, 1).
        """
        if len(self.rates) < _LONG:
            return self._search(numbers)
        # Neighbours among the numbers lie near each other in the sums: the search is several times faster in
        # their order. That of their first 16 bits will do, which NumPy sorts by counting.
        order = np.argsort((numbers * 65536).astype(np.uint16), kind="stable")
        found = np.empty(len(numbers), dtype=np.intp)
        found[order] = self._search(numbers[order])
        return found

    def _search(self, numbers: NDArray[np.float64]) -> NDArray[np.intp]:
        found = np.searchsorted(self.shares, numbers, side="right")
        if self.stretch > 1:
            for start in range(0, len(numbers), _TOGETHER):
                part = slice(start, start + _TOGETHER)
                found[part] = self._within(found[part], numbers[part])
        above = found >= len(self.rates)
        if above.any():  # the total is rounded otherwise than the last sum, which may lie below it
            found[above] = np.flatnonzero(self.rates)[-1]
        return found

    def _within(self, stretches: NDArray[np.intp], numbers: NDArray[np.float64]) -> NDArray[np.intp]:
        """Give the bins of numbers whose stretches are known, by adding the rates of these one by one."""
        sums = self.sums[stretches]
        bins = stretches * self.stretch
        found = bins.copy()
        for step in range(self.stretch - 1):
            sums += self.rates.take(bins + step, mode="clip")  # the last stretch may be shorter
            found += sums / self.total <= numbers
        return found


def sums_at_ends(rates: NDArray[np.float64], stretch: int, out: NDArray[np.float64]) -> None:
    """Give every so many-th value of `numpy.cumsum`, bit for bit, and the last; several times faster.

    Parameters
    ----------
    rates : array of float64, shape (bins,)
        From 0 on.
    stretch
        How many rates there are from one value to the next.
    out : array of float64, shape (bins / stretch, rounded up,)
        Is filled with the sums of all rates up to the end of each stretch.
    """
    length = _BLOCK * stretch
    steps, lost = np.empty(length), np.empty(length)
    before = 0.0
    for start in range(0, len(rates), length):
        block = rates[start : start + length]
        ends = out[start // stretch : start // stretch + _BLOCK]
        if not (len(block) == length and _fill_evenly(block, before, stretch, ends, steps, lost)):
            sums = np.cumsum(np.append(before, block))[1:]
            whole = len(block) // stretch
            ends[:whole] = sums[stretch - 1 :: stretch]
            ends[whole:] = sums[-1]
        before = float(ends[-1])


def _fill_evenly(
    block: NDArray[np.float64],
    before: float,
    stretch: int,
    ends: NDArray[np.float64],
    steps: NDArray[np.float64],
    lost: NDArray[np.float64],
) -> bool:
    """Sum a block up to the ends of its stretches in any order; say whether that gave the cumulative sum.

    Parameters
    ----------
    before
        The sum of all rates before the block.
    steps, lost
        Room for what each rate adds to the sum, and for what rounding leaves away.
    """
    half = math.ulp(before) / 2
    np.add(block, before, out=steps)
    steps -= before
    np.subtract(block, steps, out=lost)
    if not (-half < lost.min() and lost.max() < half):
        return False
    np.einsum("ij->i", steps.reshape(-1, stretch), out=ends)
    np.cumsum(ends, out=ends)
    ends += before
    return math.ulp(ends[-1]) == 2 * half
