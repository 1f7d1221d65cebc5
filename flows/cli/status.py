"""``forequake status``: which experiments there are, how their runs ended, and what failed."""

from typing import Annotated

import typer
from rich import box
from rich.table import Table

from flows.cli._terminal import (
    JsonFlag,
    StoreName,
    complain,
    existing_store_of,
    known_experiment,
    note,
    out,
    print_json,
)
from forequake.environment import owner_is_dead
from forequake.results import RunRecord, RunState, UnitRecord
from stores import resolve_store, shown_url

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("status")(status)


def status(
    experiment: Annotated[
        str | None, typer.Argument(help="The experiment's name; none lists all.", show_default=False)
    ] = None,
    store: StoreName = "default",
    as_json: JsonFlag = False,
) -> None:
    """Tell which experiments the store has, how their runs ended, and what failed.

    Example: `forequake status california`
    """
    if experiment is None:
        _list_experiments(store, as_json=as_json)
        return
    target = known_experiment(store, experiment)
    runs = target.runs(experiment, limit=20)
    units = target.units(experiment)
    if as_json:
        print_json(
            {
                "experiment": experiment,
                "store": target.name,
                "runs": [run.model_dump(mode="json") for run in runs],
                "units": [unit.model_dump(mode="json") for unit in units],
            }
        )
        return
    out.print(_runs_table(runs))
    for line in _troubles(units):
        complain(line)
    note(f"Store: {target.name}")


def _troubles(units: list[UnitRecord]) -> list[str]:
    """Say what is under way or ended badly, once for the tests of a model and window that have one reason."""
    tests: dict[tuple[str, int, str, str, str], list[str]] = {}
    for unit in units:
        reason = f": {unit.error.message}" if unit.error else ""
        place = unit.label.model, unit.label.window.id, reason
        tests.setdefault((unit.state.value, unit.attempts, *place), []).append(unit.label.test)
    return [
        f"{state} (attempt {attempts}): {', '.join(names)} of {model} in {window}{reason}"
        for (state, attempts, model, window, reason), names in tests.items()
    ]


def _runs_table(runs: list[RunRecord]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("run", "started", "took", "state", "computed", "stored", "failed", "label"):
        left = name in {"started", "state", "label"}
        table.add_column(name, justify="left" if left else "right", no_wrap=name in {"started", "state"})
    for run in runs:
        took = "" if run.ended_at is None else f"{(run.ended_at - run.started_at).total_seconds():.1f} s"
        bad = run.counts.failed + run.counts.upstream_failed
        table.add_row(
            str(run.run_no),
            f"{run.started_at:%Y-%m-%d %H:%M}",
            took,
            _state(run),
            str(run.counts.computed),
            str(run.counts.cached),
            str(bad),
            run.label or "",
        )
    return table


def _state(run: RunRecord) -> str:
    """Give a run's state; one whose process is gone will be marked by the next run."""
    gone = run.state is RunState.RUNNING and owner_is_dead(run.owner)
    return RunState.CRASHED.value if gone else run.state.value


def _list_experiments(name: str, *, as_json: bool) -> None:
    store = existing_store_of(name)
    summaries = [] if store is None else store.experiments()
    place = shown_url(resolve_store(name))
    if as_json:
        shown = [summary.model_dump(mode="json") for summary in summaries]
        print_json({"store": place, "experiments": shown})
        return
    if not summaries:
        out.print("No experiment yet: forequake run CONFIG")
    else:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name in ("experiment", "results", "runs", "last run", "state"):
            table.add_column(name, justify="right" if name in {"results", "runs"} else "left")
        for summary in summaries:
            started = f"{summary.last_started_at:%Y-%m-%d %H:%M}" if summary.last_started_at else ""
            state = summary.last_run_state.value if summary.last_run_state else ""
            table.add_row(summary.name, str(summary.n_results), str(summary.n_runs), started, state)
        out.print(table)
    note(f"Store: {place}")
