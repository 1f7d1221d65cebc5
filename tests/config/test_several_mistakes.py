"""Several mistakes, and how they read."""

from collections.abc import Callable
from pathlib import Path

import pytest

from forequake.config import load_experiment
from forequake.errors import ConfigError, Problem

Write = Callable[..., Path]


def _problems(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(ConfigError) as caught:
        load_experiment(folder)
    return caught.value.problems


def test_all_mistakes_are_told_at_once_in_the_order_of_lines(write: Write) -> None:
    folder = write(
        ("name: small", "name: small\nseed: x"),
        ("mag_bin: 0.1", "mag_bin: 0"),
        ("region.txt", "regin.txt"),
        ("start_date: 2010-1-1T00:00:00", "start_date: 2030-1-1"),
        ("forecast_unit: 5", "forcast_unit: 5"),
        ("ref_model: Model A", "ref_model: Model C"),
        ("num_simulations: 100", "num_simulations: many"),
    )

    problems = _problems(folder)

    assert [problem.key for problem in problems] == [
        "seed",
        "time_config.start_date",
        "region_config.region",
        "region_config.mag_bin",
        "models.Model B.forcast_unit",
        "tests.S-test.func_kwargs.num_simulations",
        "tests.T-test.ref_model",
    ]
    assert [problem.line for problem in problems] == [2, 4, 7, 10, 19, 27, 30]


def test_a_reference_is_not_blamed_where_the_models_cannot_be_read(write: Write) -> None:
    folder = write(
        ("catalog: catalog.csv", "catalog: catalog.csv\nmodel_config: m.yml"), ("models:\n", "authors:\n")
    )

    (problem,) = _problems(folder)

    assert problem.key == "model_config"
    assert "no such file" in problem.message


def test_a_problem_reads_well_in_a_terminal(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = write(("ref_model: Model A", "ref_model: Modle A"))
    monkeypatch.chdir(folder.parent)

    (problem,) = _problems(folder)

    assert str(problem) == (
        "experiment/config.yml:29: tests.T-test.ref_model: there is no such model; "
        "the experiment has Model A, Model B (got 'Modle A'); did you mean 'Model A'?"
    )
