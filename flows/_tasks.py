"""The tasks of a run: arguments are ids, what they return are counts, and the store has the rest.

Only errors that trying again can mend are retried: a store that does not answer for half a minute costs no
run. Prefect's own cache and timeouts are not used: the store knows what is done, and a thread cannot be timed
out from outside.
"""

import io
from collections.abc import Callable, Iterable
from functools import lru_cache, partial
from typing import Any, ParamSpec, TypeVar

from prefect import get_run_logger, task
from prefect.artifacts import create_table_artifact
from prefect.cache_policies import NO_CACHE
from prefect.client.schemas.objects import State, TaskRun
from prefect.tasks import Task, exponential_backoff

from flows._ahead import seal_windows
from flows._blocks import BlockWork, Broken, compute_block
from flows._following import Following
from flows._outcome_texts import outcome_table
from flows._preparation import prepared
from flows._sealed import Sealing
from flows._session import current_session
from flows._summary import artifact_key, current_rows
from flows._turns import OTHERS, Turns
from forequake.config import FolderModel
from forequake.errors import (
    AccessDenied,
    EnvironmentFailed,
    ForecastError,
    ForequakeError,
    Interrupted,
    ModelError,
    SourceError,
    StoreFull,
)
from forequake.experiments import Experiment
from forequake.model_runs import Watch, programs_of
from forequake.models.demands import Demand
from forequake.quantities import Sha256
from forequake.results import CatalogForecastRecord, ForecastRecord, Label, RunCounts, Stage
from forequake.retrieval import retrieve_catalogs
from forequake.steps import make_forecasts, stage_model, windows_by_source
from forequake.timers import Timing, collecting
from forequake.windows import TimeWindow
from stores import ResultsStore, RunRef, open_store, resolve_store

__all__ = [
    "aggregate",
    "evaluate_block",
    "make_forecasts_of",
    "open_named_store",
    "place_of",
    "report",
    "seal_forecasts_of",
    "snapshot_catalogs",
    "stage_model_source",
]


P = ParamSpec("P")
R = TypeVar("R")


async def _is_transient(task: Task[..., Any], run: TaskRun, state: State[Any]) -> bool:
    """Tell whether trying again can help: the errors know. A run that is interrupted waits for nothing."""
    if current_session().stop.is_set():
        return False
    error = await state.aresult(raise_on_failure=False)
    return isinstance(error, ForequakeError) and error.transient


def _retriable(name: str, task_run_name: str) -> Callable[[Callable[P, R]], Task[P, R]]:
    """Make a task whose four retries, over 45 s, outlast a database that is started again."""
    return task(
        name=name,
        task_run_name=task_run_name,
        cache_policy=NO_CACHE,
        persist_result=False,
        retries=4,
        retry_delay_seconds=exponential_backoff(3),
        retry_jitter_factor=0.3,
        retry_condition_fn=_is_transient,
    )


def open_named_store(name: str) -> ResultsStore:
    """Open the store that a flow's parameter names."""
    return open_store(resolve_store(name))


@lru_cache(maxsize=8)
def _stored_experiment(store: str, key: Sha256) -> Experiment:
    return Experiment.from_store(open_named_store(store), key)


@_retriable(name="snapshot-catalog", task_run_name="catalog")
def snapshot_catalogs(store: str, config: str, experiment_key: Sha256, run_id: str) -> int:
    """Keep the region and the catalogs; give the number of observed events."""
    target = open_named_store(store)
    _, experiment = prepared(config, experiment_key, Sealing(lambda: target))
    region, cells = experiment.region_record()
    timers = current_session().timers(run_id)
    with collecting(timers), Timing(Stage.STORE):
        target.put_blob(io.BytesIO(cells))
        target.put([region])
    log = get_run_logger()
    for retrieved in retrieve_catalogs(experiment):
        with collecting(timers), Timing(Stage.STORE):
            target.put_blob(io.BytesIO(retrieved.data))
            target.put([retrieved.snapshot, retrieved.retrieval])
        log.info(
            "%s: %d events in snapshot %s of %s",
            retrieved.retrieval.purpose,
            retrieved.snapshot.n_events,
            retrieved.snapshot.key[:12],
            retrieved.retrieval.source,
        )
    for text in experiment.notes:
        log.info("%s", text)
    return len(experiment.events)


@_retriable(name="stage-model", task_run_name="stage {model}")
def stage_model_source(store: str, config: str, experiment_key: Sha256, model: str) -> None:
    """Make sure that a model's source is what the run was planned with."""
    loaded, experiment = prepared(config, experiment_key, Sealing(partial(open_named_store, store)))
    stage_model(loaded, experiment, model)


