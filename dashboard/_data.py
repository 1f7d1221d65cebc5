"""What pages ask of the store: every question bounded, and answered from memory until an answer can change.

The store's address comes first in every question, so that two stores never share an answer. Results are kept
under the experiment's token, which changes whenever one of them does; what has no token (the list of
experiments, runs, units under way) is asked again after `FRESH` seconds. Failures are never kept.

Long lists of rows are kept as resources, which are shared, not copied for every run of a script: rows are
frozen, and to copy 4,000 of them takes 0.15 s.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

import streamlit as st
from pydantic import ValidationError

from dashboard._as_of import parted
from dashboard._experiment import (
    ScoreSummary,
    Windows,
    WindowSummary,
    over_windows_of,
    pairs_since,
    rows_of,
    summary_of,
    windows_of,
)
from dashboard._experiment import registered_name as name_of
from dashboard._public import PublicStore, is_public
from dashboard._tokens import SeenTokens, held_for
from dashboard.figures.cells import Span
from dashboard.figures.regions import Acceptance, acceptance
from forequake.config import ExperimentConfig
from forequake.errors import NotFound
from forequake.quantities import Sha256, now
from forequake.results import (
    AnyEvaluation,
    ComparisonRecord,
    ConsistencyRecord,
    DistributionRecord,
    EnvironmentRecord,
    EvaluationRecord,
    ExperimentRecord,
    RunRecord,
    ScoreRecord,
    UnitRecord,
)
from forequake.seal_marks import Statuses, sealed_statuses
from forequake.windows import TimeWindow
from stores import (
    BoundResult,
    ExperimentSummary,
    Overview,
    PastStore,
    ResultColumns,
    ResultQuery,
    ResultRow,
    ResultsStore,
    open_store,
    resolve_store,
)

__all__ = [
    "FRESH",
    "Listing",
    "ScoreSummary",
    "WindowSummary",
    "Windows",
    "columns",
    "config",
    "environment",
    "experiments",
    "forget",
    "history",
    "over_windows",
    "overview",
    "pairs",
    "pairs_since",
    "regions",
    "registered_name",
    "result",
    "runs",
    "sample",
    "score_summary",
    "scores",
    "series",
    "statuses",
    "store",
    "store_address",
    "token_of",
    "units",
    "window_rows",
    "windows",
]

#: Seconds for which the list of experiments, runs and units is taken as it was.
FRESH: Final = 4.0
#: So many answers of each kind are kept.
_KEPT: Final = 64


@dataclass(frozen=True)
class Listing:
    """The store's experiments, and when they were read."""

    experiments: tuple[ExperimentSummary, ...]
    read_at: datetime


def store_address() -> str:
    """Give the address of the store to show: ``FOREQUAKE_STORE``, or the default store."""
    return resolve_store(None)


@st.cache_resource(show_spinner=False, validate=lambda opened: not opened.closed)
def store(address: str) -> ResultsStore:
    """Open the store for reading, once for the process; for the public without what is not for it."""
    plain, moment = parted(address)
    if moment is not None:
        return PastStore(store(plain), moment)
    opened = open_store(address, read_only=True)
    return PublicStore(opened) if is_public() else opened


def forget() -> None:
    """Forget all answers, so that the next questions reach the store."""
    st.cache_data.clear()
    st.cache_resource.clear()


@st.cache_data(ttl=FRESH, show_spinner=False)
def experiments(address: str) -> Listing:
    """List the experiments."""
    found, read_at = store(address).experiments(), now()
    return Listing(tuple(held_for(found, _seen_tokens(address), read_at)), read_at)


@st.cache_resource(show_spinner=False)
def _seen_tokens(address: str) -> SeenTokens:
    del address  # each store has its own
    return {}


def token_of(address: str, experiment: str) -> int:
    """Give the token of an experiment; 0 where there is no such one."""
    found = experiments(address).experiments
    return next((summary.token for summary in found if summary.name == experiment), 0)


@st.cache_data(ttl=FRESH, show_spinner=False)
def runs(address: str, experiment: str) -> tuple[RunRecord, ...]:
    """List an experiment's runs, the last fifty, latest first."""
    return tuple(store(address).runs(experiment))


@st.cache_data(ttl=FRESH, show_spinner=False)
def units(address: str, experiment: str) -> tuple[UnitRecord, ...]:
    """List the units of work that are under way or ended badly."""
    return tuple(store(address).units(experiment))


@st.cache_data(max_entries=_KEPT, show_spinner=False)
def config(address: str, key: Sha256) -> ExperimentConfig | None:
    """Read an experiment's configuration; None where it is not one that this forequake understands."""
    record = store(address).get(ExperimentRecord, key)
    try:
        return ExperimentConfig.model_validate(record.config)
    except ValidationError:
        return None


@st.cache_data(ttl=FRESH, show_spinner=False)
def statuses(address: str, experiment: str) -> Statuses:
    """Read how an experiment's sealed forecasts stand to their windows."""
    summaries = experiments(address).experiments
    key = next((summary.record_key for summary in summaries if summary.name == experiment), None)
    return {} if key is None else sealed_statuses(store(address), config(address, key))


@st.cache_data(max_entries=_KEPT, show_spinner=False)
def overview(address: str, experiment: str, token: int) -> Overview:
    """Count the experiment's latest results; `token` is that of its summary."""
    del token  # part of what the answer is kept under
    return store(address).overview(experiment)


