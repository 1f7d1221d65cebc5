"""Archives: right ones of every kind, and those that are made to write elsewhere or to fill the disk."""

import bz2
import gzip
import io
import lzma
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from forequake.errors import SourceError
from forequake.models.sources import PathSource, SourceLimits, StagedSource, fetch_source, verify

Fetch = Callable[..., StagedSource]
Member = tuple[str, str | bytes | None, int]
FILES: list[Member] = [
    ("omori-1.0/", None, 0o755),
    ("omori-1.0/run.py", b"print()\n", 0o644),
    ("omori-1.0/bin/start.sh", b"#!/bin/sh\n", 0o755),
    ("omori-1.0/latest", "bin/start.sh", 0),
]
ENDINGS = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")


@pytest.fixture
def fetch(tmp_path: Path, said: list[str]) -> Fetch:
    def fetched(name: str, **options: object) -> StagedSource:
        given = {"shelf": tmp_path / "shelf", **options}
        return fetch_source(PathSource(name), tmp_path, say=said.append, **given)  # type: ignore[arg-type]

    return fetched


def _tar(members: list[Member | tarfile.TarInfo]) -> bytes:
    whole = io.BytesIO()
    with tarfile.open(fileobj=whole, mode="w") as archive:
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
                continue
            name, content, mode = member
            about = tarfile.TarInfo(name.rstrip("/"))
            about.mode = mode
            if content is None:
                about.type = tarfile.DIRTYPE
            elif isinstance(content, str):
                about.type, about.linkname = tarfile.SYMTYPE, content
            else:
                about.size = len(content)
            archive.addfile(about, io.BytesIO(content) if isinstance(content, bytes) else None)
    return whole.getvalue()


