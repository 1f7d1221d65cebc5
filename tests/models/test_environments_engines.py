"""Environments of conda and images of Docker, with stand-ins for the programs, and with the real ones."""

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from forequake.config.model_specs import Build
from forequake.errors import EnvironmentFailed, EnvironmentUnavailable
from forequake.models.environments import BuiltEnvironment, Invocation, prepare_environment
from tests.models.environment_standins import CONDA, DOCKER, install

MINOR = f"{sys.version_info[0]}.{sys.version_info[1]}"


@dataclass
class Desk:
    """A model, a shelf, and a folder of programs that is first on PATH."""

    folder: Path
    said: list[str]

    @property
    def tree(self) -> str:
        return "0" * 64

    @property
    def programs(self) -> Path:
        return self.folder.parent / "programs"

    @property
    def shelf(self) -> Path:
        return self.folder.parent / "shelf"

    def prepare(self, build: Build, *, force: bool = False, seconds: float = 60.0) -> BuiltEnvironment:
        return prepare_environment(
            build, self, force=force, shelf=self.shelf, seconds=seconds, say=self.said.append
        )

    def calls(self) -> list[list[str]]:
        file = self.programs / "calls"
        return [json.loads(line) for line in file.read_text().splitlines()] if file.exists() else []

    def left(self) -> list[str]:
        """Give what of builds lies on the shelf."""
        return sorted(path.name[0] for path in self.shelf.glob("*/*/x*"))


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    (tmp_path / "model").mkdir()
    (tmp_path / "programs").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path / 'programs'}:/usr/bin:/bin")
    return Desk(tmp_path / "model", [])


@pytest.mark.parametrize(
    ("build", "there", "used"),
    [
        ("conda", ["conda"], "conda"),
        ("conda", ["conda", "micromamba"], "micromamba"),
        ("conda", ["conda", "micromamba", "mamba"], "mamba"),
        ("micromamba", ["conda", "micromamba", "mamba"], "micromamba"),
    ],
)
def test_whichever_program_is_there(desk: Desk, build: Build, there: list[str], used: str) -> None:
    install(CONDA, desk.programs, *there)
    environment = desk.prepare(build)
    assert [call[0] for call in desk.calls()] == [used]
    assert environment.packages == {"python": "3.11.7", "libgfortran": "13.2.0"}
    assert yaml.safe_load((desk.programs / "spec.yml").read_text()) == {
        "channels": ["conda-forge"],
        "dependencies": [f"python={MINOR}", "pip"],
    }
    assert desk.prepare(build) == BuiltEnvironment(**{**vars(environment), "seconds": None})
    assert len(desk.calls()) == 1, "it is built once"


def test_the_model_says_what_it_needs(desk: Desk) -> None:
    install(CONDA, desk.programs, "conda")
    (desk.folder / "environment.yml").write_text(
        "name: theirs\nprefix: /theirs\nchannels: [conda-forge, bioconda]\n"
        "dependencies: [numpy=2, python, {pip: [-e ., obspy]}, with-activation]\n"
    )
    (desk.folder / "setup.py").write_text("from setuptools import setup\nsetup()")
    environment = desk.prepare("conda")
    assert yaml.safe_load((desk.programs / "spec.yml").read_text()) == {
        "channels": ["conda-forge", "bioconda"],
        "dependencies": ["numpy=2", "with-activation", f"python={MINOR}", "pip", {"pip": ["obspy"]}],
    }
    assert environment.packages["tiny-model"] == "1.0", "the source is installed, too"
    assert environment.prefix is not None
    words = next(environment.prefix.glob("lib/*/site-packages/*/WORDS")).read_text()
    assert words == "install --no-input --disable-pip-version-check ."
    program = str(desk.programs / "conda")
    assert environment.runner == (program, "run", "--no-capture-output", "-p", str(environment.prefix))
    assert environment.runner == desk.prepare("conda").runner


