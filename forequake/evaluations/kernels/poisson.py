"""Poisson joint log-likelihoods of simulated and observed catalogs (Zechar et al. 2010).

ln L = sum over occupied bins of (w ln(rate) - ln w!) - expected number, with w events in a bin. Bins without
events enter by the expected number alone.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.evaluations.kernels.prepared import BinRates

__all__ = ["observed_log_likelihood", "simulated_log_likelihoods"]

#: Events that are drawn together at most (but for a single catalog that has more): some 100 MB.
_TOGETHER: Final = 2_000_000


def observed_log_likelihood(
    rates: BinRates, places: NDArray[np.intp], *, scale: float, expected: float
) -> float:
    """Give the log-likelihood of the observed catalog in nats; -infinity with an event where the rate is 0.

    Parameters
    ----------
    places : array of intp, shape (events,)
        The bin of each event.
    scale, expected
        As in `simulated_log_likelihoods`.
    """
    sizes = np.array([len(places)])
    return float(_log_likelihoods(rates, np.sort(places), sizes, scale=scale, expected=expected)[0])


def simulated_log_likelihoods(
    rates: BinRates,
    *,
    events: int | None,
    simulations: int,
    seed: int,
    scale: float,
    expected: float,
) -> NDArray[np.float64]:
    """Simulate catalogs and give the log-likelihood of each in nats, shape (simulations,).

    Parameters
    ----------
    events
        In each catalog; None draws a Poisson number of them for each, with the mean of all rates.
    scale
        What the rates are multiplied with in the likelihood.
    expected
        The expected number after scaling.
    """
    generator = np.random.RandomState(seed)
    found = [np.empty(0)]
    for numbers, sizes in _catalogs(generator, rates.total, events, simulations):
        places = rates.bins_of(numbers)
        found.append(_log_likelihoods(rates, places, sizes, scale=scale, expected=expected))
    return np.concatenate(found)


def _catalogs(
    generator: np.random.RandomState, total: float, events: int | None, simulations: int
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.intp]]]:
    """Draw a uniform number for each event; each catalog's are in order.

    Yields
    ------
    numbers : array of float64, shape (events of all of these catalogs,)
    sizes : array of intp, shape (these catalogs,)
    """
    if events is None:
        yield from _catalogs_of_random_size(generator, total, simulations)
        return
    together = max(1, _TOGETHER // max(events, 1))
    for start in range(0, simulations, together):
        catalogs = min(together, simulations - start)
        numbers = generator.random_sample((catalogs, events))
        numbers.sort(axis=1)
        yield numbers.reshape(-1), np.full(catalogs, events, dtype=np.intp)


def _catalogs_of_random_size(
    generator: np.random.RandomState, total: float, simulations: int
) -> Iterator[tuple[NDArray[np.float64], NDArray[np.intp]]]:
    pieces: list[NDArray[np.float64]] = []
    sizes: list[int] = []
    drawn = 0
    for simulation in range(simulations):
        # The size and the places of a catalog alternate in the stream of random numbers, as in pyCSEP.
        size = int(generator.poisson(total))
        piece = generator.random_sample(size)
        piece.sort()
        pieces.append(piece)
        sizes.append(size)
        drawn += size
        if drawn > _TOGETHER or simulation == simulations - 1:
            yield np.concatenate(pieces), np.array(sizes, dtype=np.intp)
            pieces, sizes, drawn = [], [], 0


def _log_likelihoods(
    rates: BinRates, places: NDArray[np.intp], sizes: NDArray[np.intp], *, scale: float, expected: float
) -> NDArray[np.float64]:
    """Give the log-likelihoods of catalogs that follow one another, the bins of each in order."""
    catalog = np.repeat(np.arange(len(sizes)), sizes)
    begins = np.ones(len(places), dtype=np.bool_)
    begins[1:] = (places[1:] != places[:-1]) | (catalog[1:] != catalog[:-1])
    starts = np.flatnonzero(begins)
    counts = np.diff(starts, append=len(places))
    occupied = np.bincount(catalog[starts], minlength=len(sizes))
    with np.errstate(all="ignore"):  # a rate of 0 gives -infinity, and a scale that overflows NaN
        terms = np.log(rates.rates[places[starts]] * scale) * counts
        sums, penalties = _sums((terms, _log_factorials(counts)), occupied)
        found: NDArray[np.float64] = sums - penalties - expected
    return found


def _log_factorials(counts: NDArray[np.intp]) -> NDArray[np.float64]:
    from scipy.special import loggamma

    most = int(counts.max(initial=0))
    table: NDArray[np.float64] = np.asarray(loggamma(np.arange(most + 1) + 1.0), dtype=np.float64)
    return table[counts]


def _sums(
    rows: tuple[NDArray[np.float64], NDArray[np.float64]], lengths: NDArray[np.intp]
) -> NDArray[np.float64]:
    """Sum runs of values of both rows, each in the order in which `numpy.sum` adds it on its own.

    Parameters
    ----------
    lengths : array of intp, shape (runs,)
        The runs follow one another.

    Returns
    -------
    array of float64, shape (2, runs)
    """
    ends = np.cumsum(lengths)
    sums = np.zeros((2, len(lengths)))
    for length in np.flatnonzero(np.bincount(lengths)).tolist():  # all runs of a length together
        runs = np.flatnonzero(lengths == length)
        places = (ends[runs] - length)[:, np.newaxis] + np.arange(length)
        for row, into in zip(rows, sums, strict=True):
            into[runs] = row[places].sum(axis=1)
    return sums
