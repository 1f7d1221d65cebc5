"""Runs with a model that has a forecast for each window: some there, some late, some broken."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forequake.results import UnitState
from stores import ResultQuery
from tests.flows.conftest import table_of

pytestmark = pytest.mark.prefect

Make = Callable[..., Any]


def _with_yearly_model(experiment: Any, **keys: str) -> Path:
    """Add a time-dependent model; give the folder of its forecasts."""
    config: Path = experiment.config
    more = "".join(f", {key}: {value}" for key, value in keys.items())
    entry = f"- yearly: {{path: models/yearly, class: td, forecast_type: gridded{more}}}\n"
    text = config.read_text().replace("models:\n", f"models:\n{entry}")
    config.write_text(re.sub("intervals: [0-9]+", "horizon: 1 years", text))
    forecasts = config.parent / "models" / "yearly" / "forecasts"
    forecasts.mkdir(parents=True)
    return forecasts


def _expected(experiment: Any) -> dict[int, float]:
    """Give the events that the yearly model expects, by the year of the window."""
    rows = experiment.open().latest(ResultQuery(experiment="small", limit=1000)).rows
    return {
        row.label.window.start.year: row.n_forecast
        for row in rows
        if row.label.model == "yearly" and row.test == "poisson_number"
    }


def test_each_window_has_its_own_forecast(prefect_api: str, make_experiment: Make) -> None:
    small = make_experiment()
    forecasts = _with_yearly_model(small)
    (forecasts / "yearly_2000-01-01_2001-01-01.csv").write_text(table_of(3.0, 1.0))
    (forecasts / "yearly_2001-01-01_2002-01-01.csv").write_text(table_of(0.5, 0.5))
    code, out, err = small.run()
    assert code == 0, out + err
    # Rates of a window are taken as they are: a year of 366 days changes nothing.
    assert _expected(small) == {2000: pytest.approx(4 * 1.75), 2001: pytest.approx(1.75)}


def test_a_forecast_in_days_is_scaled_to_its_window(prefect_api: str, make_experiment: Make) -> None:
    small = make_experiment(windows=1)
    forecasts = _with_yearly_model(small, forecast_unit="1")
    (forecasts / "yearly_2000-01-01_2001-01-01.csv").write_text(table_of(0.01, 0.01))
    code, out, err = small.run()
    assert code == 0, out + err
    assert _expected(small) == {2000: pytest.approx(366 * 0.02 * 1.75)}


def test_a_forecast_that_is_not_there_holds_up_no_other(prefect_api: str, make_experiment: Make) -> None:
    small = make_experiment(windows=3)
    forecasts = _with_yearly_model(small)
    (forecasts / "yearly_2000-01-01_2001-01-01.csv").write_text(table_of(3.0, 1.0))
    (forecasts / "yearly_2001-01-01_2002-01-01.csv").write_text("nonsense\n")
    code, out, err = small.run()
    assert code == 1
    assert "there is no forecast of model 'yearly' for this window" in err
    assert "models/yearly/forecasts/yearly_2002-01-01_2003-01-01.csv" in err.replace("\n", "")
    assert "yearly_2001-01-01_2002-01-01.csv:1: there is no column lon_min" in err.replace("\n", "")
    assert list(_expected(small)) == [2000]
    assert {unit.state for unit in small.open().units("small")} == {UnitState.UPSTREAM_FAILED}

    for year in (2001, 2002):
        (forecasts / f"yearly_{year}-01-01_{year + 1}-01-01.csv").write_text(table_of(0.75, 0.5))
    code, out, err = small.run()
    assert code == 0, out + err
    assert list(_expected(small)) == [2000, 2001, 2002]
    assert small.open().units("small") == []
    assert small.open().runs("small")[0].counts.computed == 6  # N, CL and T of two windows


def test_models_are_compared_with_each_other_also_where_one_has_no_forecast(
    prefect_api: str, make_experiment: Make
) -> None:
    small = make_experiment(windows=1)
    forecasts = _with_yearly_model(small)
    (forecasts / "yearly_2000-01-01_2001-01-01.csv").write_text("nonsense\n")
    small.config.write_text(small.config.read_text() + "- all: {func: batch T/W}\n")
    assert small.run()[0] == 1
    rows = small.open().latest(ResultQuery(experiment="small")).rows
    compared = {(row.label.model, row.label.reference) for row in rows if row.label.test == "all"}
    assert compared == {("flat", "west"), ("west", "flat")}
    assert small.run()[0] == 1
    assert small.open().runs("small")[0].counts.computed == 0


def test_windows_to_come_are_waited_for(prefect_api: str, make_experiment: Make) -> None:
    small = make_experiment(windows=1)
    forecasts = _with_yearly_model(small)
    (forecasts / "yearly_2000-01-01_2001-01-01.csv").write_text(table_of(3.0, 1.0))
    text = small.config.read_text()
    windows = "[[2000-01-01, 2001-01-01], [2999-01-01, 3000-01-01]]"
    lines = [
        f"time_config: {{time_windows: {windows}}}" if line.startswith("time_config") else line
        for line in text.splitlines()
    ]
    small.config.write_text("\n".join(lines) + "\n")
    code, out, err = small.run()
    assert code == 0, out + err
    # Also those of the other model, whose forecast is there: no event before 2999 speaks against it.
    assert "results wait for windows that have not ended" in out
    rows = small.open().latest(ResultQuery(experiment="small")).rows
    assert {row.label.window.start.year for row in rows} == {2000}
    assert small.open().units("small") == []
