"""The page of consistency tests on real stores: bars and marks as stored, windows in steps."""

from functools import partial

import pytest
from streamlit.testing.v1 import AppTest

from dashboard._words import window_name
from dashboard.figures.regions import acceptance
from dashboard.launch import APP
from forequake.results import EvaluationRecord
from stores import ResultQuery, open_store
from stores.testing import sample_window
from tests.dashboard.conftest import PageOpener
from tests.dashboard.reading import figures, words

pytestmark = pytest.mark.slow  # whole pages, one after another


@pytest.fixture
def page(page: PageOpener) -> PageOpener:
    return partial(page, view="consistency")


def test_bars_and_marks_are_those_of_the_stored_results(one_week: str, page: PageOpener) -> None:
    app = page(one_week, experiment="week")
    store = open_store(one_week)
    rows = store.latest(ResultQuery(experiment="week")).rows
    drawn = figures(app)
    assert len(drawn) == 5  # N, M, S, L, CL; T and W compare
    seen = 0
    for test, figure in zip(("N", "M", "S", "L", "CL"), drawn, strict=True):
        here = {row.label.slot: row for row in rows if row.label.test == test}
        marks = [
            (slot[0], x)
            for trace in figure["data"]
            for slot, x in zip(trace.get("customdata") or [], trace["x"], strict=False)
            if slot
        ]
        assert {slot for slot, _ in marks} == set(here)
        bars = next(trace for trace in figure["data"] if trace["name"] == "not rejected between")
        for slot, x in marks:
            found = acceptance(store.get(EvaluationRecord, here[slot].key))
            if here[slot].statistic == x and found is not None:
                seen += 1
                assert found.low in bars["x"]
    assert seen > 10


def test_a_filter_leaves_the_tests_of_a_link(many_weeks: str, page: PageOpener) -> None:
    app = page(many_weeks, experiment="weeks", test="N")
    assert len(figures(app)) == 1
    app = page(many_weeks, experiment="weeks", test="T")
    assert not figures(app)
    assert "no consistency test" in words(app)


def test_steps_lead_from_window_to_window(many_weeks: str, page: PageOpener) -> None:
    app = page(many_weeks, experiment="weeks", test="S")
    names = [window_name(sample_window(number)) for number in range(12)]
    assert names[11] in words(app)
    assert "12 of 12" in words(app)
    steps = {button.label: button for button in app.button}
    assert steps["Next window"].disabled
    steps["Previous window"].click().run()
    assert app.selectbox(key="window").value == window_name(sample_window(10))
    assert names[10] in words(app)
    assert app.query_params["window"] == window_name(sample_window(10))


def test_a_result_has_its_files_its_command_and_links(
    one_week: str, monkeypatch: pytest.MonkeyPatch, page: PageOpener
) -> None:
    rows = open_store(one_week).latest(ResultQuery(experiment="week", tests=("S",))).rows
    row = next(row for row in rows if row.statistic is not None)
    monkeypatch.setenv("FOREQUAKE_STORE", one_week)
    app = AppTest.from_file(str(APP), default_timeout=60)
    app.switch_page("views/result.py")
    app.query_params["slot"] = row.label.slot
    app.run()
    assert not app.exception, app.exception
    offered = [button.proto.label for button in app.get("download_button")]
    assert offered[-3:] == [
        "Download this result as JSON",
        "Download pyCSEP's EvaluationResult",
        "Download the figure as HTML",
    ]
    window = row.label.window.id
    command = f"forequake run config.yml --model {row.label.model} --test S --window {window} --force"
    assert command in [code.value for code in app.code]
    next(button for button in app.button if button.label == "This test of all models").click().run()
    assert app.query_params["test"] == "S"
    assert len(figures(app)) == 1
