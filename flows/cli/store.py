"""``forequake store``: copying, checking and sweeping results stores."""

from datetime import timedelta
from typing import Annotated

import typer

from flows.cli._terminal import JsonFlag, StoreName, existing_store_of, note, out, print_json
from forequake.errors import InputError
from stores import ResultsStore, resolve_store, shown_url

__all__ = ["register"]

store = typer.Typer(help="Results stores: copy, check and sweep them.", no_args_is_help=True)


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
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
    verb = "would be removed" if dry_run else "removed"
    out.print(f"{len(report.removed)} blobs {verb}, {report.bytes_freed} bytes")
    note(f"Store: {target.name}")


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
