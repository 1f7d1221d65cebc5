"""Real environments of `venv`, built by real pip without the network."""

import json
import os
import stat
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest

from forequake.errors import EnvironmentFailed, Interrupted
from forequake.models.environments import BuiltEnvironment, Invocation, environment_key, prepare_environment

_BACKEND = """
import pathlib, zipfile
def build_wheel(directory, config_settings=None, metadata_directory=None):
    desk = pathlib.Path(DESK)
    (desk / "builds").open("a").write("x")
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
print("loaded", flush=True)
sys.stdin.readline()
environment = desk.prepare(say=lambda words: print(words, flush=True))
print(json.dumps([str(environment.prefix), environment.seconds is not None]), flush=True)
"""


def _quiet(words: str) -> None:
    """Tell nobody."""


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

    def prepare(self, *, force: bool = False, say: Callable[[str], None] = _quiet) -> BuiltEnvironment:
        return prepare_environment("venv", self, force=force, shelf=self.place / "shelf", say=say)

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
def workers(desk: Desk) -> Iterator[list["subprocess.Popen[str]"]]:
    """Two processes that build when they are told to."""
    started = [
        subprocess.Popen(
            [sys.executable, "-c", _WORKER, desk.place],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    yield started
    for process in started:
        process.kill()
        process.communicate()


def _tell(process: "subprocess.Popen[str]") -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def _line(process: "subprocess.Popen[str]") -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def _wait_for(what: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not what() and time.monotonic() < ends:
        time.sleep(0.02)
    assert what()


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
def test_two_workers_and_one_is_killed(desk: Desk, workers: list["subprocess.Popen[str]"]) -> None:
    """One builds, the other waits; the first is killed, the second builds; then it is there for all."""
    _package(desk)
    before = _files(desk.folder)
    first, second = workers
    assert [_line(process) for process in workers] == ["loaded\n", "loaded\n"]
    _tell(first)
    assert _line(first).startswith("building the environment (venv, Python")
    _wait_for(lambda: any(map(_processes_that_name, desk.left())))
    (half,) = desk.left()
    _tell(second)
    assert _line(second).startswith("another process builds the environment (venv, Python")
    first.kill()
    first.wait()
    assert _line(second).startswith("building the environment")
    _wait_for(lambda: half not in desk.left())
    _wait_for(lambda: _processes_that_name(half) == [])
    prefix, was_built = json.loads(second.communicate(timeout=100)[0].splitlines()[-1])
    assert second.returncode == 0
    assert was_built
    assert _processes_that_name(desk.place) == []
    assert desk.left() == [Path(prefix).parent]
    assert list(desk.place.glob("shelf/*/*/programs/*")) == []

    environment = desk.prepare()
    assert (str(environment.prefix), environment.seconds) == (prefix, None)
    assert environment.packages["tiny-model"] == "1.0"
    assert environment.key == environment_key("venv", desk)
    assert desk.builds() == 1
    assert _files(desk.folder) == before, "the source is only read"
    assert not Path(prefix).with_name("source").exists()
    command = environment.command(
        Invocation(("tiny", "of tomorrow"), {"PATH": "/bin"}, desk.folder, desk.folder, "r")
    )
    program = Path(prefix, "bin", command.argv[0])
    told = subprocess.run(
        [program, *command.argv[1:]], env=dict(command.variables), capture_output=True, text=True
    )
    assert told.stdout == "forecast of tomorrow\n"


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
    del environment, again  # what is in use stays
    assert desk.prepare(say=said.append).seconds is not None
    assert len(desk.left()) == 1


def test_a_build_that_is_asked_to_stop(desk: Desk) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(Interrupted):
        prepare_environment("venv", desk, shelf=desk.place / "shelf", stop=stop, say=_quiet)
    assert desk.left() == []


def test_others_can_read_what_was_built(desk: Desk) -> None:
    before = os.umask(0o077)
    try:
        prefix = desk.prepare().prefix
    finally:
        os.umask(before)
    assert prefix is not None
    closed = [path for path in prefix.parent.rglob("*") if not path.stat().st_mode & stat.S_IROTH]
    assert closed == []
    assert (prefix / "bin").stat().st_mode & stat.S_IXOTH


def test_two_threads_build_once(desk: Desk) -> None:
    with ThreadPoolExecutor(4) as pool:
        built = list(pool.map(lambda _: desk.prepare(), range(4)))
    assert sum(environment.seconds is not None for environment in built) == 1
    assert len({environment.prefix for environment in built}) == 1


def test_a_shelf_that_cannot_be_is_named(desk: Desk) -> None:
    (desk.place / "shelf").write_text("a file")
    with pytest.raises(EnvironmentFailed, match=r"no environment can be built in .*shelf: "):
        desk.prepare()
