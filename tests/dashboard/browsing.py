"""What the tests in a real browser share: the app's own list of pages, and what a page shows."""

import ast
import re
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from dashboard.launch import APP

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Page, Request

__all__ = ["MARKS", "Visit", "choose", "figures", "open_tables", "pages_of_app", "press", "settle", "shown"]

#: The marks of figures, which can be clicked.
MARKS: Final = ".js-plotly-plot .scatterlayer .points path"
#: Streamlit asks for these below the page's own address at first, and then where they are.
_KNOWN_404: Final = re.compile(r"/_stcore/(health|host-config)$")
#: What tells of the moment, not of the view.
_MOMENTS: Final = re.compile(
    r"Data as of \S+ \S+ UTC|just now|\d+ (min|h|days) ago|looked at again every|^\d+ s$", re.MULTILINE
)

#: The script has run, all figures are drawn, and nothing has changed for a while.
_SETTLED: Final = """
async left => {
  const state = () => {
    if (location.href === left) return null;
    const app = document.querySelector('[data-testid=stApp]');
    const main = document.querySelector('[data-testid=stMain]');
    if (!app || !main || app.dataset.testScriptState !== 'notRunning') return null;
    if (document.querySelector('[data-stale=true], [data-testid=stSkeleton]')) return null;
    const plots = [...document.querySelectorAll('[data-testid=stPlotlyChart]')];
    if (!plots.every(plot => plot.querySelector('.js-plotly-plot .main-svg'))) return null;
    return location.href + main.innerText + document.querySelectorAll('*').length;
  };
  let last = null, since = performance.now();
  const end = since + 30000;
  while (performance.now() < end) {
    const now = state();
    if (now === null || now !== last) { last = now; since = performance.now(); }
    else if (performance.now() - since > 250) return true;
    await new Promise(next => setTimeout(next, 50));
  }
  return false;
}"""

#: Figures as they were given and with the axes as they are drawn; arrays of numbers as lists.
_FIGURES: Final = """
() => [...document.querySelectorAll('.js-plotly-plot')].map(plot => {
  const plain = (key, value) => ArrayBuffer.isView(value) ? Array.from(value, String)
    : typeof value === 'number' && !Number.isFinite(value) ? String(value) : value;
  const axes = Object.keys(plot._fullLayout).filter(name => /^[xy]axis[0-9]*$/.test(name));
  return JSON.parse(JSON.stringify({data: plot.data, layout: plot.layout,
    axes: Object.fromEntries(axes.map(name => [name, plot._fullLayout[name].range]))}, plain));
})"""

_TABLES: Final = """
() => [...document.querySelectorAll('[data-testid=stDataFrame] canvas table')].map(table =>
  [...table.querySelectorAll('tr')].map(row => [...row.children].map(cell => cell.textContent)))"""

_WORDS: Final = "() => document.querySelector('[data-testid=stMain]').innerText"
_HEADINGS: Final = "() => [...document.querySelectorAll('h1, h2, h3, h4')].map(one => one.textContent)"
_OPEN: Final = """
() => { for (const one of document.querySelectorAll('[data-testid=stMain] details:not([open]) > summary'))
  one.click(); }"""


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
    assert page.evaluate(_SETTLED, left), f"{page.url} has not come to rest within 30 s"


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
    page.evaluate(_OPEN)
    settle(page)


def figures(page: "Page") -> list[dict[str, Any]]:
    """Give the figures of a page, as the browser has them."""
    found: list[dict[str, Any]] = page.evaluate(_FIGURES)
    return found


def shown(page: "Page") -> dict[str, Any]:
    """Give all that a page shows: headings, words, figures, tables."""
    page.mouse.move(0, 0)  # what it is over looks different
    open_tables(page)
    return {
        "headings": page.evaluate(_HEADINGS),
        "words": _MOMENTS.sub("", str(page.evaluate(_WORDS))).split("\n"),
        "figures": figures(page),
        "tables": page.evaluate(_TABLES),
    }
