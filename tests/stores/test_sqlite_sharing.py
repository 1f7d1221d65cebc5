"""An SQLite file between threads, processes and forks."""

import multiprocessing
import os
import sqlite3
import threading
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from forequake.errors import (
    StoreUnavailable,
)
from forequake.results import EvaluationRecord
from stores import ResultsStore, open_store
from stores.sqlite import SqliteStore
from stores.testing import (
    sample_result,
)


def _errors(store: ResultsStore) -> list[str]:
    return [finding.message for finding in store.check() if finding.severity == "error"]


# --- other writers


def test_a_store_that_is_busy_for_too_long_says_so(url: str, path: Path) -> None:
    with open_store(f"{url}?busy_timeout=0.05") as store:
        store.put([sample_result(0)])
        with closing(sqlite3.connect(path, isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            began = time.monotonic()
            with pytest.raises(StoreUnavailable, match="is busy") as busy:
                store.put([sample_result(1)])
            assert time.monotonic() - began < 5
            assert busy.value.transient
            assert store.name in str(busy.value)
            assert store.get(EvaluationRecord, sample_result(0).key) == sample_result(0)
        assert store.put([sample_result(1)]).written == (sample_result(1).key,)


def test_a_writer_waits_for_another(url: str, path: Path) -> None:
    with open_store(url) as store, closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        thread = threading.Thread(target=lambda: store.put([sample_result(0)]))
        thread.start()
        thread.join(0.1)
        assert thread.is_alive()
        other.execute("COMMIT")
        thread.join(10)
        assert not thread.is_alive()
        assert store.get(EvaluationRecord, sample_result(0).key) == sample_result(0)


def test_processes_that_make_a_store_at_once_make_one(url: str) -> None:
    context = multiprocessing.get_context("fork")
    gate = context.Barrier(6)

    def work(number: int) -> None:
        gate.wait(20)
        open_store(url).put([sample_result(number)])

    processes = [context.Process(target=work, args=(number,)) for number in range(6)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(30)
    assert [process.exitcode for process in processes] == [0] * 6
    with open_store(url) as store:
        assert len(store.scan(EvaluationRecord)) == 6
        assert _errors(store) == []


def test_commits_reach_the_disk(url: str) -> None:
    with open_store(url) as store:
        assert isinstance(store, SqliteStore)
        with store._connections.reading() as db:
            assert db.execute("PRAGMA journal_mode").fetchone() == ("wal",)
            assert db.execute("PRAGMA synchronous").fetchone() == (2,)
            assert db.execute("PRAGMA busy_timeout").fetchone() == (30_000,)


def test_an_interrupt_undoes_what_was_not_finished(url: str) -> None:
    with open_store(url) as store:
        assert isinstance(store, SqliteStore)
        with pytest.raises(KeyboardInterrupt), store._connections.writing() as db:  # noqa: PT012
            db.execute("INSERT INTO experiments VALUES ('half', '', 1, 0)")
            raise KeyboardInterrupt
        assert store.experiments() == []
        store.put([sample_result(0)])


def test_threads_that_ended_leave_no_connection(url: str) -> None:
    with open_store(url) as store:
        assert isinstance(store, SqliteStore)
        for number in range(10):
            thread = threading.Thread(target=lambda number=number: store.put([sample_result(number)]))
            thread.start()
            thread.join()
        assert len(store._connections._open) <= 2


# --- forks


def _fork(work: Callable[[], None]) -> int:
    """Run a function in a forked child; give its number."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    return child


def test_a_forked_child_and_its_parent_both_write(url: str) -> None:
    store = open_store(url)
    store.put([sample_result(0)])

    def work() -> None:
        assert open_store(url) is not store
        for number in range(100, 120):
            store.put([sample_result(number)])  # the parent's object opens its own file in the child
            open_store(url).put([sample_result(number + 100)])

    child = _fork(work)
    for number in range(1, 20):
        store.put([sample_result(number)])
    assert os.waitpid(child, 0)[1] == 0
    assert len(store.scan(EvaluationRecord)) == 60
    assert _errors(store) == []
    store.close()


def test_a_parent_that_closes_first_takes_nothing_from_its_child(url: str) -> None:
    store = open_store(url)
    store.put([sample_result(0)])
    reader, writer = os.pipe()

    def work() -> None:
        store.put([sample_result(1)])
        os.read(reader, 1)  # until the parent has closed its side
        store.put([sample_result(2)])
        store.close()

    child = _fork(work)
    while len(store.scan(EvaluationRecord)) < 2:
        time.sleep(0.01)
    store.close()
    os.write(writer, b"x")
    assert os.waitpid(child, 0)[1] == 0
    os.close(reader)
    os.close(writer)
    with open_store(url) as again:
        assert {record.key for record in again.scan(EvaluationRecord)} == {
            sample_result(number).key for number in range(3)
        }
        assert _errors(again) == []


def test_a_fork_waits_for_the_transaction_of_another_thread(url: str) -> None:
    with open_store(url) as store:
        assert isinstance(store, SqliteStore)
        inside = threading.Event()

        def slow() -> None:
            with store._connections.writing() as db:
                inside.set()
                time.sleep(0.2)
                db.execute("INSERT INTO experiments VALUES ('slow', ?, 1, 0)", ("0" * 64,))

        thread = threading.Thread(target=slow)
        thread.start()
        assert inside.wait(10)
        child = _fork(lambda: _expect([summary.name for summary in store.experiments()] == ["slow"]))
        thread.join()
        assert os.waitpid(child, 0)[1] == 0


def _expect(true: bool) -> None:
    assert true
