"""Pure parts of the local Prefect server: settings, files, processes, and what answers at an address."""

import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from flows._prefect_api import is_loopback, trouble_with, wait_until_recorded, without_password
from flows._processes import end_process, free_port, is_running, last_lines, locked, start_detached
from flows._server import ensure_api, server_status, stop_server
from flows._server_state import ServerFiles, ServerState, own_environment, server_environment
from forequake.environment import process_start
from forequake.errors import ServerError

_URL = "http://127.0.0.1:4999/api"


@contextmanager
def _serving(answers: dict[str, list[bytes]], status: int = 200) -> Iterator[str]:
    """Answer each path with its texts in turn, the last one for ever; give the address."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", "0")))
            texts = answers.get(self.path, [b"?"])
            text = texts.pop(0) if len(texts) > 1 else texts[0]
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        do_POST = do_GET

        def log_message(self, format: str, *args: object) -> None:
            """Say nothing."""

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/api"
        finally:
            server.shutdown()
            thread.join()


def _unused_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.fixture
def files(tmp_path: Path) -> ServerFiles:
    return ServerFiles(tmp_path / "a folder")


# --- what answers at an address -----------------------------------------------------------------------


def test_a_healthy_server_gives_no_trouble() -> None:
    with _serving({"/api/health": [b"true"]}) as url:
        assert trouble_with(url) is None


@pytest.mark.parametrize("answer", [b"false", b"<html>", b'{"status": "ok"}'])
def test_something_else_at_the_address_is_not_taken_for_prefect(answer: bytes) -> None:
    with _serving({"/api/health": [answer]}) as url:
        assert trouble_with(url) == "what answers there is not a Prefect server"


def test_an_error_status_is_named() -> None:
    with _serving({}, status=503) as url:
        assert trouble_with(url) == "it answers with HTTP status 503"


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:99999/api", "nonsense", "http://[::1/api", "ftp://127.0.0.1/"]
)
def test_an_address_that_is_none_is_trouble_and_no_crash(url: str) -> None:
    assert trouble_with(url)


def test_the_environments_proxy_is_not_asked_about_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{_unused_port()}")
    monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{_unused_port()}")
    with _serving({"/api/health": [b"true"]}) as url:
        assert trouble_with(url) is None


@pytest.mark.slow
def test_waiting_ends_once_the_counts_rest() -> None:
    counts = {
        "/api/flow_runs/count": [b"1", b"3", b"0", b"3", b"0"],
        "/api/task_runs/count": [b"2", b"40", b"0", b"55", b"0"],
    }
    with _serving(counts) as url:
        begin = time.monotonic()
        assert wait_until_recorded(url, 15)
        assert 1.5 <= time.monotonic() - begin < 5


def test_waiting_is_bounded_where_a_run_never_ends() -> None:
    with _serving({"/api/flow_runs/count": [b"1"], "/api/task_runs/count": [b"7"]}) as url:
        begin = time.monotonic()
        assert not wait_until_recorded(url, 0.5)
        assert time.monotonic() - begin < 3


def test_waiting_for_nobody_ends_at_once() -> None:
    assert not wait_until_recorded(f"http://127.0.0.1:{_unused_port()}/api", 15)


@pytest.mark.parametrize(
    ("url", "here"),
    [
        ("http://127.0.0.1:4200/api", True),
        ("http://localhost/api", True),
        ("http://[::1]:4200/api", True),
        ("https://prefect.example.org/api", False),
        ("http://[::1/api", False),
    ],
)
def test_loopback(url: str, here: bool) -> None:
    assert is_loopback(url) is here


def test_no_password_is_shown() -> None:
    assert without_password("at https://me:secret@h/api?key=1 x") == "at https://h/api x"


# --- settings and files -------------------------------------------------------------------------------


def test_the_server_inherits_no_setting_of_another_one(files: ServerFiles) -> None:
    inherited = {
        "PATH": "/bin",
        "PREFECT_SERVER_DATABASE_CONNECTION_URL": "postgresql://elsewhere",
        "PREFECT_PROFILE": "work",
        "PREFECT_API_KEY": "secret",
    }
    given = server_environment(files, _URL, inherited)
    assert given["PATH"] == "/bin"
    assert not given.keys() & {"PREFECT_SERVER_DATABASE_CONNECTION_URL", "PREFECT_PROFILE", "PREFECT_API_KEY"}
    assert given["PREFECT_HOME"] == str(files.home)
    assert given["PREFECT_SERVER_UI_API_URL"] == _URL
    assert given["PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED"] == "false"


def test_this_machine_is_reached_without_a_proxy(files: ServerFiles) -> None:
    given = own_environment(files, _URL, {"NO_PROXY": "example.org, localhost"})
    assert given["NO_PROXY"] == "example.org,localhost,127.0.0.1"
    assert given["no_proxy"] == "127.0.0.1,localhost"
    assert given["PREFECT_API_URL"] == _URL


def test_state_comes_back_as_it_was_written(files: ServerFiles) -> None:
    assert files.read() is None
    files.folder.mkdir()
    state = ServerState(port=4207, pid=12, start="345", started_at=1.5)
    files.write(state)
    assert files.read() == state
    assert state.url == "http://127.0.0.1:4207/api"


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"port": 1}', json.dumps({"port": 0, "pid": 1, "start": ""})]
)
def test_a_state_file_that_makes_no_sense_is_none(files: ServerFiles, text: str) -> None:
    files.folder.mkdir()
    files.state.write_text(text)
    assert files.read() is None


def test_a_long_log_is_emptied_and_a_short_one_kept(files: ServerFiles) -> None:
    files.folder.mkdir()
    files.cut_log(5)
    files.log.write_text("12345")
    files.cut_log(5)
    assert files.log.read_text() == "12345"
    files.log.write_text("123456")
    files.cut_log(5)
    assert files.log.read_text() == ""


def test_a_stale_state_is_recognised(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The number belongs to another process by now, this one, which must survive."""
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    files = ServerFiles.of_user()
    assert files.folder.is_relative_to(tmp_path)
    files.folder.mkdir(parents=True)
    files.write(ServerState(port=_unused_port(), pid=os.getpid(), start="1", started_at=0))
    status = server_status()
    assert not status.running
    assert status.pid is None
    assert stop_server() is False


