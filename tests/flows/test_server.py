"""The local Prefect server itself: started once, found again, killed, stopped without losing a task run."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from flows._processes import end_process
from flows._server import ApiEndpoint, _await_health, ensure_api, server_status, stop_server
from flows._server_state import ServerFiles, ServerState
from forequake.environment import process_start
from forequake.errors import ServerError

pytestmark = pytest.mark.prefect

_TASKS = 200
_ENSURE = """
import json, sys
from flows._server import ensure_api
endpoint = ensure_api(lambda text: print(text, file=sys.stderr))
print(json.dumps([endpoint.url, endpoint.started, endpoint.local, "prefect" in sys.modules]))
"""
_FLOW = f"""
from flows._server import ensure_api
ensure_api(print)
from prefect import flow, task

@task
def count(number: int) -> int:
    return number

@flow
def many() -> int:
    return sum(future.result() for future in count.map(range({_TASKS})))

assert many() == sum(range({_TASKS}))
"""


def _end_server() -> None:
    state = ServerFiles.of_user().read()
    if state is not None:
        end_process(state.pid, state.start, 10)


@pytest.fixture(scope="module")
def data_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A user's data folder of our own, with a space in its name, in which no server is left at the end."""
    folder = tmp_path_factory.mktemp("data of a user")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_DATA_HOME", str(folder))
        yield folder
        _end_server()


@pytest.fixture(autouse=True)
def own_data(data_folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Use that folder, and take back what `ensure_api` sets in this process."""
    before = dict(os.environ)
    monkeypatch.setenv("XDG_DATA_HOME", str(data_folder))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    yield
    os.environ.clear()
    os.environ.update(before)


def _ensure() -> ApiEndpoint:
    return ensure_api(lambda _: None)


def _pid() -> int:
    state = ServerFiles.of_user().read()
    assert state is not None
    return state.pid


def test_two_at_once_start_one_server_and_a_third_finds_it() -> None:
    commands = [
        subprocess.Popen([sys.executable, "-c", _ENSURE], stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    answers = [json.loads(command.communicate(timeout=120)[0]) for command in commands]
    assert answers[0][0] == answers[1][0]
    assert sorted(answer[1] for answer in answers) == [False, True]
    assert [answer[2:] for answer in answers] == [[True, False], [True, False]]  # local, Prefect not imported

    pid = _pid()
    endpoint = _ensure()
    assert (endpoint.url, endpoint.started, _pid()) == (answers[0][0], False, pid)
    assert os.environ["PREFECT_API_URL"] == endpoint.url
    assert _ensure() == endpoint  # now that PREFECT_API_URL names our own
    status = server_status()
    assert (status.running, status.url, status.pid) == (True, endpoint.url, pid)
    assert (status.home / "prefect.db").is_file()


def test_the_user_interface_asks_the_right_port() -> None:
    endpoint = _ensure()
    base = endpoint.url.removesuffix("/api")
    settings = httpx.get(f"{base}/ui-settings", trust_env=False, follow_redirects=True)
    assert settings.json()["api_url"] == endpoint.url


def test_a_killed_server_is_started_again() -> None:
    _ensure()
    pid = _pid()
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while process_start(pid) is not None and time.monotonic() < deadline:
        time.sleep(0.01)
    assert not server_status().running
    again = _ensure()
    # At the same address, unless another program of this machine has taken the port meanwhile.
    assert again.started
    assert server_status().url == again.url
    assert _pid() != pid


def test_a_server_that_is_stopped_right_after_a_flow_has_recorded_all_its_tasks(tmp_path: Path) -> None:
    script = tmp_path / "many.py"
    script.write_text(_FLOW)
    _ensure()
    pid = _pid()
    done = subprocess.run([sys.executable, str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert stop_server()
    assert process_start(pid) is None
    assert not server_status().running
    assert stop_server() is False

    endpoint = _ensure()
    answer = httpx.post(
        f"{endpoint.url}/task_runs/count",
        json={"task_runs": {"state": {"type": {"any_": ["COMPLETED"]}}}},
        trust_env=False,
    )
    assert answer.json() == _TASKS


def test_a_server_that_dies_at_its_start_shows_its_last_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    files = ServerFiles.of_user()
    (files.home / "prefect.db").mkdir(parents=True)  # a folder where the database should be
    with pytest.raises(ServerError, match=r"(?s)ended while it started.*unable to open database file"):
        _ensure()
    assert not server_status().running


def test_another_users_server_at_our_port_is_not_taken_for_ours(prefect_api: str, tmp_path: Path) -> None:
    # Two that start at once may ask for one port: the loser ends seconds after the other has answered.
    loser = subprocess.Popen(["sleep", "1.5"])
    port = int(prefect_api.rpartition(":")[2].removesuffix("/api"))
    state = ServerState(
        port=port, pid=loser.pid, start=process_start(loser.pid) or "", started_at=time.time()
    )
    assert httpx.get(f"{prefect_api}/health").json() is True
    assert not _await_health(state, tmp_path, 20, lambda _: None)
    loser.wait()
