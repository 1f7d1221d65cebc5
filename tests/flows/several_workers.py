"""The same experiment by one worker and by several at once: all forecasts and results, bit for bit.

``python -m tests.flows.several_workers`` prints what `compare` counts, for four workers.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from forequake.results import CatalogForecastRecord, EvaluationRecord
from stores import ResultQuery, open_store
from tests.moving.floatcsep_folders import write_drawn

COMMAND: Final = str(Path(sys.executable).with_name("forequake"))
NAME: Final = "drawn"
WORKERS: Final = 4


@dataclass(frozen=True)
class Counted:
    """What one or several runs at once made.

    Attributes
    ----------
    forecasts, results
        By key all that does not say when and where they were made.
    bound
        The key of each place.
    programs, environments
        Starts of the models' programs, and of builds.
    computed
        Results over all runs.
    seconds
        Until the last run ended.
    """

    forecasts: dict[str, Any]
    results: dict[str, Any]
    bound: dict[str, str]
    programs: int
    environments: int
    computed: int
    seconds: float


def run_by(workers: int, folder: Path) -> Counted:
    """Run the experiment in an empty folder by so many workers at once, with a cold cache of their own."""
    experiment, cache, url = folder / NAME, folder / "cache", f"sqlite:///{folder / 'results.sqlite'}"
    write_drawn(experiment)  # two models with 50 catalogs, for three days
    config = (experiment / "config.yml").read_text()
    (experiment / "config.yml").write_text(config.replace("end_date: 2012-05-26", "end_date: 2012-05-27"))
    notes = folder / "notes"
    environment = {**os.environ, "XDG_CACHE_HOME": str(cache)}
    words = [sys.executable, "-m", "tests.flows.several_workers", "--noting", str(notes)]
    words += ["run", str(experiment), "--store", url]
    began = time.monotonic()
    running = [
        subprocess.Popen(words, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(workers)
    ]
    try:
        for process in running:
            out, err = process.communicate(timeout=300)
            assert process.returncode == 0, out + err
    finally:
        for process in running:
            process.kill()
            process.communicate()
    seconds = time.monotonic() - began
    noted = notes.read_text().split("\n")
    with open_store(url) as store:
        return Counted(
            forecasts={record.key: _content(record) for record in store.scan(CatalogForecastRecord)},
            results={record.key: _content(record) for record in store.scan(EvaluationRecord)},
            bound={
                json.dumps(row.label.model_dump(mode="json")): row.key
                for row in store.latest(ResultQuery(experiment=NAME, limit=1000)).rows
            },
            programs=noted.count("program"),
            environments=noted.count("environment"),
            computed=sum(run.counts.computed for run in store.runs(NAME)),
            seconds=seconds,
        )


def _content(record: Any) -> Any:
    """Give a record without what tells of one of its runs; with its blob's hash and the program's file's."""
    said = record.model_dump(mode="json")
    blob = said.get("catalogs")
    output = (said.get("run") or {}).get("output")
    return {key: value for key, value in said.items() if key not in record.circumstances} | {
        "blob": blob,
        "output": output,
    }


def _note(file: Path) -> None:
    """Note each start of a program and each build of this process."""
    import forequake.model_runs as maker
    from forequake.models.environments.venv_builds import VenvBuilder

    def noting(place: Any, name: str, word: str) -> None:
        function = getattr(place, name)

        def noted(*words: Any, **more: Any) -> Any:
            with file.open("a") as lines:
                lines.write(f"{word}\n")
            return function(*words, **more)

        setattr(place, name, noted)

    noting(maker, "run_model", "program")
    noting(VenvBuilder, "build", "environment")


def main() -> None:
    """Print what one worker and four made."""
    home = Path(tempfile.mkdtemp(prefix="workers-"))
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        os.environ[name] = str(home / name.lower())
        Path(os.environ[name]).mkdir()
    try:
        subprocess.run([COMMAND, "server", "start"], check=False, stdout=subprocess.DEVNULL)
        made = []
        for workers in (1, WORKERS):
            folder = home / str(workers)
            folder.mkdir()
            made.append(run_by(workers, folder))
            sys.stdout.write(f"{workers} workers: {describe(made[-1])}\n")
            sys.stdout.flush()
        one, several = made
        same = (one.forecasts, one.results, one.bound) == (several.forecasts, several.results, several.bound)
        sys.stdout.write(f"the same forecasts, results and bindings: {same}\n")
    finally:
        subprocess.run([COMMAND, "server", "stop"], check=False, stdout=subprocess.DEVNULL)
        shutil.rmtree(home, ignore_errors=True)


def describe(made: Counted) -> str:
    """Say what was made, in one line."""
    return (
        f"{len(made.forecasts)} forecasts by {made.programs} runs of programs, {made.environments} builds, "
        f"{len(made.results)} results, {made.computed} computed, {made.seconds:.1f} s"
    )


if __name__ == "__main__":
    if sys.argv[1:2] == ["--noting"]:
        _note(Path(sys.argv[2]))
        from flows.cli import main as forequake

        sys.argv[1:] = sys.argv[3:]
        forequake()
    else:
        main()
