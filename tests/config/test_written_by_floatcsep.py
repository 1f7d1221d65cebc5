"""The configuration that floatCSEP writes beside the results of a run says everything twice, and is taken.

It gives functions their full names, lists windows and edges beside the keys that they came from, and has
paths that start one folder up.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from forequake.config import LoadedExperiment, load_experiment

#: As floatCSEP 0.5.2 writes it after cumulative windows: list upon list for the windows and the pictures.
WRITTEN: dict[str, Any] = {
    "name": "Tutorial",
    "config_file": "config.yml",
    "path": "..",
    "run_dir": "results",
    "time_config": {
        "start_date": "2010-01-01 00:00:00",
        "end_date": "2020-01-01 00:00:00",
        "intervals": 3,
        "growth": "cumulative",
        "exp_class": "ti",
        "time_windows": [
            ["2010-01-01 00:00:00", "2013-05-02 08:00:00"],
            ["2010-01-01 00:00:00", "2016-08-31 16:00:00"],
            ["2010-01-01 00:00:00", "2020-01-01 00:00:00"],
        ],
    },
    "region_config": {
        "region": "region.txt",
        "mag_min": 4.0,
        "mag_max": 4.3,
        "mag_bin": 0.1,
        "depth_min": 0,
        "depth_max": 70,
        "depths": [0.0, 70.0],
        "magnitudes": [4.0, 4.1, 4.2, 4.3],
    },
    "catalog": "catalog.json",
    "models": [{"Model A": {"forecast_unit": 1, "path": "models/a.csv"}}],
    "tests": [
        {
            "S-test": {
                "func": "csep.core.poisson_evaluations.spatial_test",
                "plot_func": [{"csep.plots.plot_consistency_test": {"plot_args": {}, "plot_kwargs": {}}}],
            }
        }
    ],
}
#: The keys from which floatCSEP made the windows.
RULES = {"start_date": "2010-01-01", "end_date": "2020-01-01", "intervals": 3, "growth": "cumulative"}


@pytest.fixture
def load(tmp_path: Path) -> Callable[[dict[str, Any]], LoadedExperiment]:
    for name in ("region.txt", "catalog.json", "models/a.csv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("0 0\n")
    (tmp_path / "results").mkdir()

    def read(data: dict[str, Any], folder: str = "results") -> LoadedExperiment:
        file = tmp_path / folder / "repr_config.yml"
        file.write_text(yaml.safe_dump(data, sort_keys=False))
        return load_experiment(file)

    return read


def test_it_is_the_experiment_that_it_came_from(load: Callable[..., LoadedExperiment]) -> None:
    original = {key: value for key, value in WRITTEN.items() if key not in ("path", "config_file", "run_dir")}
    edges = {key: WRITTEN["region_config"][key] for key in ("region", "mag_min", "mag_max", "mag_bin")}
    original["time_config"] = RULES
    original["region_config"] = {**edges, "depth_min": 0, "depth_max": 70}
    written, expected = load(WRITTEN).config, load(original, ".").config

    assert written.model_dump(exclude={"unused"}) == expected.model_dump(exclude={"unused"})
    assert written.unused == ("run_dir", "config_file", "tests.plot_func")


def test_the_windows_of_the_list_count_and_this_is_said(load: Callable[..., LoadedExperiment]) -> None:
    shorter = {**WRITTEN["time_config"], "growth": "incremental", "horizon": "3-years"}
    del shorter["intervals"]
    shorter["time_windows"] = [["2011-01-01", "2013-01-01"], ["2013-01-01", "2019-01-01"]]
    loaded = load({**WRITTEN, "time_config": shorter})

    assert [window.id[:10] for window in loaded.config.windows] == ["2011-01-01", "2013-01-01"]
    assert loaded.notes == (
        "the windows are those listed in time_config.time_windows, not those of horizon",
        "the part from 2010-01-01T00:00:00Z to 2011-01-01T00:00:00Z lies in no window listed in "
        "time_config.time_windows",
        "the part from 2019-01-01T00:00:00Z to 2020-01-01T00:00:00Z lies in no window listed in "
        "time_config.time_windows",
    )


def test_the_last_bin_begins_below_a_mag_max_that_is_no_edge(load: Callable[..., LoadedExperiment]) -> None:
    """As `csep.utils.calc.cleaner_range(4.95, 9.0, 0.1)` gives them: 41 edges, the last one 8.95."""
    keys = {"region": "region.txt", "mag_min": 4.95, "mag_max": 9.0, "mag_bin": 0.1}
    loaded = load({**WRITTEN, "region_config": keys})

    assert (len(loaded.config.magnitudes), loaded.config.magnitudes[-1]) == (41, 8.95)
    assert "the last magnitude bin begins at 8.95, the last edge up to mag_max 9" in loaded.notes
