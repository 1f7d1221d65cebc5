"""Where and by whom: packages, commits, and processes that live or do not."""

import json
import os
import platform
import signal
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

from forequake.environment import (
    git_state,
    owner_is_dead,
    process_owner,
    process_start,
    record_environment,
)
from forequake.keys import key_of

_ANNOUNCE = "from forequake.environment import process_owner; print(process_owner(), flush=True); input()"


def _git(folder: Path, *arguments: str) -> str:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.org", "-c", "commit.gpgsign=false"]
    done = subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments], check=True, capture_output=True, text=True
    )
    return done.stdout.strip()


@pytest.fixture
def other_process() -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", _ANNOUNCE], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )


def _end(process: subprocess.Popen[str]) -> None:
    process.communicate()


def test_environment_names_packages_with_their_versions() -> None:
    record = record_environment()
    assert record.python == platform.python_version()
    assert record.packages["numpy"] == version("numpy")
    assert record.packages["typing-extensions"] == version("typing_extensions")
    assert list(record.packages) == sorted(record.packages)


def test_environment_key_is_of_its_content() -> None:
    record = record_environment()
    content = json.loads(record.canon)
    assert record.key == key_of(record.canon)
    assert content["what"] == "environment"
    assert content["in"]["packages"] == record.packages
    assert record_environment() is record


def test_git_state_follows_commits_and_changes(tmp_path: Path) -> None:
    assert git_state(tmp_path) == (None, None)
    _git(tmp_path, "init", "-q")
    assert git_state(tmp_path) == (None, None)
    (tmp_path / "config.yml").write_text("name: a\n")
    _git(tmp_path, "add", ".")
    _git(tmp_path, "commit", "-q", "-m", "first")
    commit = _git(tmp_path, "rev-parse", "HEAD")
    assert git_state(tmp_path) == (commit, False)
    (tmp_path / "config.yml").write_text("name: b\n")
    assert git_state(tmp_path) == (commit, True)


def test_a_file_that_the_commit_lacks_makes_it_dirty(tmp_path: Path) -> None:
    _git(tmp_path, "init", "-q")
    _git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    assert git_state(tmp_path)[1] is False
    (tmp_path / "new.yml").write_text("name: a\n")
    assert git_state(tmp_path)[1] is True


def test_git_state_is_of_the_folder_even_inside_a_hook(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _git(tmp_path, "init", "-q")
    _git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    commit = _git(tmp_path, "rev-parse", "HEAD")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    assert git_state(tmp_path) == (commit, False)


def test_git_state_starts_no_program_of_the_repository(tmp_path: Path) -> None:
    _git(tmp_path, "init", "-q")
    _git(tmp_path, "commit", "-q", "--allow-empty", "-m", "first")
    trap = tmp_path / "trap.sh"
    trap.write_text(f"#!/bin/sh\ntouch '{tmp_path}/sprung'\n")
    trap.chmod(0o755)
    _git(tmp_path, "config", "core.fsmonitor", str(trap))
    git_state(tmp_path)
    assert not (tmp_path / "sprung").exists()


def test_no_git_at_all_is_no_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert git_state(Path.cwd()) == (None, None)
    assert git_state(tmp_path / "missing") == (None, None)


def test_owner_has_four_parts_and_lives() -> None:
    owner = process_owner()
    _, _, number, start = owner.split("/")
    assert number == str(os.getpid())
    assert process_start(os.getpid()) == start
    assert not owner_is_dead(owner)


def test_a_killed_process_is_dead(other_process: subprocess.Popen[str]) -> None:
    assert other_process.stdout is not None
    owner = other_process.stdout.readline().strip()
    assert owner.split("/")[2] == str(other_process.pid)
    assert not owner_is_dead(owner)
    other_process.send_signal(signal.SIGKILL)
    os.waitid(os.P_PID, other_process.pid, os.WEXITED | os.WNOWAIT)
    # Killed, but its exit code is not asked for yet: the number is still taken by the dead.
    assert owner_is_dead(owner)
    _end(other_process)
    assert owner_is_dead(owner)


def test_a_number_that_was_given_again_does_not_look_alive(other_process: subprocess.Popen[str]) -> None:
    assert other_process.stdout is not None
    host, boot, number, start = other_process.stdout.readline().strip().split("/")
    earlier = f"{host}/{boot}/{number}/{int(start) - 1}"
    assert owner_is_dead(earlier)
    other_process.kill()
    _end(other_process)


@pytest.mark.parametrize("place", [0, 1])
def test_what_runs_elsewhere_is_not_known_to_be_dead(place: int) -> None:
    parts = process_owner().split("/")
    parts[2], parts[3] = "4194999", "1"
    assert owner_is_dead("/".join(parts))
    parts[place] += "x"
    assert not owner_is_dead("/".join(parts))


@pytest.mark.parametrize(
    "owner", ["", "nobody", "a/b/c/d", "a/b/1", "a/b/1/2/3", "unknown/unknown/1/unknown"]
)
def test_nonsense_is_not_known_to_be_dead(owner: str) -> None:
    assert not owner_is_dead(owner)


def test_a_program_may_have_any_name(tmp_path: Path) -> None:
    strange = tmp_path / "a) Z 1 (b"
    strange.symlink_to(Path("/bin/sleep").resolve())
    with subprocess.Popen([str(strange), "60"]) as process:
        start = process_start(process.pid)
        process.kill()
    assert start is not None
    assert start.isdecimal()
    assert process_start(process.pid) is None
