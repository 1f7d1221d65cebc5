"""Where Prefect shows a run, and whether it answers: asked beside the pages, which never wait for it."""

import http.client
import os
import threading
import time
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

__all__ = ["PREFECT_VARIABLES", "answers", "flow_run_link", "prefect_address"]

#: Prefect's own variables: where its pages are for a browser, and where its API answers.
PREFECT_VARIABLES: Final = ("PREFECT_UI_URL", "PREFECT_API_URL")
#: For so long an answer is taken as it was, and so long is waited for one.
_FRESH_SECONDS: Final = 10.0
_PATIENCE_SECONDS: Final = 2.0
_LOOPBACK: Final = ("127.0.0.1", "localhost", "::1")


@dataclass
class _Asked:
    """What is known of a server."""

    answers: bool | None = None
    asked_at: float = float("-inf")
    under_way: bool = False
    lock: threading.Lock = field(default_factory=threading.Lock)


_asked: Final[dict[str, _Asked]] = {}


def prefect_address() -> str | None:
    """Give the address of Prefect's pages; None where none is known. It has no password."""
    for name in PREFECT_VARIABLES:
        try:
            parts = urlsplit(os.environ.get(name, ""))
            host, port = parts.hostname, parts.port
        except ValueError:
            continue
        if parts.scheme in ("http", "https") and host:
            shown = f"[{host}]" if ":" in host else host
            place = f"{parts.scheme}://{shown}" + ("" if port is None else f":{port}")
            return place + parts.path.rstrip("/").removesuffix("/api")
    return None


def flow_run_link(flow_run_id: str | None, seen_from: str | None) -> str | None:
    """Give the address of a run in Prefect's pages, which list its task runs.

    Parameters
    ----------
    seen_from
        The address of the dashboard in the reader's browser. A Prefect that listens to its own machine only
        is not reached from another one: then there is no link.
    """
    address = prefect_address()
    if address is None or flow_run_id is None:
        return None
    if urlsplit(address).hostname in _LOOPBACK and urlsplit(seen_from or "").hostname not in (
        None,
        *_LOOPBACK,
    ):
        return None
    return f"{address}/runs/flow-run/{flow_run_id}"


def answers(address: str) -> bool | None:
    """Tell at once whether Prefect answered when it was asked last; None where it was not yet.

    Where that is older than ten seconds, it is asked again in a thread: the next call knows.
    """
    asked = _asked.setdefault(address, _Asked())
    with asked.lock:
        if not asked.under_way and time.monotonic() - asked.asked_at > _FRESH_SECONDS:
            asked.under_way = True
            threading.Thread(target=_ask, args=(address, asked), name="prefect", daemon=True).start()
        return asked.answers


def _ask(address: str, asked: _Asked) -> None:
    parts = urlsplit(address)
    kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=_PATIENCE_SECONDS)
    try:
        connection.request("GET", f"{parts.path}/api/health")
        found = connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        found = False
    finally:
        connection.close()
    with asked.lock:
        asked.answers, asked.asked_at, asked.under_way = found, time.monotonic(), False
