"""How commands are formed, and how the programs that build are run."""

import os
import sys
import time
from dataclasses import replace
from pathlib import Path

import pytest

from forequake.errors import EnvironmentFailed, EnvironmentUnavailable
from forequake.models.environments import BuiltEnvironment, Invocation
from forequake.models.environments.commands import wrapped_command
from forequake.models.environments.tools import Tool, masked, tool_variables

_RUN = Path("/runs/a,b")
_INVOCATION = Invocation(
    argv=("python", "/shelf/m/run.py", "/runs/a,b/input/args.txt", "--n", "5"),
    variables={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "VIRTUAL_ENV": "/ours", "PYTHONPATH": "/ours"},
    folder=_RUN,
    source=Path("/shelf/m"),
    run_id="ab12",
)


def _built(**values: object) -> BuiltEnvironment:
    return BuiltEnvironment(**({"key": "0" * 64, "python": "3.11.7", "packages": {}} | values))  # type: ignore[arg-type]


def test_in_a_venv() -> None:
    command = _built(build="venv", prefix=Path("/e")).command(_INVOCATION)
    assert command.argv == _INVOCATION.argv
    assert command.variables == {"PATH": "/e/bin:/usr/bin:/bin", "LANG": "C.UTF-8", "VIRTUAL_ENV": "/e"}
    assert command.stop is None
    assert not command.is_contained


def test_in_an_environment_of_conda() -> None:
    command = _built(build="conda", prefix=Path("/e")).command(_INVOCATION)
    assert command.argv == _INVOCATION.argv
    assert command.variables == {
        "PATH": "/e/bin:/usr/bin:/bin",
        "LANG": "C.UTF-8",
        "CONDA_PREFIX": "/e",
        "CONDA_DEFAULT_ENV": "/e",
    }
    runner = ("/opt/conda", "run", "-p", "/e")
    command = _built(build="conda", prefix=Path("/e"), runner=runner).command(_INVOCATION)
    assert command.argv == (*runner, *_INVOCATION.argv)


def test_in_our_own_environment() -> None:
    command = _built(build=None, prefix=Path(sys.prefix)).command(_INVOCATION)
    assert command.variables["PATH"].startswith(f"{sys.prefix}/bin:")
    assert "PYTHONPATH" not in command.variables


def test_what_is_secret_is_no_word_of_a_container_s_command() -> None:
    environment = _built(build="docker", image_digest="sha256:ff", client={"DOCKER_HOST": "tcp://host"})
    variables = {"TOKEN": "abcdef", "MODE": "fast"}
    invocation = replace(_INVOCATION, variables=variables, secret=frozenset({"TOKEN"}))
    command = environment.command(invocation)
    assert "abcdef" not in " ".join(command.argv)
    assert command.argv[command.argv.index("TOKEN") - 1] == "--env"
    assert "MODE=fast" in command.argv
    assert command.variables == {"DOCKER_HOST": "tcp://host", "TOKEN": "abcdef"}
    assert command.stop_variables == {"DOCKER_HOST": "tcp://host"}


def test_in_a_container() -> None:
    environment = _built(build="docker", image_digest="sha256:ff", client={"DOCKER_HOST": "tcp://host"})
    invocation = Invocation(
        **{**_INVOCATION.__dict__, "user": (1000, 1001), "memory_mb": 512, "processes": 64}
    )
    command = environment.command(invocation)
    assert command.argv == (
        *("docker", "run", "--rm", "--init", "--name", "forequake-ab12", "--label", "forequake.run=ab12"),
        *("--network", "none", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"),
        *("--user", "1000:1001", "--memory", "512m", "--memory-swap", "512m", "--pids-limit", "64"),
        *("--mount", 'type=bind,"source=/runs/a,b",target=/forequake/run'),
        *("--mount", "type=bind,source=/shelf/m,target=/forequake/source,readonly"),
        *("--mount", 'type=bind,"source=/runs/a,b/input",target=/app/input'),
        *("--mount", 'type=bind,"source=/runs/a,b/forecasts",target=/app/forecasts'),
        *("--env", "HOME=/tmp", "--env", "LANG=C.UTF-8", "--env", "TMPDIR=/tmp"),
        *("sha256:ff", "python", "/forequake/source/run.py", "/forequake/run/input/args.txt", "--n", "5"),
    )
    assert command.variables == {"DOCKER_HOST": "tcp://host"}
    assert command.stop == ("docker", "kill", "forequake-ab12")
    assert command.is_contained


def test_an_image_knows_its_own_command() -> None:
    bare = Invocation((), {}, _RUN, Path("/shelf/m"), "ab12")
    assert wrapped_command(bare, image="sha256:ff").argv[-1] == "sha256:ff"
    with pytest.raises(ValueError, match="a command"):
        wrapped_command(bare, prefix=Path("/e"))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://me:s3cret@host/simple/", "https://***@host/simple/"),
        ("https://s3cret@host/x https://a:s3cret@b/y", "https://***@host/x https://***@b/y"),
        ("git+ssh://git:s3cret@host/x.git", "git+ssh://***@host/x.git"),
        ("https://host/x?a=1&access_token=s3cret&b=2", "https://host/x?a=1&access_token=***&b=2"),
        ("https://conda.anaconda.org/t/s3cret/channel", "https://conda.anaconda.org/t/***/channel"),
        ("user@host and http://host/a@b", "user@host and http://host/a@b"),
    ],
)
def test_secrets_are_masked(text: str, expected: str) -> None:
    assert masked(text) == expected


