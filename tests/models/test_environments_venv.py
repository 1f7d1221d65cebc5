"""Real environments of `venv`, built by real pip without the network."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from forequake.errors import EnvironmentFailed
from forequake.models.environments import BuiltEnvironment, Invocation, environment_key, prepare_environment

_BACKEND = """
import pathlib, sys, time, zipfile
def build_wheel(directory, config_settings=None, metadata_directory=None):
    desk = pathlib.Path(DESK)
    (desk / "builds").open("a").write("x")
    while (desk / "hang").exists():
        time.sleep(0.02)
    if (desk / "break").exists():
        sys.exit("error: no compiler at https://me:s3cret@example.org/gcc")
    name = "tiny_model-1.0-py3-none-any.whl"
    files = {
        "tiny_model.py": "import sys\\ndef main():\\n    print('forecast', *sys.argv[1:])\\n",
        "tiny_model-1.0.dist-info/METADATA": "Metadata-Version: 2.1\\nName: tiny-model\\nVersion: 1.0\\n",
        "tiny_model-1.0.dist-info/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        "tiny_model-1.0.dist-info/entry_points.txt": "[console_scripts]\\ntiny = tiny_model:main\\n",
        "tiny_model-1.0.dist-info/RECORD": "",
    }
    with zipfile.ZipFile(pathlib.Path(directory, name), "w") as wheel:
        for path, content in files.items():
            wheel.writestr(path, content)
    pathlib.Path("left-beside-the-source").touch()
    return name
