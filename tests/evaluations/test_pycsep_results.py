"""Results as pyCSEP's EvaluationResult: its own reader gives the same numbers back."""

import json
import math
from pathlib import Path
from typing import Any

import csep
import pytest
from csep.models import (
    CalibrationTestResult,
    CatalogMagnitudeTestResult,
    CatalogNumberTestResult,
    CatalogPseudolikelihoodTestResult,
    CatalogSpatialTestResult,
)
from csep.plots import _process_stat_distribution

from forequake.evaluations.pycsep_results import has_pycsep_result, pycsep_result
from forequake.evaluations.registry import TESTS
from forequake.results import (
    AnyEvaluation,
    ComparisonRecord,
    ConsistencyRecord,
    KolmogorovQuantile,
    LowerQuantile,
    Outcome,
    ScoreRecord,
    SimulatedDistribution,
    StudentQuantiles,
    TailQuantiles,
)
from stores.testing import sample_label, sample_result


def made(test: str, **fields: Any) -> AnyEvaluation:
    found = sample_result(3, test=test).model_copy(update=fields)
    assert isinstance(found, ConsistencyRecord | ComparisonRecord | ScoreRecord)
    return found


def read_back(folder: Path, result: AnyEvaluation, **more: Any) -> Any:
    label = sample_label(result.test, "beta", reference="alpha" if result.kind == "comparison" else None)
    file = folder / "result.json"
    file.write_text(json.dumps(pycsep_result(result, label, **more)))
    return csep.load_evaluation_result(file)


@pytest.mark.parametrize("test", ["poisson_likelihood", "poisson_spatial", "binary_spatial", "brier"])
def test_a_simulated_result_comes_back_with_its_sample(tmp_path: Path, test: str) -> None:
    sample = (-30.5, -math.inf, -28.125)
    ours = made(test, statistic=-math.inf, quantiles=LowerQuantile(q=0.0), outcome=Outcome.REJECTED)
    theirs = read_back(tmp_path, ours, sample=sample, least_magnitude=3.95)
    assert theirs.observed_statistic == -math.inf
    assert theirs.quantile == 0.0
    assert tuple(theirs.test_distribution) == sample
    assert (theirs.sim_name, theirs.min_mw, theirs.status) == ("beta", 3.95, "normal")
    stored = read_back(tmp_path, ours)
    assert isinstance(ours.distribution, SimulatedDistribution)
    assert tuple(stored.test_distribution) == ours.distribution.quantiles


def test_a_number_test_comes_back_so_that_pycsep_draws_it(tmp_path: Path) -> None:
    ours = made("poisson_number")
    theirs = read_back(tmp_path, ours)
    assert theirs.observed_statistic == ours.statistic
    assert isinstance(theirs.observed_statistic, int)
    assert isinstance(ours.quantiles, TailQuantiles)
    assert theirs.quantile == [ours.quantiles.delta1, ours.quantiles.delta2]
    _, _, mean, _ = _process_stat_distribution(theirs, 95, False, False)
    assert mean == getattr(ours.distribution, "mean", None)


@pytest.mark.parametrize("test", ["poisson_paired_t", "binary_paired_t"])
def test_a_t_test_comes_back_with_its_interval(tmp_path: Path, test: str) -> None:
    ours = made(
        test,
        information_gain=0.5125,
        interval=(0.430, 0.595),
        statistic=26.8,
        quantiles=StudentQuantiles(t=26.8, t_critical=4.303, p=0.0014),
    )
    theirs = read_back(tmp_path, ours)
    assert theirs.observed_statistic == 0.5125
    assert theirs.test_distribution == [0.430, 0.595]
    assert theirs.quantile[:2] == [26.8, 4.303]
    assert len(theirs.quantile) == (3 if test == "poisson_paired_t" else 2)
    assert theirs.sim_name == ["beta", "alpha"]


def test_a_w_test_comes_back_with_its_p(tmp_path: Path) -> None:
    ours = made("poisson_w")
    theirs = read_back(tmp_path, ours)
    assert theirs.test_distribution == "normal"
    assert theirs.observed_statistic == ours.statistic
    assert theirs.quantile == getattr(ours.quantiles, "p", None)


