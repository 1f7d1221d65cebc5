"""``forequake results``: what an experiment has, for people and for programs."""

import csv
import sys
from collections.abc import Mapping
from dataclasses import asdict
from enum import StrEnum
from itertools import groupby
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich import box
from rich.table import Table

from flows.cli._terminal import StoreName, json_text, known_experiment, note, out, print_json
from forequake.errors import NotFound
from forequake.evaluations.power import power_of
from forequake.evaluations.registry import TESTS
from forequake.natural_order import natural
from forequake.results import (
    DistributionRecord,
    EvaluationRecord,
    ScoreRecord,
    SimulatedDistribution,
)
from forequake.wording import count_of

if TYPE_CHECKING:
    from flows._outcome_texts import SpanParts
    from forequake.seal_marks import Statuses
    from stores import ResultRow, ResultsStore

__all__ = ["register"]

_QUANTILES: Final = (
    "delta1",
    "delta2",
    "q",
    "t",
    "t_critical",
    "p",
    "p_adjusted",
    "w_p",
    "w_p_adjusted",
    "family",
)
#: Names of models longer than this take two lines in a terminal that is narrower than that.
_LONG_NAME: Final = 16
_WIDE: Final = 110
#: Fields that hold lists or objects: text in JSON within a CSV file.
_NESTED: Final = ("missing", "power", "curve", "distribution")


class Format(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"
    CSV = "csv"


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("results")(results)


def results(
    experiment: Annotated[str, typer.Argument(help="The experiment's name.", show_default=False)],
    store: StoreName = "default",
    form: Annotated[Format, typer.Option("--format", help="How to print them.")] = Format.TABLE,
    distribution: Annotated[
        bool,
        typer.Option("--distribution", help="Add each test's distribution (json and csv)."),
    ] = False,
    everything: Annotated[
        bool, typer.Option("--all", help="Also of windows, tests and models that the experiment had once.")
    ] = False,
) -> None:
    """Print the results that an experiment has now.

    Example: `forequake results california --format json`
    """
    from flows._outcome_texts import pycsep_sentence
    from flows._summary import all_rows, current_config, current_rows, with_pycsep_numbers
    from forequake.places import incomplete_windows, window_marks
    from forequake.seal_marks import sealed_statuses
    from stores import ResultQuery

    target = known_experiment(store, experiment)
    rows, outdated = current_rows(target, experiment)
    if everything:
        rows, outdated = list(all_rows(target, ResultQuery(experiment=experiment, limit=10_000))), 0
    if outdated:
        others = count_of(outdated, "result")
        note(f"{others} of other windows, tests or models that it had are left out: see --all")
    described = current_config(target, experiment)
    compat = with_pycsep_numbers(target, experiment, rows)
    statuses = sealed_statuses(target, described)
    if form is Format.TABLE:
        _show_table(target, rows, _marks(rows, window_marks(described), statuses))
        if (sentence := pycsep_sentence(rows, compat)) is not None:
            out.print(sentence)
        if described is not None and described.dependent_windows:
            out.print("The windows share time: their results depend on one another.")
        note(f"Store: {target.name}")
        return
    parts = {} if described is None else incomplete_windows(described)
    objects = (
        _object(target, row, distribution=distribution)
        | {
            "incomplete": parts[row.label.window.id].fraction if row.label.window.id in parts else 0.0,
            "compat": "pycsep" if row.key in compat else None,
            "prospective": statuses.get((row.label.model, row.label.window.id)),
            "reference_prospective": statuses.get((row.label.reference or "", row.label.window.id)),
        }
        for row in rows
    )
    if form is Format.JSON:
        print_json(list(objects))
    else:
        _print_csv(objects)


def _marks(rows: list["ResultRow"], marks: Mapping[str, str], statuses: "Statuses") -> dict[str, str]:
    """Add which forecasts came late to what is to be known of windows."""
    from forequake.seal_marks import words_of_window

    late = {row.label.window.id: words_of_window(statuses, row.label.window) for row in rows}
    both = {window: [text for text in (marks.get(window), late.get(window)) if text] for window in late}
    return {**marks, **{window: "; ".join(texts) for window, texts in both.items() if texts}}


def _object(store: "ResultsStore", row: "ResultRow", *, distribution: bool) -> dict[str, Any]:
    label = row.label
    record: EvaluationRecord = store.get(EvaluationRecord, row.key)
    power = power_of(record)
    curve = record.curve if isinstance(record, ScoreRecord) else None
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
        "n_windows": record.n_windows,
        "missing": list(record.missing),
        "power": None if power is None else asdict(power),
        "curve": None if curve is None else curve.model_dump(),
        "seed": row.seed,
        "key": row.key,
        "computed_at": row.computed_at.isoformat(),
    }
    if distribution:
        fields["distribution"] = _distribution(store, record)
    return fields


