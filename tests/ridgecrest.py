"""The example of Ridgecrest with forecasts made by hand: each model's own command, once a window."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

from forequake.config import FolderModel, ProgramSpec, load_experiment
from forequake.windows import TimeWindow

__all__ = ["EXAMPLE", "copied", "make_forecasts", "past_of", "program_of", "run_program"]

EXAMPLE = Path(__file__).parents[1] / "examples" / "ridgecrest"
#: What the commands of the models' packages do, without an environment in which they are installed.
_SCRIPTS = {
    "reasenberg-jones": "from aftershocks.commands import run_reasenberg_jones as run; run()",
    "running-mean": "from aftershocks.commands import run_running_mean as run; run()",
    "stationary": "from stationary.commands import run; run()",
}


def copied(folder: Path) -> Path:
    """Copy the example as a fresh clone has it; give its folder."""
    left_out = shutil.ignore_patterns("forecasts", "catalog.csv", "__pycache__")
    return Path(shutil.copytree(EXAMPLE, folder / "ridgecrest", ignore=left_out))


def past_of(window: TimeWindow) -> str:
    """Give the part of the learning catalog that is known when a window begins."""
    heading, *rows = (EXAMPLE / "learning.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    start = window.start.replace(tzinfo=None).isoformat()
    return "".join([heading, *(row for row in rows if row.split(",")[3] < start)])


def program_of(model: FolderModel) -> ProgramSpec:
    assert model.program is not None
    return model.program


def run_program(folder: Path, program: ProgramSpec, window: TimeWindow, past: str) -> None:
    """Run a model's command in its folder, with its arguments and catalog where it looks for them."""
    arguments = program.arguments | {
        "start_date": window.start.replace(tzinfo=None).isoformat(),
        "end_date": window.end.replace(tzinfo=None).isoformat(),
    }
    template = (EXAMPLE / "models" / folder.name / "input" / program.args_file).read_text(encoding="utf-8")
    lines = [line for line in template.splitlines() if line.partition("=")[0].strip() not in arguments]
    lines += [f"{name} = {value}" for name, value in arguments.items()]
    (folder / "input" / program.args_file).write_text("\n".join(lines) + "\n", encoding="utf-8")
    (folder / "input" / program.input_catalog).write_text(past, encoding="utf-8")
    command, *words = program.command.split()
    environment = os.environ | {"PYTHONPATH": str(folder)}
    subprocess.run(
        [sys.executable, "-c", _SCRIPTS[command], *words],
        cwd=folder,
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    )


def make_forecasts(config: Path) -> None:
    """Make all forecasts of an experiment of the example, in the folders of its models."""
    experiment = load_experiment(config).config
    for model in experiment.models:
        assert isinstance(model, FolderModel)
        for window in experiment.windows:
            folder = config.parent / model.path
            run_program(folder, program_of(model), window, past_of(window))
            assert any((config.parent / path).is_file() for path in model.forecast_paths(window))
