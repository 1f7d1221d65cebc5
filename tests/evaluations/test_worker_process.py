"""The worker process of the L- and W-test: faults, interrupts, forks, and what it leaves behind."""

import io
import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from forequake.errors import EvaluationError
from forequake.evaluations import Evaluated, Observation, _process
from forequake.evaluations._messages import read_message, write_message

EVENTS = [(10.5, 40.5, 4.2), (12.5, 41.5, 5.9)]

#: A program that runs an L-test of `SIMULATIONS` catalogs; `ready` prints the worker's process id.
PROGRAM = """
import os, signal, sys, threading, time
import numpy as np
from forequake.catalogs import Events
from forequake.evaluations import Observation, TestParameters, _process, evaluate
from forequake.regions import Region

region = Region("small", np.array([[10.0, 40.0], [11.0, 40.0]]), 1.0)
values = [np.array([x]) for x in (0, 10.5, 40.5, 5.0, 4.2)]
events = Events(*values, np.array(["e"]))
observation = Observation(region, np.array([4.0, 4.5]), events)

def likelihood(simulations=10):
    parameters = TestParameters(num_simulations=simulations)
    return evaluate("L", parameters, np.ones((2, 2)), observation, seed=1).statistic

def ready():
    print(_process.worker_pid(), flush=True)
"""


