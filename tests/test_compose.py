"""docker-compose.yml and what belongs to it: what docker-compose makes of it, and the rules that it keeps."""

import os
import re
import shutil
import stat
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from flows._server_state import ServerFiles, server_environment
from tests.native_services import ROOT, compose_file

SERVICES: dict[str, dict[str, Any]] = compose_file()["services"]
#: Services that end when they have done their work; others wait for that.
ONCE = {"store-init"}
SECRET_WORDS = re.compile("PASSWORD|SECRET|TOKEN|KEY|CREDENTIAL|_URL|_URI|STORE", re.IGNORECASE)


@pytest.fixture(scope="session")
def read_by_compose() -> dict[str, Any]:
    """Give the file as docker-compose understands it; it needs no engine for that."""
    program = shutil.which("docker-compose")
    if program is None:
        message = "there is no docker-compose on PATH: install it (Debian: apt-get install docker-compose)"
        if os.environ.get("CI") == "true":
            pytest.fail(message)
        pytest.skip(message)
    command = [program, "--project-directory", str(ROOT), "-f", str(ROOT / "docker-compose.yml"), "config"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "WARN" not in done.stderr.upper(), done.stderr
    return dict(yaml.safe_load(done.stdout))


def test_docker_compose_takes_the_file_as_it_is_meant(read_by_compose: dict[str, Any]) -> None:
    understood = read_by_compose["services"]
    assert understood.keys() == SERVICES.keys()
    for name, service in SERVICES.items():
        assert understood[name].get("command") == service.get("command")
        assert understood[name].get("environment") == service.get("environment")
        assert understood[name].get("depends_on") == service.get("depends_on")
        assert understood[name].get("healthcheck", {}).get("test") == service.get("healthcheck", {}).get(
            "test"
        )
    assert {"mongo", "postgres", "prefect", "worker", "dashboard"} <= understood.keys()
    mounts = {mount.split(":")[1] for mount in understood["worker"]["volumes"]}
    assert mounts == {"/experiments", "/data"}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service(name: str) -> None:
    service = SERVICES[name]
    # An exact version, which is not moved to another image.
    assert re.fullmatch(r"[a-z]+:\d+\.\d+(\.\d+)?(-[a-z]+)?", service["image"])
    if name in ONCE:
        assert service["restart"] == "no"
        assert any(
            each.get("depends_on", {}).get(name) == {"condition": "service_completed_successfully"}
            for each in SERVICES.values()
        )
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"][0] == "CMD"
        assert {"interval", "timeout", "retries", "start_period"} <= service["healthcheck"].keys()
    for wish in service.get("depends_on", {}).values():
        assert wish["condition"] in {"service_healthy", "service_completed_successfully"}
    for port in service.get("ports", []):
        assert re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port)
    assert service["init"] is service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert {"mem_limit", "pids_limit", "tmpfs", "networks"} <= service.keys()
    assert all("size=" in place for place in service["tmpfs"])  # what is in memory counts, and is not endless
    assert service["logging"]["options"] == {"max-size": "10m", "max-file": "5"}
    # Images of others start as root where nothing else is said; ours says it itself.
    assert service.get("user") == {"mongo": "mongodb", "postgres": "postgres"}.get(name)


@pytest.mark.parametrize("name", SERVICES)
def test_no_variable_and_no_command_holds_a_secret(name: str) -> None:
    service = SERVICES[name]
    granted = {f"/run/secrets/{secret}" for secret in service.get("secrets", [])}
    for variable, value in service.get("environment", {}).items():
        if SECRET_WORDS.search(variable) and value not in granted:
            assert urlsplit(str(value)).username is None
            assert variable.endswith(
                ("_API_URL", "_BATCH_SIZE")
            )  # where servers are, and what has `KEY` in it
        if str(value).startswith("/run/secrets/"):
            assert value in granted
    for word in [*service.get("entrypoint", []), *service["command"]]:
        assert "@" not in word
        assert "password=" not in word.lower()


def test_secrets_are_files_that_git_and_the_image_leave_out() -> None:
    files = {name: secret["file"] for name, secret in compose_file()["secrets"].items()}
    assert files == {name: f"./secrets/{name}.txt" for name in files}
    used = {secret for service in SERVICES.values() for secret in service.get("secrets", [])}
    assert used == files.keys()
    ignored = subprocess.run(
        ["git", "-C", str(ROOT), "check-ignore", *files.values()], capture_output=True, text=True
    )
    assert ignored.stdout.split() == list(files.values())
    taken = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    assert taken[1] == "*"
    assert not any("secret" in line for line in taken if line.startswith("!"))


