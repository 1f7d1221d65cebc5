"""Sources from a local server that speaks as Zenodo's records do, well and unwell."""

import hashlib
import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from forequake.config import ZenodoSource
from forequake.errors import SourceChanged, SourceError, SourceUnavailable
from forequake.models.sources import DownloadedFile, SourceLimits, StagedSource, fetch_source, verify
from forequake.patience import Patience
from tests.models.source_servers import Answer, Handler, Server, cut_off, record_of, status, unframed

Fetch = Callable[..., StagedSource]
RATES = bytes(range(256)) * 40
FILES = {"run.py": b"print()\n", "rates 1.dat": RATES}
NUMBER = "6289795"


@pytest.fixture
def fetch(server: Server, tmp_path: Path, said: list[str], patience: Patience) -> Fetch:
    server.records[NUMBER] = dict(FILES)

    def fetched(record: int = int(NUMBER), **options: object) -> StagedSource:
        given = {"shelf": tmp_path / "shelf", "patience": patience, **options}
        return fetch_source(ZenodoSource(record=record), tmp_path, say=said.append, **given)  # type: ignore[arg-type]

    return fetched


def _zip(files: dict[str, bytes]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return whole.getvalue()


def test_the_files_of_a_record(fetch: Fetch, server: Server, said: list[str]) -> None:
    staged = fetch()
    assert list(staged.files) == ["rates 1.dat", "run.py"]
    assert (staged.folder / "rates 1.dat").read_bytes() == RATES
    assert staged.origin == f"record {NUMBER} of Zenodo at {server.url}"
    assert staged.downloads[1] == DownloadedFile(
        name="rates 1.dat",
        size=10240,
        checksum=f"md5:{hashlib.md5(RATES).hexdigest()}",
        sha256=hashlib.sha256(RATES).hexdigest(),
    )
    assert said == [f"Zenodo's record {NUMBER}: {name} (0.0 MB)" for name in FILES]
    assert {agent.partition("/")[0] for agent in server.agents} == {"forequake"}
    verify(staged)


def test_a_record_is_asked_for_once(fetch: Fetch, server: Server, said: list[str]) -> None:
    first = fetch()
    asked = len(server.paths)
    server.records.clear()
    assert fetch() == first
    assert len(server.paths) == asked
    with pytest.raises(SourceError, match="there is no record"):
        fetch(refresh=True)
    assert fetch() == first


def test_only_the_file_that_is_needed(fetch: Fetch, server: Server) -> None:
    staged = fetch(only="rates 1.dat")
    assert list(staged.files) == ["rates 1.dat"]
    assert [path.rpartition("/files/")[2] for path in server.paths] == [
        f"/api/records/{NUMBER}",
        "rates 1.dat/content",
    ]
    assert len(fetch().files) == 2


def test_a_file_that_the_record_lacks(fetch: Fetch) -> None:
    with pytest.raises(
        SourceError, match=r"no file 'rates.dat'; did you mean 'rates 1.dat'\? There is: run.py"
    ):
        fetch(only="rates.dat")


@pytest.mark.parametrize("beside", [(), ("README.md",), ("LICENSE", "paper.pdf")])
def test_the_archive_of_a_release_is_unpacked(beside: tuple[str, ...], fetch: Fetch, server: Server) -> None:
    archive = _zip({"me-model-1f/run.py": b"1", "me-model-1f/input/args.txt": b"2"})
    server.records[NUMBER] = dict.fromkeys(beside, b"words") | {"me/model-v1.zip": archive}
    staged = fetch()
    assert list(staged.files) == ["run.py"]
    assert staged.inputs is not None
    assert list(staged.inputs.entries) == ["args.txt"]
    assert staged.downloads[-1].sha256 == hashlib.sha256(archive).hexdigest()


def test_archives_beside_other_files_stay_as_they_are(fetch: Fetch, server: Server) -> None:
    server.records[NUMBER] = {"run.py": b"", "data.zip": b"as it is"}
    assert list(fetch().files) == ["data.zip", "run.py"]


def test_a_harmful_archive(fetch: Fetch, server: Server) -> None:
    server.records[NUMBER] = {"model.zip": _zip({"../evil": b"1"})}
    with pytest.raises(SourceError, match=rf"record {NUMBER}, model.zip has a member '../evil'"):
        fetch()


@pytest.mark.parametrize("name", ["../evil", "/evil", "a/../../evil"])
def test_a_harmful_name(name: str, fetch: Fetch, server: Server, tmp_path: Path) -> None:
    server.records[NUMBER] = {name: b"1"}
    server.fail("content", lambda handler: handler.send(200, b"1"))
    server.fail("evil", lambda handler: handler.send(200, b"1"))
    with pytest.raises(SourceError, match="leads outside"):
        fetch()
    assert not list(tmp_path.rglob("evil"))


@pytest.mark.parametrize("word", [f"records/{NUMBER}", "rates"])
@pytest.mark.parametrize(
    "fault",
    [
        status(429),
        status(500),
        status(502),
        status(503, b"<html>busy</html>"),
        status(504),
        status(408),
        cut_off(RATES, 0),
        cut_off(RATES, 700),
        status(200, b"<html>busy</html>"),
        status(200, b""),
    ],
)
def test_a_fault_is_met_twice_and_then_all_is_well(
    fault: Answer, word: str, fetch: Fetch, server: Server, waits: list[float], said: list[str]
) -> None:
    server.fail(word, fault, fault)
    staged = fetch()
    assert (staged.folder / "rates 1.dat").read_bytes() == RATES
    assert waits == [2.0, 4.0]
    assert any("asked again in 4 s" in line for line in said)


def test_the_wait_that_a_server_asks_for(fetch: Fetch, server: Server, waits: list[float]) -> None:
    server.fail("rates", status(429, Retry_After="17"), status(503, Retry_After="1"))
    fetch()
    assert waits == [17.0, 1.0]


def test_a_wait_that_is_too_long(fetch: Fetch, server: Server, waits: list[float]) -> None:
    server.fail("rates", status(429, Retry_After="86400"))
    with pytest.raises(SourceUnavailable, match=r"asks to be left alone for 86400 s"):
        fetch()
    assert waits == []


def test_a_file_goes_on_where_it_broke_off(fetch: Fetch, server: Server) -> None:
    server.fail("rates", cut_off(RATES, 700), cut_off(RATES, 0))
    fetch()
    begun = [given for path, given in zip(server.paths, server.ranges, strict=True) if "rates" in path]
    assert begun == [None, "bytes=700-", None]  # the second answer was the whole, and none of it came


def test_what_gets_on_is_not_given_up(fetch: Fetch, server: Server, waits: list[float]) -> None:
    def three_bytes(handler: Handler) -> None:
        start = int((handler.headers.get("Range") or "bytes=0-").removeprefix("bytes=").rstrip("-"))
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Range", f"bytes {start}-10239/10240")
        handler.send_header("Content-Length", str(10240 - start))
        handler.end_headers()
        handler.wfile.write(RATES[start : start + 3])
        handler.close_connection = True

    server.fail("rates", *[three_bytes] * 9)
    assert (fetch().folder / "rates 1.dat").read_bytes() == RATES
    assert server.ranges[-1] == "bytes=27-"
    assert waits == [2.0] * 9


def test_a_server_that_cannot_go_on_begins_again(fetch: Fetch, server: Server) -> None:
    server.fail("rates", cut_off(RATES, 700), status(200, RATES))
    assert (fetch().folder / "rates 1.dat").read_bytes() == RATES


@pytest.mark.parametrize("place", ["bytes 3-9/10", "bytes", ""])
def test_a_server_that_goes_on_elsewhere(place: str, fetch: Fetch, server: Server) -> None:
    server.fail("rates", cut_off(RATES, 700), status(206, RATES[:9540], Content_Range=place))
    assert (fetch().folder / "rates 1.dat").read_bytes() == RATES


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (status(200, RATES[::-1]), "has the checksum md5:"),
        (status(200, RATES + b"1"), "has 10241 bytes, not 10240"),
        (unframed(RATES + b"1"), "is longer than 10240 bytes"),
        (unframed(RATES[:7]), "broke off after 7 of 10240 bytes"),
        (status(200), "has 0 bytes, not 10240"),
    ],
)
def test_wrong_content_is_never_taken(
    wrong: Answer, words: str, fetch: Fetch, server: Server, tmp_path: Path
) -> None:
    server.fail("rates", *[wrong] * 4)
    with pytest.raises(SourceUnavailable, match="asked 4 times") as caught:
        fetch()
    assert words in str(caught.value)
    assert list((tmp_path / "shelf" / "trees").iterdir()) == []
    assert list((tmp_path / "shelf" / "partial").iterdir()) == []


