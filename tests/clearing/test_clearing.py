"""What goes of the cache folder, with real shelves: sources, environments, runs and forecasts."""

import hashlib
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from forequake.clearing import Judged, Rules, cleared, judged, things
from forequake.forecasts.arrays import ArrayCache
from forequake.forecasts.catalog_based.cache import CompactCache
from forequake.models.environments import BuiltEnvironment, environment_key, prepare_environment
from forequake.models.holds import held_folder
from forequake.models.sources import PathSource, StagedSource, fetch_source
from forequake.models.uses import ModelUse, note_use
from forequake.processes import ProgramLimits, ProgramRun, foreign_environment
from forequake.regions import named_region

DAY = 86400.0


def _quiet(words: str) -> None:
    """Tell nobody."""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give an empty cache folder, with a blank in its name."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "my cache"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    return tmp_path / "my cache" / "forequake"


def _model(folder: Path, words: str = "print(1)") -> StagedSource:
    (folder / "model").mkdir(exist_ok=True)
    (folder / "model" / "run.py").write_text(words)
    return fetch_source(PathSource("model"), folder, say=_quiet)


def _age(path: Path, days: float) -> None:
    moment = time.time() - days * DAY
    os.utime(path, (moment, moment))


def _tree_hash(folder: Path) -> str:
    """Hash names, contents, modes and times of all in a folder; nothing is opened for that but files."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        about = path.lstat()
        digest.update(repr((str(path), about.st_mode, about.st_mtime_ns, about.st_ctime_ns)).encode())
        if path.is_file() and not path.is_symlink():
            digest.update(path.read_bytes())
    return digest.hexdigest()


def _look(**rules: object) -> dict[Path, Judged]:
    return {one.thing.path: one for one in judged(things(), Rules(**rules))}  # type: ignore[arg-type]


def _clear(**rules: object) -> list[Path]:
    return sorted(one.thing.path for one in cleared(_look(**rules).values()))


def _use(folder: Path, source: StagedSource) -> ModelUse:
    return ModelUse(
        experiment="small",
        folder=str(folder),
        model="etas",
        origin=source.origin,
        trees=(source.tree,),
        environment=environment_key("venv", source),
    )


def test_a_source_goes_when_nobody_uses_it(cache: Path, tmp_path: Path) -> None:
    source = _model(tmp_path)
    place = source.folder.parent
    _age(place, 40)
    (one,) = _look().values()
    assert (one.thing.kind, one.goes, one.why) == ("sources", False, "a process works with it")
    assert _clear() == []
    source.source.verify()

    del source
    before = _tree_hash(cache)
    one = _look()[place]
    assert (one.goes, one.why, one.thing.size > 0) == (True, "not used for long", True)
    assert not _look(older_than=50 * DAY)[place].goes
    assert not _look(keep=["sources"])[place].goes
    assert _tree_hash(cache) == before, "to look touches nothing"
    assert _clear() == [place]
    assert list((cache / "models" / "sources" / "trees").iterdir()) == []
    assert _model(tmp_path).folder.parent == place, "it is fetched again"


def test_what_was_just_used_stays_whatever_is_asked_for(cache: Path, tmp_path: Path) -> None:
    place = _model(tmp_path).folder.parent
    assert _look(older_than=0.0)[place].why == "used not long ago"


def test_what_the_next_run_takes_stays(cache: Path, tmp_path: Path) -> None:
    """Of a model that changes, the source that its experiment has now stays, and the one before goes."""
    old, new = _model(tmp_path), _model(tmp_path, "print(2)")
    for source in (old, new):
        note_use(_use(tmp_path / "gone", source))
        _age(source.folder.parent, 40)
    first, second = old.folder.parent, new.folder.parent
    del source, old, new
    found = _look(stored=["small"])
    assert (found[first].goes, found[second].goes) == (True, False)
    assert found[first].thing.what_for == f"etas of small ({tmp_path / 'model'}), as it was before"
    assert found[second].why == "the next run of small takes it"
    assert found[second].thing.what_for == f"etas of small ({tmp_path / 'model'})"
    assert not _look(stored=None)[second].goes, "a store that cannot tell may have the experiment"
    assert _look(stored=[])[second].goes, "neither store nor files have the experiment any more"
    assert _look(stored=["small"], needed_too=True)[second].goes
    (tmp_path / "gone").mkdir()
    assert not _look(stored=[])[second].goes, "its files are there"
    assert _clear(stored=["small"]) == [first]


def test_a_model_that_its_experiment_has_no_more_needs_nothing(cache: Path, tmp_path: Path) -> None:
    source = _model(tmp_path)
    place = source.folder.parent
    note_use(_use(tmp_path, source))
    _age(place, 50)
    del source
    (note,) = (cache / "models" / "uses").iterdir()
    _age(note, 40)
    assert not _look()[place].goes, "the experiment was not resolved since"
    other = _model(tmp_path, "print(3)")
    note_use(_use(tmp_path, other).model_copy(update={"model": "another"}))
    assert _look()[place].goes


def _build(source: StagedSource, *, force: bool = False) -> BuiltEnvironment:
    return prepare_environment("venv", source, force=force, say=_quiet)


def _folder(environment: BuiltEnvironment) -> Path:
    assert environment.prefix is not None
    return environment.prefix.parent


def test_environments_stay_while_a_model_runs_in_them(cache: Path, tmp_path: Path) -> None:
    source = _model(tmp_path)
    before = _build(source)
    after = _build(source, force=True)
    old, new = _folder(before), _folder(after)
    found = _look(needed_too=True)
    assert [found[path].why for path in (old, new)] == ["a model runs in it"] * 2
    another = _build(source, force=True)
    assert old.is_dir(), "a later build does not take it from the model either"
    newest = _folder(another)
    del before
    found = _look(needed_too=True)
    assert [found[path].goes for path in (old, new, newest)] == [True, False, False]
    assert found[old].why == "replaced by a later build"
    assert _clear() == [old]

    del after, another
    _age(newest.parent / "ready.json", 40)
    found = _look()
    assert found[newest].thing.what_for.startswith("Python 3.")
    note_use(_use(tmp_path, source))
    assert _look()[newest].why == "the next run of small takes it"
    assert _build(source).seconds is None, "to use it makes it young again"
    assert _look(needed_too=True)[newest].why == "used not long ago"
    _age(newest.parent / "ready.json", 40)
    assert newest in _clear(needed_too=True)
    assert not newest.exists()
    assert _build(source).seconds is not None


def test_nothing_goes_from_under_a_build(cache: Path, tmp_path: Path) -> None:
    source = _model(tmp_path)
    built = _build(source)
    folder = _folder(built)
    del built
    _age(folder.parent / "ready.json", 40)
    code = (
        "import sys, threading\nfrom pathlib import Path\nfrom forequake.models.locks import locked\n"
        "with locked(Path(sys.argv[1]), patience=1, on_wait=lambda: None):\n"
        "    print('held', flush=True); sys.stdin.read()"
    )
    words = [sys.executable, "-c", code, str(folder.parent / "lock")]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        found = _look(needed_too=True)[folder]
        assert (found.goes, found.why) == (False, "a build of it is under way")
        process.communicate("")
    assert folder in _clear()


def _start(cache: Path) -> ProgramRun:
    run = ProgramRun(cache / "runs", another_user=False)
    run.__enter__()
    return run


def test_the_folders_of_killed_runs_go_with_their_programs(cache: Path) -> None:
    run = _start(cache)
    words = [sys.executable, "-c", "import time; open('made', 'w').write('x' * 5000); time.sleep(600)"]
    environment, folder = foreign_environment(run.folder), run.folder
    for name in ("home", "tmp"):
        (folder / name).mkdir()
    limits = ProgramLimits(seconds=600)
    asked = threading.Thread(target=lambda: run.run(words, folder, environment, limits, isolate=False))
    asked.start()
    _wait_for((folder / "made").exists)
    assert _look(older_than=0.0)[folder].why == "a program runs in it"
    assert _clear(older_than=0.0) == []
    assert run._supervisor is not None
    os.kill(run._supervisor.pid, signal.SIGKILL)
    asked.join(30)
    run.close()
    found = _look()[folder]
    assert (found.goes, found.why) == (True, "left by a process that was killed")
    assert found.thing.size >= 5000
    assert _clear() == [folder]
    assert list((cache / "runs").iterdir()) == []
    assert not _programs_in(folder)


def _programs_in(folder: Path) -> list[Path]:
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").resolve() == folder:
                found.append(process)
        except OSError:
            continue
    return found


def _wait_for(what: Callable[[], bool]) -> None:
    ends = time.monotonic() + 60
    while not what() and time.monotonic() < ends:
        time.sleep(0.02)
    assert what()


def test_forecasts_and_regions_go_by_their_last_use(cache: Path) -> None:
    rates = np.ones((100, 50))
    for key in ("a" * 64, "b" * 64):
        ArrayCache().keep(key, {"rates": rates}, {"key": key})
        _age(cache / "arrays" / key / "about.json", 40)
    kept = ArrayCache().get("b" * 64)
    assert kept is not None
    named_region("nz_csep_region")
    cells = next((cache / "regions").iterdir())
    _age(cells, 40)
    simulated = cache / "catalogs" / "some.catalogs"
    simulated.parent.mkdir()
    simulated.write_bytes(b"x" * 5000)
    (simulated.parent / "some.catalogs.half").write_bytes(b"x")
    _age(simulated, 40)
    expected = sorted([cache / "arrays" / ("a" * 64), cells, simulated])
    mapped = ArrayCache().get("a" * 64)
    assert mapped is not None
    _age(cache / "arrays" / ("a" * 64) / "about.json", 40)
    assert _clear() == expected
    assert np.array_equal(mapped.arrays["rates"], rates), "who has it open keeps it"
    assert CompactCache().get("some") is None
    assert ArrayCache().get("b" * 64) is not None
    named_region("nz_csep_region")
    assert cells.exists()


def test_what_killed_processes_left_goes(cache: Path, tmp_path: Path) -> None:
    _model(tmp_path)
    sources, left = cache / "models" / "sources", []
    half = sources / "partial" / "abc" / "content"
    half.mkdir(parents=True)
    (half.parent / "lock").touch()
    going = sources / "trees" / ".going-123"
    going.mkdir()
    (going / "f").write_text("x")
    going.chmod(0o555)
    for name in ("arrays/.new-1", "arrays/.going-2", "runs/made-1", "submissions/came-1"):
        (cache / name).mkdir(parents=True)
        left.append(cache / name)
    for name in ("catalogs/x.catalogs.ab", "regions/x.part", "models/sources/origins/x.json.ab"):
        (cache / name).parent.mkdir(parents=True, exist_ok=True)
        (cache / name).touch()
        left.append(cache / name)
    memory = sources / "origins" / "x.json"
    memory.write_text("{}")
    for path in [half.parent, going, memory, *left]:
        _age(path, 1)
    assert _clear() == sorted([half.parent, going, *left])
    assert memory.exists(), "what came from a branch stands until somebody asks anew"


def test_folders_of_work_under_way_stay(cache: Path) -> None:
    (cache / "runs").mkdir(parents=True)
    with held_folder(cache / "runs", "made-") as folder:
        _age(folder, 2)
        assert _look(older_than=0.0)[folder].why == "a forecast is being made"
        assert _clear(older_than=0.0) == []
    assert not folder.exists()


def test_two_at_once_remove_each_thing_once(cache: Path, tmp_path: Path) -> None:
    for number in range(20):
        _age(_model(tmp_path, f"print({number})").folder.parent, 40)
    gone: list[list[Path]] = []
    both = [threading.Thread(target=lambda: gone.append(_clear())) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    first, second = gone
    assert len(set(first) | set(second)) == 20
    assert not set(first) & set(second)


#: Killed at the moment at which it has renamed something and begins to remove what is in it.
_KILLED = """
import os, signal
from forequake.clearing import Rules, cleared, judged, thing, things
thing.remove_leftover = lambda path: os.kill(os.getpid(), signal.SIGKILL)
cleared(judged(things(), Rules()))
"""


def test_one_that_is_killed_leaves_nothing_half(cache: Path, tmp_path: Path) -> None:
    place = _model(tmp_path).folder.parent
    _age(place, 40)
    assert subprocess.run([sys.executable, "-c", _KILLED]).returncode == -signal.SIGKILL
    assert [path.name[:7] for path in place.parent.iterdir()] == [".going-"]
    assert list(_model(tmp_path).files) == ["run.py"], "it is fetched again"
    assert len(_clear()) == 1
    assert list(place.parent.iterdir()) == [place]
