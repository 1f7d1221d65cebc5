"""The tests over all windows of a model: of its forecasts laid together, or of another test's results."""

from forequake.evaluations.over_windows.calibration import calibration
from forequake.evaluations.over_windows.cumulative import cumulative
from forequake.evaluations.over_windows.diebold_mariano import diebold_mariano
from forequake.evaluations.over_windows.holm import holm_over_windows
from forequake.evaluations.over_windows.parts import Part

__all__ = ["Part", "calibration", "cumulative", "diebold_mariano", "holm_over_windows"]
