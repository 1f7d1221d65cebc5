"""A foreign program in a folder of its own: what ends it, what is told of it, and that nothing stays."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from forequake.errors import Interrupted
from forequake.processes import (
    ProgramEnding,
    ProgramLimits,
    ProgramRun,
    end_orphans,
    foreign_environment,
)
from forequake.processes.below import descendants, start_of
from forequake.processes.folders import give_to, remove_tree

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="what is watched is known on Linux alone")
as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")

LIMITS = ProgramLimits(
    seconds=20, memory_mb=200, disk_mb=8, processes=6, grace_seconds=0.2, silence_seconds=None
)
PLACES = (Path(sys.prefix), Path(sys.base_prefix))


@pytest.fixture
def shelf() -> Iterator[Path]:
    # Not pytest's own folder, which other users may not enter.
    with tempfile.TemporaryDirectory(prefix="forequake-tests-") as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "shelf"


@pytest.fixture(autouse=True)
def no_process_stays() -> Iterator[None]:
    before = set(descendants())
    yield
    deadline = time.monotonic() + 5
    while (left := [each for each in set(descendants()) - before if start_of(each)]) and (
        time.monotonic() < deadline
    ):
        time.sleep(0.01)
    assert left == []


def execute(
    shelf: Path,
    code: str,
    limits: ProgramLimits = LIMITS,
    on_progress: Callable[[Mapping[str, Any]], None] | None = None,
    stop: threading.Event | None = None,
    on_life: Callable[[Mapping[str, Any]], None] | None = None,
) -> ProgramEnding:
    with ProgramRun(shelf, stop=stop) as run:
        for name in ("home", "tmp", "work"):
            (run.folder / name).mkdir()
        ending = run.run(
            [sys.executable, "-I", "-c", code],
            run.folder / "work",
            foreign_environment(run.folder),
            limits,
            places=PLACES,
            on_progress=on_progress,
            on_life=on_life,
        )
    assert list(shelf.iterdir()) == []
    return ending


def test_an_exit_code_and_the_output_are_told(shelf: Path) -> None:
    ending = execute(shelf, "import sys; print('out', flush=True); sys.exit('enough')")
    assert (ending.kind, ending.code, ending.output) == ("exited", 1, "out\nenough\n")
    assert ending.output_bytes == 11
    assert 0 < ending.cpu_seconds < 10
    assert ending.peak_memory > 1 << 20


@as_root
def test_it_is_a_user_that_is_nobody_elses_and_sees_neither_runs_nor_closed_folders(shelf: Path) -> None:
    (shelf.parent / "closed").mkdir(0o700)
    ending = execute(
        shelf,
        "import os\nprint(os.getuid(), os.getgid(), os.getgroups())\n"
        "for place in ('../..', '../../../closed'):\n"
        "    try: print(os.listdir(place))\n    except PermissionError: print('closed')\n",
    )
    user = int(ending.output.split()[0])
    assert ending.another_user, ending.why
    assert ending.output == f"{user} {user} []\nclosed\nclosed\n"
    assert user > 64000


@as_root
def test_a_run_below_a_folder_that_is_closed_can_be_reached(shelf: Path) -> None:
    shelf.parent.chmod(0o700)
    (shelf.parent / "secret").write_text("x")
    ending = execute(shelf, "import os; open('made', 'w'); print(os.listdir('../../..'))")
    assert ending.another_user, ending.why
    assert (ending.code, ending.output) == (0, "['shelf']\n")


@as_root
def test_a_program_that_another_user_cannot_reach_runs_as_this_one_and_that_is_told(shelf: Path) -> None:
    with ProgramRun(shelf) as run:
        closed = run.folder.parent.parent / "closed"
        closed.mkdir(0o700)
        program = closed / "program"
        program.write_text("#!/bin/sh\nid -u\n")
        program.chmod(0o755)
        ending = run.run([str(program)], run.folder, {}, LIMITS)
    assert (ending.kind, ending.output, ending.another_user) == ("exited", "0\n", False)
    assert ending.why[0].startswith("not as another user")


@as_root
def test_it_has_no_network_but_its_own_loopback(shelf: Path) -> None:
    code = """
