"""The command line: ``forequake``.

Exit codes: 0 all is done or was done already, 1 something failed and the rest is stored, 2 the user's input
is wrong and nothing was written, 130 interrupted with what was finished stored.
"""

import sys

import typer

from flows.cli import (
    authoring,
    deployments,
    experiment,
    gc,
    qualify,
    report,
    results,
    run,
    schedule,
    service,
    status,
    store,
    submissions,
)
from flows.cli._terminal import complain
from forequake import __version__
from forequake.errors import ForequakeError, InputError, Interrupted

__all__ = ["app", "main"]

app = typer.Typer(
    name="forequake",
    help="Run earthquake-forecasting experiments, store their results, and look at them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    context_settings={"help_option_names": ["-h", "--help"]},
)
authoring.register(app)
experiment.register(app)
qualify.register(app)
run.register(app)
results.register(app)
report.register(app)
status.register(app)
submissions.register(app)
schedule.register(app)
deployments.register(app)
service.register(app)
store.register(app)
gc.register(app)


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"forequake {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: bool = typer.Option(
        False, "--version", callback=_print_version, is_eager=True, help="Print the version and leave."
    ),
) -> None:
    """Run earthquake-forecasting experiments, store their results, and look at them."""


def main() -> None:
    """Run the command line and leave with its exit code; a user's mistake gives no traceback."""
    sys.exit(_run())


def _run() -> int:
    try:
        app()  # ends in SystemExit, with 2 for a word or an option that there is not and 130 for Ctrl-C
    except Interrupted:
        complain("Interrupted.")
        return 130
    except InputError as error:
        complain(str(error))
        return 1 if error.transient else 2  # a service that does not answer is no mistake of the user's
    except ForequakeError as error:
        complain(str(error))
        return 1
    except MemoryError:
        complain("The memory of this machine does not suffice for this experiment.")
        return 1
    return 0
