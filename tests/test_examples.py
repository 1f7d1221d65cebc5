"""The examples give the numbers that pyCSEP gives, by whichever way they are asked for."""

import json
import math
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import scipy.stats

pytestmark = [pytest.mark.prefect, pytest.mark.slow]

#: Computed with pyCSEP 0.8.0 called directly: statistic and q at seed 1 with 1000 simulations.
SIMULATED = {
    ("L", "mainshock"): (-34.86965242369517, 0.0),
    ("L", "aftershock"): (-33.332188960288555, 0.0),
    ("CL", "mainshock"): (-34.86965242369517, 0.705),
    ("CL", "aftershock"): (-33.332188960288555, 0.695),
    ("S", "mainshock"): (-20.75878423861125, 0.551),
    ("S", "aftershock"): (-20.758784188987768, 0.551),
    ("M", "mainshock"): (-6.592792937487257, 0.700),
    ("M", "aftershock"): (-6.54905689617426, 0.689),
}
EXPECTED_NUMBER = {"mainshock": 0.08104244886639791, "aftershock": 0.13579014525014685}


@pytest.fixture(scope="module")
def results(california: Any) -> dict[tuple[str, str], dict[str, Any]]:
    """The results as another program reads them."""
    command = [str(Path(sys.executable).with_name("forequake")), "results", "california"]
    options = ["--store", california.store_url, "--format", "json", "--distribution"]
    printed = subprocess.run([*command, *options], check=True, capture_output=True, text=True).stdout
    return {(entry["test"], entry["model"]): entry for entry in json.loads(printed)}


def test_all_results_are_there_and_the_second_run_computed_none(
    california: Any, results: dict[tuple[str, str], dict[str, Any]]
) -> None:
    assert len(results) == 3 * 5 + 2 * 2
    assert "19 results computed" in california.first
    assert "Nothing to compute: all 19 results were stored already." in california.second
    assert {entry["n_observed"] for entry in results.values()} == {3}
    assert {entry["start"] for entry in results.values()} == {"2019-07-06T03:20:00+00:00"}


@pytest.mark.parametrize("place", SIMULATED)
def test_simulated_tests_are_those_of_pycsep(
    results: dict[tuple[str, str], dict[str, Any]], place: tuple[str, str]
) -> None:
    statistic, q = SIMULATED[place]
    entry = results[place]
    assert entry["statistic"] == pytest.approx(statistic, rel=1e-12)
    assert entry["quantiles"] == {"q": q}
    assert entry["outcome"] == ("rejected" if q < 0.05 else "passed")
    assert entry["seed"] == 1
    assert len(entry["distribution"]["values"]) == 1000


@pytest.mark.parametrize("model", EXPECTED_NUMBER)
def test_the_number_of_events_by_poisson(results: dict[tuple[str, str], dict[str, Any]], model: str) -> None:
    entry = results["N", model]
    expected = EXPECTED_NUMBER[model]
    assert entry["n_forecast"] == pytest.approx(expected, rel=1e-12)
    assert entry["statistic"] == 3
    assert entry["quantiles"]["delta1"] == pytest.approx(scipy.stats.poisson.sf(2, expected), rel=1e-9)
    assert entry["quantiles"]["delta2"] == pytest.approx(scipy.stats.poisson.cdf(3, expected), rel=1e-9)
    assert entry["outcome"] == "rejected"


def test_the_t_test_and_why_the_w_test_says_nothing(
    results: dict[tuple[str, str], dict[str, Any]],
) -> None:
    t = results["T", "aftershock"]
    assert t["statistic"] == pytest.approx(0.5124878211, rel=1e-9)
    assert t["quantiles"]["t"] == pytest.approx(26.804, abs=5e-4)
    assert t["quantiles"]["t_critical"] == pytest.approx(scipy.stats.t.ppf(0.975, 2), rel=1e-12)
    assert t["quantiles"]["p"] == pytest.approx(2 * scipy.stats.t.sf(t["quantiles"]["t"], 2), rel=1e-9)
    assert t["outcome"] == "better"
    # By hand: the mean log-ratio of the rates lies near ln(35.40/21.13), less the difference of the totals.
    difference = (EXPECTED_NUMBER["aftershock"] - EXPECTED_NUMBER["mainshock"]) / 3
    mean_log_ratio = t["statistic"] + difference
    assert mean_log_ratio == pytest.approx(math.log(35.402430726026594 / 21.128924168796416), abs=0.02)
    w = results["W", "aftershock"]
    assert (w["outcome"], w["quantiles"]["p"]) == (
        "undefined",
        0.25,
    )  # two of the eight signs of three events
    assert w["reason"]
