"""The pages in a real browser, on the server that the command starts: clicks, addresses, no other host."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlsplit

import pytest

from stores import ResultQuery, open_store

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, Page

pytestmark = pytest.mark.browser

Server = Callable[[str], AbstractContextManager[str]]
DRAWN = ".js-plotly-plot .main-svg"
MARKS = ".js-plotly-plot .scatterlayer .points path"


def listen(page: "Page") -> list[str]:
    """Collect the hosts of all requests and sockets of a page."""
    hosts: list[str] = []
    page.on("request", lambda request: hosts.append(request.url))
    page.on("websocket", lambda socket: hosts.append(socket.url))
    return hosts


def foreign(urls: list[str], own: str) -> set[str]:
    return {
        url
        for url in urls
        if not url.startswith(("data:", "blob:")) and urlsplit(url).netloc != urlsplit(own).netloc
    }


def test_a_click_on_a_mark_reaches_the_result_and_no_other_host(
    serve: Server, one_week: str, browser: "BrowserContext"
) -> None:
    first = open_store(one_week).latest(ResultQuery(experiment="week", tests=("N",))).rows[0]
    with serve(one_week) as address:
        page = browser.pages[0]
        urls = listen(page)
        page.goto(address)
        page.wait_for_selector(DRAWN)
        page.wait_for_url("**experiment=week**")
        page.locator(MARKS).first.click(force=True)
        page.wait_for_url("**/result?slot=*")
        page.get_by_role("heading", name="-test of").wait_for()
        page.wait_for_selector(DRAWN)
        slot = parse_qs(urlsplit(page.url).query)["slot"][0]
        page.locator("code", has_text=slot).wait_for()
        assert "at 0.05 (" in page.inner_text("body")
        page.get_by_role("link", name="Back to the overview").click()
        page.wait_for_url("**/?experiment=week**")
        page.wait_for_selector(MARKS)

        # The permanent link, in a new session.
        page.goto(f"{address}/result?slot={first.label.slot}&key={first.key}")
        page.get_by_role("heading", name=f"N-test of {first.label.model}").wait_for()
        page.wait_for_selector(DRAWN)
        assert first.key in page.inner_text("body")
        assert len(urls) > 10
        assert foreign(urls, address) == set()


def test_filters_live_in_the_address_and_survive_the_ways_back(
    serve: Server, many_weeks: str, browser: "BrowserContext"
) -> None:
    with serve(many_weeks) as address:
        page = browser.pages[0]
        urls = listen(page)
        page.goto(f"{address}/?experiment=weeks&model=beta&model=gamma&test=N")
        page.wait_for_selector(DRAWN)
        assert page.locator(".js-plotly-plot .ytick").count() == 2
        page.locator(MARKS).last.click(force=True)
        page.wait_for_url("**/result?slot=*")
        page.get_by_text("The same test in all windows").wait_for()
        latest = page.url
        page.locator(f".st-key-series {MARKS}").first.click(force=True)
        page.wait_for_url(lambda url: "slot=" in url and url != latest)
        first = page.url
        page.get_by_role("button", name="Next window").click()
        page.wait_for_url(lambda url: "slot=" in url and url != first)
        page.go_back()
        page.wait_for_url(first)
        page.go_back()
        page.wait_for_url(latest)
        page.get_by_text("The same test in all windows").wait_for()
        page.go_back()
        page.wait_for_url("**model=beta&model=gamma&test=N**")
        page.wait_for_selector(MARKS)
        assert page.locator(".js-plotly-plot .ytick").count() == 2
        assert foreign(urls, address) == set()


def test_a_narrow_screen_scrolls_the_matrix_and_not_the_page(
    serve: Server, many_weeks: str, browser: "BrowserContext"
) -> None:
    with serve(many_weeks) as address:
        page = browser.pages[0]
        page.set_viewport_size({"width": 360, "height": 800})
        page.goto(f"{address}/?experiment=weeks")
        page.wait_for_selector(DRAWN)
        box = "document.querySelector('.st-key-matrix-box')"
        assert page.evaluate(f"{box}.scrollWidth > {box}.clientWidth")
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
