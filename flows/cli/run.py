"""``forequake run``: an experiment from its files to a table of outcomes, through a Prefect flow."""

import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import httpx
import typer

from flows._server import ensure_api
from flows.cli._outcomes import show_run
from flows.cli._progress import showing_progress
from flows.cli._report_option import Report, report_parameter
from flows.cli._terminal import (
    ConfigPath,
    JsonFlag,
    ModelNames,
    StoreName,
    TestNames,
    WindowIds,
    note,
    store_of,
)
from forequake.errors import ServerError
from forequake.results import RunRecord, RunState

if TYPE_CHECKING:
    from prefect.client.schemas.objects import State

    from flows._session import Session
    from stores import ResultRow, ResultsStore

__all__ = ["register"]


_ForceStage = Annotated[
    list[str],
    typer.Option(
        "--force-stage",
        metavar="MODEL",
        help="Ask anew what this model's giturl or zenodo_id gives; may be repeated.",
    ),
]
_ForceForecasts = Annotated[
    bool,
    typer.Option(
        "--force-forecasts",
        help="Have programs make new forecasts in the place of those that were sealed before.",
    ),
]
_ForceBuild = Annotated[
    list[str],
    typer.Option(
        "--force-build",
        metavar="MODEL",
        help="Build this model's environment anew, where it has to run; may be repeated.",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("run")(run)


def run(
    config: ConfigPath,
    store: StoreName = "default",
    models: ModelNames = [],  # noqa: B006
    tests: TestNames = [],  # noqa: B006
    windows: WindowIds = [],  # noqa: B006
    label: Annotated[str | None, typer.Option(help="A word for this run, kept with it.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Compute again what the store has.")] = False,
    force_stage: _ForceStage = [],  # noqa: B006
    force_build: _ForceBuild = [],  # noqa: B006
    force_forecasts: _ForceForecasts = False,
    report: Report = None,
    as_json: JsonFlag = False,
) -> None:
    """Run an experiment: compute what is due, store it, and show the outcomes.

    What the store has is not computed again. Ctrl-C finishes the result under way and stores what is done.

    Example: `forequake run examples/california/config.yml`
    """
    from flows._preparation import prepare_run
    from flows._sealed import Sealing
    from flows._session import current_session
    from forequake.plan import Selection
    from forequake.quantities import now
    from forequake.renewal import Renewal

    anew = (frozenset(models), frozenset(windows)) if force_forecasts else None
    renewal = Renewal(now(), stage=frozenset(force_stage), build=frozenset(force_build))
    _, experiment = prepare_run(str(config), note, renewal, Sealing(partial(store_of, store), anew=anew))
    Selection(tuple(models), tuple(tests), tuple(windows)).check(experiment)
    report_parameter(report, experiment.name)  # a wrong path is told before anything is computed
    target = store_of(store)
    note(f"Store: {target.name}")
    _announce_unused(experiment.config.unused)
    endpoint, session = ensure_api(note), current_session()
    outcomes: list[tuple[list[ResultRow], int]] = []
    session.on_outcomes = lambda rows, outdated: outcomes.append((rows, outdated))
    with showing_progress(session, experiment.name), _stopping(session):
        state = _run_flow(
            endpoint.url,
            experiment.name,
            config=str(config.resolve()),
            label=label or "",
            store=store,
            models=models,
            tests=tests,
            windows=windows,
            force=force,
            force_stage=force_stage,
            force_build=force_build,
            force_forecasts=force_forecasts,
            report=report_parameter(report, experiment.name),
        )
    ended = _run_of(target, experiment.name, str(state.state_details.flow_run_id))
    if ended is not None:
        reported = outcomes[-1] if outcomes else None
        show_run(target, ended, endpoint.url, named=store, as_json=as_json, outcomes=reported)
    _raise_trouble(state)
    _leave(ended)


def _leave(ended: RunRecord | None) -> None:
    """End with the exit code of a run."""
    if ended is not None and ended.state is RunState.INTERRUPTED:
        raise typer.Exit(130)
    if ended is None or ended.state is not RunState.COMPLETED:
        raise typer.Exit(1)


def _run_flow(api_url: str, experiment: str, **parameters: str | bool | list[str] | None) -> "State[Any]":
    """Call the flow in this process, and say in one sentence where Prefect's server fails meanwhile."""
    os.environ.setdefault("PREFECT_LOGGING_HANDLERS_CONSOLE_LEVEL", "CRITICAL")
    from prefect import tags
    from prefect.exceptions import PrefectException
    from prefect.settings import PREFECT_FLOWS_HEARTBEAT_FREQUENCY, temporary_settings

    from flows.run_experiment import run_experiment

    # Prefect's heartbeat costs a second at the end of each run; the store keeps a heartbeat of its own.
    quiet = temporary_settings({PREFECT_FLOWS_HEARTBEAT_FREQUENCY: None})
    try:
        with quiet, tags("forequake", experiment):
            state: State[Any] = run_experiment(**parameters, return_state=True)
    except (httpx.HTTPError, PrefectException) as error:
        message = (
            f"Prefect's server at {api_url} failed during the run ({type(error).__name__}); what was "
            "computed by then is stored: run again"
        )
        raise ServerError(message) from error
    return state


def _raise_trouble(state: "State[Any]") -> None:
    """Raise what broke the whole run; units that failed are in the table of the run."""
    from prefect.exceptions import FailedRun

    outcome = state.result(raise_on_failure=False)
    if isinstance(outcome, BaseException) and not isinstance(outcome, FailedRun):
        raise outcome


def _announce_unused(keys: tuple[str, ...]) -> None:
    if keys:
        note(f"Accepted but not used: {', '.join(keys)}")


def _run_of(store: "ResultsStore", experiment: str, flow_run_id: str) -> RunRecord | None:
    return next((run for run in store.runs(experiment) if run.flow_run_id == flow_run_id), None)


@contextmanager
def _stopping(session: "Session") -> Iterator[None]:
    """Let the first Ctrl-C or SIGTERM stop the run in order, and the second one at once."""

    def stop(number: int, frame: FrameType | None) -> None:
        if session.stop.is_set():
            signal.signal(signal.SIGINT, signal.default_int_handler)
            raise KeyboardInterrupt
        session.stop.set()
        note("Stopping: the results under way are being finished and stored (again to stop at once).")

    before = {number: signal.signal(number, stop) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
