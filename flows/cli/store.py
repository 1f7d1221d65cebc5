"""``forequake store``: copying, checking and sweeping results stores."""

import sys
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn
from rich.table import Table

from flows.cli import store_init
from flows.cli._terminal import (
    JsonFlag,
    StoreName,
    bytes_words,
    complain,
    existing_store_of,
    note,
    out,
    print_json,
    store_of,
)
from forequake.errors import InputError
from stores import ResultsStore, SweepReport, resolve_store, shown_url

if TYPE_CHECKING:
    from stores.copying import CopyReport

__all__ = ["register", "swept_words"]

store = typer.Typer(help="Results stores: copy, check and sweep them.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    store_init.register(store)
    app.add_typer(store, name="store")


@store.command("check")
def check(
    name: StoreName = "default",
    repair: Annotated[
        bool, typer.Option("--repair", help="Build latest rows again where they are wrong.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Read all of a store and look for damage; the exit code is 1 where data are lost or wrong.

    Example: `forequake store check --repair`
    """
    target = _existing(name)
    bad = 0
    findings = []
    for finding in target.check(repair=repair):
        bad += finding.severity == "error" and not finding.repaired
        if as_json:
            findings.append(finding.model_dump(mode="json"))
        else:
            done = ", repaired" if finding.repaired else ""
            out.print(f"{finding.severity}{done}: {finding.message}", markup=False, soft_wrap=True)
    if repair and not bad:
        for summary in target.experiments():
            target.summarise(summary.name)
    if as_json:
        print_json({"store": target.name, "findings": findings})
    else:
        out.print("No data are lost or wrong." if not bad else f"Data are lost or wrong in {bad} places.")
        note(f"Store: {target.name}")
    if bad:
        raise typer.Exit(1)


@store.command("sweep")
def sweep(
    name: StoreName = "default",
    older_than: Annotated[
        float, typer.Option("--older-than", min=0.0, metavar="HOURS", help="Leave what is younger.")
    ] = 24.0,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only tell what would be removed.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Remove blobs that no record refers to, which crashes and revised inputs leave.

    Example: `forequake store sweep --dry-run`
    """
    target = _existing(name)
    report = target.sweep(timedelta(hours=older_than), dry_run=dry_run)
    if as_json:
        print_json({"store": target.name, **report.model_dump(mode="json")})
        return
    out.print(swept_words(report))
    note(f"Store: {target.name}")


@store.command("copy")
def copy(
    source: Annotated[
        str,
        typer.Argument(metavar="SRC", help="The store to copy: a name or an address.", show_default=False),
    ],
    target: Annotated[
        str,
        typer.Argument(metavar="DST", help="Where to: made where it is missing.", show_default=False),
    ],
    no_compare: Annotated[
        bool, typer.Option("--no-compare", help="Do not read both stores again and compare every piece.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Copy all of a store into another, of any kind, and compare the two piece by piece.

    A copy that was cut off goes on when it is started again. Names and addresses are as for --store.

    Example: `forequake store copy default sqlite:///backup.sqlite`
    """
    from stores.copying import copy_store

    resolve_store(target)  # a mistake in it is told before anything is opened
    try:
        origin = _existing(source)
        destination = store_of(target)
        if not as_json:
            note(f"Copying {origin.name} to {destination.name}")
        with _progress() as bar:
            steps: dict[str, TaskID] = {}

            def show(step: str, done: int) -> None:
                if step not in steps:
                    steps[step] = bar.add_task(step, total=None)
                bar.update(steps[step], completed=done)

            report = copy_store(origin, destination, compare=not no_compare, progress=show)
    except KeyboardInterrupt as interrupt:
        complain("Interrupted: what was copied is there, and the same command goes on from it.")
        raise typer.Exit(130) from interrupt
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        _show_copy(report)
    if report.comparison is not None and not report.comparison.equal:
        raise typer.Exit(1)


def swept_words(report: SweepReport) -> str:
    """Say what a sweep removed, or would remove."""
    number = len(report.removed)
    verb = "would be removed" if report.dry_run else "removed"
    return f"{number} blob{'' if number == 1 else 's'} {verb}, {bytes_words(report.bytes_freed)}"


def _progress() -> Progress:
    return Progress(
        SpinnerColumn(finished_text=" "),
        TextColumn("{task.description}"),
        TextColumn("{task.completed:.0f}"),
        TimeElapsedColumn(),
        console=Console(stderr=True, emoji=False),
        transient=True,
        disable=not sys.stderr.isatty(),
    )


def _show_copy(report: "CopyReport") -> None:
    comparison = report.comparison
    compared = {} if comparison is None else comparison.compared
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    table.add_column("")
    table.add_column("copied now", justify="right")
    if comparison is not None:
        table.add_column("compared", justify="right")
    for name in dict.fromkeys([*report.copied, *compared]):
        counts = (report.copied, compared) if comparison is not None else (report.copied,)
        table.add_row(name, *(str(count.get(name, "")) for count in counts))
    out.print(table)
    for experiment in report.running:
        note(f"A run of {experiment} is under way in {report.source}: copy again when it has ended.")
    if comparison is None:
        out.print("Copied, not compared.")
    elif comparison.equal:
        out.print("Every piece is equal in both stores.")
        if comparison.other_circumstances:
            number = comparison.other_circumstances
            out.print(f"The target had computed {number} of the records itself, with equal values.")
    else:
        for named in comparison.named:
            complain(named)
        differing, behind = comparison.differing, comparison.behind
        complain(f"{differing} pieces differ in the target, and {behind} are missing there or as they were.")


def _existing(name: str) -> ResultsStore:
    """Open a store that must be there.

    Raises
    ------
    InputError
        Where there is none at the address; none is made.
    """
    target = existing_store_of(name)
    if target is None:
        message = f"there is no store at {shown_url(resolve_store(name))}"
        raise InputError(message)
    return target
