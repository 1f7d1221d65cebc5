"""Every test over windows of a small experiment, computed as a run does, and by hand from single windows."""

import io
import math
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

import numpy as np
import pytest
from scipy import stats

from forequake.across import present_inputs
from forequake.config import load_experiment
from forequake.errors import InputError
from forequake.evaluations.power import power_of
from forequake.keys import bytes_digest
from forequake.plan import Selection
from forequake.quantities import Sha256
from forequake.resolution import resolve
from forequake.results import (
    AdjustedQuantile,
    BatchQuantiles,
    ComparisonRecord,
    EvaluationRecord,
    KolmogorovQuantile,
    Label,
    LowerQuantile,
    Outcome,
    Record,
    StudentQuantiles,
    TailQuantiles,
)
from forequake.shelf import ForecastShelf
from forequake.steps import make_forecasts, windows_by_source
from forequake.units import evaluate_unit

R = TypeVar("R", bound=Record)

WINDOWS = 12
#: All have a length of their own, and so forecasts of their own.
SPANS = [f"[{year}-01-01, {year}-12-{2 * (year - 2000) + 1:02}]" for year in range(2000, 2000 + WINDOWS)]
CONFIG = f"""
name: small
seed: 7
time_config: {{time_windows: [{", ".join(SPANS)}]}}
region_config: {{region: region.txt, mag_min: 5.0, mag_max: 5.1, mag_bin: 0.1}}
catalog: catalog.csep
models:
- one: {{path: one.csv}}
- two: {{path: two.csv}}
- flat: {{path: flat.csv}}
tests:
- N: {{func: N}}
- CL: {{func: CL, func_kwargs: {{num_simulations: 300}}}}
- LL: {{func: LL}}
- IG: {{func: IG, ref_model: flat}}
- T: {{func: T, ref_model: flat}}
- batch: {{func: vector_poisson_t_w_test}}
- cumulative N: {{func: cumulative N}}
- cumulative L: {{func: cumulative L, func_kwargs: {{num_simulations: 50}}}}
- cumulative CL: {{func: cumulative CL, func_kwargs: {{num_simulations: 50}}}}
- cumulative S: {{func: cumulative S, func_kwargs: {{num_simulations: 50}}}}
- cumulative M: {{func: cumulative M, func_kwargs: {{num_simulations: 50}}}}
- cumulative T: {{func: cumulative T, ref_model: flat}}
- cumulative W: {{func: cumulative W, ref_model: flat}}
- DM: {{func: DM}}
- Holm N: {{func: Holm, func_kwargs: {{of: N}}}}
- Holm CL: {{func: Holm, func_kwargs: {{of: CL}}}}
- calibration: {{func: calibration, func_kwargs: {{of: N}}}}
"""
MODELS = {"one": (3.0, 0.5, 0.2, 0.1), "two": (2.0, 0.6, 1.5, 0.2), "flat": (1.0, 1.0, 1.0, 1.0)}


class _Memory:
    """What a run needs of a store."""

    def __init__(self) -> None:
        self.records: dict[Sha256, Record] = {}
        self.blobs: dict[Sha256, bytes] = {}

    def get(self, kind: type[R], key: Sha256) -> R:
        record = self.records[key]
        assert isinstance(record, kind)
        return record

    def open_blob(self, sha: Sha256) -> BinaryIO:
        return io.BytesIO(self.blobs[sha])

    def existing(self, kind: type[Record], keys: Collection[Sha256]) -> frozenset[Sha256]:
        return frozenset(key for key in keys if isinstance(self.records.get(key), kind))


def _write(folder: Path) -> None:
    (folder / "config.yml").write_text(CONFIG)
    (folder / "region.txt").write_text("0 0\n1 0\n")
    head = "lon_min, lon_max, lat_min, lat_max, depth_min, depth_max, 5.0, 5.1\n"
    for name, (a, b, c, d) in MODELS.items():
        cells = f"0, 1, 0, 1, 0, 30, {a}, {b}\n1, 2, 0, 1, 0, 30, {c}, {d}\n"
        (folder / f"{name}.csv").write_text(head + cells)
    random, rows = np.random.default_rng(4), []
    for year in range(2000, 2000 + WINDOWS):
        for number in range(0 if year == 2003 else int(random.integers(2, 9))):
            place, magnitude = random.choice([0.5, 0.5, 1.5]), random.choice([5.0, 5.0, 5.1])
            rows.append(f"{place},0.5,{magnitude},{year}-06-{number + 1:02}T00:00:00,10,0,{year}-{number}\n")
    (folder / "catalog.csep").write_text("".join(rows))


