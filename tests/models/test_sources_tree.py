"""Folders of the user: what counts in them, what is on the shelf, and that nothing writes there."""

import hashlib
import os
import shutil
import stat
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from platformdirs import user_cache_path

from forequake.errors import SourceChanged, SourceError
from forequake.models.sources import (
    PathSource,
    SourceLimits,
    StagedSource,
    TreeEntry,
    fetch_source,
    tree_hash,
    verify,
)

PROGRAM = b"print('a forecast')\n"


@pytest.fixture
def model(tmp_path: Path) -> Path:
    folder = tmp_path / "experiment" / "model"
    (folder / "package").mkdir(parents=True)
    (folder / "run.py").write_bytes(PROGRAM)
    (folder / "package" / "rates.csv").write_text("1,2\n")
    return folder


@pytest.fixture
def shelf(tmp_path: Path) -> Path:
    return tmp_path / "shelf"


@pytest.fixture
def fetch(model: Path, shelf: Path, said: list[str]) -> Callable[..., StagedSource]:
    def fetched(**options: object) -> StagedSource:
        return fetch_source(PathSource("model"), model.parent, shelf=shelf, say=said.append, **options)  # type: ignore[arg-type]

    return fetched


def _unlock(folder: Path) -> None:
    for where, _, files in os.walk(folder):
        for path in (Path(where), *(Path(where, name) for name in files)):
            path.chmod(path.stat().st_mode | stat.S_IWUSR)


def _write_many(folder: Path) -> None:
    for n in range(9):
        (folder / str(n)).write_text("")


def _empty(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.mkdir()


def _make_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("")


def test_the_hash_is_of_kinds_contents_and_names(model: Path) -> None:
    rates = hashlib.sha256(b"1,2\n").hexdigest()
    program = hashlib.sha256(PROGRAM).hexdigest()
    text = f"forequake tree 1\0file\0{rates}\0package/rates.csv\0file\0{program}\0run.py\0"
    assert tree_hash(model) == hashlib.sha256(text.encode()).hexdigest()


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "run.py").write_text("print()"),
        lambda folder: (folder / "run.py").rename(folder / "ran.py"),
        lambda folder: (folder / "run.py").chmod(0o755),
        lambda folder: (folder / "new").write_text(""),
        lambda folder: (folder / "new").mkdir(),
        lambda folder: (folder / "new").symlink_to("run.py"),
        lambda folder: (folder / "package" / "forecasts").mkdir(),
    ],
)
def test_what_changes_the_hash(change: Callable[[Path], None], model: Path) -> None:
    before = tree_hash(model)
    change(model)
    assert tree_hash(model) != before


@pytest.mark.parametrize(
    "path",
    [
        ".git/config",
        "package/.git",
        "__pycache__/run.cpython-311.pyc",
        "package/rates.pyc",
        "model.egg-info/PKG-INFO",
        ".DS_Store",
        "model_1f3/pyvenv.cfg",
        "env/conda-meta/history",
        "forecasts/model_2020-01-01_2020-01-02.csv",
        "input/args.txt",
    ],
)
def test_what_does_not_count(path: str, model: Path, fetch: Callable[..., StagedSource]) -> None:
    before = tree_hash(model)
    (model / path).parent.mkdir(parents=True, exist_ok=True)
    (model / path).write_text("not of the source")
    assert tree_hash(model) == before
    assert sorted(fetch().files) == ["package/rates.csv", "run.py"]


def test_modes_of_others_and_times_do_not_count(model: Path) -> None:
    before = tree_hash(model)
    (model / "run.py").chmod(0o604)
    os.utime(model / "run.py", (0, 0))
    assert tree_hash(model) == before


def test_a_copy_is_staged_and_may_only_be_read(
    model: Path, shelf: Path, fetch: Callable[..., StagedSource]
) -> None:
    (model / "start.sh").write_text("exec python run.py\n")
    (model / "start.sh").chmod(0o700)
    (model / "latest").symlink_to("package/rates.csv")
    (model / "empty").mkdir()
    staged = fetch()
    assert staged.folder.is_relative_to(shelf)
    assert staged.tree == tree_hash(model) == tree_hash(staged.folder)
    assert staged.origin == str(model)
    assert staged.commit is None
    assert {path: entry.kind for path, entry in staged.files.items()} == {
        "empty": "folder",
        "latest": "link",
        "package/rates.csv": "file",
        "run.py": "file",
        "start.sh": "program",
    }
    assert staged.files["latest"] == TreeEntry("link", "package/rates.csv")
    modes = [stat.S_IMODE(path.stat().st_mode) for path in staged.folder.rglob("*")]
    assert not any(mode & 0o222 for mode in modes)
    assert (staged.folder / "latest").read_text() == "1,2\n"
    verify(staged)


