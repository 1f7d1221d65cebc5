"""Which Python a model wants and gets."""

import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.specifiers import SpecifierSet

from forequake.errors import EnvironmentFailed
from forequake.models.environments import interpreters as machine
from forequake.models.environments.declared_python import declared_python
from forequake.models.environments.interpreters import Interpreter, choose_interpreter, choose_minor
from forequake.models.environments.python_versions import PythonRequirement

_NUMBERS = st.integers(2, 4), st.integers(0, 14), st.integers(0, 20)
_RELEASES = st.one_of(
    st.tuples(*_NUMBERS[:2]).map(lambda parts: ".".join(map(str, parts))),
    st.tuples(*_NUMBERS).map(lambda parts: ".".join(map(str, parts))),
)
_CLAUSES = st.one_of(
    st.tuples(st.sampled_from([">=", "<=", ">", "<", "==", "!=", "~="]), _RELEASES).map("".join),
    st.tuples(st.sampled_from(["==", "!="]), _RELEASES).map(lambda pair: f"{pair[0]}{pair[1]}.*"),
)


@given(clauses=st.lists(_CLAUSES, min_size=1, max_size=3), version=st.tuples(*_NUMBERS))
def test_requirements_mean_what_packaging_says(clauses: list[str], version: tuple[int, int, int]) -> None:
    text = ", ".join(clauses)
    expected = SpecifierSet(text).contains(".".join(map(str, version)))
    assert PythonRequirement(text, "here").fits(version) is expected


@pytest.mark.parametrize(
    ("text", "fitting", "others"),
    [
        ("3.11", [(3, 11, 0), (3, 11, 9)], [(3, 1, 1), (3, 12, 0)]),  # conda: the prefix
        ("=3.11", [(3, 11, 4)], [(3, 10, 4)]),
        ("3.10.*", [(3, 10, 4)], [(3, 11, 4), (3, 1, 0)]),
        (">=3.9,<3.12.0a0", [(3, 9, 0), (3, 11, 9)], [(3, 12, 0)]),
        ("3.9|3.11", [(3, 9, 1), (3, 11, 1)], [(3, 10, 1)]),
        ("^3.9", [(3, 9, 0), (3, 13, 1)], [(3, 8, 9), (4, 0, 0)]),  # poetry
        ("~3.9", [(3, 9, 7)], [(3, 10, 0)]),
        ("^3.8 || ^2.7", [(3, 8, 0), (2, 7, 1)], [(3, 7, 0)]),
        (">= 3.8, < 4", [(3, 8, 0)], [(4, 0, 0)]),
        (">=3.8 <3.10", [(3, 9, 0)], [(3, 10, 0)]),
        ("*", [(2, 7, 0)], []),
    ],
)
def test_the_words_of_conda_and_poetry(
    text: str, fitting: list[tuple[int, int, int]], others: list[tuple[int, int, int]]
) -> None:
    requirement = PythonRequirement(text, "here")
    assert [version for version in fitting + others if requirement.fits(version)] == fitting


@pytest.mark.parametrize("text", ["", "three", ">=", ">=3.9;<4", "3.x"])
def test_what_is_no_version_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"^setup\.cfg: .*which versions of Python"):
        PythonRequirement(text, "setup.cfg")


_SETUP_PY = """
import pathlib
import setuptools
pathlib.Path(__file__).with_name("executed").touch()
WANTED = ">=3.7"
setuptools.setup(name="x", python_requires=WANTED)
"""


@pytest.mark.parametrize(
    ("name", "content", "text", "where"),
    [
        (
            "pyproject.toml",
            '[project]\nname="x"\nrequires-python=">=3.10"',
            ">=3.10",
            "project.requires-python",
        ),
        (
            "pyproject.toml",
            '[tool.poetry.dependencies]\npython="^3.9"',
            "^3.9",
            "tool.poetry.dependencies.python",
        ),
        ("setup.cfg", "[options]\npython_requires = >=3.8\n", ">=3.8", "options.python_requires"),
        ("setup.py", _SETUP_PY, ">=3.7", "python_requires"),
        ("setup.py", "from setuptools import *\nsetup(python_requires='>=3.6')", ">=3.6", "python_requires"),
        ("environment.yml", "dependencies:\n- numpy\n- python=3.11\n- pip:\n  - x", "=3.11", "dependencies"),
        (
            "environment.yaml",
            "dependencies: [conda-forge::python >=3.9, pythonqt=5]",
            ">=3.9",
            "dependencies",
        ),
        ("environment.yml", "dependencies: ['python=3.9.7=h12debd9_1']", "=3.9.7", "dependencies"),
        ("environment.yml", "dependencies: ['python 3.9.* *_cpython']", "3.9.*", "dependencies"),
    ],
)
def test_each_file_tells_it(tmp_path: Path, name: str, content: str, text: str, where: str) -> None:
    (tmp_path / name).write_text(content)
    assert declared_python(tmp_path) == PythonRequirement(text, f"{name}: {where}")
    assert [file.name for file in tmp_path.iterdir()] == [name], "it was executed"


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("pyproject.toml", '[project]\nname="x"'),
        ("setup.cfg", "[metadata]\nname = x"),
        ("setup.py", "from setuptools import setup\nsetup(python_requires=compute())"),
        ("environment.yml", "dependencies: [python, python-dateutil=2.8]"),
        ("README.md", "python 3.9"),
    ],
)
def test_files_that_do_not_tell_it(tmp_path: Path, name: str, content: str) -> None:
    (tmp_path / name).write_text(content)
    assert declared_python(tmp_path) is None