def test_only_who_needs_a_database_can_reach_it() -> None:
    networks = {name: set(service["networks"]) for name, service in SERVICES.items()}
    internal = {name for name, network in compose_file()["networks"].items() if network.get("internal")}
    assert networks["mongo"] == {"results"}
    assert networks["postgres"] == {"prefect-database"}
    assert internal == {"results", "prefect-database"}
    assert {name for name, joined in networks.items() if "prefect-database" in joined} == {
        "postgres",
        "prefect",
    }


def test_passwords_are_made_once_and_only_their_owner_reaches_them(tmp_path: Path) -> None:
    folder = tmp_path / "secrets"
    command = [sys.executable, str(ROOT / "docker" / "make_secrets.py"), str(folder)]
    subprocess.run(command, check=True, capture_output=True)
    made = {file.name: file.read_text() for file in folder.iterdir()}
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {Path(secret["file"]).name for secret in compose_file()["secrets"].values()} <= made.keys()
    assert len(set(made.values())) == len(made)
    for role in ("writer", "reader"):
        address = urlsplit(made[f"store_{role}.txt"].strip())
        assert (address.username, address.password) == (
            f"forequake-{role}",
            made[f"{role}_password.txt"].strip(),
        )
        assert address.hostname == "mongo"
    again = subprocess.run(command, check=True, capture_output=True, text=True)
    assert again.stdout == ""
    assert {file.name: file.read_text() for file in folder.iterdir()} == made

    (folder / "store_reader.txt").unlink()
    (folder / "reader_password.txt").chmod(0o600)
    (folder / "reader_password.txt").write_text("new and secret")
    subprocess.run(command, check=True, capture_output=True)
    assert "new%20and%20secret@" in (folder / "store_reader.txt").read_text()
    (folder / "writer_password.txt").chmod(0o600)
    (folder / "writer_password.txt").write_text("another")
    refused = subprocess.run(command, capture_output=True, text=True)
    assert refused.returncode == 1
    assert "store_writer.txt has another password than writer_password.txt" in refused.stderr


def test_the_image_is_of_this_version_and_takes_no_package_without_a_pin() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    ours = {service["image"] for service in SERVICES.values() if "build" in service}
    assert ours == {f"{project['name']}:{project['version']}"}
    lines = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ").splitlines()
    installs = [step for line in lines for step in line.split("&&") if " -m pip install" in step]
    assert installs
    assert all("-c constraints.txt" in step or "--no-deps" in step for step in installs)
    assert re.search(r"^ARG PYTHON=python:3\.11\.\d+-slim-[a-z]+$", "\n".join(lines), re.MULTILINE)
    assert [line for line in lines if line.startswith("FROM")] == [
        "FROM ${PYTHON} AS build",
        "FROM ${PYTHON}",
    ]
    assert [line for line in lines if line.startswith("USER")] == ["USER forequake"]


def test_what_the_image_copies_is_there_and_let_through() -> None:
    let_through = {
        line[1:]
        for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
        if line[:1] == "!"
    }
    for line in (ROOT / "Dockerfile").read_text(encoding="utf-8").splitlines():
        if line.startswith("COPY ") and "--from" not in line:
            for source in line.split()[1:-1]:
                assert (ROOT / source).exists()
                assert source in let_through


@pytest.mark.parametrize("script", sorted((ROOT / "docker").glob("*.sh")), ids=lambda file: file.name)
def test_scripts_are_whole_and_can_be_started(script: Path) -> None:
    shell = script.read_text(encoding="utf-8").splitlines()[0].rpartition("/")[2].removeprefix("env ")
    assert subprocess.run([shell, "-n", str(script)]).returncode == 0
    assert os.access(script, os.X_OK)


def test_prefects_server_has_the_settings_of_the_local_one() -> None:
    ours = server_environment(ServerFiles(Path("any")), "http://127.0.0.1:4200/api", {})
    given = SERVICES["prefect"]["environment"]
    # PostgreSQL can mark late runs; the others belong to the folder and the terminal of the local one.
    local = {"PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED", "PREFECT_HOME", "PREFECT_CLI_PROMPT"}
    wanted = {
        name: value for name, value in ours.items() if name.startswith("PREFECT_") and name not in local
    }
    assert wanted.items() <= given.items()
    assert given["PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED"] == "events,flow_runs"
