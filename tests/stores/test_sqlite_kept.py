"""What is kept of large experiments in an SQLite store, and stores that have no place for it yet."""

import multiprocessing
import os
import signal
import sqlite3
import time
from contextlib import closing
from pathlib import Path

import pytest
from prefect.logging import disable_run_logger

from flows._tasks import aggregate
from forequake.errors import AccessDenied, StoreFull
from stores import ResultQuery, _answers, open_store
from stores.copying import copy_store
from stores.sqlite import SqliteStore, kept
from stores.testing import fill_store


@pytest.fixture(autouse=True)
def few_are_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_answers, "MANY", 10)


@pytest.fixture
def before(url: str, path: Path) -> str:
    """Give a store as the version before wrote it."""
    with open_store(url) as store:
        fill_store(store)
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("DROP TABLE kept")
        db.execute("UPDATE meta SET n = 1")
    return url


def _version(path: Path) -> tuple[int, bool]:
    with closing(sqlite3.connect(path)) as db:
        tables = {name for (name,) in db.execute("SELECT name FROM sqlite_schema")}
        return db.execute("SELECT n FROM meta").fetchone()[0], "kept" in tables


def _dump(path: Path) -> list[str]:
    with closing(sqlite3.connect(path)) as db:
        return [line for line in db.iterdump() if " meta" not in line and '"meta"' not in line]


def test_an_older_store_gets_the_new_table_and_keeps_all(before: str, path: Path) -> None:
    dumped = _dump(path)
    with open_store(before) as store:
        assert _version(path) == (2, True)
        assert set(dumped) <= set(_dump(path))
        assert store.summarise("sample")
        assert list(store.check()) == []


def test_an_older_store_is_only_read_as_it_is(before: str, path: Path) -> None:
    content = path.read_bytes()
    with open_store(before, read_only=True) as store:
        assert store.experiments()[0].n_results == store.overview("sample").cells[0].n_windows * 19
        columns = store.columns("sample", "N")
        assert columns is not None
        assert len(columns) == 12
        assert len(store.coverage("sample").windows) == 4
        with pytest.raises(AccessDenied):
            store.summarise("sample")
    assert path.read_bytes() == content
    assert _version(path) == (1, False)


def test_many_processes_may_open_an_older_store_at_once(before: str, path: Path) -> None:
    context = multiprocessing.get_context("fork")
    processes = [context.Process(target=_open, args=(before,)) for _ in range(4)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
        assert process.exitcode == 0
    assert _version(path) == (2, True)


def _open(url: str) -> None:
    with open_store(url) as store:
        assert store.overview("sample").n_windows == 4


def test_one_that_is_killed_while_it_keeps_leaves_what_is_right(url: str, path: Path) -> None:
    with open_store(url) as store:
        fill_store(store)
        counted = store.overview("sample")
        process = multiprocessing.get_context("fork").Process(target=_summarise_slowly, args=(url,))
        process.start()
        until = time.monotonic() + 30
        while not Path(f"{path}.begun").exists():
            assert time.monotonic() < until
            time.sleep(0.01)
        assert process.pid is not None
        os.kill(process.pid, signal.SIGKILL)
        process.join(30)
        with closing(sqlite3.connect(path)) as db:
            assert db.execute("SELECT what FROM kept").fetchall() == [("overview",)]
        assert store.overview("sample") == counted
        columns = store.columns("sample", "L")
        assert columns is not None
        assert len(columns) == len(store.latest(ResultQuery(experiment="sample", tests=("L",))).rows)
        assert store.summarise("sample")
        assert not store.summarise("sample")


def _summarise_slowly(url: str) -> None:
    """Keep one answer, and hang in the middle of writing the next."""

    def keep_slowly(db: sqlite3.Connection, *args: object) -> None:
        kept.keep(db, *args)  # type: ignore[arg-type]
        if args[2] != ("overview", ""):
            Path(f"{url.removeprefix('sqlite:///')}.begun").touch()
            time.sleep(60)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("stores.sqlite.store.keep", keep_slowly)
        open_store(url).summarise("sample")


def test_an_answer_that_comes_too_late_is_not_kept(url: str) -> None:
    with open_store(url) as store:
        fill_store(store)
        token = store.overview("sample").token
        with closing(sqlite3.connect(url.removeprefix("sqlite:///"))) as db, db:
            kept.keep(db, "sample", token - 1, _answers.Topic("overview"), [_answers.Body(1, 0, b"")])
            assert db.execute("SELECT count(*) FROM kept").fetchone() == (0,)


def test_a_copy_and_the_end_of_a_run_keep_answers(
    url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_store(url) as store, open_store(f"sqlite:///{tmp_path / 'copy.sqlite'}") as copy:
        fill_store(store)
        copy_store(store, copy, compare=False)
        assert not copy.summarise("sample")
        assert aggregate.fn(url, "sample") == sum(cell.n_windows for cell in copy.overview("sample").cells)
        assert not store.summarise("sample")

        def refuse(*given: object) -> bool:
            message = "no space is left"
            raise StoreFull(message)

        monkeypatch.setattr(SqliteStore, "summarise", refuse)
        with disable_run_logger():  # the results are safe: the run goes on
            assert aggregate.fn(url, "sample") > 0
