"""Deployments by the command, and their ticks as a worker starts them.

A worker starts a fresh Python for each tick, which imports Prefect for a second or two. Here each tick is a
real process, too, but one forked from a server that has the imports already.
"""

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

COMMAND = str(Path(sys.executable).with_name("forequake"))
FINAL = {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}

_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["csep", "flows._deployments", "flows.cli", "prefect.flow_engine"])


class Child:
    """A process that does a flow run or a command, and what it printed."""

    def __init__(self, run: str | None, words: tuple[str, ...] = ()) -> None:
        self._folder = tempfile.TemporaryDirectory()
        self._out, self._err = (Path(self._folder.name) / name for name in ("out", "err"))
        # The server has the variables of the moment when it was started.
        work = (run, words, str(self._out), str(self._err), dict(os.environ))
        self.process = _context.Process(target=_work, args=work)
        self.process.start()

    def end(self) -> tuple[int | None, str, str]:
        """Wait until it ends; give its exit code, its output and what it said on the other stream."""
        self.process.join(timeout=120)
        code, out, err = self.process.exitcode, self._out.read_text(), self._err.read_text()
        self.process.close()
        self._folder.cleanup()
        return code, out, err


def _work(run: str | None, words: tuple[str, ...], out: str, err: str, environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)
    for number, file in ((1, out), (2, err)):
        os.dup2(os.open(file, os.O_WRONLY | os.O_CREAT), number)
    if run is None:
        from flows.cli import main

        sys.argv = ["forequake", *words]
        main()
    else:
        os.environ["PREFECT__FLOW_RUN_ID"] = run
        sys.argv = ["engine"]
        runpy.run_module("prefect.engine", run_name="__main__", alter_sys=True)


def command(*words: str) -> tuple[int | None, str, str]:
    """Run the command; give its exit code, its output and what it said on the other stream."""
    return Child(None, words).end()


class Deployment:
    """One deployment of an experiment, made by the command."""

    def __init__(self, api: str, *words: str) -> None:
        self.api = api
        code, self.said, self.noted = command("deploy", *words)
        assert code == 0, self.noted
        self.id = self.said.split("/deployment/")[1].strip()

    def ask(self, method: str, path: str, **body: Any) -> httpx.Response:
        # A server that works off a backlog asks to be asked again.
        deadline = time.monotonic() + 30
        with httpx.Client(trust_env=False, timeout=30) as client:
            while True:
                answer = client.request(method, f"{self.api}{path}", json=body or None)
                if answer.status_code < 500 or time.monotonic() > deadline:
                    return answer
                time.sleep(0.5)

    def read(self) -> Any:
        return self.ask("GET", f"/deployments/{self.id}").json()

    def order(self, **parameters: Any) -> httpx.Response:
        return self.ask("POST", f"/deployments/{self.id}/create_flow_run", parameters=parameters)

    def runs(self) -> list[Any]:
        wanted = {"deployment_id": {"any_": [self.id]}}
        found = self.ask("POST", "/flow_runs/filter", flow_runs=wanted, sort="EXPECTED_START_TIME_ASC")
        return list(found.json())

    def tick(self, **parameters: Any) -> tuple[str, str]:
        """Order a run, do it, and give the name and the message of its state."""
        answer = self.order(**parameters)
        assert answer.status_code == 201, answer.text
        return self.do(answer.json()["id"])

    def do(self, run: str) -> tuple[str, str]:
        code, out, self.log = Child(run).end()
        assert code == 0, out + self.log
        return self.state(run)

    def state(self, run: str) -> tuple[str, str]:
        state = self.ask("GET", f"/flow_runs/{run}").json()["state"]
        return state["name"], state["message"]

    def await_end(self, run: str, patience: float = 60) -> tuple[str, str]:
        deadline = time.monotonic() + patience
        while self.ask("GET", f"/flow_runs/{run}").json()["state"]["type"] not in FINAL:
            assert time.monotonic() < deadline, self.state(run)
            time.sleep(0.2)
        return self.state(run)


@contextmanager
def holder(store: str, experiment: str, experiment_key: str) -> Iterator[subprocess.Popen[str]]:
    """Hold an experiment's tick in a process of its own, which has begun a run and does nothing."""
    code = (
        "import sys, time\n"
        "from forequake.environment import process_owner, record_environment\n"
        "from forequake.results import RunDraft\n"
        "from stores import Block, open_store\n"
        "url, name, key = sys.argv[1:]\n"
        "store, owner = open_store(url), process_owner()\n"
        "assert store.claim([Block(id=f'tick of {name}', units=())], owner)\n"
        "store.begin_run(RunDraft(experiment=name, experiment_key=key, owner=owner, command=('x',),\n"
        "    environment=record_environment().key, host=owner.split('/')[0]))\n"
        "print('held', flush=True)\n"
        "time.sleep(300)\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code, store, experiment, experiment_key], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        assert process.stdout.readline() == "held\n"
        yield process
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
