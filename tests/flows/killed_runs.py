"""forequake killed at each stage of a model's run, and what the next start makes of it.

``python -m tests.flows.killed_runs`` prints the table that stands in ``docs/models.md``. The processes that
are killed stop at a stage, which lasts milliseconds otherwise; nothing else of them is changed.
"""

import functools
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from forequake.processes.below import descendants, start_of
from forequake.results import ForecastRecord
from stores import ResultQuery, open_store
from tests.flows.conftest import catalog_of, table_of
from tests.moving.floatcsep_folders import START, write_package

WINDOWS: Final = 3
#: Stages of a forecast, of the second window but for the build, which is for all.
MOMENTS: Final = (
    "build",
    "input",
    "run",
    "run, with its supervisor",
    "check",
    "seal",
    "store",
    "results",
)
_PATIENCE: Final = 120.0
_PROGRAM = f"""
import pathlib, subprocess, time
here = pathlib.Path("input")
arguments = dict(line.split(" = ") for line in (here / "args.txt").read_text().splitlines())
events = (here / "catalog.csv").read_text().splitlines()[1:]
seconds = float(arguments["sleep"])
if seconds:  # a helper of its own, which nothing ends with it
    subprocess.Popen(["sleep", "60"], start_new_session=True)
time.sleep(seconds)
rate, table = (1 + len(events)) / 6, {table_of(1.0, 1.0)!r}.splitlines()
rows = [row.split(",")[:6] + [str(rate)] * 3 for row in table[1:]]
name = "past_" + arguments["start_date"][:10] + "_" + arguments["end_date"][:10] + ".csv"
text = "\\n".join([table[0], *map(",".join, rows)])
pathlib.Path("forecasts", name).write_text(text + "\\n")
"""
#: Stops the first build, whichever part of it comes first.
_SLOW_BACKEND = """
import pathlib as _pathlib, time as _time
_mark = _pathlib.Path({mark!r})
if not _mark.exists():
    _mark.touch()
    _time.sleep(600)
"""


@dataclass(frozen=True)
class Killed:
    """What a kill left, and what the next start did.

    Attributes
    ----------
    at_work
        Processes below forequake when it was killed.
    left_before, left_after
        Of these, alive one second later, and after the next run.
    forecasts, results
        Stored before the next start, made by it, of these known before, and missing in the end.
    folders
        Left where runs have their private folders.
    seconds
        That the next run took.
    """

    at_work: int
    left_before: int
    left_after: int
    forecasts: tuple[int, int, int, int]
    results: tuple[int, int, int, int]
    folders: int
    seconds: float


def write_experiment(folder: Path, moment: str) -> None:
    """Write an experiment with a program for days, and a file beside it."""
    end = START.replace(day=START.day + WINDOWS)
    model = folder / "models" / "past"
    model.mkdir(parents=True)
    (model / "forecast.py").write_text(_PROGRAM)
    if moment == "build":
        write_package(model, "past", {"past/__init__.py": ""}, "past = past:run")
        text = (model / "backend.py").read_text()
        (model / "backend.py").write_text(_SLOW_BACKEND.format(mark=str(folder / "mark")) + text)
    (folder / "region.txt").write_text("0 0\n1 0\n")
    (folder / "catalog.csep").write_text(catalog_of(12, START.replace(day=10), end))
    (folder / "flat.csv").write_text(table_of(1.0, 1.0))
    (folder / "config.yml").write_text(
        "name: killed\nseed: 7\n"
        f"time_config: {{start_date: {START.isoformat()}, end_date: {end.isoformat()}, horizon: 1 days, "
        "exp_class: td}\n"
        "region_config: {region: region.txt, mag_min: 5.0, mag_max: 5.2, mag_bin: 0.1}\n"
        "catalog: catalog.csep\nmodels:\n- flat: {path: flat.csv}\n"
        "- past: {path: models/past, func: python forecast.py, forecast_type: gridded, fmt: csv, "
        f"func_kwargs: {{sleep: {2.5 if moment.startswith('run') else 0}}}}}\n"
        "tests:\n- N-test: {func: poisson_evaluations.number_test}\n"
        "- CL-test: {func: poisson_evaluations.conditional_likelihood_test}\n"
    )


def kill_and_go_on(folder: Path, moment: str) -> Killed:
    """Kill forequake at a moment, and run again.

    Parameters
    ----------
    folder
        An empty one. ``XDG_CACHE_HOME`` and ``PREFECT_API_URL`` are as the commands shall have them.
    """
    write_experiment(folder, moment)
    url, mark = f"sqlite:///{folder / 'results.sqlite'}", folder / "mark"
    process = _start(folder, url, moment)
    try:
        _wait_for(lambda: _runs_second(process.pid, folder) if moment.startswith("run") else mark.exists())
        at_work = {number: start_of(number) for number in descendants(process.pid)}
        ends = [
            process.pid,
            *(number for number in at_work if "," in moment and _words(number).count("_program")),
        ]
        for number in ends:
            os.kill(number, signal.SIGKILL)
    finally:
        process.kill()
        process.communicate()
    time.sleep(1.0)
    before = _living(at_work)
    made, computed = _stored(url)
    (folder / "runs").unlink(missing_ok=True)
    began = time.monotonic()
    again = _start(folder, url, "none")
    out, err = again.communicate(timeout=_PATIENCE)
    assert again.returncode == 0, out + err
    seconds = time.monotonic() - began
    made_then, computed_then = _stored(url)
    ran = (folder / "runs").read_text().split() if (folder / "runs").exists() else []
    known = {window for window, *_ in made.values()}
    counts = open_store(url).runs("killed")[0].counts
    return Killed(
        at_work=len(at_work),
        left_before=before,
        left_after=_living(at_work),
        forecasts=(
            len(made),
            len(ran),
            len([window for window in ran if window in known]),
            WINDOWS - len(made_then),
        ),
        results=(
            len(computed),
            counts.computed,
            len([key for key, when in computed.items() if computed_then.get(key) != when]),
            4 * WINDOWS - len(computed_then),
        ),
        folders=len(list((Path(os.environ["XDG_CACHE_HOME"]) / "forequake" / "runs").glob("*"))),
        seconds=seconds,
    )


