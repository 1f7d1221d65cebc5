"""Foreign functions in a process of their own: every way in which a call can end, and that nothing stays."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from forequake.errors import Interrupted
from forequake.processes import Ending, FunctionProcess, Limits

ADAPTER = "def call(function, payload):\n    return function(**payload)\n"
CODE = b"""
import ctypes, os, random, signal, subprocess, sys, time
calls = []

def double(number):
    calls.append(number)
    print("printed", number)
    return [2 * number, len(calls)]

def raises():
    return inner()

def inner():
    raise ValueError("no such depth")

def leaves():
    sys.exit("enough")

def ends():
    os._exit(0)

def crashes():
    ctypes.string_at(0)

def sleeps(deaf=False):
    if deaf:
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
    print("asleep", flush=True)
    time.sleep(60)

def spins():
    while True:
        pass

def takes(megabytes):
    return len(bytearray(megabytes << 20))

def shares(megabytes):
    command = [sys.executable, "-c", f"x = bytearray({megabytes} << 20); import time; time.sleep(60)"]
    for _ in range(3):
        subprocess.Popen(command)
    time.sleep(60)

def multiplies():
    for _ in range(6):
        os.fork()
    time.sleep(60)

def leaves_behind(note):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            with open(note, "w") as file:
                file.write(str(os.getpid()))
            time.sleep(60)
        os._exit(0)
    while not os.path.exists(note):
        time.sleep(0.001)

def shouts():
    for _ in range(20000):
        print("x" * 100)
    print("the end")

def meddles():
    for descriptor in range(3, 20):
        try:
            os.write(descriptor, b"meddled\\n")
        except OSError:
            pass

def reads(name):
    with open(name) as file:
        return file.read()

def environment():
    return dict(os.environ)

def shuffled():
    return list({"a", "b", "c", "d", "e"})

def keeps(name, text):
    seen = os.path.exists(name)
    with open(name, "w") as file:
        file.write(text)
    return seen

def half():
    raise ValueError("half a character: \\udcff")