def _zip(members: list[Member]) -> bytes:
    whole = io.BytesIO()
    with zipfile.ZipFile(whole, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content, mode in members:
            about = zipfile.ZipInfo(name)
            about.compress_type = zipfile.ZIP_DEFLATED
            kind = stat.S_IFLNK | 0o777 if isinstance(content, str) else mode and stat.S_IFREG | mode
            about.external_attr = 0 if content is None else kind << 16
            archive.writestr(about, content or b"")
    return whole.getvalue()


def _write(folder: Path, name: str, members: list[Member]) -> None:
    data = _zip(members) if name.endswith(".zip") else _tar([*members])
    for endings, press in (
        ((".gz", ".tgz"), gzip.compress),
        ((".bz2", ".tbz2"), bz2.compress),
        ((".xz", ".txz"), lzma.compress),
    ):
        data = press(data) if name.endswith(endings) else data
    (folder / name).write_bytes(data)


def _special(name: str, kind: bytes, target: str = "", size: int = 0) -> tarfile.TarInfo:
    about = tarfile.TarInfo(name)
    about.type, about.linkname, about.size = kind, target, size
    return about


@pytest.mark.parametrize("ending", ENDINGS)
def test_the_folder_that_all_lies_in_is_left_out(ending: str, tmp_path: Path, fetch: Fetch) -> None:
    _write(tmp_path, f"model{ending}", FILES)
    staged = fetch(f"model{ending}")
    assert {path: entry.kind for path, entry in staged.files.items()} == {
        "bin/start.sh": "program",
        "latest": "link",
        "run.py": "file",
    }
    verify(staged)


def test_archives_of_all_kinds_and_the_folder_have_one_hash(tmp_path: Path, fetch: Fetch) -> None:
    _write(tmp_path, "model.zip", FILES)
    staged = fetch("model.zip")
    trees = {staged.tree, fetch(str(staged.folder)).tree}
    for ending in ENDINGS[1:]:
        _write(tmp_path, f"model{ending}", FILES)
        trees.add(fetch(f"model{ending}").tree)
    assert len(trees) == 1


@pytest.mark.parametrize(
    ("members", "found"),
    [
        ([("run.py", b"1", 0), ("a/b", b"2", 0)], ["a/b", "run.py"]),
        ([("./run.py", b"1", 0), ("./a//b", b"2", 0)], ["a/b", "run.py"]),
        ([("forecasts/a.csv", b"1", 0)], ["forecasts/a.csv"]),
    ],
)
@pytest.mark.parametrize("ending", [".zip", ".tar"])
def test_other_layouts(
    ending: str, members: list[Member], found: list[str], tmp_path: Path, fetch: Fetch
) -> None:
    _write(tmp_path, f"model{ending}", members)
    assert list(fetch(f"model{ending}", leave_out=()).files) == found


def test_a_zip_of_windows(tmp_path: Path, fetch: Fetch) -> None:
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
        about = zipfile.ZipInfo("x")
        about.filename = "model\\package\\run.py"
        archive.writestr(about, b"1")
        about = zipfile.ZipInfo("x")
        about.filename = "model\\a.txt"
        archive.writestr(about, b"1")
    assert list(fetch("model.zip").files) == ["a.txt", "package/run.py"]


def test_hard_links_are_copies(tmp_path: Path, fetch: Fetch) -> None:
    hard = _special("b", tarfile.LNKTYPE, "a")
    (tmp_path / "model.tar").write_bytes(_tar([("a", b"content", 0o755), hard]))
    staged = fetch("model.tar")
    assert staged.files["a"] == staged.files["b"]
    assert staged.files["b"].kind == "program"


OUTSIDE: list[tuple[list[Member], str]] = [
    ([("../evil", b"x", 0)], "leads outside of its folder"),
    ([("a/../../evil", b"x", 0)], "leads outside of its folder"),
    ([("/evil", b"x", 0)], "leads outside of its folder"),
    ([("C:evil", b"x", 0)], "leads outside of its folder"),
    ([("../evil/", None, 0)], "leads outside of its folder"),
    ([("run.py", b"x", 0), ("out", "/etc/passwd", 0)], "the link out leads to '/etc/passwd'"),
    ([("run.py", b"x", 0), ("out", "../..", 0)], r"the link out leads to '\.\./\.\.'"),
    ([("model/run.py", b"x", 0), ("model/out", "..", 0)], r"the link out leads to '\.\.'"),
    ([("run.py", b"x", 0), ("out", "..", 0), ("out/evil", b"x", 0)], "two members of the name|leads to"),
    ([("a", b"x", 0), ("a", b"y", 0)], "two members of the name 'a'"),
    ([("a", b"x", 0), ("a/b", b"y", 0)], "below 'a', which is no folder"),
    ([("a/b", b"x", 0), ("a", b"y", 0)], "two members of the name 'a'"),
    ([("a", "b", 0), ("a", "c", 0)], "two members of the name 'a'"),
    ([("a/" * 100 + "b", b"x", 0)], "has folders within folders, more than 100"),
    ([(f"{'n' * 256}", b"x", 0)], "a name of more than 255 bytes"),
    ([], "holds no files"),
    ([("__pycache__/a.pyc", b"x", 0)], "holds no files"),
]


@pytest.mark.parametrize(("members", "words"), OUTSIDE)
@pytest.mark.parametrize("ending", [".zip", ".tar.gz"])
@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_nothing_is_written_outside(
    ending: str, members: list[Member], words: str, tmp_path: Path, fetch: Fetch
) -> None:
    _write(tmp_path, f"model{ending}", members)
    with pytest.raises(SourceError, match=words) as caught:
        fetch(f"model{ending}")
    assert f"model{ending}" in str(caught.value)
    assert not list(tmp_path.rglob("evil"))
    assert list((tmp_path / "shelf" / "partial").iterdir()) == []
    assert list((tmp_path / "shelf" / "trees").iterdir()) == []


@pytest.mark.parametrize(
    ("members", "words"),
    [
        ([_special("tty", tarfile.CHRTYPE)], "neither a file nor a folder nor a link"),
        ([_special("disk", tarfile.BLKTYPE)], "neither a file nor a folder nor a link"),
        ([_special("pipe", tarfile.FIFOTYPE)], "neither a file nor a folder nor a link"),
        ([_special("a", tarfile.LNKTYPE, "/etc/passwd")], "leads outside"),
        ([_special("a", tarfile.LNKTYPE, "b")], "is to be the same as b, which is no file in it"),
        (
            [_special("l", tarfile.SYMTYPE, "/etc/passwd"), _special("a", tarfile.LNKTYPE, "l")],
            "is to be the same as l, which is no file in it",
        ),
        ([_special("a", tarfile.SYMTYPE, "")], "leads nowhere"),
        ([_special("run.py", tarfile.XHDTYPE, size=1 << 40)], "cannot be unpacked|a heading of"),
        ([_special("run.py", tarfile.REGTYPE, size=1 << 40)], "cannot be unpacked|larger than"),
    ],
)
def test_members_of_tar_that_are_no_source(
    members: list[Member | tarfile.TarInfo], words: str, tmp_path: Path, fetch: Fetch
) -> None:
    (tmp_path / "model.tar").write_bytes(_tar(members))
    with pytest.raises(SourceError, match=words):
        fetch("model.tar")


def test_a_pipe_in_a_zip(tmp_path: Path, fetch: Fetch) -> None:
    with zipfile.ZipFile(tmp_path / "model.zip", "w") as archive:
        about = zipfile.ZipInfo("pipe")
        about.external_attr = (stat.S_IFIFO | 0o644) << 16
        archive.writestr(about, b"")
    with pytest.raises(SourceError, match="neither a file nor a folder nor a link"):
        fetch("model.zip")


LIMITS = SourceLimits(most_bytes=100_000, most_files=50)


@pytest.mark.parametrize("ending", ENDINGS)
def test_what_is_small_and_becomes_large(ending: str, tmp_path: Path, fetch: Fetch) -> None:
    _write(tmp_path, f"bomb{ending}", [(str(n), bytes(30_000), 0) for n in range(4)])
    with pytest.raises(SourceError, match=rf"bomb{ending} is larger than 100000 bytes"):
        fetch(f"bomb{ending}", limits=LIMITS)


@pytest.mark.parametrize("ending", [".zip", ".tar.xz"])
@pytest.mark.parametrize(
    "members",
    [
        [(f"{n}", b"", 0) for n in range(51)],
        [("/".join("a" * 60), b"", 0)],
        [(f"{n}/", None, 0) for n in range(51)],
        [(f"{n}", "a", 0) for n in range(51)],
    ],
)
def test_too_many(ending: str, members: list[Member], tmp_path: Path, fetch: Fetch) -> None:
    _write(tmp_path, f"bomb{ending}", members)
    with pytest.raises(SourceError, match="more than 50 files and folders"):
        fetch(f"bomb{ending}", limits=LIMITS)


def test_a_zip_that_says_it_is_small(tmp_path: Path, fetch: Fetch) -> None:
    data = bytearray(_zip([("a", bytes(200_000), 0)]))
    for place in (data.find(b"PK\x03\x04") + 22, data.find(b"PK\x01\x02") + 24):
        data[place : place + 4] = (10).to_bytes(4, "little")
    (tmp_path / "bomb.zip").write_bytes(data)
    with pytest.raises(SourceError, match=r"cannot be unpacked|larger than"):
        fetch("bomb.zip", limits=LIMITS)


def test_a_gap_in_a_tar_is_not_read_for_ever(tmp_path: Path, fetch: Fetch) -> None:
    about = _special("a", b"Z", size=10**13)  # of a kind that nobody knows, to be passed over
    whole = gzip.compress(about.tobuf() + bytes(4096))
    (tmp_path / "bomb.tar.gz").write_bytes(whole)
    with pytest.raises(SourceError, match=r"cannot be unpacked|larger than|neither"):
        fetch("bomb.tar.gz", limits=LIMITS)


@pytest.mark.parametrize("ending", ENDINGS)
@pytest.mark.parametrize(
    "spoil", [lambda data: data[: len(data) // 2], lambda data: b"no archive", lambda _: b""]
)
def test_damaged_archives(ending: str, spoil: Callable[[bytes], bytes], tmp_path: Path, fetch: Fetch) -> None:
    _write(tmp_path, f"model{ending}", [("run.py", bytes(range(256)) * 50, 0)])
    (tmp_path / f"model{ending}").write_bytes(spoil((tmp_path / f"model{ending}").read_bytes()))
    with pytest.raises(SourceError, match=rf"model{ending} (cannot be unpacked|holds no files)"):
        fetch(f"model{ending}")


def test_a_wrong_check_sum_inside(tmp_path: Path, fetch: Fetch) -> None:
    data = bytearray(_zip([("run.py", b"print()", 0)]))
    data[40] ^= 0xFF
    (tmp_path / "model.zip").write_bytes(data)
    with pytest.raises(SourceError, match="cannot be unpacked"):
        fetch("model.zip")


def test_an_encrypted_archive(tmp_path: Path, fetch: Fetch) -> None:
    data = bytearray(_zip([("run.py", b"print()", 0)]))
    data[data.find(b"PK\x01\x02") + 8] |= 1
    (tmp_path / "model.zip").write_bytes(data)
    with pytest.raises(SourceError, match=r"is encrypted \(run.py\)"):
        fetch("model.zip")


def test_rights_beyond_running_are_dropped(tmp_path: Path, fetch: Fetch) -> None:
    _write(tmp_path, "model.tar", [("run.py", b"print()", 0o6777), ("b", b"", 0)])
    mode = (fetch("model.tar").folder / "run.py").stat().st_mode
    assert stat.S_IMODE(mode) == 0o555
