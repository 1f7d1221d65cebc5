"""The page of all windows over time: numbers as the store has them, words where there is nothing to draw."""

import math
from functools import partial

import pytest

from forequake.results import Outcome
from stores import ResultQuery, ResultRow, open_store
from stores.testing import fill_store
from tests.dashboard.conftest import PageOpener
from tests.dashboard.reading import figures, words

pytestmark = pytest.mark.slow  # whole pages, one after another


@pytest.fixture
def page(page: PageOpener) -> PageOpener:
    return partial(page, view="time")


@pytest.fixture(scope="module")
def gains(tmp_path_factory: pytest.TempPathFactory) -> str:
    """Fill a store with scores and tests of nine windows, of which the last lacks some results."""
    url = f"sqlite:///{tmp_path_factory.mktemp('gains') / 'results.sqlite'}"
    store = open_store(url)
    fill_store(store, tests=("N", "S", "IG", "LL"), windows=9, failed=2, experiment="gains")
    fill_store(store, tests=("S",), windows=3, experiment="no scores")
    return url


def rows_of(url: str, test: str) -> list[ResultRow]:
    return list(open_store(url).latest(ResultQuery(experiment="gains", tests=(test,))).rows)


def test_sums_are_those_of_the_stores_scores_over_common_windows(page: PageOpener, gains: str) -> None:
    app = page(gains, experiment="gains")
    rows = rows_of(gains, "IG")
    by_window: dict[str, dict[str, float]] = {}
    for row in rows:
        by_window.setdefault(row.label.window.id, {})[row.label.model] = row.statistic or 0.0
    common = [each for each in by_window.values() if len(each) == 2]
    assert len(common) == 8
    names = {str(trace.get("name")).split("  ")[0]: trace for trace in figures(app)[0]["data"]}
    assert set(names) >= {"beta", "gamma"}
    table = app.dataframe[0].value
    for model in ("beta", "gamma"):
        total = math.fsum(each[model] for each in common)
        ends = table[table["model"] == model]["sum of finite gains"].iloc[-1]
        assert ends == pytest.approx(total)
    assert "8 windows" in words(app)
    assert "1 window left out, since some model has no score there" in words(app)


def test_every_result_has_its_cell_and_the_rest_is_missing(page: PageOpener, gains: str) -> None:
    app = page(gains, experiment="gains", time_test="S")
    cells = {
        (each[0], each[1]): trace["name"]
        for trace in figures(app)[1]["data"]
        if trace["type"] == "scatter"
        for each in trace["customdata"]
        if len(each) == 2
    }
    wording = {"passed": "not rejected"}
    assert len(cells) == 27
    rows = rows_of(gains, "S")
    for row in rows:
        said = wording.get(row.outcome.value, row.outcome.value)
        assert cells[row.label.window.id, row.label.model] == said
    table = next(each.value for each in app.dataframe if "outcome" in each.value)
    assert "0" not in set(table["q"].dropna())
    last = next(each.value for each in app.dataframe if "verdicts" in each.value)
    for model, rejected in zip(last["model"], last["rejected"], strict=True):
        assert rejected == sum(row.outcome is Outcome.REJECTED for row in rows if row.label.model == model)


def test_choices_live_in_the_address(page: PageOpener, gains: str) -> None:
    app = page(gains, experiment="gains", time_score="LL", time_over="gamma", model=["alpha", "gamma"])
    assert app.selectbox(key="time_over").value == "gamma"
    names = [str(trace.get("name")).split("  ")[0] for trace in figures(app)[0]["data"]]
    assert "alpha" in names
    assert "beta" not in names
    rows = {(row.label.model, row.label.window): row.statistic or 0.0 for row in rows_of(gains, "LL")}
    both = {window for model, window in rows if model == "alpha"} & {
        window for model, window in rows if model == "gamma"
    }
    total = math.fsum(rows["alpha", window] - rows["gamma", window] for window in both)
    assert app.dataframe[0].value["sum of finite gains"].iloc[-1] == pytest.approx(total)


def test_without_scores_it_is_said_how_to_get_some(page: PageOpener, gains: str) -> None:
    app = page(gains, experiment="no scores")
    assert "No score of this experiment adds up over windows" in words(app)
    assert len(app.get("plotly_chart")) == 2


def test_an_unknown_choice_in_the_link_is_named(page: PageOpener, gains: str) -> None:
    app = page(gains, experiment="gains", time_test="SS")
    assert "There is no test 'SS'" in words(app)
    assert len(app.get("plotly_chart")) == 3
