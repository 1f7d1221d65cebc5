"""How soon the dashboard's pages are there, on both stores. Run by ``make bench-dashboard``.

An experiment of half a million results (see `benchmarks.page_queries`) lies in an SQLite file and on a
MongoDB server that this program starts; or stores that are there are measured, by their addresses. For each
page a new server and a new browser give the cold figures. Chromium draws without a graphics card.
"""

import argparse
import os
import platform
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from benchmarks.page_queries import fill, questions, seconds
from benchmarks.page_timings import PAGES, PageTimes, error_seconds, page_times
from benchmarks.processes import load_in_words
from stores import open_store, shown_url
from stores.testing.mongod import Mongod, database_url

__all__ = ["main"]

_FILE: Final = Path(__file__).with_name("DASHBOARD.md")
_EXPERIMENT: Final = "half"
_PAGE: Final = """# How soon the dashboard's pages are there

Measured by `make bench-dashboard` (`ARGS="--windows 100"` for a short one), on {cores} cores, Python
{python}; Chromium without a graphics card, 1280 x 900 pixels. {load}

{tables}
- First plot, cold: a page opened by its address, with a server that has just begun to answer and an empty
  browser cache (Streamlit's and plotly's scripts are some 4 MB). Warm: the same tab loads it again. At most
  8 s and 2 s are wanted.
- Navigation: from the click on a link at the side to the page's heading (at most 0.5 s), and to its figure.
- Choice: from the click on another window to the end of drawing (at most 1 s).
- A page without a figure counts as drawn when all of it is there.
- Questions are those that the pages ask of the store, without a memory of answers, each the least of five
  times; at most 150 ms are wanted. CPU is that of the page's process.
"""


class Measured(NamedTuple):
    """One store."""

    heading: str
    pages: list[PageTimes]
    questions: list[tuple[str, str, float, float]]
    error: float | None


def main() -> None:
    """Measure both stores, or those that are named, and write the page."""
    parser = argparse.ArgumentParser(description="Measure how soon the dashboard's pages are there.")
    parser.add_argument("--windows", type=int, default=1000)
    parser.add_argument("--stores", nargs="+", choices=("SQLite", "MongoDB"), default=["SQLite", "MongoDB"])
    parser.add_argument("--store", action="append", metavar="URL", help="measure a store that is there")
    parser.add_argument("--experiment", default=_EXPERIMENT, help="of that store")
    options = parser.parse_args()
    measured = []
    with tempfile.TemporaryDirectory(prefix="forequake-bench-") as name:
        if options.store:
            measured = [_measured(shown_url(url), url, options.experiment, None) for url in options.store]
        else:
            for kind in options.stores:
                with _filled(kind, Path(name), options.windows) as (url, stop):
                    measured.append(_measured(kind, url, _EXPERIMENT, stop))
    text = _PAGE.format(
        cores=os.cpu_count(),
        python=platform.python_version(),
        load=load_in_words(),
        tables="\n".join(_table(one) for one in measured),
    )
    _FILE.write_text(text, encoding="utf-8")
    print(text)


def _measured(kind: str, url: str, experiment: str, stop: Callable[[], None] | None) -> Measured:
    with open_store(url) as store:
        store.summarise(experiment)
        results = next(one.n_results for one in store.experiments() if one.name == experiment)
        asked = [(page, what, *seconds(ask)) for page, what, ask in questions(store, experiment)]
    pages = []
    for path in PAGES:
        pages.append(page_times(url, experiment, path))
        print(kind, pages[-1], flush=True)
    error = None if stop is None else error_seconds(url, experiment, stop)
    return Measured(f"{kind}: {results:,} results", pages, asked, error)


@contextmanager
def _filled(kind: str, home: Path, windows: int) -> Iterator[tuple[str, Callable[[], None] | None]]:
    """Give a filled store's address, and what stops its server."""
    if kind == "SQLite":
        url = f"sqlite:///{home / 'results.sqlite'}"
        with open_store(url) as store:
            fill(store, _EXPERIMENT, windows=windows)
        yield url, None
        return
    with Mongod(home / "mongod") as mongod:
        url = database_url(mongod.url, "filled")
        with open_store(url) as store:
            fill(store, _EXPERIMENT, windows=windows)
        yield url, mongod.stop


def _table(one: Measured) -> str:
    lines = [
        f"## {one.heading}\n",
        "| page | first plot, cold s | warm s | navigation: heading s | figure s | choice s |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    lines += [_row(times.page, times[1:], ".2f") for times in one.pages]
    if one.error is not None:
        lines += [
            "",
            f"The server of the store stopped: the page says so after {one.error:.1f} s (at most 4 s).",
        ]
    lines += ["", "| page | question | CPU ms | wall ms |", "|---|---|---:|---:|"]
    lines += [
        _row(f"{page} | {what}", (cpu * 1e3, wall * 1e3), ".0f") for page, what, cpu, wall in one.questions
    ]
    return "\n".join([*lines, ""])


def _row(name: str, numbers: Sequence[float], form: str) -> str:
    cells = ["" if number != number else format(number, form) for number in numbers]  # NaN: there is none
    return f"| {' | '.join([name, *cells])} |"


if __name__ == "__main__":
    main()