def _results(
    folder: Path, lost: Collection[int] = (), only: Collection[str] = ()
) -> Iterator[tuple[Label, EvaluationRecord]]:
    """Compute all results; the forecasts of the windows that are lost, by number, cannot be used."""
    _write(folder)
    loaded = load_experiment(folder / "config.yml")
    experiment, store = resolve(loaded), _Memory()
    windows_lost = {experiment.config.windows[number] for number in lost}
    for model in MODELS:
        for windows in windows_by_source(experiment, model, experiment.config.windows):
            made = make_forecasts(loaded, experiment, model, windows)
            with made.open() as file:
                data = file.read()
            store.blobs[bytes_digest(data)] = data
            kept = [
                record
                for window, record in zip(windows, made.records, strict=True)
                if window not in windows_lost
            ]
            store.records |= {record.key: record for record in kept}
    shelf = ForecastShelf(experiment, store)
    for label in experiment.labels():
        if label.window in windows_lost or (only and label.test not in only):
            continue
        over = experiment.over_windows(label)
        inputs = present_inputs(experiment, store, label) if over else experiment.result_inputs(label)
        record, _ = evaluate_unit(experiment, shelf, label, inputs, "0" * 64)
        store.records[record.key] = record
        yield label, record


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], list[EvaluationRecord]]:
    """All results by test and model; those of a batch by test and both models."""
    found: dict[tuple[str, str], list[EvaluationRecord]] = {}
    for label, record in _results(tmp_path_factory.mktemp("small")):
        test = f"batch {label.reference}" if label.test == "batch" else label.test
        found.setdefault((test, label.model), []).append(record)
    return found


Results = dict[tuple[str, str], list[EvaluationRecord]]


def _numbers(records: list[EvaluationRecord]) -> list[float]:
    return [record.statistic for record in records if record.statistic is not None]


@pytest.mark.parametrize("model", MODELS)
def test_cumulative_results_are_sums_over_windows(model: str, results: Results) -> None:
    single = results["N", model]
    observed, expected = (
        sum(record.n_observed for record in single),
        sum(record.n_forecast for record in single),
    )
    (number,) = results["cumulative N", model]
    assert (number.n_windows, number.missing) == (WINDOWS, ())
    assert number.n_observed == observed
    assert number.n_forecast == pytest.approx(expected, rel=1e-12)
    assert isinstance(number.quantiles, TailQuantiles)
    assert number.quantiles.delta2 == pytest.approx(stats.poisson.cdf(observed, expected), rel=1e-10)
    likelihood = sum(_numbers(results["LL", model]))
    for test in ("cumulative L", "cumulative CL"):
        assert results[test, model][0].statistic == pytest.approx(likelihood, rel=1e-10)
    for test in ("cumulative S", "cumulative M"):
        assert results[test, model][0].outcome is not Outcome.UNDEFINED


@pytest.mark.parametrize("model", ["one", "two"])
def test_comparisons_over_windows_follow_from_the_gains(model: str, results: Results) -> None:
    gains = _numbers(results["IG", model])
    observed = sum(record.n_observed for record in results["N", model])
    (t,), (w,), (dm,) = (results[test, model] for test in ("cumulative T", "cumulative W", "DM"))
    assert isinstance(dm, ComparisonRecord)
    for record in (t, w):
        assert isinstance(record, ComparisonRecord)
        assert record.information_gain == pytest.approx(sum(gains) / observed, rel=1e-10)
    theirs = stats.ttest_1samp(gains, 0.0)
    assert isinstance(dm.quantiles, StudentQuantiles)
    assert dm.quantiles.t == pytest.approx(theirs.statistic, rel=1e-10)
    assert dm.quantiles.p == pytest.approx(theirs.pvalue, rel=1e-10)
    assert dm.information_gain == pytest.approx(np.mean(gains), rel=1e-10)
    assert dm.n_reference == pytest.approx(sum(record.n_forecast for record in results["N", "flat"]))
    power = power_of(dm)
    assert power is not None
    assert power.needed_unit == "windows"


