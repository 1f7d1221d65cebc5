"""Words that the command does not know: exit code 2 and a hint, never a traceback."""

import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from forequake.environment import process_owner, process_start
from stores import open_store
from stores.testing import sample_experiment, sample_run

pytestmark = pytest.mark.slow  # a process for each call

COMMAND = Path(sys.executable).with_name("forequake")
CALIFORNIA = str(Path(__file__).parents[2] / "examples" / "california")


@pytest.mark.parametrize(
    ("words", "hint"),
    [
        (["--nope"], "--nope"),
        (["runn"], "run"),
        (["run"], "config"),
        (["results", "california", "--format", "xml"], "xml"),
        (["dashboard", "--port", "0"], "--port"),
    ],
)
def test_a_word_that_there_is_not_is_the_users_mistake(words: list[str], hint: str) -> None:
    ended = subprocess.run([COMMAND, *words], capture_output=True, text=True)
    assert ended.returncode == 2
    assert hint in ended.stderr
    assert "Traceback" not in ended.stderr


@pytest.mark.parametrize("words", [["--help"], ["run", "--help"], ["server", "--help"], ["--version"]])
def test_help_is_no_mistake(words: list[str]) -> None:
    ended = subprocess.run([COMMAND, *words], capture_output=True, text=True)
    assert ended.returncode == 0
    assert "forequake" in ended.stdout


@pytest.mark.parametrize(
    ("words", "code"),
    [(["plan", CALIFORNIA], 0), (["results", "california"], 2), (["status"], 0), (["status", "x"], 2)],
)
def test_looking_at_a_store_that_is_not_there_makes_none(tmp_path: Path, words: list[str], code: int) -> None:
    arguments = [str(COMMAND), *words, "--store", f"sqlite:///{tmp_path / 'typo.sqlite'}"]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert (done.returncode, "Traceback" in done.stderr) == (code, False)
    assert "typo.sqlite" in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_wait_for_a_store_is_said_and_a_copy_can_be_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = f"sqlite:///{tmp_path / 'source.sqlite'}"
    subprocess.run([COMMAND, "store", "init", "--store", source], check=True, capture_output=True, timeout=60)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv(
            "FOREQUAKE_STORE_AWAY", f"mongodb://ann:word@127.0.0.1:{silent.getsockname()[1]}/x"
        )
        copying = subprocess.Popen(
            [COMMAND, "store", "copy", source, "away"], stderr=subprocess.PIPE, text=True
        )
        assert copying.stderr is not None
        said = copying.stderr.readline()
        copying.send_signal(signal.SIGINT)
        ended = copying.communicate(timeout=60)[1]
    assert said.startswith("Waiting for mongodb://ann:***@")
    assert copying.returncode == 130
    assert ended == "Interrupted: what was copied is there, and the same command goes on from it.\n"


def test_a_run_whose_process_is_gone_is_shown_as_crashed(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    host, boot, *_ = process_owner().split("/")
    owner = f"{host}/{boot}/{dead.pid}/{process_start(dead.pid)}"
    dead.kill()
    dead.wait()
    url = f"sqlite:///{tmp_path / 'results.sqlite'}"
    experiment = sample_experiment("killed")
    with open_store(url) as store:
        store.put([experiment])
        store.begin_run(sample_run(experiment).model_copy(update={"owner": owner}))
    words = [str(COMMAND), "status", "killed", "--store", url]
    said = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout
    assert ("crashed" in said, "running" in said) == (True, False)