@_retriable(name="make-forecast", task_run_name="forecast {model}")
def make_forecasts_of(
    store: str,
    config: str,
    experiment_key: Sha256,
    run_id: str,
    model: str,
    windows: list[str],
    rebuild: Demand | None,
) -> dict[str, str]:
    """Keep a model's forecasts for the windows; give the windows whose forecasts cannot be used, and why."""
    target = open_named_store(store)
    loaded, experiment = prepared(config, experiment_key, Sealing(lambda: target))
    keys = {window: experiment.forecast_key(model, TimeWindow.from_id(window)) for window in windows}
    kind = CatalogForecastRecord if experiment.is_catalog_based(model) else ForecastRecord
    known = target.existing(kind, tuple(keys.values()))
    missing = [TimeWindow.from_id(window) for window, key in keys.items() if key not in known]
    broken: dict[str, str] = {}
    told: set[str] = set()
    log = get_run_logger()
    session = current_session()
    following = Following(model, len(missing), lambda name, view: session.on_model(name, view), log.info)
    watch = Watch(following.say, session.stop, following.status)
    timers = session.timers(run_id)
    groups = windows_by_source(experiment, model, missing)
    ready = programs_of(loaded, experiment, model, watch, missing, rebuild)
    turns = Turns(target, kind, session.owner, session.stop, lambda: log.info("%s: %s", model, OTHERS))
    made_here: set[str] = set()

    def leased(group: list[TimeWindow]) -> Sha256 | None:
        return keys[group[0].id] if ready is not None and ready.makes(group[0]) else None

    for group in turns.each(groups, leased):
        following.begin(group[0], len(group))
        try:
            with collecting(timers):
                made = make_forecasts(loaded, experiment, model, group, watch, ready)
        except Interrupted:
            break  # what is left counts as skipped
        except (ForecastError, ModelError) as error:
            log.error("%s: %s", model, error)
            # Without its files or its environment no window's run would come to another end.
            hopeless = isinstance(error, SourceError | EnvironmentFailed)
            if hopeless:
                there = target.existing(kind, tuple(keys.values()))
                group = [window for window in missing if keys[window.id] not in there]
            broken = {window.id: str(error) for window in group} | broken
            if hopeless:
                break
            continue
        with collecting(timers), Timing(Stage.STORE, model, group[0]):
            with made.open() as data:
                target.put_blob(data)
            target.put(made.records)
        made_here |= {window.id for window in group}
        _tell_findings(model, made.records, told)
    following.end()
    log.info("%s: %d forecasts made, %d cannot be used", model, len(made_here), len(broken))
    return broken


def _tell_findings(
    model: str, records: Iterable[ForecastRecord | CatalogForecastRecord], told: set[str]
) -> None:
    """Log what was found in forecasts, each message once: the same of every window says no more."""
    for finding in (finding for record in records for finding in record.findings):
        if finding.message not in told:
            tell = get_run_logger().warning if finding.severity == "warning" else get_run_logger().info
            tell("%s: %s", model, finding.message)
            told.add(finding.message)


@_retriable(name="seal-forecasts", task_run_name="seal {model}")
def seal_forecasts_of(
    store: str,
    config: str,
    experiment_key: Sha256,
    run: dict[str, Any],
    model: str,
    windows: list[str],
    rebuild: Demand | None,
) -> tuple[int, dict[str, str]]:
    """Make a model's forecasts of windows that have not ended; give how many, and why others failed."""
    target, session, log = open_named_store(store), current_session(), get_run_logger()
    reference = RunRef.model_validate(run)
    loaded, experiment = prepared(config, experiment_key, Sealing(lambda: target))
    spec = experiment.model(model)
    assert isinstance(spec, FolderModel)  # noqa: S101  # it has a program
    spans = [TimeWindow.from_id(window) for window in windows]
    following = Following(model, len(spans), lambda name, view: session.on_model(name, view), log.info)
    with collecting(session.timers(reference.id)):
        return seal_windows(target, session, (loaded, experiment), reference, spec, spans, following, rebuild)


@_retriable(name="evaluate-block", task_run_name="evaluate {model} {block_id:.8}")
def evaluate_block(
    store: str,
    experiment_key: Sha256,
    run: dict[str, Any],
    model: str,
    block_id: str,
    places: list[tuple[str, str, str, str | None]],
    broken: Broken,
    environment: Sha256,
    force: bool,
) -> dict[str, int]:
    """Compute the results of a block, for the `places` that `place_of` made."""
    experiment = _stored_experiment(store, experiment_key)
    labels = tuple(_label_of(experiment.name, *place) for place in places)
    work = BlockWork(id=block_id, labels=labels, broken=broken, environment=environment, force=force)
    counts = compute_block(
        open_named_store(store), current_session(), experiment, RunRef.model_validate(run), work
    )
    get_run_logger().info("%s: %s", model, describe_counts(counts))
    return counts.model_dump()


def place_of(label: Label) -> tuple[str, str, str, str | None]:
    """Give a place of the run's experiment as a task's argument."""
    return label.model, label.test, label.window.id, label.reference


def _label_of(experiment: str, model: str, test: str, window: str, reference: str | None) -> Label:
    span = TimeWindow.from_id(window)
    return Label(experiment=experiment, test=test, model=model, reference=reference, window=span)


def describe_counts(counts: RunCounts) -> str:
    """Say counts in words, leaving out what did not happen."""
    words = [f"{number} {name.replace('_', ' ')}" for name, number in counts.model_dump().items() if number]
    return ", ".join(words) or "nothing to do"


@_retriable(name="aggregate", task_run_name="aggregate")
def aggregate(store: str, experiment: str) -> int:
    """Let pages read a large experiment quickly; give the number of results that it has over all its runs."""
    target = open_named_store(store)
    try:
        target.summarise(experiment)
    except (AccessDenied, StoreFull) as error:  # the results are safe, and pages count for themselves
        get_run_logger().warning("Pages of %s will take longer: %s", experiment, error)
    overview = target.overview(experiment)
    return sum(sum(cell.outcomes.values()) for cell in overview.cells)


@_retriable(name="report", task_run_name="report")
def report(store: str, experiment: str, summary: str) -> int:
    """Show the outcome matrix in Prefect's pages; give its number of rows."""
    target = open_named_store(store)
    rows, outdated = current_rows(target, experiment)
    current_session().on_outcomes(rows, outdated)
    table = outcome_table(target, rows)
    create_table_artifact(
        key=artifact_key(experiment), table=table, description=f"Outcomes of **{experiment}**: {summary}"
    )
    return len(table)
