"""Forecasts of functions in an experiment: the example of the docs, and what makes another forecast."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from forequake.config import load_experiment
from forequake.errors import ModelFailed
from forequake.experiments import Experiment
from forequake.forecasts.catalog_based import CatalogForecast, catalogs_from_file
from forequake.forecasts.gridded import rates_from_file
from forequake.model_runs import Watch
from forequake.resolution import resolve
from forequake.results import CatalogForecastRecord, ForecastRecord
from forequake.run_status import RunStatus
from forequake.steps import make_forecasts

pytestmark = pytest.mark.slow

DOCS = (Path(__file__).parents[2] / "docs" / "models.md").read_text(encoding="utf-8")
#: Five events: one long ago, two and one in the two cells in the year before the second window, one later.
CATALOG = """\
lon,lat,mag,time_string,depth,cat_id,event_id
0.5,0.5,5.0,1998-06-01T00:00:00,10,0,a
0.5,0.5,5.1,2000-03-01T00:00:00,10,0,b
0.5,0.5,5.0,2000-08-01T00:00:00,10,0,c
1.5,0.5,5.2,2000-12-31T23:59:59,10,0,d
1.5,0.5,5.2,2001-01-01T00:00:00,10,0,e
"""
CONFIG: dict[str, Any] = {
    "name": "functions",
    "seed": 7,
    "time_config": {"start_date": "2000-01-01", "end_date": "2002-01-01", "horizon": "1 years"},
    "region_config": {"region": "region.txt", "mag_min": 5.0, "mag_max": 5.2, "mag_bin": 0.1},
    "catalog": "catalog.csep",
}
Resolve = Callable[..., Experiment]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "region.txt").write_text("0 0\n1 0\n")
    (tmp_path / "catalog.csep").write_text(CATALOG)
    section = DOCS.partition("## Models that are functions")[2]
    (tmp_path / "my_model.py").write_text(re.findall(r"```python\n(.*?)```", section, re.DOTALL)[0])
    entries = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", section, re.DOTALL)[0])
    (tmp_path / "example.yml").write_text(yaml.safe_dump(entries))
    return tmp_path


def _resolved(folder: Path, number: int, **changes: Any) -> Experiment:
    """Resolve an experiment with one model of the docs' two, with some keys changed."""
    entry = yaml.safe_load((folder / "example.yml").read_text())[number]
    ((name, keys),) = entry.items()
    top = {key: changes.pop(key) for key in list(changes) if key in CONFIG}
    test = "poisson_evaluations" if keys["forecast_type"] == "gridded" else "catalog_evaluations"
    tests = [{"N": {"func": f"{test}.number_test"}}]
    config = CONFIG | top | {"models": [{name: keys | changes}], "tests": tests}
    (folder / "config.yml").write_text(yaml.safe_dump(config))
    return resolve(load_experiment(folder))


def _record(folder: Path, experiment: Experiment, window: int) -> tuple[Any, Any]:
    (model,) = experiment.config.models
    made = make_forecasts(
        load_experiment(folder), experiment, model.name, [experiment.config.windows[window]]
    )
    return made.records[0], made.open()


def test_the_example_gives_what_a_calculation_by_hand_gives(folder: Path) -> None:
    experiment = _resolved(folder, 0)
    record, blob = _record(folder, experiment, 1)
    assert isinstance(record, ForecastRecord)
    with blob:
        rates = rates_from_file(blob)
    # In the 365 days before 2001 two events in one cell and one in the other; half an event more in each.
    shares = [1 - 10**-0.09, 10**-0.09 - 10**-0.18, 10**-0.18]
    assert rates == pytest.approx(np.outer([2.5, 1.5], shares), rel=1e-12)
    assert record.total == pytest.approx(4.0)
    assert record.run is not None
    assert record.run.command == ("my_model.py:forecast",)
    assert (record.run.n_input_events, record.source) == (4, "my_model.py")


