"""Where events are expected: near past epicentres, and a little everywhere."""

import numpy as np
from numpy.typing import NDArray

from aftershocks.files import CELL, Past

#: Distance at which the kernel begins to fall, kilometres.
DISTANCE_KM = 5.0
#: Share of the events that is spread over all cells by their area.
BACKGROUND = 0.01
_KM_PER_DEGREE = 111.195
#: Points along each side of a cell by which the kernel is integrated, some 2 km apart.
_POINTS = 5


def shares_of(past: Past, cells: NDArray[np.float64]) -> NDArray[np.float64]:
    """Spread past epicentres over the cells by the kernel (r^2 + d^2)^-1.5, shape (cells,); their sum is 1.

    What the kernel puts outside the cells is put back in proportion. Without an epicentre all is background.
    """
    area = np.cos(np.radians(cells[:, 1] + CELL / 2))
    background = area / area.sum()
    if not len(past.days):
        return background
    steps = CELL * (np.arange(_POINTS) + 0.5) / _POINTS
    longitude = cells[:, 0, None, None] + steps[None, :, None]
    latitude = cells[:, 1, None, None] + steps[None, None, :]
    east = _KM_PER_DEGREE * np.cos(np.radians(latitude))
    density = np.zeros((len(cells), _POINTS, _POINTS))
    for west, south in zip(past.longitude.tolist(), past.latitude.tolist(), strict=True):
        square = ((longitude - west) * east) ** 2 + ((latitude - south) * _KM_PER_DEGREE) ** 2
        square += DISTANCE_KM**2
        density += 1 / (square * np.sqrt(square))
    near = (density * east).sum(axis=(1, 2))  # a point stands for an area that shrinks to the north
    return (1 - BACKGROUND) * near / near.sum() + BACKGROUND * background
