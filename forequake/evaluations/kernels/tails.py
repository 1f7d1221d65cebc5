"""Both tails of the number of events: delta1 = P(X >= N), delta2 = P(X <= N)."""

__all__ = ["negative_binomial_tails", "poisson_tails"]


def poisson_tails(count: int, mean: float) -> tuple[float, float]:
    """Give both tails of a Poisson distribution, as ``poisson_evaluations.number_test``.

    Like pyCSEP's, delta1 is 1 - P(X <= N - 1): below 1e-16 it is 0.

    Examples
    --------
    >>> poisson_tails(0, 2.0)[0]
    1.0
    """
    from scipy.special import pdtr

    delta1 = 1.0 - float(pdtr(count - 1, mean)) if count else 1.0
    return delta1, float(pdtr(count, mean))


def negative_binomial_tails(count: int, mean: float, variance: float) -> tuple[float, float]:
    """Give both tails of a negative binomial distribution, as ``negative_binomial_number_test``.

    With success probability p = mean / variance and size r = mean^2 / (variance - mean), P(X <= k) is the
    regularised incomplete beta function I_p(r, k + 1), and P(X >= k) is I_(1-p)(k, r).

    Parameters
    ----------
    mean, variance
        0 < mean < variance.

    Examples
    --------
    With r = 1 the distribution is geometric: P(X >= k) = (1 - p)^k.

    >>> delta1, delta2 = negative_binomial_tails(2, 1.0, 2.0)
    >>> round(delta1, 12), round(delta2, 12)
    (0.25, 0.875)
    """
    from scipy.special import betainc

    success = mean / variance
    failure = (variance - mean) / variance
    size = mean / (variance - mean) * mean
    delta1 = float(betainc(count, size, failure)) if count else 1.0
    return delta1, float(betainc(size, count + 1, success))
