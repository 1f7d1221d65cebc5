"""A function as a model in an experiment's files: what is found without running it, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from forequake.config import CallableSpec, FolderModel, GitSource, load_experiment
from forequake.errors import ConfigError, Problem

SOURCE = """\
import json
import numpy as np
from functools import partial

raise RuntimeError("a file that is checked is not run")


def forecast(given, *, rng, b, power=2.0):
    return np.ones(2)


def anything(given, **arguments):
    return np.ones(2)


def nothing():
    return np.ones(2)


async def later(given):
    return np.ones(2)


made = partial(anything, b=2)
"""
HEAD: dict[str, Any] = {
    "name": "functions",
    "time_config": {"start_date": "2010-01-01", "end_date": "2020-01-01"},
    "region_config": {"region": "region.txt", "mag_min": 4.0, "mag_max": 8.0, "mag_bin": 1.0},
    "catalog": "catalog.csv",
    "tests": [{"N": {"func": "N"}}],
}
GRIDDED = {"kind": "callable", "forecast_type": "gridded"}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    for name in ("region.txt", "catalog.csv"):
        (tmp_path / name).write_text("0 0\n")
    for name in ("my_model.py", "models/etas/run/daily.py", "packaged/src/etas/model.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(SOURCE)
    (tmp_path / "models" / "etas" / "etas").mkdir()
    (tmp_path / "models" / "etas" / "etas" / "__init__.py").write_text("from .core import forecast\n")
    (tmp_path / "beside.py").write_text("import my_model\n\ndef forecast(given):\n    return 1\n")
    (tmp_path / "broken.py").write_text("def forecast(given:\n")
    (tmp_path / "zeros.py").write_bytes(b"\0")
    return tmp_path


def _read(folder: Path, keys: dict[str, Any]) -> FolderModel:
    (folder / "config.yml").write_text(yaml.safe_dump({**HEAD, "models": [{"M": {**GRIDDED, **keys}}]}))
    model = load_experiment(folder).config.models[0]
    assert isinstance(model, FolderModel)
    return model


def _problem(folder: Path, keys: dict[str, Any]) -> Problem:
    with pytest.raises(ConfigError) as caught:
        _read(folder, keys)
    (problem,) = caught.value.problems
    return problem


@pytest.mark.parametrize(
    ("keys", "path", "function"),
    [
        ({"func": "my_model.py:anything"}, "my_model.py", "my_model.py:anything"),
        ({"func": "models/etas/run/daily.py:anything"}, "models/etas/run/daily.py", "daily.py:anything"),
        ({"func": "run/daily.py:made", "path": "models/etas"}, "models/etas", "run/daily.py:made"),
        ({"func": "run.daily:anything", "path": "models/etas"}, "models/etas", "run.daily:anything"),
        ({"func": "etas:forecast", "path": "models/etas"}, "models/etas", "etas:forecast"),
        ({"func": "etas.model:anything", "path": "packaged"}, "packaged", "etas.model:anything"),
        (
            {"func": "far.away:forecast", "path": "models/etas", "build": "venv"},
            "models/etas",
            "far.away:forecast",
        ),
        ({"func": "x.py:f", "path": "new", "giturl": "https://example.org/x.git"}, "new", "x.py:f"),
    ],
    ids=lambda value: str(value) if isinstance(value, dict) else "",
)
def test_where_it_lies(keys: dict[str, Any], path: str, function: str, folder: Path) -> None:
    model = _read(folder, keys)
    assert isinstance(model.program, CallableSpec)
    assert (model.path, model.program.function) == (path, function)
    assert model.program.build == keys.get("build")
    assert model.source == (GitSource(url=keys["giturl"]) if "giturl" in keys else None)


def test_it_has_arguments_and_a_number_of_catalogs(folder: Path) -> None:
    keys = {"func": "my_model.py:forecast", "func_kwargs": {"b": 0.9}}
    model = _read(folder, keys)
    assert isinstance(model.program, CallableSpec)
    assert model.program.arguments == {"b": 0.9}
    assert model.forecast_unit is None

    (folder / "config.yml").write_text(
        yaml.safe_dump(
            {
                **HEAD,
                "models": [{"M": {"kind": "callable", "forecast_type": "catalog", "n_sims": 5, **keys}}],
                "tests": [{"N": {"func": "catalog_evaluations.number_test"}}],
            }
        )
    )
    simulated = load_experiment(folder).config.models[0]
    assert isinstance(simulated, FolderModel)
    assert (simulated.forecast_type, simulated.n_catalogs) == ("catalog", 5)


def test_variants_differ_in_its_arguments(folder: Path) -> None:
    keys = {"func": "my_model.py:forecast", "variants": {"product": {"b": [0.9, 1.1]}}}
    (folder / "config.yml").write_text(yaml.safe_dump({**HEAD, "models": [{"M": {**GRIDDED, **keys}}]}))
    programs = [model.program for model in load_experiment(folder).config.models if model.kind == "folder"]
    assert [program.arguments for program in programs if program] == [{"b": 0.9}, {"b": 1.1}]


BROKEN: dict[str, tuple[dict[str, Any], str, str, str | None]] = {
    "no function": ({}, "models.M.func", "required", None),
    "a command": (
        {"func": "python my_model.py"},
        "models.M.func",
        "a command makes a model of the kind",
        None,
    ),
    "no file": ({"func": "my_modle.py:anything"}, "models.M.func", "no such file", "my_model.py:anything"),
    "no such function": (
        {"func": "my_model.py:anythin"},
        "models.M.func",
        "my_model.py defines no function anythin; it defines forecast, anything, nothing, later",
        "my_model.py:anything",
    ),
    "no such file in path": (
        {"func": "run/dayly.py:anything", "path": "models/etas"},
        "models.M.func",
        "there is no run/dayly.py in etas",
        "run/daily.py:anything",
    ),
    "no such module": (
        {"func": "etass:forecast", "path": "models/etas"},
        "models.M.func",
        "there is no etass in etas",
        "etas:forecast",
    ),
    "a module without path": (
        {"func": "my_model:anything"},
        "models.M.func",
        "needs path, the folder that has the package",
        "my_model.py:anything",
    ),
    "a way out": (
        {"func": "../my_model.py:anything", "path": "models"},
        "models.M.func",
        "expected a file",
        None,
    ),
    "no Python": ({"func": "broken.py:forecast"}, "models.M.func", "broken.py:1 is no Python", None),
    "no text": ({"func": "zeros.py:forecast"}, "models.M.func", "zeros.py is no Python", None),
    "asynchronous": ({"func": "my_model.py:later"}, "models.M.func", "later is asynchronous", None),
    "no parameters": ({"func": "my_model.py:nothing"}, "models.M.func", "called with 1: given", None),
    "needs an argument": (
        {"func": "my_model.py:forecast"},
        "models.M.func_kwargs",
        "forecast needs b, which has no default: func_kwargs: {b: ...}",
        None,
    ),
    "an unknown argument": (
        {"func": "my_model.py:forecast", "func_kwargs": {"b": 1, "powr": 2}},
        "models.M.func_kwargs.powr",
        "it has b, power",
        "power",
    ),
    "the seed as an argument": (
        {"func": "my_model.py:anything", "func_kwargs": {"seed": 1}},
        "models.M.func_kwargs.seed",
        "forequake itself hands this over",
        None,
    ),
    "a file beside": (
        {"func": "beside.py:forecast"},
        "models.M.func",
        "beside.py:1 imports my_model.py, and path is not given",
        None,
    ),
    "the experiment's folder": (
        {"func": "my_model.py:anything", "path": "."},
        "models.M.path",
        "holds the experiment with its catalog, which a model may not see",
        None,
    ),
    "a file as path": (
        {"func": "my_model.py:anything", "path": "my_model.py"},
        "models.M.path",
        "path is the folder of a function's source",
        None,
    ),
    "no such folder": (
        {"func": "daily.py:anything", "path": "models/eta"},
        "models.M.path",
        "no such folder",
        "models/etas",
    ),
    "a repository without path": (
        {"func": "x.py:f", "giturl": "https://example.org/x.git"},
        "models.M",
        "path is missing",
        None,
    ),
    "a file of arguments": (
        {"func": "my_model.py:anything", "args_file": "args.json"},
        "models.M.args_file",
        "a model of the kind callable does not take this key",
        None,
    ),
    "time-independent": (
        {"func": "my_model.py:anything", "class": "ti"},
        "models.M.class",
        "class: td",
        None,
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_it_is_refused_in_its_place(name: str, folder: Path) -> None:
    keys, key, says, near = BROKEN[name]
    problem = _problem(folder, keys)
    assert (problem.key, problem.suggestion) == (key, near), problem
    assert says in problem.message


def test_what_it_gives_must_be_said(folder: Path) -> None:
    with pytest.raises(ConfigError, match=r"models\.M\.forecast_type: .*required.*gridded or catalog"):
        _read(folder, {"func": "my_model.py:anything", "forecast_type": None})
