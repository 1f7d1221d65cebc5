"""What pages read of forecasts and events, against the numbers that tests stored."""

from collections.abc import Iterator

import numpy as np
import pytest
import streamlit as st

from dashboard import _inputs
from forequake.errors import NotFound
from stores import ResultQuery, open_store
from tests.conftest import CaliforniaRun

pytestmark = pytest.mark.slow  # a run of the example is behind it


@pytest.fixture(autouse=True)
def _nothing_remembered() -> Iterator[None]:
    st.cache_resource.clear()
    yield
    st.cache_resource.clear()


def test_a_forecasts_sums_are_what_the_tests_took(california: CaliforniaRun) -> None:
    store = open_store(california.store_url)
    (summary,) = store.experiments()
    rows = store.latest(ResultQuery(experiment=summary.name, tests=("N",))).rows
    for row in rows:
        window = row.label.window
        sums = _inputs.forecast_sums(california.store_url, summary.record_key, row.label.model, window)
        assert sums.total == pytest.approx(row.n_forecast, rel=1e-12)
        assert sums.per_pixel.sum() == pytest.approx(row.n_forecast, rel=1e-12)
        assert len(_inputs.observed(california.store_url, summary.record_key, window)) == row.n_observed
        assert len(sums.at_events) == row.n_observed
        assert np.all(sums.at_events > 0)


def test_the_rates_at_events_give_the_likelihood_gain_of_the_t_test(california: CaliforniaRun) -> None:
    store = open_store(california.store_url)
    (summary,) = store.experiments()
    rows = store.latest(ResultQuery(experiment=summary.name, tests=("T",))).rows
    row = next(row for row in rows if row.label.model == "aftershock")
    window = row.label.window
    ours = _inputs.forecast_sums(california.store_url, summary.record_key, "aftershock", window)
    theirs = _inputs.forecast_sums(california.store_url, summary.record_key, "mainshock", window)
    gain = np.log(ours.at_events / theirs.at_events).mean() - (ours.total - theirs.total) / row.n_observed
    assert gain == pytest.approx(row.information_gain, rel=1e-9)
    assert gain == pytest.approx(0.5124878211, abs=1e-9)  # from pyCSEP


def test_a_higher_magnitude_leaves_fewer_events_expected(california: CaliforniaRun) -> None:
    store = open_store(california.store_url)
    (summary,) = store.experiments()
    row = store.latest(ResultQuery(experiment=summary.name, tests=("N",))).rows[0]
    place = (california.store_url, summary.record_key, row.label.model, row.label.window)
    whole = _inputs.forecast_sums(*place)
    part = _inputs.forecast_sums(*place, from_bin=10)
    assert part.per_pixel.sum() == pytest.approx(whole.per_bin[10:].sum(), rel=1e-12)


def test_a_store_without_the_inputs_says_so(one_week: str) -> None:
    (summary,) = open_store(one_week).experiments()
    with pytest.raises(NotFound):
        _inputs.experiment(one_week, summary.record_key)
