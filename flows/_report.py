"""The report that a run leaves behind: made when its results are stored, and never why it fails."""

from pathlib import Path

from prefect import get_run_logger
from prefect.artifacts import create_link_artifact

from flows._summary import artifact_key
from stores import ResultsStore

__all__ = ["make_report", "report_place"]


def report_place(config: str, report: str, experiment: str) -> Path:
    """Give the file of a run's report: a relative path starts from the experiment's folder."""
    from dashboard.report import report_file

    path = Path(config)
    folder = path if path.is_dir() else path.parent
    return report_file(folder / report, experiment)


def make_report(store: ResultsStore, config: str, report: str, experiment: str) -> None:
    """Write an experiment's report and tell Prefect where it is; what goes wrong is said in the run's log."""
    from dashboard.report import write_report

    log = get_run_logger()
    try:
        path = report_place(config, report, experiment)
        size = write_report(store, experiment, path)
        log.info("report: %s (%.1f MB)", path, size / 1e6)
        create_link_artifact(
            key=artifact_key(experiment).replace("outcomes", "report", 1),
            link=path.resolve().as_uri(),
            link_text=path.name,
            description=f"Report of **{experiment}**, on the machine that ran it: {path}",
        )
    except Exception as error:  # noqa: BLE001  # the results are stored: no report is worth a failed run
        log.warning("no report was written: %s: %s", type(error).__name__, error)
