"""A score of how many events there were, wherever and however large."""

import math


def gain(forecast, catalog, reference):  # noqa: ANN001, ANN201
    """Give the difference of two Poisson forecasts' log-likelihoods of the number of events, in nats."""
    number = len(catalog)
    return {
        "statistic": number * math.log(forecast.total / reference.total) - (forecast.total - reference.total)
    }