def test_wrong_content_once(fetch: Fetch, server: Server) -> None:
    server.fail("rates", status(200, RATES[::-1]))
    assert (fetch().folder / "rates 1.dat").read_bytes() == RATES


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            status(404, b'{"message": "PID does not exist."}'),
            r"there is no record .* 404 .*PID does not exist",
        ),
        (status(410, b"gone"), r"was deleted: 410"),
        (
            status(403, b"<h1>unusual traffic</h1>"),
            r"may not be read, or .* blocks this network: 403 .*unusual",
        ),
        (status(401), "may not be read"),
        (status(400), "is refused: 400"),
        (status(200, json.dumps({"id": 1, "files": []}).encode()), "has no files for everybody"),
        (status(200, json.dumps({"id": 1}).encode()), "has no files for everybody"),
        (
            status(302, Location="http://elsewhere.example.org/"),
            "redirects to 'http://elsewhere.example.org/'",
        ),
        (status(302), "redirects to"),
    ],
)
def test_refusals(answer: Answer, words: str, fetch: Fetch, server: Server, waits: list[float]) -> None:
    server.fail("records", answer)
    with pytest.raises(SourceError, match=words) as caught:
        fetch()
    assert not caught.value.transient
    assert waits == []


def test_a_file_that_is_missing_at_the_server(fetch: Fetch, server: Server) -> None:
    server.fail("rates", status(404, b"no such file"))
    with pytest.raises(SourceError, match=r"gives its file rates 1.dat not: 404 Not Found \(no such file\)"):
        fetch()


