"""Many results of one test side by side: the ends of bars against pyCSEP's own, and what stands for what."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from csep.models import EvaluationResult
from csep.plots import _process_stat_distribution

from dashboard._theme import DARK, LIGHT
from dashboard.figures.cells import Column, window_matrix
from dashboard.figures.forest import Forest, forest_figure, forest_of
from dashboard.figures.regions import Acceptance, acceptance
from forequake.evaluations.evaluated import summary_of
from forequake.results import (
    ConsistencyRecord,
    Distribution,
    LowerQuantile,
    NegativeBinomialDistribution,
    Outcome,
    PoissonDistribution,
    Side,
    TailQuantiles,
    UnitError,
    UnitRecord,
    UnitState,
)
from stores import ResultRow
from stores.testing import sample_label, sample_result

RowMaker = Callable[..., ResultRow]
S, N = Column("S", None, "S"), Column("N", None, "N")
WIDE = Acceptance(low=-30.0, high=math.inf, median=-20.0, quartiles=(-22.0, -18.0), bulk=(-31.0, -12.0))


def record(distribution: Distribution, side: Side = Side.LOWER, alpha: float = 0.05) -> ConsistencyRecord:
    found = sample_result(test="S").model_copy(
        update={"distribution": distribution, "side": side, "alpha": alpha}
    )
    assert isinstance(found, ConsistencyRecord)
    return found


def theirs(distribution: Any, *, one_sided: bool, percentile: float = 95) -> tuple[float, float]:
    """Give the ends of the bar that pyCSEP's plot_consistency_test draws."""
    result = EvaluationResult(test_distribution=distribution, observed_statistic=0.0)
    low, high, _, _ = _process_stat_distribution(result, percentile, False, one_sided)
    return float(low), float(high)


@pytest.mark.parametrize("mean", [0.0038, 0.4, 3.0, 27.0, 480.5])
@pytest.mark.parametrize("alpha", [0.05, 0.01])
def test_the_bar_of_a_number_test_ends_where_pycseps_does(mean: float, alpha: float) -> None:
    found = acceptance(record(PoissonDistribution(mean=mean), Side.TWO_SIDED, alpha))
    assert found is not None
    percentile = 100 * (1 - alpha)
    assert (found.low, found.high) == theirs(("poisson", mean), one_sided=False, percentile=percentile)
    variance = 2.5 * mean + 1
    wide = NegativeBinomialDistribution(mean=mean, variance=variance)
    found = acceptance(record(wide, Side.TWO_SIDED, alpha))
    assert found is not None
    ends = theirs(("negative_binomial", mean, variance), one_sided=False, percentile=percentile)
    assert (found.low, found.high) == ends


def test_the_bar_of_a_simulated_test_ends_where_pycseps_does() -> None:
    sample = np.random.default_rng(4).normal(-30, 4, 1001)  # of so many, a percentile is one of them
    stored = summary_of(sample)
    lower = acceptance(record(stored))
    assert lower is not None
    assert lower.low == theirs(sample, one_sided=True)[0]
    assert lower.high == math.inf
    both = acceptance(record(stored, Side.TWO_SIDED))
    assert both is not None
    assert (both.low, both.high) == theirs(sample, one_sided=False)
    upper = acceptance(record(stored, Side.UPPER))
    assert upper is not None
    assert (upper.low, upper.high) == (-math.inf, np.percentile(sample, 95))
    assert upper.median == np.median(sample)


@pytest.mark.parametrize("rank", [0, 49, 50, 300])
def test_a_statistic_is_rejected_exactly_below_the_bar(rank: int) -> None:
    sample = np.sort(np.random.default_rng(5).normal(-30, 4, 1000))
    found = acceptance(record(summary_of(sample)))
    assert found is not None
    observed = sample[rank]
    assert (observed < found.low) == (np.mean(sample <= observed) < 0.05)


def drawn(forest: Forest, **options: Any) -> dict[str, Any]:
    return {trace.name: trace for trace in forest_figure(forest, LIGHT, **options).data}


