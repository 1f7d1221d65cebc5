"""The experiments of Ridgecrest, run by the command, give the specification's numbers."""

import json
import subprocess
import sys
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest

from tests.ridgecrest import copied, make_forecasts

pytestmark = [pytest.mark.prefect, pytest.mark.slow]

COMMAND = str(Path(sys.executable).with_name("forequake"))
Results = dict[tuple[str, str], list[dict[str, Any]]]


@pytest.fixture(scope="module")
def results(prefect_api: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Results]:
    """The results of the three experiments: of each test and model, in order of the windows."""
    folder = tmp_path_factory.mktemp("ridgecrest")
    example, url = copied(folder), f"sqlite:///{folder / 'results.sqlite'}"
    found: dict[str, Results] = {}
    for file in ("config.yml", "rates.yml", "empty_windows.yml"):
        if file != "config.yml":  # whose programs are run as they are, each in its own environment
            make_forecasts(example / file)
        run = [COMMAND, "run", str(example / file), "--store", url]
        process = subprocess.run(run, capture_output=True, text=True, timeout=240)
        assert process.returncode == 0, process.stderr
        name = {"config.yml": "ridgecrest", "rates.yml": "ridgecrest-rates"}.get(
            file, "ridgecrest-empty-windows"
        )
        words = [COMMAND, "results", name, "--store", url, "--format", "json"]
        printed = subprocess.run(words, check=True, capture_output=True, text=True).stdout
        by_place: Results = defaultdict(list)
        for entry in sorted(json.loads(printed), key=lambda entry: (entry["start"], entry["end"])):
            by_place[entry["test"], entry["model"]].append(entry)
        found[name] = by_place
    return found


def _rejected(entries: list[dict[str, Any]]) -> list[str]:
    return [entry["start"][8:10] for entry in entries if entry["outcome"] == "rejected"]


def test_numbers_of_catalogs(results: dict[str, Results]) -> None:
    of = results["ridgecrest"]
    assert [entry["n_observed"] for entry in of["N", "rj@drawn"]] == [58, 12, 9, 4, 13, 17, 3]
    assert _rejected(of["N", "rj@drawn"]) == []
    tails = [min(entry["quantiles"].values()) for entry in of["N", "rj@drawn"]]
    assert min(tails) == pytest.approx(0.22, abs=0.02)
    assert _rejected(of["N", "rj@fixed"]) == ["06", "07", "09", "11"]
    assert _rejected(of["N", "rj@updated"]) == ["06", "07", "11"]
    assert len(_rejected(of["N", "stationary"])) == 7
    expected = [entry["n_forecast"] for entry in of["N", "rj@fixed"]]
    assert expected == pytest.approx([75.6, 29.2, 15.9, 10.8, 8.2, 6.5, 5.4], abs=0.1)
    assert of["N over windows", "rj@drawn"][0]["outcome"] == "passed"
    assert of["N over windows", "rj@fixed"][0]["outcome"] == "rejected"


def test_places_and_magnitudes_of_catalogs(results: dict[str, Results]) -> None:
    of = results["ridgecrest"]
    for model in ("rj@fixed", "rj@drawn", "rj@updated"):
        assert _rejected(of["S", model]) == _rejected(of["M resampled", model]) == []
    assert _rejected(of["PL", "rj@drawn"]) == []


def test_counts_and_gains(results: dict[str, Results]) -> None:
    of = results["ridgecrest-rates"]
    counts = [entry["statistic"] for entry in of["Counts 1", "rj@fixed"]]
    assert counts == pytest.approx([374.3, 49.0, 37.3, 11.3, 60.0, 78.8, 9.1], abs=0.05)
    assert sum(counts) / 116 == pytest.approx(5.34, abs=0.005)
    gains = [entry["statistic"] for entry in of["Gain 1", "rj@fixed"]]
    assert sum(gains) == pytest.approx(804.1, abs=0.1)
    (cumulative,) = of["Cumulative T 1", "rj@fixed"]
    assert cumulative["statistic"] == pytest.approx(sum(gains) / 116)
    assert all(entry["quantiles"]["delta1"] <= 1.31e-5 for entry in of["N", "stationary"])


def test_empty_windows_count(results: dict[str, Results]) -> None:
    of = results["ridgecrest-empty-windows"]
    assert [entry["n_observed"] for entry in of["N", "rj@fixed"]] == [14, 2, 0, 0, 5, 5, 1]
    for test in ("Counts 1", "Gain 1"):
        assert [entry["statistic"] for entry in of[test, "rj@fixed"]][2:4] == pytest.approx(
            [-6.2, -4.2], abs=0.05
        )
    assert sum(entry["statistic"] for entry in of["Counts 1", "rj@fixed"]) / 27 == pytest.approx(
        4.49, abs=0.005
    )
    assert [entry["outcome"] for entry in of["T 1", "rj@fixed"]][2:4] == ["undefined", "undefined"]
