"""The page of comparisons on real stores: intervals as stored, per window never averaged."""

from functools import partial
from typing import Any

import pytest

from dashboard._words import window_name
from stores import ResultQuery, open_store
from tests.dashboard.conftest import PageOpener
from tests.dashboard.reading import figures, words

pytestmark = pytest.mark.slow  # whole pages, one after another


@pytest.fixture
def page(page: PageOpener) -> PageOpener:
    return partial(page, view="comparison")


@pytest.mark.prefect
def test_the_examples_interval_is_the_stored_one(california: Any, page: PageOpener) -> None:
    (drawn,) = figures(page(california.store_url, experiment="california"))
    (interval,) = (trace for trace in drawn["data"] if trace["name"] == "interval")
    assert [round(end, 3) for end in interval["x"][:2]] == [0.430, 0.595]
    rows = open_store(california.store_url).latest(ResultQuery(experiment="california", tests=("T",))).rows
    stored = sorted((row.interval for row in rows if row.interval is not None), reverse=True)
    assert interval["x"] == [*stored[0], None, *stored[1], None]


def test_windows_without_a_test_of_all_are_listed(many_weeks: str, page: PageOpener) -> None:
    app = page(many_weeks, experiment="weeks")
    (drawn,) = figures(app)
    rows = open_store(many_weeks).latest(ResultQuery(experiment="weeks", tests=("T",))).rows
    marks = {
        slot[0]: x for trace in drawn["data"] for slot, x in zip(trace["customdata"], trace["x"], strict=True)
    }
    assert marks == {row.label.slot: row.information_gain for row in rows if row.information_gain is not None}
    assert "not averaged" in words(app)


def test_one_window_has_its_intervals(many_weeks: str, page: PageOpener) -> None:
    rows = open_store(many_weeks).latest(ResultQuery(experiment="weeks", tests=("T",))).rows
    window = next(row.label.window for row in rows if row.interval is not None)
    app = page(many_weeks, experiment="weeks", window=window_name(window))
    (drawn,) = figures(app)
    here = [row for row in rows if row.label.window == window]
    ends = {end for row in here for end in row.interval or ()}
    traces = {trace["name"]: trace for trace in drawn["data"]}
    assert ends == {end for end in traces["interval"]["x"] if end is not None}
    assert "No W-test has this reference" in words(app)


def test_a_filter_without_comparisons_says_so(many_weeks: str, page: PageOpener) -> None:
    app = page(many_weeks, experiment="weeks", test="N")
    assert not figures(app)
    assert "no comparison" in words(app)