def test_nothing_is_made_where_only_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "new"))
    assert not server_status().running
    assert stop_server() is False
    assert not (tmp_path / "new").exists()


def test_a_named_server_that_is_down_is_an_error_that_helps(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    port = _unused_port()
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    monkeypatch.setenv("PREFECT_API_URL", f"http://me:secret@127.0.0.1:{port}/api")
    with pytest.raises(ServerError) as caught:
        ensure_api(lambda _: None)
    message = str(caught.value)
    assert f"http://127.0.0.1:{port}/api" in message
    assert "unset PREFECT_API_URL" in message
    assert "secret" not in message


def test_a_named_server_that_answers_is_used_as_it_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    before = os.environ.get("PREFECT_HOME")
    with _serving({"/api/health": [b"true"]}) as url:
        monkeypatch.setenv("PREFECT_API_URL", url)
        endpoint = ensure_api(lambda _: None)
    assert (endpoint.url, endpoint.started, endpoint.local) == (url, False, False)
    assert os.environ.get("PREFECT_HOME") == before
    assert not list(tmp_path.iterdir())


def test_a_folder_that_cannot_be_made_is_an_error_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "file"))
    monkeypatch.delenv("PREFECT_API_URL", raising=False)
    with pytest.raises(ServerError, match=r"file/forequake/prefect"):
        ensure_api(lambda _: None)


# --- processes ----------------------------------------------------------------------------------------


def _started(tmp_path: Path, code: str) -> tuple[int, str, Path]:
    log = tmp_path / "log"
    log.write_text("of an earlier start\n")
    number = start_detached([sys.executable, "-c", code], os.environ, tmp_path, log)
    start = process_start(number)
    assert start is not None
    deadline = time.monotonic() + 10
    while "ready" not in log.read_text() and time.monotonic() < deadline:
        time.sleep(0.01)
    return number, start, log


def test_a_detached_process_has_its_own_session_and_an_empty_log(tmp_path: Path) -> None:
    number, start, log = _started(tmp_path, "import time; print('ready', flush=True); time.sleep(60)")
    assert log.read_text() == "ready\n"
    assert os.getsid(number) == number
    assert is_running(number, start)
    end_process(number, start, 5)
    assert not is_running(number, start)
    assert "KeyboardInterrupt" in last_lines(log, 1)


def test_a_process_that_ignores_the_interrupt_is_killed_after_its_grace(tmp_path: Path) -> None:
    code = "import signal,time; signal.signal(2, signal.SIG_IGN); print('ready', flush=True); time.sleep(60)"
    number, start, _ = _started(tmp_path, code)
    begin = time.monotonic()
    end_process(number, start, 0.3)
    assert 0.3 <= time.monotonic() - begin < 5
    assert not is_running(number, start)


def test_a_process_with_another_start_is_left_alone(tmp_path: Path) -> None:
    number, start, _ = _started(tmp_path, "import time; print('ready', flush=True); time.sleep(60)")
    end_process(number, str(int(start) - 1), 0.1)
    assert is_running(number, start)
    end_process(number, start, 5)


def test_the_preferred_port_is_given_where_it_is_free() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = int(taken.getsockname()[1])
        assert free_port(port) not in {port, 0}
    assert free_port(port) == port


def test_the_lock_is_given_back_by_a_killed_process(tmp_path: Path) -> None:
    file = tmp_path / "lock"
    code = (
        "import sys, pathlib; from flows._processes import locked\n"
        "with locked(pathlib.Path(sys.argv[1]), lambda: None, 1): print('held', flush=True); input()"
    )
    waited: list[str] = []
    with subprocess.Popen(
        [sys.executable, "-c", code, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        with pytest.raises(TimeoutError), locked(file, lambda: waited.append("once"), 0.3):
            pytest.fail("two hold the lock")
        holder.send_signal(signal.SIGKILL)
    with locked(file, lambda: waited.append("again"), 5):
        assert waited == ["once"]


def test_last_lines_are_those_that_say_something(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert last_lines(log, 2) == ""
    log.write_text("a\nb\n\n  \nc\n\n")
    assert last_lines(log, 2) == "b\nc"
