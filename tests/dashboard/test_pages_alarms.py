"""The page of alarm diagrams on real stores: curves and areas as stored, and what it says instead."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard._words import window_name
from dashboard.launch import APP
from forequake.results import EvaluationRecord, Outcome, ScoreRecord
from stores import Binding, ResultQuery, RunRef, open_store
from stores.testing import (
    fill_store,
    sample_experiment,
    sample_label,
    sample_run,
    sample_score,
    sample_window,
)

pytestmark = pytest.mark.slow  # whole pages, one after another


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    st.cache_data.clear()
    st.cache_resource.clear()
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


@pytest.fixture(scope="module")
def alarms(tmp_path_factory: pytest.TempPathFactory) -> str:
    url = f"sqlite:///{tmp_path_factory.mktemp('alarms') / 'results.sqlite'}"
    fill_store(open_store(url), tests=("N", "ROC", "Molchan"), windows=5, experiment="alarms")
    return url


def opened(store_url: str, monkeypatch: pytest.MonkeyPatch, **query: str | list[str]) -> AppTest:
    monkeypatch.setenv("FOREQUAKE_STORE", store_url)
    app = AppTest.from_file(str(APP), default_timeout=60)
    app.switch_page("views/alarms.py")
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def figures(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def said(app: Any) -> str:
    kinds = ("markdown", "caption", "info", "warning", "code")
    return "\n".join(str(element.value) for kind in kinds for element in app.get(kind))


def test_curves_and_areas_are_those_of_the_stored_results(
    alarms: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = open_store(alarms)
    rows = store.latest(ResultQuery(experiment="alarms", tests=("Molchan",))).rows
    place = next(
        n for n in range(5) if any(row.label.window == sample_window(n) for row in rows if row.statistic)
    )
    window = sample_window(place)
    app = opened(
        alarms, monkeypatch, experiment="alarms", alarm_diagram="Molchan", window=window_name(window)
    )
    curves, areas = figures(app)
    drawn = {
        trace["legendgroup"]: trace
        for trace in curves["data"]
        if trace["mode"] == "lines" and trace.get("legendgroup")
    }
    here = [row for row in rows if row.label.window == window and row.statistic is not None]
    assert set(drawn) == {row.label.model for row in here}
    for row in here:
        record = store.get(EvaluationRecord, row.key)
        assert isinstance(record, ScoreRecord)
        assert record.curve is not None
        y = drawn[row.label.model]["y"]
        assert (len(y["bdata"]) if isinstance(y, dict) else len(y)) >= len(record.curve.y)
    models = {trace["name"] for trace in areas["data"] if trace.get("customdata")}
    assert models == {row.label.model for row in rows}


def test_a_window_without_events_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    url = f"sqlite:///{tmp_path / 'quiet.sqlite'}"
    store = open_store(url)
    config, result, label = sample_experiment(), sample_score(1, test="ROC"), sample_label("ROC")
    silent = {"outcome": Outcome.UNDEFINED, "statistic": None, "reason": "no target events"}
    result = result.model_copy(update=silent)
    store.put([config, result])
    run = store.begin_run(sample_run(config))
    ref = RunRef(id=run.id, experiment=run.experiment, run_no=run.run_no)
    store.publish(ref, [Binding(label=label, key=result.key)])
    app = opened(url, monkeypatch)
    assert "ROC is undefined in this window: no target events." in said(app)
    assert not figures(app)


def test_other_experiments_learn_how_to_get_alarm_scores(
    one_week: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = opened(one_week, monkeypatch, experiment="week")
    assert "no alarm scores" in said(app)
    assert "func: roc" in said(app)
    assert not figures(app)