def _program(text: str, **options: object) -> "subprocess.Popen[str]":
    return subprocess.Popen(  # type: ignore[call-overload,no-any-return]
        [sys.executable, "-c", PROGRAM + textwrap.dedent(text)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def _lives(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def _ends_within(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not _lives(pid):
            return True
        time.sleep(0.02)
    return False


def _pid(run: Callable[..., Evaluated], observation: Observation) -> int:
    run("L", np.ones((12, 3)), observation)
    pid = _process.worker_pid()
    assert pid is not None
    return pid


def test_messages_come_back_as_they_went() -> None:
    pipe = io.BytesIO()
    arrays = {"rates": np.array([[1.5, -np.inf], [0.0, np.nan]]), "none": np.zeros((0, 2))}
    write_message(pipe, {"statistic": -np.inf, "name": "Größe"}, arrays)
    write_message(pipe, {"second": 2})
    pipe.seek(0)
    first = read_message(pipe)
    assert first is not None
    assert first[0] == {"statistic": -np.inf, "name": "Größe"}
    assert first[1].keys() == arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(first[1][name], array, strict=True)
    assert read_message(pipe) == ({"second": 2}, {})
    assert read_message(pipe) is None


def test_a_message_that_is_cut_anywhere_is_noticed() -> None:
    pipe = io.BytesIO()
    write_message(pipe, {"name": "cut"}, {"rates": np.arange(3.0)})
    whole = pipe.getvalue()
    for length in range(1, len(whole)):
        with pytest.raises(EOFError):
            read_message(io.BytesIO(whole[:length]))


def test_anything_else_in_the_pipe_is_noticed() -> None:
    with pytest.raises(ValueError, match="hello, world"):
        read_message(io.BytesIO(b"hello, world and more"))


def test_a_message_never_unpickles() -> None:
    pipe = io.BytesIO()
    with pytest.raises(ValueError, match="pickle"):
        write_message(pipe, {}, {"objects": np.array([object()])})


def test_one_worker_serves_many_calls(
    observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    observation = observe(EVENTS)
    first = _pid(run, observation)
    assert first != os.getpid()
    run("W", np.ones((12, 3)), observation, reference=2 * np.ones((12, 3)))
    assert _pid(run, observation) == first


def test_a_failure_in_the_worker_names_the_test_and_the_worker_goes_on(
    observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    observation = observe(EVENTS)
    first = _pid(run, observation)
    with pytest.raises(EvaluationError, match=r"poisson_likelihood could not be computed: ValueError: lam"):
        run("L", 1e20 * np.ones((12, 3)), observation)  # numpy.random.poisson takes no such mean
    assert _pid(run, observation) == first


def test_the_worker_itself_ignores_sigint(
    observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    first = _pid(run, observe(EVENTS))
    os.kill(first, signal.SIGINT)
    time.sleep(0.1)
    assert _pid(run, observe(EVENTS)) == first


def test_a_dead_worker_is_replaced(
    observe: Callable[..., Observation], run: Callable[..., Evaluated]
) -> None:
    observation = observe(EVENTS)
    before = run("L", np.ones((12, 3)), observation)
    first = _pid(run, observation)
    os.kill(first, signal.SIGKILL)
    assert _ends_within(first, 5.0)
    after = run("L", np.ones((12, 3)), observation)
    assert _process.worker_pid() not in (first, None)
    assert (before.statistic, before.quantiles) == (after.statistic, after.quantiles)


def test_a_worker_that_cannot_live_is_an_evaluation_error(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    observe: Callable[..., Observation],
    run: Callable[..., Evaluated],
) -> None:
    starts = tmp_path / "starts"
    stub = tmp_path / "python"
    stub.write_text(f"#!/bin/sh\necho x >> {starts}\necho 'no such planet' >&2\nexit 3\n")
    stub.chmod(0o755)
    os.kill(_pid(run, observe(EVENTS)), signal.SIGKILL)
    monkeypatch.setattr(sys, "executable", str(stub))
    with pytest.raises(EvaluationError, match=r"died 2 times over poisson_likelihood: no such planet"):
        run("L", np.ones((12, 3)), observe(EVENTS))
    # The first of the two deaths is that of the worker that was killed.
    assert starts.read_text().split() == ["x"]
    assert _process.worker_pid() is None
    monkeypatch.setattr(sys, "executable", str(tmp_path / "missing"))
    with pytest.raises(EvaluationError, match="cannot be started"):
        run("L", np.ones((12, 3)), observe(EVENTS))


@pytest.mark.slow
def test_what_libraries_print_does_not_reach_the_pipe(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    observe: Callable[..., Observation],
    run: Callable[..., Evaluated],
) -> None:
    # A stand-in for a talkative library: SciPy's statistics, which pyCSEP imports, print from C's stdout.
    site = tmp_path / "sitecustomize.py"
    site.write_text(
        "import builtins, os, sys\n"
        "load = builtins.__import__\n"
        "def talk(name, *args, **kwargs):\n"
        "    if name.startswith('csep'):\n"
        "        print('hello from', name, flush=True)\n"
        "        os.write(1, b'and from C')\n"
        "    return load(name, *args, **kwargs)\n"
        "builtins.__import__ = talk\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    expected = run("L", np.ones((12, 3)), observe(EVENTS))
    _process._worker.stop()
    talked = run("L", np.ones((12, 3)), observe(EVENTS))
    assert (talked.statistic, talked.quantiles) == (expected.statistic, expected.quantiles)
    assert "and from C" in _process._worker.stop()


@pytest.mark.slow
def test_the_worker_ends_when_its_parent_is_killed() -> None:
    program = _program(
        """
        likelihood()
        child = os.fork()  # has copies of the parent's ends of the pipes, and outlives it
        if child == 0:
            time.sleep(30)
            os._exit(0)
        print(child, flush=True)
        ready()
        likelihood(50_000_000)  # in the middle of a computation of hours
        """
    )
    with program:
        assert program.stdout is not None
        child, worker = int(program.stdout.readline()), int(program.stdout.readline())
        try:
            time.sleep(0.3)
            assert _lives(worker)
            program.kill()
            assert _ends_within(worker, 2.0)
            assert _lives(child)
        finally:
            os.kill(child, signal.SIGKILL)


@pytest.mark.slow
def test_the_worker_ends_with_the_program() -> None:
    program = _program("likelihood()\nready()\n")
    output, errors = program.communicate(timeout=60)
    assert program.returncode == 0
    assert errors == ""
    assert not _lives(int(output))


@pytest.mark.slow
def test_ctrl_c_interrupts_the_parent_and_the_next_call_gets_its_own_reply() -> None:
    program = _program(
        """
        likelihood()
        ready()
        first = _process.worker_pid()
        try:
            likelihood(50_000_000)
        except KeyboardInterrupt:
            print("interrupted", _process.worker_pid())
        print(likelihood() == likelihood(20), _process.worker_pid() != first)
        """,
        start_new_session=True,
    )
    with program:
        assert program.stdout is not None
        assert program.stderr is not None
        worker = int(program.stdout.readline())
        time.sleep(0.3)
        os.killpg(program.pid, signal.SIGINT)
        assert program.stdout.read().split() == ["interrupted", "None", "True", "True"]
        assert program.stderr.read() == ""
    assert program.returncode == 0
    assert not _lives(worker)


@pytest.mark.slow
def test_a_fork_has_a_worker_of_its_own() -> None:
    program = _program(
        """
        expected = likelihood()
        parents = _process.worker_pid()
        child = os.fork()
        if child == 0:
            assert _process.worker_pid() is None
            assert likelihood() == expected
            assert _process.worker_pid() not in (parents, None)
            sys.exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        assert likelihood() == expected
        assert _process.worker_pid() == parents
        print("done")
        """
    )
    output, errors = program.communicate(timeout=60)
    assert (output, errors, program.returncode) == ("done\n", "", 0)


@pytest.mark.slow
def test_a_fork_in_the_middle_of_a_call_neither_hangs_nor_disturbs() -> None:
    program = _program(
        """
        expected = likelihood()
        replies = []
        thread = threading.Thread(target=lambda: replies.append(likelihood(20_000)))
        thread.start()
        time.sleep(0.2)  # the thread holds the lock and waits for its reply
        child = os.fork()
        if child == 0:
            signal.alarm(30)
            assert likelihood() == expected
            _process._worker.stop()
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        thread.join()
        assert replies == [expected]
        print("done")
        """
    )
    output, errors = program.communicate(timeout=60)
    assert (output, errors, program.returncode) == ("done\n", "", 0)
