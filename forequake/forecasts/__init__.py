"""Forecasts: readers, the fit to an experiment's grid with its findings, built-in references."""

from forequake.forecasts.fitting import fit_to_experiment
from forequake.forecasts.gridded import ForecastScope, ForecastTable, GriddedRates, rates_from_file
from forequake.forecasts.policy import QualityPolicy
from forequake.forecasts.readers import FORMATS, READERS, read_forecast, reader_of, source_files
from forequake.forecasts.reference import UniformInputs, uniform_rates

__all__ = [
    "FORMATS",
    "READERS",
    "ForecastScope",
    "ForecastTable",
    "GriddedRates",
    "QualityPolicy",
    "UniformInputs",
    "fit_to_experiment",
    "rates_from_file",
    "read_forecast",
    "reader_of",
    "source_files",
    "uniform_rates",
]
