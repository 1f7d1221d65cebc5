"""Runs with catalog-based forecasts: synthetic catalogs of each window, tested and stored."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from forequake.results import CatalogForecastRecord, TailQuantiles
from stores import ResultQuery

pytestmark = pytest.mark.prefect

Make = Callable[..., Any]

TESTS = """\
- cN: {func: catalog_evaluations.number_test}
- cS: {func: catalog_evaluations.spatial_test}
- cM: {func: catalog_evaluations.magnitude_test}
- cPL: {func: catalog_evaluations.pseudolikelihood_test}
- cR: {func: catalog_evaluations.resampled_magnitude_test, func_kwargs: {seed: 3}}
"""


def _catalogs(counts: list[int], year: int) -> str:
    """Write synthetic catalogs with so many events each in the form of CSEP; an empty one has no row."""
    generator = np.random.default_rng(year)
    lines = ["lon,lat,mag,time_string,depth,catalog_id,event_id"]
    for number, count in enumerate(counts):
        for event in range(count):
            time = datetime(year, 1, 2, tzinfo=UTC) + timedelta(hours=float(generator.uniform(0, 8000)))
            longitude = generator.choice([0.5, 1.5])
            magnitude = 5.0 + 0.1 * generator.integers(0, 3)
            stamp = time.replace(tzinfo=None).isoformat(timespec="milliseconds")
            lines.append(f"{longitude},0.5,{magnitude:.1f},{stamp},10,{number},{event}")
    return "\n".join(lines) + "\n"


def _with_catalogs(experiment: Any) -> Path:
    """Turn a small experiment into one of synthetic catalogs only; give the folder of the forecasts."""
    head, _, _ = experiment.config.read_text().partition("models:\n")
    model = "- etas: {path: models/etas, class: td, forecast_type: catalog, n_sims: 40}\n"
    experiment.config.write_text(
        head.replace("intervals: 2", "horizon: 1 years") + f"models:\n{model}tests:\n{TESTS}"
    )
    folder: Path = experiment.config.parent / "models" / "etas" / "forecasts"
    folder.mkdir(parents=True)
    return folder


def test_synthetic_catalogs_are_tested_and_stored(prefect_api: str, make_experiment: Make) -> None:
    small = make_experiment()
    folder = _with_catalogs(small)
    counts = [number % 7 for number in range(38)]  # two more catalogs, the last ones, are empty
    for year in (2000, 2001):
        name = f"etas_{year}-01-01_{year + 1}-01-01.csv"
        (folder / name).write_text(_catalogs(counts, year))
    code, out, err = small.run()
    assert code == 0, out + err
    rows = {
        (row.label.window.start.year, row.label.test): row
        for row in small.open().latest(ResultQuery(experiment="small")).rows
    }
    assert len(rows) == 10
    number = rows[2000, "cN"]
    observed = number.n_observed
    simulated = np.array([*counts, 0, 0])
    assert isinstance(number.quantiles, TailQuantiles)
    assert number.quantiles.delta1 == pytest.approx(np.mean(simulated >= observed))
    assert number.quantiles.delta2 == pytest.approx(np.mean(simulated <= observed))
    assert number.n_forecast == pytest.approx(simulated.mean())
    assert {row.outcome.value for row in rows.values()} <= {"passed", "rejected"}
    stored = small.open().scan(CatalogForecastRecord)
    assert sorted(record.n_catalogs for record in stored) == [40, 40]
    code, out, err = small.run()
    assert (code, "Nothing to compute: all 10 results were stored already." in out) == (0, True), err


def test_a_gridded_test_of_synthetic_catalogs_is_refused(prefect_api: str, make_experiment: Make) -> None:
    small = make_experiment()
    _with_catalogs(small)
    small.config.write_text(small.config.read_text() + "- N: {func: poisson_evaluations.number_test}\n")
    code, out, err = small.run()
    assert (code, out) == (2, "")
    assert "the N-test takes gridded forecasts, but those of etas are catalog-based" in err.replace("\n", " ")