def test_which_file_comes_first(tmp_path: Path) -> None:
    (tmp_path / "setup.py").write_text("from setuptools import setup\nsetup(python_requires='>=3.6')")
    (tmp_path / "environment.yml").write_text("dependencies: [python=3.10]")
    assert declared_python(tmp_path) == PythonRequirement(">=3.6", "setup.py: python_requires")
    assert declared_python(tmp_path, conda_first=True) == PythonRequirement(
        "=3.10", "environment.yml: dependencies"
    )


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("pyproject.toml", "[project", "pyproject.toml: "),
        (
            "pyproject.toml",
            '[project]\nrequires-python="new"',
            "pyproject.toml: project.requires-python: 'new'",
        ),
        ("setup.cfg", "python_requires = 3", "no section headers"),
        ("setup.py", "print 'two'", "setup.py: Missing parentheses"),
        ("environment.yml", "dependencies: {a: 1}", "environment.yml: it has no list of dependencies"),
        ("environment.yml", "a: [", "environment.yml: while parsing"),
    ],
)
def test_files_that_cannot_be_read_are_named(tmp_path: Path, name: str, content: str, words: str) -> None:
    (tmp_path / name).write_text(content)
    with pytest.raises(EnvironmentFailed) as caught:
        declared_python(tmp_path)
    assert words in str(caught.value)


def test_without_a_wish_a_model_gets_our_python() -> None:
    chosen = choose_interpreter(None)
    assert chosen.version == sys.version_info[:3]
    assert chosen.program.resolve() == Path(sys.base_prefix, "bin", "python3").resolve()
    assert choose_minor(None) == f"{sys.version_info[0]}.{sys.version_info[1]}"


def test_the_nearest_version_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    minor = sys.version_info[1]
    there = tuple(
        Interpreter(Path(f"python3.{number}"), (3, number, micro))
        for number in (minor - 3, minor - 2, minor + 2, minor + 3)
        for micro in (0, 1)
    )
    monkeypatch.setattr(machine, "interpreters", lambda: there)
    wish = PythonRequirement(f"!=3.{minor}.*", "setup.py")
    assert choose_interpreter(wish).version == (3, minor + 2, 1)
    wish = PythonRequirement(f"<3.{minor}", "setup.py")
    assert choose_interpreter(wish).version == (3, minor - 2, 1)
    assert choose_minor(wish) == f"3.{minor - 1}"  # conda has them all


def test_where_none_fits_it_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "interpreters", lambda: (Interpreter(Path("python3"), (3, 9, 18)),))
    with pytest.raises(EnvironmentFailed) as caught:
        choose_interpreter(PythonRequirement(">=3.99", "pyproject.toml: project.requires-python"))
    words = str(caught.value)
    assert "needs Python >=3.99 (pyproject.toml: project.requires-python)" in words
    assert "there is: 3.9.18." in words
    with pytest.raises(EnvironmentFailed, match=r"no Python 3 is Python 2\.7"):
        choose_minor(PythonRequirement("2.7", "environment.yml: dependencies"))


def test_programs_that_are_no_usable_python_are_not_taken(tmp_path: Path) -> None:
    for name, words in {
        "python3.9": "exit 127",
        "python3.10": "echo 3.10",
        "python3.12": "echo three x y z",
    }.items():
        (tmp_path / name).write_text(f"#!/bin/sh\n{words}\n")
        (tmp_path / name).chmod(0o755)
    (tmp_path / "python3").symlink_to(sys.executable)
    (tmp_path / "python3.11").symlink_to("nowhere")
    found = machine._interpreters(str(tmp_path), str(tmp_path / "pyenv"), tmp_path)
    assert [one.version for one in found] == [sys.version_info[:3]]
