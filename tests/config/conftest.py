"""A small experiment of floatCSEP's shape, which tests break in one place."""

from collections.abc import Callable
from pathlib import Path

import pytest

from forequake.config import load_experiment
from forequake.errors import ConfigError

CONFIG = """\
name: small
time_config:
  start_date: 2010-1-1T00:00:00
  end_date: 2020-1-1T00:00:00
region_config:
  region: region.txt
  mag_min: 4.0
  mag_max: 8.0
  mag_bin: 0.1
  depth_min: 0
  depth_max: 70
catalog: catalog.csv
models:
  - Model A:
      path: models/a.csv
  - Model B:
      path: models/b.dat
      forecast_unit: 5
tests:
  - N-test:
      func: poisson_evaluations.number_test
  - S-test:
      func: poisson_evaluations.spatial_test
      func_kwargs:
        seed: 23
        num_simulations: 100
  - T-test:
      func: poisson_evaluations.paired_t_test
      ref_model: Model A
"""

Write = Callable[..., Path]


@pytest.fixture
def write(tmp_path: Path) -> Write:
    """Write the experiment's folder, with pieces of config.yml replaced, and give the folder."""

    def write_folder(*changes: tuple[str, str], folder: str = "experiment") -> Path:
        root = tmp_path / folder
        (root / "models").mkdir(parents=True)
        (root / "td_model").mkdir()
        for name in (
            "region.txt",
            "catalog.csv",
            "models/a.csv",
            "models/b.dat",
            "models/c.xml",
            "models/c.npy",
        ):
            (root / name).write_text("0 0\n1 0\n")
        text = CONFIG
        for old, new in changes:
            assert text.count(old) == 1, f"{old!r} must occur once"
            text = text.replace(old, new)
        (root / "config.yml").write_text(text)
        return root

    return write_folder


@pytest.fixture
def told_alone(write: Write) -> Callable[..., None]:
    """Break the experiment in one place, and look whether just this is told, and where it stands."""

    def check(old: str, new: str, key: str, at: str, says: str, near: str | None = None) -> None:
        folder = write((old, new))
        with pytest.raises(ConfigError) as caught:
            load_experiment(folder)
        (problem,) = caught.value.problems
        lines = (folder / "config.yml").read_text().splitlines()
        assert problem.key == key
        assert problem.file is not None
        assert problem.file.resolve() == folder / "config.yml"
        assert (lines[problem.line - 1].strip() if problem.line else "") == at
        assert says in problem.message
        assert problem.suggestion == near

    return check
