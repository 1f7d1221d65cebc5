"""Forecasts that are files, from repositories and records: fetched where an experiment is resolved."""

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

from forequake.config import LoadedExperiment, load_experiment
from forequake.experiments import Experiment
from forequake.forecasts import brought
from forequake.resolution import resolve
from forequake.results import ForecastRecord
from forequake.steps import make_forecasts, stage_model, windows_by_source
from tests.models.source_servers import Server, git, status

HEADING = "lon_min, lon_max, lat_min, lat_max, depth_min, depth_max, 5.0, 5.1"


def table(rate: float) -> str:
    rows = (f"{west}, {west + 1}, 0, 1, 0, 30, {rate}, {rate / 4}" for west in (0, 1))
    return "\n".join((HEADING, *rows)) + "\n"


@dataclass
class Lab:
    """An experiment of two days whose models are elsewhere."""

    loaded: LoadedExperiment
    experiment: Experiment
    said: list[str]

    def totals(self, model: str) -> list[float]:
        return [record.total for record in self.records(model)]

    def records(self, model: str) -> list[ForecastRecord]:
        stage_model(self.loaded, self.experiment, model)
        windows = self.experiment.config.windows
        found = [
            record
            for group in windows_by_source(self.experiment, model, windows)
            for record in make_forecasts(self.loaded, self.experiment, model, group).records
        ]
        return [record for record in found if isinstance(record, ForecastRecord)]


Build = Callable[[dict[str, Any]], Lab]


