"""What a model's file says about the run of its program: limits, variables, seeds, force."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from forequake.config import FolderModel, LoadedExperiment, load_experiment
from forequake.config.program_keys import RunLimits
from forequake.errors import ConfigError, InputError
from forequake.processes import ProgramLimits
from forequake.quantities import now
from forequake.renewal import Renewal
from tests.config.test_every_key import BASE

Load = Callable[..., LoadedExperiment]


@pytest.fixture
def load(tmp_path: Path) -> Load:
    for name in ("region.txt", "catalog.csv", "a.csv"):
        (tmp_path / name).write_text("0 0\n1 0\n")
    (tmp_path / "td").mkdir()

    def load(top: dict[str, Any] | None = None, **keys: Any) -> LoadedExperiment:
        models = [{"A": {"path": "a.csv"}}, {"B": {"path": "td", "forecast_type": "gridded", **keys}}]
        text = yaml.safe_dump({**BASE, "models": models, **(top or {})}, sort_keys=False)
        (tmp_path / "config.yml").write_text(text)
        return load_experiment(tmp_path)

    return load


def _program(loaded: LoadedExperiment) -> Any:
    model = loaded.config.models[1]
    assert isinstance(model, FolderModel)
    assert model.program is not None
    return model.program


def _refusal(load: Load, **keys: Any) -> str:
    with pytest.raises(ConfigError) as caught:
        load(func="run", **keys)
    return str(caught.value)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [(1, 1.0), (0.5, 0.5), ("90 seconds", 90.0), ("1-hours", 3600.0), ("2weeks", 1209600.0)],
)
def test_a_length_of_time_is_a_number_of_seconds_or_has_a_unit(
    load: Load, written: object, seconds: float
) -> None:
    assert _program(load(func="run", limits={"seconds": written})).limits.seconds == seconds


@pytest.mark.parametrize(
    ("limits", "says"),
    [
        ({"seconds": 0}, "longer than 0 seconds"),
        ({"seconds": -1}, "between 0 seconds and 366 days"),
        ({"seconds": float("nan")}, "between 0 seconds and 366 days"),
        ({"seconds": "3 months"}, "give weeks, days, hours"),
        ({"seconds": "3 huors"}, "hours"),
        ({"seconds": True}, "expected seconds"),
        ({"seconds": "none"}, "expected seconds"),
        ({"silence_seconds": [1]}, "expected seconds"),
        ({"memory_mb": 0}, "greater than 0"),
        ({"memory_mb": "8 GB"}, "whole number"),
        ({"disk_mb": 10**12}, "1000000000 or less"),
        ({"processes": 1.5}, "whole number"),
        ({"second": 5}, "unknown key"),
        ([1], "expected a mapping"),
    ],
)
def test_a_wrong_limit_is_refused(load: Load, limits: Any, says: str) -> None:
    assert says in _refusal(load, limits=limits)


def test_limits_of_a_model_go_before_those_of_all_and_none_takes_one_away(load: Load) -> None:
    top = {"limits": {"silence_seconds": "5 minutes", "cpu_seconds": 60, "memory_mb": 100}}

    limits = _program(load(top, func="run", limits={"silence_seconds": "none", "memory_mb": 8192})).limits

    assert limits == RunLimits(silence_seconds=None, cpu_seconds=60.0, memory_mb=8192)
    assert limits.program == ProgramLimits(cpu_seconds=60.0)


def test_limits_and_force_are_left_out_of_what_is_recorded(load: Load) -> None:
    plain = load(func="run", build="venv", giturl="https://example.org/m.git")
    forced = load(
        {"limits": {"seconds": 5}},
        func="run",
        build="venv",
        force_build=True,
        force_stage=True,
        giturl="https://example.org/m.git",
    )

    assert forced.config.model_dump(mode="json") == plain.config.model_dump(mode="json")
    assert "variables" not in plain.config.model_dump_json()


@pytest.mark.parametrize(
    ("variables", "says"),
    [
        ({"PATH": "/bin"}, "PATH is set for each run"),
        (["FOREQUAKE_STORE"], "FOREQUAKE_STORE is not given to models"),
        ({"2X": "a"}, "'2X' is no name of a variable"),
        ({"X=Y": "a"}, "'X=Y' is no name of a variable"),
        ({"RATIO": 0.5}, "in quotes"),
        ({"FAST": True}, "in quotes"),
        ({"X": "a\0b"}, "no zero byte"),
        ({"MY_TOKEN": "abc"}, "would be recorded"),
        ({"AWS_SECRET_ACCESS_KEY": "abc"}, "would be recorded"),
        ([1], "expected names"),
        ("X", "expected a list of names"),
    ],
)
def test_a_wrong_variable_is_refused(load: Load, variables: Any, says: str) -> None:
    assert says in _refusal(load, variables=variables)


def test_names_alone_are_passed_on(load: Load) -> None:
    assert _program(load(func="run", variables=["MY_TOKEN"])).variables == {"MY_TOKEN": None}


def test_a_seed_that_has_a_value_already_is_refused(load: Load) -> None:
    assert "leave that out" in _refusal(load, seed_argument="a.seed", func_kwargs={"a": {"seed": 0}})
    assert "has a value at a" in _refusal(load, seed_argument="a.seed", func_kwargs={"a": 3})
    assert "dots" in _refusal(load, seed_argument="a..seed")
    assert "the window's" in _refusal(load, seed_argument="start_date")


def test_dates_of_the_window_are_no_arguments(load: Load) -> None:
    refusal = _refusal(load, func_kwargs={"start_date": "2020-01-01"})

    assert "func_kwargs.start_date" in refusal
    assert "the window's" in refusal


@pytest.mark.parametrize("length", ["1001 years", "999999 years", "600000 days"])
def test_a_model_runs_1000_years_ahead_at_most(load: Load, length: str) -> None:
    refusal = _refusal(load, lead_time=length)

    assert "lead_time" in refusal
    assert "1000 years or less" in refusal


def test_one_seed_for_all_windows_is_told(load: Load) -> None:
    told = load(func="run", func_kwargs={"seed": 0}).notes

    assert any("model 'B': func_kwargs sets seed, so that all windows have the same" in line for line in told)
    assert load(func="run", func_kwargs={"seed": None}, seed_argument="seed").notes == ()


def test_keys_of_a_run_without_a_command_are_not_used(load: Load) -> None:
    keys: dict[str, Any] = {
        "limits": {"seconds": 5},
        "variables": ["X"],
        "seed_argument": "s",
        "force_build": True,
        "force_stage": False,
    }

    assert {f"models.{key}" for key in keys} <= set(load(**keys).config.unused)
    # A package gets an environment of its own also without build.
    assert load(func="run", force_build=True, force_stage=True).config.unused == ("models.force_stage",)


def test_a_reference_uses_none_of_them(load: Load) -> None:
    reference = {"reference": "uniform", "total": 3, "limits": {"seconds": 5}, "force_stage": True}
    unused = load({"models": [{"R": reference}], "tests": [{"N": {"func": "N"}}]}).config.unused
    assert set(unused) == {"models.limits", "models.force_stage"}


def test_only_what_can_be_fetched_or_built_is_asked_for_by_name(load: Load) -> None:
    loaded = load(func="run", giturl="https://example.org/m.git")

    Renewal(now(), build=frozenset({"B"})).check(loaded)
    with pytest.raises(InputError, match=r"--force-build takes a model with a command: .*There is: B"):
        Renewal(now(), build=frozenset({"A"})).check(loaded)
    # Its folder is there.
    with pytest.raises(InputError, match=r"--force-stage takes a model whose source is fetched: .*none"):
        Renewal(now(), stage=frozenset({"B"})).check(loaded)
