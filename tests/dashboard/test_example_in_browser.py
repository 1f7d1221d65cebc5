"""The page on the example's own store, in a real browser: a click on a mark leads to its result."""

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import pytest

from forequake.evaluations.registry import TESTS

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

pytestmark = [pytest.mark.browser, pytest.mark.prefect, pytest.mark.slow]


def test_a_click_on_the_examples_mark_leads_to_its_result(
    california: Any,
    serve: Callable[[str], AbstractContextManager[str]],
    browser: "BrowserContext",
) -> None:
    asked: list[str] = []
    page = browser.pages[0]
    page.on("request", lambda request: asked.append(request.url))
    with serve(california.store_url) as address:
        page.goto(f"{address}/?experiment=california")
        marks = page.locator(".js-plotly-plot .scatterlayer .points path")
        marks.first.wait_for()
        assert marks.count() == 21  # three models by seven tests, the reference with itself as a dash
        marks.first.click(force=True)
        page.wait_for_url("**/result?**")
        page.wait_for_selector("text=Where it comes from")
        page.wait_for_selector(".js-plotly-plot .main-svg")
        words = page.inner_text("body")
    assert "california" in words
    assert "3 events" in words
    assert f"kernel version {TESTS['poisson_magnitude'].kernel_version}" in words
    hosts = {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}


def test_the_examples_map_has_equal_scales_and_asks_no_other_host(
    california: Any,
    serve: Callable[[str], AbstractContextManager[str]],
    browser: "BrowserContext",
) -> None:
    asked: list[str] = []
    page = browser.pages[0]
    page.on("request", lambda request: asked.append(request.url))
    with serve(california.store_url) as address:
        page.goto(f"{address}/map?experiment=california")
        page.wait_for_selector(".js-plotly-plot .heatmaplayer image")
        x, y = page.evaluate(
            "['xaxis', 'yaxis'].map(name => {"
            "const axis = document.querySelector('.js-plotly-plot')._fullLayout[name];"
            "return axis._length / (axis.range[1] - axis.range[0]) })"
        )
        page.goto(f"{address}/map?experiment=california&map_shows=gain%20of%20events")
        marks = page.locator(".js-plotly-plot .scatterlayer .points path")
        marks.first.wait_for()
        assert marks.count() == 3
        assert "the test T stored 0.5125" in page.inner_text("body")
    assert x / y == pytest.approx(math.cos(math.radians(37.25)), rel=0.01)
    hosts = {urlsplit(url).hostname for url in asked if not url.startswith(("data:", "blob:"))}
    assert hosts == {"127.0.0.1"}
