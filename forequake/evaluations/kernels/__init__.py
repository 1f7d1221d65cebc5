"""The arithmetic of the tests of gridded forecasts: arrays in, arrays out, nothing about experiments.

**Draws.** A simulated catalog comes of uniform numbers by inverse transform on the cumulative sum of the
rates. Each call has a generator of its own, `numpy.random.RandomState(seed)`, and takes its numbers in
pyCSEP's order, so that a seed gives pyCSEP's own catalogs. Any seed will do, 0 too.

**Sums.** A Poisson joint log-likelihood differs from catalog to catalog only in the bins that hold events, a
binary one and a Brier score too once the sum over all bins is known. All simulated catalogs are computed
together from their occupied bins: no array of the size of the grid is made for any of them. Sums over the
grid belong to a `PreparedForecast` and are computed once for all of its tests.

**Ties.** With few events or with uniform rates, simulated statistics often equal the observed one but for
rounding, and whether they are counted would depend on the order of a sum. Here statistics are equal where
they differ by at most 1e-12 of the observed one (`TIE`). The quantile P(simulated <= observed) therefore is
pyCSEP's, or exceeds it by the share of simulations that lie above the observed statistic by no more than
that.
"""

from forequake.evaluations.kernels.binary import (
    TooManyDraws,
    bernoulli_log_likelihoods,
    brier_scores,
    draw_active,
)
from forequake.evaluations.kernels.poisson import observed_log_likelihood, simulated_log_likelihoods
from forequake.evaluations.kernels.prepared import BinRates, PreparedForecast
from forequake.evaluations.kernels.quantiles import TIE, share_not_above
from forequake.evaluations.kernels.tails import negative_binomial_tails, poisson_tails

__all__ = [
    "TIE",
    "BinRates",
    "PreparedForecast",
    "TooManyDraws",
    "bernoulli_log_likelihoods",
    "brier_scores",
    "draw_active",
    "negative_binomial_tails",
    "observed_log_likelihood",
    "poisson_tails",
    "share_not_above",
    "simulated_log_likelihoods",
]