def _distribution(store: "ResultsStore", record: EvaluationRecord) -> dict[str, Any] | None:
    if record.distribution is None:
        return None
    if not isinstance(record.distribution, SimulatedDistribution):
        return record.distribution.model_dump()
    shown: dict[str, Any] = {"kind": "simulated", "size": record.distribution.size}
    try:
        shown["values"] = list(store.get(DistributionRecord, record.key).values)
    except NotFound:  # the sample may be dropped at any time; its summary stays
        shown["quantiles"] = list(record.distribution.quantiles)
    return shown


def _print_csv(objects: Any) -> None:
    writer: Any = None
    for fields in objects:
        quantiles = fields.pop("quantiles")
        nested = {name: fields.pop(name) for name in _NESTED if name in fields}
        flat = fields | {name: quantiles.get(name) for name in _QUANTILES}
        flat |= {name: json_text(value) if value else None for name, value in nested.items()}
        if writer is None:
            writer = csv.DictWriter(sys.stdout, list(flat), lineterminator="\n")
            writer.writeheader()
        writer.writerow(flat)


def _show_table(store: "ResultsStore", rows: list["ResultRow"], marks: Mapping[str, str]) -> None:
    """Print a table for each window, one for all windows, and once below them sums of scores and reasons."""
    from flows._outcome_texts import is_over_windows, reason_lines, score_sums

    ordered = sorted(rows, key=lambda row: (row.label.window.start, row.label.window.end))
    of_windows = [row for row in ordered if not is_over_windows(row)]
    for window, group in groupby(of_windows, key=lambda row: row.label.window.id):
        found = list(group)
        out.print(f"[bold]{window}[/]: {found[0].n_observed} target events")
        if window in marks:
            out.print(f"Mark: {marks[window]}.")
        out.print(_window_table(store, found))
    _show_over_windows(store, [row for row in ordered if is_over_windows(row)])
    for line in (*score_sums(rows), *reason_lines(rows)):
        out.print(line)


def _show_over_windows(store: "ResultsStore", rows: list["ResultRow"]) -> None:
    """Print the results over all windows, those of the same windows together, and name what is missing."""
    from flows._outcome_texts import over_windows_text, span_parts

    alike: dict[tuple[str, SpanParts], list[ResultRow]] = {}
    for row in rows:
        alike.setdefault((row.label.window.id, span_parts(store, row)), []).append(row)
    for (span, parts), found in alike.items():
        named = f": {', '.join(parts[1])}" if parts[1] else ""
        out.print(f"[bold]{over_windows_text(parts)}[/]{named}")
        out.print(f"in {span}: {found[0].n_observed} target events")
        out.print(_window_table(store, found))


def _shown(model: str) -> str:
    """Give a model's name, that of a variant in two lines where there is no room for one."""
    entry, at, suffix = model.rpartition("@")
    return f"{entry}@\n{suffix}" if at and len(model) > _LONG_NAME and out.width < _WIDE else model


def _window_table(store: "ResultsStore", rows: list["ResultRow"]) -> Table:
    from flows._outcome_texts import column_name, is_against_all, pairs_text, quantile_text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("test", overflow="fold")
    table.add_column("model", overflow="fold")
    table.add_column("expected", justify="right", no_wrap=True)
    table.add_column("statistic", justify="right", no_wrap=True)
    table.add_column("quantiles", overflow="fold")
    table.add_column("outcome", overflow="fold")
    order = {name: number for number, name in enumerate(TESTS)}
    pairs: dict[tuple[str, str], list[ResultRow]] = {}
    for row in rows:
        if is_against_all(row):
            pairs.setdefault((row.label.test, row.label.model), []).append(row)
    for row in sorted(
        rows, key=lambda row: (order.get(row.test, len(order)), column_name(row), natural(row.label.model))
    ):
        statistic = "" if row.statistic is None else f"{row.statistic:.5g}"
        outcome, numbers = row.outcome.value.replace("_", " "), quantile_text(store, row)
        if is_against_all(row):  # one line for all pairs of a model
            found = pairs.pop((row.label.test, row.label.model), None)
            if found is None:
                continue
            statistic, numbers, outcome = "", "", pairs_text(found)
        table.add_row(
            column_name(row), _shown(row.label.model), f"{row.n_forecast:.4g}", statistic, numbers, outcome
        )
    return table
