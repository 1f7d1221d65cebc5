"""Whole runs on MongoDB while servers die, change places and lose answers; and no password anywhere."""

import os
import shutil
import subprocess
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import bson
import httpx
import pytest
from pymongo import MongoClient

from forequake.results import EvaluationRecord, RunState
from stores import ResultQuery, ResultRow, open_store
from stores.mongo.schema import COLLECTIONS
from stores.mongo.users import StoreRole, StoreUser, set_up_users, user_url
from stores.testing.cutting import CuttingProxy
from stores.testing.mongod import Mongod, database_url
from stores.testing.replica_set import ReplicaSet

pytestmark = [pytest.mark.prefect, pytest.mark.mongo]

Make = Callable[..., Any]

COMMAND = str(Path(sys.executable).with_name("forequake"))
CALIFORNIA = Path(__file__).parents[2] / "examples" / "california"
#: Seconds for which a server is away; a run waits for at least 45.
OUTAGE = 5.0
PASSWORD = "n0-b0dy-reads-th1s"


def _rows(url: str, experiment: str) -> dict[str, ResultRow]:
    """Read what an experiment has, without what is another in each run."""
    rows = open_store(url).latest(ResultQuery(experiment=experiment, limit=10_000)).rows
    same = {"bound_at": datetime(2000, 1, 1, tzinfo=UTC), "computed_at": datetime(2000, 1, 1, tzinfo=UTC)}
    return {row.label.slot: row.model_copy(update={**same, "run_no": 1}) for row in rows}


def _wait_for_results(url: str, process: subprocess.Popen[str], least: int) -> int:
    deadline = time.monotonic() + 120
    with open_store(url) as store:
        while time.monotonic() < deadline and process.poll() is None:
            stored = len(store.scan(EvaluationRecord, limit=10_000))
            if stored >= least:
                return stored
            time.sleep(0.05)
    pytest.fail("the run stored nothing in two minutes, or ended before")


def _ended_well(process: subprocess.Popen[str]) -> str:
    out, err = process.communicate(timeout=180)
    assert process.returncode == 0, err
    assert "Traceback" not in err
    return out + err


@pytest.mark.slow
def test_a_run_outlives_its_server(
    prefect_api: str, mongod_there: None, make_experiment: Make, tmp_path: Path
) -> None:
    small = make_experiment(windows=80, simulations=10_000)
    with Mongod(tmp_path / "mongod") as server:
        url = database_url(server.url, "results")
        process = small.start(store=url)
        try:
            stored = _wait_for_results(url, process, 8)
            server.kill()
            time.sleep(OUTAGE)
            assert process.poll() is None
            server.start()
            said = _ended_well(process)
        finally:
            process.kill()
        assert 8 <= stored < 400
        assert "400 results computed" in said, said
        with open_store(url) as store:
            (run,) = store.runs("small")
            assert (run.state, run.counts.computed, run.counts.cached) == (RunState.COMPLETED, 400, 0)
            assert store.units("small") == []
            assert list(store.check()) == []
        disturbed = _rows(url, "small")
        open_store(url).close()
    assert small.run()[0] == 0
    assert disturbed == _rows(small.store_url, "small")


@pytest.mark.slow
def test_the_example_outlives_a_change_of_the_primary(
    prefect_api: str, mongod_there: None, make_experiment: Make, tmp_path: Path
) -> None:
    folder = tmp_path / "example"
    shutil.copytree(CALIFORNIA, folder)
    config = folder / "config.yml"
    line = "  end_date: 2019-07-13T03:20:00\n"
    assert line in config.read_text()
    config.write_text(config.read_text().replace(line, f"{line}  intervals: 20\n"))
    calm = f"sqlite:///{tmp_path / 'calm.sqlite'}"
    example = make_experiment()
    example = type(example)(config, calm)
    _ended_well(example.start())
    with ReplicaSet(tmp_path / "mongod") as servers:
        url = database_url(servers.url, "results")
        before = servers.primary().port
        process = example.start(store=url)
        try:
            stored = _wait_for_results(url, process, 1)
            servers.step_down()
            assert process.poll() is None
            _ended_well(process)
        finally:
            process.kill()
        assert servers.primary().port != before
        assert stored < 57
        with open_store(url) as store:
            (run,) = store.runs("california")
            assert run.state is RunState.COMPLETED
            assert run.counts.computed + run.counts.cached == 380
            assert list(store.check()) == []
        disturbed = _rows(url, "california")
        open_store(url).close()
    assert len(disturbed) == 380
    assert disturbed == _rows(calm, "california")


@pytest.fixture
def proxy(mongo_standalone: str) -> Iterator[CuttingProxy]:
    with CuttingProxy(urlsplit(mongo_standalone).port or 27017) as proxy:
        yield proxy


def _command(name: str, collection: str) -> bytes:
    """Give the bytes with which a command to a collection begins."""
    return bytes(bson.encode({name: collection}))[4:-1]


