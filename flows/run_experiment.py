"""Run an experiment: what is due is computed, what the store has is left alone.

The store is a name (see `stores.resolve_store`), never an address with a password, since Prefect keeps
parameters in clear.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, ParamSpec

from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import Field

from flows._guard import WITHOUT_USER, GuardedFlow
from flows._run import RunRequest, execute
from flows._tick import current_tick, run_tick

__all__ = ["run_experiment"]

P = ParamSpec("P")

_Name = Annotated[str, Field(min_length=1, max_length=200)]
_WindowId = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}\S*_\d{4}-\d{2}-\d{2}\S*$")]


def _run_name() -> str:
    """Name a run in Prefect's pages by the experiment's folder and file, and by its label."""
    parameters = flow_run.get_parameters()
    config = Path(parameters["config"])
    label = parameters.get("label")
    return f"{config.parent.name}/{config.name}" + (f" ({label})" if label else "")


def _guarded(function: Callable[P, State[dict[str, int]]]) -> GuardedFlow[P, State[dict[str, int]]]:
    return GuardedFlow(
        function,
        name="run-experiment",
        flow_run_name=_run_name,
        # Prefect's own type of this parameter does not admit its own runner of threads.
        task_runner=ThreadPoolTaskRunner(max_workers=4),  # type: ignore[arg-type]
        persist_result=False,
    )


@_guarded
def run_experiment(
    config: Annotated[str, Field(min_length=1, max_length=4096, pattern=r"^\S(.*\S)?$")],
    label: Annotated[str, Field(max_length=200)] = "",
    store: Annotated[str, Field(pattern=WITHOUT_USER)] = "default",
    models: list[_Name] = [],  # noqa: B006  # Prefect's form shows the default; nobody changes it
    tests: list[_Name] = [],  # noqa: B006
    windows: list[_WindowId] = [],  # noqa: B006
    force: bool = False,
    force_stage: list[_Name] = [],  # noqa: B006
    force_build: list[_Name] = [],  # noqa: B006
    force_forecasts: bool = False,
    report: Annotated[str, Field(max_length=4096)] = "",
) -> State[dict[str, int]]:
    """Forecast and test what is due of an experiment, and store it.

    Args:
        config: The experiment's file, or the folder of its config.yml, on the machine that runs it.
        label: A word for this run, kept with it; may be left empty.
        store: Where results live: 'default', a name NAME whose address the machine that runs it has in
            FOREQUAKE_STORE_NAME, or an address without user and password.
        models: Only these models; none means all.
        tests: Only these tests; none means all.
        windows: Only these windows, by their ids (start_end); none means all.
        force: Compute again what the store has.
        force_stage: Ask anew what the sources of these models give; by a schedule at most once a day.
        force_build: Build the environments of these models anew; by a schedule at most once a day.
        force_forecasts: Have programs make new forecasts in the place of those that were sealed before.
        report: A file (.html or .md) or folder that gets the experiment's report when the run has ended; a
            relative path starts from the experiment's folder. May be left empty.
    """
    request = RunRequest(
        config=config,
        label=label or None,
        store=store,
        models=tuple(models),
        tests=tuple(tests),
        windows=tuple(windows),
        force=force,
        force_stage=tuple(force_stage),
        force_build=tuple(force_build),
        force_forecasts=force_forecasts,
        report=report or None,
    )
    tick = current_tick()
    return execute(request) if tick is None else run_tick(request, tick)
