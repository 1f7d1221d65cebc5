"""The page of the catalog on a run of the example, and on a store that has results alone."""

from functools import partial
from typing import Any

import numpy as np
import pytest
import streamlit as st

from dashboard.views._catalog_span import SPAN, brushed
from stores import ResultQuery, open_store
from tests.conftest import CaliforniaRun
from tests.dashboard.conftest import PageOpener
from tests.dashboard.reading import figures, words

pytestmark = pytest.mark.slow  # a run of the example is behind it


@pytest.fixture
def page(page: PageOpener) -> PageOpener:
    return partial(page, view="catalog")


def test_events_and_expected_numbers_are_those_of_the_results(
    california: CaliforniaRun, page: PageOpener
) -> None:
    app = page(california.store_url, experiment="california")
    rows = open_store(california.store_url).latest(ResultQuery(experiment="california", tests=("N",))).rows
    over_time, place, frequency, by_magnitude, since = figures(app)
    names = [trace.get("name") for trace in over_time["data"]]
    assert "3 events in the test" in names
    assert "826 events outside of the test" in names
    assert "3 events in the test" in [trace.get("name") for trace in place["data"]]
    assert any("b = " in str(trace.get("name")) for trace in frequency["data"])
    for row in rows:
        expected = f"{row.label.model}: {row.n_forecast:.3g} expected"
        for figure in (by_magnitude, since):
            assert expected in [trace.get("name") for trace in figure["data"]]
    assert by_magnitude["data"][-1]["name"] == "observed: 3 events"
    assert "829 events, of which 3 count in 1 window" in words(app)
    table = app.dataframe[-1].value
    assert len(table) == 829
    assert (table["in the test"] == "yes").sum() == 3
    assert np.all(np.diff(table["magnitude"]) <= 0)


def test_a_span_in_the_address_leaves_its_events(california: CaliforniaRun, page: PageOpener) -> None:
    span = "2019-07-06 04:00 to 2019-07-06 05:00"
    app = page(california.store_url, experiment="california", catalog_span=span)
    table = app.dataframe[-1].value
    hours = table["time (UTC)"].dt.hour
    assert set(hours) == {4}
    assert span in words(app)
    assert "1 in the test" in words(app)


def test_what_is_no_span_is_said(california: CaliforniaRun, page: PageOpener) -> None:
    app = page(california.store_url, experiment="california", catalog_span="yesterday")
    assert "is no span of time" in words(app)
    assert len(app.dataframe[-1].value) == 829


def test_a_quiet_span_says_so(california: CaliforniaRun, page: PageOpener) -> None:
    app = page(california.store_url, experiment="california", catalog_span="2001-01-01 to 2001-01-02")
    assert "No event came in this span" in words(app)
    assert len(figures(app)) == 3  # magnitudes over time, and what is observed and expected


def test_a_store_without_the_catalog_says_so(one_week: str, page: PageOpener) -> None:
    app = page(one_week, experiment="week")
    assert not figures(app)
    assert "catalog" in words(app)


@pytest.mark.parametrize(
    ("ends", "expected"),
    [
        (["2019-07-06 12:00:00.1234", "2019-07-06 10:30"], "2019-07-06 10:30 to 2019-07-06 12:00"),
        ([1562371200000, 1562457600000.4], "2019-07-06 to 2019-07-07"),
        (["2019-07-06 12:00", "2019-07-06 12:00:00.9"], None),
    ],
)
def test_a_brushed_box_becomes_a_span(
    ends: list[Any], expected: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    state: dict[str, Any] = {"figure": {"selection": {"box": [{"x": ends, "y": [0, 1]}]}}}
    monkeypatch.setattr(st, "session_state", state)
    brushed("figure")()
    assert state.get(SPAN) == expected
    state["figure"] = {"selection": {"box": []}}
    brushed("figure")()
    assert state[SPAN] == ""
