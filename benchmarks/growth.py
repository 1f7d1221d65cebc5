"""How runs grow with the number of windows, in each store. Run by ``make bench-growth``.

Ten models with a forecast file for each day and five tests run through the real flow, by ``forequake run``,
into an SQLite file and into a MongoDB server that this program starts. Time and memory are those of the run's
process; the CPU of Prefect's server and of MongoDB stands beside them. Then the same run again, which finds
all results stored.
"""

import argparse
import json
import os
import platform
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import httpx

from benchmarks.experiment_files import DAILY_TESTS, write_daily
from benchmarks.processes import Spent, load_in_words, run_measured, tree_seconds
from stores import open_store
from stores.testing.mongod import Mongod, database_url

__all__ = ["main"]

_FILE: Final = Path(__file__).with_name("GROWTH.md")
_OUR_RUN: Final = "from flows.cli import main; main()"
_MODELS: Final = 10
#: Prints the seconds that asking what is there takes, from the files to the plan.
_ASK: Final = """
import sys, time
from flows._preparation import prepare
from forequake.plan import Selection, plan_experiment, result_keys
from forequake.results import EvaluationRecord
from stores import open_store
store = open_store(sys.argv[2])
begun, worked = time.perf_counter(), time.process_time()
_, experiment = prepare(sys.argv[1])
keys = result_keys(experiment, Selection())
plan = plan_experiment(experiment, keys, store.existing(EvaluationRecord, tuple(keys.values())))
print(len(plan.units), len(plan.due), time.perf_counter() - begun, time.process_time() - worked)
"""
_PAGE: Final = """# How runs grow

Measured by `make bench-growth` (`ARGS="--windows 100 300"` for a short one): {models} models with a forecast
file for each day (100 cells, 21 bins), {tests} tests, 1000 simulations each where a test draws them; {cores}
cores, Python {python}. Runs of `forequake run` with a Prefect server that was there; memory is the greatest
of the run's process (VmHWM).
{load}

{tables}
- CPU s is that of the run's process, the next columns that of Prefect's server and of the store's meanwhile.
- Asking is from the experiment's files to the plan: reading and hashing all forecasts, the keys of all
  results, and which of them the store has; in a process of its own, without its imports.
- The second run finds all results stored: it computes nothing, makes no forecast and submits no task for any.
"""


class Grown(NamedTuple):
    """One size in one store."""

    windows: int
    results: int
    first: Spent
    prefect: float
    store: float
    asking: tuple[float, float]
    second: Spent
    tasks: tuple[str, ...]


def main() -> None:
    """Measure both stores at all sizes, and write the page."""
    parser = argparse.ArgumentParser(description="Measure how runs grow with the number of windows.")
    parser.add_argument("--windows", type=int, nargs="+", default=[100, 300, 1000])
    parser.add_argument("--stores", nargs="+", choices=("SQLite", "MongoDB"), default=["SQLite", "MongoDB"])
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="forequake-bench-") as name:
        home = Path(name)
        environment = _environment(home)
        configs = {count: write_daily(home / f"daily{count}", count, _MODELS) for count in options.windows}
        try:
            run_measured(_command("server", "start"), environment, home)
            tables = [_table(kind, _grown(kind, configs, home, environment)) for kind in options.stores]
        finally:
            run_measured(_command("server", "stop"), environment, home)
    text = _PAGE.format(
        models=_MODELS,
        tests=len(DAILY_TESTS),
        cores=os.cpu_count(),
        python=platform.python_version(),
        tables="\n".join(tables),
        load=load_in_words(),
    )
    _FILE.write_text(text, encoding="utf-8")
    print(text)


def _environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("PREFECT", "FORE"))}
    return kept | {"XDG_DATA_HOME": str(home / "data"), "XDG_CACHE_HOME": str(home / "cache")}


def _command(*words: str) -> list[str]:
    return [sys.executable, "-c", _OUR_RUN, *words]


