"""``compat: pycsep`` for tests of simulated catalogs; see `forequake.evaluations.compat`.

Statistics are added up in pyCSEP's order and compared to the last bit, without forequake's tolerance for
ties. MLL is the difference of pyCSEP's large logarithms, whose last digits are lost. With one magnitude bin
the tests of magnitudes say what equal statistics, or their rounding, say. N is the same in both, and where
pyCSEP calls a result not valid, or gives none, it is undefined.

The resampled M- and the MLL-test take a seed of 0 for no seed in pyCSEP; its numbers cannot be had again, and
the two are refused.
"""

import dataclasses
from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.evaluations.catalog_magnitudes import draw_histograms, observed_counts
from forequake.evaluations.catalog_space import UNDERSAMPLED_FLAG
from forequake.evaluations.compat import flagged
from forequake.evaluations.evaluated import Numbers, summary_of
from forequake.evaluations.inputs import Observation
from forequake.evaluations.registry import TestDefinition
from forequake.evaluations.simulated_catalogs import catalog_test, rejects
from forequake.forecasts.catalog_based import CountedEvents
from forequake.results import Outcome, TailQuantiles

__all__ = ["catalogs_as_pycsep"]

#: The statistic of the observed catalog, and those of the simulated ones.
_Statistics = tuple[float, NDArray[np.float64]]


def catalogs_as_pycsep(
    definition: TestDefinition,
    counted: CountedEvents,
    observation: Observation,
    *,
    alpha: float,
    seed: int | None,
) -> Numbers:
    """Compute one test of a catalog-based forecast as pyCSEP 0.8 does.

    Parameters
    ----------
    definition
        A test that pyCSEP has.
    seed
        Not 0; for tests that draw from the forecast's catalogs only.
    """
    reached = _reached(counted, observation)
    nothing = not (counted.n_catalogs and len(counted) and len(observation.events))
    spatial = definition.name in _SPATIAL
    if definition.name == "catalog_number" or nothing or (spatial and not reached.any()):
        return flagged(catalog_test(definition.name, counted, observation, alpha=alpha, seed=seed))
    if spatial:
        observed, sample = _SPATIAL[definition.name](counted, observation)
    elif seed is None:
        observed, sample = _magnitude(counted, observation)
    else:
        observed, sample = _DRAWN[definition.name](counted, observation, seed)
    tails = TailQuantiles(
        delta1=np.count_nonzero(sample >= observed) / len(sample),
        delta2=np.count_nonzero(sample <= observed) / len(sample),
    )
    numbers = Numbers(
        outcome=Outcome.REJECTED if rejects(definition.side, tails, alpha) else Outcome.PASSED,
        statistic=observed,
        quantiles=tails,
        flags=(UNDERSAMPLED_FLAG,) if spatial and not reached.all() else (),
        distribution=summary_of(sample),
        sample=sample,
    )
    return flagged(numbers)


def _reached(counted: CountedEvents, observation: Observation) -> NDArray[np.bool_]:
    """Tell which target events lie where a simulated catalog has one; shape (events,)."""
    return np.asarray(counted.spatial_rates()[observation.cells] > 0)


@dataclasses.dataclass(frozen=True, eq=False)
class _Sums:
    """Sums over the cells of a catalog of its number of events there times a logarithm.

    Attributes
    ----------
    likelihood : array of float64, shape (catalogs,)
    number : array of int64, shape (catalogs,)
        Events.
    """

    likelihood: NDArray[np.float64]
    number: NDArray[np.int64]

    @classmethod
    def of(
        cls, catalogs: NDArray[np.intp], cells: NDArray[np.intp], n_catalogs: int, logs: NDArray[np.float64]
    ) -> "_Sums":
        occupied, events = np.unique(catalogs * len(logs) + cells, return_counts=True)
        owner, cell = np.divmod(occupied, len(logs))
        terms = events * logs[cell]
        lengths = np.bincount(owner, minlength=n_catalogs)
        ends = np.cumsum(lengths)
        sums = np.zeros(n_catalogs)
        for length in np.unique(lengths[lengths > 0]).tolist():  # each as numpy.sum adds so many numbers
            which = np.flatnonzero(lengths == length)
            sums[which] = terms[(ends[which] - length)[:, np.newaxis] + np.arange(length)].sum(axis=1)
        return cls(sums, np.bincount(catalogs, minlength=n_catalogs))


