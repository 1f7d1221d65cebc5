"""How a forecast's magnitude bins lie on an experiment's."""

from dataclasses import dataclass
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from forequake.forecasts._judge import Judge
from forequake.forecasts.gridded import ForecastTable

__all__ = ["BinLayout", "lay_bins"]

#: Two magnitude edges are one where they lie this near: files print them with two decimals.
_SAME_MAGNITUDE: Final = 1e-6

S = TypeVar("S", bound=np.generic)


@dataclass(frozen=True)
class BinLayout:
    """Which bins of a forecast are which of the experiment's: one run of neighbours.

    Attributes
    ----------
    forecast, experiment
        Places of the first common bin.
    common
        Number of common bins.
    n_forecast, n_experiment
        Numbers of all bins.
    """

    forecast: int
    experiment: int
    common: int
    n_forecast: int
    n_experiment: int

    @property
    def covered(self) -> slice:
        """The experiment's bins that the forecast has."""
        return slice(self.experiment, self.experiment + self.common)

    @property
    def extra_top(self) -> int:
        """Number of the forecast's bins that lie in the experiment's open last bin, beside the first."""
        return self.n_forecast - self.forecast - self.common

    @property
    def missing_top(self) -> int:
        """Number of the experiment's bins above the forecast's last edge."""
        return self.n_experiment - self.experiment - self.common

    def lay(self, values: NDArray[S]) -> NDArray[S]:
        """Give an array over the forecast's bins as one over the experiment's; what is missing is zero.

        Bins above the experiment's last edge are added to its last bin, which is open.
        """
        if self.common == self.n_forecast == self.n_experiment:
            return values
        laid = np.zeros((len(values), self.n_experiment), dtype=values.dtype)
        end = self.forecast + self.common
        laid[:, self.covered] = values[:, self.forecast : end]
        if self.extra_top:
            laid[:, -1] = values[:, end - 1 :].sum(axis=1).astype(values.dtype)
        return laid


def lay_bins(judge: Judge, table: ForecastTable, magnitudes: NDArray[np.float64]) -> BinLayout:
    """Find how the bins of a forecast lie on the experiment's, and record or refuse what differs.

    Raises
    ------
    ForecastError
        Where the edges differ, or the policy takes no bins that are missing or in excess.
    """
    edges, layout = table.magnitudes, _aligned(table.magnitudes, magnitudes)
    if table.bin_width is not None:
        lower = table.magnitudes - table.bin_width / 2
        by_middles = _aligned(lower, magnitudes)
        if by_middles is not None:
            edges, layout = lower, by_middles
        elif layout is not None:
            judge.warn(
                "middles_as_edges",
                f"a bin's magnitude is its middle in ForecastML; here {edges[layout.forecast]:g} and so on "
                "are the experiment's lower edges, and are taken as those, as floatCSEP does",
            )
    if layout is None:
        judge.refuse(
            f"the magnitude bins are not the experiment's: {_shown(edges)} instead of {_shown(magnitudes)}"
        )
    _tell(judge, layout, edges, magnitudes)
    return layout


def _aligned(edges: NDArray[np.float64], magnitudes: NDArray[np.float64]) -> BinLayout | None:
    """Find the one run of common edges, which must reach the lowest and the highest that both could have."""
    in_forecast = int(np.argmin(np.abs(edges - magnitudes[0])))
    in_experiment = int(np.argmin(np.abs(magnitudes - edges[0])))
    if edges[0] > magnitudes[0]:
        in_forecast = 0
    else:
        in_experiment = 0
    common = min(len(edges) - in_forecast, len(magnitudes) - in_experiment)
    differences = edges[in_forecast:][:common] - magnitudes[in_experiment:][:common]
    if not np.all(np.abs(differences) < _SAME_MAGNITUDE):
        return None
    return BinLayout(in_forecast, in_experiment, common, len(edges), len(magnitudes))


def _tell(
    judge: Judge, layout: BinLayout, edges: NDArray[np.float64], magnitudes: NDArray[np.float64]
) -> None:
    if layout.missing_top:
        first = magnitudes[layout.n_experiment - layout.missing_top]
        message = f"no rates for magnitudes from {first:g} on: taken as zero"
        judge.warn("missing_top_magnitudes", message, layout.missing_top)
    if layout.extra_top:
        problem = f"there are rates for magnitudes above the experiment's last edge {magnitudes[-1]:g}"
        judge.doubt(
            "extra_top_magnitudes", problem, "they are added to its last bin, which is open", layout.extra_top
        )
    if layout.forecast:
        problem = (
            f"there are rates for magnitudes from {edges[0]:g}, below the experiment's {magnitudes[0]:g}"
        )
        judge.doubt("extra_low_magnitudes", problem, "they are left out", layout.forecast)
    if layout.experiment:
        problem = f"there are no rates for magnitudes from {magnitudes[0]:g} up to {edges[0]:g}"
        judge.doubt("missing_low_magnitudes", problem, "they are taken as zero", layout.experiment)


def _shown(edges: NDArray[np.float64]) -> str:
    return f"{len(edges)} bins from {edges[0]:g} to {edges[-1]:g}"
