"""``forequake submissions``: what others handed in for an experiment, and what became of it."""

from typing import TYPE_CHECKING, Annotated, Any, Final

import typer
from rich import box
from rich.table import Table

from flows.cli._terminal import (
    ConfigPath,
    JsonFlag,
    StoreName,
    existing_store_of,
    note,
    out,
    print_json,
    store_of,
    words,
)
from forequake.errors import InputError
from forequake.quantities import now

if TYPE_CHECKING:
    from flows._intake import Received
    from forequake.config import LoadedExperiment
    from forequake.seals import Judged

__all__ = ["register"]

#: So many windows without any submission, and names of files that are for no window, are named.
_SHOWN: Final = 5


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("submissions")(submissions)


def submissions(
    config: ConfigPath,
    store: StoreName = "default",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be sealed, and write nothing.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Seal the forecasts that others handed in, and list all that came: taken, late, replaced or refused.

    Runs and ticks of the experiment seal them as well; nothing is computed here.

    Example: `forequake submissions examples/california/config.yml --json`
    """
    from flows._intake import receive
    from forequake.config import SubmissionModel, load_experiment

    loaded = load_experiment(config)
    models = [model for model in loaded.config.models if isinstance(model, SubmissionModel)]
    if not models:
        message = f"{loaded.config.name}: no model of this experiment is a submission (kind: submission)"
        raise InputError(message)
    target = existing_store_of(store) if dry_run else store_of(store)
    found = [receive(target, loaded, model, "try" if dry_run else "take", note) for model in models]
    if as_json:
        print_json({"experiment": loaded.config.name, "models": [_fields(loaded, each) for each in found]})
    else:
        for each in found:
            _show(loaded, each)
    if any(each.trouble is not None for each in found):
        raise typer.Exit(1)


def _judged(received: "Received") -> "list[Judged]":
    from forequake.seals import judge

    found = [found for seals in received.seals.values() for found in judge(seals, received.model.late)]
    return sorted(found, key=lambda each: (each.seal.window.start, each.seal.window.end, each.seal.number))


def _missing(loaded: "LoadedExperiment", received: "Received") -> list[str]:
    """Give the ids of windows that have begun and for which nothing counts."""
    counting = {found.seal.window.id for found in _judged(received) if found.verdict in ("taken", "late")}
    windows = loaded.config.windows
    return [window.id for window in windows if window.start <= now() and window.id not in counting]


def _fields(loaded: "LoadedExperiment", received: "Received") -> dict[str, Any]:
    return {
        "model": received.model.name,
        "came": [
            {
                "window": found.seal.window.id,
                "file": found.seal.name,
                "status": found.verdict.value,
                "reason": found.reason,
                "prospective": found.seal.prospective.value,
                "number": found.seal.number,
                "origin": found.seal.origin,
                "arrived_at": found.seal.arrived_at.isoformat(),
                "sealed_at": found.seal.sealed_at.isoformat(),
                "claims_to_be_of": found.seal.modified_at and found.seal.modified_at.isoformat(),
                "sha256": found.seal.content,
                "size": found.seal.size,
                "new": found.seal in received.new,
            }
            for found in _judged(received)
        ],
        "not_taken": [
            {"window": window, "file": name, "status": "refused", "reason": reason}
            for window, (name, reason) in received.look.refused.items()
        ],
        "being_written": received.arriving,
        "for_no_window": received.look.strangers,
        "missing": _missing(loaded, received),
        "trouble": received.trouble,
    }


def _show(loaded: "LoadedExperiment", received: "Received") -> None:
    model = received.model
    out.print(f"[bold]{model.name}[/]")
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in ("window", "sealed at (UTC)", "status"):
        table.add_column(column, no_wrap=column != "status")
    table.add_column("file, and the reason", overflow="fold")
    for found in _judged(received):
        seal = found.seal
        status = found.verdict.value
        if status == "late" and seal.prospective.value != "late":
            status = f"late ({seal.prospective.value})"
        reason = "" if found.reason is None else f": {found.reason}"
        table.add_row(seal.window.id, f"{seal.sealed_at:%Y-%m-%d %H:%M:%S}", status, f"{seal.name}{reason}")
    for window, (_, reason) in received.look.refused.items():
        table.add_row(window, "", "refused", reason)
    if table.row_count:
        out.print(table)
    if received.arriving:
        out.print(f"Still being written: {words(received.arriving, _SHOWN)}")
    if received.look.strangers:
        out.print(f"For no window of the experiment: {words(received.look.strangers, _SHOWN)}")
        if loaded.config.windows:
            out.print(f"Expected are names such as {_example(loaded, received)}")
    missing = _missing(loaded, received)
    if missing:
        out.print(f"Missing for {len(missing)} windows that have begun: {words(missing, _SHOWN)}")
    if received.trouble is not None:
        note(received.trouble)


def _example(loaded: "LoadedExperiment", received: "Received") -> str:
    window = loaded.config.windows[-1]
    return received.model.file_names(window, alone=window.id in loaded.config.alone_on_their_dates)[-1]
