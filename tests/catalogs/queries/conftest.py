"""A local server of event services, and patience that does not wait."""

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer

import pytest

from forequake.catalogs.queries import Patience
from tests.catalogs.queries.event_services import Handler, Service


@pytest.fixture(scope="session")
def _server() -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def service(_server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch) -> Service:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    for name in ("COMCAT", "BSI", "GEONET", "GCMT"):
        monkeypatch.delenv(f"FOREQUAKE_{name}_URL", raising=False)
    new = Service(url=f"http://127.0.0.1:{_server.server_port}")
    vars(_server)["service"] = new
    return new


@pytest.fixture
def waits() -> list[float]:
    """Collect the waits of `patience`, in seconds."""
    return []


@pytest.fixture
def patience(waits: list[float]) -> Patience:
    return Patience(tries=4, sleep=waits.append, jitter=lambda: 0.0)