def test_the_input_of_a_model_is_kept_beside_its_source(
    model: Path, fetch: Callable[..., StagedSource]
) -> None:
    (model / "input" / "faults").mkdir(parents=True)
    (model / "input" / "args.txt").write_text("mc = 3.5\n")
    (model / "input" / "faults" / "a.txt").write_text("...")
    staged = fetch()
    assert staged.inputs is not None
    assert sorted(staged.inputs.entries) == ["args.txt", "faults/a.txt"]
    assert (staged.inputs.folder / "args.txt").read_text() == "mc = 3.5\n"
    (model / "input" / "args.txt").write_text("mc = 2.5\n")
    again = fetch()
    assert again.tree == staged.tree
    assert again.inputs is not None
    assert again.inputs.sha256 != staged.inputs.sha256


def test_a_model_that_brings_its_forecasts(model: Path, fetch: Callable[..., StagedSource]) -> None:
    (model / "forecasts").mkdir()
    (model / "forecasts" / "a.csv").write_text("...")
    staged = fetch(leave_out=())
    assert "forecasts/a.csv" in staged.files
    assert staged.inputs is None


def test_the_same_content_is_kept_once(
    model: Path, shelf: Path, fetch: Callable[..., StagedSource], said: list[str]
) -> None:
    first = fetch()
    made = first.folder.stat().st_ino
    assert fetch().folder.stat().st_ino == made
    (model / "run.py").write_text("print('another')\n")
    assert fetch().tree != first.tree
    (model / "run.py").write_bytes(PROGRAM)
    assert fetch().folder.stat().st_ino == made
    assert len(list((shelf / "trees").iterdir())) == 2
    assert list((shelf / "partial").iterdir()) == []
    assert said == []


def test_the_users_folder_is_only_read(model: Path, fetch: Callable[..., StagedSource]) -> None:
    def state() -> dict[str, tuple[int, int, int]]:
        return {
            str(path): (path.lstat().st_mtime_ns, path.lstat().st_ctime_ns, path.lstat().st_mode)
            for path in (model, *model.rglob("*"))
        }

    before = state()
    fetch()
    assert state() == before


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda folder: (folder / "run.py").write_text("print()"), "run.py has another content"),
        (lambda folder: (folder / "run.py").unlink(), "run.py is gone"),
        (lambda folder: (folder / "a.txt").write_text(""), "a.txt is new"),
        (lambda folder: (folder / "__pycache__").mkdir(), "__pycache__ is new"),
        (lambda folder: (folder / "run.py").chmod(0o755), "run.py has changed from a file to a program"),
        (lambda folder: shutil.rmtree(folder), "cannot be read as it was fetched"),
    ],
)
def test_who_writes_onto_the_shelf_is_found_and_it_is_mended(
    change: Callable[[Path], None],
    words: str,
    fetch: Callable[..., StagedSource],
    said: list[str],
) -> None:
    staged = fetch()
    _unlock(staged.folder)
    change(staged.folder)
    with pytest.raises(SourceChanged, match=words):
        verify(staged)
    again = fetch()
    verify(again)
    assert again.tree == staged.tree
    assert words in said[0]
    assert "replaced" in said[0]


def test_a_damaged_list_is_mended(fetch: Callable[..., StagedSource], said: list[str]) -> None:
    staged = fetch()
    (staged.folder.parent / "list.json").write_text("{")
    verify(fetch())
    assert "list.json cannot be read" in said[0]


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda folder: (folder / "out").symlink_to("/etc/passwd"), "the link out leads to '/etc/passwd'"),
        (lambda folder: (folder / "out").symlink_to("../other"), "the link out leads to '../other'"),
        (lambda folder: os.mkfifo(folder / "pipe"), "pipe is neither a file nor a folder nor a link"),
        (lambda folder: Path(os.fsdecode(bytes(folder) + b"/\xff")).write_text(""), "no text in UTF-8"),
        (lambda folder: shutil.rmtree(folder), "model does not exist"),
        (
            lambda folder: [(folder / str(n)).write_text("") for n in range(9)],
            "more than 9 files and folders",
        ),
        (lambda folder: (folder / "big").write_bytes(bytes(2000)), "larger than 1000 bytes"),
        (lambda folder: (folder / ("a/" * 102)).mkdir(parents=True), "folders within folders"),
        (_empty, "holds no files"),
        (_make_file, "is no folder and no archive"),
    ],
)
def test_folders_that_are_no_source(
    spoil: Callable[[Path], object], words: str, model: Path, fetch: Callable[..., StagedSource], shelf: Path
) -> None:
    spoil(model)
    with pytest.raises(SourceError, match=words) as caught:
        fetch(limits=SourceLimits(most_bytes=1000, most_files=9))
    assert str(model) in str(caught.value)
    assert list((shelf / "partial").iterdir()) == []


