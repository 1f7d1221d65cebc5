"""Figures as SVG files, drawn by a browser on this machine where there is one; nothing is fetched."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import suppress
from html import unescape
from pathlib import Path
from typing import Final
from xml.etree import ElementTree

from dashboard.report.blocks import Picture
from dashboard.report.page import drawing_page

__all__ = ["browser_program", "file_names", "svg_files"]

#: A path of a browser to draw with; empty for none.
_VARIABLE: Final = "FOREQUAKE_BROWSER"
_PROGRAMS: Final = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
_FLAGS: Final = (
    "--headless",
    "--disable-gpu",
    "--disable-extensions",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    # No name is resolved: what is drawn has all it needs.
    "--host-resolver-rules=MAP * ~NOTFOUND",
    "--virtual-time-budget=600000",
    "--dump-dom",
)
_PATIENCE_SECONDS: Final = 180
_UNFIT: Final = re.compile(r"[^A-Za-z0-9._-]+")
_DRAWN: Final = re.compile(r'<pre id="(f\d+)">(.*?)</pre>', re.DOTALL)


def browser_program() -> str | None:
    """Find a browser that can draw: Chromium or Chrome, or the one that ``FOREQUAKE_BROWSER`` names."""
    named = os.environ.get(_VARIABLE)
    if named is not None:
        return shutil.which(named) if named else None
    return next((found for name in _PROGRAMS if (found := shutil.which(name)) is not None), None)


def file_names(pictures: Iterable[Picture]) -> dict[str, str]:
    """Give each picture a name for its file which any system and any link takes.

    Examples
    --------
    >>> file_names([Picture("map-a/b", None, "", ""), Picture("map-a b", None, "", "")])
    {'map-a/b': 'map-a_b', 'map-a b': 'map-a_b-2'}
    """
    found: dict[str, str] = {}
    for picture in pictures:
        name = _UNFIT.sub("_", picture.name)
        alike = sum(_UNFIT.sub("_", other) == name for other in found)
        found[picture.name] = f"{name}-{alike + 1}" if alike else name
    return found


def svg_files(pictures: Iterable[Picture], program: str) -> dict[str, str]:
    """Draw pictures as they are printed, in light colours.

    Returns
    -------
    dict
        The content of a file by the picture's name; empty where the browser did not draw them.
    """
    pictures = list(pictures)
    with tempfile.TemporaryDirectory(prefix="forequake-drawing-") as folder:
        page = Path(folder) / "figures.html"
        with page.open("w", encoding="utf-8") as file:
            for part in drawing_page(pictures):
                file.write(part)
        said = _run([program, *_flags(), f"--user-data-dir={folder}/profile", page.as_uri()])
    drawn = dict(_read(said))
    return {
        picture.name: drawn[f"f{number}"] for number, picture in enumerate(pictures) if f"f{number}" in drawn
    }


def _flags() -> Iterator[str]:
    yield from _FLAGS
    if hasattr(os, "geteuid") and os.geteuid() == 0:  # Chromium's own cage cannot be built by root
        yield "--no-sandbox"


def _run(words: list[str]) -> str:
    """Give what a browser says; nothing where it fails or takes too long. No process of it is left."""
    try:
        process = subprocess.Popen(
            words,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return ""
    try:
        return process.communicate(timeout=_PATIENCE_SECONDS)[0].decode("utf-8", errors="replace")
    except subprocess.TimeoutExpired:
        return ""
    finally:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        if process.stdout is not None:
            process.stdout.close()


def _read(page: str) -> Iterator[tuple[str, str]]:
    """Find drawings in a page as the browser left it; what is no whole SVG is left out."""
    for name, text in _DRAWN.findall(page):
        svg = unescape(text)
        with suppress(ElementTree.ParseError):
            if ElementTree.fromstring(svg).tag.endswith("}svg"):  # noqa: S314  # drawn by us
                yield name, svg + "\n"
