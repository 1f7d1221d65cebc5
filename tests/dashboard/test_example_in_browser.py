"""The page on the example's own store, in a real browser: a click on a mark leads to its result."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, sync_playwright

from dashboard.launch import command, environment
from flows._processes import free_port
from flows.cli.service import await_health

pytestmark = [pytest.mark.browser, pytest.mark.prefect, pytest.mark.slow]

FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


@pytest.fixture
def address(california: Any) -> Iterator[str]:
    """Serve the dashboard on the example's store; give its address."""
    port = free_port(8599)
    process = subprocess.Popen(
        command(port), env=os.environ | environment(california.store_url), stdout=subprocess.DEVNULL
    )
    try:
        await_health(process, f"http://127.0.0.1:{port}")
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=20)


@pytest.fixture
def page(tmp_path: Path) -> Iterator[Page]:
    """A page of the system's Chromium with an empty profile."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        if os.environ.get("CI") or os.environ.get("FOREQUAKE_REQUIRE_BROWSER"):
            pytest.fail("Chromium is missing: install Debian's package chromium")
        pytest.skip("NO BROWSER TEST: Chromium is missing; install Debian's package chromium")
    with sync_playwright() as playwright:
        context = playwright.chromium.launch_persistent_context(
            tmp_path / "profile", executable_path=chromium, headless=True, args=FLAGS
        )
        yield context.pages[0]
        context.close()


def test_a_click_on_a_mark_leads_to_its_result(page: Page, address: str) -> None:
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    page.goto(f"{address}/?experiment=california")
    page.wait_for_selector(".js-plotly-plot .main-svg", timeout=30_000)
    marks = page.locator(".js-plotly-plot .scatterlayer .points path")
    marks.first.wait_for(timeout=30_000)
    assert marks.count() == 21  # three models by seven tests, the reference with itself as a dash
    marks.first.click(force=True)
    page.wait_for_url("**/result?**", timeout=30_000)
    page.wait_for_selector("text=Where it comes from", timeout=30_000)
    page.wait_for_selector(".js-plotly-plot .main-svg", timeout=30_000)
    words = page.inner_text("body")
    assert "california" in words
    assert "3 events" in words
    assert "kernel version 1" in words
    assert "Traceback" not in words
    hosts = {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}
