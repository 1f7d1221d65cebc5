"""Deployments: what is registered, what Prefect refuses before a run exists, what deploying again changes."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from flows._guard import WITHOUT_USER
from tests.flows.ticks import Deployment, command

Make = Callable[..., Any]
ROOT = Path(__file__).parents[2]
BIN = Path(sys.executable).parent

GOOD_STORES = [
    "default",
    "prod_1",
    "sqlite:////data/of@us/results.sqlite",
    "sqlite:////data/results.sqlite?busy_timeout=5&max_page_count=3",
    "mongodb://host:27017/forequake",
    "mongodb://a:1,b:2/forequake?replicaSet=rs0&tls=true",
    "mongodb+srv://host/forequake",
]
BAD_STORES = [
    "",
    "two words",
    "1st",
    "mongodb://me:secret@host/forequake",
    "mongodb://me@host/forequake",
    "mongodb://me:sec%40ret@host/forequake",
    "mongodb://host/forequake?tlsCertificateKeyFilePassword=secret",
    "mongodb://host/forequake?replicaSet=a&authMechanismProperties=AWS_SESSION_TOKEN:secret",
    "postgres://host/forequake",
    "me:secret@host",
]


@pytest.mark.parametrize("store", GOOD_STORES)
def test_a_store_without_a_secret_may_be_a_parameter(store: str) -> None:
    assert re.search(WITHOUT_USER, store)


@pytest.mark.parametrize("store", BAD_STORES)
def test_a_store_with_a_secret_may_not(store: str) -> None:
    assert not re.search(WITHOUT_USER, store)


@pytest.fixture
def small(make_experiment: Make) -> Any:
    return make_experiment(name="deployed", windows=1)


@pytest.mark.prefect
def test_a_wrong_parameter_is_refused_before_a_run_exists(prefect_api: str, small: Any) -> None:
    deployment = Deployment(prefect_api, str(small.config), "--store", small.store_url, "--name", "refusing")
    wrong: list[dict[str, Any]] = [
        {"config": ""},
        {"config": " "},
        {"config": None},
        {"config": 5},
        {"force": "perhaps"},
        {"models": "flat"},
        {"tests": [""]},
        {"windows": ["next year"]},
        {"label": ["a"]},
        {"modles": []},
        *({"store": store} for store in BAD_STORES),
    ]
    answers = {json.dumps(each): deployment.order(**each).status_code for each in wrong}
    assert {text: code for text, code in answers.items() if code not in (409, 422)} == {}
    assert deployment.runs() == []
    right = deployment.order(store="prod", windows=["2000-01-01T00:00:00Z_2001-01-01T00:00:00Z"])
    assert right.is_success
    deployment.ask("DELETE", f"/flow_runs/{right.json()['id']}")  # a worker would take it
    text = deployment.read()["parameter_openapi_schema"]["properties"]
    assert all(each["description"] for each in text.values())


@pytest.mark.prefect
def test_what_workers_must_know_is_said(
    prefect_api: str, small: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOREQUAKE_STORE_LAB", small.store_url)
    code, _, noted = command("deploy", str(small.config), "--store", "lab", "--name", "named")
    assert code == 0, noted
    assert "give workers FOREQUAKE_STORE_LAB, too" in noted
    command("deployments", "remove", "named")


@pytest.mark.prefect
def test_deploying_again_changes_the_deployment_and_keeps_a_pause(prefect_api: str, small: Any) -> None:
    words = (str(small.config), "--store", small.store_url, "--name", "again")
    first = Deployment(prefect_api, *words, "--interval", "10m")
    assert "next tick" in first.said
    assert "prefect worker start --pool forequake" in first.noted
    second = Deployment(prefect_api, *words, "--cron", "0 3 * * *", "--timezone", "Europe/Rome")
    assert second.id == first.id
    (schedule,) = second.read()["schedules"]
    assert (schedule["schedule"]["cron"], schedule["schedule"]["timezone"]) == ("0 3 * * *", "Europe/Rome")

    command("deployments", "pause", "again")
    third = Deployment(prefect_api, *words, "--interval", "1d", "--label", "nightly")
    assert "paused, as it was" in third.said
    found = third.read()
    assert (found["paused"], found["parameters"]["label"]) == (True, "nightly")
    command("deployments", "resume", "again")
    listed = command("deployments", "list", "--json")[1]
    (mine,) = (each for each in json.loads(listed) if each["name"] == "again")
    assert (mine["schedule"], mine["paused"], mine["runs_in"]) == ("every 1d", False, "forequake")
    command("deployments", "remove", "again")
    assert third.ask("GET", f"/deployments/{third.id}").status_code == 404


@pytest.mark.prefect
@pytest.mark.parametrize(
    "words",
    [
        ("deploy", "nowhere"),
        ("deploy", "{config}", "--interval", "often"),
        ("deploy", "{config}", "--model", "flatt"),
        ("deploy", "{config}", "--store", "mongodb://me:secret@host/x"),
        ("serve", "{config}", "{config}", "--name", "one"),
    ],
)
def test_a_mistake_registers_nothing(prefect_api: str, small: Any, words: tuple[str, ...]) -> None:
    arguments = [word.format(config=small.config) for word in words]
    code, said, noted = command(*arguments)
    assert (code, said, "Traceback" in noted) == (2, "", False)
    assert "secret" not in noted


@pytest.mark.prefect
def test_the_file_deploys_and_a_worker_runs_it(prefect_api: str, small: Any, tmp_path: Path) -> None:
    deployment = Deployment(prefect_api, str(small.config), "--store", small.store_url)  # makes the pool, too
    folder = ROOT / "flows"
    environment = os.environ | {"PWD": str(folder)}
    program = str(BIN / "prefect")
    before = (folder / "prefect.yaml").read_bytes()
    done = subprocess.run(
        [program, "--no-prompt", "deploy", "--all"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert (folder / "prefect.yaml").read_bytes() == before
    found = deployment.ask("GET", "/deployments/name/run-experiment/california").json()
    assert Path(found["parameters"]["config"]).resolve() == ROOT / "examples" / "california" / "config.yml"
    assert (found["work_pool_name"], found["pull_steps"]) == ("forequake", [])

    run = deployment.order().json()["id"]
    worker = subprocess.Popen(
        [program, "worker", "start", "--pool", "forequake", "--limit", "1", "--run-once"],
        cwd=tmp_path,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        assert deployment.await_end(run) == ("Completed", "5 computed")
    finally:
        worker.terminate()
        worker.wait(timeout=60)
