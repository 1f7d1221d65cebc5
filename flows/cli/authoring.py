"""``forequake init`` and ``forequake schema``: to begin an experiment, and to write its files with help."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from flows.cli._terminal import note, out, print_json

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands of this module."""
    app.command("init")(init)
    app.command("schema")(schema)


def init(
    folder: Annotated[Path, typer.Argument(help="A new or empty folder.", show_default=False)],
) -> None:
    """Write an experiment to begin from, with comments; it runs as it is.

    Its data come with pycsep. A folder that holds something is refused.

    Example: `forequake init my_experiment`
    """
    from forequake.config.starting_point import write_starting_point

    for file in write_starting_point(folder):
        out.print(str(file), markup=False)
    note(f"Next: forequake validate {folder}, forequake run {folder}")


def schema(
    kind: Annotated[
        Literal["experiment", "models", "tests"],
        typer.Option("--kind", help="Of config.yml, or of a file with a list of models or of tests."),
    ] = "experiment",
    page: Annotated[bool, typer.Option("--page", help="Print a page for people instead.")] = False,
) -> None:
    """Print the JSON Schema of an experiment's files, from which editors complete keys and show mistakes.

    Many editors take it from a first line `# yaml-language-server: $schema=experiment.json`.

    Example: `forequake schema --kind models > models.schema.json`
    """
    from forequake.config.schema import file_schema, keys_page

    if page:
        typer.echo(keys_page(), nl=False)
    else:
        print_json(file_schema(kind))
