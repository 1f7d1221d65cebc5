"""Gridded forecasts: readers, the fit to an experiment's grid with its findings, built-in references."""

from forequake.forecasts.gridded import ForecastTable, GriddedRates, fit_to_experiment, rates_from_file
from forequake.forecasts.readers import READERS, read_forecast, reader_of
from forequake.forecasts.reference import UniformInputs, uniform_rates

__all__ = [
    "READERS",
    "ForecastTable",
    "GriddedRates",
    "UniformInputs",
    "fit_to_experiment",
    "rates_from_file",
    "read_forecast",
    "reader_of",
    "uniform_rates",
]
