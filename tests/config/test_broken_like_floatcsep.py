"""Configurations on which floatCSEP 0.5.2 stumbles: here refused with a word, or taken for what they say.

Whether a message stands in the right line is tested beside this; here each goes through the command line.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from flows.cli import _run
from forequake.config import LoadedExperiment, load_experiment
from tests.config.test_every_key import BASE, _changed

A = {"A": {"path": "a.csv"}}


def _models(*entries: dict[str, Any]) -> dict[str, Any]:
    return {"models": list(entries)}


def _tests(keys: dict[str, Any]) -> dict[str, Any]:
    return {"tests": [{"x": keys}]}


def _time(**keys: Any) -> dict[str, Any]:
    return {"time_config": keys}


#: What is set (None takes a key away), and what is said.
REFUSED: dict[str, tuple[dict[str, Any], str]] = {
    "no catalog": ({"catalog": None}, "catalog: this key is required"),
    "no time_config": (_time(start_date=None, end_date=None), "start_date: this key is required"),
    "no start_date": (_time(start_date=None), "start_date: this key is required"),
    "no mag_bin": ({"region_config": {"mag_bin": None}}, "mag_bin: this key is required"),
    "no path of a model": (_models({"A": {}}), "models.A.path: this key is required"),
    "wrong catalog": ({"catalog": "catalogg.csv"}, "did you mean 'catalog.csv'"),
    "wrong model path": (_models({"A": {"path": "aa.csv"}}), "did you mean 'a.csv'"),
    "wrong models.yml": ({"models": "modles.yml"}, "did you mean 'models.yml'"),
    "unknown test": (
        _tests({"func": "poisson_evaluations.numbr_test"}),
        "did you mean 'poisson_evaluations.number_test'",
    ),
    "typo in a test's key": (_tests({"func": "N", "plot_fnc": "x"}), "did you mean 'plot_func'"),
    "unknown region": (
        {"region_config": {"region": "italy_csep_regoin"}},
        "did you mean 'italy_csep_region'",
    ),
    "bad date": (_time(start_date="2010-13-45"), "there is no such date"),
    "start after end": (_time(start_date="2021-01-01"), "must start before it ends"),
    "negative horizon": (_time(horizon="-1 years"), "whole number from 1 on and a unit"),
    "horizon of 1.5 years": (_time(horizon="1.5 years"), "whole number from 1 on and a unit"),
    "horizon as an integer": (_time(horizon=2), "expected a number with a unit, such as '2 years'"),
    "horizon as a float": (_time(horizon=2.0), "expected a number with a unit, such as '2 years'"),
    "horizon as a tuple": (_time(horizon=[1, "years"]), "expected a number with a unit"),
    "class unknown": (_time(exp_class="timedependent"), "there is no such class"),
    "bad growth": (_time(growth="cumulatve"), "did you mean 'cumulative'"),
    "repeated model": (_models(A, A), "the name 'A' is given twice"),
    "repeated test": ({"tests": [{"N": {"func": "N"}}, {"N": {"func": "S"}}]}, "the name 'N' is given twice"),
    "T-test without a reference": (_tests({"func": "T"}), "ref_model: this key is required"),
    "T-test with an unknown reference": (_tests({"func": "T", "ref_model": "C"}), "there is no such model"),
    "catalog test on a gridded forecast": (
        _tests({"func": "catalog_evaluations.number_test"}),
        "the catalog N-test takes catalog-based forecasts, but those of",
    ),
    "gridded test on catalogs": (
        _models(A, {"B": {"path": "td", "class": "td"}}),
        "the N-test takes gridded forecasts, but those of B are catalog-based",
    ),
    "td class with a file": (
        _models({"A": {"path": "a.csv", "class": "td"}}),
        "this is a file, but a time-dependent model (class: td) is a folder",
    ),
    "model name with a slash": (_models({"a/b": {"path": "a.csv"}}), "without /"),
    "mag_min above mag_max": ({"region_config": {"mag_min": 9}}, "must be greater than mag_min"),
    "binomial test of no use": (
        _tests({"func": "binomial_evaluations.binomial_spatial_test"}),
        "did you mean 'binomial_evaluations.binary_spatial_test'",
    ),
    "Brier score": (_tests({"func": "brier_score"}), "there is no such test"),
    "calibration of nothing": (
        _tests({"func": "catalog_evaluations.calibration_test"}),
        "takes the results of another test of the experiment",
    ),
    "user function": (_tests({"func": "my_tests.py:my_test"}), "there is no such file"),
    "typo at the top": ({"modles": []}, "did you mean 'models'"),
    "typo in a model": (_models({"A": {"path": "a.csv", "forcast_unit": 5}}), "did you mean 'forecast_unit'"),
    "no models": ({"models": None}, "models: this key is required"),
    "no tests": ({"tests": None}, "tests: this key is required"),
    "no region": ({"region_config": {"region": None}}, "region: this key is required"),
    "query that there is not": ({"catalog": "query_isc"}, "there is no such service"),
    "windows longer than the time": (
        _time(start_date="2010-01-01", end_date="2010-01-20", horizon="1 months"),
        "is longer than",
    ),
    "last bin beyond mag_max": ({"region_config": {"mag_max": 8.6}}, "must lie whole bins"),
}
#: Texts of config.yml that are none.
NO_FILES = {
    "invalid YAML": ("name: [1, 2\n", "this is not YAML"),
    "empty file": ("", "the file is empty"),
    "a list": ("- 1\n", "expected a mapping of keys"),
    "a command in a tag": ("name: !!python/object/apply:os.system [date]\n", "plain data"),
}
#: What is set, where to look, and what must be there.
TAKEN: dict[str, tuple[dict[str, Any], Callable[[LoadedExperiment], object], object]] = {
    "exp_class time-dependent": (_time(exp_class="time-dependent"), lambda e: e.config.exp_class, "td"),
    "td experiment with a file": (_time(exp_class="td"), lambda e: e.config.models[0].kind, "file"),
    "horizon of hours": (
        _time(start_date="2020-01-01", end_date="2020-01-03", horizon="6 hours"),
        lambda e: len({window.id for window in e.config.windows}),
        8,
    ),
    "horizon from June on": (
        _time(start_date="2010-06-15", end_date="2012-06-15", horizon="1 years"),
        lambda e: e.config.windows[0].id[:10],
        "2010-06-15",
    ),
    "a month in a td experiment": (
        _time(start_date="2010-01-01", end_date="2010-02-01", horizon="1 months", exp_class="td"),
        lambda e: len(e.config.windows),
        1,
    ),
    "growth in a td experiment": (
        _time(horizon="5 years", exp_class="td", growth="cumulative"),
        lambda e: e.config.dependent_windows,
        True,
    ),
    "offset as documented": (
        _time(end_date=None, intervals=2, horizon="7-days", offset="1-day", exp_class="td"),
        lambda e: e.config.dependent_windows,
        True,
    ),
    "trailing part": (
        _time(start_date="2010-01-01", end_date="2020-01-01", horizon="3 years"),
        lambda e: "2019-01-01T00:00:00Z to 2020-01-01T00:00:00Z" in " ".join(e.notes),
        True,
    ),
    "no plot_func": ({}, lambda e: e.config.unused, ()),
    "unknown plot_func": (
        _tests({"func": "N", "plot_func": "plot_nothing"}),
        lambda e: e.config.unused,
        ("tests.plot_func",),
    ),
    "plot_func as a list": (
        _tests({"func": "N", "plot_func": [{"plot_number_test": {"plot_args": {"code": "1/0"}}}]}),
        lambda e: e.config.unused,
        ("tests.plot_func",),
    ),
    "timestamp": ({"timestamp": True}, lambda e: e.config.unused, ("timestamp",)),
    "basemap of the catalog": (
        {"postprocess": {"plot_catalog": {"basemap": "ESRI_terrain"}}},
        lambda e: e.config.unused,
        ("postprocess",),
    ),
    "force_rerun": ({"force_rerun": True}, lambda e: e.config.unused, ("force_rerun",)),
    "concurrent_tasks": ({"concurrent_tasks": 4}, lambda e: e.config.unused, ("concurrent_tasks",)),
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("broken")
    for name in ("region.txt", "catalog.csv", "a.csv", "b.dat", "models.yml"):
        (root / name).write_text("0 0\n1 0\n")
    (root / "td").mkdir()
    return root


def _told(file: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> str:
    """Check a file by the command line, which must refuse it; give its words."""
    monkeypatch.setattr(sys, "argv", ["forequake", "validate", str(file)])
    assert _run() == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "Traceback" not in captured.err
    assert file.name in captured.err
    return captured.err


@pytest.mark.parametrize(("changes", "says"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_with_a_word(
    changes: dict[str, Any],
    says: str,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    file = folder / "config.yml"
    file.write_text(yaml.safe_dump(_changed(BASE, changes), sort_keys=False))

    assert says in _told(file, monkeypatch, capsys)


@pytest.mark.parametrize(("text", "says"), NO_FILES.values(), ids=NO_FILES)
def test_a_file_that_is_none_is_refused(
    text: str, says: str, folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "config.yml"
    file.write_text(text)

    assert says in _told(file, monkeypatch, capsys)


def test_no_number_of_a_line_becomes_a_picture(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = folder / "config.yml"
    file.write_text("# a line\n" * 99 + "modles: []\n")

    assert "config.yml:100: modles" in _told(file, monkeypatch, capsys)


def test_a_file_that_is_not_there_is_refused(
    folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "there is no such file" in _told(folder / "cofnig.yml", monkeypatch, capsys)


@pytest.mark.parametrize(("changes", "look", "expected"), TAKEN.values(), ids=TAKEN)
def test_it_is_taken_for_what_it_says(
    changes: dict[str, Any], look: Callable[[LoadedExperiment], object], expected: object, folder: Path
) -> None:
    file = folder / "config.yml"
    file.write_text(yaml.safe_dump(_changed(BASE, changes), sort_keys=False))

    assert look(load_experiment(file)) == expected


def test_a_tuple_of_python_is_a_list(folder: Path) -> None:
    file = folder / "config.yml"
    text = yaml.safe_dump(_changed(BASE, {"authors": "AUTHORS"}), sort_keys=False)
    file.write_text(text.replace("AUTHORS", "!!python/tuple [5, 6]"))

    assert load_experiment(file).config.metadata == {"authors": [5, 6]}
