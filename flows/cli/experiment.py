"""``forequake validate`` and ``forequake plan``: what an experiment's files say, before anything runs."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich import box
from rich.table import Table

from flows.cli._terminal import (
    ConfigPath,
    JsonFlag,
    StoreName,
    complain,
    existing_store_of,
    note,
    out,
    print_json,
    words,
)
from forequake.errors import InputError
from forequake.quantities import now
from forequake.results import EvaluationRecord, QualityFinding, UnitState
from forequake.wording import count_of
from stores import resolve_store, shown_url

if TYPE_CHECKING:
    from forequake.plan import Plan
    from forequake.results import Label

__all__ = ["register"]

#: So many mistakes in forecasts, and so many forecasts that are not there, are told one by one.
_SHOWN_ERRORS = 20
_SHOWN_REASONS = 5
#: So many windows' marks are told one by one.
_SHOWN_MARKS = 20


@dataclass(frozen=True)
class _ModelCheck:
    """What was found in a model's forecasts.

    Attributes
    ----------
    total
        Events expected in the first of them.
    lacking, to_make
        Ids of the windows that have none, and of those whose forecast its program makes in a run.
    """

    name: str
    total: float | None
    findings: tuple[QualityFinding, ...]
    errors: tuple[str, ...]
    lacking: tuple[str, ...]
    to_make: tuple[str, ...]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("validate")(validate)
    app.command("plan")(plan)


def validate(config: ConfigPath, as_json: JsonFlag = False) -> None:
    """Check an experiment's files, all of them, and say what is wrong.

    Reads the configuration, the region, the catalog and every forecast; writes nothing.

    Example: `forequake validate examples/california/config.yml`
    """
    from flows._preparation import prepare
    from forequake.places import incomplete_windows

    loaded, experiment = prepare(str(config), note)
    checks = [_check_model(loaded, experiment, model.name) for model in experiment.config.models]
    windows = experiment.config.windows
    observed = [len(experiment.observed(window)[0]) for window in windows]
    wrong = [error for check in checks for error in check.errors]
    parts = incomplete_windows(experiment.config)
    if as_json:
        print_json(
            {
                "experiment": experiment.name,
                "valid": not wrong,
                "windows": [
                    {
                        "id": window.id,
                        "events": count,
                        "incomplete": parts[window.id].fraction if window.id in parts else 0.0,
                    }
                    for window, count in zip(windows, observed, strict=True)
                ],
                "class": experiment.config.exp_class,
                "dependent_windows": experiment.config.dependent_windows,
                "models": [
                    {
                        "name": check.name,
                        "events_expected_in_first_window": check.total,
                        "findings": [finding.model_dump() for finding in check.findings],
                        "error": "\n".join(check.errors) or None,
                        "windows_without_forecast": list(check.lacking),
                        "windows_that_its_program_forecasts": list(check.to_make),
                    }
                    for check in checks
                ],
                "notes": [*loaded.notes, *experiment.notes],
                "unused": list(experiment.config.unused),
            }
        )
    else:
        _show_validation(loaded, experiment, checks, observed)
    if wrong:
        if not as_json:
            for error in wrong[:_SHOWN_ERRORS]:
                complain(error)
            if len(wrong) > _SHOWN_ERRORS:
                complain(f"... and {len(wrong) - _SHOWN_ERRORS} more")
        raise typer.Exit(2)


def _check_model(loaded: Any, experiment: Any, name: str) -> _ModelCheck:
    """Read every forecast of a model that is there, each file once; no program runs."""
    from forequake.models.programs import MAKERS
    from forequake.steps import make_forecasts, windows_by_source

    total = None
    findings: dict[QualityFinding, None] = {}
    errors = [f"model {name!r}: {experiment.troubles[name]}"] if name in experiment.troubles else []
    lacking: list[str] = []
    to_make: list[str] = []
    for windows in windows_by_source(experiment, name, experiment.config.windows):
        source = experiment.source(name, windows[0])
        if source is None or source.reader in MAKERS:
            (lacking if source is None else to_make).extend(window.id for window in windows)
            continue
        try:
            records = make_forecasts(loaded, experiment, name, windows).records
        except InputError as error:
            errors.append(str(error))
            continue
        total = records[0].total if total is None else total
        findings.update(dict.fromkeys(finding for record in records for finding in record.findings))
    return _ModelCheck(name, total, tuple(findings), tuple(errors), tuple(lacking), tuple(to_make))


def _show_validation(loaded: Any, experiment: Any, checks: list[_ModelCheck], observed: list[int]) -> None:
    from forequake.places import window_marks

    config = experiment.config
    models, tests = count_of(len(config.models), "model"), count_of(len(config.tests), "test")
    out.print(f"[bold]{config.name}[/]: {models}, {tests}")
    out.print(f"Region     {experiment.region.name}, {len(experiment.region)} cells")
    out.print(
        f"Magnitudes {len(config.magnitudes)} bins from {config.magnitudes[0]:g}, the last one open upwards"
    )
    out.print(f"Windows    {len(config.windows)}: {words([window.id for window in config.windows], 3)}")
    out.print(f"Catalog    {len(experiment.events)} events, {sum(observed)} of them count in the windows")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("model", no_wrap=True, overflow="fold")
    table.add_column("events expected in its first window", justify="right")
    table.add_column("findings")
    for check in checks:
        unknown = "unusable" if check.errors else "its program runs" if check.to_make else "no forecast yet"
        total = unknown if check.total is None else f"{check.total:.6g}"
        table.add_row(check.name, total, "; ".join(_grouped(check.findings)))
    out.print(table)
    for line in (*loaded.notes, *experiment.notes):
        note(f"Note: {line}")
    marks = window_marks(config)
    for window, mark in list(marks.items())[:_SHOWN_MARKS]:
        note(f"Note: {window}: {mark}")
    if len(marks) > _SHOWN_MARKS:
        note(f"Note: ... and {count_of(len(marks) - _SHOWN_MARKS, 'more window')} with such marks")
    if still_open := [window.id for window in config.windows if window.end > now()]:
        open_ones = count_of(len(still_open), "window")
        note(f"Note: not ended yet: {open_ones}, whose results wait: {words(still_open, 3)}")
    for check in checks:
        if check.lacking:
            note(
                f"Note: {check.name} has no forecast for {len(check.lacking)} of "
                f"{count_of(len(config.windows), 'window')}: {words(check.lacking, 3)}"
            )
    if config.unused:
        note(f"Accepted but not used: {words(config.unused)}")
    if not any(check.errors for check in checks):
        out.print("All is well.")


def _grouped(findings: Iterable[QualityFinding]) -> list[str]:
    """Say what was found once, however many forecasts it was found in."""
    messages: dict[str, list[str]] = {}
    for finding in findings:
        messages.setdefault(finding.code, []).append(finding.message)
    return [
        found[0] if len(found) == 1 else f"{found[0]} (and {len(found) - 1} more like this)"
        for found in messages.values()
    ]


def plan(
    config: ConfigPath,
    store: StoreName = "default",
    as_json: JsonFlag = False,
    every_unit: Annotated[bool, typer.Option("--units", help="List every result, not only counts.")] = False,
) -> None:
    """Tell what a run would compute, and what the store has already. Writes nothing.

    Example: `forequake plan examples/california/config.yml`
    """
    from flows._preparation import prepare
    from flows._sealed import Sealing
    from forequake.experiments import WINDOW_OPEN
    from forequake.plan import Selection, lacking_forecasts, plan_experiment, result_keys

    target = existing_store_of(store)
    _, experiment = prepare(str(config), note, sealing=Sealing(lambda: target, "try"))
    place = shown_url(resolve_store(store))
    keys = result_keys(experiment, Selection())
    lacking = lacking_forecasts(experiment, Selection())
    known = () if target is None else target.existing(EvaluationRecord, tuple(keys.values()))
    planned = plan_experiment(experiment, keys, known)
    if as_json:
        print_json(
            {
                "experiment": experiment.name,
                "store": place,
                **_plan_fields(planned, lacking),
                **_seal_fields(experiment),
            }
        )
        return
    names = [model.name for model in experiment.config.models]
    out.print(_table_of_units(planned, lacking) if every_unit else _table_of_models(names, planned, lacking))
    _tell_of_seals(experiment)
    waiting = list(lacking.values()).count(WINDOW_OPEN)
    reasons = [reason for reason in dict.fromkeys(lacking.values()) if reason != WINDOW_OPEN]
    for reason in reasons[:_SHOWN_REASONS]:
        note(f"Note: {reason}")
    if len(reasons) > _SHOWN_REASONS:
        note(f"Note: ... and {len(reasons) - _SHOWN_REASONS} more forecasts that are not there")
    if waiting:
        waits = "1 result waits" if waiting == 1 else f"{waiting} results wait"
        note(f"Note: {waits} for windows that have not ended")
    blocks = len(planned.blocks) + len(planned.over_windows)
    out.print(f"{len(planned.due)} of {len(planned.units)} results are due, in {blocks} blocks.")
    note(f"Store: {place}")


def _seal_fields(experiment: Any) -> dict[str, Any]:
    from forequake.ahead import due_ahead

    due, revised = due_ahead(experiment), experiment.revised
    return {
        "forecasts_to_seal": {model: [window.id for window in windows] for model, windows in due.items()},
        "sealed_and_changed_since": {
            model: [window.id for window in windows] for model, windows in revised.items() if windows
        },
    }


def _tell_of_seals(experiment: Any) -> None:
    """Say which forecasts a run makes before their windows end, and which stand though others would come."""
    from forequake.ahead import due_ahead

    for model, windows in due_ahead(experiment).items():
        note(f"Note: {model} makes {count_of(len(windows), 'forecast')} of windows that have not ended")
    for model, windows in experiment.revised.items():
        if windows:
            note(
                f"Note: {count_of(len(windows), 'sealed forecast')} of {model} stand although its "
                "program, or what it learns from, has changed since; forequake run --force-forecasts makes "
                "new ones"
            )


def _plan_fields(planned: "Plan", lacking: Mapping["Label", str]) -> dict[str, Any]:
    return {
        "cached": len(planned.cached),
        "due": len(planned.due),
        "blocks": len(planned.blocks) + len(planned.over_windows),
        "units": [
            {
                **_place_fields(unit.label),
                "state": "cached" if unit.state is UnitState.CACHED else "due",
                "key": unit.key,
            }
            for unit in planned.units
        ],
        "without_forecast": [{**_place_fields(label), "reason": reason} for label, reason in lacking.items()],
    }


def _place_fields(label: "Label") -> dict[str, str | None]:
    return {
        "test": label.test,
        "model": label.model,
        "reference": label.reference,
        "window": label.window.id,
    }


def _table_of_units(planned: "Plan", lacking: Mapping["Label", str]) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("model", "test", "window", "state"):
        table.add_column(column)
    states = {unit.label: "stored" if unit.state is UnitState.CACHED else "due" for unit in planned.units}
    for label, state in (states | _states_without_key(lacking)).items():
        test = label.test if label.reference is None else f"{label.test} vs {label.reference}"
        table.add_row(label.model, test, label.window.id, state)
    return table


def _table_of_models(names: list[str], planned: "Plan", lacking: Mapping["Label", str]) -> Table:
    """Count the results of each model; what stands in the way of some has a column where there is any."""
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("model")
    others = [(label.model, state) for label, state in _states_without_key(lacking).items()]
    columns = list(dict.fromkeys(state for _, state in others))
    for column in ("stored", "due", *columns):
        table.add_column(column, justify="right")
    for name in names:
        states = [unit.state for unit in planned.units if unit.label.model == name]
        stored = states.count(UnitState.CACHED)
        numbers = (stored, len(states) - stored, *(others.count((name, column)) for column in columns))
        table.add_row(name, *(str(number) for number in numbers))
    return table


def _states_without_key(lacking: Mapping["Label", str]) -> dict["Label", str]:
    from forequake.experiments import WINDOW_OPEN

    return {
        label: "waiting" if reason == WINDOW_OPEN else "without forecast" for label, reason in lacking.items()
    }