@pytest.mark.parametrize("model", MODELS)
def test_corrections_and_calibration_follow_from_the_quantiles(model: str, results: Results) -> None:
    tails = [
        record.quantiles for record in results["N", model] if isinstance(record.quantiles, TailQuantiles)
    ]
    p = sorted(min(1.0, 2 * min(each.delta1, each.delta2)) for each in tails)
    (holm,) = results["Holm N", model]
    assert isinstance(holm.quantiles, AdjustedQuantile)
    assert holm.quantiles == AdjustedQuantile(p=p[0], p_adjusted=min(1.0, WINDOWS * p[0]), family=WINDOWS)
    rejected = 0
    while rejected < WINDOWS and (WINDOWS - rejected) * p[rejected] < 0.05:
        rejected += 1
    assert holm.statistic == rejected
    q = [record.quantiles.q for record in results["CL", model] if isinstance(record.quantiles, LowerQuantile)]
    (holm,) = results["Holm CL", model]
    assert isinstance(holm.quantiles, AdjustedQuantile)
    assert holm.quantiles.family == len(q) == WINDOWS - 1  # one window is empty
    assert holm.quantiles.p_adjusted == pytest.approx(min(1.0, len(q) * max(min(q), 1 / 300)))
    (calibration,) = results["calibration", model]
    theirs = stats.kstest([each.delta2 for each in tails], "uniform")
    assert isinstance(calibration.quantiles, KolmogorovQuantile)
    assert calibration.quantiles.p == pytest.approx(theirs.pvalue, rel=1e-10)


def test_batches_are_single_tests_corrected(results: Results) -> None:
    pairs = [("one", "two"), ("one", "flat"), ("two", "flat")]
    for window in range(WINDOWS):
        found = {pair: results[f"batch {pair[1]}", pair[0]][window] for pair in pairs}
        p = {
            pair: record.quantiles.p
            for pair, record in found.items()
            if isinstance(record.quantiles, BatchQuantiles)
        }
        for rank, pair in enumerate(sorted(p, key=lambda pair: p[pair])):
            record, turned = found[pair], results[f"batch {pair[0]}", pair[1]][window]
            assert isinstance(record.quantiles, BatchQuantiles)
            earlier = [(len(p) - place) * value for place, value in enumerate(sorted(p.values()))]
            assert record.quantiles.p_adjusted == pytest.approx(min(1.0, max(earlier[: rank + 1])))
            assert record.quantiles.family == len(p)
            assert isinstance(record, ComparisonRecord)
            assert record.n_reference == turned.n_forecast
            assert {record.outcome, turned.outcome} in (
                {Outcome.NO_DIFFERENCE},
                {Outcome.BETTER, Outcome.WORSE},
            )
            single = results["T", pair[0]][window] if pair[1] == "flat" else None
            if single is not None and isinstance(single.quantiles, StudentQuantiles):
                assert record.quantiles.p == pytest.approx(single.quantiles.p, rel=1e-10)
    empty = results["batch two", "one"][3]
    assert (empty.outcome, empty.reason) == (Outcome.UNDEFINED, "no target events")


def test_missing_windows_are_left_out_and_named(tmp_path: Path, results: Results) -> None:
    over = {"cumulative N", "cumulative T", "DM", "Holm N"}
    whole = results["N", "one"]
    fewer = [record for number, record in enumerate(whole) if number != 5]
    gains = [gain for number, gain in enumerate(_numbers(results["IG", "one"])) if number != 5]
    for label, record in _results(tmp_path, lost=[5], only={"N", "IG", *over}):
        if label.test not in over or label.model != "one":
            continue
        assert record.n_windows == WINDOWS - 1
        assert record.missing == ("2005-01-01T00:00:00Z_2005-12-11T00:00:00Z",)
        assert record.n_observed == sum(each.n_observed for each in fewer)
        assert record.n_forecast == pytest.approx(sum(each.n_forecast for each in fewer), rel=1e-12)
        if label.test == "DM":
            assert record.statistic == pytest.approx(np.mean(gains), rel=1e-10)
        if label.test == "cumulative T":
            assert record.statistic == pytest.approx(sum(gains) / record.n_observed, rel=1e-10)
        if label.test == "Holm N":
            assert isinstance(record.quantiles, AdjustedQuantile)
            assert record.quantiles.family == WINDOWS - 1


def test_what_a_test_could_have_found_is_worked_out_from_stored_records(results: Results) -> None:
    for records in results.values():
        for record in records:
            power = power_of(record)
            if power is not None and power.detectable is not None:
                assert power.detectable > 0
                assert math.isfinite(power.detectable)


def test_a_single_window_of_a_result_over_all_of_them_is_refused(tmp_path: Path) -> None:
    _write(tmp_path)
    experiment = resolve(load_experiment(tmp_path / "config.yml"))
    window = experiment.config.windows[3].id
    Selection(tests=("N",), windows=(window,)).check(experiment)
    Selection(tests=("DM",)).check(experiment)
    with pytest.raises(InputError, match="small: DM has one result over all windows; leave --window out"):
        Selection(tests=("N", "DM"), windows=(window,)).check(experiment)
