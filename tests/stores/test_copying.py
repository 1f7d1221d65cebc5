"""Copying stores: all of it, after a kill, twice at once, beside a run, and never over something else."""

import io
import json
import multiprocessing
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from pymongo import MongoClient

from forequake.errors import Conflict, InputError
from forequake.results import EvaluationRecord, RunChange, RunState
from stores import Binding, Block, ResultQuery, ResultsStore, RunRef, open_store
from stores.comparing import compare_stores
from stores.copying import copy_store
from stores.testing import (
    fill_store,
    sample_experiment,
    sample_forecast,
    sample_label,
    sample_result,
    sample_run,
)
from stores.testing.mongod import database_url

COMMAND = str(Path(sys.executable).with_name("forequake"))

NewStore = Callable[[str], ResultsStore]


@pytest.fixture
def new_store(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[NewStore]:
    """Give what makes an empty store of a name: in files, or on a server those that a test asks for so."""
    on_server: tuple[str, ...] = getattr(request, "param", ())
    with ExitStack() as opened:

        def make(name: str) -> ResultsStore:
            url = f"sqlite:///{tmp_path / name}.sqlite"
            if name in on_server:
                database = f"copy_{name}_{uuid.uuid4().hex[:8]}"
                url = database_url(request.getfixturevalue("mongo_standalone"), database)
                client = opened.enter_context(MongoClient[dict[str, Any]](url))
                opened.callback(client.drop_database, database)
            return opened.enter_context(open_store(url))

        yield make


_MONGO = (pytest.mark.mongo, pytest.mark.contract)
of_every_kind = pytest.mark.parametrize(
    "new_store",
    [
        (),
        pytest.param(("target",), marks=_MONGO),
        pytest.param(("source",), marks=_MONGO),
        pytest.param(("source", "target"), marks=_MONGO),
    ],
    indirect=True,
    ids=["SQLite to SQLite", "SQLite to MongoDB", "MongoDB to SQLite", "MongoDB to MongoDB"],
)
between_kinds = pytest.mark.parametrize(
    "new_store",
    [pytest.param(("target",), marks=_MONGO), pytest.param(("source",), marks=_MONGO)],
    indirect=True,
    ids=["SQLite to MongoDB", "MongoDB to SQLite"],
)


def fill(store: ResultsStore) -> None:
    """Let runs of two experiments pass, with values that change, stay and return, and units that fail."""
    first = fill_store(store, windows=3, failed=3)
    fill_store(store, windows=2, seed=2)
    fill_store(store, windows=3, failed=2)
    fill_store(store, windows=1, experiment="other", failed=1)
    late = RunRef(id=first.id, experiment="sample", run_no=1)
    slow = sample_result(77)
    store.put([slow])
    store.publish(late, [Binding(label=sample_label("N", "slow"), key=slow.key)])
    store.put([sample_forecast(store.put_blob(io.BytesIO(bytes(range(256)) * 20_000)), 9)])


def everything(store: ResultsStore) -> dict[str, object]:
    """Read what a user of the store sees, by other ways than a copy does."""
    seen: dict[str, object] = {"runs": store.runs(None, 100)}
    for summary in store.experiments():
        name = summary.name
        seen[name] = summary.model_copy(update={"token": 0})
        query = ResultQuery(experiment=name, limit=10_000)
        rows = store.latest(query).rows
        seen[f"{name} latest"] = rows
        seen[f"{name} history"] = [store.history(row.label.slot) for row in rows]
        moments = sorted({bound.bound_at for row in rows for bound in store.history(row.label.slot)})
        as_of = moments[len(moments) // 2]
        seen[f"{name} then"] = store.latest(query.model_copy(update={"as_of": as_of})).rows
        seen[f"{name} units"] = store.units(name)
        seen[f"{name} results"] = [store.get(EvaluationRecord, row.key) for row in rows]
        seen[f"{name} overview"] = store.overview(name).model_copy(update={"token": 0})
    return seen


@of_every_kind
def test_a_copy_has_all_that_its_source_has(new_store: NewStore) -> None:
    source, target = new_store("source"), new_store("target")
    fill(source)
    steps: list[str] = []
    report = copy_store(source, target, progress=lambda step, done: steps.append(f"{step} {done}"))
    assert everything(target) == everything(source)
    assert report.comparison is not None
    assert report.comparison.equal
    assert report.comparison.named == ()
    assert report.copied == {
        name: count for name, count in report.comparison.compared.items() if name != "latest rows"
    }
    assert report.copied["failed units"] == len(source.units("sample") + source.units("other")) == 4
    assert f"copying bindings {report.copied['bindings']}" in steps
    assert [finding for finding in target.check() if finding.severity == "error"] == []


@between_kinds
def test_a_copy_works_on_as_its_source_would(new_store: NewStore) -> None:
    source, target = new_store("source"), new_store("target")
    fill(source)
    copy_store(source, target)
    for store in (source, target):
        run = fill_store(store, windows=3, seed=2)
        assert (run.run_no, run.counts.cached > 0) == (4, True)
    mine, theirs = (store.latest(ResultQuery(experiment="sample")).rows for store in (source, target))
    assert [(row.label, row.key, row.run_no) for row in mine] == [
        (row.label, row.key, row.run_no) for row in theirs
    ]


@between_kinds
def test_copying_again_copies_what_is_new(new_store: NewStore) -> None:
    source, target = new_store("source"), new_store("target")
    fill(source)
    copy_store(source, target)
    again = copy_store(source, target)
    assert set(again.copied.values()) == {0}
    before = everything(target)
    assert before == everything(source)
    fill_store(source, windows=4)
    failing = Block(id="sample/failing", units=tuple(unit.label for unit in source.units("sample")[:1]))
    (claim,) = source.claim([failing], "one")
    source.finish(claim, [])
    report = copy_store(source, target)
    assert everything(target) == everything(source) != before
    assert len(target.units("sample")) == 2
    assert (report.copied["runs"], report.copied["blobs"]) == (1, 0)


@between_kinds
def test_a_run_that_ended_since_is_brought_up_to_date(new_store: NewStore) -> None:
    source, target = new_store("source"), new_store("target")
    config = sample_experiment()
    source.put([config])
    run = source.begin_run(sample_run(config))
    block = Block(id="block", units=(sample_label("N", "alpha"), sample_label("N", "beta")))
    source.claim([block], "one", timedelta(0))  # its lease has run out: the units have crashed
    source.claim([Block(id="held", units=(sample_label("L", "alpha"),))], "two")
    report = copy_store(source, target)
    assert report.running == ("sample",)
    assert target.runs("sample") == [run]
    assert [unit.label.model for unit in target.units("sample")] == ["alpha", "beta"]
    ended = source.update_run(
        RunRef(id=run.id, experiment="sample", run_no=1),
        RunChange(state=RunState.FAILED),
        expect=RunState.RUNNING,
    )
    (claim,) = source.claim([block], "three")
    source.finish(claim, [])
    report = copy_store(source, target)
    assert report.running == ()
    assert target.runs("sample") == [ended]
    assert target.units("sample") == []


def test_other_experiments_of_the_target_stay(new_store: NewStore) -> None:
    source, target = new_store("source"), new_store("target")
    fill_store(source, windows=2)
    fill_store(target, windows=2, experiment="mine")  # the same values, computed here
    mine = target.latest(ResultQuery(experiment="mine")).rows
    report = copy_store(source, target)
    assert report.comparison is not None
    assert report.comparison.equal
    assert report.copied["results"] == 0
    assert target.latest(ResultQuery(experiment="mine")).rows == mine
    copied, original = (store.latest(ResultQuery(experiment="sample")).rows for store in (target, source))
    assert copied == original


def test_values_that_the_target_computed_itself_are_kept(new_store: NewStore) -> None:
    source, target = new_store("source"), new_store("target")
    fill_store(source, windows=1)
    row = source.latest(ResultQuery(experiment="sample")).rows[0]
    result = source.get(EvaluationRecord, row.key)
    own = result.model_copy(update={"computed_at": result.computed_at + timedelta(days=1)})
    target.put([own])
    report = copy_store(source, target)
    assert report.comparison is not None
    assert (report.comparison.equal, report.comparison.other_circumstances) == (True, 1)
    assert target.get(EvaluationRecord, row.key) == own


def test_another_value_under_the_same_key_is_told(new_store: NewStore) -> None:
    source, target = new_store("source"), new_store("target")
    fill_store(source, windows=1)
    row = source.latest(ResultQuery(experiment="sample")).rows[0]
    result = source.get(EvaluationRecord, row.key)
    other = result.model_copy(update={"n_forecast": result.n_forecast + 1.0})
    target.put([other])
    report = copy_store(source, target)
    assert report.comparison is not None
    assert not report.comparison.equal
    assert report.comparison.differing == 1
    assert row.key in report.comparison.named[0]
    assert target.get(EvaluationRecord, row.key) == other


@between_kinds
def test_stores_that_went_on_apart_are_refused(new_store: NewStore) -> None:
    source, target = new_store("source"), new_store("target")
    fill_store(source, windows=1)
    fill_store(target, windows=1)
    before = everything(target)
    with pytest.raises(InputError, match=r"run 1 of 'sample'.*went on apart"):
        copy_store(source, target)
    assert everything(target) == before
    with pytest.raises(InputError, match="itself"):
        copy_store(source, source)
    with pytest.raises(InputError, match="holds nothing"):
        copy_store(new_store("empty"), target)


@between_kinds
def test_another_binding_in_a_place_is_refused(new_store: NewStore) -> None:
    source, target = new_store("source"), new_store("target")
    run = fill_store(source, windows=1)
    copy_store(source, target)
    ref = RunRef(id=run.id, experiment="sample", run_no=1)
    for store, number in ((source, 1), (target, 2)):
        store.put([sample_result(number)])
        store.publish(ref, [Binding(label=sample_label("N", "apart"), key=sample_result(number).key)])
    with pytest.raises(Conflict, match="apart"):
        copy_store(source, target)


def test_what_a_target_lost_is_told(new_store: NewStore) -> None:
    source, target = new_store("source"), new_store("target")
    fill_store(source, windows=1)
    copy_store(source, target)
    fill_store(source, windows=2)
    comparison = compare_stores(source, target)
    assert not comparison.equal
    assert comparison.differing == 0
    assert comparison.behind > 10
    assert len(comparison.named) == 20


def _copy(source: str, target: str) -> None:
    copy_store(open_store(source), open_store(target), compare=False)


@pytest.mark.slow
@between_kinds
def test_a_killed_copy_goes_on(new_store: NewStore) -> None:
    source, target = new_store("source"), new_store("target")
    fill(source)
    fill_store(source, windows=40, experiment="long")
    urls = source.name, target.name
    context = multiprocessing.get_context("spawn")
    progress: list[int] = []
    for wanted in (5, 500):  # in the middle of the records, and later
        process = context.Process(target=_copy, args=urls)
        process.start()
        while process.is_alive() and _size(target) < wanted:
            time.sleep(0.005)
        process.kill()
        process.join()
        progress.append(_size(target))
        assert [finding for finding in target.check() if finding.severity == "error"] == []
    assert 0 < progress[0] <= progress[1]
    report = copy_store(source, target)
    assert report.comparison is not None
    assert report.comparison.equal
    assert everything(target) == everything(source)
    assert report.copied["results"] < report.comparison.compared["results"]


def _size(store: ResultsStore) -> int:
    return len(store.scan(EvaluationRecord, limit=10_000))


@pytest.mark.slow
@between_kinds
def test_two_copies_at_once_give_one(new_store: NewStore) -> None:
    source, target = new_store("source"), new_store("target")
    fill(source)
    context = multiprocessing.get_context("spawn")
    processes = [context.Process(target=_copy, args=(source.name, target.name)) for _ in range(2)]
    for process in processes:
        process.start()
    for process in processes:
        process.join(60)
    assert [process.exitcode for process in processes] == [0, 0]
    assert compare_stores(source, target).equal
    assert everything(target) == everything(source)


@between_kinds
def test_a_copy_beside_a_run_is_sound_and_says_so(new_store: NewStore) -> None:
    source, target = new_store("source"), new_store("target")
    fill(source)
    going = threading.Event()
    going.set()

    def keep_running() -> None:
        number = 0
        while going.is_set():
            fill_store(source, windows=1, models=(f"model-{number}", "beta"), seed=number, failed=number % 2)
            number += 1

    runner = threading.Thread(target=keep_running)
    runner.start()
    try:
        copy_store(source, target)
        assert [finding for finding in target.check() if finding.severity == "error"] == []
    finally:
        going.clear()
        runner.join(60)
    report = copy_store(source, target)
    assert report.comparison is not None
    assert report.comparison.equal
    assert everything(target) == everything(source)


def _command(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([COMMAND, "store", *words], capture_output=True, text=True, timeout=60)


@pytest.mark.slow
def test_the_command_copies_checks_and_sweeps(tmp_path: Path) -> None:
    source, target = (f"sqlite:///{tmp_path / name}.sqlite" for name in ("source", "target"))
    missing = _command("copy", source, target)
    assert missing.returncode == 2
    assert "there is no store" in missing.stderr
    assert list(tmp_path.iterdir()) == []
    with open_store(source) as store:
        fill_store(store, windows=1)
        store.put_blob(io.BytesIO(b"left behind"))
    done = _command("copy", source, target)
    assert done.returncode == 0, done.stderr
    assert "Every piece is equal" in done.stdout
    again = json.loads(_command("copy", source, target, "--json", "--no-compare").stdout)
    assert set(again["copied"].values()) == {0}
    assert again["comparison"] is None
    itself = _command("copy", source, source)
    assert itself.returncode == 2
    assert "itself" in itself.stderr
    assert _command("check", "--store", target).returncode == 0
    swept = json.loads(_command("sweep", "--store", source, "--older-than", "0", "--json").stdout)
    assert (len(swept["removed"]), swept["dry_run"]) == (1, False)
    with open_store(target) as store:
        fill_store(store, windows=1)
    apart = _command("copy", source, target)
    assert apart.returncode == 2
    assert "went on apart" in apart.stderr
    assert "Traceback" not in apart.stderr
