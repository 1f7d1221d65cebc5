"""``forequake report``: an experiment's results as one file for people who have no store."""

import time
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

from flows.cli._terminal import ModelNames, StoreName, TestNames, bytes_words, known_experiment, note, out

__all__ = ["register"]


class Format(StrEnum):
    """What a report is written as."""

    HTML = "html"
    MARKDOWN = "md"


def register(app: typer.Typer) -> None:
    """Add the command of this module."""
    app.command("report")(report)


def report(
    experiment: Annotated[str, typer.Argument(help="The experiment's name.", show_default=False)],
    output: Annotated[
        Path,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="The report's file, .html or .md; or a folder, where it gets the experiment's name.",
        ),
    ] = Path(),
    store: StoreName = "default",
    form: Annotated[
        Format | None, typer.Option("--format", help="How to write it; else as the file's ending says.")
    ] = None,
    window: Annotated[
        str | None, typer.Option("--window", metavar="ID", help="Of this one window; else of all.")
    ] = None,
    models: ModelNames = [],  # noqa: B006
    tests: TestNames = [],  # noqa: B006
    against: Annotated[
        str | None,
        typer.Option(
            "--against",
            metavar="EXPERIMENT",
            help="Compare with another experiment; else with what stood before the latest run.",
        ),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Replace a file that is no report.")] = False,
) -> None:
    """Write an experiment's results into one file: figures, tables, and how they are decided.

    The HTML form holds all it needs, asks no other host for anything, and can be printed.

    Example: `forequake report california -o california.html`
    """
    from dashboard.report import Choice, Form, report_file, write_report

    target = known_experiment(store, experiment)
    asked = None if form is None else Form(form.value)
    path = report_file(output, experiment, asked)
    begun = time.monotonic()
    size = write_report(
        target,
        experiment,
        path,
        form=asked,
        choice=Choice(window=window, models=tuple(models), tests=tuple(tests), against=against),
        force=force,
        progress=lambda title: note(f"  {title}"),
    )
    out.print(f"{path}: {bytes_words(size)}, in {time.monotonic() - begun:.1f} s")
