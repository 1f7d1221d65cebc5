"""What a right experiment becomes: floatCSEP's forms, defaults, paths, notes, the record."""

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from forequake.catalogs import CatalogSpec
from forequake.config import (
    ExperimentConfig,
    FileModel,
    FileRegion,
    NamedRegion,
    ReferenceModel,
    TestSpec,
    load_experiment,
)
from forequake.errors import InputError
from forequake.forecasts.readers import READERS
from forequake.places import labels_of

Write = Callable[..., Path]

TIME = "  start_date: 2010-1-1T00:00:00\n  end_date: 2020-1-1T00:00:00\n"
BINS = "  mag_min: 4.0\n  mag_max: 8.0\n  mag_bin: 0.1\n"
FIRST_TEST = "      func: poisson_evaluations.number_test\n"
MODEL_B = "      path: models/b.dat\n      forecast_unit: 5\n"


def test_the_small_experiment_as_it_is_recorded(write: Write) -> None:
    config = load_experiment(write()).config

    assert config.name == "small"
    assert (config.seed, config.alpha) == (None, 0.05)
    assert [window.id for window in config.windows] == ["2010-01-01T00:00:00Z_2020-01-01T00:00:00Z"]
    assert config.region == FileRegion(path="region.txt")
    assert config.depth_km == (0.0, 70.0)
    assert config.catalog == CatalogSpec.file("catalog.csv")
    assert config.models == (
        FileModel(name="Model A", path="models/a.csv", forecast_unit=1.0),
        FileModel(name="Model B", path="models/b.dat", forecast_unit=5.0),
    )
    assert config.tests == (
        TestSpec(name="N-test", test="poisson_number"),
        TestSpec(name="S-test", test="poisson_spatial", num_simulations=100, seed=23),
        TestSpec(name="T-test", test="poisson_paired_t", reference="Model A"),
    )
    assert config.unused == ()


def test_floatcseps_sequential_tests_are_scores(write: Write) -> None:
    sequential = (
        "  - LL:\n      func: sequential_likelihood\n"
        "  - IG:\n      func: floatcsep.utils.helpers.sequential_information_gain\n      ref_model: Model A\n"
        "  - N-test:\n"
    )
    config = load_experiment(write(("  - N-test:\n", sequential))).config

    assert config.tests[:2] == (
        TestSpec(name="LL", test="sequential_likelihood"),
        TestSpec(name="IG", test="sequential_information_gain", reference="Model A"),
    )
    gains = [label.model for label in labels_of(config) if label.test == "IG"]
    assert gains == ["Model B"]


def test_floatcsep_keys_that_steer_pictures_and_running_are_named_once(write: Write) -> None:
    folder = write(
        ("name: small", "name: small\nrun_mode: parallel\npostprocess:\n  plot_forecasts: {cmap: magma}"),
        (FIRST_TEST, FIRST_TEST + "      plot_func: plot_poisson_consistency_test\n"),
        ("      ref_model: Model A", "      ref_model: Model A\n      plot_func: [a, b]\n      markdown: x"),
        ("        seed: 23", "        seed: 23\n        verbose: false"),
        (MODEL_B, MODEL_B + "      force_stage: True\n      class: time_independent\n"),
    )

    assert load_experiment(folder).config.unused == (
        "postprocess",
        "run_mode",
        "models.force_stage",
        "tests.plot_func",
        "tests.func_kwargs.verbose",
        "tests.markdown",
    )


def test_what_the_files_say_for_people_is_kept(write: Write) -> None:
    folder = write(
        ("name: small", "name: small\nauthors: [Ana, Bo]\nlast_run: 2024-05-06\njournal:"),
        (MODEL_B, MODEL_B + "      doi: 10.1/x\n"),
    )

    config = load_experiment(folder).config

    assert config.metadata == {"authors": ["Ana", "Bo"], "last_run": "2024-05-06"}
    assert config.models[1].metadata == {"doi": "10.1/x"}