def test_bar_median_and_mark_stand_in_the_models_row(row: RowMaker) -> None:
    rows = [row("S", "alpha", statistic=-19.0), row("S", "beta", outcome=Outcome.REJECTED, statistic=-40.0)]
    matrix = window_matrix(("alpha", "beta"), (S,), rows)
    forest = forest_of(matrix, S, {one.key: WIDE for one in rows})
    traces = drawn(forest)
    bars = traces["not rejected between"]
    assert bars.x[0] == bars.x[3] == -30.0
    assert list(bars.y) == [0, 0, None, 1, 1, None]
    assert list(traces["median"].x) == [-20.0, -20.0]
    assert set(traces["no limit on this side"].marker.symbol) == {"triangle-right"}
    passed, rejected = traces["not rejected"], traces["rejected"]
    assert (passed.x, passed.y, passed.marker.symbol) == ((-19.0,), (0,), "square")
    assert (rejected.x, rejected.y, rejected.marker.symbol) == ((-40.0,), (1,), "x")
    assert list(rejected.customdata[0]) == [rows[1].label.slot]
    assert "not rejected from −30 to ∞" in rejected.hovertext[0]
    shares = drawn(forest, normalised=True)
    assert shares["rejected"].x[0] == (-40.0 + 20.0) / 4.0
    assert shares["not rejected between"].x[0] == (-30.0 + 20.0) / 4.0


def test_an_infinite_statistic_stands_at_the_edge_by_its_name(row: RowMaker) -> None:
    rows = [
        row("S", "alpha", statistic=-19.0),
        row("S", "beta", outcome=Outcome.REJECTED, statistic=-math.inf, quantiles=LowerQuantile(q=0.0)),
    ]
    forest = forest_of(window_matrix(("alpha", "beta"), (S,), rows), S, {one.key: WIDE for one in rows})
    for normalised in (False, True):
        figure = forest_figure(forest, DARK, normalised=normalised)
        traces = {trace.name: trace for trace in figure.data}
        edge = figure.layout.xaxis.range[0]
        assert traces["infinite"].x == (edge,)
        assert traces["infinite"].marker.symbol == ("triangle-left",)
        assert edge < traces["rejected"].x[0] < edge + 0.1 * (figure.layout.xaxis.range[1] - edge)
        assert "−∞" in traces["rejected"].text[0]
    texts = [note.text for note in figure.layout.annotations]
    assert "&lt;1/n" in texts  # never a quantile of 0


def test_rows_without_a_verdict_say_why(row: RowMaker) -> None:
    silent = row("S", "alpha", outcome=Outcome.UNDEFINED, statistic=None, n_observed=0)
    failed = UnitRecord(
        label=sample_label("S", "beta"),
        state=UnitState.FAILED,
        owner="host",
        attempts=1,
        error=UnitError(kind="EvaluationError", message="no number"),
        changed_at=silent.bound_at,
    )
    forest = forest_of(window_matrix(("alpha", "beta", "gamma"), (S,), [silent], [failed]), S, {})
    figure = forest_figure(forest, LIGHT)
    traces = {trace.name: trace for trace in figure.data}
    assert traces["undefined"].text == (" undefined: no target events",)
    assert traces["failed"].text == (" failed: EvaluationError",)
    assert traces["not computed"].text == (" not computed",)
    assert traces["not computed"].customdata == (None,)
    assert [note.text for note in figure.layout.annotations].count("–") == 5  # no quantile, no events


def test_numbers_of_events_over_decades_are_logarithmic_and_zero_has_its_place(row: RowMaker) -> None:
    tails = TailQuantiles(delta1=0.5, delta2=0.6)
    rows = [
        row("N", name, statistic=float(count), quantiles=tails, n_observed=count)
        for name, count in (("alpha", 0), ("beta", 400))
    ]
    region = Acceptance(low=0.0, high=700.0, median=3.0, quartiles=(2.0, 5.0), bulk=(0.0, 700.0))
    forest = forest_of(window_matrix(("alpha", "beta"), (N,), rows), N, {one.key: region for one in rows})
    figure = forest_figure(forest, LIGHT, normalised=True)  # counts stay counts
    traces = {trace.name: trace for trace in figure.data}
    assert list(traces["not rejected"].x) == [0.0, pytest.approx(math.log10(401))]
    ticks = dict(zip(figure.layout.xaxis.ticktext, figure.layout.xaxis.tickvals, strict=True))
    assert (ticks["0"], ticks["100"]) == (0.0, pytest.approx(math.log10(101)))
    assert "0.50 / 0.60" in [note.text for note in figure.layout.annotations]


@pytest.mark.parametrize("models", [1, 3, 25])
def test_each_model_has_a_row_of_the_same_height(row: RowMaker, models: int) -> None:
    names = tuple(f"model-{number}" for number in range(models))
    rows = [row("S", name) for name in names]
    forest = forest_of(window_matrix(names, (S,), rows), S, {one.key: WIDE for one in rows})
    figure = forest_figure(forest, LIGHT)
    assert figure.layout.height == 110 + 34 * models
    assert list(figure.layout.yaxis.ticktext) == list(names)
    assert forest.least_width < 420
