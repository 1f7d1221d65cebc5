"""How events are shared out: over cells by their area, over magnitude bins by Gutenberg and Richter."""

import math
from typing import Final

import numpy as np
from numpy.typing import NDArray

from forequake.regions import Region

__all__ = ["area_shares", "b_value_of", "magnitude_shares"]

#: Magnitudes lie on the edge of a bin where they are below it by less.
_SAME_MAGNITUDE: Final = 1e-9


def area_shares(region: Region) -> NDArray[np.float64]:
    """Give each cell's share of the region's area on a sphere; shape (cells,), sum 1 but for rounding."""
    south, north = np.radians(region.corners[:, 2:].T)
    # Of cells on a sphere, up to a factor that all share, so that equal widths leave each rate's last bit.
    area: NDArray[np.float64] = (np.sin(north) - np.sin(south)) * (region.widths / region.cell_size)
    shares: NDArray[np.float64] = area / area.sum()
    return shares


def magnitude_shares(magnitudes: NDArray[np.float64], b_value: float) -> NDArray[np.float64]:
    """Give each magnitude bin's share by the Gutenberg-Richter law; shape (bins,), sum 1 but for rounding.

    Parameters
    ----------
    magnitudes : array of float64, shape (bins,)
        Lower edges; the last bin is open and takes all that is above it.
    b_value
        The number above magnitude m falls as 10^(-b m).
    """
    above: NDArray[np.float64] = 10.0 ** (-b_value * (magnitudes - magnitudes[0]))
    shares: NDArray[np.float64] = above - np.append(above[1:], 0.0)
    shares /= shares.sum()
    return shares


def b_value_of(magnitudes: NDArray[np.float64], magnitude_min: float, step: float) -> float:
    """Estimate b by maximum likelihood: Aki (1965) with Utsu's (1966) correction for binned magnitudes.

    ``b = log10(e) / (mean - magnitude_min + step / 2)``, where the mean is that of the lower edges of the
    bins, counted from `magnitude_min` on. So it does not matter whether the catalog's magnitudes are rounded
    to the step, finer, or both in turn. The formula is below the exact maximum for binned magnitudes (Tinti
    and Mulargia, 1987) by (b step ln 10)^2 / 12 of it: 0.4 % for b = 1 and a step of 0.1.

    Parameters
    ----------
    magnitudes : array of float64, shape (events,)
        Not empty, all `magnitude_min` or more.
    step
        Width of a bin: at least that to which the catalog's magnitudes are rounded. 0 takes them as they are.

    Returns
    -------
    float
        Infinite where all magnitudes are `magnitude_min` and the step is 0.
    """
    above = magnitudes - magnitude_min
    if step:
        above = step * np.floor(above / step + _SAME_MAGNITUDE)
    mean = float(above.mean()) + step / 2
    return math.log10(math.e) / mean if mean > 0 else math.inf
