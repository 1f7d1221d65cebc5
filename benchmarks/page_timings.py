"""How soon a page of the dashboard is there in a real browser: at first, again, by a link, after a choice."""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import quote

from dashboard.testing import chromium, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["PAGES", "PageTimes", "error_seconds", "page_times"]

#: The pages by their paths, as the list at their side names them. A result is reached from the overview.
PAGES: Final = {
    "": "Overview",
    "consistency": "Consistency",
    "comparison": "Comparison",
    "time": "Over time",
    "calibration": "Calibration",
    "alarms": "Alarms",
    "map": "Map",
    "catalog": "Catalog",
    "runs": "Runs",
    "provenance": "Provenance",
    "revisions": "Compare",
}
_IDLE: Final = '[data-testid="stApp"][data-test-script-state="notRunning"]'
_HEADING: Final = '[data-testid="stHeading"]'
#: What a page shows at last: a figure, or a table where it has none.
_DRAWN: Final = ".js-plotly-plot .main-svg, [data-testid='stDataFrame'] canvas, [data-testid='stTable']"
_WAIT_MS: Final = 120_000
_LOOK_SECONDS: Final = 0.01
#: A page that does nothing for so long is drawn whole.
_QUIET_SECONDS: Final = 0.5


class PageTimes(NamedTuple):
    """Seconds until a page is there.

    Attributes
    ----------
    cold
        Its first figure, with an empty browser cache, from a server that has just begun to answer.
    warm
        Its first figure, when the same tab loads it again.
    heading
        Its heading, when a link on another page is clicked.
    figure
        Its first figure, after the same click.
    choice
        The end of drawing it, when another window is chosen.
    """

    page: str
    cold: float
    warm: float
    heading: float
    figure: float
    choice: float


def page_times(store_url: str, experiment: str, path: str) -> PageTimes:
    """Measure one page of the dashboard on a store."""
    query = f"experiment={quote(experiment)}"
    with serving(store_url) as address, chromium() as browser:
        page = browser.pages[0]
        page.set_default_timeout(_WAIT_MS)
        begun = time.perf_counter()
        page.goto(f"{address}/{path}?{query}")
        cold = _drawn(page) - begun
        _settle(page)
        begun = time.perf_counter()
        page.goto(f"{address}/{path}?{query}")
        warm = _drawn(page) - begun
        _settle(page)
        choice = _choose(page)
        heading, figure = _navigate(page, f"{address}/{'consistency' if not path else ''}?{query}", path)
    return PageTimes(PAGES[path], cold, warm, heading, figure, choice)


def _drawn(page: "Page") -> float:
    """Give the time at which the page has its first figure, or, where it gets none, is drawn whole."""
    idle = None
    while page.locator(_DRAWN).count() == 0:
        done = page.locator(_IDLE).count() and page.locator(_HEADING).count()
        idle = (idle or time.perf_counter()) if done else None
        if idle is not None and time.perf_counter() - idle > _QUIET_SECONDS:
            return idle
        time.sleep(_LOOK_SECONDS)
    return time.perf_counter()


def _settle(page: "Page") -> None:
    """Wait until the page is drawn whole and stays so."""
    idle = time.perf_counter()
    while time.perf_counter() - idle < _QUIET_SECONDS:
        time.sleep(_LOOK_SECONDS)
        if not page.locator(_IDLE).count():
            idle = time.perf_counter()


def _choose(page: "Page") -> float:
    """Choose another window at the side; give the seconds until the page is drawn."""
    box = page.locator(".st-key-window input")
    if not box.count():
        return float("nan")
    box.click()
    option = page.get_by_role("option", name="Latest window")
    option.wait_for()
    begun = time.perf_counter()
    option.click()
    while page.locator(_IDLE).count() and time.perf_counter() - begun < _QUIET_SECONDS:
        pass  # the browser has not told the server yet
    page.locator(_IDLE).wait_for(state="attached")
    return time.perf_counter() - begun


def _navigate(page: "Page", start: str, path: str) -> tuple[float, float]:
    """Come to a page from another one, both seen before; give the seconds to its heading and its figure."""
    page.goto(start)
    _drawn(page)
    _settle(page)
    former = page.locator(_HEADING).first.inner_text()
    begun = time.perf_counter()
    page.get_by_test_id("stSidebar").get_by_role("link", name=PAGES[path], exact=True).click()
    while page.locator(_HEADING).first.inner_text() == former:
        time.sleep(_LOOK_SECONDS)
    heading = time.perf_counter() - begun
    return heading, _drawn(page) - begun


def error_seconds(store_url: str, experiment: str, stop: Callable[[], None]) -> float:
    """Open a page, stop its store, choose another page; give the seconds until it says what is wrong."""
    with serving(store_url) as address, chromium() as browser:
        page = browser.pages[0]
        page.set_default_timeout(_WAIT_MS)
        page.goto(f"{address}/?experiment={quote(experiment)}")
        _drawn(page)
        _settle(page)
        stop()
        begun = time.perf_counter()
        page.get_by_test_id("stSidebar").get_by_role("link", name="Runs", exact=True).click()
        page.get_by_text("The results store does not answer").wait_for()
        return time.perf_counter() - begun
