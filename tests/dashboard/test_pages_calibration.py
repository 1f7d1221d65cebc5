"""The page of calibration: p and parts of scores of the store's own numbers, words where there are none."""

import json
from functools import partial

import numpy as np
import pytest
from scipy import stats

from forequake.results import TailQuantiles
from stores import ResultQuery, ResultRow, open_store
from tests.dashboard.conftest import PageOpener
from tests.dashboard.reading import words

pytestmark = pytest.mark.slow  # whole pages, one after another


@pytest.fixture
def page(page: PageOpener) -> PageOpener:
    return partial(page, view="calibration")


def rows_of(url: str, test: str, model: str) -> list[ResultRow]:
    query = ResultQuery(experiment="weeks", tests=(test,), models=(model,))
    return list(open_store(url).latest(query).rows)


def test_p_is_that_of_the_stores_quantiles(page: PageOpener, many_weeks: str) -> None:
    app = page(many_weeks, experiment="weeks", pit_values="delta2 as it is")
    table = app.dataframe[0].value
    assert list(table["model"]) == ["alpha", "beta", "gamma"]
    for model, size, p in zip(table["model"], table["windows"], table["p"], strict=True):
        delta2 = [
            row.quantiles.delta2
            for row in rows_of(many_weeks, "N", model)
            if isinstance(row.quantiles, TailQuantiles)
        ]
        assert size == len(delta2)
        shown = float(str(p).replace("−", "-"))
        assert shown == pytest.approx(stats.kstest(delta2, "uniform").pvalue, rel=0.01)
    assert "delta2 is not uniform even where forecasts are right" in words(app)


def test_numbers_of_events_are_randomised_with_a_seed_that_is_said(page: PageOpener, many_weeks: str) -> None:
    app = page(many_weeks, experiment="weeks")
    assert "seed 2009" in words(app)
    table = app.dataframe[0].value
    assert list(table["p"]) != list(table["p of delta2 as it is"])
    other = page(many_weeks, experiment="weeks", pit_test="S")
    assert "seed" not in words(other)


def test_parts_of_the_score_add_up(page: PageOpener, many_weeks: str) -> None:
    app = page(many_weeks, experiment="weeks", pit_part="Numbers of events")
    assert len(app.get("plotly_chart")) == 2
    table = app.dataframe[0].value
    rows = rows_of(many_weeks, "N", "beta")
    scores = [row.n_forecast - row.n_observed * np.log(row.n_forecast) for row in rows]
    beta = table[table["model"] == "beta"].iloc[0]
    assert beta["mean score"] == pytest.approx(np.mean(scores))
    assert beta["mean score"] == pytest.approx(
        beta["miscalibration"] - beta["discrimination"] + beta["uncertainty"]
    )
    assert beta["events"] == sum(row.n_observed for row in rows)
    assert f"{beta['events']} events" in words(app)
    drawn = json.loads(app.get("plotly_chart")[0].proto.spec)
    names = [text for trace in drawn["data"] for text in trace.get("hovertext", [])]
    assert sum("beta" in name for name in names) == 1


def test_few_windows_have_no_p(page: PageOpener, many_weeks: str) -> None:
    app = page(many_weeks, experiment="later")
    assert "Fewer than 5 windows have a result" in words(app)
