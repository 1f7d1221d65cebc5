"""M, resampled M and MLL of catalog-based forecasts: how far a catalog's magnitudes are from the union's.

All three are distances between the magnitude histogram of one catalog and that of the union of all simulated
ones, so large values speak against the forecast. With U(k) events of the union in bin k, N_u in all, N target
events, and a catalog's histogram h with n events:

- M (Savran et al., 2020): sum over k of [log10(U(k) N/N_u + 1) - log10(h(k) N/n + 1)]^2, for the observed
  catalog and for each simulated one that is not empty.
- resampled M (Serafini et al., 2024): the same, for catalogs of N magnitudes that are drawn from the union;
  M compares catalogs of different sizes, which biases it.
- MLL (Serafini et al., 2024), drawn likewise: twice the log-ratio of multinomial likelihoods,
  2 [L(u + v) - L(u) - L(v)] with u = U + N_u/N and v = h + 1, where L(x) = ln Gamma(S + 1) +
  sum over k of [x(k) ln(x(k)/S) - ln Gamma(x(k) + 1)] and S is the sum of x.

Written with Stirling's remainder s(x) = ln Gamma(x + 1) - x ln x + x, of the size of ln x, L(x) is
s(S) - sum of s(x(k)): all large terms cancel. pyCSEP subtracts numbers of the size of N_u ln N_u, whose last
digits are lost.

The draws are those of pyCSEP for the same `seed`: one random number for each target event and simulated
catalog, in this order.
"""

from collections.abc import Callable, Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.evaluations.inputs import Observation
from forequake.evaluations.scored import Scored
from forequake.forecasts.catalog_based import CountedEvents
from forequake.forecasts.catalog_based.counts import magnitude_bins

__all__ = ["magnitude", "mll_magnitude", "resampled_magnitude"]

#: Random numbers that are drawn at a time: some 50 MB of temporary arrays.
_BLOCK: Final = 1 << 20
#: Equal parts of the unit interval, in most of which one magnitude bin holds all draws; a power of two.
_PARTS: Final = 1 << 12
#: From here on four terms of Stirling's series leave less than rounding.
_SERIES_FROM: Final = 32.0

_Drawn = Iterator[NDArray[np.intp]]
_Draw = Callable[[NDArray[np.int64], CountedEvents, int, int], _Drawn]


def magnitude(counted: CountedEvents, observation: Observation) -> Scored:
    """Compute the statistics of the M-test, ``csep.core.catalog_evaluations.magnitude_test``."""
    observed = _observed_counts(observation)
    number = int(np.sum(observed))
    expected = _expected_logarithms(counted.per_bin(), number)
    histograms = counted.per_catalog_and_bin()
    sizes = np.sum(histograms, axis=1)
    histograms, sizes = histograms[sizes > 0], sizes[sizes > 0]
    squares = np.empty(histograms.shape)
    squares[:] = expected**2  # of an empty bin, as most are
    catalogs, bins = np.nonzero(histograms)
    scaled = histograms[catalogs, bins] * (number / sizes)[catalogs]
    squares[catalogs, bins] = (expected[bins] - np.log10(scaled + 1)) ** 2
    return Scored(
        observed=float(np.sum((expected - np.log10(observed + 1)) ** 2)), simulated=np.sum(squares, axis=1)
    )


def resampled_magnitude(counted: CountedEvents, observation: Observation, seed: int) -> Scored:
    """Compute the statistics of ``csep.core.catalog_evaluations.resampled_magnitude_test``.

    Parameters
    ----------
    seed
        The result is that of pyCSEP's function with this `seed`, except that 0 is a seed too.
    """
    observed = _observed_counts(observation)
    number = int(np.sum(observed))
    expected = _expected_logarithms(counted.per_bin(), number)
    distances = (expected[:, np.newaxis] - np.log10(np.arange(number + 1) + 1.0)) ** 2
    return _drawn(distances, observed, counted, seed, _draw_bins)


def mll_magnitude(
    counted: CountedEvents, observation: Observation, seed: int, *, full_calculation: bool = False
) -> Scored:
    """Compute the statistics of ``csep.core.catalog_evaluations.MLL_magnitude_test``.

    Parameters
    ----------
    seed
        The result is that of pyCSEP's function with this `seed`, except that 0 is a seed too.
    full_calculation
        Draw from the events of the union instead of from its histogram: the same distribution, by other
        random numbers. A drawn event counts in its bin; pyCSEP bins it anew, without the tolerance that it
        grants the union, so that a magnitude on the edge of a bin may fall below it.
    """
    observed = _observed_counts(observation)
    number = int(np.sum(observed))
    ratio = len(counted) / number
    union = counted.per_bin().astype(np.float64) + ratio
    catalog = np.arange(1.0, number + 2.0)
    terms = (
        _stirling_remainder(union)[:, np.newaxis]
        + _stirling_remainder(catalog)
        - _stirling_remainder(union[:, np.newaxis] + catalog)
    )
    sums = np.array([len(counted) + len(union) * ratio, number + len(union)])
    of_sums = _stirling_remainder(np.array([np.sum(sums), *sums]))
    draw = _draw_events if full_calculation else _draw_bins
    # The same amount in each bin, so that the sum over the bins is the whole statistic.
    share = (of_sums[0] - of_sums[1] - of_sums[2]) / len(union)
    return _drawn(2 * (terms + share), observed, counted, seed, draw)


