"""The example of Ridgecrest with forecasts made by hand: each model's own command, once a window."""

import contextlib
import importlib
import shutil
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from forequake.config import FolderModel, ProgramSpec, load_experiment
from forequake.windows import TimeWindow

__all__ = ["EXAMPLE", "commands", "copied", "importable", "make_forecasts", "past_of", "run_command"]

EXAMPLE = Path(__file__).parents[1] / "examples" / "ridgecrest"
_PACKAGES = ("aftershocks", "stationary")


def commands() -> dict[str, str]:
    """Give the function, as ``module:function``, of each command that the models' packages install."""
    found: dict[str, str] = {}
    for package in _PACKAGES:
        text = (EXAMPLE / "models" / package / "pyproject.toml").read_text(encoding="utf-8")
        found |= tomllib.loads(text)["project"]["scripts"]
    return found


@contextlib.contextmanager
def importable() -> Iterator[None]:
    """Let the models' packages be imported as if they were installed."""
    with pytest.MonkeyPatch.context() as patch:
        for package in _PACKAGES:
            patch.syspath_prepend(str(EXAMPLE / "models" / package))
        try:
            yield
        finally:
            for name in [name for name in sys.modules if name.split(".")[0] in _PACKAGES]:
                del sys.modules[name]


def copied(folder: Path) -> Path:
    """Copy the example as a fresh clone has it; give its folder."""
    left_out = shutil.ignore_patterns("forecasts", "catalog.csv", "__pycache__")
    return Path(shutil.copytree(EXAMPLE, folder / "ridgecrest", ignore=left_out))


def past_of(window: TimeWindow) -> str:
    """Give the part of the learning catalog that is known when a window begins."""
    heading, *rows = (EXAMPLE / "learning.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    start = window.start.replace(tzinfo=None).isoformat()
    return "".join([heading, *(row for row in rows if row.split(",")[3] < start)])


def run_command(folder: Path, command: str, arguments: dict[str, object], past: str) -> None:
    """Run a model's command in its folder, with arguments and catalog where it looks for them.

    `importable` must be around it.
    """
    (folder / "input").mkdir(parents=True, exist_ok=True)
    lines = [f"{name} = {value}" for name, value in arguments.items()]
    (folder / "input" / "args.txt").write_text("# as a run writes it\n" + "\n".join(lines) + "\n")
    (folder / "input" / "catalog.csv").write_text(past)
    name, *words = command.split()
    module, _, function = commands()[name].partition(":")
    run = getattr(importlib.import_module(module), function)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(sys, "argv", [name, *words])
        run()


def make_forecasts(config: Path) -> None:
    """Make all forecasts of an experiment of the example, in the folders of its models."""
    experiment = load_experiment(config).config
    with importable():
        for model in experiment.models:
            assert isinstance(model, FolderModel)
            assert isinstance(model.program, ProgramSpec)
            for window in experiment.windows:
                dates = {
                    "start_date": window.start.replace(tzinfo=None).isoformat(),
                    "end_date": window.end.replace(tzinfo=None).isoformat(),
                }
                folder = config.parent / model.path
                run_command(
                    folder, model.program.command, {**model.program.arguments, **dates}, past_of(window)
                )
                assert any((config.parent / path).is_file() for path in model.forecast_paths(window))
