"""What is the SQLite store's own: full disks, rights, other writers, damaged and foreign files."""

import hashlib
import io
import itertools
import multiprocessing
import os
import shutil
import sqlite3
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from forequake.errors import (
    CorruptRecord,
    InputError,
    SchemaVersion,
    StoreError,
    StoreFull,
    StoreUnavailable,
)
from forequake.quantities import Sha256
from forequake.results import EvaluationRecord, ExperimentRecord
from stores import Binding, ResultQuery, ResultsStore, RunRef, open_store
from stores._addresses import sqlite_url
from stores.sqlite import SqliteStore
from stores.testing import (
    fill_store,
    sample_experiment,
    sample_label,
    sample_result,
    sample_run,
)

_NOBODY = 65534


def _errors(store: ResultsStore) -> list[str]:
    return [finding.message for finding in store.check() if finding.severity == "error"]


def _fill_up(store: ResultsStore) -> list[EvaluationRecord]:
    """Put results until nothing more goes in; give those that were acknowledged."""
    kept: list[EvaluationRecord] = []
    with pytest.raises(StoreFull, match="no space is left") as full:
        _put_for_ever(store, kept)
    assert store.name in str(full.value)
    assert not full.value.transient
    assert kept
    return kept


def _put_for_ever(store: ResultsStore, kept: list[EvaluationRecord]) -> None:
    for number in itertools.count():
        result = sample_result(number, test="L")
        store.put([result])
        kept.append(result)


# --- no space left --------------------------------------------------------------------------------


def test_a_full_database_keeps_what_it_has(url: str) -> None:
    with open_store(url) as store:
        fill_store(store, models=("alpha",), tests=("N",), windows=2)
    with open_store(f"{url}?max_page_count=80") as store:
        kept = _fill_up(store)
        with pytest.raises(StoreFull):
            store.put([sample_result(number, test="L") for number in range(6000, 6200)])
        assert [store.get(EvaluationRecord, result.key) for result in kept] == kept
        assert len(store.scan(EvaluationRecord, limit=10_000)) == len(kept) + 2
        assert _errors(store) == []
    with open_store(f"{url}?max_page_count=80") as store:
        assert _errors(store) == []
        assert store.get(EvaluationRecord, kept[-1].key) == kept[-1]
    with open_store(url) as store:  # with space again
        assert store.put([sample_result(6000, test="L")]).written == (sample_result(6000, test="L").key,)
        assert _errors(store) == []


