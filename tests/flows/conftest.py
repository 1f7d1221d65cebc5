"""Small experiments, and the command as a process of its own."""

import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from stores import ResultsStore, open_store

COMMAND = str(Path(sys.executable).with_name("forequake"))


@dataclass(frozen=True)
class SmallExperiment:
    """An experiment of two cells and a store of its own."""

    config: Path
    store_url: str

    def open(self) -> ResultsStore:
        return open_store(self.store_url)

    def command(self, *words: str) -> str:
        """Run any command on the store and give what it prints; it must succeed."""
        arguments = [COMMAND, *words, "--store", self.store_url]
        return subprocess.run(arguments, check=True, capture_output=True, text=True, timeout=60).stdout

    def start(self, *words: str, store: str | None = None) -> subprocess.Popen[str]:
        arguments = [COMMAND, "run", str(self.config), "--store", store or self.store_url, *words]
        return subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    def run(self, *words: str, store: str | None = None) -> tuple[int, str, str]:
        process = self.start(*words, store=store)
        out, err = process.communicate(timeout=180)
        return process.returncode, out, err


HEADING = "lon_min, lon_max, lat_min, lat_max, depth_min, depth_max, 5.0, 5.1, 5.2"
RATES = {"flat": (1.0, 1.0), "west": (1.6, 0.4)}


def table_of(west: float, east: float) -> str:
    """Write a forecast of two cells: rates a year, falling by half from bin to bin."""
    lines = [HEADING]
    for longitude, rate in enumerate((west, east)):
        rates = ", ".join(str(rate / 2**place) for place in range(3))
        lines.append(f"{longitude}, {longitude + 1}, 0, 1, 0, 30, {rates}")
    return "\n".join(lines) + "\n"


def catalog_of(count: int, start: datetime, end: datetime) -> str:
    """Write a catalog of evenly spaced events, four in five of them in the western cell."""
    step = (end - start) / (count + 1)
    lines = ["lon,lat,mag,time_string,depth,cat_id,event_id"]
    for number in range(count):
        time = (start + (number + 1) * step).replace(microsecond=0)
        longitude = 1.5 if number % 5 == 0 else 0.5
        lines.append(f"{longitude},0.5,{5.0 + 0.1 * (number % 3):.1f},{time.isoformat()},10,0,{number}")
    return "\n".join(lines) + "\n"


@pytest.fixture
def make_experiment(tmp_path: Path) -> Callable[..., SmallExperiment]:
    """Build a small experiment: two models, N and CL and T, over `windows` windows of a year each."""

    def make(*, windows: int = 2, simulations: int = 100, name: str = "small") -> SmallExperiment:
        folder = tmp_path / name
        (folder / "models").mkdir(parents=True)
        # All in the past: windows that have not ended wait.
        start = datetime(2000 - max(0, windows - 20), 1, 1)  # noqa: DTZ001
        end = start.replace(year=start.year + windows)
        (folder / "region.txt").write_text("0 0\n1 0\n")
        (folder / "catalog.csep").write_text(catalog_of(4 * windows, start, end - timedelta(days=1)))
        for model, rates in RATES.items():
            (folder / "models" / f"{model}.csv").write_text(table_of(*rates))
        models = "".join(f"- {model}: {{path: models/{model}.csv}}\n" for model in RATES)
        (folder / "config.yml").write_text(
            f"name: {name}\nseed: 7\n"
            f"time_config: {{start_date: {start.isoformat()}, end_date: {end.isoformat()}, "
            f"intervals: {windows}}}\n"
            "region_config: {region: region.txt, mag_min: 5.0, mag_max: 5.2, mag_bin: 0.1}\n"
            "catalog: catalog.csep\n"
            f"models:\n{models}tests:\n"
            "- N-test: {func: poisson_evaluations.number_test}\n"
            "- CL-test: {func: poisson_evaluations.conditional_likelihood_test, "
            f"func_kwargs: {{num_simulations: {simulations}}}}}\n"
            "- T-test: {func: poisson_evaluations.paired_t_test, ref_model: flat}\n"
        )
        return SmallExperiment(folder / "config.yml", f"sqlite:///{folder / 'results.sqlite'}")

    return make
