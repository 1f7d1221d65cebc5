"""What tests of stores and of their users need: sample records, and a filled store."""

from stores.testing.filling import fill_store
from stores.testing.samples import (
    FIRST_WINDOW,
    sample_catalog,
    sample_comparison,
    sample_digest,
    sample_distribution,
    sample_environment,
    sample_experiment,
    sample_forecast,
    sample_label,
    sample_region,
    sample_result,
    sample_retrieval,
    sample_run,
    sample_window,
)

__all__ = [
    "FIRST_WINDOW",
    "fill_store",
    "sample_catalog",
    "sample_comparison",
    "sample_digest",
    "sample_distribution",
    "sample_environment",
    "sample_experiment",
    "sample_forecast",
    "sample_label",
    "sample_region",
    "sample_result",
    "sample_retrieval",
    "sample_run",
    "sample_window",
]
