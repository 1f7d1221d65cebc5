"""How fast the stores are: writing, reading a page and a window, copying. Run by ``make bench-store``.

Every figure is of a store that was filled through its interface, in a folder that is removed afterwards. The
server is one that this program starts.
"""

import argparse
import os
import platform
import random
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from statistics import quantiles

import pymongo

from forequake.results import Record
from forequake.windows import TimeWindow
from stores import Binding, PublishReport, PutReport, ResultQuery, ResultsStore, RunRef, open_store
from stores.copying import copy_store
from stores.testing import fill_bulk, fill_store, sample_window
from stores.testing.mongod import Mongod, database_url

_REPEATS = 60
_WRITTEN = 8_000
#: Windows of `fill_store` with its three models and seven tests that make about `_WRITTEN` results.
_PER_WINDOW = 19


@dataclass
class Clock:
    """Time spent in some calls: on the wall, and of this process's CPU (a server's own is not in it)."""

    wall: float = 0.0
    cpu: float = 0.0

    @contextmanager
    def running(self) -> Iterator[None]:
        """Add what the block takes."""
        wall, cpu = time.perf_counter(), time.process_time()
        yield
        self.wall += time.perf_counter() - wall
        self.cpu += time.process_time() - cpu

    def rate(self, count: int) -> str:
        """Say how many a second, and in brackets how many for a second of CPU time."""
        return f"{count / self.wall:,.0f} ({count / self.cpu:,.0f})"


@dataclass
class Table:
    """What was measured, by what it is and in which store."""

    columns: Sequence[str]
    rows: dict[str, dict[str, str]] = field(default_factory=dict)

    def add(self, what: str, column: str, value: str) -> None:
        """Note a figure, and say it at once."""
        self.rows.setdefault(what, {})[column] = value
        print(f"{column}: {what}: {value}", flush=True)

    def text(self) -> str:
        """Give the table as Markdown."""
        lines = [f"| | {' | '.join(self.columns)} |", "|---|" + "---:|" * len(self.columns)]
        lines += [
            f"| {what} | {' | '.join(row.get(column, '') for column in self.columns)} |"
            for what, row in self.rows.items()
        ]
        return "\n".join(lines)


def main() -> None:
    """Measure both stores and write the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[100_000, 1_000_000], help="numbers of results to read among"
    )
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("STORE.md"))
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="forequake-bench-") as name:
        folder = Path(name)
        with Mongod(folder / "mongod") as server:
            addresses = {
                "SQLite": lambda name: f"sqlite:///{folder / name}.sqlite",
                "MongoDB": lambda name: database_url(server.url, name),
            }
            with pymongo.MongoClient[dict[str, object]](server.url) as client:
                version = str(client.server_info()["version"])
            table = Table(list(addresses))
            for column, address in addresses.items():
                _measure_writing(table, column, address)
            _measure_copying(table, addresses)
            for column, address in addresses.items():
                _measure_reading(table, column, address, sorted(arguments.sizes))
    text = f"{_HEAD}\n{_machine(version)}\n\n{table.text()}\n"
    arguments.output.write_text(text, encoding="utf-8")
    print(text)


_HEAD = """# How fast the stores are

Measured by `make bench-store` (with `N=100000`, a short one): one process, one store at a time.
Rates are a second on the wall; in brackets for a second of this process's CPU time, which does not depend on
what else ran but leaves out the server's part. Times of queries are medians / 95th percentiles.
"""


def _machine(version: str) -> str:
    sqlite = f"SQLite {sqlite3.sqlite_version} (synchronous=FULL)"
    mongo = f"MongoDB {version} (standalone, majority and journal), pymongo {pymongo.version}"
    return f"{os.cpu_count()} cores, Python {platform.python_version()}, {sqlite}, {mongo}."


def _measure_writing(table: Table, column: str, address: Callable[[str], str]) -> None:
    """Write as a run does: batches of 200 results with their distributions, put and then published."""
    clock = Clock()
    with open_store(address("writing")) as store:
        _time_writing(store, clock)
        run = fill_store(store, windows=_WRITTEN // _PER_WINDOW)
    table.add("results written", column, clock.rate(run.counts.computed))


def _time_writing(store: ResultsStore, clock: Clock) -> None:
    """Let a clock run while a store puts and publishes."""
    put, publish = store.put, store.publish

    def timed_put(records: Sequence[Record]) -> PutReport:
        with clock.running():
            return put(records)

    def timed_publish(run: RunRef, bindings: Sequence[Binding]) -> PublishReport:
        with clock.running():
            return publish(run, bindings)

    store.put, store.publish = timed_put, timed_publish  # type: ignore[method-assign]


def _measure_copying(table: Table, addresses: dict[str, Callable[[str], str]]) -> None:
    """Copy what was written from each store into the other kind, and compare."""
    for column, other in (("SQLite", "MongoDB"), ("MongoDB", "SQLite")):
        with (
            open_store(addresses[column]("writing")) as source,
            open_store(addresses[other]("copy")) as target,
        ):
            clock = Clock()
            with clock.running():
                report = copy_store(source, target, compare=False)
            count = report.copied["results"]
            table.add("results copied into the other store", column, clock.rate(count))
            clock = Clock()
            with clock.running():
                again = copy_store(source, target)
            if again.comparison is None or not again.comparison.equal:
                message = f"the copy of {column} is not equal: {again.comparison}"
                raise SystemExit(message)
            table.add("the same again, and compared", column, clock.rate(count))


def _measure_reading(table: Table, column: str, address: Callable[[str], str], sizes: Sequence[int]) -> None:
    with open_store(address("reading")) as store:
        windows = count = 0
        for size in sizes:
            clock = Clock()
            with clock.running():
                windows += fill_bulk(store, size - count, first_window=windows)
            table.add(f"filled from {count:,} to {size:,}", column, clock.rate(size - count))
            count = size
            draw = random.Random(size)  # noqa: S311 - which windows are read

            def start() -> TimeWindow:
                return sample_window(draw.randrange(windows))  # noqa: B023 - called before they change

            def page() -> object:
                query = ResultQuery(experiment="bulk", start_from=start().start, limit=1000)
                return store.latest(query)

            def window() -> object:
                one = start()
                query = ResultQuery(experiment="bulk", start_from=one.start, start_before=one.end)
                return store.latest(query)

            table.add(f"a page of 1,000 rows among {size:,}, ms", column, _times(page))
            table.add(f"one window of 30 rows among {size:,}, ms", column, _times(window))
            table.add(f"overview of {size:,}, ms", column, _times(lambda: store.overview("bulk"), 10))


def _times(call: Callable[[], object], repeats: int = _REPEATS) -> str:
    call()
    taken = []
    for _ in range(repeats):
        start = time.perf_counter()
        call()
        taken.append(1000 * (time.perf_counter() - start))
    cuts = quantiles(taken, n=20)
    return " / ".join(f"{cut:,.0f}" if cut >= 100 else f"{cut:.3g}" for cut in (cuts[9], cuts[18]))


if __name__ == "__main__":
    main()