import socket
own = socket.create_server(("127.0.0.1", 0))
socket.create_connection(own.getsockname(), 1)
for address in (("127.0.0.1", PORT), ("192.0.2.1", 80)):
    try: socket.create_connection(address, 1)
    except OSError as error: print(error.strerror)
"""
    with socket.create_server(("127.0.0.1", 0)) as server:
        ending = execute(shelf, code.replace("PORT", str(server.getsockname()[1])))
    assert ending.isolated
    assert ending.output == "Connection refused\nNetwork is unreachable\n"


def test_progress_is_passed_on_while_it_runs(shelf: Path) -> None:
    seen: list[tuple[float, Any]] = []
    code = """
import time
print("no", "{progress", '{"progress": "much"}', '{"progress": 7}', sep="\\n")
for part in (0.25, 0.5):
    print('{"progress": %s, "step": "x"}' % part, flush=True)
    time.sleep(0.4)
print('{"progress": 1.0}')
"""
    ending = execute(shelf, code, on_progress=lambda said: seen.append((time.monotonic(), said)))
    assert [said["progress"] for _, said in seen][:2] == [0.25, 0.5]
    assert seen[1][0] - seen[0][0] > 0.2
    assert ending.progress == {"progress": 1.0}


def test_a_silent_program_is_told_of_once_a_second(shelf: Path) -> None:
    seen: list[Mapping[str, Any]] = []
    code = """
import time
print("the fit", "has begun", sep="\\n")
print('{"progress": 0.5}', flush=True)
time.sleep(2.3)
"""
    execute(shelf, code, on_life=seen.append)
    assert [round(word["seconds"]) for word in seen] == [1, 2]
    assert all(0.5 < word["silent"] < word["seconds"] for word in seen)
    assert {word["said"] for word in seen} == {"has begun"}


@pytest.mark.parametrize(
    ("kind", "code", "limits"),
    [
        ("timeout", "import time; time.sleep(60)", {"seconds": 0.3}),
        ("silence", "import time; print(1, flush=True); time.sleep(60)", {"silence_seconds": 0.3}),
        ("cpu", "while True: pass", {"cpu_seconds": 0.3}),
        ("memory", "x = b'x' * (300 << 20)\nimport time; time.sleep(60)", {}),
        ("processes", "import os, time\nfor _ in range(4): os.fork()\ntime.sleep(60)", {}),
        ("disk", "f = open('f', 'wb')\nwhile True: f.write(bytes(1 << 20))", {}),
        ("disk", "n = 0\nwhile True: n += 1; open(f'f{n}', 'wb').write(bytes(1 << 20))", {}),
        ("signal", "import os; os.kill(os.getpid(), 9)", {}),
    ],
)
def test_what_ends_a_program_is_told(shelf: Path, kind: str, code: str, limits: dict[str, Any]) -> None:
    begun = time.monotonic()
    ending = execute(shelf, code, ProgramLimits(**(vars(LIMITS) | limits)))
    assert ending.kind == kind
    assert time.monotonic() - begun < 5


def test_a_deaf_program_is_killed_after_the_grace(shelf: Path) -> None:
    code = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); print(1); time.sleep(60)"
    ending = execute(shelf, code, ProgramLimits(**(vars(LIMITS) | {"seconds": 0.3, "grace_seconds": 0.3})))
    assert ending.kind == "timeout"
    assert 0.6 < ending.seconds < 3


def test_what_it_leaves_behind_is_ended_and_counted(shelf: Path) -> None:
    code = """
import os, time
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0:
        time.sleep(60)
    os._exit(0)
