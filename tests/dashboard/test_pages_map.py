"""The page of maps on real forecasts: rates, ratio and gains are those that the tests took."""

import base64
import re
import shutil
import sqlite3
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import streamlit as st

from dashboard import _inputs
from forequake.results import ForecastRecord, RegionRecord
from stores import ResultQuery, open_store
from tests.conftest import CaliforniaRun
from tests.dashboard.conftest import PageOpener
from tests.dashboard.reading import figures, words

pytestmark = pytest.mark.slow  # whole pages, and a run of the example behind them


@pytest.fixture
def page(page: PageOpener) -> PageOpener:
    return partial(page, view="map")


def array(packed: dict[str, Any]) -> Any:
    """Unpack an array as figures send it."""
    values = np.frombuffer(base64.b64decode(packed["bdata"]), dtype=packed["dtype"])
    return values.reshape([int(part) for part in packed["shape"].split(",")]) if "shape" in packed else values


def heat(figure: dict[str, Any]) -> Any:
    return array(next(trace for trace in figure["data"] if trace["type"] == "heatmap")["z"])


def test_both_models_stand_side_by_side_in_the_same_colours(
    page: PageOpener, california: CaliforniaRun
) -> None:
    store = open_store(california.store_url)
    (summary,) = store.experiments()
    first, second = figures(page(california.store_url, map_a="uniform", map_b="mainshock"))
    bars = [figure["data"][0] for figure in (first, second)]
    assert (bars[0]["zmin"], bars[0]["zmax"]) == (bars[1]["zmin"], bars[1]["zmax"])
    rows = store.latest(ResultQuery(experiment=summary.name, tests=("N",))).rows
    expected = {row.label.model: row.n_forecast for row in rows}
    for figure, model in ((first, "uniform"), (second, "mainshock")):
        assert np.nansum(10 ** heat(figure).astype(np.float64)) == pytest.approx(expected[model], rel=1e-5)
        names = [trace.get("name", "") for trace in figure["data"]]
        assert "3 events in the test" in names
        assert {"coast", "region"} <= set(names)


def test_a_higher_magnitude_leaves_less_and_is_said(page: PageOpener, california: CaliforniaRun) -> None:
    whole = page(california.store_url, map_shows="first model", map_a="mainshock")
    part = page(california.store_url, map_shows="first model", map_a="mainshock", map_from="6.95")
    assert np.nansum(10.0 ** heat(figures(part)[0])) < 0.1 * np.nansum(10.0 ** heat(figures(whole)[0]))
    assert "Events from magnitude 6.95 on" in words(part)


def test_the_ratio_is_that_of_the_stored_rates(page: PageOpener, california: CaliforniaRun) -> None:
    app = page(california.store_url, map_shows="ratio", map_a="uniform", map_b="mainshock")
    (summary,) = open_store(california.store_url).experiments()
    found = _inputs.experiment(california.store_url, summary.record_key)
    (window,) = found.config.windows
    sums = [
        _inputs.forecast_sums(california.store_url, summary.record_key, model, window).per_pixel
        for model in ("uniform", "mainshock")
    ]
    inside = _inputs.pixels(california.store_url, summary.record_key).inside
    drawn = heat(figures(app)[0])
    np.testing.assert_allclose(drawn[inside], np.log10(sums[0][inside] / sums[1][inside]), atol=1e-5)


@pytest.mark.parametrize("pair", [("aftershock", "mainshock"), ("mainshock", "uniform")])
def test_the_mean_of_the_gains_is_the_t_tests_information_gain(
    page: PageOpener, california: CaliforniaRun, pair: tuple[str, str]
) -> None:
    app = page(california.store_url, map_shows="gain of events", map_a=pair[0], map_b=pair[1])
    store = open_store(california.store_url)
    rows = store.latest(ResultQuery(experiment=store.experiments()[0].name, tests=("T",))).rows
    gains = {(row.label.model, row.label.reference): row.information_gain for row in rows}
    stored = gains[pair] if pair in gains else -float(gains[pair[::-1]] or 0)
    table = app.dataframe[0].value
    assert table["gain"].mean() == pytest.approx(stored, rel=1e-9)
    assert list(table["gain"]) == sorted(table["gain"], reverse=True)
    said = words(app).replace("−", "-")
    mean, test = re.findall(r"(-?[\d.]+) nats per event\*\*; the test T stored (-?[\d.]+\d)", said)[0]
    assert (float(mean), float(test)) == pytest.approx((stored, stored), rel=1e-3)
    marks = [trace for trace in figures(app)[0]["data"] if trace.get("mode") == "markers"]
    drawn = np.concatenate([array(trace["marker"]["color"]) for trace in marks])
    assert drawn.mean() == pytest.approx(stored, rel=1e-9)


def test_colours_can_be_fixed_and_what_is_not_there_is_named(
    page: PageOpener, california: CaliforniaRun
) -> None:
    app = page(california.store_url, map_colours="fixed for all windows", map_b="mainshok")
    for figure in figures(app):
        assert (figure["data"][0]["zmin"], figure["data"][0]["zmax"]) == (-8.0, 0.0)
    assert "There is no second model 'mainshok'; did you mean 'mainshock'?" in words(app)


def test_a_record_of_another_forequake_has_no_map(page: PageOpener, many_weeks: str) -> None:
    app = page(many_weeks, experiment="weeks")
    assert "does not understand the experiment's record" in words(app)
    assert not app.get("plotly_chart")


def test_windows_are_stepped_through(page: PageOpener, many_weeks: str) -> None:
    app = page(many_weeks, experiment="weeks")
    assert "The latest window with results" in words(app)
    next(button for button in app.button if button.label == "Previous window").click().run()
    assert not app.exception
    assert str(app.selectbox(key="window").value) in words(app)
    assert app.query_params["window"] == app.selectbox(key="window").value


def test_what_the_store_has_no_more_is_said(
    page: PageOpener, california: CaliforniaRun, tmp_path: Path
) -> None:
    path = Path(california.store_url.removeprefix("sqlite:///"))
    with closing(sqlite3.connect(path)) as whole, closing(sqlite3.connect(tmp_path / path.name)) as copy:
        whole.backup(copy)
    blobs = tmp_path / f"{path.name}.blobs"
    shutil.copytree(f"{path}.blobs", blobs)
    url = f"sqlite:///{tmp_path / path.name}"
    store = open_store(url)
    (summary,) = store.experiments()
    found = _inputs.experiment(url, summary.record_key)
    forecast = store.get(ForecastRecord, found.forecast_key("uniform", found.config.windows[0]))
    region = store.get(RegionRecord, found.inputs.region)
    store.close()
    query = {"map_a": "uniform", "map_b": "mainshock"}
    for gone, said, left in (
        (forecast.rates, "The store has no forecast of **uniform** for this window.", 1),
        (region.origins, "not its region or its catalog", 0),
    ):
        with closing(sqlite3.connect(tmp_path / path.name)) as rows, rows:
            rows.execute("DELETE FROM blobs WHERE sha = ?", (gone.sha256,))
        st.cache_resource.clear()
        app = page(url, **query)
        assert said in words(app)
        assert len(figures(app)) == left
