"""Every page of the app in a real browser: no other host, links that restore it, light and dark, a phone."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.dashboard.browsing import (
    LOOKING,
    MARKS,
    Visit,
    choose,
    cut,
    faults,
    figures,
    pages_of_app,
    press,
    settle,
    shown,
    unreached,
)

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.browser

WINDOW: Final = "2019-07-10 to 2019-07-11"
EARLIER: Final = "2019-07-07 to 2019-07-08"
SPAN: Final = "2019-07-06 06:00 to 2019-07-06 18:00"


def _overview(page: "Page") -> None:
    choose(page, "Window (UTC)", WINDOW)
    choose(page, "Models", "near")
    choose(page, "Models", "flat")
    choose(page, "Sort models by", "S")


def _consistency(page: "Page") -> None:
    press(page, "Distance from the median")
    choose(page, "Window (UTC)", WINDOW)
    press(page, "Previous window")


def _comparison(page: "Page") -> None:
    choose(page, "Window (UTC)", "Latest window")
    press(page, "Previous window")


def _time(page: "Page") -> None:
    choose(page, "Score", "T vs flat")
    choose(page, "Over", "near")
    press(page, "Only windows that all models have")
    choose(page, "Test", "S")


def _calibration(page: "Page") -> None:
    choose(page, "Test", "L")


def _alarms(page: "Page") -> None:
    choose(page, "Window (UTC)", EARLIER)
    press(page, "Molchan")
    press(page, "Logarithmic axis")


def _map(page: "Page") -> None:
    choose(page, "Window (UTC)", EARLIER)
    choose(page, "Show", "ratio")
    choose(page, "Magnitudes from", "4.45")
    press(page, "Events outside of the test")


def _catalog(page: "Page") -> None:
    left = page.url
    page.get_by_label("Span of time (UTC)").fill(SPAN)
    page.keyboard.press("Enter")
    settle(page, left)
    press(page, "Only those in the test")


def _runs(page: "Page") -> None:
    choose(page, "Models", "holes")


def _provenance(page: "Page") -> None:
    choose(page, "Run", "run 1")
    choose(page, "Compared with", "run 2")


def _revisions(page: "Page") -> None:
    choose(page, "Window (UTC)", WINDOW)
    press(page, "Only differences")


def _result(page: "Page") -> None:
    choose(page, "Tests", "S")
    choose(page, "Window (UTC)", WINDOW)
    page.locator(f".st-key-matrix-box {MARKS}").first.click(force=True)
    page.wait_for_url("**/result?slot=*")
    settle(page)
    press(page, "Draw the whole sample")


WIDE: Final = 1280
PHONE: Final = 360
#: What axe-core finds in Streamlit's own parts, by its rule and a part of the element, and why it stands.
OF_STREAMLIT: Final[dict[tuple[str, str], str]] = {}
#: What a reader does to see something else than at first, and a word of the address that tells of it.
STEPS: Final[dict[str, tuple[Callable[["Page"], None], str]]] = {
    "overview": (_overview, "sort"),
    "consistency": (_consistency, "normalised"),
    "comparison": (_comparison, "window"),
    "time": (_time, "time_over"),
    "calibration": (_calibration, "pit_test"),
    "alarms": (_alarms, "alarm_log"),
    "map": (_map, "map_outside"),
    "catalog": (_catalog, "catalog_counted"),
    "runs": (_runs, "model"),
    "provenance": (_provenance, "run"),
    "revisions": (_revisions, "differences"),
    "result": (_result, "sample"),
}


@dataclass(frozen=True)
class Seen:
    """A page as a reader left it, and as its link opened it in another browser context."""

    name: str
    address: str
    left: dict[str, Any]
    restored: dict[str, Any]
    asked: Visit
    unreached: list[str]
    faults: dict[str, list[tuple[str, str]]]
    dark: list[dict[str, Any]]
    cut: dict[int, list[str]]


@pytest.fixture(scope="module")
def address(serve: Any, ridge: str) -> Iterator[str]:
    with serve(ridge) as served:
        yield served


@pytest.fixture(scope="module")
def reader(chromium: "Browser") -> Iterator["Page"]:
    """Give the page of one who clicks."""
    with chromium.new_context(viewport={"width": WIDE, "height": 900}) as context:
        context.add_init_script(path=LOOKING)
        yield context.new_page()


@pytest.fixture(scope="module")
def friend(chromium: "Browser") -> Iterator["Page"]:
    """Give the page of one who was sent a link."""
    with chromium.new_context(viewport={"width": WIDE, "height": 900}) as context:
        context.add_init_script(path=LOOKING)
        yield context.new_page()


@pytest.fixture(scope="module", params=pages_of_app())
def seen(request: pytest.FixtureRequest, address: str, reader: "Page", friend: "Page") -> Seen:
    """Go to a page by its link at the side, change what it shows, and open its permanent link elsewhere."""
    name = request.param
    assert name in STEPS, f"no step for the new page {name!r}: say what a reader changes there"
    step, word = STEPS[name]
    visits = [Visit.of(reader), Visit.of(friend)]
    reader.goto(f"{address}/?experiment=ridge")
    settle(reader)
    if name not in ("overview", "result"):
        reader.locator(f"[data-testid=stPageLink] a[href*='{name}']").click()
        reader.wait_for_url(f"**/{name}?**")
        settle(reader)
    step(reader)
    assert word in parse_qs(urlsplit(reader.url).query), reader.url
    left = shown(reader)
    link = reader.url if name == "result" else _permanent_link(reader)
    friend.set_viewport_size({"width": WIDE, "height": 900})
    friend.emulate_media(color_scheme="light")
    friend.goto(link)
    settle(friend)
    restored = shown(friend)
    found, overflow = {"light": faults(friend)}, {WIDE: cut(friend)}
    friend.emulate_media(color_scheme="dark")
    friend.keyboard.press("r")  # runs the script again, which hears of the theme
    settle(friend)
    found["dark"], dark = faults(friend), figures(friend)
    passed_over = unreached(friend)
    friend.set_viewport_size({"width": PHONE, "height": 800})
    settle(friend)
    overflow[PHONE] = cut(friend)
    both = Visit([*visits[0].asked, *visits[1].asked], [*visits[0].complaints, *visits[1].complaints])
    return Seen(name, link, left, restored, both, passed_over, found, dark, overflow)


def _permanent_link(page: "Page") -> str:
    page.get_by_role("button", name="Permanent link").click()
    link = page.locator("[data-testid=stPopoverBody] code").inner_text()
    page.keyboard.press("Escape")
    return link


def test_no_other_host_is_asked_and_nothing_is_complained_of(seen: Seen, address: str) -> None:
    assert len(seen.asked.asked) > 5
    assert seen.asked.foreign(address) == set()
    assert seen.asked.complaints == []


@pytest.mark.parametrize("what", ["headings", "words", "figures"])
def test_a_link_restores_the_identical_view(seen: Seen, what: str) -> None:
    assert seen.restored[what] == seen.left[what]


def test_a_link_restores_the_identical_tables(seen: Seen) -> None:
    """As far as their columns are drawn: how wide those are depends on what a table had before."""
    assert len(seen.restored["tables"]) == len(seen.left["tables"])
    for left, restored in zip(seen.left["tables"], seen.restored["tables"], strict=True):
        columns = min(len(left[0]), len(restored[0]))
        assert columns >= min(5, len(left[0]))
        assert [row[:columns] for row in restored] == [row[:columns] for row in left]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_no_serious_fault(seen: Seen, scheme: str) -> None:
    known = OF_STREAMLIT
    ours = [
        (rule, element)
        for rule, element in seen.faults[scheme]
        if not any(rule == known_rule and part in element for known_rule, part in known)
    ]
    assert ours == []


def test_figures_have_colours_of_their_own_in_the_dark(seen: Seen) -> None:
    assert len(seen.dark) == len(seen.restored["figures"])
    for dark, light in zip(seen.dark, seen.restored["figures"], strict=True):
        assert dark["data"] != light["data"] or dark["layout"] != light["layout"]
        assert dark["axes"] == light["axes"]


@pytest.mark.parametrize("width", [WIDE, PHONE])
def test_nothing_is_cut(seen: Seen, width: int) -> None:
    assert seen.cut[width] == []


def test_every_control_is_reached_by_keyboard(seen: Seen) -> None:
    assert seen.unreached == []