def _observed_counts(observation: Observation) -> NDArray[np.int64]:
    """Give the number of target events in each bin, shape (bins,)."""
    bins = magnitude_bins(observation.events.magnitude, observation.magnitudes)
    return np.bincount(bins, minlength=len(observation.magnitudes)).astype(np.int64, copy=False)


def _expected_logarithms(union: NDArray[np.int64], number: int) -> NDArray[np.float64]:
    """Give log10(count + 1) of the union's histogram scaled to a number of events, shape (bins,)."""
    logarithms: NDArray[np.float64] = np.log10(union * (number / np.sum(union)) + 1)
    return logarithms


def _stirling_remainder(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give ln Gamma(x + 1) - x ln x + x of positive numbers, without loss where they are large."""
    from scipy.special import gammaln

    inverse = 1 / np.maximum(x, _SERIES_FROM)
    square = inverse**2
    series = inverse * (1 / 12 - square * (1 / 360 - square * (1 / 1260 - square / 1680)))
    small = np.minimum(x, _SERIES_FROM)
    logarithm = np.log(x)
    remainder: NDArray[np.float64] = np.where(
        x < _SERIES_FROM,
        gammaln(small + 1) - small * np.log(small) + small,
        0.5 * (np.log(2 * np.pi) + logarithm) + series,
    )
    return remainder


def _drawn(
    table: NDArray[np.float64],
    observed: NDArray[np.int64],
    counted: CountedEvents,
    seed: int,
    draw: _Draw,
) -> Scored:
    """Add up over the bins what a table says of their counts, for the observed and for drawn catalogs.

    Parameters
    ----------
    table : array of float64, shape (bins, target events + 1)
        What k events in a bin contribute.
    """
    n_bins, width = table.shape
    offsets = np.arange(n_bins) * width
    simulated = []
    for bins in draw(counted.per_bin(), counted, width - 1, seed):
        rows = len(bins)
        places = bins + (np.arange(rows) * n_bins)[:, np.newaxis]
        counts = np.bincount(places.ravel(), minlength=rows * n_bins).reshape(rows, n_bins)
        simulated.append(np.sum(table.ravel()[counts + offsets], axis=1))
    return Scored(
        observed=float(np.sum(table.ravel()[observed + offsets])), simulated=np.concatenate(simulated)
    )


def _blocks(counted: CountedEvents, number: int) -> Iterator[int]:
    """Give numbers of catalogs that make up all of them; blocks do not change what is drawn."""
    rows = max(_BLOCK // number, 1)
    for begin in range(0, counted.n_catalogs, rows):
        yield min(rows, counted.n_catalogs - begin)


def _draw_bins(union: NDArray[np.int64], counted: CountedEvents, number: int, seed: int) -> _Drawn:
    """Draw bins from the union's histogram, as ``numpy.random.choice`` does with probabilities."""
    generator = np.random.RandomState(seed)  # the generator behind numpy.random.seed, but our own
    cumulative = np.cumsum(union / np.sum(union))
    cumulative /= cumulative[-1]
    edges = np.arange(_PARTS + 1) / _PARTS
    first = np.searchsorted(cumulative, edges[:-1], side="right")
    last = np.searchsorted(cumulative, edges[1:], side="right")
    for rows in _blocks(counted, number):
        random = generator.random_sample((rows, number))
        parts = (random * _PARTS).astype(np.intp)
        bins = first[parts]
        unclear = np.nonzero(bins != last[parts])
        bins[unclear] = np.searchsorted(cumulative, random[unclear], side="right")
        yield bins


def _draw_events(union: NDArray[np.int64], counted: CountedEvents, number: int, seed: int) -> _Drawn:
    """Draw events of the union with replacement, as ``numpy.random.choice`` does, and give their bins."""
    generator = np.random.RandomState(seed)
    for rows in _blocks(counted, number):
        yield counted.bin[generator.randint(0, len(counted), (rows, number))].astype(np.intp)
