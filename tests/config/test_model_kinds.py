"""What the keys of a model make of it: a file, a folder, flavours, a program, a source."""

from pathlib import Path

import pytest

from forequake.config import FileModel, FolderModel, ModelSpec
from forequake.config._files import ENDINGS, Folder
from forequake.config._model_shape import CATALOG_FORMATS, GRIDDED_FORMATS
from forequake.config._models import read_model_entry
from forequake.config._places import Place, Problems
from forequake.config._yaml import Document
from forequake.forecasts.catalog_based import CATALOG_READERS
from forequake.forecasts.readers import FORMATS, READERS
from forequake.windows import TimeWindow

DAY = TimeWindow.from_id("2016-11-14T00:00:00Z_2016-11-15T00:00:00Z")


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    (tmp_path / "td" / "forecasts").mkdir(parents=True)
    for name in ("a.csv", "b.dat", "td/x.csv"):
        (tmp_path / name).write_text("0 0\n")
    return Folder(root=tmp_path)


def _read(folder: Folder, **keys: object) -> tuple[dict[str, ModelSpec | None], list[str]]:
    written = {key.removesuffix("_"): value for key, value in keys.items()}
    place = Place(Document(file=folder.root / "models.yml", data={"M": written}), ("M",))
    problems = Problems()
    models, unused = read_model_entry("M", place, folder, problems)
    assert len(problems) == 0, str(problems.error())
    return models, unused


def _one(folder: Folder, **keys: object) -> ModelSpec | None:
    (model,) = _read(folder, **keys)[0].values()
    return model


@pytest.mark.parametrize(
    ("keys", "kind"),
    [
        ({"path": "a.csv"}, FileModel),
        ({"path": "td"}, FolderModel),
        ({"path": "a.csv", "func": "run"}, FileModel),  # floatCSEP: an existing file is time-independent
        ({"path": "td", "func": "run"}, FolderModel),
        ({"path": "new", "func": "run", "giturl": "https://example.org/x.git"}, FolderModel),
        ({"path": "new", "class_": "td", "zenodo_id": 1}, FolderModel),
        ({"path": "new/a.csv", "zenodo_id": "10.5281/zenodo.1"}, FileModel),
        ({"path": "new/a.csv", "class_": "time_independent", "func": "x", "giturl": "g"}, FileModel),
    ],
    ids=str,
)
def test_what_kind_of_model_it_is(keys: dict[str, object], kind: type, folder: Folder) -> None:
    assert type(_one(folder, **keys)) is kind


@pytest.mark.parametrize(
    ("keys", "forecast_type"),
    [
        ({"path": "a.csv"}, "gridded"),
        ({"path": "a.csv", "forecast_type": "catalog"}, "catalog"),
        ({"path": "td"}, "catalog"),
        ({"path": "td", "fmt": "ucerf3"}, "catalog"),
        ({"path": "td", "fmt": "csep"}, "catalog"),
        ({"path": "td", "fmt": "xml"}, "gridded"),
        ({"path": "td", "fmt": ".HDF5"}, "gridded"),
        ({"path": "td", "forecast_type": "gridded"}, "gridded"),
    ],
    ids=str,
)
def test_what_kind_of_forecast_it_gives(keys: dict[str, object], forecast_type: str, folder: Folder) -> None:
    model = _one(folder, **keys)

    assert isinstance(model, FileModel | FolderModel)
    assert model.forecast_type == forecast_type


def test_flavours_of_a_folder_are_folders_below_it(folder: Folder) -> None:
    models, _ = _read(folder, path="", flavours={"one": "td"}, prefix="x")

    assert models == {"M@one": FolderModel(name="M@one", path="td", prefix="x")}


def test_a_number_of_catalogs_counts_for_catalogs_only(folder: Folder) -> None:
    model = _one(folder, path="td", n_sims=10_000)
    assert isinstance(model, FolderModel)
    assert model.n_catalogs == 10_000

    assert _read(folder, path="td", forecast_type="gridded", n_sims=10_000)[1] == ["models.n_sims"]


def test_a_unit_counts_for_rates_only(folder: Folder) -> None:
    rates = _one(folder, path="td", forecast_type="gridded", forecast_unit=1)
    assert isinstance(rates, FolderModel)
    assert rates.forecast_unit == 1.0

    assert _read(folder, path="td", forecast_unit=1)[1] == ["models.forecast_unit"]

    models, unused = _read(folder, path="a.csv", forecast_type="catalog", forecast_unit=5)
    assert isinstance(models["M"], FileModel)
    assert models["M"].forecast_unit == 1.0
    assert unused == ["models.forecast_unit"]


def test_keys_of_other_kinds_are_named_as_not_used(folder: Folder) -> None:
    _, unused = _read(folder, path="a.csv", func="run", args_file="a.txt", repo_hash="v1", lazy_load=True)

    assert unused == ["models.func", "models.args_file", "models.repo_hash", "models.lazy_load"]


def test_the_repository_goes_before_zenodo(folder: Folder) -> None:
    models, unused = _read(folder, path="td", giturl="g", zenodo_id=1, repo_hash="v1")

    model = models["M"]
    assert isinstance(model, FolderModel)
    assert model.source is not None
    assert model.source.model_dump() == {"kind": "git", "url": "g", "revision": "v1"}
    assert unused == ["models.zenodo_id"]


def test_where_the_forecast_of_a_window_may_lie() -> None:
    model = FolderModel(name="ETAS 2", path="models/etas", prefix="ETAS 2", format="csv")

    assert model.forecast_paths(DAY) == (
        "models/etas/forecasts/ETAS 2_2016-11-14T00:00:00_2016-11-15T00:00:00.csv",
        "models/etas/forecasts/ETAS 2_2016-11-14T00-00-00_2016-11-15T00-00-00.csv",
        "models/etas/forecasts/ETAS 2_2016-11-14_2016-11-15.csv",
        "models/etas/forecasts/ETAS_2_2016-11-14T00:00:00_2016-11-15T00:00:00.csv",
        "models/etas/forecasts/ETAS_2_2016-11-14T00-00-00_2016-11-15T00-00-00.csv",
        "models/etas/forecasts/ETAS_2_2016-11-14_2016-11-15.csv",
    )


def test_words_for_formats_are_those_of_the_readers() -> None:
    assert {name for name in GRIDDED_FORMATS.values() if name} == set(FORMATS)
    assert {name for name in CATALOG_FORMATS.values() if name} == set(CATALOG_READERS)
    assert set(ENDINGS) == set(READERS)
