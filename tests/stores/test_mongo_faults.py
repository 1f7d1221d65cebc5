"""What goes wrong with MongoDB servers: each ends in a typed error that says what to do, or in recovery."""

import hashlib
import io
import multiprocessing
import os
import shutil
import socket
import struct
import subprocess
import sys
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import bson
import pytest
from pymongo import MongoClient

from forequake.errors import AccessDenied, NotFound, StoreError, StoreFull, StoreUnavailable
from forequake.results import EvaluationRecord
from stores import ResultsStore, RunRef, open_store
from stores.testing import sample_experiment, sample_label, sample_result, sample_run
from stores.testing.cutting import CuttingProxy
from stores.testing.mongod import Mongod, database_url
from stores.testing.processes import write_through_outages

pytestmark = pytest.mark.mongo

MIB = 1 << 20


def _healthy(store: ResultsStore) -> bool:
    return not [finding for finding in store.check() if finding.severity == "error"]


# --- a server that is killed ---------------------------------------------------------------------------


def _read_all(told: Connection) -> list[tuple[str, int]]:
    heard = []
    while told.poll():
        heard.append(told.recv())
    return heard


@pytest.mark.parametrize("replica_set", [None, "forequake"])
def test_a_killed_server_loses_nothing_that_was_acknowledged(
    mongod_there: None, tmp_path: Path, replica_set: str | None
) -> None:
    context = multiprocessing.get_context("spawn")
    with Mongod(tmp_path, replica_set=replica_set) as server:
        url = database_url(server.url, "faults")
        with open_store(url) as store:
            record = sample_experiment()
            store.put([record])
            begun = store.begin_run(sample_run(record))
            run = RunRef(id=begun.id, experiment=begun.experiment, run_no=begun.run_no)
        told, telling = context.Pipe(duplex=False)
        writer = context.Process(target=write_through_outages, args=(url, run, telling), daemon=True)
        writer.start()
        acknowledged: list[tuple[str, int]] = []
        try:
            for _ in range(2):
                assert told.poll(60), "the writer does not come back"
                time.sleep(1.0)
                server.kill()
                acknowledged += _read_all(told)
                server.start()
            before = len(acknowledged)
            acknowledged.append(told.recv())
            assert told.poll(60), "the writer does not come back"
        finally:
            writer.kill()
            writer.join(10)
        acknowledged += _read_all(told)
        with open_store(url) as store:
            lost = _lost(store, run.experiment, acknowledged)
            healthy = _healthy(store)
    counts = Counter(call for call, _ in acknowledged)
    # Shown by pytest -rP: how much the assertions below speak of.
    sys.stdout.write(f"{replica_set}: acknowledged {dict(counts)}, ten results each; lost {len(lost)}\n")
    assert lost == []
    assert healthy
    assert len(acknowledged) > before > 20


def _lost(store: ResultsStore, experiment: str, acknowledged: list[tuple[str, int]]) -> list[tuple[str, int]]:
    lost = []
    for call, batch in acknowledged:
        results = [sample_result(10 * batch + place, test="L") for place in range(10)]
        keys = {result.key for result in results}
        if call == "put" and store.existing(EvaluationRecord, keys) != keys:
            lost.append((call, batch))
        elif call == "publish":
            for place, result in enumerate(results):
                slot = sample_label("L", "alpha", 10 * batch + place, experiment=experiment).slot
                if [bound.key for bound in store.history(slot)] != [result.key]:
                    lost.append((call, batch))
        elif call == "put_blob":
            content = f"blob {batch}".encode() * 1000
            if _read(store, _sha(content)) != content:
                lost.append((call, batch))
    return lost


