"""What we ask a Prefect server over HTTP: whether it is well, and whether it has recorded all it was told."""

import os
import re
import ssl
import time
from typing import Any, Final
from urllib.parse import urlsplit

import httpx

__all__ = ["home_of", "is_loopback", "trouble_with", "wait_until_recorded", "without_password"]

_TIMEOUT_SECONDS: Final = 10.0
#: States of runs that are not over and that somebody works on.
_UNDER_WAY: Final = ("RUNNING", "PENDING", "CANCELLING")
#: The recorder writes at least once a second (see the settings of the local server): counts that stay for
#: longer are complete.
_STILL_SECONDS: Final = 1.5
#: Runs whose process was killed stay under way for ever: they are not awaited when so long nothing changes.
_STUCK_SECONDS: Final = 5.0
_LOOK_SECONDS: Final = 0.25

_Counts = tuple[int, int, int, int]


def trouble_with(url: str) -> str | None:
    """Tell what keeps the API at `url` from being used; None where it is well."""
    try:
        with _client(url) as client:
            answer = client.get("/health")
            if answer.status_code != 200:
                return f"it answers with HTTP status {answer.status_code}"
            return None if answer.json() is True else "what answers there is not a Prefect server"
    except ValueError:  # the answer is not JSON, or the port no number
        return "what answers there is not a Prefect server"
    except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
        return without_password(str(error)) or type(error).__name__


def home_of(url: str) -> str | None:
    """Give the folder in which the server at `url` keeps its data; None where it does not tell."""
    try:
        with _client(url) as client:
            home = client.get("/admin/settings").json().get("home")
    except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError, AttributeError):
        return None
    return home if isinstance(home, str) else None


def wait_until_recorded(url: str, patience: float) -> bool:
    """Wait until the server has recorded every run, for at most `patience` seconds.

    A server that is stopped right after a flow loses the task runs that it was told of but did not write.

    Returns
    -------
    bool
        False where runs are still under way, or seem to be because their process was killed.
    """
    deadline = time.monotonic() + patience
    before: _Counts | None = None
    unchanged_since = time.monotonic()
    with _client(url) as client:
        while True:
            try:
                counts = _counts(client)
            except (httpx.HTTPError, ValueError):  # it is about to be stopped: no answer, nothing to wait for
                return False
            moment = time.monotonic()
            if counts != before:
                before, unchanged_since = counts, moment
            still = moment - unchanged_since
            at_rest = counts[0] == counts[1] == 0
            if at_rest and still >= _STILL_SECONDS:
                return True
            if still >= _STUCK_SECONDS or moment > deadline:
                return at_rest
            time.sleep(_LOOK_SECONDS)


def is_loopback(url: str) -> bool:
    """Tell whether an address means this machine."""
    try:
        return urlsplit(url).hostname in {"127.0.0.1", "localhost", "::1"}
    except ValueError:
        return False


def without_password(text: str) -> str:
    """Take user names, passwords and query strings out of the addresses in a text.

    Examples
    --------
    >>> without_password("http://me:secret@host:4200/api?key=1")
    'http://host:4200/api'
    """
    return re.sub(r"\?\S*", "", re.sub(r"//[^/@\s]*@", "//", text))


def _client(url: str) -> httpx.Client:
    here = is_loopback(url)
    return httpx.Client(
        base_url=url,
        timeout=_TIMEOUT_SECONDS,
        trust_env=not here,  # a proxy of the environment would take 127.0.0.1 for itself
        # Reading the certificates takes longer than all questions to this machine, which has none.
        verify=False if here and url.startswith("http:") else _certificates(),
        headers={} if here else _authorization(),
        follow_redirects=True,
    )


def _certificates() -> bool | ssl.SSLContext:
    """Trust what Prefect's own client is told to trust."""
    if os.environ.get("PREFECT_API_TLS_INSECURE_SKIP_VERIFY", "").lower() in {"1", "true", "yes", "on"}:
        return False
    file = os.environ.get("PREFECT_API_SSL_CERT_FILE")
    return ssl.create_default_context(cafile=file) if file else True


def _authorization() -> dict[str, str]:
    key = os.environ.get("PREFECT_API_KEY")
    return {"Authorization": f"Bearer {key}"} if key else {}


def _counts(client: httpx.Client) -> _Counts:
    under_way = {"state": {"type": {"any_": list(_UNDER_WAY)}}}
    filters: tuple[dict[str, Any], ...] = ({"flow_runs": under_way}, {"task_runs": under_way}, {}, {})
    paths = ("flow_runs", "task_runs", "flow_runs", "task_runs")
    numbers: list[int] = []
    for path, condition in zip(paths, filters, strict=True):
        answer = client.post(f"/{path}/count", json=condition)
        answer.raise_for_status()
        numbers.append(int(answer.json()))
    return numbers[0], numbers[1], numbers[2], numbers[3]
