"""Reports that runs write when they have ended, and what becomes of runs that cannot write theirs."""

import logging
from pathlib import Path

import pytest

from flows import _report
from flows.cli._report_option import report_parameter
from forequake.errors import InputError
from stores import open_store
from stores.testing import fill_store
from tests.conftest import CaliforniaRun


@pytest.mark.prefect
@pytest.mark.slow
def test_a_run_writes_the_report_that_it_was_asked_for(california: CaliforniaRun) -> None:
    page = california.report.read_text()
    assert "<title>california: results</title>" in page
    assert "run 2, completed" in page
    assert [run.state.value for run in open_store(california.store_url).runs("california")] == [
        "completed"
    ] * 2


def test_a_report_that_cannot_be_written_is_a_line_in_the_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(_report, "get_run_logger", lambda: logging.getLogger("a run"))
    store = open_store(f"sqlite:///{tmp_path / 'results.sqlite'}")
    fill_store(store, models=("alpha",), tests=("N",), windows=1, experiment="week")
    (tmp_path / "mine.md").write_text("# Mine\n")
    for name in ("mine.md", "nowhere/report.html", "report.pdf"):
        _report.make_report(store, str(tmp_path / "config.yml"), name, "week")
    assert caplog.text.count("no report was written: InputError") == 3
    assert (tmp_path / "mine.md").read_text() == "# Mine\n"


def test_a_relative_report_lies_in_the_experiments_folder(tmp_path: Path) -> None:
    (tmp_path / "reports").mkdir()
    for config in (tmp_path, tmp_path / "config.yml"):
        assert _report.report_place(str(config), "a.md", "week") == tmp_path / "a.md"
        assert _report.report_place(str(config), "reports", "week") == tmp_path / "reports" / "week.html"


def test_a_wrong_report_is_told_before_a_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert report_parameter(None, "week") == ""
    assert report_parameter(Path("week.html"), "week") == str(tmp_path / "week.html")
    with pytest.raises(InputError, match="html or"):
        report_parameter(Path("week.pdf"), "week")
