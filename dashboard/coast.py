"""Coastlines and borders for maps, from a file of our own (`dashboard/assets/COASTLINE.md`)."""

from functools import cache
from pathlib import Path
from typing import Final, Literal

import numpy as np
from numpy.typing import NDArray

from forequake.array_files import read_arrays

__all__ = ["Box", "lines_in"]

#: West, east, south and north in degrees; east may lie beyond 180, where the box holds the date line.
Box = tuple[float, float, float, float]

_FILE: Final = Path(__file__).with_name("assets") / "coastline.npz"
#: Points that are nearer to each other than this part of the box are drawn as one.
_FINEST: Final = 1 / 1000


@cache
def _lines(name: Literal["coast", "borders"]) -> NDArray[np.float64]:
    return np.asarray(read_arrays(_FILE)[name], dtype=np.float64)


def lines_in(box: Box, name: Literal["coast", "borders"] = "coast") -> NDArray[np.float64]:
    """Give the lines inside a box, clipped to it roughly and no finer than can be seen.

    Returns
    -------
    array of float64, shape (points, 2)
        Longitude, within the box's own turn round the globe, and latitude; NaN between lines.
    """
    west, east, south, north = box
    step = max(east - west, north - south) * _FINEST
    found = []
    for turn in (-360.0, 0.0, 360.0):
        points = _lines(name) + np.array([turn, 0.0])
        inside = (
            (points[:, 0] >= west - step)
            & (points[:, 0] <= east + step)
            & (points[:, 1] >= south - step)
            & (points[:, 1] <= north + step)
        )
        if inside.any():
            found.append(_thinned(_clipped(points, inside), step))
    return np.concatenate(found) if found else np.empty((0, 2))


def _clipped(points: NDArray[np.float64], inside: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Keep what is inside and the first point outside; what is left out becomes a gap."""
    kept = inside.copy()
    kept[1:] |= inside[:-1]
    kept[:-1] |= inside[1:]
    cut = points.copy()
    cut[~kept] = np.nan
    gap = np.isnan(cut[:, 0])
    clipped: NDArray[np.float64] = cut[~(gap & np.r_[True, gap[:-1]])]  # one gap is enough
    return clipped


def _thinned(points: NDArray[np.float64], step: float) -> NDArray[np.float64]:
    """Of points in one cell of a fine grid that follow each other, keep the first; gaps and ends stay."""
    gap = np.isnan(points[:, 0])
    cells = np.floor(np.nan_to_num(points) / step)
    same = np.zeros(len(points), dtype=np.bool_)
    same[1:] = (cells[1:] == cells[:-1]).all(axis=1) & ~gap[1:] & ~gap[:-1]
    last = np.r_[gap[1:], True]
    thinned: NDArray[np.float64] = points[~same | last]
    return thinned
