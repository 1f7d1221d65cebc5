"""Joint likelihoods over cells, magnitude bins and windows, with one window in memory at a time.

All windows laid together are one long row of bins, window by window. A simulated event is drawn from it by
inverse transform in two steps that make the one of the plain test: its uniform number falls into a window by
the cumulative sum of the windows' totals, and its place between that window's ends, from 0 to 1 again, falls
into a bin of the window. The uniform numbers come in the order of the plain test, so that one window alone
gives its numbers.
"""

from collections.abc import Iterator, Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.evaluations.kernels import BinRates
from forequake.evaluations.over_windows.parts import Parts

__all__ = ["simulated_joint_log_likelihoods"]

#: Events that are drawn together at most (but for a single catalog that has more): some 200 MB. Each time all
#: windows are gone through once.
_TOGETHER: Final = 4_000_000


def simulated_joint_log_likelihoods(
    parts: Parts,
    totals: Sequence[float],
    *,
    expected: float,
    events: int | None,
    simulations: int,
    seed: int,
) -> NDArray[np.float64]:
    """Simulate catalogs of all windows and give the log-likelihood of each in nats, shape (simulations,).

    Parameters
    ----------
    totals
        The expected number of events of each window; finite, not all 0.
    expected
        Their sum.
    events
        In each catalog; None draws a Poisson number of them for each, with the mean of all windows together.
    """
    ends = np.cumsum(totals)
    shares = np.concatenate([[0.0], ends / ends[-1]])
    found = []
    for numbers, sizes in _catalogs(expected, events, simulations, seed):
        catalogs = np.repeat(np.arange(len(sizes)), sizes)
        windows = np.searchsorted(shares[1:], numbers, side="right")
        order = np.argsort(windows, kind="stable")
        edges = np.searchsorted(windows[order], np.arange(len(totals) + 1))
        sums = np.zeros(len(sizes))
        for number, part in enumerate(parts()):
            chosen = order[edges[number] : edges[number + 1]]
            if len(chosen):
                begin, end = shares[number : number + 2]
                inside = np.minimum((numbers[chosen] - begin) / (end - begin), np.nextafter(1.0, 0.0))
                rates = part.forecast.joint
                sums += _terms(rates, rates.bins_of(inside), catalogs[chosen], len(sizes))
        found.append(sums - expected)
    return np.concatenate(found)


def _catalogs(
    expected: float, events: int | None, simulations: int, seed: int
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.intp]]]:
    """Draw a uniform number for each event, in pyCSEP's order; give also how many each catalog has."""
    generator = np.random.RandomState(seed)
    pieces: list[NDArray[np.float64]] = []
    drawn = 0
    for simulation in range(simulations):
        pieces.append(generator.random_sample(int(generator.poisson(expected)) if events is None else events))
        drawn += len(pieces[-1])
        if drawn > _TOGETHER or simulation == simulations - 1:
            yield np.concatenate(pieces), np.array([len(piece) for piece in pieces])
            pieces, drawn = [], 0


def _terms(
    rates: BinRates, places: NDArray[np.intp], catalogs: NDArray[np.intp], number: int
) -> NDArray[np.float64]:
    """Sum w ln(rate) - ln w! over the bins that each catalog occupies, with w events; shape (number,)."""
    from scipy.special import gammaln

    occupied, counts = np.unique(catalogs * len(rates) + places, return_counts=True)
    catalogs, places = np.divmod(occupied, len(rates))
    terms = counts * np.log(rates.rates[places]) - gammaln(counts + 1.0)
    sums: NDArray[np.float64] = np.bincount(catalogs, weights=terms, minlength=number).astype(np.float64)
    return sums
