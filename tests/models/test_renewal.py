"""Fetching and building anew: once for a run, at most once a day for a schedule; servers that are away."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from forequake.config import FolderModel, GitSource, ProgramSpec
from forequake.errors import SourceUnavailable
from forequake.models import programs
from forequake.models.demands import Demand
from forequake.models.environments import prepare_environment
from forequake.models.programs import stage_program
from forequake.models.sources import PathSource, fetch_source
from forequake.patience import Patience
from forequake.quantities import now
from forequake.renewal import Renewal
from tests.models.source_servers import git

Stage = Callable[[Demand | None], str]


@pytest.fixture
def work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give a repository of one commit, which is fetched from a folder that can go away."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "work"
    folder.mkdir()
    git(folder, "init", "--quiet")
    _commit(folder, "1")
    return folder


def _commit(work: Path, text: str) -> None:
    (work / "run.py").write_text(text)
    git(work, "add", ".")
    git(work, "commit", "--quiet", "-m", text)


def _model(work: Path, *, force_stage: bool = False, force_build: bool = False) -> FolderModel:
    return FolderModel(
        name="m",
        path="models/m",
        prefix="m",
        program=ProgramSpec(command="python run.py", force_build=force_build),
        source=GitSource(url=str(work)),
        force_stage=force_stage,
    )


@pytest.fixture
def stage(work: Path, tmp_path: Path, said: list[str]) -> Stage:
    def stage(demand: Demand | None) -> str:
        program = stage_program(tmp_path, _model(work), said.append, demand)
        return (program.source.folder / "run.py").read_text()

    return stage


def test_a_source_is_asked_once_for_a_run(work: Path, stage: Stage) -> None:
    assert stage(None) == "1"
    _commit(work, "2")
    assert stage(None) == "1"

    began = now()
    assert stage(Demand(began - timedelta(days=1), strict=False)) == "1"  # of a schedule: it is a day young
    assert stage(Demand(began, strict=False)) == "2"
    _commit(work, "3")
    assert stage(Demand(began, strict=True)) == "2"  # the next task of that run
    assert stage(Demand(now(), strict=True)) == "3"


def test_the_same_answer_leaves_the_code_as_old_as_it_is(work: Path, tmp_path: Path, said: list[str]) -> None:
    model = _model(work)
    first = stage_program(tmp_path, model, said.append).source.fetched_at
    began = now()
    again = Demand(began, strict=True)
    assert stage_program(tmp_path, model, said.append, again).source.fetched_at == first
    assert len([line for line in said if line.startswith("fetching")]) == 2
    said.clear()
    assert stage_program(tmp_path, model, said.append, again).source.fetched_at == first
    assert said == []


def test_where_it_does_not_answer_what_is_there_serves_unless_it_was_asked_for_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: list[str], work: Path
) -> None:
    model = _model(work)
    stage_program(tmp_path, model, said.append)

    def away(*_: object, **__: object) -> None:
        message = "the server does not answer"
        raise SourceUnavailable(message)

    monkeypatch.setattr("forequake.models.sources.fetching.fetch_commit", away)
    monkeypatch.setattr(programs, "_RENEWAL_PATIENCE", Patience(tries=1, sleep=lambda seconds: None))
    said.clear()
    assert stage_program(tmp_path, model, said.append, Demand(now(), strict=False)).source.files
    assert said == ["m: the server does not answer; what was fetched before is used"]
    with pytest.raises(SourceUnavailable):
        stage_program(tmp_path, model, said.append, Demand(now(), strict=True))


def test_a_folder_that_is_there_counts(work: Path, tmp_path: Path, said: list[str]) -> None:
    (tmp_path / "models" / "m").mkdir(parents=True)
    (tmp_path / "models" / "m" / "run.py").write_text("own")
    program = stage_program(tmp_path, _model(work), said.append, Demand(now(), strict=True))
    assert (program.source.folder / "run.py").read_text() == "own"
    assert said == ["m: its folder models/m is there and counts; nothing is fetched"]


def test_an_environment_is_built_once_for_a_run(tmp_path: Path, said: list[str]) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "run.py").write_text("print(1)")
    source = fetch_source(PathSource(tmp_path / "model"), tmp_path, shelf=tmp_path / "sources", say=print)

    def build(**more: object) -> bool:
        made = prepare_environment("venv", source, shelf=tmp_path / "shelf", say=said.append, **more)  # type: ignore[arg-type]
        return made.seconds is not None

    assert build()
    began = now()
    assert not build()
    assert not build(force=began - timedelta(days=1))
    assert build(force=began)
    assert not build(force=began)


def test_who_asks_for_what(work: Path) -> None:
    began, plain, forced = now(), _model(work), _model(work, force_stage=True, force_build=True)
    by_file = Renewal(began)
    assert by_file.source(plain) is None
    assert by_file.environment(plain) is None
    assert by_file.source(forced) == by_file.environment(forced) == Demand(began, strict=False)

    by_name = Renewal(began, scheduled=True, stage=frozenset({"m"}))
    assert by_name.source(plain) == Demand(began - timedelta(days=1), strict=True)
    assert by_name.environment(plain) is None
