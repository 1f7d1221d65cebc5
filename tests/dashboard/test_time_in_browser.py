"""The page of all windows in a real browser: clicks on cells and windows land, and reach no other host."""

import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import pytest

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext

pytestmark = pytest.mark.browser

Server = Callable[[str], AbstractContextManager[str]]
#: The marks of the second figure: those of cells, and of the windows below them.
MARKS = ".st-key-quantiles-box .js-plotly-plot .scatterlayer .points path"


def test_a_cell_leads_to_its_result_and_a_window_is_chosen_for_all_pages(
    serve: Server, many_weeks: str, browser: "BrowserContext"
) -> None:
    with serve(many_weeks) as address:
        page = browser.pages[0]
        urls: list[str] = []
        page.on("request", lambda request: urls.append(request.url))
        page.goto(f"{address}/time?experiment=weeks&time_test=S")
        page.locator(MARKS).last.click(force=True)
        page.wait_for_url(re.compile(r"window=2020-03-18"))
        page.locator(".st-key-quantiles-box .shapelayer path").wait_for(state="attached")

        page.goto(f"{address}/time?experiment=weeks&time_test=S")
        page.locator(MARKS).first.click(force=True)
        page.wait_for_url("**/result?slot=*")
        page.get_by_role("heading", name="S-test of").wait_for()
        own = urlsplit(address).netloc
        assert {
            url for url in urls if not url.startswith(("data:", "blob:")) and urlsplit(url).netloc != own
        } == set()
