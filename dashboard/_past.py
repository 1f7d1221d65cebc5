"""What pages ask of runs and of former results: bounded and kept in memory, as in `dashboard._data`.

What a run started from never changes, nor does what stood at a past time while the experiment's token stays.
"""

import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
import streamlit as st

from dashboard import _data
from dashboard._provenance import CatalogFacts, Forecast
from forequake.catalogs import Events
from forequake.config import ExperimentConfig
from forequake.errors import ForecastError, NotFound
from forequake.experiments import Experiment
from forequake.quantities import Sha256
from forequake.regions import Region
from forequake.results import (
    CatalogForecastRecord,
    CatalogRetrieval,
    CatalogSnapshot,
    ExperimentRecord,
    ForecastRecord,
)
from forequake.windows import TimeWindow
from stores import Coverage, ResultQuery, ResultRow, ResultsStore

__all__ = ["Results", "catalogs", "coverage", "experiment_record", "forecasts", "results_at"]

#: Retrievals are looked for among so many, a thousand at a time.
_MOST_RETRIEVALS: Final = 5000
_PAGE: Final = 1000
#: A comparison reads so many results at most of each side.
_MOST_RESULTS: Final = 2000
#: While results come in, counting them may take this share of the time.
_SHARE: Final = 0.05
_FAR: Final = timedelta(days=36500)


@dataclass
class _Counted:
    """A coverage with the token that the experiment had, when it was counted, and how long that took."""

    coverage: Coverage
    token: int
    at: float
    seconds: float


@dataclass(frozen=True)
class Results:
    """Results as they stood; `complete` is False where there are more of them than are read."""

    rows: tuple[ResultRow, ...]
    complete: bool


@st.cache_resource(max_entries=16, show_spinner=False)
def _counted(address: str, experiment: str, since: datetime | None) -> list[_Counted]:
    """Give the place where a count is kept."""
    del address, experiment, since
    return []


def coverage(address: str, experiment: str, token: int, since: datetime | None) -> Coverage:
    """Count results by model and window; while they change, seldom enough to be no burden to the store."""
    kept = _counted(address, experiment, since)
    moment = time.monotonic()
    if kept and (kept[0].token == token or moment - kept[0].at < kept[0].seconds / _SHARE):
        return kept[0].coverage
    found = _data.store(address).coverage(experiment, since)
    kept[:] = [_Counted(found, token, moment, time.monotonic() - moment)]
    return found


@st.cache_resource(max_entries=16, show_spinner=False)
def experiment_record(address: str, key: Sha256) -> ExperimentRecord | None:
    """Read what a run resolved; None where the store has it no more."""
    try:
        return _data.store(address).get(ExperimentRecord, key)
    except NotFound:
        return None


@st.cache_data(max_entries=16, ttl=60, show_spinner=False)
def catalogs(
    address: str, key: Sha256, begun: datetime | None, ended: datetime | None
) -> tuple[CatalogFacts, ...]:
    """Tell from where the catalogs of an experiment came, and when they were asked for.

    Parameters
    ----------
    key
        Of the experiment's record.
    begun, ended
        Of the run: what was retrieved meanwhile was retrieved by it.
    """
    record = experiment_record(address, key)
    if record is None:
        return ()
    store = _data.store(address)
    wanted = [("testing", record.inputs.catalog, "catalog")]
    if record.inputs.input_catalog is not None:
        wanted.append(("learning", record.inputs.input_catalog, "input_catalog"))
    snapshots = store.get_many(CatalogSnapshot, [snapshot for _, snapshot, _ in wanted])
    retrievals = _retrievals(store)
    found = []
    for purpose, snapshot, name in wanted:
        times = sorted(
            each.retrieved_at
            for each in retrievals
            if (each.snapshot, each.purpose) == (snapshot, purpose)
            and (begun is None or begun <= each.retrieved_at <= (ended or begun + _FAR))
        )
        known = snapshots.get(snapshot)
        found.append(
            CatalogFacts(
                purpose=purpose,
                source=record.config.get(name),
                snapshot=snapshot,
                n_events=None if known is None else known.n_events,
                first=None if known is None else known.first,
                last=None if known is None else known.last,
                retrieved_at=times[-1] if times else None,
            )
        )
    return tuple(found)


def _retrievals(store: ResultsStore) -> list[CatalogRetrieval]:
    found: list[CatalogRetrieval] = []
    while len(found) < _MOST_RETRIEVALS:
        page = store.scan(CatalogRetrieval, found[-1].key if found else None, _PAGE)
        found += page
        if len(page) < _PAGE:
            break
    return found


@st.cache_resource(max_entries=32, show_spinner=False)
def forecasts(
    address: str, key: Sha256, window: TimeWindow, models: tuple[str, ...] | None = None
) -> tuple[Forecast, ...]:
    """Give the forecasts of one window that an experiment was resolved with, model by model."""
    record = experiment_record(address, key)
    config = None if record is None else _data.config(address, key)
    if record is None or config is None:
        return ()
    resolved = _resolved(record, config)
    keys: dict[str, Sha256] = {}
    for model in config.models:
        if models is None or model.name in models:
            try:
                keys[model.name] = resolved.forecast_key(model.name, window)
            except ForecastError:
                continue
    store = _data.store(address)
    made: dict[Sha256, ForecastRecord | CatalogForecastRecord] = {}
    made |= store.get_many(ForecastRecord, list(keys.values()))
    made |= store.get_many(CatalogForecastRecord, list(keys.values()))
    found = []
    for model in config.models:
        source = resolved.source(model.name, window)
        if source is not None and (models is None or model.name in models):
            found.append(
                Forecast(model.name, window, source, keys.get(model.name), made.get(keys.get(model.name, "")))
            )
    return tuple(found)


def _resolved(record: ExperimentRecord, config: ExperimentConfig) -> Experiment:
    """Give an experiment from which the keys of forecasts follow: they need neither cells nor events."""
    nothing = np.zeros(0)
    events = Events(nothing.astype(np.int64), *(nothing,) * 4, nothing.astype(np.str_))
    return Experiment(
        record=record, config=config, region=Region("", nothing.reshape(0, 2), 1.0), events=events
    )


def results_at(
    address: str,
    experiment: str,
    token: int,
    moment: datetime | None,
    window: TimeWindow | None,
    since: datetime | None,
) -> Results:
    """Read the results of one window, or of those from `since` on, as they stood at a time; None for now."""
    if moment is None and window is not None:
        return Results(_data.window_rows(address, experiment, token, window), complete=True)
    return _results_at(address, experiment, token, moment, window, since)


@st.cache_resource(max_entries=16, show_spinner=False)
def _results_at(
    address: str,
    experiment: str,
    token: int,
    moment: datetime | None,
    window: TimeWindow | None,
    since: datetime | None,
) -> Results:
    del token
    query = ResultQuery(
        experiment=experiment,
        as_of=moment,
        window=window,
        start_from=since if window is None else None,
        limit=_MOST_RESULTS,
    )
    page = _data.store(address).latest(query)
    return Results(page.rows, complete=page.cursor is None)
