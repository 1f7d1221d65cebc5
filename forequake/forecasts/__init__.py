"""Forecasts: readers, the fit to an experiment's grid with its findings, built-in references."""

from forequake.forecasts.fitted import file_content, fitted_rates
from forequake.forecasts.fitting import fit_to_experiment
from forequake.forecasts.gridded import ForecastScope, ForecastTable, GriddedRates, rates_from_file
from forequake.forecasts.policy import QualityPolicy
from forequake.forecasts.readers import FORMATS, READERS, read_forecast, reader_of, source_files
from forequake.forecasts.references.uniform import UniformInputs, uniform_rates
from forequake.forecasts.scope import rate_findings, scope_findings

__all__ = [
    "FORMATS",
    "READERS",
    "ForecastScope",
    "ForecastTable",
    "GriddedRates",
    "QualityPolicy",
    "UniformInputs",
    "file_content",
    "fit_to_experiment",
    "fitted_rates",
    "rate_findings",
    "rates_from_file",
    "read_forecast",
    "reader_of",
    "scope_findings",
    "source_files",
    "uniform_rates",
]
