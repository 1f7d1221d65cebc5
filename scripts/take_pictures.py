"""Take pictures of the dashboard's pages as they are now, such as those of the documentation.

    python -m scripts.take_pictures STORE EXPERIMENT FOLDER [--page map ...] [--dark] [--width 360] [--public]

Each page is opened in a real browser and taken whole.
"""

import argparse
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final, Literal
from urllib.parse import quote

from dashboard.launch import PUBLIC_VARIABLE
from dashboard.testing import chromium, serving

if TYPE_CHECKING:
    from playwright.sync_api import Page

__all__ = ["main"]

_PAGES: Final = (
    "overview",
    "consistency",
    "comparison",
    "time",
    "calibration",
    "alarms",
    "map",
    "catalog",
    "runs",
    "provenance",
    "revisions",
)
_IDLE: Final = '[data-testid="stApp"][data-test-script-state="notRunning"]'
#: A page that does nothing for so long is drawn.
_QUIET_SECONDS: Final = 1.5
_MOST_SECONDS: Final = 120.0
#: A picture is at most so many pixels high.
_HIGHEST: Final = 8000


def main() -> None:
    """Take the pictures that the command line asks for."""
    parser = argparse.ArgumentParser(description="Take pictures of the dashboard's pages.")
    parser.add_argument("store", help="address of the store, such as sqlite:////folder/results.sqlite")
    parser.add_argument("experiment")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--page", action="append", choices=_PAGES, help="only this one; may be repeated")
    parser.add_argument("--query", default="", help="further choices, such as 'window=Latest window'")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--public", action="store_true", help="as the public sees it: without addresses")
    parser.add_argument("--width", type=int, default=1280)
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    scheme: Literal["light", "dark"] = "dark" if options.dark else "light"
    variables = {PUBLIC_VARIABLE: "1"} if options.public else {}
    with (
        serving(options.store, variables) as address,
        chromium(width=options.width, scheme=scheme) as browser,
    ):
        for name in options.page or _PAGES:
            path = "" if name == "overview" else name
            page = browser.pages[0]
            page.set_viewport_size({"width": options.width, "height": 900})
            more = f"&{options.query}" if options.query else ""
            page.goto(f"{address}/{path}?experiment={quote(options.experiment)}{more}")
            file = options.folder / f"{options.experiment}-{name}-{scheme}-{options.width}.png"
            _take(page, file, options.width)
            print(file)


def _take(page: "Page", file: Path, width: int) -> None:
    page.locator('[data-testid="stHeading"]').first.wait_for(timeout=_MOST_SECONDS * 1000)
    _await_quiet(page)
    # Streamlit scrolls inside the page: a browser that is as high as its content shows all of it.
    height = int(page.evaluate("document.querySelector('[data-testid=stMain]').scrollHeight"))
    page.set_viewport_size({"width": width, "height": min(height, _HIGHEST)})
    _await_quiet(page)
    page.screenshot(path=file)


def _await_quiet(page: "Page") -> None:
    begun = quiet = time.monotonic()
    while time.monotonic() - quiet < _QUIET_SECONDS and time.monotonic() - begun < _MOST_SECONDS:
        time.sleep(0.05)
        if not page.locator(_IDLE).count():
            quiet = time.monotonic()


if __name__ == "__main__":
    main()