os.wait()
"""
    ending = execute(shelf, code)
    assert (ending.kind, ending.code, ending.left) == ("exited", 0, 1)


def test_a_gigabyte_of_output_costs_no_memory(shelf: Path) -> None:
    begun = time.monotonic()
    ending = execute(shelf, "import os\nfor _ in range(1024): os.write(1, b'x' * (1 << 20))\nprint('end')")
    assert ending.output_bytes == (1 << 30) + 4
    assert ending.output.endswith("xend\n")
    assert len(ending.output) < 20_000
    assert time.monotonic() - begun < 10


def test_a_program_that_is_not_there_is_told(shelf: Path) -> None:
    with ProgramRun(shelf) as run:
        ending = run.run(["no-such-program"], run.folder, foreign_environment(run.folder), LIMITS)
    assert (ending.kind, ending.detail) == ("cannot_start", "no-such-program: No such file or directory")


def test_a_request_to_stop_ends_it(shelf: Path) -> None:
    stop = threading.Event()
    threading.Timer(0.5, stop.set).start()
    begun = time.monotonic()
    with pytest.raises(Interrupted):
        execute(shelf, "import time; time.sleep(60)", stop=stop)
    assert time.monotonic() - begun < 3
    assert list(shelf.iterdir()) == []


def test_a_folder_is_kept_where_that_is_asked(shelf: Path) -> None:
    with ProgramRun(shelf) as run:
        run.run(["/bin/sh", "-c", "echo > made"], run.folder, {}, LIMITS)
        run.keep()
    assert (run.folder / "made").exists()
    assert list(shelf.glob("*.json")) == []


OWNER = """
import sys, time
from pathlib import Path
from forequake.processes import ProgramLimits, ProgramRun, foreign_environment
with ProgramRun(Path(sys.argv[1])) as run:
    code = "import os, time\\nif os.fork() == 0: os.setsid()\\ntime.sleep(60)"
    print(run._supervisor.pid, run.folder, flush=True)
    run.run([sys.executable, "-c", code], run.folder, foreign_environment(run.folder), ProgramLimits(),
            places=[Path(sys.prefix), Path(sys.base_prefix)])
"""


def _owner(shelf: Path) -> tuple[subprocess.Popen[str], int, Path, list[int]]:
    """Start a process that runs a program of two processes; give it, its supervisor, the folder and them."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(shelf)], stdout=subprocess.PIPE, text=True, start_new_session=True
    )
    assert owner.stdout is not None
    supervisor, folder = owner.stdout.readline().split()
    deadline = time.monotonic() + 10
    while len(below := descendants(int(supervisor))) < 2 and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.1)
    assert len(below) == 2
    return owner, int(supervisor), Path(folder), below


def _gone(processes: list[int]) -> bool:
    deadline = time.monotonic() + 5
    while any(start_of(process) for process in processes) and time.monotonic() < deadline:
        time.sleep(0.02)
    return not any(start_of(process) for process in processes)


def test_a_killed_owner_leaves_neither_process_nor_folder(shelf: Path) -> None:
    owner, supervisor, folder, below = _owner(shelf)
    assert end_orphans(shelf) == []  # it is under way
    with owner:
        owner.kill()
    assert _gone([supervisor, *below])
    assert not folder.exists()
    assert list(shelf.iterdir()) == []


def test_what_a_killed_supervisor_leaves_is_ended_at_the_next_start(shelf: Path) -> None:
    owner, supervisor, folder, below = _owner(shelf)
    about = json.loads(folder.with_suffix(".json").read_text())
    assert about["supervisor"] == [supervisor, start_of(supervisor)]
    assert about["program"] == [below[0], start_of(below[0])]
    with owner:
        os.kill(supervisor, signal.SIGSTOP)  # else it may see that its owner died, and end what is below it
        owner.kill()
        os.kill(supervisor, signal.SIGKILL)
    assert _gone([below[0]])  # it dies with its supervisor
    assert start_of(below[1])
    (orphan,) = end_orphans(shelf)
    assert orphan.run == folder.name
    assert below[1] in orphan.processes
    assert _gone(below)
    assert list(shelf.iterdir()) == []


def test_what_is_locked_away_is_removed_all_the_same(shelf: Path) -> None:
    folder = shelf / "tree"
    (folder / "a" / "b").mkdir(parents=True)
    (folder / "a" / "b" / "file").write_text("x")
    (folder / "a" / "b").chmod(0o500)
    (folder / "a").chmod(0)
    if os.geteuid() == 0:  # whom nothing is locked for
        give_to(shelf, 64999)
    child = os.fork()
    if child == 0:
        if os.geteuid() == 0:
            os.setuid(64999)
        remove_tree(folder)
        os._exit(0)
    os.waitpid(child, 0)
    assert not folder.exists()
