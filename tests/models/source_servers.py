"""Local servers that sources come from: one of git, smart or of mere files, and one of Zenodo's records."""

import hashlib
import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

Answer = Callable[["Handler"], None]


@dataclass
class Server:
    """What a server has and was asked; `faults` come first, one for each request whose path holds their word.

    Attributes
    ----------
    records
        By their number the files of a record.
    repositories
        Folder of bare repositories; below ``/git/`` git's own program serves them, below ``/files/`` none.
    password
        Whether repositories ask for one.
    """

    url: str = ""
    records: dict[str, dict[str, bytes]] = field(default_factory=dict)
    faults: list[tuple[str, Answer]] = field(default_factory=list)
    repositories: Path | None = None
    password: bool = False
    paths: list[str] = field(default_factory=list)
    ranges: list[str | None] = field(default_factory=list)
    agents: set[str] = field(default_factory=set)

    def fail(self, word: str, *answers: Answer) -> None:
        self.faults += [(word, answer) for answer in answers]


class Handler(BaseHTTPRequestHandler):
    """One request."""

    protocol_version = "HTTP/1.1"
    server: Any

    def do_GET(self) -> None:
        about: Server = self.server.about
        path = unquote(urlsplit(self.path).path)
        about.paths.append(path)
        about.ranges.append(self.headers.get("Range"))
        about.agents.add(self.headers["User-Agent"])
        with suppress(BrokenPipeError, ConnectionResetError):
            for place, (word, fault) in enumerate(about.faults):
                if word in path:
                    del about.faults[place]
                    fault(self)
                    return
            if path.startswith("/git/"):
                self._git(about)
            elif path.startswith("/files/"):
                self._file_of_repository(about, path.removeprefix("/files/"))
            else:
                self._record(about, path)

    do_POST = do_GET

    def send(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def _record(self, about: Server, path: str) -> None:
        parts = path.strip("/").split("/")
        if parts[:2] != ["api", "records"] or parts[2] not in about.records:
            self.send(404, b'{"status": 404, "message": "The persistent identifier does not exist."}')
            return
        files = about.records[parts[2]]
        if len(parts) == 3:
            self.send(200, json.dumps(record_of(about.url, parts[2], files)).encode())
        elif parts[3] == "files" and parts[-1] == "content" and "/".join(parts[4:-1]) in files:
            self._range(files["/".join(parts[4:-1])])
        else:
            self.send(404, b'{"status": 404, "message": "No such file."}')

    def _range(self, body: bytes) -> None:
        wanted = self.headers.get("Range")
        if wanted is None:
            self.send(200, body, "application/octet-stream")
            return
        start = int(wanted.removeprefix("bytes=").rstrip("-"))
        place = f"bytes {start}-{len(body) - 1}/{len(body)}"
        self.send(206, body[start:], "application/octet-stream", Content_Range=place)

    def _file_of_repository(self, about: Server, path: str) -> None:
        assert about.repositories is not None
        file = about.repositories / path
        if file.is_file():
            self.send(200, file.read_bytes(), "application/octet-stream")
        else:
            self.send(404, b"", "text/plain")

    def _git(self, about: Server) -> None:
        if about.password:
            self.send(401, b"who are you?", "text/plain", WWW_Authenticate='Basic realm="models"')
            return
        parts = urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        environment = {
            "PATH": os.environ["PATH"],
            "GIT_PROJECT_ROOT": str(about.repositories),
            "GIT_HTTP_EXPORT_ALL": "1",
            "GIT_CONFIG_NOSYSTEM": "1",
            "REQUEST_METHOD": self.command,
            "PATH_INFO": unquote(parts.path).removeprefix("/git"),
            "QUERY_STRING": parts.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
        }
        done = subprocess.run(
            ["git", "http-backend"], input=body, env=environment, capture_output=True, check=True
        )
        heading, _, answer = done.stdout.partition(b"\r\n\r\n")
        headers = dict(line.split(": ", 1) for line in heading.decode().splitlines())
        status = int(headers.pop("Status", "200").split()[0])
        self.send(status, answer, headers.pop("Content-Type", "text/plain"))

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


def record_of(url: str, number: str, files: dict[str, bytes]) -> dict[str, Any]:
    """Write a record as Zenodo's API does, as far as anybody needs it."""
    return {
        "id": int(number),
        "conceptrecid": str(int(number) - 1),
        "doi": f"10.5281/zenodo.{number}",
        "metadata": {"title": "A model", "access_right": "open"},
        "files": [
            {
                "id": hashlib.sha1(name.encode()).hexdigest(),
                "key": name,
                "size": len(content),
                "checksum": f"md5:{hashlib.md5(content).hexdigest()}",
                "links": {"self": f"{url}/api/records/{number}/files/{name}/content"},
            }
            for name, content in files.items()
        ],
    }


@contextmanager
def serving() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def status(number: int, body: bytes = b"", kind: str = "text/plain", **headers: str) -> Answer:
    """Answer with a status."""
    return lambda handler: handler.send(number, body, kind, **headers)


def cut_off(body: bytes, sent: int) -> Answer:
    """Say how long the body is, send a part of it, and hang up."""

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        handler.wfile.write(body[:sent])
        handler.close_connection = True

    return answer


def unframed(body: bytes) -> Answer:
    """Send a body that ends where the connection does, as HTTP/1.0 does."""

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.wfile.write(body)
        handler.close_connection = True

    return answer


def git(folder: Path, *words: str) -> str:
    """Run git as a modeller does, without this machine's configuration."""
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": os.devnull,
        **{f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER") for what, value in ONE_MODELLER},
    }
    settings = ("-c", "init.defaultBranch=main", "-c", "protocol.file.allow=always")
    done = subprocess.run(
        ["git", *settings, *words], cwd=folder, env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


ONE_MODELLER = (("NAME", "A Modeller"), ("EMAIL", "modeller@example.org"), ("DATE", "2020-01-01T00:00:00Z"))