def test_links_over_links_do_not_lead_outside(model: Path, fetch: Callable[..., StagedSource]) -> None:
    # Read by its words alone, the second link stays inside.
    (model / "up").symlink_to("package")
    (model / "package" / "top").symlink_to("..")
    (model / "out").symlink_to("package/top/../../shelf")
    with pytest.raises(SourceError, match="the link out leads to"):
        fetch()


def test_links_in_a_circle_are_only_links(model: Path, fetch: Callable[..., StagedSource]) -> None:
    (model / "a").symlink_to("b")
    (model / "b").symlink_to("a")
    verify(fetch())


def test_a_folder_that_never_rests_is_refused(model: Path, fetch: Callable[..., StagedSource]) -> None:
    from forequake.models.sources import folders

    copied = folders._copy

    def written_meanwhile(folder: Path, *rest: object) -> None:
        copied(folder, *rest)  # type: ignore[arg-type]
        (model / "run.py").write_text((model / "run.py").read_text() + "#")

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(folders, "_copy", written_meanwhile)
        with pytest.raises(SourceError, match="changes while it is copied"):
            fetch()
    verify(fetch())


def test_processes_that_come_at_once_get_the_same(model: Path, shelf: Path) -> None:
    for n in range(50):
        (model / f"{n}.txt").write_text(str(n) * 1000)
    code = """if True:
        import os, sys
        from pathlib import Path
        from forequake.models.sources import PathSource, fetch_source
        children = []
        for _ in range(3):
            children.append(os.fork())
            if not children[-1]:
                children = []
                break
        for _ in range(3):
            staged = fetch_source(PathSource(sys.argv[1]), Path(), shelf=Path(sys.argv[2]), say=print)
            os.write(1, f"{staged.tree}\\n".encode())
        sys.exit(any(os.waitpid(child, 0)[1] for child in children))
    """
    done = subprocess.run(
        [sys.executable, "-c", code, str(model), str(shelf)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [tree_hash(model)] * 12
    assert len(list((shelf / "trees").iterdir())) == 1
    assert list((shelf / "partial").iterdir()) == []


def test_a_process_that_dies_leaves_nothing_half(
    model: Path, shelf: Path, fetch: Callable[..., StagedSource]
) -> None:
    code = (
        "import os, signal, sys\n"
        "from pathlib import Path\n"
        "from forequake.models.sources import PathSource, fetch_source, folders\n"
        "copied = folders._copy\n"
        "def die(folder, path, mode, new):\n"
        "    copied(folder, path, mode, new)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
        "folders._copy = die\n"
        "fetch_source(PathSource(sys.argv[1]), Path(), shelf=Path(sys.argv[2]), say=print)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(model), str(shelf)])
    assert done.returncode == -9
    assert list((shelf / "trees").iterdir()) == []
    (left,) = (shelf / "partial").iterdir()
    verify(fetch())
    assert left.exists()  # it is young: somebody could be about to take its lock
    os.utime(left, (0, 0))
    fetch()
    assert not left.exists()


def test_what_is_being_fetched_is_not_swept(shelf: Path) -> None:
    from forequake.models.sources.shelf import SourceShelf

    with SourceShelf(shelf).place() as place:
        os.utime(place.parent, (0, 0))
        SourceShelf(shelf)
        assert place.is_dir()
    assert not place.parent.exists()


def test_the_shelf_is_in_the_users_cache_folder(model: Path, said: list[str]) -> None:
    staged = fetch_source(PathSource(model), Path(), say=said.append)
    shelf = user_cache_path("forequake") / "models" / "sources"
    assert staged.folder == shelf / "trees" / staged.tree / "files"


def test_a_shelf_that_cannot_be_written(model: Path, tmp_path: Path, said: list[str]) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(SourceError, match="cannot be kept"):
        fetch_source(PathSource(model), model, shelf=tmp_path / "file", say=said.append)