def test_answers_that_are_lost_make_no_second_run(
    prefect_api: str, make_experiment: Make, mongo_standalone: str, proxy: CuttingProxy
) -> None:
    """When the run begins, binds results, and ends; the driver of a server alone repeats no write."""
    small = make_experiment(windows=1)
    name = f"runs-{uuid.uuid4().hex[:8]}"
    proxy.lose_answer_to(
        _command("insert", "runs"), _command("insert", "bindings"), _command("update", "runs")
    )
    code, out, err = small.run(store=f"mongodb://127.0.0.1:{proxy.port}/{name}")
    assert code == 0, err
    assert proxy.cuts == 3
    assert "5 results computed" in out
    url = database_url(mongo_standalone, name)
    with open_store(url) as store:
        (run,) = store.runs("small")
        assert (run.state, run.run_no, run.counts.computed) == (RunState.COMPLETED, 1, 5)
        assert list(store.check()) == []
    lines = _log_lines(prefect_api, str(run.flow_run_id), "asking again in 1 s")
    assert len(lines) == 2  # when it began and when it ended; a task is Prefect's to repeat
    assert "does not answer" in lines[0]
    with MongoClient[dict[str, Any]](url) as client:
        client.drop_database(name)


def _log_lines(api: str, flow_run: str, words: str) -> list[str]:
    """Read the lines of a run's log in Prefect, which come some seconds late."""
    wanted = {"logs": {"flow_run_id": {"any_": [flow_run]}}}
    deadline = time.monotonic() + 20
    with httpx.Client(trust_env=False) as client:
        while True:
            found = client.post(f"{api}/logs/filter", json=wanted).json()
            lines = [line["message"] for line in found if words in line["message"]]
            if len(lines) >= 2 or time.monotonic() > deadline:
                return lines
            time.sleep(0.5)


@pytest.fixture
def guarded(mongo_guarded: Mongod) -> Iterator[str]:
    """Give the address of a store that has users, as its administrator."""
    name = f"runs-{uuid.uuid4().hex[:8]}"
    url = database_url(mongo_guarded.admin_url, name)
    with open_store(url):
        pass
    users = [StoreUser("writer", StoreRole.WRITER, PASSWORD), StoreUser("reader", StoreRole.READER, PASSWORD)]
    set_up_users(url, users)
    yield url
    with mongo_guarded.client() as client:
        client[name].command("dropAllUsersFromDatabase")
        client[name].command("dropAllRolesFromDatabase")
        client.drop_database(name)


def _say(*words: str) -> str:
    """Type a command on the guarded store and give all that it says."""
    arguments = [COMMAND, *words, "--store", "guarded"]
    done = subprocess.run(arguments, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def _files_with(secret: str, folder: Path) -> list[str]:
    files = [file for file in folder.rglob("*") if file.is_file()]
    assert [file for file in files if file.name.startswith("prefect.db")]
    return [file.name for file in files if secret.encode() in file.read_bytes()]


def test_no_password_is_anywhere(
    prefect_api: str,
    make_experiment: Make,
    guarded: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    small = make_experiment(windows=1)
    monkeypatch.setenv("FOREQUAKE_STORE_GUARDED", user_url(guarded, "writer", PASSWORD))
    monkeypatch.setenv("PREFECT_LOGGING_LEVEL", "DEBUG")
    code, out, err = small.run(store="guarded")
    assert code == 0, err
    assert "dashboard --store guarded\n" in err  # never an address without its password, which opens nothing
    shown = [_say("status"), _say("store", "check")]
    said = [out, err, *shown]
    monkeypatch.setenv("FOREQUAKE_STORE_GUARDED", user_url(guarded, "writer", f"{PASSWORD}-not"))
    code, out, err = small.run(store="guarded")
    assert (code, "the name or the password is wrong" in err) == (1, True)
    said += [out, err]
    assert "writer:***@" in " ".join(said)
    assert [text for text in said if PASSWORD in text] == []
    with MongoClient[dict[str, Any]](guarded) as client:
        db = client.get_default_database()
        stored = {name: b"".join(bson.encode(each) for each in db[name].find()) for name in COLLECTIONS}
    assert stored["runs"]
    assert [name for name, data in stored.items() if PASSWORD.encode() in data] == []
    assert _files_with(PASSWORD, Path(os.environ["XDG_DATA_HOME"]).parent) == []


def test_a_run_with_the_readers_address_is_refused(
    prefect_api: str, make_experiment: Make, guarded: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    small = make_experiment(windows=1)
    monkeypatch.setenv("FOREQUAKE_STORE_GUARDED", user_url(guarded, "reader", PASSWORD))
    code, out, err = small.run(store="guarded")
    assert code == 1
    assert "use the writer's address for runs" in err
    assert "Traceback" not in err
    assert PASSWORD not in out + err