@pytest.fixture
def lab(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, server: Server) -> Build:
    """Resolve an experiment with a user's empty cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    folder = tmp_path / "an experiment"
    folder.mkdir()
    (folder / "region.txt").write_text("0 0\n1 0\n")
    (folder / "catalog.csv").write_text("0.5,0.5,5.0,2001-01-01T06:00:00,10,0,a\n")

    def build(models: dict[str, Any]) -> Lab:
        config = {
            "name": "small",
            "time_config": {
                "start_date": "2001-01-01",
                "end_date": "2001-01-03",
                "horizon": "1 days",
                "exp_class": "td",
            },
            "region_config": {"region": "region.txt", "mag_min": 5.0, "mag_max": 5.1, "mag_bin": 0.1},
            "catalog": "catalog.csv",
            "models": [{name: keys} for name, keys in models.items()],
            "tests": [{"N": {"func": "poisson_evaluations.number_test"}}],
        }
        (folder / "config.yml").write_text(yaml.safe_dump(config))
        monkeypatch.setattr(brought, "_brought", {})
        loaded, said = load_experiment(folder), list[str]()
        return Lab(loaded, resolve(loaded, said.append), said)

    return build


@pytest.fixture
def repository(tmp_path: Path, server: Server) -> Path:
    """Publish a repository with the forecast of a year, and with those of two days."""
    work = tmp_path / "publisher" / "work"
    files = {"gear.csv": table(365), "rates/north.csv": table(730), "README.md": "Rates."}
    files |= {f"forecasts/daily_2001-01-0{day}_2001-01-0{day + 1}.csv": table(day) for day in (1, 2)}
    for name, text in files.items():
        (work / name).parent.mkdir(parents=True, exist_ok=True)
        (work / name).write_text(text)
    git(work, "init", "--quiet")
    git(work, "add", ".")
    git(work, "commit", "--quiet", "-m", "Rates")
    git(work.parent, "clone", "--quiet", "--bare", "work", "rates.git")
    server.repositories = work.parent
    return work


@pytest.mark.parametrize(
    ("path", "total"),
    [("models/gear.csv", 2.5), ("gear.csv", 2.5), ("models/g/rates/north.csv", 5.0), ("north.csv", None)],
)
def test_a_file_of_a_repository(
    path: str, total: float | None, lab: Build, repository: Path, server: Server
) -> None:
    small = lab({"gear": {"path": path, "giturl": f"{server.url}/git/rates.git"}})
    if total is None:
        words = small.experiment.obstacle(small.experiment.labels()[0])
        assert words is not None
        assert "the files of model 'gear' cannot be had" in words
        assert "has no file north.csv; it has README.md, " in words
    else:
        assert small.totals("gear") == pytest.approx([total, total])
        assert not (small.loaded.folder / "models").exists()


def test_what_a_branch_gave_stands_and_a_file_that_is_there_counts(
    lab: Build, repository: Path, server: Server, tmp_path: Path
) -> None:
    models = {"gear": {"path": "gear.csv", "giturl": f"{server.url}/git/rates.git", "repo_hash": "main"}}
    first = lab(models).experiment.inputs.models["gear"]
    (repository / "gear.csv").write_text(table(1))
    git(repository, "commit", "--quiet", "-am", "Other rates")
    git(repository, "push", "--quiet", "../rates.git", "main")
    asked = len(server.paths)
    assert lab(models).experiment.inputs.models["gear"] == first
    assert len(server.paths) == asked
    own = tmp_path / "an experiment" / "gear.csv"
    shutil.copy(repository / "gear.csv", own)
    assert lab(models).experiment.inputs.models["gear"] != first
    own.unlink()
    shutil.rmtree(tmp_path / "cache")
    assert lab(models).experiment.inputs.models["gear"] != first  # to fetch it anew is to take what is there


def test_forecasts_of_windows_from_a_repository(lab: Build, repository: Path, server: Server) -> None:
    keys = {"path": "models/daily", "class": "td", "forecast_type": "gridded"}
    small = lab({"daily": {**keys, "giturl": f"{server.url}/git/rates.git"}})
    assert small.totals("daily") == pytest.approx([2.5, 5.0])
    assert not (small.loaded.folder / "models").exists()

    (repository / "forecasts" / "daily_2001-01-02_2001-01-03.csv").unlink()
    git(repository, "commit", "--quiet", "-am", "One less")
    git(repository, "push", "--quiet", "../rates.git", "HEAD:refs/heads/less")
    small = lab({"daily": {**keys, "giturl": f"{server.url}/git/rates.git", "repo_hash": "less"}})
    assert [small.experiment.obstacle(label) for label in small.experiment.labels()] == [
        None,
        "there is no forecast of model 'daily' for this window; expected models/daily/forecasts/"
        "daily_2001-01-02_2001-01-03.csv, in the experiment's folder or else in its source",
    ]


def test_one_file_of_a_record(lab: Build, server: Server) -> None:
    server.records["77"] = {"gear.csv": table(365).encode(), "large.csv": b"x" * 1000}
    small = lab({"gear": {"path": "models/gear.csv", "zenodo_id": 77}})
    assert small.totals("gear") == pytest.approx([2.5, 2.5])
    assert {record.source for record in small.records("gear")} == {
        f"models/gear.csv of record 77 of Zenodo at {server.url}"
    }
    assert "/api/records/77/files/gear.csv/content" in server.paths
    assert not any("large" in path for path in server.paths)


@pytest.mark.parametrize(
    ("record", "words"),
    [
        ({"other.csv": b"x"}, "there is no file 'gear.csv'"),
        (None, "there is no record at"),
        ({"gear.csv": b"lon_min, oh"}, ""),
    ],
)
def test_a_record_without_it_stops_no_other_model(
    record: dict[str, bytes] | None, words: str, lab: Build, server: Server
) -> None:
    if record is not None:
        server.records["77"] = record
    server.records["78"] = {"good.csv": table(365).encode()}
    small = lab(
        {"gear": {"path": "gear.csv", "zenodo_id": 77}, "good": {"path": "good.csv", "zenodo_id": 78}}
    )
    bad = next(label for label in small.experiment.labels() if label.model == "gear")
    if words:
        assert words in (small.experiment.obstacle(bad) or "")
        assert "gear" not in small.experiment.inputs.models
    else:  # its content is known, its mistakes show when it is read
        assert small.experiment.obstacle(bad) is None
    assert small.totals("good") == pytest.approx([2.5, 2.5])


def test_a_file_that_breaks_off_goes_on(lab: Build, server: Server) -> None:
    body = table(365).encode()
    server.records["77"] = {"gear.csv": body}
    server.fail("/api/records/77", status(503, Retry_After="0"))
    small = lab({"gear": {"path": "gear.csv", "zenodo_id": 77}})
    assert small.totals("gear") == pytest.approx([2.5, 2.5])


def test_a_copy_on_the_shelf_that_changes_is_noticed(lab: Build, server: Server, tmp_path: Path) -> None:
    server.records["77"] = {"gear.csv": table(365).encode()}
    small = lab({"gear": {"path": "gear.csv", "zenodo_id": 77}})
    (file,) = tmp_path.glob("cache/forequake/models/sources/trees/*/files/gear.csv")
    file.chmod(0o644)
    file.write_text(table(1))
    with pytest.raises(Exception, match="changed while the run began"):
        stage_model(small.loaded, small.experiment, "gear")
    again = lab({"gear": {"path": "gear.csv", "zenodo_id": 77}})  # fetched again, and what it was
    assert again.experiment.inputs.models == small.experiment.inputs.models
    assert again.totals("gear") == pytest.approx([2.5, 2.5])