def _start(folder: Path, url: str, moment: str) -> subprocess.Popen[str]:
    words = ["run", str(folder), "--store", url]
    command = [sys.executable, "-m", "tests.flows.killed_runs", "--stopping", moment, str(folder), *words]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def _wait_for(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _PATIENCE
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def _words(process: int) -> str:
    with suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    return ""


def _runs_second(process: int, folder: Path) -> bool:
    """Tell whether the program works on the second window."""
    ran = (folder / "runs").read_text().split() if (folder / "runs").exists() else []
    return len(ran) == 2 and any(_words(number) == "sleep 60 " for number in descendants(process))


def _living(processes: dict[int, int | None]) -> int:
    return sum(start_of(number) == start is not None for number, start in processes.items())


def _stored(url: str) -> tuple[dict[str, tuple[str, str]], dict[str, str]]:
    """Give the forecasts of the program and the results that are stored, and when each was made."""
    with open_store(url) as store:
        forecasts = {
            record.key: (record.run.arguments.split()[2], str(record.made_at))
            for record in store.scan(ForecastRecord)
            if record.run is not None
        }
        rows = store.latest(ResultQuery(experiment="killed", limit=1000)).rows
        return forecasts, {row.key: str(row.computed_at) for row in rows}


def _stop_at(moment: str, folder: Path) -> None:
    """Have this process stop at a moment of the second window, and note each window whose program runs."""
    import forequake.model_runs as maker
    import forequake.models.runs.run as running
    from stores.sqlite.store import SqliteStore

    def stop() -> None:
        (folder / "mark").touch()
        time.sleep(600)

    def note(function: Callable[..., Any], request: Any) -> Any:
        with (folder / "runs").open("a") as runs:
            runs.write(f"{request.window.start:%Y-%m-%dT%H:%M:%S}\n")
        return function(request)

    def later(function: Callable[..., Any], *words: Any, **more: Any) -> Any:
        number = len((folder / "runs").read_text().split())
        if moment != "seal" and number == 2:
            stop()
        done = function(*words, **more)
        if number == 2:
            stop()
        return done

    def put(function: Callable[..., Any], store: Any, records: Any) -> Any:
        programs = [record for record in records if isinstance(record, ForecastRecord) and record.run]
        if programs and len((folder / "runs").read_text().split()) == 2:
            stop()
        return function(store, records)

    def publish(function: Callable[..., Any], store: Any, run: Any, bindings: Any) -> Any:
        if bindings[0].label.model == "past":
            _wait_for((folder / "flat is there").exists)
            stop()
        report = function(store, run, bindings)
        (folder / "flat is there").touch()
        return report

    outside: dict[str, tuple[str, Callable[..., Any]]]

    def replace(place: Any, name: str, stopping: Callable[..., Any]) -> None:
        setattr(place, name, functools.partial(stopping, getattr(place, name)))

    replace(maker, "run_model", note)
    inside = {"input": "fill", "check": "check_forecast", "seal": "_move"}
    if moment in inside:
        replace(running, inside[moment], later)
    outside = {"store": ("put", put), "results": ("publish", publish)}
    if moment in outside:
        name, stopping = outside[moment]
        function = getattr(SqliteStore, name)
        setattr(SqliteStore, name, lambda store, *words: stopping(function, store, *words))


def main() -> None:
    """Print the table, with folders and a server of its own."""
    home = Path(tempfile.mkdtemp(prefix="killed-"))
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        os.environ[name] = str(home / name.lower())
        Path(os.environ[name]).mkdir()
    command = str(Path(sys.executable).with_name("forequake"))
    words = (
        "killed during",
        "processes then",
        "1 s later",
        "after the next run",
        "forecasts: stored, made, twice, missing",
        "results: stored, made, twice, missing",
        "folders left",
        "seconds",
    )
    try:
        subprocess.run([command, "server", "start"], check=False, stdout=subprocess.DEVNULL)
        sys.stdout.write(f"| {' | '.join(words)} |\n{'|---' * len(words)}|\n")
        for moment in MOMENTS:
            folder = home / moment.replace(", ", "-").replace(" ", "-")
            folder.mkdir()
            found = kill_and_go_on(folder, moment)
            several = [", ".join(map(str, counts)) for counts in (found.forecasts, found.results)]
            line = [found.at_work, found.left_before, found.left_after, *several, found.folders]
            sys.stdout.write(f"| {moment} | {' | '.join(map(str, line))} | {found.seconds:.1f} |\n")
            sys.stdout.flush()
    finally:
        subprocess.run([command, "server", "stop"], check=False, stdout=subprocess.DEVNULL)
        shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--stopping"]:
        _stop_at(sys.argv[2], Path(sys.argv[3]))
        from flows.cli import main as forequake

        sys.argv[1:] = sys.argv[4:]
        forequake()
    else:
        main()
