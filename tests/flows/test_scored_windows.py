"""Runs with scores: one number a window, and sums over windows where results are shown."""

import json
import math
from collections.abc import Callable
from datetime import datetime
from typing import Any

import numpy as np
import pytest
import scipy.stats

from forequake.results import Outcome, Side
from stores import ResultQuery
from tests.flows.conftest import RATES

pytestmark = pytest.mark.prefect

TESTS = """\
- LL: {func: sequential_likelihood}
- IG: {func: sequential_information_gain, ref_model: flat}
- ROC: {func: plots.plot_concentration_ROC_diagram}
"""


def _counts(experiment: Any, year: int) -> Any:
    """Count a year's events in all cells and bins, from the catalog's file itself."""
    counts = np.zeros((2, 3))
    for line in (experiment.config.parent / "catalog.csep").read_text().splitlines()[1:]:
        longitude, _, magnitude, time, *_ = line.split(",")
        if datetime.fromisoformat(time).year == year:
            counts[int(float(longitude)), round((float(magnitude) - 5) * 10)] += 1
    return counts


def _area_under_curve(counts: Any, model: str) -> float:
    """Give the area under two straight lines: over the western cell, half of all, and the other."""
    west = counts[0].sum() / counts.sum()
    return float((2 * west + 1) / 4) if model == "west" else 0.5


def _likelihood(counts: Any, model: str, years: float) -> float:
    """Add up Poisson log-probabilities of all cells and bins."""
    rates = np.array([[rate, rate / 2, rate / 4] for rate in RATES[model]]) * years
    return float(scipy.stats.poisson.logpmf(counts, rates).sum())


def test_windows_are_scored_and_sums_are_shown(prefect_api: str, make_experiment: Callable[..., Any]) -> None:
    small = make_experiment(windows=3)
    head = small.config.read_text().replace("intervals: 3", "horizon: 1 years").partition("tests:\n")[0]
    small.config.write_text(f"{head}tests:\n{TESTS}")
    code, out, err = small.run()
    assert (code, "15 results computed" in out) == (0, True), out + err
    rows = small.open().latest(ResultQuery(experiment="small")).rows
    found = {(row.label.test, row.label.model, row.label.window.start.year): row for row in rows}
    assert len(found) == 15
    totals = dict.fromkeys(RATES, 0.0)
    for year in (2000, 2001, 2002):
        likelihoods, counts = {}, _counts(small, year)
        for model in RATES:
            row = found["LL", model, year]
            years = row.n_forecast / (2 * 1.75)
            assert years == pytest.approx(1, rel=0.01)
            likelihoods[model] = _likelihood(counts, model, years)
            assert row.statistic == pytest.approx(likelihoods[model], rel=1e-10)
            assert (row.outcome, row.side, row.quantiles) == (Outcome.SCORE_ONLY, Side.NONE, None)
            totals[model] += likelihoods[model]
            area = _area_under_curve(counts, model)
            assert found["ROC", model, year].statistic == pytest.approx(area, rel=1e-12)
        gain = found["IG", "west", year].statistic
        assert gain == pytest.approx(likelihoods["west"] - likelihoods["flat"], rel=1e-10, abs=1e-10)
    assert f"sum {totals['flat']:.6g} of 3 windows" in " ".join(out.split())
    shown = small.command("results", "small")
    assert _area_under_curve(counts, "west") == 0.625  # three of the four events of each year
    assert "ROC of west: mean 0.625 (0.625 to 0.625) of 3 windows." in shown
    assert f"LL of west: sum {totals['west']:.6g} of 3 windows." in shown
    assert f"IG vs flat of west: sum {totals['west'] - totals['flat']:.6g} of 3 windows." in shown
    objects = json.loads(small.command("results", "small", "--format", "json"))
    assert {entry["kind"] for entry in objects} == {"score"}
    assert all(math.isfinite(entry["statistic"]) for entry in objects)
