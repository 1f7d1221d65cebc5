"""The services of docker-compose.yml, started natively: a deployment runs, and the dashboard shows it."""

import io
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from forequake.errors import AccessDenied
from stores import ResultQuery, open_store
from tests.dashboard.conftest import browser, chromium  # noqa: F401  # fixtures
from tests.native_services import ROOT, NativeServices, native_services, postgres_programs

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

pytestmark = [pytest.mark.slow, pytest.mark.prefect, pytest.mark.mongo, pytest.mark.browser]

_RUN_SECONDS = 120.0


@pytest.fixture(scope="module")
def services() -> Iterator[NativeServices]:
    try:
        postgres_programs()
    except LookupError as error:
        if os.environ.get("CI") == "true":
            pytest.fail(str(error))
        pytest.skip(str(error))
    with native_services() as started:
        yield started


@pytest.fixture(scope="module")
def prefect(services: NativeServices) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=f"http://127.0.0.1:{services.ports['4200']}/api", trust_env=False) as client:
        yield client


@pytest.fixture(scope="module")
def finished_run(services: NativeServices, prefect: httpx.Client) -> dict[str, Any]:
    """Deploy the example from the worker's container, start it, and give the run when it is over."""
    deploy = ["forequake", "deploy", "/experiments/california/config.yml", "--cron", "0 3 * * *"]
    assert services.start("worker", deploy).wait(60) == 0, services.log("worker")
    deployment = prefect.get("/deployments/name/run-experiment/california").raise_for_status().json()
    started = prefect.post(f"/deployments/{deployment['id']}/create_flow_run", json={}).raise_for_status()
    deadline = time.monotonic() + _RUN_SECONDS
    while True:
        run: dict[str, Any] = prefect.get(f"/flow_runs/{started.json()['id']}").raise_for_status().json()
        if run["state_type"] in {"COMPLETED", "FAILED", "CRASHED", "CANCELLED"}:
            return run
        assert time.monotonic() < deadline, services.log("worker")
        time.sleep(0.5)


def _address(services: NativeServices, role: str) -> str:
    return (services.secrets / f"store_{role}.txt").read_text().strip()


def test_a_deployment_runs_on_the_worker(services: NativeServices, finished_run: dict[str, Any]) -> None:
    assert finished_run["state_type"] == "COMPLETED", services.log("worker")
    assert finished_run["work_pool_name"] == "forequake"
    assert finished_run["parameters"]["store"] == "default"
    store = open_store(_address(services, "reader"))
    try:
        assert len(store.latest(ResultQuery(experiment="california")).rows) == 19
        with pytest.raises(AccessDenied):
            store.put_blob(io.BytesIO(b"a reader may not"))
    finally:
        store.close()


def test_the_dashboard_shows_it_with_the_readers_rights(
    services: NativeServices,
    finished_run: dict[str, Any],
    browser: "BrowserContext",  # noqa: F811
) -> None:
    assert finished_run["state_type"] == "COMPLETED"
    page = browser.pages[0]
    page.goto(f"http://127.0.0.1:{services.ports['8501']}/?experiment=california")
    marks = page.locator(".js-plotly-plot .scatterlayer .points path")
    marks.first.wait_for()
    assert marks.count() == 21  # three models by seven tests
    assert "california" in page.inner_text("body")


def test_the_reader_can_make_a_backup(services: NativeServices, finished_run: dict[str, Any]) -> None:
    backup = f"sqlite:///{services.folder}/dashboard/backup.sqlite"
    copying = services.start("dashboard", ["forequake", "store", "copy", "default", backup])
    assert copying.wait(60) == 0, services.log("dashboard")
    store = open_store(backup)
    try:
        assert len(store.latest(ResultQuery(experiment="california")).rows) == 19
    finally:
        store.close()


def test_starting_again_changes_nothing_and_all_stay_healthy(
    services: NativeServices, finished_run: dict[str, Any]
) -> None:
    before = len(services.log("store-init"))
    again = services.start("store-init")
    assert again.wait(60) == 0
    said = services.log("store-init")[before:]
    assert said.count("there already") == 2
    assert "Making" not in said
    for name, service in services.compose["services"].items():
        if "healthcheck" in service:
            assert services.healthy(name), services.log(name)


def test_no_password_is_in_a_log_a_command_line_or_in_prefect(
    services: NativeServices, prefect: httpx.Client, finished_run: dict[str, Any]
) -> None:
    passwords = [
        (services.secrets / f"{name}.txt").read_text().strip()
        for name in ("mongo_admin_password", "postgres_password", "writer_password", "reader_password")
    ]
    kept = [services.log(name) for name in services.compose["services"]]
    kept += _command_lines()
    for kind in ("flow_runs", "task_runs", "deployments", "logs", "artifacts", "work_pools"):
        kept.append(prefect.post(f"/{kind}/filter", json={}).raise_for_status().text)
    assert any(f"{services.folder}" in text for text in kept)
    assert not any(password in text for password in passwords for text in kept)
    # Prefect's server alone has one among its variables: it takes it from nowhere else.
    holders = [name for name in services.compose["services"] if _has(services, name, passwords)]
    assert holders == ["prefect"]


def _command_lines() -> list[str]:
    lines = []
    for process in Path("/proc").iterdir():
        with suppress(OSError):
            if process.name.isdigit():
                lines.append((process / "cmdline").read_text(errors="replace"))
    return lines


def _has(services: NativeServices, name: str, passwords: list[str]) -> bool:
    """Tell whether a process of a service has a password among its variables."""
    number = services.number(name)
    found = set()
    for process in Path("/proc").iterdir():
        with suppress(OSError):  # it has ended meanwhile, or belongs to somebody else
            if process.name.isdigit() and os.getsid(int(process.name)) == number:
                variables = (process / "environ").read_bytes().decode(errors="replace")
                found |= {password for password in passwords if password in variables}
    return bool(found)


def test_a_health_check_fails_where_nobody_answers(services: NativeServices) -> None:
    environment = services.environment("prefect")
    nobody = "127.0.0.1:9"
    for words in (
        [str(ROOT / "docker" / "mongod-answers.sh"), nobody],
        ["python", str(ROOT / "docker" / "answers.py"), f"http://{nobody}/"],
    ):
        assert subprocess.run(words, env=environment, capture_output=True).returncode == 1