@pytest.mark.parametrize(
    ("test", "kind"),
    [
        ("catalog_number", CatalogNumberTestResult),
        ("catalog_spatial", CatalogSpatialTestResult),
        ("catalog_pseudolikelihood", CatalogPseudolikelihoodTestResult),
        ("catalog_magnitude", CatalogMagnitudeTestResult),
        ("catalog_mll_magnitude", CatalogMagnitudeTestResult),
    ],
)
def test_catalog_tests_come_back_as_their_own_class(tmp_path: Path, test: str, kind: type) -> None:
    tails = TailQuantiles(delta1=0.25, delta2=0.875)
    ours = made(test, statistic=4.0, quantiles=tails, flags=("undersampled",))
    theirs = read_back(tmp_path, ours, sample=(1.0, 2.0))
    assert theirs.__class__.__name__ == kind.__name__
    assert (theirs.quantile, theirs.observed_statistic) == ([0.25, 0.875], 4.0)
    assert (theirs.status, theirs.test_distribution) == ("undersampled", [1.0, 2.0])


def test_calibration_comes_back_with_the_windows_quantiles(tmp_path: Path) -> None:
    ours = made("calibration", statistic=0.31, quantiles=KolmogorovQuantile(p=0.04), distribution=None)
    theirs = read_back(tmp_path, ours, sample=(0.1, 0.9))
    assert theirs.__class__ is CalibrationTestResult
    assert (theirs.observed_statistic, theirs.quantile) == (0.31, 0.04)
    assert theirs.test_distribution == [0.1, 0.9]


def test_an_undefined_result_is_not_valid(tmp_path: Path) -> None:
    theirs = read_back(tmp_path, made("poisson_spatial", outcome=Outcome.UNDEFINED, statistic=None))
    assert (theirs.status, theirs.observed_statistic) == ("not-valid", None)


def test_just_what_pycsep_computes_has_its_form() -> None:
    theirs = {name for name, test in TESTS.items() if "_evaluations." in (test.floatcsep or "")}
    assert {name for name in TESTS if has_pycsep_result(name)} == theirs
    assert pycsep_result(made("sequential_likelihood"), sample_label()) is None


def test_pycsep_draws_each_kind_where_it_says(tmp_path: Path) -> None:
    import matplotlib.pyplot as plt
    from csep import plots

    consistent = [
        read_back(
            tmp_path, made(test, statistic=4.0, quantiles=TailQuantiles(delta1=0.6, delta2=0.7)), **more
        )
        for test, more in (
            ("poisson_number", {}),
            ("poisson_spatial", {"sample": (1.0, 2.0, 5.0)}),
            ("poisson_magnitude", {"sample": (1.0, 2.0, 5.0)}),
            ("catalog_number", {"sample": (1.0, 2.0, 5.0)}),
            ("catalog_pseudolikelihood", {"sample": (1.0, 2.0, 5.0)}),
        )
    ]
    axes = plots.plot_consistency_test(consistent, show=False)
    drawn = [line.get_xdata()[0] for line in axes.get_lines() if line.get_marker() in ("s", "o")]
    assert drawn.count(4.0) == len(consistent)
    interval = (0.25, 0.75)
    t = made("poisson_paired_t", information_gain=0.5, interval=interval, statistic=9.0)
    t = t.model_copy(update={"quantiles": StudentQuantiles(t=9.0, t_critical=4.3, p=0.01)})
    axes = plots.plot_comparison_test(
        [read_back(tmp_path, t)], [read_back(tmp_path, made("poisson_w"))], show=False
    )
    heights = {float(y) for line in axes.get_lines() for y in line.get_ydata()}
    assert 0.5 in heights
    axes = plots.plot_test_distribution(consistent[1], show=False)
    assert 4.0 in {float(x) for line in axes.get_lines() for x in line.get_xdata()}
    calibration = made("calibration", statistic=0.31, quantiles=KolmogorovQuantile(p=0.04), distribution=None)
    axes = plots.plot_calibration_test(read_back(tmp_path, calibration, sample=(0.1, 0.9)), show=False)
    assert [0.1, 0.9] in [list(points.get_offsets()[:, 0]) for points in axes.collections] + [
        list(line.get_xdata()) for line in axes.get_lines()
    ]
    plt.close("all")