@contextmanager
def _server(kind: str, home: Path) -> Iterator[tuple[Callable[[int], str], Callable[[], float]]]:
    """Give the addresses of stores by the number of windows, and the CPU seconds of their server."""
    if kind == "SQLite":
        yield lambda count: f"sqlite:///{home / f'daily{count}'}.sqlite", lambda: 0.0
        return
    with Mongod(home / "mongod") as mongod:
        number = mongod.pid
        assert number is not None  # noqa: S101 - it runs
        yield lambda count: database_url(mongod.url, f"daily{count}"), lambda: tree_seconds(number)


def _grown(kind: str, configs: dict[int, Path], home: Path, environment: dict[str, str]) -> Iterator[Grown]:
    with _server(kind, home) as (address, store_seconds):
        for count, config in configs.items():
            url = address(count)
            run = _command("run", str(config), "--store", url)
            before = _prefect_seconds(home), store_seconds()
            first = _done(run_measured(run, environment, home))
            after = _prefect_seconds(home), store_seconds()
            asked = run_measured([sys.executable, "-c", _ASK, str(config), url], environment, home)
            results, due, *seconds = _done(asked).output.split()
            second = _done(run_measured(run, environment, home))
            grown = Grown(
                windows=count,
                results=int(results),
                first=first,
                prefect=after[0] - before[0],
                store=after[1] - before[1],
                asking=(float(seconds[0]), float(seconds[1])),
                second=second,
                tasks=_tasks_of_last_run(home, url),
            )
            _check(grown, int(due))
            yield grown


def _done(spent: Spent) -> Spent:
    if spent.code != 0:
        sys.exit(spent.output)
    return spent


def _check(grown: Grown, due: int) -> None:
    """Stop where the second run had anything to do."""
    if due or "Nothing to compute" not in grown.second.output or grown.tasks != ("aggregate", "report"):
        sys.exit(f"{due} results were due again; tasks: {grown.tasks}\n{grown.second.output}")


def _prefect_state(home: Path) -> dict[str, int]:
    found: dict[str, int] = json.loads(next((home / "data").rglob("server.json")).read_text(encoding="utf-8"))
    return found


def _prefect_seconds(home: Path) -> float:
    return tree_seconds(_prefect_state(home)["pid"])


def _tasks_of_last_run(home: Path, url: str) -> tuple[str, ...]:
    """Give the names of the tasks that Prefect recorded for the experiment's last run."""
    with open_store(url) as store:
        flow_run = store.runs("daily")[0].flow_run_id
    time.sleep(5.0)  # Prefect records what it was told a little later
    wanted = {"flow_runs": {"id": {"any_": [flow_run]}}}
    api = f"http://127.0.0.1:{_prefect_state(home)['port']}/api/task_runs/filter"
    with httpx.Client(trust_env=False, timeout=60) as client:
        answer = client.post(api, json=wanted)
    return tuple(sorted(str(task["name"]).split(" ")[0] for task in answer.json()))


def _table(kind: str, grown: Iterator[Grown]) -> str:
    beside = "" if kind == "SQLite" else " server"
    lines = [
        f"## {kind}\n",
        f"| windows | results | wall s | CPU s | Prefect's CPU s | {kind}{beside} CPU s | results a second | "
        "memory MB | asking, wall s (CPU) | second run, wall s (CPU) | its memory MB |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for one in grown:
        first, second = one.first, one.second
        cells = [
            f"{one.windows:,}",
            f"{one.results:,}",
            f"{first.wall:.0f}",
            f"{first.cpu:.0f}",
            f"{one.prefect:.1f}",
            f"{one.store:.0f}" if beside else "in it",
            f"{one.results / first.wall:.0f}",
            f"{first.memory:.0f}",
            f"{one.asking[0]:.1f} ({one.asking[1]:.1f})",
            f"{second.wall:.1f} ({second.cpu:.1f})",
            f"{second.memory:.0f}",
        ]
        lines.append(f"| {' | '.join(cells)} |")
        print(kind, lines[-1], flush=True)
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    main()
