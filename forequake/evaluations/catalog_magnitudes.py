"""M, resampled M and MLL of catalog-based forecasts: how a catalog's magnitudes differ from the union's.

All three compare the magnitude histogram of one catalog with that of the union of all simulated ones, and
large values speak against the forecast. With U(k) events of the union in bin k, N_u in all, N target events,
and a catalog's histogram h with n events:

- M (Savran et al., 2020): sum over k of [log10(U(k) N/N_u + 1) - log10(h(k) N/n + 1)]^2, for the observed
  catalog and for each simulated one that is not empty.
- resampled M (Serafini et al., 2024): the same, for catalogs of N magnitudes that are drawn from the union;
  M compares catalogs of different sizes, which biases it.
- MLL (Serafini et al., 2024), drawn likewise: twice the log-ratio of multinomial likelihoods,
  2 [L(u + v) - L(u) - L(v)] with u = U + N_u/N and v = h + 1, where L(x) = ln Gamma(S + 1) +
  sum over k of [x(k) ln(x(k)/S) - ln Gamma(x(k) + 1)] and S is the sum of x.

Written with Stirling's remainder s(x) = ln Gamma(x + 1) - x ln x + x, of the size of ln x, L(x) is
s(S) - sum of s(x(k)): all large terms cancel. pyCSEP subtracts numbers of the size of N_u ln N_u, whose last
digits are lost: for 200,000 simulated events its MLL is off by up to 3e-10 of itself, and with few target
events, where the MLL of two catalogs can differ by less, a few of 10,000 change sides.

What remains is, but for constants, about the sum of ln v(k) - ln(1 + v(k)/u(k)): it grows as magnitudes
spread over more bins. So, unlike M, MLL is no distance: a catalog whose magnitudes are too small makes it
small, and the upper tail does not see that.

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

__all__ = ["draw_histograms", "magnitude", "mll_magnitude", "observed_counts", "resampled_magnitude"]

#: Random numbers, or bins of drawn catalogs, that are worked on at a time: what fits a processor's cache.
_BLOCK: Final = 1 << 15
#: Equal parts of the unit interval, in most of which one magnitude bin holds all draws; a power of two.
_PARTS: Final = 1 << 12
#: From here on four terms of Stirling's series leave less than rounding.
_SERIES_FROM: Final = 32.0

_Draw = Callable[[CountedEvents, int, int], Iterator[NDArray[np.intp]]]


def magnitude(counted: CountedEvents, observation: Observation) -> Scored:
    """Compute the statistics of the M-test, ``csep.core.catalog_evaluations.magnitude_test``."""
    observed = observed_counts(observation)
    number = int(np.sum(observed))
    expected = _expected_logarithms(counted.per_bin(), number)
    sizes = counted.per_catalog()
    scales = (number / np.maximum(sizes, 1))[:, np.newaxis]
    distances = np.empty(counted.n_catalogs)
    step = max(_BLOCK // counted.n_bins, 1)
    for begin in range(0, counted.n_catalogs, step):
        end = begin + step
        histograms = counted.per_catalog_and_bin(begin, end) * scales[begin:end]
        distances[begin:end] = _distances(histograms, expected)
    return Scored(observed=float(_distances(observed, expected)), simulated=distances[sizes > 0])


def resampled_magnitude(counted: CountedEvents, observation: Observation, seed: int) -> Scored:
    """Compute the statistics of ``csep.core.catalog_evaluations.resampled_magnitude_test``.

    Parameters
    ----------
    seed
        The result is that of pyCSEP's function with this `seed`, except that 0 is a seed too.
    """
    observed = observed_counts(observation)
    number = int(np.sum(observed))
    expected = _expected_logarithms(counted.per_bin(), number)
    distances = (expected[:, np.newaxis] - np.log10(np.arange(1, number + 2))) ** 2
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
    observed = observed_counts(observation)
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


def observed_counts(observation: Observation) -> NDArray[np.int64]:
    """Give the number of target events in each bin, shape (bins,)."""
    bins = magnitude_bins(observation.events.magnitude, observation.magnitudes)
    return np.bincount(bins, minlength=len(observation.magnitudes)).astype(np.int64, copy=False)


def _expected_logarithms(union: NDArray[np.int64], number: int) -> NDArray[np.float64]:
    """Give log10(count + 1) of the union's histogram scaled to a number of events, shape (bins,)."""
    logarithms: NDArray[np.float64] = np.log10(union * (number / np.sum(union)) + 1)
    return logarithms