def test_edges_of_magnitude_have_the_decimals_of_the_file(write: Write) -> None:
    magnitudes = load_experiment(write()).config.magnitudes

    assert len(magnitudes) == 41
    assert magnitudes == tuple(float(f"{tenths / 10:.1f}") for tenths in range(40, 81))
    assert repr(magnitudes[1]) == "4.1"


@pytest.mark.parametrize(
    ("bins", "edges"),
    [
        ("  mag_min: 6.0\n  mag_max: 7.0\n  mag_bin: 1.0\n", (6.0, 7.0)),
        ("  mag_min: 4\n  mag_max: 5\n  mag_bin: 0.25\n", (4.0, 4.25, 4.5, 4.75, 5.0)),
        ("  magnitudes: [4, 4.5, 5.0]\n", (4.0, 4.5, 5.0)),
        ("  magnitudes: [4, 4.5]\n  mag_min: 4.0\n  mag_max: 10\n", (4.0, 4.5)),
    ],
)
def test_forms_of_magnitude_bins(bins: str, edges: tuple[float, ...], write: Write) -> None:
    assert load_experiment(write((BINS, bins))).config.magnitudes == edges


@pytest.mark.parametrize(
    ("depths", "expected"),
    [
        ("", None),
        ("  depth_min: -2\n", (-2.0, 7000.0)),
        ("  depth_max: 30.5\n", (-20.0, 30.5)),
        ("  depth_min: 10\n  depth_max: 10\n", (10.0, 10.0)),
    ],
)
def test_depths_cut_only_where_they_are_given(
    depths: str, expected: tuple[float, float] | None, write: Write
) -> None:
    folder = write(("  depth_min: 0\n  depth_max: 70\n", depths))

    assert load_experiment(folder).config.depth_km == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("2010-1-1T00:00:00", datetime(2010, 1, 1, tzinfo=UTC)),
        ("2010-01-01", datetime(2010, 1, 1, tzinfo=UTC)),
        ("2010-1-1", datetime(2010, 1, 1, tzinfo=UTC)),
        ("'2010-01-01'", datetime(2010, 1, 1, tzinfo=UTC)),
        ("2010-01-01T06:30", datetime(2010, 1, 1, 6, 30, tzinfo=UTC)),
        ("2010-1-1 6:30:00", datetime(2010, 1, 1, 6, 30, tzinfo=UTC)),
        ("2010-01-01T06:30:00.25", datetime(2010, 1, 1, 6, 30, 0, 250_000, tzinfo=UTC)),
        ("'2010-01-01T06:30:00.25Z'", datetime(2010, 1, 1, 6, 30, 0, 250_000, tzinfo=UTC)),
        ("2010-01-01T00:00:00+02:00", datetime(2009, 12, 31, 22, tzinfo=UTC)),
        ("'2010-1-1T00:00:00 -0330'", datetime(2010, 1, 1, 3, 30, tzinfo=UTC)),
    ],
)
def test_forms_of_dates(written: str, expected: datetime, write: Write) -> None:
    folder = write(("start_date: 2010-1-1T00:00:00", f"start_date: {written}"))

    assert load_experiment(folder).config.windows[0].start == expected


def test_time_and_region_may_stand_at_the_top(write: Write) -> None:
    usual = load_experiment(write()).config
    folder = write(
        ("time_config:\n" + TIME, TIME.replace("  ", "")),
        ("region_config:\n  region: region.txt\n", "region: region.txt\nregion_config:\n"),
        folder="flat",
    )

    assert load_experiment(folder).config == usual


def test_windows_of_a_horizon_start_where_the_experiment_does(write: Write) -> None:
    folder = write((TIME, "  start_date: 2010-6-15\n  end_date: 2013-1-1\n  horizon: 1 years\n"))

    loaded = load_experiment(folder)

    assert [window.id for window in loaded.config.windows] == [
        "2010-06-15T00:00:00Z_2011-06-15T00:00:00Z",
        "2011-06-15T00:00:00Z_2012-06-15T00:00:00Z",
    ]
    assert loaded.notes == (
        "the part from 2012-06-15T00:00:00Z to 2013-01-01T00:00:00Z is shorter than a horizon (1 years) "
        "and lies in no window",
    )


