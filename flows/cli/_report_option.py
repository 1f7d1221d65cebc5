"""The option ``--report`` of the commands that run experiments."""

from pathlib import Path
from typing import Annotated

import typer

__all__ = ["Report", "report_parameter"]

Report = Annotated[
    Path | None,
    typer.Option(
        "--report",
        metavar="FILE",
        help="Write the experiment's report there when a run has ended: .html, .md, or a folder.",
        show_default=False,
    ),
]


def report_parameter(report: Path | None, experiment: str) -> str:
    """Give the option as the flow takes it, which may start in another folder.

    Raises
    ------
    InputError
        Where no report can be written there.
    """
    if report is None:
        return ""
    from dashboard.report import check_place, report_file

    check_place(report_file(report, experiment))
    return str(report.resolve())
