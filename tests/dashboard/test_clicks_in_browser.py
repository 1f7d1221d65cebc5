"""Where clicks and keys lead, and a store that stops answering under an open page."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest

from dashboard._words import window_name
from stores import ResultQuery, open_store
from stores.testing import fill_store
from stores.testing.mongod import Mongod, database_url
from tests.dashboard.browsing import LOOKING, MARKS, Visit, press, settle

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

WINDOW: Final = "2019-07-10+to+2019-07-11"
#: Pages with marks that lead to results, with the box that the figure lies in.
LEADING: Final = {
    "overview": ("?experiment=ridge&test=S", "matrix"),
    "overview of a window": (f"?experiment=ridge&test=S&window={WINDOW}", "matrix"),
    "overview over windows": ("?experiment=ridge", "over-windows"),
    "consistency": (f"consistency?experiment=ridge&test=S&window={WINDOW}", "forest-1-"),
    "comparison": (f"comparison?experiment=ridge&window={WINDOW}", "gains-"),
    "comparison of windows": ("comparison?experiment=ridge", "window-gains-"),
    "over time": ("time?experiment=ridge&time_test=S", "quantiles"),
    "alarms": (f"alarms?experiment=ridge&window={WINDOW}", "curves-"),
    "alarms of windows": ("alarms?experiment=ridge", "areas-"),
}


@pytest.fixture(scope="module")
def address(serve: Any, ridge: str) -> Iterator[str]:
    with serve(ridge) as served:
        yield served


@pytest.fixture(scope="module")
def page(chromium: "Browser") -> Iterator["Page"]:
    with chromium.new_context(viewport={"width": 1280, "height": 900}) as context:
        context.add_init_script(path=LOOKING)
        yield context.new_page()


def _open(page: "Page", address: str, path: str) -> None:
    page.goto(f"{address}/{path}")
    settle(page)


def _click(page: "Page", box: str) -> list[Any]:
    """Click the middle one of a figure's marks; give what it carries."""
    marks = page.locator(f"[class*=st-key-{box}] {MARKS}")
    carried = marks.evaluate_all("all => all.map(one => one.__data__ && one.__data__.data || null)")
    places = [place for place, what in enumerate(carried) if what]
    middle, left = places[len(places) // 2], page.url
    marks.nth(middle).click(force=True)
    settle(page, left)
    return list(carried[middle])


@pytest.mark.parametrize("name", LEADING)
def test_a_click_on_a_mark_leads_to_its_result_and_back(
    name: str, page: "Page", address: str, ridge: str
) -> None:
    path, box = LEADING[name]
    visit = Visit.of(page)
    _open(page, address, path)
    carried, before = _click(page, box), page.url
    assert urlsplit(page.url).path == "/result"
    (slot,) = parse_qs(urlsplit(page.url).query)["slot"]
    rows = open_store(ridge).latest(ResultQuery(experiment="ridge")).rows
    label = next(row.label for row in rows if row.label.slot == slot)
    if len(carried) == 1:
        assert carried == [slot]
    else:  # the model, with a test and its reference, or with a window
        parts = (label.model, label.test, label.reference or "", label.window.id)
        assert label.model in carried
        assert {part for part in carried if isinstance(part, str)} <= set(parts)
    heading = page.get_by_role("heading", name=f"of {label.model}").first
    heading.wait_for()
    page.locator("code", has_text=slot).first.wait_for()
    page.go_back()
    page.locator(f"[class*=st-key-{box}] {MARKS}").first.wait_for(state="attached")
    page.wait_for_url("**experiment=ridge**")  # put back by the page, for those who load it again
    page.go_forward()
    heading.wait_for()
    assert page.url == before
    assert visit.foreign(address) == set()
    assert visit.complaints == []


def test_a_mark_below_the_cells_chooses_its_window_for_all_pages(page: "Page", address: str) -> None:
    _open(page, address, "time?experiment=ridge&time_test=S")
    marks = page.locator(f".st-key-quantiles-box {MARKS}")
    left = page.url
    marks.last.click(force=True)
    settle(page, left)
    assert parse_qs(urlsplit(page.url).query)["window"] == ["2019-07-12 to 2019-07-13"]
    page.locator(".st-key-quantiles-box .shapelayer path").first.wait_for(state="attached")
    page.locator("[data-testid=stPageLink] a[href*=consistency]").click()
    page.wait_for_url("**/consistency?**")
    page.get_by_text("7 of 7", exact=True).wait_for()
    assert parse_qs(urlsplit(page.url).query)["window"] == ["2019-07-12 to 2019-07-13"]


def test_filters_live_in_the_address_and_survive_the_ways_back(page: "Page", address: str) -> None:
    _open(page, address, "?experiment=ridge&model=flat&model=holes&test=N")
    assert page.locator(".st-key-matrix-box .ytick").count() == 2
    _click(page, "matrix")
    latest = page.url
    left = page.url
    page.locator(f".st-key-series {MARKS}").first.click(force=True)
    settle(page, left)
    first = page.url
    press(page, "Next window")
    page.go_back()
    page.wait_for_url(first)
    page.go_back()
    page.wait_for_url(latest)
    page.get_by_text("The same test in all windows").wait_for()
    page.go_back()
    page.wait_for_url("**model=flat&model=holes&test=N**")
    page.locator(f".st-key-matrix-box {MARKS}").first.wait_for()
    assert page.locator(".st-key-matrix-box .ytick").count() == 2


def test_links_lead_from_page_to_page(page: "Page", address: str, ridge: str) -> None:
    row = open_store(ridge).latest(ResultQuery(experiment="ridge", tests=("S",))).rows[0]
    _open(page, address, f"result?slot={row.label.slot}&key={row.key}")
    press(page, "This test of all models")
    query = parse_qs(urlsplit(page.url).query)
    assert urlsplit(page.url).path == "/consistency"
    assert (query["test"], query["window"]) == (["S"], [window_name(row.label.window)])
    _open(page, address, "provenance?experiment=ridge&run=run+1")
    page.get_by_role("link", name="Which results changed").click()
    page.wait_for_url("**/revisions?**before=run+1**")
    page.get_by_role("heading", name="Compare ridge").wait_for()


def test_the_keyboard_goes_where_clicks_go(page: "Page", address: str) -> None:
    _open(page, address, f"consistency?experiment=ridge&window={WINDOW}")
    for name, key in (("Next window", "Enter"), ("Distance from the median", "Space")):
        left = page.url
        control = page.get_by_role("button", name=name).or_(page.get_by_role("switch", name=name))
        control.or_(page.get_by_role("checkbox", name=name)).first.focus()
        page.keyboard.press(key)
        settle(page, left)
    query = parse_qs(urlsplit(page.url).query)
    assert (query["window"], query["normalised"]) == (["2019-07-11 to 2019-07-12"], ["true"])
    folded = page.locator("[data-testid=stMain] summary").first
    folded.focus()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Download as CSV").first.wait_for()
    link = page.get_by_role("link", name="Over time")
    link.focus()
    page.keyboard.press("Enter")
    page.wait_for_url("**/time?**")


def test_a_row_of_a_table_is_opened_by_keys(page: "Page", address: str, ridge: str) -> None:
    _open(page, address, f"consistency?experiment=ridge&test=S&window={WINDOW}")
    rows = open_store(ridge).latest(ResultQuery(experiment="ridge", tests=("S",))).rows
    for _ in range(2):  # from the table of all models, and from that of all windows of one model
        cells = _choose_second_row(page)
        (slot,) = parse_qs(urlsplit(page.url).query)["slot"]
        label = next(row.label for row in rows if row.label.slot == slot)
        assert urlsplit(page.url).path == "/result"
        assert cells[0] in (label.model, window_name(label.window))
        page.locator("code", has_text=slot).first.wait_for()
        page.get_by_role("heading", name=f"of {label.model}").first.wait_for()
        settle(page)
    press(page, "Next window")  # what was chosen on the page before does not lead away again
    assert parse_qs(urlsplit(page.url).query)["slot"] != [slot]
    page.locator("code", has_text=slot).first.wait_for(state="detached")


def _choose_second_row(page: "Page") -> list[str]:
    """Open the first table, tab into it, and choose its second row; give what stands there."""
    page.locator("[data-testid=stMain] summary", has_text="as a table").first.focus()
    page.keyboard.press("Enter")
    page.locator("[data-testid=stDataFrame] canvas").first.wait_for()
    settle(page)
    for _ in range(8):  # the grid's own buttons come first
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.tagName") == "CANVAS":
            break
    left = page.url
    page.keyboard.press("ArrowDown")
    row = page.locator("[data-testid=stDataFrame] tbody tr").nth(1)
    cells = row.locator("td").all_text_contents()
    page.keyboard.press("Shift+Space")
    settle(page, left)
    return cells


def test_a_narrow_screen_scrolls_the_matrix_and_not_the_page(page: "Page", address: str) -> None:
    _open(page, address, "?experiment=ridge")
    page.set_viewport_size({"width": 360, "height": 800})
    settle(page)
    box = "document.querySelector('.st-key-matrix-box')"
    assert page.evaluate(f"{box}.scrollWidth > {box}.clientWidth")
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.set_viewport_size({"width": 1280, "height": 900})


@pytest.mark.mongo
def test_a_store_that_stops_under_an_open_page_is_told_and_asked_again(
    page: "Page", serve: Any, tmp_path: Path, mongod_there: None
) -> None:
    with Mongod(tmp_path) as server:
        url = database_url(server.url, "stopped")
        fill_store(open_store(url), windows=2, tests=("N", "S"), experiment="weeks")
        with serve(url) as address:
            _open(page, address, "?experiment=weeks&test=N&test=S&holm=true")
            kept = page.url
            server.stop()
            begun = time.monotonic()
            page.get_by_role("button", name="Read again").click()
            page.get_by_text("The results store does not answer.").wait_for()
            assert time.monotonic() - begun < 4
            settle(page)
            assert page.url == kept
            assert "Traceback" not in page.inner_text("body")
            server.start()
            page.get_by_role("button", name="Try again").click()
            page.locator(".js-plotly-plot .main-svg").first.wait_for()
            settle(page)
            assert page.url == kept
            assert (
                page.get_by_role("switch", name="Correct for")
                .or_(page.get_by_role("checkbox", name="Correct for"))
                .first.is_checked()
            )
