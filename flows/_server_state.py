"""Where the local Prefect server keeps its things, which process it is, and with which settings it runs."""

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from platformdirs import user_data_path
from pydantic import BaseModel, ConfigDict, Field, ValidationError

__all__ = ["ServerFiles", "ServerState", "own_environment", "server_environment"]

#: For how long finished runs, and the events about them, stay in Prefect's database.
_KEEP_RUNS_DAYS: Final = 30
_KEEP_EVENTS_DAYS: Final = 7
#: Measured with Prefect 3.8 on SQLite.
_SETTINGS: Final = {
    # The statement that marks late runs is the one that ends in "database is locked".
    "PREFECT_SERVER_SERVICES_LATE_RUNS_ENABLED": "false",
    # Written one by one (the default), task runs take several times as long to be recorded.
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_BATCH_SIZE": "50",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_READ_BATCH_SIZE": "50",
    "PREFECT_SERVER_SERVICES_TASK_RUN_RECORDER_FLUSH_INTERVAL": "1",
    # Prefect keeps every run for ever, unless told otherwise. What forequake computed is not in its database.
    "PREFECT_SERVER_SERVICES_DB_VACUUM_ENABLED": "events,flow_runs",
    "PREFECT_SERVER_SERVICES_DB_VACUUM_RETENTION_PERIOD": str(_KEEP_RUNS_DAYS * 86_400),
    "PREFECT_SERVER_EVENTS_RETENTION_PERIOD": f"P{_KEEP_EVENTS_DAYS}D",
    "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
    "PREFECT_SERVER_UI_SHOW_PROMOTIONAL_CONTENT": "false",
    "PREFECT_SERVER_LOGGING_LEVEL": "WARNING",
    "PREFECT_CLI_PROMPT": "false",
}
_LOOPBACK: Final = ("127.0.0.1", "localhost")


class ServerState(BaseModel):
    """The process that was started last; it may have ended since.

    Attributes
    ----------
    port
        On 127.0.0.1; the next start asks for the same one.
    pid, start
        Number and start (see `forequake.environment.process_start`) of the process.
    started_at
        Seconds since 1970.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    port: int = Field(ge=1, le=65535)
    pid: int = Field(ge=2)
    start: str
    started_at: float

    @property
    def url(self) -> str:
        """The address of its API."""
        return f"http://127.0.0.1:{self.port}/api"


@dataclass(frozen=True)
class ServerFiles:
    """The server's files, all in one folder."""

    folder: Path

    @classmethod
    def of_user(cls) -> Self:
        """Give the files of this user on this host: homes that several hosts share have a folder for each."""
        return cls(user_data_path("forequake") / "prefect" / socket.gethostname().replace("/", "-"))

    @property
    def home(self) -> Path:
        """The server's `PREFECT_HOME`, with its database."""
        return self.folder / "home"

    @property
    def state(self) -> Path:
        """Which process it is."""
        return self.folder / "server.json"

    @property
    def lock(self) -> Path:
        """Held while the server is started or stopped."""
        return self.folder / "server.lock"

    @property
    def log(self) -> Path:
        """What the server printed since it was started."""
        return self.folder / "server.log"

    def read(self) -> ServerState | None:
        """Read which process was started last; None where there was none or the file makes no sense."""
        try:
            return ServerState.model_validate_json(self.state.read_bytes())
        except (FileNotFoundError, NotADirectoryError, ValidationError):
            return None

    def write(self, state: ServerState) -> None:
        """Write which process was started, whole or not at all."""
        half = self.state.with_suffix(".new")
        half.write_text(state.model_dump_json(indent=2) + "\n", encoding="utf-8")
        half.replace(self.state)

    def cut_log(self, most: int) -> None:
        """Empty the log where it has more than `most` bytes."""
        if self.log.exists() and self.log.stat().st_size > most:
            os.truncate(self.log, 0)


def server_environment(files: ServerFiles, url: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """Give the environment of the server's process.

    Settings of Prefect that the user has for another server (a database, a profile, a key) are left out.
    """
    kept = {name: value for name, value in inherited.items() if not name.startswith("PREFECT_")}
    return {
        **kept,
        **_SETTINGS,
        **_common(files, inherited),
        # The user interface would ask port 4200.
        "PREFECT_SERVER_UI_API_URL": url,
    }


def own_environment(files: ServerFiles, url: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """Give the variables that make Prefect in this process talk to the local server."""
    return {"PREFECT_API_URL": url, **_common(files, inherited)}


def _common(files: ServerFiles, inherited: Mapping[str, str]) -> dict[str, str]:
    return {
        "PREFECT_HOME": str(files.home),
        # A second server inside the process, which would lose what it was told.
        "PREFECT_SERVER_EPHEMERAL_ENABLED": "false",
        "DO_NOT_TRACK": "1",
        **{name: _without_proxy(inherited.get(name, "")) for name in ("NO_PROXY", "no_proxy")},
    }


def _without_proxy(hosts: str) -> str:
    """Add this machine to the hosts that are reached without the environment's proxy."""
    named = [host.strip() for host in hosts.split(",") if host.strip()]
    return ",".join([*named, *(host for host in _LOOPBACK if host not in named)])
