"""``forequake results`` and ``forequake status``: what the store has."""

import csv
import json
import sys
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich import box
from rich.table import Table

from flows.cli._terminal import JsonFlag, StoreName, complain, note, out, print_json, store_of
from forequake.errors import InputError, NotFound, unknown
from forequake.results import (
    DistributionRecord,
    EvaluationRecord,
    RunRecord,
    SimulatedDistribution,
)

if TYPE_CHECKING:
    from stores import ResultRow, ResultsStore

__all__ = ["register"]

_QUANTILES: Final = ("delta1", "delta2", "q", "t", "t_critical", "p")


class Format(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("results")(results)
    app.command("status")(status)


def results(
    experiment: Annotated[str, typer.Argument(help="The experiment's name.", show_default=False)],
    store: StoreName = "default",
    form: Annotated[Format, typer.Option("--format", help="How to print them.")] = Format.TABLE,
    distribution: Annotated[
        bool, typer.Option("--distribution", help="Add each test's distribution (json and csv).")
    ] = False,
) -> None:
    """Print the results that an experiment has now.

    Example: `forequake results california --format json`
    """
    from flows._summary import all_rows
    from stores import ResultQuery

    target = store_of(store)
    check_name(target, experiment)
    rows = all_rows(target, ResultQuery(experiment=experiment, limit=10_000))
    if form is Format.TABLE:
        out.print(_table(target, list(rows)))
        note(f"Store: {target.name}")
        return
    objects = (_object(target, row, distribution=distribution) for row in rows)
    if form is Format.JSON:
        print_json(list(objects))
    else:
        _print_csv(objects, distribution=distribution)


def check_name(store: "ResultsStore", name: str) -> None:
    """Refuse an experiment that the store does not have.

    Raises
    ------
    InputError
        With the nearest name and all that there are.
    """
    names = [summary.name for summary in store.experiments()]
    if name not in names:
        hint = "" if names else "; run one with forequake run CONFIG"
        message = f"{store.name}: {unknown('experiment', name, names)}{hint}"
        raise InputError(message)


def _object(store: "ResultsStore", row: "ResultRow", *, distribution: bool) -> dict[str, Any]:
    label = row.label
    fields: dict[str, Any] = {
        "experiment": label.experiment,
        "test": label.test,
        "model": label.model,
        "reference": label.reference,
        "window": label.window.id,
        "start": label.window.start.isoformat(),
        "end": label.window.end.isoformat(),
        "kind": row.kind,
        "evaluation": row.test,
        "statistic": row.statistic,
        "quantiles": {} if row.quantiles is None else row.quantiles.named(),
        "outcome": row.outcome.value,
        "reason": row.reason,
        "alpha": row.alpha,
        "side": row.side.value,
        "n_observed": row.n_observed,
        "n_forecast": row.n_forecast,
        "seed": row.seed,
        "key": row.key,
        "computed_at": row.computed_at.isoformat(),
    }
    if distribution:
        fields["distribution"] = _distribution(store, row)
    return fields


def _distribution(store: "ResultsStore", row: "ResultRow") -> dict[str, Any] | None:
    record: EvaluationRecord = store.get(EvaluationRecord, row.key)
    if record.distribution is None:
        return None
    if not isinstance(record.distribution, SimulatedDistribution):
        return record.distribution.model_dump()
    shown: dict[str, Any] = {"kind": "simulated", "size": record.distribution.size}
    try:
        shown["values"] = list(store.get(DistributionRecord, row.key).values)
    except NotFound:  # the sample may be dropped at any time; its summary stays
        shown["quantiles"] = list(record.distribution.quantiles)
    return shown


def _print_csv(objects: Any, *, distribution: bool) -> None:
    writer: Any = None
    for fields in objects:
        quantiles = fields.pop("quantiles")
        sample = fields.pop("distribution", None)
        flat = fields | {name: quantiles.get(name) for name in _QUANTILES}
        if distribution:
            flat["distribution"] = json.dumps(sample)
        if writer is None:
            writer = csv.DictWriter(sys.stdout, list(flat), lineterminator="\n")
            writer.writeheader()
        writer.writerow(flat)


def _table(store: "ResultsStore", rows: list["ResultRow"]) -> Table:
    from flows._summary import column_name, quantile_text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("window", "test", "model"):
        table.add_column(name, overflow="fold")
    table.add_column("events", justify="right")
    table.add_column("expected", justify="right")
    table.add_column("statistic", justify="right")
    table.add_column("quantiles", overflow="fold")
    table.add_column("outcome")
    for row in rows:
        statistic = "" if row.statistic is None else f"{row.statistic:.6g}"
        table.add_row(
            row.label.window.id,
            column_name(row),
            row.label.model,
            str(row.n_observed),
            f"{row.n_forecast:.4g}",
            statistic,
            quantile_text(store, row) or row.reason or "",
            row.outcome.value.replace("_", " "),
        )
    return table


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
    target = store_of(store)
    if experiment is None:
        _list_experiments(target, as_json=as_json)
        return
    check_name(target, experiment)
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
    for unit in units:
        reason = f": {unit.error.message}" if unit.error else ""
        complain(
            f"{unit.state.value} (attempt {unit.attempts}): {unit.label.test} of {unit.label.model} "
            f"in {unit.label.window.id}{reason}"
        )
    note(f"Store: {target.name}")


def _runs_table(runs: list[RunRecord]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for name in ("run", "started", "took", "state", "computed", "stored already", "failed", "label"):
        table.add_column(name, justify="right" if name in {"run", "took", "computed", "failed"} else "left")
    for run in runs:
        took = "" if run.ended_at is None else f"{(run.ended_at - run.started_at).total_seconds():.1f} s"
        bad = run.counts.failed + run.counts.upstream_failed
        table.add_row(
            str(run.run_no),
            f"{run.started_at:%Y-%m-%d %H:%M:%S}",
            took,
            run.state.value,
            str(run.counts.computed),
            str(run.counts.cached),
            str(bad),
            run.label or "",
        )
    return table


def _list_experiments(store: "ResultsStore", *, as_json: bool) -> None:
    summaries = store.experiments()
    if as_json:
        shown = [summary.model_dump(mode="json") for summary in summaries]
        print_json({"store": store.name, "experiments": shown})
        return
    if not summaries:
        out.print("No experiment yet: forequake run CONFIG")
    else:
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
        for name in ("experiment", "results", "runs", "last run", "state"):
            table.add_column(name, justify="right" if name in {"results", "runs"} else "left")
        for summary in summaries:
            started = f"{summary.last_started_at:%Y-%m-%d %H:%M:%S}" if summary.last_started_at else ""
            state = summary.last_run_state.value if summary.last_run_state else ""
            table.add_row(summary.name, str(summary.n_results), str(summary.n_runs), started, state)
        out.print(table)
    note(f"Store: {store.name}")
