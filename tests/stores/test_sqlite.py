"""What is the SQLite store's own: full disks, damaged and foreign files, leftovers of blobs."""

import gzip
import io
import itertools
import os
import shutil
import sqlite3
import subprocess
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from forequake.errors import (
    CorruptRecord,
    InputError,
    SchemaVersion,
    StoreFull,
)
from forequake.results import EvaluationRecord, ExperimentRecord
from stores import Binding, ResultQuery, ResultsStore, RunRef, open_store
from stores._addresses import sqlite_url
from stores.testing import (
    fill_store,
    sample_experiment,
    sample_label,
    sample_result,
    sample_run,
)


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


# --- no space left


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


# --- damaged and foreign files


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


def test_a_newer_store_is_refused(url: str, path: Path) -> None:
    open_store(url).close()
    with closing(sqlite3.connect(path)) as db, db:
        db.execute("UPDATE meta SET n = 99")
    with pytest.raises(SchemaVersion, match=r"tables 99.*this one knows 2"):
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


# --- files of blobs


def test_leftovers_of_dead_writers_are_swept_when_they_are_old(url: str, path: Path) -> None:
    with open_store(url) as store:
        sha = store.put_blob(io.BytesIO(b"kept")).sha256
        folder = Path(f"{path}.blobs")
        passing = folder / "incoming" / "1-dead"
        stray = folder / "ab" / f"ab{sha[2:]}.zst"
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
        file = Path(f"{path}.blobs", sha[:2], f"{sha}.zst")
        file.write_bytes(file.read_bytes()[:5000])
        with pytest.raises(CorruptRecord, match=sha), store.open_blob(sha) as blob:
            blob.read()


def test_blobs_of_before_are_read_until_they_are_put_again(url: str, path: Path) -> None:
    content = os.urandom(1000) * 3
    with open_store(url) as store:
        sha = store.put_blob(io.BytesIO(content)).sha256
        new = Path(f"{path}.blobs", sha[:2], f"{sha}.zst")
        before = new.with_suffix(".gz")
        before.write_bytes(gzip.compress(content))
        new.unlink()
        with store.open_blob(sha) as blob:
            assert blob.read() == content
        assert [finding.code for finding in store.check()] == ["unreferenced_blob"]
        store.put_blob(io.BytesIO(content))
        assert [file.name for file in new.parent.iterdir()] == [new.name]
        new.rename(before)
        before.write_bytes(gzip.compress(content)[:-20])
        with pytest.raises(CorruptRecord, match=sha), store.open_blob(sha) as blob:
            blob.read()
        assert store.sweep(timedelta(0), dry_run=False).removed == (sha,)
        assert list(new.parent.iterdir()) == []


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