def _distances(
    counts: NDArray[np.int64] | NDArray[np.float64], expected: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Give the sum of squared differences over the bins, the last dimension."""
    squares: NDArray[np.float64] = (expected - np.log10(counts + 1)) ** 2
    return np.asarray(np.sum(squares, axis=-1))


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
    contributions = table.ravel()
    places = np.arange(n_bins) * width
    simulated = [
        np.sum(contributions[counts + places], axis=1)
        for counts in _histograms(draw(counted, width - 1, seed), n_bins)
    ]
    return Scored(
        observed=float(np.sum(contributions[observed + places])), simulated=np.concatenate(simulated)
    )


def draw_histograms(counted: CountedEvents, number: int, seed: int) -> Iterator[NDArray[np.int64]]:
    """Draw a catalog of so many events from the union for each simulated one; give their numbers by bin.

    Yields
    ------
    array of int64, shape (some of the catalogs, bins)
    """
    return _histograms(_draw_bins(counted, number, seed), counted.n_bins)


def _histograms(drawn: Iterator[NDArray[np.intp]], n_bins: int) -> Iterator[NDArray[np.int64]]:
    for bins in drawn:
        rows = len(bins)
        numbered = bins + np.arange(0, rows * n_bins, n_bins)[:, np.newaxis]
        counts = np.bincount(numbered.ravel(), minlength=rows * n_bins).reshape(rows, n_bins)
        yield counts.astype(np.int64, copy=False)


def _blocks(counted: CountedEvents, number: int) -> Iterator[int]:
    """Give numbers of catalogs that make up all of them; what is drawn does not depend on the blocks."""
    rows = max(_BLOCK // max(number, counted.n_bins), 1)
    for begin in range(0, counted.n_catalogs, rows):
        yield min(rows, counted.n_catalogs - begin)


def _draw_bins(counted: CountedEvents, number: int, seed: int) -> Iterator[NDArray[np.intp]]:
    """Draw bins from the union's histogram, as ``numpy.random.choice`` does with probabilities.

    A random number lies in the first bin whose cumulative probability is above it. For most parts of the unit
    interval that is one bin, which a table gives; only in the others it is looked for.
    """
    generator = np.random.RandomState(seed)  # the generator behind numpy.random.seed, but our own
    cumulative = np.cumsum(counted.per_bin() / len(counted))
    cumulative /= cumulative[-1]
    edges = np.arange(_PARTS + 1) / _PARTS
    of_edges = np.searchsorted(cumulative, edges, side="right")
    of_parts = np.where(of_edges[:-1] == of_edges[1:], of_edges[:-1], -1)
    for rows in _blocks(counted, number):
        random = generator.random_sample(rows * number)
        bins = of_parts[(random * _PARTS).astype(np.intp)]
        several = np.flatnonzero(bins < 0)
        bins[several] = np.searchsorted(cumulative, random[several], side="right")
        yield bins.reshape(rows, number)


def _draw_events(counted: CountedEvents, number: int, seed: int) -> Iterator[NDArray[np.intp]]:
    """Draw events of the union with replacement, as ``numpy.random.choice`` does, and give their bins."""
    generator = np.random.RandomState(seed)
    for rows in _blocks(counted, number):
        yield counted.bin[generator.randint(0, len(counted), (rows, number))].astype(np.intp)
