"""Binary statistics: a bin is active where it holds one event or more (Bayona et al. 2022).

A bin of rate x is active with the probability p = 1 - exp(-x), computed as -expm1(-x): for x = 1e-10, 1 -
exp(-x) has six correct digits, and below 1e-16 it is 0, which would make the likelihood of a possible catalog
0.

Simulated catalogs have as many active bins as the observed one. Their events are drawn one after the other,
and one that falls into a bin that is active already is drawn anew. Only bins with a rate above 0 are drawn.
(In pyCSEP 0.8 the division of a masked cumulative sum leaves the masked bins as they were, so that the search
for a bin runs on numbers that are out of order: with 30 % of California's bins empty, 83 % of the draws fell
into bins of rate 0. And with more active bins than bins of a rate its draws never end.)
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.evaluations.kernels.prepared import BinRates

__all__ = ["TooManyDraws", "bernoulli_log_likelihoods", "brier_scores", "draw_active"]

#: Numbers that are drawn together at most.
_TOGETHER: Final = 2_000_000
#: Draws for each active bin after which a catalog is given up: nearly all of the rate lies in fewer bins.
_PATIENCE: Final = 1000
#: Draws after which a catalog of very many active bins is given up: they have to fit into memory.
_MOST: Final = 20_000_000


class TooManyDraws(Exception):  # not an error: a finding
    """As many different bins cannot be drawn: the rate lies in too few of them."""


def draw_active(rates: BinRates, *, active: int, simulations: int, seed: int) -> NDArray[np.intp]:
    """Draw catalogs with a fixed number of active bins; give their bins, shape (simulations, active).

    Raises
    ------
    TooManyDraws
        Where fewer bins have a rate above 0, or a catalog takes more than 1000 draws for each bin.
    """
    if active > rates.occupiable:
        raise TooManyDraws
    generator = np.random.RandomState(seed)
    found = np.empty((simulations, active), dtype=np.intp)
    done = 0
    rest = np.empty(0, dtype=np.intp)  # drawn, but not yet part of a catalog
    while done < simulations:
        if len(rest) > min(_PATIENCE * active, _MOST):
            raise TooManyDraws
        wanted = max((simulations - done) * active - len(rest), len(rest), active)
        fresh = rates.bins_of(generator.random_sample(min(wanted, _TOGETHER)))
        stream = np.concatenate([rest, fresh])
        kept, catalogs, used = _cut(stream, active, simulations - done)
        found[done : done + catalogs] = stream[kept].reshape(catalogs, active)
        done += catalogs
        rest = stream[used:]
    return found


def _cut(stream: NDArray[np.intp], active: int, catalogs: int) -> tuple[NDArray[np.intp], int, int]:
    """Cut a stream of bins into catalogs of `active` different bins.

    Returns
    -------
    kept : array of intp, shape (catalogs x active,)
        Places in the stream that are no repeats within their catalog.
    int
        Number of whole catalogs.
    int
        Where in the stream the last one ends.
    """
    # Each draw beside the one before it of the same bin, by a sort of both in one number.
    bins, order = np.divmod(np.sort(stream * len(stream) + np.arange(len(stream))), len(stream))
    same = np.flatnonzero(bins[1:] == bins[:-1])
    before, after = order[same], order[same + 1]
    reach = 2 * active
    while True:
        # Two draws of a bin that lie farther apart than any catalog is long are in different ones.
        near = np.flatnonzero(after - before < reach)
        near = near[np.argsort(after[near])]
        dropped, ends = _drop(before[near].tolist(), after[near].tolist(), active, catalogs, len(stream))
        if max(np.diff(ends), default=0) <= reach:
            break
        reach *= 2
    kept = np.ones(ends[-1], dtype=np.bool_)
    kept[dropped] = False
    return np.flatnonzero(kept), len(ends) - 1, ends[-1]


def _drop(
    before: list[int], after: list[int], active: int, catalogs: int, length: int
) -> tuple[list[int], list[int]]:
    """Go through pairs of equal draws and drop the later one where both lie in the same catalog.

    Parameters
    ----------
    before, after
        Places of the pairs, by that of the later draw.

    Returns
    -------
    dropped
        Places of the draws that are dropped from whole catalogs.
    ends
        0, and the end of each whole catalog.
    """
    dropped: list[int] = []
    ends = [0]
    pair = 0
    while len(ends) <= catalogs:
        start, end, whole = ends[-1], ends[-1] + active, len(dropped)
        while pair < len(after) and after[pair] < end:
            if before[pair] >= start:
                dropped.append(after[pair])
                end += 1
            pair += 1
        if end > length:
            return dropped[:whole], ends
        ends.append(end)
    return dropped, ends


def bernoulli_log_likelihoods(rates: BinRates, places: NDArray[np.intp]) -> NDArray[np.float64]:
    """Give the joint log-likelihoods of catalogs in nats, shape (catalogs,); -infinity where a rate is 0.

    ln L = sum of ln p over active bins - sum of the rates over all others.

    Parameters
    ----------
    places : array of intp, shape (catalogs, active bins)
        Different ones in each catalog.
    """
    at_active = rates.rates[places]
    with np.errstate(divide="ignore"):
        terms = np.log(-np.expm1(-at_active)) + at_active
    found: NDArray[np.float64] = terms.sum(axis=1) - rates.total
    return found


def brier_scores(rates: BinRates, places: NDArray[np.intp]) -> NDArray[np.float64]:
    """Give the Brier scores of catalogs, shape (catalogs,): -2 times the mean over all bins of (p - y)^2.

    y is 1 in active bins and 0 in others. (p - 1)^2 = p^2 + 1 - 2 p, so that an active bin adds 1 - 2 p to
    the sum of p^2 over all bins.

    Parameters
    ----------
    places : array of intp, shape (catalogs, active bins)
        Different ones in each catalog.
    """
    probability = -np.expm1(-rates.rates[places])
    squares = rates.squared_probabilities + (1.0 - 2.0 * probability).sum(axis=1)
    found: NDArray[np.float64] = -2.0 * squares / len(rates)
    return found
