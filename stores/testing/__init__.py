"""What tests of stores and of their users need: sample records, a filled store, and the stores' contract.

The contract itself, which needs pytest, is `stores.testing.contract.ResultsStoreContract`.
"""

from stores.testing.bulk import fill_bulk
from stores.testing.damage import Damage
from stores.testing.filling import fill_store
from stores.testing.samples import (
    FIRST_WINDOW,
    sample_catalog,
    sample_catalog_forecast,
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
    sample_score,
    sample_window,
)
from stores.testing.sealed_samples import sample_seal

__all__ = [
    "FIRST_WINDOW",
    "Damage",
    "fill_bulk",
    "fill_store",
    "sample_catalog",
    "sample_catalog_forecast",
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
    "sample_score",
    "sample_seal",
    "sample_window",
]
