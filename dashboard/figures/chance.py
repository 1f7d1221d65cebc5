"""What chance gives: how often a true forecast is rejected."""

__all__ = ["binomial_limit"]


def binomial_limit(windows: int, alpha: float) -> int:
    """Give the largest number of rejections that chance alone explains, at 95 %.

    Parameters
    ----------
    windows
        Number of independent windows with a verdict.
    alpha
        Probability of rejecting a true forecast in one of them.

    Returns
    -------
    int
        The least k with P(X <= k) >= 0.95 for X binomial(windows, alpha).

    Examples
    --------
    >>> binomial_limit(100, 0.05), binomial_limit(1, 0.05)
    (9, 0)
    """
    from scipy.special import bdtr

    return next(k for k in range(windows + 1) if k == windows or bdtr(k, windows, alpha) >= 0.95)
