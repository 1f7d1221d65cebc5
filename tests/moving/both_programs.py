"""floatCSEP and forequake on copies of the same folders with programs: what the models saw, wrote, and got.

``python -m tests.moving.both_programs FLOATCSEP`` prints the table, where FLOATCSEP is the command of an
installed floatCSEP 0.5.2; it takes some minutes, and folders, stores and a server of its own.
"""

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from forequake.results import CatalogForecastRecord, ConsistencyRecord, ForecastRecord, TailQuantiles
from stores import ResultQuery, open_store
from tests.moving.floatcsep_folders import FOLDERS

Place = tuple[str, str]
_SEEN = re.compile(r"(SEEN|ARGUMENTS) (\{.*\})")
_COMMAND = str(Path(sys.executable).with_name("forequake"))


@dataclass
class Seen:
    """Of one model and window: its arguments, what it saw of the catalog, its file's hash, its N-test."""

    arguments: dict[str, Any]
    catalog: dict[str, Any]
    forecast: str
    quantiles: tuple[float, float]


def theirs(folder: Path, command: str) -> dict[Place, Seen]:
    """Run floatCSEP in a folder."""
    environment = {**os.environ, "VIRTUAL_ENV": str(Path(command).parents[1])}
    run = subprocess.run(
        [command, "run", "config.yml"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        timeout=600,
    )
    assert run.returncode == 0, run.stdout + run.stderr
    words: dict[Place, dict[str, dict[str, Any]]] = {}
    place = "", ""
    for line in (run.stdout + run.stderr).splitlines():
        begun = re.search(r"Running (.+) using \w+: (\S+)", line)
        place = (begun[1], begun[2]) if begun else place
        for kind, text in _SEEN.findall(line):
            words.setdefault(place, {})[kind] = json.loads(text)
    found = {}
    for file in sorted(folder.glob("results/*/evaluations/*.json")):
        model, window = file.stem.removeprefix("N-test_"), file.parents[1].name
        (forecast,) = folder.glob(f"models/{_folder_of(folder, model)}/forecasts/*_{window}.csv")
        said = words.get((model, window), {})
        found[model, window] = Seen(
            said.get("ARGUMENTS", {}),
            said.get("SEEN", {}),
            hashlib.sha256(forecast.read_bytes()).hexdigest(),
            tuple(json.loads(file.read_text())["quantile"]),
        )
    return found


def _folder_of(folder: Path, model: str) -> str:
    text = (folder / "models.yml").read_text()
    path = re.search(rf"- {re.escape(model)}:\n +path: models/(\S+)", text)
    assert path is not None
    return path[1]


def ours(folder: Path, url: str) -> dict[Place, Seen]:
    """Run forequake on a folder."""
    run = subprocess.run(
        [_COMMAND, "run", str(folder), "--store", url], capture_output=True, text=True, timeout=600
    )
    assert run.returncode == 0, run.stdout + run.stderr
    return seen_by(url, folder)


def seen_by(url: str, folder: Path) -> dict[Place, Seen]:
    """Read what forequake recorded."""
    store, found = open_store(url), {}
    simulated, rates = store.scan(CatalogForecastRecord), store.scan(ForecastRecord)
    for row in store.latest(ResultQuery(experiment=folder.name, limit=1000)).rows:
        canon = store.get(ConsistencyRecord, row.key).canon
        key = json.loads(canon)["in"]["forecast"]
        known: list[CatalogForecastRecord | ForecastRecord] = [*simulated, *rates]
        forecast = next(record for record in known if record.key == key)
        assert isinstance(row.quantiles, TailQuantiles)
        window = f"{row.label.window.start:%Y-%m-%d}_{row.label.window.end:%Y-%m-%d}"
        said = dict(_SEEN.findall("" if forecast.run is None else forecast.run.log))
        found[row.label.model, window] = Seen(
            json.loads(said.get("ARGUMENTS", "{}")),
            json.loads(said.get("SEEN", "{}")),
            forecast.content if forecast.run is None else forecast.run.output,
            (row.quantiles.delta1, row.quantiles.delta2),
        )
    return found


def main() -> None:
    """Print one line for each model and window."""
    home = Path(tempfile.mkdtemp(prefix="both-"))
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"):
        os.environ[name] = str(home / name.lower())
        Path(os.environ[name]).mkdir()
    words = "model", "window", "arguments", "events seen by floatCSEP", "by forequake", "forecast", "N-test"
    sys.stdout.write(f"| {' | '.join(words)} |\n")
    sys.stdout.write(f"{'|---' * 7}|\n")
    try:
        for name, write in FOLDERS.items():
            for who in ("theirs", "ours"):
                write(home / who / name)
            first = theirs(home / "theirs" / name, sys.argv[1])
            second = ours(home / "ours" / name, f"sqlite:///{home}/{name}.sqlite")
            assert first.keys() == second.keys(), (first.keys(), second.keys())
            for place, one in first.items():
                print_line(place, one, second[place])
    finally:
        subprocess.run([_COMMAND, "server", "stop"], check=True, stdout=subprocess.DEVNULL)
        shutil.rmtree(home, ignore_errors=True)


def print_line(place: Place, one: Seen, other: Seen) -> None:
    """Compare both in one line."""
    more = {key: value for key, value in one.arguments.items() if other.arguments.get(key) != value}
    words = "the same" if not more and len(one.arguments) == len(other.arguments) else f"more: {more}"
    events = [
        f"{seen.get('events', '-')}, last {seen.get('last', '-')[:19]}"
        for seen in (one.catalog, other.catalog)
    ]
    file = "the same" if one.forecast == other.forecast else "differs"
    close = all(abs(a - b) < 1e-12 for a, b in zip(one.quantiles, other.quantiles, strict=True))
    test = "the same" if close else f"{one.quantiles} {other.quantiles}"
    line = [*place, words, *events, file, test]
    sys.stdout.write(f"| {' | '.join(line)} |\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
