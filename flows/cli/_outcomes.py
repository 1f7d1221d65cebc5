"""What ``forequake run`` says at its end: the outcomes, what was computed, what failed, what to do next."""

import os
import shlex
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich import box
from rich.markup import escape
from rich.table import Table

from flows.cli._terminal import complain, note, out, print_json
from forequake.results import RunRecord, RunState, UnitRecord
from forequake.wording import count_of

if TYPE_CHECKING:
    from stores import ResultRow, ResultsStore

__all__ = ["show_run"]

#: A run with failures names so many of them; `forequake status` names all.
_SHOWN_FAILURES: Final = 8
#: With more models each of them would have too little room for words.
_MOST_COLUMNS: Final = 4


def show_run(
    store: "ResultsStore",
    run: RunRecord,
    api_url: str,
    *,
    named: str,
    as_json: bool,
    outcomes: "tuple[list[ResultRow], int] | None" = None,
) -> None:
    """Print how a run ended, as tables and words or as JSON.

    Parameters
    ----------
    named
        The store's name as the user gave it.
    outcomes
        What `flows._summary.current_rows` gave for the run's report; None where it has to be read.
    """
    if run.state in {RunState.RUNNING, RunState.CRASHED} and not as_json:
        stored = _results(run.counts.computed)
        out.print(f"The run broke off. What was stored by then is safe ({stored} counted); run again.")
        note(f"Store: {store.name}")
        return
    from flows._outcome_texts import outcome_table
    from flows._summary import current_rows, current_units

    rows, outdated = outcomes or current_rows(store, run.experiment)
    matrix = outcome_table(store, rows)
    bad = current_units(store, run.experiment)
    if as_json:
        print_json(
            {
                "run": run.model_dump(mode="json", exclude={"schema_version", "timings"}),
                "outcomes": matrix,
                "failures": [unit.model_dump(mode="json") for unit in bad],
                "store": store.name,
            }
        )
        return
    if matrix:
        out.print(_matrix_table(matrix, rows, _title(run.experiment, rows)))
        for sentence in _notes(store, run.experiment, rows):
            out.print(sentence)
    if outdated:
        out.print(f"Not shown: {_results(outdated)} of windows, tests or models that it has no more.")
    out.print(_closing_words(run))
    if run.counts.waiting:
        waits = "1 result waits" if run.counts.waiting == 1 else f"{run.counts.waiting} results wait"
        out.print(f"{waits} for windows that have not ended.")
    _show_failures(bad)
    note(f"Store: {store.name}")
    ui = api_url.removesuffix("/api")
    note(f"Prefect: {ui}/runs/flow-run/{run.flow_run_id}")
    note(f"Look at the results: {_dashboard_command(named)}")


def _notes(store: "ResultsStore", experiment: str, rows: list["ResultRow"]) -> list[str]:
    """Say below the table what is undefined and why, and whose numbers others are."""
    from flows._outcome_texts import pycsep_sentence, reason_lines
    from flows._summary import current_config, with_pycsep_numbers
    from forequake.seal_marks import late_words, sealed_statuses

    theirs = pycsep_sentence(rows, with_pycsep_numbers(store, experiment, rows))
    late = late_words(sealed_statuses(store, current_config(store, experiment)))
    marks = [f"Not prospective, {words}." for words in late]
    return [*reason_lines(rows), *marks, *([] if theirs is None else [theirs])]


def _dashboard_command(named: str) -> str:
    """Give the command as this user can type it here; a shown address may lack its password."""
    called = Path(sys.argv[0])
    program = called.name if shutil.which(called.name) else os.path.relpath(called)
    option = "" if named == "default" else f" --store {shlex.quote(named)}"
    return f"{program} dashboard{option}"


def _title(experiment: str, rows: list["ResultRow"]) -> str:
    from flows._outcome_texts import is_over_windows

    events = {row.label.window.id: row.n_observed for row in rows if not is_over_windows(row)}
    count = sum(events.values())
    if len(events) == 1:
        return f"{experiment}, {next(iter(events))}: {count_of(count, 'target event')}"
    events_in_all = f"{count_of(count, 'target event')}, counted window by window"
    return f"{experiment}, {count_of(len(events), 'window')}: {events_in_all}"


def _matrix_table(matrix: list[dict[str, str]], rows: list["ResultRow"], title: str) -> Table:
    """Give the matrix on its side: terminals are narrow, and models have long names.

    Where there are more models than columns fit, each cell has a line of its own.
    """
    from flows._outcome_texts import column_name, is_over_windows

    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD, pad_edge=False)
    of_windows = [row for row in rows if not is_over_windows(row)]
    spanning = {column_name(row) for row in rows} - {column_name(row) for row in of_windows}
    expected = {(row.label.model, row.label.window.id): row.n_forecast for row in of_windows}
    totals = {
        row["model"]: f"{sum(number for (name, _), number in expected.items() if name == row['model']):.4g}"
        for row in matrix
    }
    lines = [("events expected", totals)] + [
        (column, {row["model"]: row.get(column, "") for row in matrix})
        for column in matrix[0]
        if column != "model"
    ]
    wide = len(totals) <= _MOST_COLUMNS
    for heading in ("test", *(totals if wide else ("model", "outcome"))):
        table.add_column(heading, overflow="fold")
    for number, (column, cells) in enumerate(lines):
        if column in spanning and lines[number - 1][0] not in spanning:
            table.add_section()
            table.add_row("[bold]over all windows[/]")
        if wide:
            table.add_row(escape(column), *map(escape, cells.values()))
            continue
        for place, (model, cell) in enumerate((model, cell) for model, cell in cells.items() if cell):
            table.add_row(escape(column) if not place else "", escape(model), escape(cell))
    return table


def _closing_words(run: RunRecord) -> str:
    counts = run.counts
    computed = _results(counts.computed)
    if run.state is RunState.INTERRUPTED:
        return f"Interrupted: {computed} computed, {counts.skipped} left for the next run."
    bad = counts.failed + counts.upstream_failed
    if bad:
        return f"{_results(bad)} failed; {counts.computed} computed, {counts.cached} taken from the store."
    if counts.sealed and not counts.computed:
        return f"{count_of(counts.sealed, 'forecast')} sealed; {counts.cached} results taken from the store."
    if not counts.computed and not counts.cached:
        return "Nothing to compute now."
    if not counts.computed:
        return f"Nothing to compute: all {_results(counts.cached)} were stored already."
    return f"{computed} computed, {counts.cached} taken from the store."


def _results(number: int) -> str:
    return count_of(number, "result")


def _show_failures(units: list[UnitRecord]) -> None:
    reasons: dict[str, list[UnitRecord]] = {}
    for unit in units:
        reasons.setdefault(unit.error.message if unit.error else unit.state.value, []).append(unit)
    for reason, concerned in list(reasons.items())[:_SHOWN_FAILURES]:
        first = concerned[0].label
        more = f" and {len(concerned) - 1} more" if len(concerned) > 1 else ""
        complain(f"{first.test} of {first.model}{more}: {concerned[0].state.value}: {reason}")
    if len(reasons) > _SHOWN_FAILURES:
        more_reasons = f"{len(reasons) - _SHOWN_FAILURES} more reasons"
        complain(f"... and {more_reasons}: forequake status {units[0].label.experiment}")