def _sha(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _read(store: ResultsStore, blob: str) -> bytes | None:
    try:
        with store.open_blob(blob) as stream:
            return stream.read()
    except NotFound:
        return None


# --- a connection that is cut ----------------------------------------------------------------------------


@pytest.fixture
def proxy(mongo_standalone: str) -> Iterator[CuttingProxy]:
    with CuttingProxy(urlsplit(mongo_standalone).port or 27017) as proxy:
        yield proxy


@pytest.fixture
def cut_url(proxy: CuttingProxy, mongo_standalone: str) -> Iterator[str]:
    """Give the address, by way of the proxy, of a store that is there; its driver repeats no write."""
    name = f"faults-{uuid.uuid4().hex[:8]}"
    with open_store(database_url(mongo_standalone, name)):
        pass
    yield f"mongodb://127.0.0.1:{proxy.port}/{name}"
    with MongoClient[dict[str, Any]](mongo_standalone) as client:
        client.drop_database(name)


@pytest.mark.parametrize("place", [100_000, 4 * MIB, 11 * MIB, 19 * MIB])
def test_a_blob_that_is_cut_off_leaves_nothing_half(proxy: CuttingProxy, cut_url: str, place: int) -> None:
    content = os.urandom(20 * MIB)
    with open_store(cut_url) as store:
        proxy.cut_after(place)
        with pytest.raises(StoreUnavailable, match=r"does not answer .*is the server running"):
            store.put_blob(io.BytesIO(content))
        assert proxy.cuts == 1
        assert _read(store, _sha(content)) is None
        assert _healthy(store)
        reference = store.put_blob(io.BytesIO(content))
        assert reference.sha256 == _sha(content)
        assert _read(store, reference.sha256) == content
        assert _healthy(store)
        store.sweep(timedelta(), dry_run=False)  # no record refers to it
    with MongoClient[dict[str, Any]](cut_url) as client:
        db = client.get_default_database()
        assert [db[name].count_documents({}) for name in ("blobs", "fs.files", "fs.chunks")] == [0, 0, 0]


@pytest.mark.parametrize("cut_in", ["fs.files", "blobs"])
def test_a_blob_whose_last_answers_are_lost_is_whole_or_not_there(
    proxy: CuttingProxy, cut_url: str, cut_in: str
) -> None:
    content = os.urandom(5 * MIB)
    with open_store(cut_url) as store:
        command = "insert" if cut_in == "fs.files" else "findAndModify"
        proxy.lose_answer_to(_command(command, cut_in))
        with pytest.raises(StoreUnavailable):
            store.put_blob(io.BytesIO(content))
        assert proxy.cuts == 1
        assert _read(store, _sha(content)) in (None, content)
        store.put_blob(io.BytesIO(content))
        assert _read(store, _sha(content)) == content
        assert _healthy(store)


def _command(name: str, collection: str) -> bytes:
    """Give the bytes with which a command to a collection begins."""
    return bytes(bson.encode({name: collection}))[4:-1]


# --- servers that do not serve ---------------------------------------------------------------------------


def test_a_wrong_password_is_told_and_not_repeated(mongo_guarded: Mongod) -> None:
    for user, password in (("nobody", "s3cret-w0rd"), (mongo_guarded.admin_user, "s3cret-w0rd")):
        url = f"{database_url(mongo_guarded.url, 'faults', user=user, password=password)}?authSource=admin"
        with pytest.raises(AccessDenied, match="the name or the password is wrong") as caught:
            open_store(url)
        assert password not in str(caught.value)
        assert "correct the address" in str(caught.value)


def test_no_password_is_told(mongo_guarded: Mongod) -> None:
    with pytest.raises(AccessDenied, match="user"):
        open_store(database_url(mongo_guarded.url, "faults"))


def test_nobody_there_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    url = f"mongodb://u:s3cret-w0rd@127.0.0.1:{port}/faults?serverSelectionTimeoutMS=500"
    with pytest.raises(StoreUnavailable, match="Connection refused") as caught:
        open_store(url)
    assert "is the server running" in str(caught.value)
    assert "s3cret-w0rd" not in str(caught.value)


@pytest.fixture
def old_server() -> Iterator[int]:
    """Answer as a server of MongoDB 3.6 does when it is greeted; give the port."""
    listener = socket.create_server(("127.0.0.1", 0))
    thread = threading.Thread(target=_greet, args=(listener,), daemon=True)
    thread.start()
    yield listener.getsockname()[1]
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()
    thread.join(10)


def _greet(listener: socket.socket) -> None:
    hello = {
        "ismaster": True,
        "ok": 1.0,
        "minWireVersion": 0,
        "maxWireVersion": 6,
        "maxBsonObjectSize": 16 * MIB,
    }
    body = bytes(bson.encode(hello))
    while True:
        try:
            client, _ = listener.accept()
        except OSError:
            return
        with client:
            header = client.recv(16, socket.MSG_WAITALL)
            if len(header) < 16:
                continue
            length, request, _, code = struct.unpack("<iiii", header)
            client.recv(length - 16, socket.MSG_WAITALL)
            is_query = code == 2004
            extra = struct.pack("<iqii", 8, 0, 0, 1) if is_query else struct.pack("<iB", 0, 0)
            size = 16 + len(extra) + len(body)
            client.sendall(struct.pack("<iiii", size, 1, request, 1 if is_query else 2013) + extra + body)


def test_a_server_that_is_too_old_is_told(old_server: int) -> None:
    with pytest.raises(StoreError, match="the server is too old; forequake needs MongoDB") as caught:
        open_store(f"mongodb://127.0.0.1:{old_server}/faults")
    assert not caught.value.transient


# --- a full disk -----------------------------------------------------------------------------------------


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """Give a folder on a disk of its own of 48 MB; a file named ballast takes 8 of them."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=48m", "tmpfs", folder], capture_output=True, text=True
    )
    if mounted.returncode != 0:
        pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
    (folder / "ballast").write_bytes(bytes(8 * MIB))
    yield folder
    subprocess.run(["umount", folder], check=True)


SMALL_JOURNAL = ("--wiredTigerEngineConfigString=log=(file_max=1MB,prealloc=false)",)


def _fill(url: str) -> tuple[list[str], StoreError]:
    """Put blobs until one is refused; give those that were acknowledged, and the error.

    The server may end at any moment, while the store is opened too.
    """
    kept: list[str] = []
    try:
        with open_store(url) as store:
            while len(kept) < 50:
                kept.append(store.put_blob(io.BytesIO(os.urandom(3 * MIB))).sha256)
    except StoreError as error:
        return kept, error
    pytest.fail("the disk takes more than it has")


def test_a_full_disk_is_told_while_the_server_lives(
    mongod_there: None, small_disk: Path, tmp_path: Path
) -> None:
    """The journal and the log are on another disk: without them a server ends.

    It ends as well where it is just about to write for itself. Then the next one may answer in time.
    """
    for attempt in range(4):
        folder, data = tmp_path / f"server-{attempt}", small_disk / f"data-{attempt}"
        for each in (folder / "journal", data):
            each.mkdir(parents=True)
        (folder / "data").symlink_to(data)
        (data / "journal").symlink_to(folder / "journal")
        with Mongod(folder, arguments=SMALL_JOURNAL) as server:
            url = database_url(server.url, "faults")
            kept, error = _fill(url)
            if isinstance(error, StoreFull):
                assert "the server has no space left" in str(error)
                assert "make space and run again" in str(error)
                server.kill()
                (small_disk / "ballast").unlink()
                server.start()
                _is_whole(url, kept)
                return
        shutil.rmtree(data)
    pytest.fail(f"four servers ended before they answered, the last one with {error}")


def test_a_full_disk_that_ends_the_server_is_told(mongod_there: None, small_disk: Path) -> None:
    with Mongod(small_disk / "server", arguments=SMALL_JOURNAL) as server:
        url = f"{database_url(server.url, 'faults')}?serverSelectionTimeoutMS=2000"
        kept, error = _fill(url)
        assert isinstance(error, StoreUnavailable | StoreFull)
        for _ in range(20):
            if server.pid is not None:  # it may answer once more
                kept += _fill(url)[0]
        with pytest.raises(StoreUnavailable, match=r"is the server running.*full disk"):
            open_store(url)
        assert server.pid is None
        (small_disk / "ballast").unlink()
        server.start()
        _is_whole(url, kept)


def _is_whole(url: str, kept: list[str]) -> None:
    """Check that a store has all that it acknowledged, and takes more."""
    with open_store(url) as store:
        assert [blob for blob in kept if _read(store, blob) is None] == []
        assert _healthy(store)
        store.put([sample_result()])
