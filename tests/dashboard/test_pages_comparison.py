"""The page of comparisons on real stores: intervals as stored, per window never averaged."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
import streamlit as st
from streamlit.testing.v1 import AppTest

from dashboard._words import window_name
from dashboard.launch import APP
from stores import ResultQuery, open_store

pytestmark = pytest.mark.slow  # whole pages, one after another


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    st.cache_data.clear()
    st.cache_resource.clear()
    yield
    st.cache_data.clear()
    st.cache_resource.clear()


def opened(store_url: str, monkeypatch: pytest.MonkeyPatch, **query: str | list[str]) -> AppTest:
    monkeypatch.setenv("FOREQUAKE_STORE", store_url)
    app = AppTest.from_file(str(APP), default_timeout=60)
    app.switch_page("views/comparison.py")
    for name, value in query.items():
        app.query_params[name] = value
    app.run()
    assert not app.exception, app.exception
    return app


def figures(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def said(app: Any) -> str:
    kinds = ("markdown", "caption", "info")
    return "\n".join(str(element.value) for kind in kinds for element in app.get(kind))


@pytest.mark.prefect
def test_the_examples_interval_is_the_stored_one(california: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    (drawn,) = figures(opened(california.store_url, monkeypatch, experiment="california"))
    (interval,) = (trace for trace in drawn["data"] if trace["name"] == "interval")
    assert [round(end, 3) for end in interval["x"][:2]] == [0.430, 0.595]
    rows = open_store(california.store_url).latest(ResultQuery(experiment="california", tests=("T",))).rows
    stored = sorted((row.interval for row in rows if row.interval is not None), reverse=True)
    assert interval["x"] == [*stored[0], None, *stored[1], None]


def test_windows_without_a_test_of_all_are_listed(many_weeks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(many_weeks, monkeypatch, experiment="weeks")
    (drawn,) = figures(app)
    rows = open_store(many_weeks).latest(ResultQuery(experiment="weeks", tests=("T",))).rows
    marks = {
        slot[0]: x for trace in drawn["data"] for slot, x in zip(trace["customdata"], trace["x"], strict=True)
    }
    assert marks == {row.label.slot: row.information_gain for row in rows if row.information_gain is not None}
    assert "not averaged" in said(app)


def test_one_window_has_its_intervals(many_weeks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = open_store(many_weeks).latest(ResultQuery(experiment="weeks", tests=("T",))).rows
    window = next(row.label.window for row in rows if row.interval is not None)
    app = opened(many_weeks, monkeypatch, experiment="weeks", window=window_name(window))
    (drawn,) = figures(app)
    here = [row for row in rows if row.label.window == window]
    ends = {end for row in here for end in row.interval or ()}
    traces = {trace["name"]: trace for trace in drawn["data"]}
    assert ends == {end for end in traces["interval"]["x"] if end is not None}
    assert "No W-test has this reference" in said(app)


def test_a_filter_without_comparisons_says_so(many_weeks: str, monkeypatch: pytest.MonkeyPatch) -> None:
    app = opened(many_weeks, monkeypatch, experiment="weeks", test="N")
    assert not figures(app)
    assert "no comparison" in said(app)