def test_a_store_that_is_full_from_the_start_says_so(url: str) -> None:
    with pytest.raises(StoreFull, match="no space is left"):
        open_store(f"{url}?max_page_count=3")
    with open_store(url) as store:
        assert store.experiments() == []


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a disk of one megabyte, where the system lets us make one."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount, unmount = shutil.which("mount"), shutil.which("umount")
    if mount is None or unmount is None or os.geteuid() != 0:
        pytest.skip("NOT TESTED: a really full disk. Mounting a tmpfs needs root and the program mount.")
    made = subprocess.run(
        [mount, "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)], capture_output=True, text=True
    )
    if made.returncode:
        pytest.skip(f"NOT TESTED: a really full disk. A tmpfs cannot be mounted here: {made.stderr.strip()}")
    yield folder
    subprocess.run([unmount, str(folder)], check=True)


def test_a_full_disk_keeps_what_is_stored(small_disk: Path) -> None:
    url = f"sqlite:///{small_disk}/results.sqlite"
    with open_store(url) as store:
        kept = _fill_up(store)
        (small_disk / "ballast").write_bytes(bytes(shutil.disk_usage(small_disk).free))
        with pytest.raises(StoreFull):
            store.put_blob(io.BytesIO(os.urandom(300_000)))
        with pytest.raises(StoreFull):
            store.put([sample_result(number, test="L") for number in range(6000, 6200)])
        assert [store.get(EvaluationRecord, result.key) for result in kept] == kept
        assert _errors(store) == []
        assert not [file for file in Path(f"{small_disk}/results.sqlite.blobs").rglob("*") if file.is_file()]
    (small_disk / "ballast").unlink()
    with open_store(url) as store:
        assert [store.get(EvaluationRecord, result.key) for result in kept] == kept
        assert _errors(store) == []


# --- rights ---------------------------------------------------------------------------------------


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Give a folder into which other users may look, unlike pytest's own."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder
        folder.chmod(0o755)


def _as_nobody(work: Callable[[], str]) -> str:
    """Call a function in a child that may do only what the files' modes say, which root need not heed."""

    def child(told: Connection) -> None:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setgid(_NOBODY)
            os.setuid(_NOBODY)
        try:
            told.send(work())
        except StoreError as error:
            told.send(f"{type(error).__name__}: {error}")

    ours, theirs = multiprocessing.Pipe(duplex=False)
    process = multiprocessing.get_context("fork").Process(target=child, args=(theirs,))
    process.start()
    theirs.close()
    assert ours.poll(30)
    answer = ours.recv()
    process.join()
    ours.close()
    assert isinstance(answer, str)
    return answer


def _protect(folder: Path) -> None:
    for path in sorted(folder.rglob("*"), reverse=True):
        path.chmod(0o555 if path.is_dir() else 0o444)
    folder.chmod(0o555)


def _look(url: str) -> str:
    store = open_store(url)
    rows = store.latest(ResultQuery(experiment="sample")).rows
    with store.open_blob(_sha(b"rates")) as file:
        content = file.read()
    assert store.get(EvaluationRecord, rows[0].key).key == rows[0].key
    return f"{len(rows)} rows, {content!r}, {_errors(store)}, {store.overview('sample').n_windows} windows"


def _sha(content: bytes) -> Sha256:
    return hashlib.sha256(content).hexdigest()


def _write(url: str) -> str:
    return str(open_store(url).put([sample_result(77)]))


def test_who_may_only_read_can_read(open_folder: Path) -> None:
    url = f"sqlite:///{open_folder}/results.sqlite"
    with open_store(url) as store:
        fill_store(store, models=("alpha",), tests=("N", "L"), windows=3)
    _protect(open_folder)
    assert _as_nobody(lambda: _look(url)) == "6 rows, b'rates', [], 3 windows"
    denied = _as_nobody(lambda: _write(url))
    assert denied.startswith("AccessDenied")
    assert url in denied
    assert "may not be written by this user" in denied
    assert sorted(path.name for path in open_folder.iterdir()) == ["results.sqlite", "results.sqlite.blobs"]


def test_a_reader_sees_what_a_writer_has_just_written(open_folder: Path) -> None:
    url = f"sqlite:///{open_folder}/results.sqlite"
    with open_store(url) as store:
        fill_store(store, models=("alpha",), tests=("N",), windows=2)
        _protect(open_folder)
        fill_store(store, models=("alpha",), tests=("N",), windows=4)
        # A fork closes the connections of this side, so that the log is gone unless another keeps it.
        with closing(sqlite3.connect(open_folder / "results.sqlite")) as other:
            other.execute("SELECT count(*) FROM latest").fetchone()
            for path in open_folder.glob("results.sqlite-*"):
                path.chmod(0o444)
            assert _as_nobody(lambda: _look(url)) == "4 rows, b'rates', [], 4 windows"


def test_who_may_not_read_is_told(open_folder: Path) -> None:
    url = f"sqlite:///{open_folder}/results.sqlite"
    open_store(url).close()
    (open_folder / "results.sqlite").chmod(0)
    denied = _as_nobody(lambda: _look(url))
    assert denied.startswith("AccessDenied")
    assert "ask its owner" in denied


def test_who_may_not_make_a_store_is_told(open_folder: Path) -> None:
    open_folder.chmod(0o555)
    for place in ("results.sqlite", "folder/results.sqlite"):
        denied = _as_nobody(lambda place=place: _look(f"sqlite:///{open_folder}/{place}"))  # type: ignore[misc]
        assert denied.startswith("AccessDenied")
        assert str(open_folder) in denied


def test_an_empty_file_is_nothing_to_read(open_folder: Path) -> None:
    (open_folder / "results.sqlite").touch()
    _protect(open_folder)
    denied = _as_nobody(lambda: _look(f"sqlite:///{open_folder}/results.sqlite"))
    assert denied.startswith("AccessDenied")
    assert "is empty" in denied


# --- other writers --------------------------------------------------------------------------------


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


# --- forks ----------------------------------------------------------------------------------------


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


# --- damaged and foreign files --------------------------------------------------------------------


def test_a_file_that_is_no_database_is_left_alone(url: str, path: Path) -> None:
    path.write_text("event,magnitude\n" * 1000)
    with pytest.raises(CorruptRecord, match="is no database"):
        open_store(url)
    assert path.read_text().startswith("event")


def test_the_database_of_another_program_is_left_alone(url: str, path: Path) -> None:
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("CREATE TABLE latest (slot)")
    with pytest.raises(InputError, match="another program"):
        open_store(url)


def test_a_folder_is_no_store(url: str, path: Path) -> None:
    path.mkdir()
    with pytest.raises(StoreError, match="cannot be read or written"):
        open_store(url)


def test_a_newer_store_is_refused(url: str, path: Path) -> None:
    open_store(url).close()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE meta SET n = 99")
    with pytest.raises(SchemaVersion, match=r"tables 99.*this one knows 1"):
        open_store(url)


def test_a_store_that_does_not_say_its_version_is_damaged(url: str, path: Path) -> None:
    open_store(url).close()
    for statement in ("DELETE FROM meta", "DROP TABLE meta"):
        with closing(sqlite3.connect(path)) as db, db:
            db.execute(statement)
        with pytest.raises(CorruptRecord, match="backup"):
            open_store(url)


def test_a_damaged_page_is_found(url: str, path: Path) -> None:
    with open_store(url) as store:
        fill_store(store, models=("alpha", "beta"), tests=("N", "L"), windows=20)
    size = path.stat().st_size
    with path.open("r+b") as file:
        for page in range(size // 8192, size // 4096, 5):
            file.seek(page * 4096)
            file.write(b"\x00\xff" * 500)
    with open_store(url) as store:
        findings = list(store.check(repair=True))
        assert {finding.code for finding in findings} == {"damaged_file"}
        assert all(finding.severity == "error" and not finding.repaired for finding in findings)
        with pytest.raises(CorruptRecord, match="backup"):
            store.scan(EvaluationRecord, limit=10_000)


def test_a_table_that_is_gone_is_damage(url: str, path: Path) -> None:
    with open_store(url) as store:
        with closing(sqlite3.connect(path)) as db, db:
            db.execute("DROP TABLE latest")
        with pytest.raises(CorruptRecord, match="backup"):
            store.latest(ResultQuery(experiment="sample"))


# --- files of blobs -------------------------------------------------------------------------------


def test_leftovers_of_dead_writers_are_swept_when_they_are_old(url: str, path: Path) -> None:
    with open_store(url) as store:
        sha = store.put_blob(io.BytesIO(b"kept")).sha256
        folder = Path(f"{path}.blobs")
        passing = folder / "incoming" / "1-dead"
        stray = folder / "ab" / f"ab{sha[2:]}.gz"
        stray.parent.mkdir(exist_ok=True)
        for file in (passing, stray):
            file.write_bytes(b"12345")
        assert store.sweep(dry_run=False).bytes_freed == 0
        assert [finding.code for finding in store.check()] == ["unreferenced_blob"] * 2
        yesterday = time.time() - timedelta(days=2).total_seconds()
        for file in (passing, stray):
            os.utime(file, (yesterday, yesterday))
        planned = store.sweep(dry_run=True)
        assert (planned.bytes_freed, passing.exists(), stray.exists()) == (10, True, True)
        report = store.sweep(dry_run=False)
        assert (report.removed, report.bytes_freed) == ((), 10)
        assert not passing.exists()
        assert not stray.exists()
        with store.open_blob(sha) as kept:
            assert kept.read() == b"kept"


def test_a_cut_off_blob_is_told(url: str, path: Path) -> None:
    with open_store(url) as store:
        sha = store.put_blob(io.BytesIO(os.urandom(10_000))).sha256
        file = Path(f"{path}.blobs", sha[:2], f"{sha}.gz")
        file.write_bytes(file.read_bytes()[:5000])
        with pytest.raises(CorruptRecord, match=sha), store.open_blob(sha) as blob:
            blob.read()


def test_an_address_may_have_any_letters(tmp_path: Path) -> None:
    path = tmp_path / "Ätna 100% #1?" / "a b.sqlite"
    with open_store(sqlite_url(path)) as store:
        run = store.begin_run(sample_run(_with_experiment(store)))
        store.put([sample_result(0)])
        ref = RunRef(id=run.id, experiment=run.experiment, run_no=run.run_no)
        store.publish(ref, [Binding(label=sample_label(), key=sample_result(0).key)])
    assert path.exists()


def _with_experiment(store: ResultsStore) -> ExperimentRecord:
    experiment = sample_experiment()
    store.put([experiment])
    return experiment