def test_the_example_simulates_as_many_events_as_it_expects(folder: Path) -> None:
    experiment = _resolved(folder, 1)
    record, blob = _record(folder, experiment, 1)
    assert isinstance(record, CatalogForecastRecord)
    assert (record.n_catalogs, record.n_counted) == (10_000, record.n_events)
    with blob:
        forecast: CatalogForecast = catalogs_from_file(blob, record.catalogs.sha256)
    counted = forecast.within(region=experiment.region, magnitudes=experiment.magnitudes)
    shares = np.array([1 - 10**-0.1, 10**-0.1 - 10**-0.2, 10**-0.2])
    expected = np.outer([2.5, 1.5], shares)
    # Poisson numbers of events: five standard errors of the mean of 10,000 catalogs.
    assert (np.abs(counted.expected_rates() - expected) < 5 * np.sqrt(expected / 10_000)).all()


def _keys(folder: Path, number: int = 0, **changes: Any) -> list[str]:
    experiment = _resolved(folder, number, **changes)
    (model,) = experiment.config.models
    return [
        experiment.inputs.forecasts[model.name][window.id].content for window in experiment.config.windows
    ]


def test_another_forecast_is_one_that_may_differ(folder: Path) -> None:
    before = _keys(folder)
    assert _keys(folder) == before
    (folder / "beside.py").write_text("x = 1\n")  # no part of the model
    assert _keys(folder) == before
    for changes in (
        {"func_kwargs": {"b": 0.8}},
        {"seed": 8},
        {"region_config": CONFIG["region_config"] | {"mag_max": 5.3}},
        {"region_config": CONFIG["region_config"] | {"depth_max": 30}},
    ):
        assert not set(_keys(folder, **changes)) & set(before), changes
    (folder / "catalog.csep").write_text(CATALOG.replace("2000-03-01", "2000-03-02"))
    first, second = _keys(folder)
    assert first == before[0]  # its past is the same
    assert second != before[1]
    (folder / "catalog.csep").write_text(CATALOG)
    (folder / "my_model.py").write_text((folder / "my_model.py").read_text() + "\n# other\n")
    assert not set(_keys(folder)) & set(before)
    assert not set(_keys(folder, 1)) & set(_keys(folder, 1, n_sims=500))


def test_a_function_that_changes_after_the_experiment_was_read_is_not_called(folder: Path) -> None:
    experiment = _resolved(folder, 0)
    with (folder / "my_model.py").open("a") as file:
        file.write("\nraise RuntimeError\n")
    with pytest.raises(Exception, match="changed; run again"):
        _record(folder, experiment, 0)


def test_a_failure_names_model_window_and_line(folder: Path) -> None:
    text = (folder / "my_model.py").read_text().replace("    expected = forecast", "    expected = forecst")
    (folder / "my_model.py").write_text(text)
    with pytest.raises(ModelFailed) as failure:
        _record(folder, _resolved(folder, 1), 0)
    message = str(failure.value)
    assert (
        "window 2000-01-01T00:00:00Z_2001-01-01T00:00:00Z: my_model.py:simulate raised NameError" in message
    )
    assert "my_model.py:14, in simulate: expected = forecst(given, b=b).sum(axis=1)" in message


def test_how_far_it_is_is_told_while_it_runs(folder: Path) -> None:
    (folder / "my_model.py").write_text(
        "import numpy as np\n\n\ndef forecast(given, *, b, progress):\n"
        "    progress(0.4, step='fit of b\\n')\n    progress(1)\n"
        "    return np.ones((len(given.cells), len(given.magnitudes)))\n"
    )
    experiment = _resolved(folder, 0)
    told: list[RunStatus] = []
    make_forecasts(
        load_experiment(folder),
        experiment,
        "last-year",
        [experiment.config.windows[0]],
        Watch(show=told.append),
    )
    assert (told[-1].share, told[-1].step) == (1.0, "")
    assert {(status.share, status.step) for status in told} <= {(0.4, "fit of b"), (1.0, "")}
