"""The dashboard as its users have it, for tests, benchmarks and pictures: a running server, a browser."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Final, Literal

import httpx

from dashboard.launch import command, environment

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

__all__ = ["FLAGS", "NoChromium", "chromium", "chromium_program", "serving"]

#: Nothing is drawn by a graphics card, and nothing is asked of any host but ours.
FLAGS: Final = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
_START_SECONDS: Final = 60.0
_STOP_SECONDS: Final = 20.0


class NoChromium(LookupError):
    """There is no Chromium on the path."""

    def __init__(self) -> None:
        super().__init__("there is no chromium on PATH: install it (Debian: apt-get install chromium)")


@contextmanager
def serving(store_url: str, variables: Mapping[str, str] | None = None) -> Iterator[str]:
    """Start the dashboard on a store, as the command line does; give its address.

    Parameters
    ----------
    store_url
        Address of the store.
    variables
        Further ones of the server's environment.

    Raises
    ------
    RuntimeError
        Where the server does not answer within a minute, or ends.
    """
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    process = subprocess.Popen(
        command(port),
        env=os.environ | environment(store_url) | dict(variables or {}),
        cwd="/",
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    address = f"http://127.0.0.1:{port}"
    try:
        _await_health(process, address)
        yield address
    finally:
        process.terminate()
        process.wait(timeout=_STOP_SECONDS)


def _await_health(process: subprocess.Popen[bytes], address: str) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            message = "the dashboard's server ended at once"
            raise RuntimeError(message)
        try:
            if httpx.get(f"{address}/_stcore/health", trust_env=False, timeout=2).is_success:
                return
        except httpx.HTTPError:
            pass
        time.sleep(0.05)
    message = f"the dashboard's server did not answer within {_START_SECONDS:.0f} s"
    raise RuntimeError(message)


def chromium_program() -> str:
    """Give the system's Chromium.

    Raises
    ------
    NoChromium
        Where there is none.
    """
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        raise NoChromium
    return found


@contextmanager
def chromium(
    *, width: int = 1280, height: int = 900, scheme: Literal["light", "dark"] = "light"
) -> Iterator["BrowserContext"]:
    """Start the system's Chromium with an empty profile.

    Parameters
    ----------
    width, height
        Of the page, in pixels.
    scheme
        The colours that its user prefers.

    Raises
    ------
    NoChromium
        Where there is none.
    """
    from playwright.sync_api import sync_playwright

    executable = chromium_program()
    with tempfile.TemporaryDirectory() as profile, sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            profile,
            executable_path=executable,
            args=list(FLAGS),
            viewport={"width": width, "height": height},
            color_scheme=scheme,
        )
        context.set_default_timeout(30_000)
        yield context
        context.close()
