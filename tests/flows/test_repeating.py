"""The commands that the dashboard gives to repeat a run, taken word by word by a shell."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dashboard._provenance import repeat_commands, requirements
from forequake.results import EnvironmentRecord, EvaluationRecord
from stores import ResultQuery, ResultsStore, open_store

pytestmark = pytest.mark.prefect

#: Stands for a fresh Python: its environments have the present one, and forequake is not installed anew.
_PYTHON = """#!/bin/bash
case "$*" in
  "-m venv "*) mkdir -p "$3/bin" && cp "$0" "$3/bin/python" && ln -s "{bin}/forequake" "$3/bin/forequake" ;;
  *--no-deps*) test -f "${{@: -1}}/pyproject.toml" ;;
  *) exec "{bin}/python" "$@" ;;
esac
"""


def _values(store: ResultsStore) -> dict[str, Any]:
    rows = store.latest(ResultQuery(experiment="small")).rows
    found = store.get_many(EvaluationRecord, [row.key for row in rows])
    return {key: (each.statistic, each.quantiles, each.outcome) for key, each in found.items()}


def test_the_commands_give_the_same_results_although_the_files_changed(
    prefect_api: str, make_experiment: Callable[..., Any], tmp_path: Path
) -> None:
    small = make_experiment()
    folder = small.config.parent

    def git(*words: str) -> None:
        who = ("-c", "user.name=a", "-c", "user.email=a@example.org")
        subprocess.run(["git", "-C", str(folder), *who, *words], check=True, capture_output=True)

    git("init", "-q")
    (folder / ".gitignore").write_text("*.sqlite*\n*.log\n")
    git("add", "-A")
    git("commit", "-q", "-m", "first")
    code, _, err = small.run()
    assert code == 0, err
    store = small.open()
    (run,) = store.runs("small")
    assert run.git_dirty is False
    small.config.write_text(small.config.read_text().replace("seed: 7", "seed: 8"))
    git("commit", "-q", "-a", "-m", "second")

    environment = None if run.environment is None else store.get(EnvironmentRecord, run.environment)
    assert environment is not None
    place = tmp_path / "elsewhere"
    place.mkdir()
    (place / "requirements.txt").write_text(requirements(environment))
    tools = tmp_path / "tools"
    tools.mkdir()
    python = tools / f"python{sys.version_info.major}.{sys.version_info.minor}"
    python.write_text(_PYTHON.format(bin=Path(sys.executable).parent))
    python.chmod(0o755)
    commands = repeat_commands(run, environment)
    assert commands is not None
    # Without an index, pip finds every pinned version installed, or fails.
    variables = {"PATH": f"{tools}:{os.environ['PATH']}", "PIP_NO_INDEX": "1"}
    done = subprocess.run(
        ["bash", "-e"],
        input=commands,
        cwd=place,
        env=os.environ | variables,
        text=True,
        capture_output=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert _values(open_store(f"sqlite:///{place / 'repeated.sqlite'}")) == _values(store)
