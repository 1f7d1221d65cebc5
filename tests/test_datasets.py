"""Data sets of pycsep by name."""

import subprocess
import sys
from pathlib import Path

import pytest

from forequake.datasets import DATASETS, find_dataset, is_dataset, locate_dataset, source_file
from forequake.errors import InputError


def test_the_table_is_that_of_pycsep() -> None:
    from csep.utils import datasets

    theirs = {
        name.removesuffix("_fname"): Path(value)
        for name, value in vars(datasets).items()
        if name.endswith("_fname")
    }

    assert {name: locate_dataset(f"csep:{name}") for name in DATASETS} == theirs


def test_finding_a_data_set_does_not_import_pycsep() -> None:
    code = (
        "import sys; from forequake.datasets import locate_dataset; "
        "print(locate_dataset('csep:comcat_example_catalog').is_file(), 'csep' in sys.modules)"
    )

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout.split() == ["True", "False"]


def test_an_unknown_name_is_refused_with_the_nearest() -> None:
    with pytest.raises(InputError, match="did you mean 'csep:helmstetter_mainshock'"):
        find_dataset("csep:helmstetter_mainshok")


def test_only_the_prefix_makes_a_data_set() -> None:
    assert is_dataset("csep:anything")
    assert not is_dataset("models/csep:x")


def test_a_data_set_has_the_ending_of_its_file() -> None:
    assert source_file("csep:gear1_downsampled").suffix == ".dat"
    assert source_file("models/a.csv") == Path("models/a.csv")


def test_a_missing_pycsep_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("forequake.datasets.find_spec", lambda _: None)

    with pytest.raises(InputError, match=r"install pycsep 0\.8"):
        locate_dataset("csep:comcat_example_catalog")
