"""Run an experiment: what is due is computed, what the store has is left alone.

The store is a name (see `stores.resolve_store`), never an address with a password, since Prefect keeps
parameters in clear.
"""

from pathlib import Path
from typing import Annotated

from prefect.client.schemas.objects import State
from prefect.runtime import flow_run
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import Field

from flows._guard import WITHOUT_USER, GuardedFlow
from flows._run import RunRequest, execute

__all__ = ["run_experiment"]


def _run_experiment(
    config: str,
    label: str | None = None,
    store: Annotated[str, Field(pattern=WITHOUT_USER)] = "default",
    models: list[str] = [],  # noqa: B006  # Prefect's form shows the default; nobody changes it
    tests: list[str] = [],  # noqa: B006
    windows: list[str] = [],  # noqa: B006
    force: bool = False,
) -> State[dict[str, int]]:
    """Forecast and test what is due of an experiment, and store it.

    Args:
        config: The experiment's file or folder, on the worker's disk.
        label: A word for this run, kept with it.
        store: A store's name, or an address without user and password.
        models: Only these models; none means all.
        tests: Only these tests; none means all.
        windows: Only these windows, by their ids; none means all.
        force: Compute again what the store has.
    """
    return execute(
        RunRequest(
            config=config,
            label=label,
            store=store,
            models=tuple(models),
            tests=tuple(tests),
            windows=tuple(windows),
            force=force,
        )
    )


def _run_name() -> str:
    """Name a run in Prefect's pages by the experiment's folder and file, and by its label."""
    parameters = flow_run.get_parameters()
    config = Path(parameters["config"])
    label = parameters.get("label")
    return f"{config.parent.name}/{config.name}" + (f" ({label})" if label else "")


run_experiment = GuardedFlow(
    _run_experiment,
    name="run-experiment",
    flow_run_name=_run_name,
    # Prefect's own type of this parameter does not admit its own runner of threads.
    task_runner=ThreadPoolTaskRunner(max_workers=4),  # type: ignore[arg-type]
    persist_result=False,
)