def _log(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    with np.errstate(divide="ignore"):
        return np.log(rates)


def _sums(
    counted: CountedEvents, observation: Observation, rates: NDArray[np.float64], normalised: bool
) -> tuple[_Sums, _Sums]:
    """Give the sums of the observed catalog and those of the simulated ones.

    Where a target event lies in a cell without simulated ones, the observed catalog is looked at anew without
    all such cells: the sum of the others' rates, the same number, is added up in another order.
    """
    cells = observation.cells
    reached = rates > 0 if (rates[cells] == 0).any() else np.ones(len(rates), dtype=np.bool_)
    places = np.cumsum(reached) - 1
    kept = rates[reached]
    scales = (float(np.sum(kept)), float(np.sum(rates))) if normalised else (1.0, 1.0)
    own = places[cells[reached[cells]]]
    return (
        _Sums.of(np.zeros(len(own), dtype=np.intp), own, 1, _log(kept / scales[0])),
        _Sums.of(
            counted.catalog.astype(np.intp),
            counted.cell.astype(np.intp),
            counted.n_catalogs,
            _log(rates / scales[1]),
        ),
    )


def _spatial(counted: CountedEvents, observation: Observation) -> _Statistics:
    rates = np.sum(counted.expected_rates(), axis=1)
    observed, found = _sums(counted, observation, rates, normalised=True)
    filled = found.number > 0
    return (
        float(observed.likelihood[0] / observed.number[0]),
        found.likelihood[filled] / found.number[filled],
    )


def _pseudolikelihood(counted: CountedEvents, observation: Observation) -> _Statistics:
    expected = counted.expected_rates()
    observed, found = _sums(counted, observation, np.sum(expected, axis=1), normalised=False)
    total = float(np.sum(expected))
    return float(observed.likelihood[0]) - total, found.likelihood - total


def _squares(counts: NDArray[np.float64], union: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the sum of squared differences of logarithms over the bins, the last dimension."""
    return np.asarray(np.sum((np.log10(union + 1) - np.log10(counts + 1)) ** 2, axis=-1))


def _magnitude(counted: CountedEvents, observation: Observation) -> _Statistics:
    own = observed_counts(observation).astype(np.float64)
    union = np.sum(counted.expected_rates(), axis=0)
    union = union * (np.sum(own) / np.sum(union))
    sizes = counted.per_catalog()
    filled = sizes > 0
    scales = (np.sum(own) / sizes[filled])[:, np.newaxis]
    histograms = counted.per_catalog_and_bin()[filled]
    return float(_squares(own, union)), _squares(histograms * scales, union)


def _resampled(counted: CountedEvents, observation: Observation, seed: int) -> _Statistics:
    own = observed_counts(observation).astype(np.float64)
    union = counted.per_bin().astype(np.float64)
    union = union * (np.sum(own) / np.sum(union))
    drawn = np.concatenate(list(draw_histograms(counted, len(observation.events), seed)))
    return float(_squares(own, union)), _squares(drawn * 1.0, union)


def _mll(counted: CountedEvents, observation: Observation, seed: int) -> _Statistics:
    own = observed_counts(observation)
    union = counted.per_bin().astype(np.float64)
    union = union + np.sum(union) / np.sum(own)
    drawn = np.concatenate(list(draw_histograms(counted, len(observation.events), seed)))
    found = _multinomial_ratios(np.concatenate([own[np.newaxis], drawn]) + 1, union)
    return float(found[0]), found[1:]


def _multinomial_ratios(counts: NDArray[np.int64], union: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give twice the log-ratios of multinomial likelihoods, as differences of the likelihoods themselves."""

    def likelihood(x: NDArray[np.float64]) -> NDArray[np.float64]:
        from scipy.special import loggamma

        total = np.sum(x, axis=-1)
        shares = x / total[..., np.newaxis]
        return np.asarray(loggamma(total + 1) + np.sum(x * np.log(shares) - loggamma(x + 1), axis=-1))

    catalogs = counts.astype(np.float64)
    return 2 * (likelihood(union + catalogs) - likelihood(union) - likelihood(catalogs))


_SPATIAL: Final[dict[str, Callable[[CountedEvents, Observation], _Statistics]]] = {
    "catalog_spatial": _spatial,
    "catalog_pseudolikelihood": _pseudolikelihood,
}
_DRAWN: Final[dict[str, Callable[[CountedEvents, Observation, int], _Statistics]]] = {
    "catalog_resampled_magnitude": _resampled,
    "catalog_mll_magnitude": _mll,
}
