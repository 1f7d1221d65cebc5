"""The command ``forequake gc``, on a cache folder and a store of its own."""

import json
import os
import sqlite3
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flows.cli import main
from forequake.forecasts.arrays import ArrayCache
from forequake.models.sources import PathSource, fetch_source
from stores import open_store

_DAY = 86400


@pytest.fixture
def desk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a folder with an old source, an old forecast, and a store with one old blob and one young one."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "run.py").write_text("print(1)")
    kept = fetch_source(PathSource("model"), tmp_path, say=lambda words: None).folder.parent
    ArrayCache().keep("a" * 64, {"rates": np.ones((100, 50))}, {})
    moment = time.time() - 40 * _DAY
    for path in (kept, tmp_path / "cache" / "forequake" / "arrays" / ("a" * 64) / "about.json"):
        os.utime(path, (moment, moment))
    with open_store(f"sqlite:///{tmp_path}/results.sqlite") as store:
        old = store.put_blob(BytesIO(b"x" * 1000)).sha256
        store.put_blob(BytesIO(b"y" * 1000))
    with sqlite3.connect(tmp_path / "results.sqlite") as database:
        database.execute("UPDATE blobs SET stored_us = stored_us - ? WHERE sha = ?", (2 * _DAY * 10**6, old))
    return tmp_path


@dataclass
class _Done:
    code: object
    out: str
    err: str


@pytest.fixture
def gc(
    desk: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., _Done]:
    """Give the command, in this process: a process of its own takes a second to start."""

    def call(*words: str) -> _Done:
        monkeypatch.setattr(
            sys, "argv", ["forequake", "gc", "--store", f"sqlite:///{desk}/results.sqlite", *words]
        )
        with pytest.raises(SystemExit) as left:
            main()
        told = capsys.readouterr()
        return _Done(left.value.code, told.out, " ".join(told.err.split()))

    return call


def _told(done: _Done) -> Any:
    assert done.code == 0, done.err
    return json.loads(done.out)


def _files(desk: Path) -> set[str]:
    return {str(path) for path in (desk / "cache").rglob("*")}


def test_what_would_go_is_what_goes(desk: Path, gc: Callable[..., _Done]) -> None:
    before = _files(desk)
    would = _told(gc("--json", "--dry-run"))
    assert [one["kind"] for one in would["going"]] == ["sources", "forecasts"]
    assert len(would["blobs"]["removed"]) == 1
    assert _files(desk) == before
    done = _told(gc("--json"))
    assert (done["gone"], done["bytes"]) == (would["going"], would["bytes"])
    assert done["blobs"]["removed"] == would["blobs"]["removed"]
    assert len(_files(desk)) < len(before)
    assert _told(gc("--json"))["bytes"] == 0


def test_words_for_people(gc: Callable[..., _Done]) -> None:
    done = gc("--dry-run", "--keep", "blobs")
    assert done.code == 0, done.err
    for words in ("sources", "not used for long", "2 things of", "would go."):
        assert words in done.out
    assert "In the store" not in done.out
    assert "1 blob removed" in gc().out
    assert "Nothing to remove." in gc().out


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--older-than", "soon"), "such as 12h or 30d"),
        (("--older-than", "-3d"), "such as 12h or 30d"),
        (("--keep", "source"), "did you mean 'sources'?"),
    ],
)
def test_a_word_that_is_none_removes_nothing(
    desk: Path, gc: Callable[..., _Done], words: tuple[str, ...], told: str
) -> None:
    before = _files(desk)
    done = gc(*words)
    assert (done.code, _files(desk)) == (2, before)
    assert told in done.err


def test_a_store_that_cannot_be_read_is_told(desk: Path, gc: Callable[..., _Done]) -> None:
    (desk / "results.sqlite").write_bytes(b"no database at all" * 100)
    done = gc()
    assert done.code == 1
    assert "2 things of" in done.out
    assert "the store was not looked at" in done.err
    assert "Traceback" not in done.err
