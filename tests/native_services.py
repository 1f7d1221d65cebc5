"""The services of docker-compose.yml as processes of this machine: commands, variables, health checks.

What a container gives a service is put in place of it: a folder of its own for what it may write, the files
of its secrets and no others, no variable but those of the file, free ports for its ports. What is in an image
of somebody else (the entry points of `mongo` and `postgres`) has a stand-in in the folder ``images``.
"""

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import yaml

ROOT = Path(__file__).parents[1]
COMPOSE = ROOT / "docker-compose.yml"
#: The ports in the containers, and the hosts that the services have in the network of compose.
PORTS = ("27017", "5432", "4200", "8080", "8501")
HOSTS = ("mongo", "postgres", "prefect")
_START_SECONDS = 90.0
_LOOK_SECONDS = 0.2
_END_SECONDS = 20.0


def compose_file() -> dict[str, Any]:
    """Read the file; ``<<`` is resolved."""
    return dict(yaml.safe_load(COMPOSE.read_text(encoding="utf-8")))


def postgres_programs() -> Path:
    """Give the folder of PostgreSQL's programs, which Debian does not put on the path.

    Raises
    ------
    LookupError
        Where there is none.
    """
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda file: int(file.parts[-3]))
    on_path = shutil.which("initdb")
    if not found and on_path is None:
        message = "there is no PostgreSQL: install it (Debian: apt-get install postgresql)"
        raise LookupError(message)
    return found[-1].parent if found else Path(str(on_path)).resolve().parent


def _free_ports(count: int) -> list[str]:
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [str(each.getsockname()[1]) for each in sockets]
    finally:
        for each in sockets:
            each.close()


