"""One local server for sources, and patience that does not wait."""

from collections.abc import Callable, Iterator
from http.server import ThreadingHTTPServer

import pytest

from forequake.patience import Patience
from tests.models.source_servers import Server, serving

#: Programs that hang, fill the disk and worse: only ever run, never imported.
collect_ignore = ["bad_models"]


@pytest.fixture(scope="session")
def _source_server() -> Iterator[ThreadingHTTPServer]:
    with serving() as server:
        yield server


@pytest.fixture
def server(_source_server: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch) -> Server:
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)
    new = Server(url=f"http://127.0.0.1:{_source_server.server_port}")
    vars(_source_server)["about"] = new
    monkeypatch.setenv("FOREQUAKE_ZENODO_URL", new.url)
    return new


@pytest.fixture
def waits() -> list[float]:
    """Collect the waits of `patience`, in seconds."""
    return []


@pytest.fixture
def patience(waits: list[float]) -> Patience:
    return Patience(tries=4, sleep=waits.append, jitter=lambda: 0.0)


@pytest.fixture
def said() -> list[str]:
    """Collect what is said to the user."""
    return []


@pytest.fixture
def say(said: list[str]) -> Callable[[str], None]:
    return said.append
