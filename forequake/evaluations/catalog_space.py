"""S and PL of catalog-based forecasts: where the events of a catalog lie, by the mean rates of all catalogs.

Savran et al. (2020). With r(c) the mean number of events of a simulated catalog in cell c, and R its sum over
the cells, the pseudo-likelihood of a catalog is PL = sum of ln r(c) over its events - R, and its spatial
statistic S = sum of ln(r(c) / R) over its events / their number. A catalog without events has PL = -R and no
S. No simulated event lies where r is zero; an observed one may, where the simulations are too few. As in
pyCSEP such events are left out of the observed statistic, and the flag ``undersampled`` says so.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.evaluations.inputs import Observation
from forequake.evaluations.scored import Scored, Silent
from forequake.forecasts.catalog_based import CountedEvents

__all__ = ["UNDERSAMPLED_FLAG", "pseudolikelihood", "spatial"]

#: A target event lies in a cell where no simulated catalog has any, and was left out.
UNDERSAMPLED_FLAG: Final = "undersampled"


def spatial(counted: CountedEvents, observation: Observation) -> Scored | Silent:
    """Compute the statistics of the S-test, ``csep.core.catalog_evaluations.spatial_test``."""
    rates = counted.spatial_rates()
    target, flags = _target_cells(rates, observation)
    if not len(target):
        return Silent("no target event lies where a simulated catalog has one", flags)
    logarithms = _logarithms(rates / np.sum(rates))
    numbers = counted.per_catalog()
    filled = numbers > 0
    return Scored(
        observed=float(np.sum(logarithms[target])) / len(target),
        simulated=_per_catalog(counted, logarithms)[filled] / numbers[filled],
        flags=flags,
    )


def pseudolikelihood(counted: CountedEvents, observation: Observation) -> Scored | Silent:
    """Compute the statistics of the PL-test, ``csep.core.catalog_evaluations.pseudolikelihood_test``."""
    rates = counted.spatial_rates()
    target, flags = _target_cells(rates, observation)
    if not len(target):
        return Silent("no target event lies where a simulated catalog has one", flags)
    logarithms = _logarithms(rates)
    expected = float(np.sum(rates))
    return Scored(
        observed=float(np.sum(logarithms[target])) - expected,
        simulated=_per_catalog(counted, logarithms) - expected,
        flags=flags,
        size=expected,
    )


def _target_cells(
    rates: NDArray[np.float64], observation: Observation
) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    """Give the cells of the target events that the simulations reach, and whether there are others."""
    cells = observation.region.cells_of(observation.events.longitude, observation.events.latitude)
    reached = cells[rates[cells] > 0]
    return reached, () if len(reached) == len(cells) else (UNDERSAMPLED_FLAG,)


def _logarithms(rates: NDArray[np.float64]) -> NDArray[np.float64]:
    """Give the logarithms of the rates, and 0 where no event will ask for one."""
    return np.log(rates, where=rates > 0, out=np.zeros_like(rates))


def _per_catalog(counted: CountedEvents, of_cell: NDArray[np.float64]) -> NDArray[np.float64]:
    """Add up a number of the cell of each event, for each catalog, shape (catalogs,)."""
    sums = np.bincount(counted.catalog, weights=of_cell[counted.cell], minlength=counted.n_catalogs)
    return sums.astype(np.float64, copy=False)
