"""Prefect's database loses what is old, and nothing else: a month of ticks is made of one real run."""

import os
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from flows._processes import end_process
from flows._server import ensure_api, stop_server
from flows._server_state import ServerFiles
from stores import ResultQuery
from tests.flows.conftest import SmallExperiment

pytestmark = [pytest.mark.prefect, pytest.mark.slow]

#: Runs that ended 31 days ago, and ones that ended 29 days ago.
_OLD, _YOUNG = 800, 50
_WAIT_SECONDS = 90.0
#: Tables with a row or more for each run.
_TABLES = ("flow_run", "flow_run_state", "task_run", "task_run_state", "log", "artifact")
_IDS = {"id", "flow_run_id", "task_run_id", "state_id"}


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Path]:
    """Give the place of the database of a local server of our own, which does not run at the end."""
    before = dict(os.environ)
    os.environ["XDG_DATA_HOME"] = str(tmp_path / "data")
    os.environ.pop("PREFECT_API_URL", None)
    files = ServerFiles.of_user()
    yield files.home / "prefect.db"
    state = files.read()
    if state is not None:
        end_process(state.pid, state.start, 10)
    os.environ.clear()
    os.environ.update(before)


def _copy_run(connection: sqlite3.Connection, first: int, count: int, days_ago: float) -> None:
    """Copy the one run with all that belongs to it, as if it had ended some days ago.

    The copies have the numbers from `first` in the first eight digits of all their ids.
    """
    for table in _TABLES:
        names = [row[1] for row in connection.execute(f"PRAGMA table_info({table})")]
        values = [f"printf('%08x', number) || substr({name}, 9)" if name in _IDS else name for name in names]
        connection.execute(
            f"WITH RECURSIVE numbers(number) AS (SELECT ? UNION ALL SELECT number + 1 FROM numbers LIMIT ?) "
            f"INSERT INTO {table} ({', '.join(names)}) "
            f"SELECT {', '.join(values)} FROM numbers, (SELECT * FROM {table} WHERE id NOT LIKE '0000%')",
            (first, count),
        )
    connection.execute(
        "UPDATE flow_run SET end_time = datetime('now', ?) || '.000000' WHERE id BETWEEN ? AND ?",
        (f"-{days_ago} days", f"{first:08x}", f"{first + count:08x}"),
    )


def _age(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        _copy_run(connection, 1, _OLD, 31)
        _copy_run(connection, 10_001, _YOUNG, 29)
        for number, state in ((20_001, "RUNNING"), (20_002, "SCHEDULED")):
            _copy_run(connection, number, 1, 31)
            connection.execute(
                "UPDATE flow_run SET state_type = ?, end_time = NULL WHERE id LIKE ?",
                (state, f"{number:08x}%"),
            )
        for table in ("events", "event_resources"):
            connection.execute(f"UPDATE {table} SET occurred = datetime('now', '-8 days') || '.000000'")


def _rows(database: Path) -> dict[str, int]:
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        counts = {
            table: int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0]) for table in _TABLES
        }
        old = "SELECT count(*) FROM {} WHERE occurred < datetime('now', '-7 days')"
        for table in ("events", "event_resources"):
            counts[f"old {table}"] = int(connection.execute(old.format(table)).fetchone()[0])
        return counts


def _free_share(database: Path) -> float:
    with closing(sqlite3.connect(database)) as connection:
        pages, free = (
            int(connection.execute(f"PRAGMA {name}").fetchone()[0])
            for name in ("page_count", "freelist_count")
        )
        return free / pages


def _wait(database: Path, wanted: dict[str, int]) -> None:
    deadline = time.monotonic() + _WAIT_SECONDS
    while (rows := _rows(database)) != wanted:
        assert time.monotonic() < deadline, (rows, wanted)
        time.sleep(0.25)


def test_old_runs_go_and_young_and_unfinished_ones_and_all_results_stay(
    database: Path, make_experiment: Callable[..., SmallExperiment]
) -> None:
    experiment = make_experiment()
    code, _, complaint = experiment.run()
    assert code == 0, complaint
    before = experiment.open().latest(ResultQuery(experiment="small"))
    assert before.rows
    assert stop_server()
    one = _rows(database)
    assert one["flow_run"] == one["artifact"] == 1
    assert min(one[table] for table in _TABLES) > 0

    _age(database)
    full = _rows(database)
    assert {table: full[table] for table in _TABLES} == {
        table: one[table] * (1 + _OLD + _YOUNG + 2) for table in _TABLES
    }
    assert full["old events"] > 0
    size = database.stat().st_size

    ensure_api(lambda _: None)  # the server looks for what is old when it starts, and every hour
    kept = {table: one[table] * (1 + _YOUNG + 2) for table in _TABLES}
    _wait(database, {**kept, "old events": 0, "old event_resources": 0})
    states = "SELECT state_type, count(*) FROM flow_run GROUP BY 1"
    with closing(sqlite3.connect(f"file:{database}?mode=ro", uri=True)) as connection:
        assert dict(connection.execute(states)) == {"COMPLETED": 1 + _YOUNG, "RUNNING": 1, "SCHEDULED": 1}

    # What runs stored is not there, so that nothing is lost of it, and nothing is computed again.
    assert experiment.open().latest(ResultQuery(experiment="small")) == before
    code, out, complaint = experiment.run()
    assert code == 0, complaint
    assert f"all {len(before.rows)} results were stored already" in " ".join(out.split())

    assert stop_server()
    # SQLite keeps the room for the next runs; its VACUUM gives it back.
    assert _free_share(database) > 0.5
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("VACUUM")
    assert _free_share(database) == 0
    assert database.stat().st_size < size / 2
