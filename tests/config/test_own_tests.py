"""A user's own test in an experiment's files: what is found without running it, and what is refused."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from forequake.config import load_experiment
from forequake.config.specs import OwnFunction
from forequake.errors import ConfigError, Problem

SOURCE = '''\
"""Tests of ours."""

import json
import os.path
import numpy as np

raise RuntimeError("a file that is checked is not run")


def distance(forecast, catalog):
    return {}


def compared(forecast, catalog, reference, *, seed, alpha, scale, power=2.0):
    return {}


def anything(forecast, catalog, *rest, **arguments):
    return {}


def needy(forecast, catalog, depth):
    return {}


def lonely(forecast):
    return {}


async def later(forecast, catalog):
    return {}


if np:

    def conditional(forecast, catalog):
        return {}


class Tests:
    def method(self, forecast, catalog):
        return {}
'''
HEAD: dict[str, Any] = {
    "name": "own",
    "time_config": {"start_date": "2010-01-01", "end_date": "2020-01-01"},
    "region_config": {"region": "region.txt", "mag_min": 4.0, "mag_max": 8.0, "mag_bin": 1.0},
    "catalog": "catalog.csv",
    "models": [{"A": {"path": "a.csv"}}, {"B": {"path": "b.csv"}}],
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("own") / "experiment"
    (root / "code").mkdir(parents=True)
    for name in ("region.txt", "catalog.csv", "a.csv", "b.csv", "weights.csv"):
        (root / name).write_text("0 0\n1 0\n")
    (root / "my_tests.py").write_text(SOURCE)
    (root / "code" / "tests.py").write_text("import sums\n\n\ndef f(forecast, catalog):\n    return {}\n")
    (root / "code" / "sums.py").write_text("import more\n")
    (root / "code" / "more.py").write_text("\n")
    (root / "broken.py").write_text("def f(forecast, catalog):\n    return {\n")
    (root / "inner.py").write_text("from . import sums\n\n\ndef f(forecast, catalog):\n    return {}\n")
    (root.parent / "outside.py").write_text(SOURCE)
    (root / "link.py").symlink_to(root.parent / "outside.py")
    return root


def _own(folder: Path, entry: dict[str, Any]) -> tuple[str, str | None, OwnFunction]:
    (folder / "config.yml").write_text(yaml.safe_dump({**HEAD, "tests": [{"X": entry}]}))
    (test,) = load_experiment(folder).config.tests
    assert test.own is not None
    return test.test, test.reference, test.own


def _problem(folder: Path, entry: dict[str, Any]) -> Problem:
    text = yaml.safe_dump({**HEAD, "tests": [{"X": entry}]}, sort_keys=False)
    (folder / "config.yml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_experiment(folder)
    (problem,) = caught.value.problems
    assert problem.file is not None
    assert problem.line is not None
    return problem


def test_the_kind_follows_from_the_reference_and_the_key_kind(folder: Path) -> None:
    test, reference, own = _own(folder, {"func": "my_tests.py:distance"})
    assert (test, reference) == ("own_consistency", None)
    assert own == OwnFunction(file="my_tests.py", function="distance", files=("my_tests.py",))
    assert (own.timeout_s, own.memory_mb) == (300.0, 4096)
    entry: dict[str, Any] = {
        "func": "my_tests.py:compared",
        "ref_model": "B",
        "func_kwargs": {"arguments": {"scale": [1, 2.5]}, "timeout_s": 5.0, "memory_mb": 1000},
    }
    test, reference, own = _own(folder, entry)
    assert (test, reference, own.arguments) == ("own_comparison", "B", {"scale": [1, 2.5]})
    assert (own.timeout_s, own.memory_mb) == (5.0, 1000)
    entry = {"func": "my_tests.py:anything", "func_kwargs": {"kind": "score", "arguments": {"any": None}}}
    assert _own(folder, entry)[0] == "own_score"
    assert _own(folder, {**entry, "ref_model": "A"})[:2] == ("own_score", "A")


def test_files_are_named_from_the_experiments_folder(folder: Path) -> None:
    (folder / "code" / "tests.yml").write_text(
        "- X:\n    func: tests.py:f\n    func_kwargs: {files: [sums.py, ./more.py, ../weights.csv]}\n"
    )
    (folder / "config.yml").write_text(yaml.safe_dump({**HEAD, "tests": "code/tests.yml"}))
    (test,) = load_experiment(folder).config.tests
    assert test.own is not None
    assert test.own.file == "code/tests.py"
    assert test.own.files == ("code/tests.py", "code/more.py", "code/sums.py", "weights.csv")
    assert test.own.text == "code/tests.py:f"


def test_a_function_behind_a_condition_is_found(folder: Path) -> None:
    assert _own(folder, {"func": "my_tests.py:conditional"})[2].function == "conditional"


#: What follows the test's name, the key that is blamed, what is said, and what is suggested.
REFUSED: dict[str, tuple[dict[str, Any], str, str, str | None]] = {
    "unknown file": (
        {"func": "my_test.py:distance"},
        "func",
        "no such file; expected a Python file with the test",
        "my_tests.py",
    ),
    "unknown function": (
        {"func": "my_tests.py:distanc"},
        "func",
        "defines no function distanc; it defines distance, compared, anything",
        "my_tests.py:distance",
    ),
    "a method": ({"func": "my_tests.py:method"}, "func", "defines no function method", None),
    "no function": ({"func": "my_tests.py"}, "func", "such as my_tests.py:my_test", None),
    "no name": ({"func": "my_tests.py:1st"}, "func", "such as my_tests.py:my_test", None),
    "outside": ({"func": "../outside.py:distance"}, "func", "outside the experiment's folder", None),
    "a link out": ({"func": "link.py:distance"}, "func", "outside the experiment's folder", None),
    "a folder": ({"func": "folder.py:f"}, "func", "there is no such file", None),
    "no Python": ({"func": "broken.py:f"}, "func", "broken.py:2 is no Python", None),
    "asynchronous": ({"func": "my_tests.py:later"}, "func", "a plain function", None),
    "too few parameters": (
        {"func": "my_tests.py:lonely"},
        "func",
        "lonely takes 1 parameters in line 26, but it is called with 2: forecast, catalog",
        None,
    ),
    "no parameter for the reference": (
        {"func": "my_tests.py:distance", "ref_model": "A"},
        "func",
        "called with 3: forecast, catalog, reference",
        None,
    ),
    "argument that is needed": (
        {"func": "my_tests.py:needy"},
        "func_kwargs.arguments",
        "needs depth, which has no default",
        None,
    ),
    "argument that there is not": (
        {
            "func": "my_tests.py:compared",
            "ref_model": "A",
            "func_kwargs": {"arguments": {"scale": 1, "powr": 3}},
        },
        "func_kwargs.arguments.powr",
        "has no such parameter to be set; it has scale, power",
        "power",
    ),
    "argument that is handed over": (
        {"func": "my_tests.py:anything", "func_kwargs": {"arguments": {"catalog": 1}}},
        "func_kwargs.arguments.catalog",
        "no such parameter to be set",
        None,
    ),
    "seed among the arguments": (
        {"func": "my_tests.py:anything", "func_kwargs": {"arguments": {"seed": 1}}},
        "func_kwargs.arguments.seed",
        "beside arguments",
        None,
    ),
    "simulations": (
        {"func": "my_tests.py:distance", "func_kwargs": {"num_simulations": 10}},
        "func_kwargs.num_simulations",
        "takes it as one of its arguments",
        None,
    ),
    "model that there is not": (
        {"func": "my_tests.py:anything", "ref_model": "C"},
        "ref_model",
        "no such model",
        None,
    ),
    "undeclared file beside": (
        {"func": "code/tests.py:f"},
        "func",
        "code/tests.py:1 imports sums, and code/sums.py lies beside it",
        None,
    ),
    "undeclared file of a declared one": (
        {"func": "code/tests.py:f", "func_kwargs": {"files": ["code/sums.py"]}},
        "func",
        "code/sums.py:1 imports more",
        None,
    ),
    "relative import": ({"func": "inner.py:f"}, "func", "inner.py:1 has a relative import", None),
    "declared file that is not there": (
        {"func": "my_tests.py:distance", "func_kwargs": {"files": ["weight.csv"]}},
        "func_kwargs.files[0]",
        "no such file",
        "weights.csv",
    ),
    "internal name": ({"func": "own_consistency"}, "func", "named by its file and function", None),
    "key of another test": (
        {"func": "N", "func_kwargs": {"timeout_s": 3.0}},
        "func_kwargs.timeout_s",
        "only a test of your own takes it",
        None,
    ),
    "no time": (
        {"func": "my_tests.py:distance", "func_kwargs": {"timeout_s": 0.0}},
        "func_kwargs.timeout_s",
        "greater than 0",
        None,
    ),
    "no memory": (
        {"func": "my_tests.py:distance", "func_kwargs": {"memory_mb": 10}},
        "func_kwargs.memory_mb",
        "512 or more",
        None,
    ),
    "argument without a place in JSON": (
        {"func": "my_tests.py:anything", "func_kwargs": {"arguments": {"limit": float("inf")}}},
        "func_kwargs.arguments",
        "finite number",
        None,
    ),
    "another kind": (
        {"func": "my_tests.py:distance", "func_kwargs": {"kind": "scores"}},
        "func_kwargs.kind",
        "expected 'score'",
        "score",
    ),
}


@pytest.mark.parametrize(("entry", "key", "says", "near"), REFUSED.values(), ids=REFUSED)
def test_it_is_refused_in_its_place(
    entry: dict[str, Any], key: str, says: str, near: str | None, folder: Path
) -> None:
    problem = _problem(folder, entry)
    assert problem.key == f"tests.X.{key}"
    assert says in problem.message
    assert problem.suggestion == near
