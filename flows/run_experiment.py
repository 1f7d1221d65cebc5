"""Run an experiment: what is due is computed, what the store has is left alone.

The store is a name (see `stores.resolve_store`), never an address with a password, since Prefect keeps
parameters in clear.
"""

from typing import Annotated

from prefect.client.schemas.objects import State
from prefect.task_runners import ThreadPoolTaskRunner
from pydantic import Field

from flows._guard import WITHOUT_USER, GuardedFlow
from flows._run import RunRequest, execute

__all__ = ["run_experiment"]


def _run_experiment(
    config: Annotated[str, Field(description="The experiment's file or folder, on the worker's disk.")],
    label: Annotated[str | None, Field(description="A word for this run, kept with it.")] = None,
    store: Annotated[
        str, Field(description="A store's name, or an address without a password.", pattern=WITHOUT_USER)
    ] = "default",
    models: Annotated[list[str], Field(description="Only these models; none means all.")] = [],  # noqa: B006
    tests: Annotated[list[str], Field(description="Only these tests; none means all.")] = [],  # noqa: B006
    windows: Annotated[list[str], Field(description="Only these windows; none means all.")] = [],  # noqa: B006
    force: Annotated[bool, Field(description="Compute again what the store has.")] = False,
) -> State[dict[str, int]]:
    """Forecast and test what is due of an experiment, and store it."""
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


run_experiment = GuardedFlow(
    _run_experiment,
    name="run-experiment",
    flow_run_name="{config}",
    # Prefect's own type of this parameter does not admit its own runner of threads.
    task_runner=ThreadPoolTaskRunner(max_workers=4),  # type: ignore[arg-type]
    persist_result=False,
)
