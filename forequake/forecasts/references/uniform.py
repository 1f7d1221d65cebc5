"""A reference forecast that needs neither file nor catalog: the same rate everywhere."""

import numpy as np
from numpy.typing import NDArray

from forequake.forecasts.gridded import GriddedRates
from forequake.forecasts.references.shares import area_shares, magnitude_shares
from forequake.keys import KeyInputs
from forequake.regions import Region

__all__ = ["UniformInputs", "uniform_rates"]


class UniformInputs(KeyInputs):
    """What decides a uniform forecast beside its region and bins."""

    what = "uniform_reference"

    total: float
    b_value: float


def uniform_rates(
    region: Region, magnitudes: NDArray[np.float64], *, total: float, b_value: float
) -> GriddedRates:
    """Spread `total` events over a region in proportion to area, by Gutenberg and Richter in magnitude.

    Parameters
    ----------
    magnitudes : array of float64, shape (bins,)
        Lower edges; the last bin is open and takes all that is above it.
    total
        Expected number of events, over the reference's own length of time.
    b_value
        Slope of the Gutenberg-Richter law: the number above magnitude m falls as 10^(-b m).

    Returns
    -------
    GriddedRates
        Their sum is `total` but for rounding.
    """
    return GriddedRates(rates=total * np.outer(area_shares(region), magnitude_shares(magnitudes, b_value)))