class NativeServices:
    """Starts the services in the order of their conditions, and ends them all.

    Attributes
    ----------
    folder
        One folder for each service; ``log`` in it has what the service printed.
    secrets
        The files that ``docker/make_secrets.py`` made, with the hosts and ports of this machine.
    ports
        The port of this machine for each port of a container.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.compose = compose_file()
        self.ports = dict(zip(PORTS, _free_ports(len(PORTS)), strict=True))
        self.secrets = folder / "secrets"
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def up(self) -> None:
        """Start everything, each service once those that it depends on are as it wants them."""
        maker = [sys.executable, str(ROOT / "docker" / "make_secrets.py"), str(self.secrets)]
        subprocess.run(maker, check=True, stdout=subprocess.DEVNULL)
        for file in self.secrets.iterdir():
            file.chmod(0o644)
            file.write_text(self._natively("secrets", file.read_text()))
        waiting = dict(self.compose["services"])
        deadline = time.monotonic() + _START_SECONDS
        while waiting:
            for name in [name for name, service in waiting.items() if self._may_start(service)]:
                self._running[name] = self.start(name)
                del waiting[name]
            assert time.monotonic() < deadline, f"{', '.join(waiting)} cannot be started yet"
            time.sleep(_LOOK_SECONDS)
        for name, service in self.compose["services"].items():
            if "healthcheck" in service:
                self.await_health(name)

    def start(self, name: str, command: list[str] | None = None) -> subprocess.Popen[bytes]:
        """Start a service, or another command in its place, as ``docker-compose run`` does."""
        service = self.compose["services"][name]
        entry = service.get("entrypoint", ["docker-entrypoint.sh"] if name == "postgres" else [])
        words = [*entry, *(service["command"] if command is None else command)]
        words = [self._natively(name, word) for word in words]
        with (self._folder(name) / "log").open("ab") as log:
            return subprocess.Popen(
                # Should the tests be killed, so are the services.
                ["setpriv", "--pdeathsig", "KILL", *words],
                env=self.environment(name),
                cwd=self._folder(name),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                **self._user(name),
            )

    def environment(self, name: str) -> dict[str, str]:
        """Give the variables of a service: those of the file, and where its programs and its folder are."""
        given = self.compose["services"][name].get("environment", {})
        folder = self._folder(name)
        programs = [Path(sys.executable).parent]
        if name == "mongo":
            programs.insert(0, ROOT / "tests" / "images" / "mongo")
        elif name == "postgres":
            programs = [ROOT / "tests" / "images" / "postgres", postgres_programs()]
        return {
            "PATH": ":".join([*map(str, programs), "/usr/bin", "/bin"]),
            "PYTHONPATH": str(ROOT),
            "HOME": str(folder),
            "TMPDIR": str(folder),
            "LANG": "C.UTF-8",
            **{
                key: "127.0.0.1" if key.endswith("_HOST") else self._natively(name, str(value))
                for key, value in given.items()
            },
        }

    def log(self, name: str) -> str:
        """Give what a service printed."""
        return (self._folder(name) / "log").read_text(errors="replace")

    def number(self, name: str) -> int | None:
        """Give the number of a service's process; None where it has ended."""
        process = self._running[name]
        return process.pid if process.poll() is None else None

    def healthy(self, name: str) -> bool:
        """Run the health check of a service once."""
        check = self.compose["services"][name]["healthcheck"]["test"]
        assert check[0] == "CMD"
        words = [self._natively(name, word) for word in check[1:]]
        done = subprocess.run(words, env=self.environment(name), capture_output=True, timeout=30)
        return done.returncode == 0

    def await_health(self, name: str) -> None:
        """Wait until the health check of a service succeeds."""
        deadline = time.monotonic() + _START_SECONDS
        while not self.healthy(name):
            ended = self._running[name].poll()
            assert ended is None, f"{name} ended with {ended}:\n{self.log(name)}"
            assert time.monotonic() < deadline, f"{name} is not healthy:\n{self.log(name)}"
            time.sleep(_LOOK_SECONDS)

    def _may_start(self, service: dict[str, Any]) -> bool:
        """Tell whether all that a service depends on is as it wants it."""
        for other, wish in service.get("depends_on", {}).items():
            if other not in self._running:
                return False
            code = self._running[other].poll()
            if wish["condition"] == "service_completed_successfully":
                assert code in {None, 0}, f"{other} ended with {code}:\n{self.log(other)}"
                if code is None:
                    return False
            else:
                assert code is None, f"{other} ended with {code}:\n{self.log(other)}"
                if not self.healthy(other):
                    return False
        return True

    def _folder(self, name: str) -> Path:
        folder = self.folder / name
        if not folder.exists():
            (folder / "secrets").mkdir(parents=True)
            for secret in self.compose["services"].get(name, {}).get("secrets", []):
                shutil.copy(self.secrets / f"{secret}.txt", folder / "secrets" / secret)
            for user in self._user(name).values():
                for place in (folder, *folder.rglob("*")):
                    shutil.chown(place, user)
        return folder

    def _user(self, name: str) -> dict[str, Any]:
        """PostgreSQL refuses to run as root; Debian's package has made a user for it."""
        return {"user": "postgres"} if name == "postgres" and os.geteuid() == 0 else {}

    def _natively(self, name: str, text: str) -> str:
        """Put the paths, hosts and ports of this machine into a word."""
        folder = self.folder / name
        for before, after in (
            ("/run/secrets/", f"{folder}/secrets/"),
            ("/opt/forequake/docker/", f"{ROOT}/docker/"),
            ("/docker/", f"{ROOT}/docker/"),
            ("/experiments/", f"{ROOT}/examples/"),
            ("/tmp/", f"{folder}/"),
            ("/var/lib/postgresql/", f"{folder}/"),
        ):
            if text.startswith(before):
                return text.replace(before, after, 1)
        if text == "0.0.0.0":
            return "127.0.0.1"
        if text == "--bind_ip_all":
            return "--bind_ip=127.0.0.1"
        text = re.sub(rf"\b({'|'.join(HOSTS)}):(?=\d)", "127.0.0.1:", text)
        ports = "|".join(self.ports)
        return re.sub(rf"(?:(?<=127\.0\.0\.1:)|^)({ports})\b", lambda match: self.ports[match[1]], text)

    def __enter__(self) -> Self:
        try:
            self.up()
        except BaseException:
            self.down()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.down()

    def down(self) -> None:
        """End all services, with whatever they started."""
        for process in self._running.values():
            process.terminate()
        for process in self._running.values():
            with suppress(subprocess.TimeoutExpired):
                process.wait(_END_SECONDS)
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


@contextmanager
def native_services() -> Iterator[NativeServices]:
    """Start the services in a temporary folder that the users of all services may enter."""
    with tempfile.TemporaryDirectory(prefix="forequake-services-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o711)
        with NativeServices(Path(folder)) as services:
            yield services