def test_windows_that_grow(write: Write) -> None:
    folder = write(
        (TIME, "  start_date: 2010-1-1\n  end_date: 2012-1-1\n  intervals: 2\n  growth: cumulative\n"),
    )

    loaded = load_experiment(folder)

    assert loaded.config.growth == "cumulative"
    assert [window.id for window in loaded.config.windows] == [
        "2010-01-01T00:00:00Z_2011-01-01T00:00:00Z",
        "2010-01-01T00:00:00Z_2012-01-01T00:00:00Z",
    ]


@pytest.mark.parametrize("key", ["time_windows", "timewindows"])
def test_windows_of_a_list(key: str, write: Write) -> None:
    listed = f"  {key}:\n  - [2010-1-1T00:00:00, 2010-1-1T06:00:00]\n  - [2010-1-1T06:00:00, 2010-1-2]\n"
    folder = write((TIME, listed + "  start_date: 2010-01-01\n  end_date: 2010-01-02\n"))

    loaded = load_experiment(folder)

    assert [window.id for window in loaded.config.windows] == [
        "2010-01-01T00:00:00Z_2010-01-01T06:00:00Z",
        "2010-01-01T06:00:00Z_2010-01-02T00:00:00Z",
    ]
    assert loaded.notes == ()


def test_listed_windows_that_overlap_are_noted(write: Write) -> None:
    listed = "[[2010-01-01, 2012-01-01], [2012-01-01, 2013-01-01], [2010-06-01, 2011-01-01]]"
    folder = write((TIME, f"  time_windows: {listed}\n"))

    (note,) = load_experiment(folder).notes

    assert "overlap" in note


def test_a_region_and_data_sets_by_name(write: Write) -> None:
    folder = write(
        ("region.txt", "california_relm_region"),
        ("catalog: catalog.csv", "catalog: csep:comcat_example_catalog"),
        ("models/b.dat", "csep:helmstetter_mainshock"),
    )

    loaded = load_experiment(folder)

    assert loaded.config.region == NamedRegion(name="california_relm_region")
    assert loaded.locate(loaded.config.catalog.title).name == "sample_comcat_catalog.csv"
    assert loaded.locate("csep:helmstetter_mainshock").suffix in READERS
    with pytest.raises(InputError, match="csep:helmstetter_mainshock"):
        loaded.locate("csep:helmstetter_mainshok")


def test_a_built_in_reference(write: Write) -> None:
    folder = write((MODEL_B, "      reference: uniform\n      total: 35.4\n      forecast_unit: 5\n"))

    assert load_experiment(folder).config.models[1] == ReferenceModel(
        name="Model B", reference="uniform", total=35.4, b_value=1.0, forecast_unit=5.0
    )


def test_a_level_of_significance_for_all_and_for_one(write: Write) -> None:
    folder = write(
        ("name: small", "name: small\nalpha: 0.01"),
        ("      ref_model: Model A", "      ref_model: Model A\n      func_kwargs: {alpha: 0.1}"),
    )

    config = load_experiment(folder).config

    assert config.alpha == 0.01
    assert [test.alpha for test in config.tests] == [None, None, 0.1]


def test_paths_of_a_list_start_from_the_list(write: Write) -> None:
    folder = write(
        (
            "models:\n  - Model A:\n      path: models/a.csv\n  - Model B:\n" + MODEL_B,
            "model_config: models/models.yml\n",
        )
    )
    (folder / "models" / "models.yml").write_text("- Model A:\n    path: a.csv\n")

    loaded = load_experiment(folder)

    (model,) = loaded.config.models
    assert isinstance(model, FileModel)
    assert model.path == "models/a.csv"
    assert loaded.locate(model.path) == folder / "models" / "a.csv"
    assert loaded.files == (folder / "config.yml", folder / "models" / "models.yml")