@st.cache_resource(max_entries=32, show_spinner="Reading results")
def columns(
    address: str, experiment: str, token: int, test: str, since: datetime | None
) -> ResultColumns | None:
    """Read the results of a test of all models as columns, in windows that begin at `since` or later."""
    del token  # part of what the answer is kept under
    return store(address).columns(experiment, test, since)


@st.cache_resource(max_entries=_KEPT, show_spinner=False)
def windows(address: str, experiment: str, token: int, spanning: tuple[str, ...]) -> Windows:
    """List the windows; `spanning` are the tests over all windows, whose results are in none."""
    spans = {row.label.window for row, _ in over_windows(address, experiment, token, spanning)}

    def read(test: str) -> ResultColumns | None:
        return columns(address, experiment, token, test, None)

    return windows_of(overview(address, experiment, token), spanning, spans, read)


@st.cache_resource(max_entries=_KEPT, show_spinner=False)
def over_windows(
    address: str, experiment: str, token: int, tests: tuple[str, ...]
) -> tuple[tuple[ResultRow, Span], ...]:
    """Read the results over all windows, and what they are made from: of each the one with the latest end."""
    read = [columns(address, experiment, token, test, None) for test in tests]
    return over_windows_of(store(address), [each for each in read if each is not None])


@st.cache_data(max_entries=_KEPT, show_spinner=False)
def registered_name(address: str, experiment: str, token: int, test: str) -> str | None:
    """Give forequake's name of a test that the experiment has had, by one of its results."""
    return name_of(store(address), overview(address, experiment, token), test)


@st.cache_resource(max_entries=_KEPT, show_spinner=False)
def pairs(
    address: str, experiment: str, token: int, test: str, since: datetime | None
) -> tuple[ResultRow, ...]:
    """Read the results of a test of all pairs of models, in windows that begin at `since` or later."""
    del token
    query = ResultQuery(experiment=experiment, tests=(test,), start_from=since)
    return tuple(rows_of(store(address), query))


@st.cache_resource(max_entries=_KEPT, show_spinner=False)
def window_rows(address: str, experiment: str, token: int, window: TimeWindow) -> tuple[ResultRow, ...]:
    """Read the results of one window."""
    del token
    return tuple(rows_of(store(address), ResultQuery(experiment=experiment, window=window)))


@st.cache_resource(max_entries=_KEPT, show_spinner=False)
def series(
    address: str, experiment: str, token: int, test: str, model: str, reference: str | None
) -> tuple[ResultRow, ...]:
    """Read the results of one test of one model in all windows, in order of time."""
    del token
    query = ResultQuery(
        experiment=experiment,
        tests=(test,),
        models=(model,),
        references=() if reference is None else (reference,),
    )
    rows = [row for row in rows_of(store(address), query) if row.label.reference == reference]
    return tuple(sorted(rows, key=lambda row: (row.label.window.start, row.label.window.end)))


@st.cache_data(max_entries=16 * _KEPT, show_spinner=False)
def score_summary(
    address: str, experiment: str, token: int, test: str, model: str, reference: str | None
) -> ScoreSummary:
    """Sum up the scores of one test of one model over all windows."""
    found = columns(address, experiment, token, test, None)
    return ScoreSummary() if found is None else summary_of(found.of(model, reference))


@st.cache_data(max_entries=_KEPT, show_spinner=False)
def result(address: str, key: Sha256) -> AnyEvaluation:
    """Read one result with its distribution."""
    record = store(address).get(EvaluationRecord, key)
    if not isinstance(record, ConsistencyRecord | ComparisonRecord | ScoreRecord):
        message = f"the result {key} is of the kind {record.kind!r}, which this page cannot show"
        raise NotFound(message)
    return record


@st.cache_resource(max_entries=4 * _KEPT, show_spinner=False)
def regions(address: str, keys: tuple[Sha256, ...]) -> dict[Sha256, Acceptance | None]:
    """Read where results do not reject; the distributions themselves are not kept."""
    found = store(address).get_many(EvaluationRecord, keys)
    return {key: acceptance(record) for key, record in found.items()}


@st.cache_resource(max_entries=_KEPT, show_spinner=False)
def scores(address: str, keys: tuple[Sha256, ...]) -> dict[Sha256, ScoreRecord]:
    """Read scores with their curves; those that the store has no more are left out."""
    found = store(address).get_many(EvaluationRecord, keys)
    return {key: record for key, record in found.items() if isinstance(record, ScoreRecord)}


@st.cache_data(ttl=FRESH, show_spinner=False)
def history(address: str, slot: Sha256) -> tuple[BoundResult, ...]:
    """Read all values that a place has had, the first one first."""
    return tuple(store(address).history(slot))


@st.cache_data(max_entries=4, show_spinner=False)
def sample(address: str, key: Sha256) -> DistributionRecord | None:
    """Read the whole simulated sample of a result; None where it was dropped."""
    try:
        return store(address).get(DistributionRecord, key)
    except NotFound:
        return None


@st.cache_data(max_entries=_KEPT, show_spinner=False)
def environment(address: str, key: Sha256) -> EnvironmentRecord | None:
    """Read where something was computed; None where it was not recorded."""
    try:
        return store(address).get(EnvironmentRecord, key)
    except NotFound:
        return None
