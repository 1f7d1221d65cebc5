"""What the tests in a real browser share: the app's own list of pages, and what a page shows."""

import ast
import json
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from dashboard.launch import APP

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page, Request

__all__ = [
    "LOOKING",
    "MARKS",
    "Visit",
    "choose",
    "cut",
    "faults",
    "figures",
    "open_tables",
    "pages_of_app",
    "press",
    "settle",
    "shown",
    "unreached",
]

#: The marks of figures, which can be clicked.
MARKS: Final = ".js-plotly-plot .scatterlayer .points path"
#: Streamlit asks for these below the page's own address at first, and then where they are.
_KNOWN_404: Final = re.compile(r"/_stcore/(health|host-config)$")
#: What tells of the moment, not of the view.
_MOMENTS: Final = re.compile(
    r"Data as of \S+ \S+ UTC|just now|\d+ (min|h|days) ago|"
    # A permanent link shows the store as it was then, and says so.
    r"^(history )?As of \S+ \S+ UTC: later results are left out\.$|^Show the latest$|as_of=\S+",
    re.MULTILINE,
)

#: What the functions below ask of a page; each page of a context has it.
LOOKING: Final = Path(__file__).with_name("browsing.js")


def axe() -> str:
    """Give the script of axe-core."""
    import axe_playwright_python

    return (Path(axe_playwright_python.__file__).parent / "axe.min.js").read_text()


def faults(page: "Page") -> list[tuple[str, str]]:
    """Give what axe-core finds serious or worse: its rules, each with the element and what is wrong."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(axe())
    rules = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]
    return [
        (rule["id"], f"{node['html'][:200]} {node.get('failureSummary', '')}")
        for rule in rules
        if rule["impact"] in ("serious", "critical")
        for node in rule["nodes"]
    ]


def cut(page: "Page") -> list[str]:
    """Give what does not fit into the page."""
    found: list[str] = page.evaluate("looking.cut()")
    return found


def unreached(page: "Page") -> list[str]:
    """Press Tab until it has been everywhere; give the controls that were passed over."""
    count = page.evaluate("looking.watchFocus()")
    for _ in range(count + 150):  # tables and figures may hold the focus as well
        page.keyboard.press("Tab")
        if not (left := page.evaluate("looking.unreached()")):
            break
    return list(left)


def pages_of_app() -> list[str]:
    """Read the pages from the app's own script, by the names of their files: none can be forgotten."""
    calls = [node for node in ast.walk(ast.parse(APP.read_text())) if isinstance(node, ast.Call)]
    files = [
        call.args[0].value
        for call in calls
        if isinstance(call.func, ast.Attribute) and call.func.attr == "Page"
        if isinstance(call.args[0], ast.Constant)
    ]
    return [Path(str(file)).stem for file in files]


@dataclass
class Visit:
    """What a page asked for and complained of while it was looked at."""

    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    @classmethod
    def of(cls, page: "Page") -> "Visit":
        """Listen to a page from now on."""
        visit = cls()
        page.on("request", visit._request)
        page.on("websocket", lambda socket: visit.asked.append(socket.url))
        page.on("console", visit._console)
        page.on("pageerror", lambda error: visit.complaints.append(str(error)))
        return visit

    def _request(self, request: "Request") -> None:
        self.asked.append(request.url)

    def _console(self, message: "ConsoleMessage") -> None:
        known = "404" in message.text and _KNOWN_404.search(message.location.get("url", ""))
        if message.type in ("error", "warning") and not known:
            self.complaints.append(message.text)

    def foreign(self, own: str) -> set[str]:
        """Give what was asked of other hosts."""
        mine = urlsplit(own).netloc
        return {
            url
            for url in self.asked
            if not url.startswith(("data:", "blob:")) and urlsplit(url).netloc != mine
        }


def settle(page: "Page", left: str | None = None) -> None:
    """Wait until the page's script has run, and its figures are drawn.

    Parameters
    ----------
    left
        The address that the page had before something was done that changes it.
    """
    page.wait_for_selector("[data-testid=stApp]")
    assert page.evaluate("left => looking.settled(left)", left), (
        f"{page.url} has not come to rest within 30 s"
    )


def choose(page: "Page", label: str, option: str) -> None:
    """Choose an option of a list as a reader does, by clicks."""
    from playwright.sync_api import TimeoutError

    left = page.url
    named = page.get_by_test_id("stWidgetLabel").get_by_text(label, exact=True)
    lists = page.locator("[data-testid=stSelectbox], [data-testid=stMultiSelect]").filter(has=named)
    wanted = page.get_by_role("option", name=option, exact=True)
    for _ in range(5):  # what is drawn meanwhile may move it, which closes an open list
        lists.get_by_role("combobox").click()
        with suppress(TimeoutError):
            wanted.wait_for(timeout=1_500)
            break
    wanted.click()
    settle(page, left)
    if page.get_by_role("listbox").count():  # one of several choices: it stays open
        page.keyboard.press("Escape")


def press(page: "Page", name: str) -> None:
    """Press what has these words: a button, or the label of a switch."""
    left = page.url
    buttons = page.locator("[data-testid=stMain]").locator("button, label")
    buttons.filter(has_text=name).first.click()
    settle(page, left)


def open_tables(page: "Page") -> None:
    """Open all that is folded."""
    page.evaluate("looking.unfold()")
    settle(page)


def figures(page: "Page") -> list[dict[str, Any]]:
    """Give the figures of a page, as the browser has them."""
    found: list[dict[str, Any]] = page.evaluate("looking.figures()")
    return found


def shown(page: "Page") -> dict[str, Any]:
    """Give all that a page shows: headings, words, figures, tables."""
    page.mouse.move(0, 0)  # what it is over looks different
    open_tables(page)
    return {
        "headings": page.evaluate("looking.headings()"),
        "words": _MOMENTS.sub("", str(page.evaluate("looking.words()"))).split(),
        # Links of a view as it stood lead to others as they stood.
        "figures": json.loads(re.sub(r"as_of=[^&]+&amp;", "", json.dumps(figures(page)))),
        "tables": page.evaluate("looking.tables()"),
    }
