"""Who may only read an SQLite store can read it; who may not is told so."""

import hashlib
import multiprocessing
import os
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

from forequake.errors import (
    StoreError,
)
from forequake.quantities import Sha256
from forequake.results import EvaluationRecord
from stores import ResultQuery, ResultsStore, open_store
from stores.testing import (
    fill_store,
    sample_result,
)

_NOBODY = 65534


def _errors(store: ResultsStore) -> list[str]:
    return [finding.message for finding in store.check() if finding.severity == "error"]


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
