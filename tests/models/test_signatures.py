"""Whether a folder is as it was, told without reading its files."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from forequake.errors import SourceChanged
from forequake.models import signatures
from forequake.models.signatures import signature
from forequake.models.sources import PathSource, fetch_source, verify
from forequake.models.sources.tree import Tree

pytestmark = pytest.mark.skipif(
    signatures._file_system(Path("/tmp").resolve()) not in signatures._LOCAL,
    reason="this disk's times of change are not relied on",
)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "model" / "deep er").mkdir(parents=True)
    (tmp_path / "model" / "run.py").write_text("print(1)\n")
    (tmp_path / "model" / "deep er" / "data.txt").write_text("a\n")
    return tmp_path / "model"


@pytest.fixture
def settled(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the clock of files be as fine as it is: no test waits for two seconds."""
    monkeypatch.setattr(signatures, "_SETTLED_NS", 0)


def _rewrite(folder: Path) -> None:
    """Write other bytes of the same number, and put the file's time back."""
    file = folder / "run.py"
    about = file.stat()
    file.write_text("print(2)\n")
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))


def _link(folder: Path) -> None:
    (folder / "run.py").unlink()
    (folder / "run.py").symlink_to("deep er/data.txt")


CHANGES: dict[str, Callable[[Path], object]] = {
    "other bytes, the old time": _rewrite,
    "a new file": lambda folder: (folder / "deep er" / "new").touch(),
    "a file less": lambda folder: (folder / "run.py").unlink(),
    "another name": lambda folder: (folder / "run.py").rename(folder / "run2.py"),
    "a mode": lambda folder: (folder / "run.py").chmod(0o755),
    "a link in its place": _link,
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_every_change_shows(folder: Path, settled: None, change: Callable[[Path], object]) -> None:
    time.sleep(0.02)  # longer than the steps of the clock
    before = signature(folder)
    assert before is not None
    assert signature(folder) == before

    change(folder)
    time.sleep(0.02)

    assert signature(folder) not in (None, before)


def test_what_has_just_changed_has_none(folder: Path) -> None:
    assert signature(folder) is None
    assert signature(folder / "absent") is None


def test_a_disk_that_is_not_known_has_none(
    folder: Path, settled: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    table = tmp_path / "mountinfo"
    blank = str(tmp_path).replace(" ", "\\040")
    table.write_text(f"1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 0:1 / {blank} rw shared:1 - nfs4 server:/ rw\n")
    monkeypatch.setattr(signatures, "_MOUNTS", table)
    time.sleep(0.02)
    assert signature(folder) is None

    table.write_text("1 0 8:1 / / rw - ext4 /dev/a rw\n2 1 0:1 / /elsewhere rw - nfs4 server:/ rw\n")
    assert signature(folder) is not None


def test_a_source_is_read_once_and_again_when_it_changed(
    folder: Path, settled: None, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    reads: list[Path] = []
    whole = Tree.verify

    def read(tree: Tree) -> None:
        reads.append(tree.folder)
        whole(tree)

    monkeypatch.setattr(Tree, "verify", read)
    staged = fetch_source(PathSource(folder), tmp_path, shelf=tmp_path / "shelf", say=print)
    time.sleep(0.02)
    reads.clear()

    for _ in range(3):
        verify(staged)
    assert len(reads) == 1

    (staged.folder / "run.py").chmod(0o644)
    _rewrite(staged.folder)
    time.sleep(0.02)
    for _ in range(2):
        with pytest.raises(SourceChanged, match=r"run\.py has another content"):
            verify(staged)
    assert len(reads) == 3


def test_of_folders_alone_it_tells_what_came_and_went(folder: Path, settled: None) -> None:
    time.sleep(0.02)
    before = signature(folder, folders_alone=True)
    (folder / "run.py").write_text("print(3)\n")
    time.sleep(0.02)
    assert signature(folder, folders_alone=True) == before

    (folder / "deep er" / "new").touch()
    time.sleep(0.02)
    assert signature(folder, folders_alone=True) != before
