"""The tests over all windows of a model: of its forecasts laid together, or of another test's results."""

from forequake.evaluations.over_windows.calibration import calibration

__all__ = ["calibration"]
