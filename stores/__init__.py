"""Results stores: one interface (`ResultsStore`), and `open_store` to get one by its address."""

from stores._addresses import default_store_url, resolve_store, shown_url
from stores._columns import columns_of_rows
from stores._open import open_store, store_exists
from stores._past import PastStore
from stores._read_only import ReadOnlyStore
from stores.base import LEASE, RENEWAL, ResultsStore
from stores.columns import ResultColumns
from stores.exchange import (
    Binding,
    Block,
    BoundResult,
    Claim,
    Coverage,
    ExperimentSummary,
    Finding,
    Overview,
    OverviewCell,
    Page,
    PublishReport,
    PutReport,
    ResultQuery,
    ResultRow,
    RunRef,
    SweepReport,
)

__all__ = [
    "LEASE",
    "RENEWAL",
    "Binding",
    "Block",
    "BoundResult",
    "Claim",
    "Coverage",
    "ExperimentSummary",
    "Finding",
    "Overview",
    "OverviewCell",
    "Page",
    "PastStore",
    "PublishReport",
    "PutReport",
    "ReadOnlyStore",
    "ResultColumns",
    "ResultQuery",
    "ResultRow",
    "ResultsStore",
    "RunRef",
    "SweepReport",
    "columns_of_rows",
    "default_store_url",
    "open_store",
    "resolve_store",
    "shown_url",
    "store_exists",
]