def test_the_key_path_moves_the_folder(write: Write, tmp_path: Path) -> None:
    folder = write(("name: small", "name: small\npath: ../data"))
    shutil.copytree(folder, tmp_path / "data")
    for name in ("region.txt", "catalog.csv"):
        (folder / name).unlink()

    loaded = load_experiment(folder / "config.yml")

    assert loaded.locate(loaded.config.catalog.title).resolve() == tmp_path / "data" / "catalog.csv"


def test_merge_keys_and_aliases(write: Write) -> None:
    folder = write(
        ("  - Model A:\n", "  - Model A: &usual\n      doi: x\n"),
        ("  - Model B:\n", "  - Model B:\n      <<: *usual\n"),
    )

    model = load_experiment(folder).config.models[1]

    assert model == FileModel(name="Model B", path="models/b.dat", forecast_unit=5.0, metadata={"doi": "x"})


def test_names_that_look_equal_are_equal(write: Write) -> None:
    folder = write(
        ("  - Model A:", '  - "Mode\\u0301lo A":'), ("ref_model: Model A", 'ref_model: "Mod\\u00e9lo A"')
    )

    config = load_experiment(folder).config

    assert config.models[0].name == "Mod\u00e9lo A"
    assert config.tests[2].reference == "Mod\u00e9lo A"


def test_names_as_numbers_are_text(write: Write) -> None:
    folder = write(("  - Model A:", "  - 2020:"), ("ref_model: Model A", "ref_model: '2020'"))

    assert load_experiment(folder).config.models[0].name == "2020"


def test_the_record_is_the_same_on_any_machine(write: Write) -> None:
    here, there = (load_experiment(write(folder=name)) for name in ("here", "there/deeper"))

    assert here.folder != there.folder
    assert here.config.model_dump_json() == there.config.model_dump_json()


def test_the_record_is_read_back_equal(write: Write) -> None:
    config = load_experiment(write()).config

    assert ExperimentConfig.model_validate(json.loads(config.model_dump_json())) == config


def test_reading_imports_neither_pycsep_nor_prefect(write: Write) -> None:
    folder = write(("models/b.dat", "csep:helmstetter_mainshock"))
    code = (
        "import sys; from pathlib import Path; from forequake.config import load_experiment; "
        "load_experiment(Path(sys.argv[1])); "
        "print(sorted({'csep', 'prefect', 'pandas', 'scipy', 'matplotlib'} & set(sys.modules)))"
    )

    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True
    )

    assert done.stdout.strip() == "[]"


def test_a_record_of_an_earlier_version_is_read() -> None:
    stored = {
        "name": "small",
        "seed": None,
        "alpha": 0.05,
        "windows": [{"start": "2010-01-01T00:00:00Z", "end": "2020-01-01T00:00:00Z"}],
        "growth": "incremental",
        "region": {"kind": "file", "path": "region.txt"},
        "magnitudes": [4.0, 5.0],
        "depth_km": [0.0, 70.0],
        "catalog": "catalog.csv",
        "models": [
            {"kind": "file", "name": "A", "path": "a.csv", "forecast_unit": 1.0, "metadata": {"doi": "x"}},
            {
                "kind": "reference",
                "name": "B",
                "reference": "uniform",
                "total": 3.0,
                "b_value": 1.0,
                "forecast_unit": 1.0,
                "metadata": {},
            },
        ],
        "tests": [
            {
                "name": "N",
                "test": "poisson_number",
                "num_simulations": None,
                "seed": None,
                "alpha": None,
                "reference": None,
            }
        ],
        "metadata": {},
        "unused": [],
    }

    config = ExperimentConfig.model_validate(stored)

    assert config.catalog == CatalogSpec.file("catalog.csv")
    assert (config.exp_class, config.forecast_quality, config.input_catalog) == ("ti", "refuse", None)
    assert config.models[0] == FileModel(name="A", path="a.csv", metadata={"doi": "x"})
    assert not config.dependent_windows
