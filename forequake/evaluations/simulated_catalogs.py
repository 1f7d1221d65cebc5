"""The tests of catalog-based forecasts: whether the observed catalog looks like one of the simulated ones.

The simulated catalogs themselves are the distribution: delta1 is the share of them whose statistic is the
observed one or more, delta2 of those with the observed one or less (Savran et al., 2020).

N counts events, the empty catalogs too, and rejects where delta1 or delta2 is below alpha/2. S and PL (see
`catalog_space`) are likelihoods and reject where the observed one is too small, delta2 < alpha. M, resampled
M and MLL (see `catalog_magnitudes`) are distances and reject where the observed one is too large,
delta1 < alpha. Where there are no target events all but N say nothing.
"""

from collections.abc import Callable
from typing import Final

import numpy as np

from forequake.evaluations.catalog_magnitudes import magnitude, mll_magnitude, resampled_magnitude
from forequake.evaluations.catalog_space import pseudolikelihood, spatial
from forequake.evaluations.empirical import tails_of
from forequake.evaluations.evaluated import Numbers, summary_of
from forequake.evaluations.inputs import Observation
from forequake.evaluations.registry import find_test
from forequake.evaluations.scored import Scored, Silent
from forequake.forecasts.catalog_based import CountedEvents
from forequake.results import Outcome, Side, TailQuantiles

__all__ = ["catalog_test", "rejects"]


def _number(counted: CountedEvents, observation: Observation) -> Scored:
    """Compute the statistics of the N-test, ``csep.core.catalog_evaluations.number_test``."""
    return Scored(observed=float(len(observation.events)), simulated=counted.per_catalog().astype(np.float64))


_FIXED: Final[dict[str, Callable[[CountedEvents, Observation], Scored | Silent]]] = {
    "catalog_number": _number,
    "catalog_spatial": spatial,
    "catalog_magnitude": magnitude,
    "catalog_pseudolikelihood": pseudolikelihood,
}
_DRAWN: Final[dict[str, Callable[[CountedEvents, Observation, int], Scored]]] = {
    "catalog_resampled_magnitude": resampled_magnitude,
    "catalog_mll_magnitude": mll_magnitude,
}


def catalog_test(
    test: str, counted: CountedEvents, observation: Observation, *, alpha: float, seed: int | None
) -> Numbers:
    """Compute one test of a catalog-based forecast in one window.

    Parameters
    ----------
    test
        forequake's name of the test.
    counted
        The simulated events in the window, on the cells and bins of the observation.
    alpha
        Significance level.
    seed
        From 0 to 2^32 - 1, for ``catalog_resampled_magnitude`` and ``catalog_mll_magnitude``; None for the
        others, which draw nothing.

    Raises
    ------
    InputError
        Where there is no such test.
    KeyError
        Where the test is none of simulated catalogs, or the seed does not fit it.
    """
    side = find_test(test).side
    found: Scored | Silent | None = _silence(test, counted, observation)
    if found is None:
        if seed is None:
            found = _FIXED[test](counted, observation)
        else:
            found = _DRAWN[test](counted, observation, seed)
    if isinstance(found, Silent):
        return Numbers(outcome=Outcome.UNDEFINED, reason=found.reason, flags=found.flags)
    tails = tails_of(found.observed, found.simulated, size=found.size)
    return Numbers(
        outcome=Outcome.REJECTED if rejects(side, tails, alpha) else Outcome.PASSED,
        statistic=found.observed,
        quantiles=tails,
        flags=found.flags,
        distribution=summary_of(found.simulated),
        sample=found.simulated,
    )


def _silence(test: str, counted: CountedEvents, observation: Observation) -> Silent | None:
    """Say why a test says nothing whatever its statistic, or None where it does."""
    if not counted.n_catalogs:
        return Silent("there are no simulated catalogs")
    if test == "catalog_number":
        return None
    if not len(observation.events):
        return Silent("no target events")
    if not len(counted):
        return Silent("all simulated catalogs are empty")
    if "magnitude" in test and counted.n_bins == 1:
        return Silent("only one magnitude bin")
    return None


def rejects(side: Side, tails: TailQuantiles, alpha: float) -> bool:
    """Tell whether the tails of a test of that side speak against the forecast."""
    if side is Side.TWO_SIDED:
        return min(tails.delta1, tails.delta2) < alpha / 2
    return (tails.delta1 if side is Side.UPPER else tails.delta2) < alpha