def test_a_command_runs_in_it(desk: Desk) -> None:
    install(CONDA, desk.programs, "micromamba")
    environment = desk.prepare("micromamba")
    words = "import sys; print(sys.prefix)"
    invocation = Invocation(("python", "-c", words), {"PATH": "/bin"}, desk.folder, desk.folder, "r")
    command = environment.command(invocation)
    told = subprocess.run(
        command.argv, env=dict(command.variables), capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == str(environment.prefix)


@pytest.mark.parametrize(
    ("package", "error", "words"),
    [
        ("no-such-package", EnvironmentFailed, "ResolvePackageNotFound"),
        ("be-offline", EnvironmentUnavailable, r"https://\*\*\*@conda\.example\.org/t/\*\*\*/linux-64"),
        ("hang", EnvironmentFailed, "did not end in time"),
    ],
)
def test_what_conda_says_is_told(
    desk: Desk, package: str, error: type[EnvironmentFailed], words: str
) -> None:
    install(CONDA, desk.programs, "conda")
    (desk.folder / "environment.yml").write_text(f"dependencies: [python, {package}]")
    with pytest.raises(error, match=words) as caught:
        desk.prepare("conda", seconds=1.0 if package == "hang" else 60.0)
    assert caught.type is error
    assert "s3cret" not in str(caught.value) + caught.value.output
    assert desk.left() == []
    (desk.folder / "environment.yml").write_text("dependencies: [python]")
    assert desk.prepare("conda").seconds is not None


def test_a_forced_build_that_fails_harms_nothing(desk: Desk) -> None:
    install(CONDA, desk.programs, "conda")
    before = desk.prepare("conda")
    (desk.programs / "down").touch()
    with pytest.raises(EnvironmentUnavailable, match="CONNECTION FAILED"):
        desk.prepare("conda", force=True)
    assert desk.prepare("conda").prefix == before.prefix
    (desk.programs / "down").unlink()
    after = desk.prepare("conda", force=True)
    assert after.prefix != before.prefix
    assert before.prefix is not None
    assert before.prefix.exists(), "a model may still run in it"
    assert len(desk.left()) == 2
    former = before.prefix
    del before, after  # a process that has an environment in hand keeps its folder
    desk.prepare("conda", force=True)
    assert not former.exists()


def test_without_conda_it_is_said(desk: Desk) -> None:
    with pytest.raises(EnvironmentFailed, match="none of mamba, micromamba, conda is on PATH"):
        desk.prepare("conda")


def _dockerfile(desk: Desk, text: str) -> None:
    install(DOCKER, desk.programs, "docker")
    (desk.folder / "Dockerfile").write_text(text)


def test_an_image(desk: Desk) -> None:
    _dockerfile(desk, "FROM python:3.11\nCOPY . .\n")
    environment = desk.prepare("docker")
    assert environment.image_digest is not None
    about = json.loads((desk.programs / "images" / environment.image_digest).read_text())
    assert about["tag"] == f"forequake/model:{environment.key[:16]}"
    assert about["label"] == f"forequake.environment={environment.key}"
    assert environment.python == ".".join(map(str, sys.version_info[:3]))
    assert environment.prefix is None
    command = environment.command(Invocation((), {}, desk.folder, desk.folder, "r1"))
    assert command.argv[-1] == environment.image_digest
    assert command.variables["PATH"] == os.environ["PATH"]
    assert desk.prepare("docker").image_digest == environment.image_digest
    assert [call[1] for call in desk.calls()] == ["build", "run", "image"]
    forced = desk.prepare("docker", force=True)
    assert forced.image_digest not in {None, environment.image_digest}
    assert {"--no-cache", "--pull"} <= set(desk.calls()[3])


def test_an_image_without_python(desk: Desk) -> None:
    _dockerfile(desk, "FROM r-base:4\n")
    environment = desk.prepare("docker")
    assert environment.python is None
    assert environment.packages == {}
    assert environment.image_digest is not None


def test_an_image_that_is_gone_is_built_again(desk: Desk) -> None:
    _dockerfile(desk, "FROM r-base:4\n")
    digest = desk.prepare("docker").image_digest
    (desk.programs / "images" / str(digest)).unlink()
    assert desk.prepare("docker").seconds is not None
    assert "the environment (docker) does not run any more; it is built again" in desk.said


@pytest.mark.parametrize(
    ("text", "error", "words"),
    [
        (
            "FROM x\nRUN make",
            EnvironmentFailed,
            r"docker build ended with exit code 1\. The end .*\n.*\n.*No rule to make",
        ),
        ("FROM be-offline", EnvironmentUnavailable, "no such host"),
        ("FROM hang", EnvironmentFailed, "did not end in time"),
    ],
)
def test_what_docker_says_is_told(desk: Desk, text: str, error: type[EnvironmentFailed], words: str) -> None:
    _dockerfile(desk, text)
    with pytest.raises(error, match=words) as caught:
        desk.prepare("docker", seconds=1.0 if "hang" in text else 60.0)
    assert caught.type is error
    assert desk.left() == []


def test_an_engine_that_is_down_is_no_lost_image(desk: Desk) -> None:
    _dockerfile(desk, "FROM r-base:4\n")
    built = desk.prepare("docker")
    (desk.programs / "down").touch()
    with pytest.raises(EnvironmentUnavailable, match="Cannot connect to the Docker daemon"):
        desk.prepare("docker")
    (desk.programs / "down").unlink()
    assert desk.prepare("docker").image_digest == built.image_digest


def _real_engine(*names: str) -> str:
    """Give a real program that answers; else skip, with words in the summary."""
    for name in names:
        program = shutil.which(name)
        if program is not None and subprocess.run([program, "info"], capture_output=True).returncode == 0:
            return name
    told = f"UNVERIFIED: no {' or '.join(names)} answers here; only stand-ins of them were tested"
    pytest.skip(told)


@pytest.mark.engines
@pytest.mark.slow
def test_a_real_conda(tmp_path: Path) -> None:
    _real_engine("mamba", "micromamba", "conda")
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "environment.yml").write_text("dependencies: [zlib]")
    desk = Desk(tmp_path / "model", [])
    environment = desk.prepare("conda", seconds=1200)
    assert {"python", "pip", "zlib"} <= set(environment.packages)
    words = ("python", "-c", "import sys; print(sys.prefix)")
    command = environment.command(Invocation(words, {"PATH": "/usr/bin:/bin"}, desk.folder, desk.folder, "r"))
    told = subprocess.run(
        command.argv, env=dict(command.variables), capture_output=True, text=True, check=True
    )
    assert told.stdout.strip() == str(environment.prefix)
    assert desk.prepare("conda").seconds is None


@pytest.mark.engines
@pytest.mark.slow
def test_a_real_docker(tmp_path: Path) -> None:
    _real_engine("docker")
    for name in ("model", "run", "run/input", "run/forecasts"):
        (tmp_path / name).mkdir()
    (tmp_path / "model" / "Dockerfile").write_text("FROM python:3.11-slim\n")
    desk = Desk(tmp_path / "model", [])
    environment = desk.prepare("docker", seconds=1200)
    assert environment.image_digest is not None
    assert str(environment.python).startswith("3.11.")
    words = "from pathlib import Path; Path('/app/forecasts/f').touch(); Path('/forequake/run/g').touch()"
    invocation = Invocation(
        ("python", "-c", words),
        {},
        tmp_path / "run",
        tmp_path / "model",
        f"test-{os.getpid()}",
        user=(os.getuid(), os.getgid()),
        memory_mb=256,
        processes=64,
    )
    command = environment.command(invocation)
    subprocess.run(command.argv, env=dict(command.variables), check=True)
    assert (tmp_path / "run" / "forecasts" / "f").is_file()
    assert (tmp_path / "run" / "g").is_file()