"""


@pytest.fixture(scope="module")
def adapter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("adapter") / "adapter.py"
    file.write_text(ADAPTER)
    return file


@pytest.fixture(scope="module")
def process(adapter: Path) -> Iterator[FunctionProcess]:
    files = {"mine/code.py": CODE, "mine/notes.txt": b"a note"}
    with FunctionProcess(files, "mine/code.py", adapter) as process:
        yield process


Run = Callable[..., Ending]


@pytest.fixture
def run(process: FunctionProcess) -> Run:
    def call(function: str, *, seconds: float = 20.0, memory_mb: int = 512, **payload: object) -> Ending:
        return process.call(function, payload, Limits(seconds, memory_mb))  # type: ignore[arg-type]

    return call


def test_a_call_answers_and_no_call_sees_another(run: Run) -> None:
    assert run("double", number=4) == Ending("answer", value=[8, 1], output="printed 4")
    assert run("double", number=5) == Ending("answer", value=[10, 1], output="printed 5")


def test_what_a_call_leaves_beside_its_file_no_other_call_sees(run: Run) -> None:
    assert run("keeps", name="cache.txt", text="1").value is False
    assert run("keeps", name="cache.txt", text="2").value is False


def test_halves_of_characters_become_question_marks(run: Run) -> None:
    assert run("half").detail == "ValueError: half a character: ?"


def test_an_error_has_the_lines_of_the_foreign_file_alone(run: Run) -> None:
    ending = run("raises")
    assert (ending.kind, ending.detail) == ("call", "ValueError: no such depth")
    assert ending.trace == (
        "mine/code.py:11, in raises: return inner()",
        'mine/code.py:14, in inner: raise ValueError("no such depth")',
    )


@pytest.mark.parametrize(
    ("function", "kind", "detail"),
    [
        ("leaves", "exit", "enough"),
        ("ends", "exit", "0"),
        ("crashes", "signal", "SIGSEGV"),
        ("meddles", "unreadable", 'meddled\n{"stage": "answer", "value": null}'),
        ("absent", "call", "AttributeError: module 'code' has no attribute 'absent'"),
    ],
)
def test_other_ends_are_told_apart(run: Run, function: str, kind: str, detail: str) -> None:
    ending = run(function)
    assert (ending.kind, ending.detail) == (kind, detail)


@pytest.mark.parametrize(("function", "payload"), [("sleeps", {}), ("spins", {})])
def test_a_call_that_takes_too_long_is_ended(run: Run, function: str, payload: dict[str, object]) -> None:
    began = time.monotonic()
    assert run(function, seconds=0.3, **payload).kind == "timeout"
    assert time.monotonic() - began < 2


def test_what_does_not_listen_is_killed(run: Run) -> None:
    ending = run("sleeps", seconds=0.3, deaf=True)
    assert (ending.kind, ending.output) == ("timeout", "asleep")


def test_memory_is_limited_for_each_process_and_for_all(run: Run) -> None:
    assert run("takes", megabytes=100).value == 100 << 20
    assert run("takes", megabytes=600).kind == "memory"
    assert run("shares", megabytes=250).kind == "memory"


def test_too_many_processes_are_ended(run: Run) -> None:
    assert run("multiplies", memory_mb=8192).kind == "processes"
    assert run("double", number=1).kind == "answer"


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell who left its parent")
def test_a_process_that_leaves_its_session_is_ended(run: Run, tmp_path: Path) -> None:
    note = tmp_path / "number"
    assert run("leaves_behind", note=str(note)).kind == "answer"
    assert not Path(f"/proc/{note.read_text()}").exists()


def test_only_the_end_of_what_is_printed_is_kept(run: Run) -> None:
    ending = run("shouts")
    assert ending.kind == "answer"
    assert ending.output.endswith("x\nthe end")
    assert len(ending.output) <= 8192


def test_declared_files_are_beside_it_and_no_others(run: Run) -> None:
    assert run("reads", name="notes.txt").value == "a note"
    ending = run("reads", name="other.txt")
    assert ending.detail.startswith("FileNotFoundError")


def test_the_environment_is_private_and_always_the_same(
    adapter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOREQUAKE_STORE", "mongodb://writer:geheim@localhost/forequake")
    monkeypatch.setenv("PREFECT_API_URL", "http://localhost:4200/api")
    orders = []
    for _ in range(2):
        with FunctionProcess({"code.py": CODE}, "code.py", adapter) as process:
            seen = process.call("environment", {}, Limits())
            orders.append(process.call("shuffled", {}, Limits()).value)
    assert isinstance(seen.value, dict)
    assert not [name for name in seen.value if name.startswith(("FOREQUAKE", "PREFECT", "PYTHONPATH"))]
    assert seen.value["OMP_NUM_THREADS"] == "1"
    assert orders[0] == orders[1]


def test_an_import_that_fails_says_where(adapter: Path) -> None:
    for code, detail, line in (
        (
            b"import os\nimport nosuchpackage\n",
            "ModuleNotFoundError",
            "mine.py:2, in <module>: import nosuchpackage",
        ),
        (b"def broken(:\n", "SyntaxError", "mine.py:1: def broken(:"),
    ):
        with FunctionProcess({"mine.py": code}, "mine.py", adapter, preload=["nosuchpackage"]) as process:
            ending = process.call("f", {}, Limits())
        assert (ending.kind, ending.detail.partition(":")[0]) == ("import", detail)
        assert ending.trace == (line,)


def test_a_lost_server_is_told_and_the_next_call_has_a_new_one(adapter: Path) -> None:
    code = (
        b"import os, signal, time\n"
        b"def kill():\n    os.kill(os.getppid(), signal.SIGKILL)\n    time.sleep(60)\n"
        b"def fine():\n    return 1\n"
    )
    with FunctionProcess({"mine.py": code}, "mine.py", adapter) as process:
        assert process.call("kill", {}, Limits()).kind == "lost"
        assert process.call("fine", {}, Limits()) == Ending("answer", value=1)
        folder = process.scratch.parent
    assert not folder.exists()


def test_a_request_to_stop_ends_the_call(adapter: Path) -> None:
    stop = threading.Event()
    with FunctionProcess({"code.py": CODE}, "code.py", adapter, stop=stop) as process:
        process.call("double", {"number": 1}, Limits())
        threading.Timer(0.2, stop.set).start()
        began = time.monotonic()
        with pytest.raises(Interrupted, match="was ended: the run was asked to stop"):
            process.call("sleeps", {}, Limits())
    assert time.monotonic() - began < 3


def test_threads_call_at_once(adapter: Path) -> None:
    values: list[object] = []

    def call(number: int) -> None:
        with FunctionProcess({"code.py": CODE}, "code.py", adapter) as process:
            values.append(process.call("double", {"number": number}, Limits()).value)

    threads = [threading.Thread(target=call, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(values) == [[0, 1], [2, 1], [4, 1]]  # type: ignore[type-var]


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_where_we_are_killed_nothing_stays(adapter: Path, tmp_path: Path) -> None:
    (tmp_path / "code.py").write_bytes(CODE)
    program = (
        "from pathlib import Path; from forequake.processes import FunctionProcess, Limits\n"
        f"code = Path({str(tmp_path / 'code.py')!r}).read_bytes()\n"
        f"process = FunctionProcess({{'code.py': code}}, 'code.py', Path({str(adapter)!r}))\n"
        "print(process.scratch.parent, flush=True)\n"
        "process.call('sleeps', {'deaf': True}, Limits())\n"
    )
    victim = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
    assert victim.stdout is not None
    folder = Path(victim.stdout.readline().strip())
    below = _below(victim.pid, 2)
    os.kill(victim.pid, signal.SIGKILL)
    victim.communicate()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline and (folder.exists() or any(_lives(number) for number in below)):
        time.sleep(0.02)
    assert not folder.exists()
    assert [number for number in below if _lives(number)] == []


def _below(number: int, count: int) -> list[int]:
    """Wait until a process has so many processes below it, and give them."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        found, ahead = [], [number]
        while ahead:
            children = Path(f"/proc/{ahead.pop()}/task").glob("*/children")
            new = [int(word) for file in children for word in file.read_text().split()]
            found += new
            ahead += new
        if len(found) >= count:
            return found
        time.sleep(0.02)
    pytest.fail("the call did not begin")


def _lives(number: int) -> bool:
    try:
        return ") Z " not in Path(f"/proc/{number}/stat").read_text()
    except OSError:
        return False
