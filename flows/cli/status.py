"""``forequake status``: which experiments there are, how their runs ended, and what failed."""

from collections.abc import Iterator
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
from flows.cli._timings import show_timings, timings_fields
from flows.cli._troubles import trouble_lines
from forequake.environment import owner_is_dead
from forequake.errors import InputError
from forequake.results import RunRecord, RunState
from stores import ExperimentSummary, ResultsStore, resolve_store, shown_url

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("status")(status)


def status(
    experiment: Annotated[
        str | None, typer.Argument(help="The experiment's name; none lists all.", show_default=False)
    ] = None,
    store: StoreName = "default",
    timings: Annotated[
        bool, typer.Option("--timings", help="What the last run took: by stage, and by model.")
    ] = False,
    of_runs: Annotated[
        int,
        typer.Option("--runs", min=1, max=1_000_000, help="With --timings: add up so many of the last runs."),
    ] = 1,
    as_json: JsonFlag = False,
) -> None:
    """Tell which experiments the store has, how their runs ended, and what failed or takes long.

    Examples: `forequake status california`, `forequake status california --timings --runs 30`
    """
    if experiment is None and (timings or of_runs != 1):
        message = "--timings and --runs need the name of an experiment: forequake status NAME --timings"
        raise InputError(message)
    if experiment is None:
        _list_experiments(store, as_json=as_json)
        return
    if of_runs != 1 and not timings:
        message = "--runs goes with --timings"
        raise InputError(message)
    target = known_experiment(store, experiment)
    if timings:
        _show_timings(target, experiment, of_runs, as_json=as_json)
        return
    runs = [_as_it_is(run) for run in target.runs(experiment, limit=20)]
    units = target.units(experiment)
    if as_json:
        print_json(
            {
                "experiment": experiment,
                "store": target.name,
                "runs": [run.model_dump(mode="json", exclude={"timings"}) for run in runs],
                "units": [unit.model_dump(mode="json") for unit in units],
            }
        )
        return
    out.print(_runs_table(runs))
    for line in trouble_lines(units):
        complain(line)
    note(f"Store: {target.name}")


def _show_timings(store: ResultsStore, experiment: str, number: int, *, as_json: bool) -> None:
    last, found = _as_it_is(store.runs(experiment, limit=1)[0]), store.timings(experiment, number)
    number = min(number, last.run_no)
    if as_json:
        print_json({"store": store.name, **timings_fields(last, number, found)})
        return
    show_timings(last, number, found)
    note(f"Store: {store.name}")


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
            run.state.value,
            str(run.counts.computed),
            str(run.counts.cached),
            str(bad),
            run.label or "",
        )
    return table


def _as_it_is(run: RunRecord) -> RunRecord:
    """Give a run with its state; one whose process is gone has crashed before the next run marks it so."""
    gone = run.state is RunState.RUNNING and owner_is_dead(run.owner)
    return run.model_copy(update={"state": RunState.CRASHED}) if gone else run


def _summaries(store: ResultsStore) -> Iterator[ExperimentSummary]:
    """Give what the store has, with the states of the last runs as they are."""
    for summary in store.experiments():
        runs = store.runs(summary.name, limit=1) if summary.last_run_state is RunState.RUNNING else ()
        states = [_as_it_is(run).state for run in runs]
        yield summary.model_copy(update={"last_run_state": states[0]}) if states else summary


def _list_experiments(name: str, *, as_json: bool) -> None:
    store = existing_store_of(name)
    summaries = [] if store is None else list(_summaries(store))
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