"""
#: Builds in a process of its own, and tells what it says and what came of it.
_WORKER = """
import json, sys
from pathlib import Path
from tests.models.test_environments_venv import Desk
desk = Desk(Path(sys.argv[1]))
environment = desk.prepare(say=lambda words: print(words, flush=True))
print(json.dumps([str(environment.prefix), environment.seconds is not None]), flush=True)
"""


@dataclass(frozen=True)
class Desk:
    """A model, and a shelf."""

    place: Path

    @property
    def folder(self) -> Path:
        return self.place / "model"

    @property
    def tree(self) -> str:
        return "0" * 64

    def prepare(self, *, force: bool = False, say: "object" = None) -> BuiltEnvironment:
        told = say if callable(say) else lambda words: None
        return prepare_environment("venv", self, force=force, shelf=self.place / "shelf", say=told)

    def left(self) -> list[Path]:
        """List the environments that lie on the shelf, whole or not."""
        return sorted(self.place.glob("shelf/*/*/x*"))

    def builds(self) -> int:
        file = self.place / "builds"
        return len(file.read_text()) if file.exists() else 0


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Desk:
    monkeypatch.setenv("PIP_NO_INDEX", "1")  # nothing here needs the network, nor may use it
    (tmp_path / "model").mkdir()
    return Desk(tmp_path)


def _package(desk: Desk) -> None:
    """Make the model a package that builds itself: no download of a builder."""
    (desk.folder / "pyproject.toml").write_text(
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
        '[project]\nname = "tiny-model"\nversion = "1.0"\nrequires-python = ">=3.8"\n'
    )
    (desk.folder / "backend.py").write_text(f"DESK = {str(desk.place)!r}\n{_BACKEND}")
    (desk.folder / "requirements.txt").write_text("-e .\n")
    for path in (*desk.folder.iterdir(), desk.folder):
        path.chmod(0o555 if path.is_dir() else 0o444)


def _files(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


@pytest.fixture
def worker(desk: Desk) -> Iterator[list["subprocess.Popen[str]"]]:
    workers: list[subprocess.Popen[str]] = []
    yield workers
    for process in workers:
        process.kill()
        process.communicate()


def _start(desk: Desk, workers: list["subprocess.Popen[str]"]) -> "subprocess.Popen[str]":
    workers.append(
        subprocess.Popen(
            [sys.executable, "-c", _WORKER, desk.place], stdout=subprocess.PIPE, text=True, cwd=Path.cwd()
        )
    )
    return workers[-1]


def _wait_for(what: "object", seconds: float = 60.0) -> None:
    ends = time.monotonic() + seconds
    while not what() and time.monotonic() < ends:  # type: ignore[operator]
        time.sleep(0.02)
    assert what()  # type: ignore[operator]


def _processes_that_name(place: Path) -> list[int]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if str(place).encode() in (process / "cmdline").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue
    return [number for number in found if number != os.getpid()]


@pytest.mark.slow
def test_one_life_of_an_environment(desk: Desk, worker: list["subprocess.Popen[str]"]) -> None:
    """Two workers at once, the one that builds is killed, the other builds; used, changed, broken, forced."""
    _package(desk)
    before = _files(desk.folder)
    (desk.place / "hang").touch()
    first = _start(desk, worker)
    _wait_for(lambda: desk.builds() == 1)
    second = _start(desk, worker)
    assert second.stdout is not None
    assert "another process builds the environment (venv, Python" in second.stdout.readline()
    (half,) = desk.left()
    assert _processes_that_name(half), "the first one is at work"
    os.kill(first.pid, signal.SIGKILL)
    first.wait()
    assert second.stdout.readline().startswith("building the environment")
    _wait_for(lambda: desk.builds() == 2)
    assert _processes_that_name(half) == [], "the killed one's pip has gone"
    assert len(desk.left()) == 1, "and what it left"
    assert not half.exists()
    (desk.place / "hang").unlink()
    prefix, was_built = json.loads(second.communicate(timeout=60)[0].splitlines()[-1])
    assert second.returncode == 0
    assert was_built
    assert _processes_that_name(desk.place) == []

    environment = desk.prepare()
    assert (str(environment.prefix), environment.seconds) == (prefix, None)
    assert environment.packages["tiny-model"] == "1.0"
    assert environment.key == environment_key("venv", desk)
    assert desk.builds() == 2, "it is built once"
    assert _files(desk.folder) == before, "the source is only read"
    command = environment.command(
        Invocation(("tiny", "of tomorrow"), {"PATH": "/bin"}, desk.folder, desk.folder, "r")
    )
    program = Path(prefix, "bin", command.argv[0])
    told = subprocess.run(
        [program, *command.argv[1:]], env=dict(command.variables), capture_output=True, text=True
    )
    assert told.stdout == "forecast of tomorrow\n"
    assert not list(Path(prefix).rglob("*.egg-link"))
    assert not Path(prefix).with_name("source").exists()

    (desk.place / "break").touch()
    with pytest.raises(EnvironmentFailed, match=r"pip install ended with exit code 1") as caught:
        desk.prepare(force=True)
    assert "error: no compiler at https://***@example.org/gcc" in str(caught.value)
    assert "s3cret" not in caught.value.output
    assert str(desk.prepare().prefix) == prefix, "the one that was there is not harmed"

    (desk.place / "break").unlink()
    forced = desk.prepare(force=True)
    assert str(forced.prefix) != prefix
    assert forced.packages == environment.packages
    assert Path(prefix).exists(), "a model may still run in it"


@pytest.mark.slow
def test_a_package_that_does_not_exist(desk: Desk) -> None:
    (desk.folder / "requirements.txt").write_text("forequake-has-no-such-package==1.0\n")
    with pytest.raises(EnvironmentFailed, match=r"(?s)pip install .*No matching distribution") as caught:
        desk.prepare()
    assert not caught.value.transient
    assert desk.left() == []


def test_a_model_that_needs_nothing(desk: Desk) -> None:
    """Nothing is installed, so there is no pip either; damage of any kind has it built again."""
    (desk.folder / "run.py").write_text("print('x')")
    said: list[str] = []
    environment = desk.prepare(say=said.append)
    assert environment.packages == {}
    assert environment.python == ".".join(map(str, sys.version_info[:3]))
    assert environment.prefix is not None
    minor = f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert said == [f"building the environment (venv, Python {minor})"]

    library = next(environment.prefix.glob("lib/python*/site-packages"))
    (library / "extra-1.0.dist-info").mkdir()
    (library / "extra-1.0.dist-info" / "METADATA").write_text("Name: extra\nVersion: 1.0\n")
    again = desk.prepare(say=said.append)
    assert "was changed after it was built; it is built again" in said[1]
    assert again.packages == {}

    assert again.prefix is not None
    (again.prefix / "bin" / "python").unlink()
    assert desk.prepare(say=said.append).seconds is not None
    assert "does not run any more; it is built again" in said[3]

    ready = next(desk.place.glob("shelf/*/*/ready.json"))
    ready.write_text(ready.read_text()[:50])
    assert desk.prepare(say=said.append).seconds is not None
    assert len(desk.left()) == 1


def test_two_threads_build_once(desk: Desk) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(4) as pool:
        built = list(pool.map(lambda _: desk.prepare(), range(4)))
    assert sum(environment.seconds is not None for environment in built) == 1
    assert len({environment.prefix for environment in built}) == 1


def test_a_shelf_that_cannot_be_is_named(desk: Desk) -> None:
    (desk.place / "shelf").write_text("a file")
    with pytest.raises(EnvironmentFailed, match=r"no environment can be built in .*shelf: "):
        desk.prepare()
