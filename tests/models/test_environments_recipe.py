"""What decides an environment, and its key."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import pytest

from forequake.environment import record_environment
from forequake.errors import EnvironmentFailed
from forequake.models.environments import environment_key, prepare_environment
from forequake.models.environments.recipe import Recipe, RequirementsFile


@dataclass(frozen=True)
class Source:
    folder: Path
    tree: str = "0" * 64


def test_requirements_without_the_model_itself(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text(
        "numpy==2.0  # arrays\n-e .\n.[extra]\n--editable=./\n\n-e git+https://host/x.git#egg=x\n./part\n"
    )
    read = RequirementsFile.read(file)
    assert read.lines == ("numpy==2.0  # arrays", "", "-e git+https://host/x.git#egg=x", "./part")


def test_links_into_the_source_are_refused(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_text("numpy\n-e ./part\n")
    with pytest.raises(
        EnvironmentFailed, match=r"^requirements\.txt:2: '-e \./part' links .* write '\./part' alone"
    ):
        _ = Recipe(tmp_path).requirements


@pytest.mark.parametrize(
    ("text", "pinned"),
    [
        ("numpy==2.0\nscipy[all] == 1.1 ; python_version > '3'\n# words\n--no-index\n", True),
        ("numpy==2.*\n", False),
        ("numpy>=2.0\n", False),
        ("numpy==2.0\nscipy\n", False),
        ("", True),
    ],
)
def test_pins_are_recognised(tmp_path: Path, text: str, pinned: bool) -> None:
    (tmp_path / "requirements.txt").write_text(text)
    assert Recipe(tmp_path).pins() is pinned


@pytest.mark.parametrize(
    ("dependencies", "pinned"),
    [
        ("[python=3.11, numpy==2.0, 'scipy 1.14', {pip: [x]}]", True),
        ("[python=3.11, numpy]", False),
        ("['python>=3.11']", False),
        ("['numpy=2.*']", False),
    ],
)
def test_pins_of_conda_are_recognised(tmp_path: Path, dependencies: str, pinned: bool) -> None:
    (tmp_path / "environment.yml").write_text(f"dependencies: {dependencies}")
    assert Recipe(tmp_path).pins(conda=True) is pinned
    assert Recipe(tmp_path).pins(), "a venv is not made of it"


def test_requirements_that_are_no_text_are_named(tmp_path: Path) -> None:
    (tmp_path / "requirements.txt").write_bytes(b"caf\xe9==1")
    with pytest.raises(EnvironmentFailed, match=r"^requirements\.txt cannot be read"):
        _ = Recipe(tmp_path).requirements


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (
            "uv.lock",
            '[[package]]\nname="mine"\nversion="1"\nsource={editable="."}\n'
            '[[package]]\nname="numpy"\nversion="2.0"\nsource={registry="https://x"}\n'
            '[[package]]\nname="twice"\nversion="1"\n[[package]]\nname="twice"\nversion="2"\n',
        ),
        ("poetry.lock", '[[package]]\nname="numpy"\nversion="2.0"\n'),
        (
            "pylock.toml",
            '[[packages]]\nname="numpy"\nversion="2.0"\n[[packages]]\nname="mine"\nversion="1"\ndirectory={path="."}',
        ),
    ],
)
def test_lock_files_give_constraints(tmp_path: Path, name: str, text: str) -> None:
    (tmp_path / name).write_text(text)
    assert Recipe(tmp_path).constraints == ("numpy==2.0",)
    assert Recipe(tmp_path).pins()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ('[project]\nname = "my.model"', "my.model"),
        ("[project]", None),
        ("[project", None),
        ("project = 1", None),
    ],
)
def test_the_name_of_a_package(tmp_path: Path, text: str, name: str | None) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    assert Recipe(tmp_path).name == name


def test_a_broken_lock_is_named(tmp_path: Path) -> None:
    (tmp_path / "uv.lock").write_text("[[package")
    with pytest.raises(EnvironmentFailed, match=r"^uv\.lock cannot be read"):
        _ = Recipe(tmp_path).constraints


def _model(folder: Path) -> Path:
    folder.mkdir(parents=True)
    (folder / "run.py").write_text("print()")
    return folder


def test_keys_are_those_of_what_is_declared(tmp_path: Path) -> None:
    model = _model(tmp_path / "a")
    key = environment_key("venv", Source(model))
    elsewhere = tmp_path / "b" / "c"
    shutil.copytree(model, elsewhere)
    assert environment_key("venv", Source(elsewhere)) == key, "a path is no part of it"
    assert environment_key("venv", Source(model, "1" * 64)) != key, "the source is"
    (model / "requirements.txt").write_text("numpy==2.0\n")
    pinned = environment_key("venv", Source(model))
    (model / "requirements.txt").write_text("numpy==2.1\n")
    assert len({key, pinned, environment_key("venv", Source(model))}) == 3, "and what it asks for"


def test_keys_know_python_and_the_kind_of_build(tmp_path: Path) -> None:
    model = _model(tmp_path / "a")
    (model / "environment.yml").write_text("dependencies: [python=3.10]")
    ten = environment_key("conda", Source(model))
    assert environment_key("micromamba", Source(model)) == ten, "the same environment by another program"
    (model / "Dockerfile").write_text("FROM scratch")
    image = environment_key("docker", Source(model))
    (model / "Dockerfile").write_text("FROM python")
    assert len({ten, image, environment_key("docker", Source(model))}) == 3
    assert environment_key("conda", Source(model)) == ten, "the Dockerfile says nothing about it"


def test_keys_do_not_change() -> None:
    """A change of these texts computes all forecasts of all models again."""
    from forequake.models.environments.built import EnvironmentInputs

    inputs = EnvironmentInputs(
        build="venv", minor="3.11", files={"requirements.txt": "a" * 64}, tree="b" * 64, packages=None
    )
    assert inputs.canon == (
        '{"in":{"build":"venv","files":{"requirements.txt":"'
        + "a" * 64
        + '"},"minor":"3.11","packages":null,'
        '"tree":"' + "b" * 64 + '"},"v":1,"what":"model_environment"}'
    )


def test_no_build_is_the_running_environment(tmp_path: Path) -> None:
    model = Source(_model(tmp_path / "a"))
    environment = prepare_environment(None, model, say=pytest.fail)
    assert environment.key == environment_key(None, model)
    assert environment_key(None, Source(model.folder, "1" * 64)) == environment.key
    assert environment.packages == record_environment().packages
    assert environment.python == record_environment().python


def test_another_python_than_the_running_one_is_said(tmp_path: Path) -> None:
    model = _model(tmp_path / "a")
    (model / "pyproject.toml").write_text('[project]\nrequires-python = "==3.8.*"')
    said: list[str] = []
    prepare_environment(None, Source(model), say=said.append)
    assert len(said) == 1
    assert "asks for Python ==3.8.* (pyproject.toml: project.requires-python), and runs in" in said[0]


def test_docker_needs_a_dockerfile(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailed, match="no Dockerfile"):
        environment_key("docker", Source(_model(tmp_path / "a")))