@pytest.mark.parametrize(
    "change",
    [
        {"checksum": "crc32:1234"},
        {"checksum": "md5:xyz"},
        {"checksum": None},
        {"size": -1},
        {"size": "1"},
        {"key": ""},
        {"key": 3},
    ],
)
def test_a_record_that_makes_no_sense(change: dict[str, Any], fetch: Fetch, server: Server) -> None:
    record = record_of(server.url, NUMBER, FILES)
    record["files"][0].update(change)
    server.fail("records", *[status(200, json.dumps(record).encode())] * 4)
    with pytest.raises(SourceUnavailable, match="its answer cannot be used"):
        fetch()


def test_a_record_of_all_versions(fetch: Fetch, server: Server) -> None:
    server.fail("records/6289794", status(302, Location=f"/api/records/{NUMBER}"))
    staged = fetch(6289794)
    assert staged.origin.startswith(f"record {NUMBER} ")
    assert staged.notes == (f"the number 6289794 stands for all versions; the latest is {NUMBER}",)


def test_files_may_lie_elsewhere_on_the_server(fetch: Fetch, server: Server) -> None:
    server.records["7"] = {"rates 1.dat": RATES}
    server.fail("rates", status(302, Location="/api/records/7/files/rates%201.dat/content"))
    assert (fetch().folder / "rates 1.dat").read_bytes() == RATES


def test_redirects_in_a_circle(fetch: Fetch, server: Server) -> None:
    server.fail("records", *[status(301, Location=f"/api/records/{NUMBER}")] * 6)
    with pytest.raises(SourceError, match="redirects in a circle"):
        fetch()


def test_a_mirror_whose_records_name_the_original(fetch: Fetch, server: Server) -> None:
    record = record_of("https://zenodo.example.org", NUMBER, FILES)
    server.fail("records", status(200, json.dumps(record).encode()))
    assert len(fetch().files) == 2


def test_a_record_that_is_too_large(fetch: Fetch, server: Server) -> None:
    with pytest.raises(SourceError, match="larger than 10000 bytes"):
        fetch(limits=SourceLimits(most_bytes=10_000))
    with pytest.raises(SourceError, match="more than 1 files"):
        fetch(limits=SourceLimits(most_files=1))
    assert not any("content" in path for path in server.paths)


def test_a_damaged_copy_is_fetched_again_and_must_be_the_same(
    fetch: Fetch, server: Server, said: list[str]
) -> None:
    staged = fetch()
    (staged.folder / "run.py").chmod(0o644)
    (staged.folder / "run.py").write_text("print('mine')")
    assert fetch().tree == staged.tree
    assert any("run.py has another content" in line for line in said)
    (staged.folder / "run.py").chmod(0o644)
    (staged.folder / "run.py").write_text("print('mine')")
    server.records[NUMBER]["run.py"] = b"print('theirs')\n"
    with pytest.raises(SourceChanged, match="gives other files than on"):
        fetch()
    assert fetch(refresh=True).tree != staged.tree


@pytest.mark.parametrize(
    "address",
    ["ftp://example.org", "zenodo.org", "https://", "https://me:secret@example.org", "http://a/?k=secret"],
)
def test_addresses_that_are_none(address: str, fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREQUAKE_ZENODO_URL", address)
    with pytest.raises(SourceError, match="FOREQUAKE_ZENODO_URL must begin with") as caught:
        fetch()
    assert "secret" not in str(caught.value)


def test_the_servers_own_path_may_stand_in_the_address(
    fetch: Fetch, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FOREQUAKE_ZENODO_URL", f"{server.url}/api/")
    assert len(fetch().files) == 2


def test_nobody_there(fetch: Fetch, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FOREQUAKE_ZENODO_URL", "http://127.0.0.1:9")
    with pytest.raises(SourceUnavailable, match=r"asked 4 times.*refused.*Run again later"):
        fetch()


def test_an_answer_that_never_ends(fetch: Fetch, server: Server) -> None:
    def drip(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        for _ in range(100):
            handler.wfile.write(b"1")
            handler.wfile.flush()
            time.sleep(0.02)

    server.fail("records", drip)
    with pytest.raises(SourceUnavailable, match="not whole in time"):
        fetch(patience=Patience(tries=1, request_seconds=1.0))