def test_builders_see_nothing_of_our_stores() -> None:
    given = {
        "PATH": "/bin",
        "PIP_INDEX_URL": "https://x",
        "PIP_TARGET": "/x",
        "https_proxy": "p",
        "DOCKER_HOST": "d",
        "FOREQUAKE_STORE": "mongodb://a:b@c",
        "PREFECT_API_KEY": "k",
        "AWS_SECRET_ACCESS_KEY": "k",
        "PYTHONPATH": "/x",
        "VIRTUAL_ENV": "/x",
    }
    assert set(tool_variables(given)) == {"PATH", "PIP_INDEX_URL", "https_proxy", "DOCKER_HOST"}


def _tool(folder: Path, seconds: float = 20.0) -> Tool:
    return Tool("the environment (venv)", folder / "programs", time.monotonic() + seconds)


def test_a_failing_builder_has_the_last_word(tmp_path: Path) -> None:
    words = "for n in $(seq 30); do echo line $n; done; echo https://me:word@host >&2; exit 3"
    with pytest.raises(EnvironmentFailed) as caught:
        _tool(tmp_path).run(["sh", "-c", words], cwd=tmp_path)
    message = str(caught.value)
    assert "exit code 3" in message
    assert "line 30\n    https://***@host" in message
    assert "line 10" not in message
    assert "line 10" in caught.value.output
    assert "word" not in caught.value.output
    assert not caught.value.transient


@pytest.mark.parametrize(
    "words",
    [
        "WARNING: Retrying after connection broken by 'NewConnectionError(': ...",
        "urllib3.exceptions.ReadTimeoutError: HTTPSConnectionPool(host='x', port=443): Read timed out.",
        "CondaHTTPError: HTTP 000 CONNECTION FAILED for url <https://conda.anaconda.org/x>",
        "critical libmamba Could not resolve host: conda.anaconda.org",
        "Cannot connect to the Docker daemon at unix:///var/run/docker.sock. Is the docker daemon running?",
        "dial tcp: lookup registry-1.docker.io: no such host",
        "ERROR: HTTP error 503 while getting https://x",
    ],
)
def test_what_the_network_does_is_transient(tmp_path: Path, words: str) -> None:
    (tmp_path / "words").write_text(words)
    with pytest.raises(EnvironmentUnavailable, match="cannot be built now") as caught:
        _tool(tmp_path).run(["sh", "-c", "cat words; exit 1"], cwd=tmp_path)
    assert caught.value.transient


def test_a_builder_that_hangs_is_ended_with_what_it_started(tmp_path: Path) -> None:
    words = f"sleep 100 & echo $! > {tmp_path}/number; echo working; wait"
    began = time.monotonic()
    with pytest.raises(EnvironmentFailed, match=r"did not end in time\. The end of .*\n    working$"):
        _tool(tmp_path, 0.5).run(["sh", "-c", words], cwd=tmp_path)
    assert time.monotonic() - began < 4
    assert not _lives(int((tmp_path / "number").read_text()))


def test_a_builder_that_leaves_something_behind_is_not_waited_for(tmp_path: Path) -> None:
    began = time.monotonic()
    words = f"sleep 100 & echo $! > {tmp_path}/number; echo done"
    assert _tool(tmp_path).run(["sh", "-c", words], cwd=tmp_path) == "done\n"
    assert time.monotonic() - began < 4
    assert not _lives(int((tmp_path / "number").read_text()))


def test_a_builder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailed, match="no-such-program create cannot be started: /bin/no-such-"):
        _tool(tmp_path).run(["/bin/no-such-program", "create"], cwd=tmp_path)


def _lives(number: int) -> bool:
    """Tell whether a process lives on; the system may need a moment to end it."""
    ends = time.monotonic() + 3
    while time.monotonic() < ends:
        try:
            if Path(f"/proc/{number}/stat").read_text().split()[2] == "Z":
                return False
            os.kill(number, 0)
        except OSError:
            return False
        time.sleep(0.01)
    return True
