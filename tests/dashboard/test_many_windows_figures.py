"""The pictures of many windows: uniform or not, significant or not, which model is better than which."""

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy import stats

from dashboard._theme import DARK, LIGHT, Theme
from dashboard.figures.bands import bands, least_width
from dashboard.figures.bars import count_bars
from dashboard.figures.cells import Column, CountedMatrix, WindowMatrix
from dashboard.figures.distributions import distribution_figure
from dashboard.figures.marks import Status
from dashboard.figures.pairs import Pair, pair_figure, pair_matrix
from dashboard.figures.series import series_figure
from forequake.results import (
    AdjustedQuantile,
    ConsistencyRecord,
    DistributionRecord,
    KolmogorovQuantile,
    NegativeBinomialDistribution,
    Outcome,
    Quantiles,
)
from stores import ResultRow, columns_of_rows
from stores.testing import sample_result

RowMaker = Callable[..., ResultRow]


def over_windows(
    test: str, quantiles: Quantiles, sample: list[float]
) -> tuple[ConsistencyRecord, DistributionRecord]:
    record = sample_result(1)
    fields = {"test": test, "quantiles": quantiles, "distribution": None, "n_windows": len(sample)}
    result = ConsistencyRecord.model_validate(record.model_dump() | fields)
    return result, DistributionRecord(key=record.key, canon=record.canon, values=tuple(sample))


@pytest.mark.parametrize("theme", [LIGHT, DARK])
@pytest.mark.parametrize("push", [0.9, 1.1])
def test_the_stair_leaves_the_band_exactly_where_the_test_rejects(push: float, theme: Theme) -> None:
    count = 12
    critical = stats.kstwo.ppf(0.95, count)
    # Evenly spread, and one of them moved so far that D is just below or above its critical value.
    values = (np.arange(1, count + 1) - 0.5) / count
    values[:6] = np.sort(values[:6]).clip(max=6 / count - push * critical)
    found = stats.kstest(values, "uniform")
    assert (found.pvalue < 0.05) == (push > 1)
    result, sample = over_windows("calibration", KolmogorovQuantile(p=found.pvalue), values.tolist())
    figure = distribution_figure(result, theme, sample)
    assert figure is not None
    lower, upper, _, stair, distance = figure.data
    tops = np.array(stair.y)[1:-1]
    # A stair with steps at x reaches its height there: the edge of the band is compared just at the step.
    outside = (tops > np.interp(values, upper.x, upper.y) + 1e-12) & (tops < 1)
    outside |= tops - 1 / count < np.interp(values, lower.x, lower.y) - 1e-12
    assert outside.any() == (push > 1)
    assert abs(distance.y[1] - distance.y[0]) == pytest.approx(found.statistic)
    assert tuple(stair.x[1:-1]) == pytest.approx(tuple(values))


def test_holms_limit_parts_the_windows_that_are_rejected() -> None:
    p = [0.3, 0.0, 0.004, 0.013, 0.9]
    result, sample = over_windows("holm", AdjustedQuantile(p=0.0, p_adjusted=0.0, family=5), p)
    figure = distribution_figure(result, LIGHT, sample)
    assert figure is not None
    limit, rejected, others = figure.data
    assert tuple(limit.y) == pytest.approx((0.01, 0.0125, 0.05 / 3, 0.025, 0.05))
    assert tuple(rejected.x) == (1, 2, 3)
    assert tuple(rejected.text) == ("< 1e−300", "0.004", "0.013")
    assert tuple(others.y) == (0.3, 0.9)
    assert 0 < rejected.y[0] < 0.004  # zero has no place on a logarithmic axis


def test_without_the_numbers_of_the_windows_there_is_no_picture() -> None:
    result, _ = over_windows("calibration", KolmogorovQuantile(p=0.5), [0.5] * 5)
    assert distribution_figure(result, LIGHT) is None


@pytest.mark.parametrize(("mean", "variance", "observed"), [(3.25, 9.0, 0), (40.0, 1600.0, 70)])
def test_negative_binomial_bars_are_scipys(mean: float, variance: float, observed: int) -> None:
    distribution = NegativeBinomialDistribution(mean=mean, variance=variance)
    counts, probabilities, rejected, step = count_bars(distribution, observed, 0.05)
    theirs = stats.nbinom(mean**2 / (variance - mean), mean / variance)
    assert counts[0] <= observed <= counts[-1] + step - 1
    expected = theirs.cdf(counts + step - 1) - theirs.cdf(counts - 1)
    assert probabilities == pytest.approx(expected, abs=1e-12)
    tails = (theirs.sf(counts - 1) < 0.025) | (theirs.cdf(counts) < 0.025)
    assert (rejected == tails).all()


def test_a_negative_binomial_result_is_drawn_with_its_variance() -> None:
    fields = {
        "test": "negative_binomial_number",
        "distribution": NegativeBinomialDistribution(mean=3.25, variance=9.0),
    }
    result = ConsistencyRecord.model_validate(sample_result(1).model_dump() | fields)
    figure = distribution_figure(result, LIGHT)
    assert figure is not None
    assert "negative binomial distribution of the expected number, variance 9" in [
        trace.name for trace in figure.data
    ]


@pytest.fixture
def batch(row: RowMaker) -> list[ResultRow]:
    """Give three models against each other in three windows, the last one incomplete, the second empty."""
    expected = {"a": 2.0, "b": 3.0, "c": 2.5}
    gains: dict[frozenset[str], Any] = {
        frozenset("ab"): ("a", 0.5, Outcome.BETTER),
        frozenset("ac"): ("c", 0.1, Outcome.NO_DIFFERENCE),
        frozenset("bc"): ("c", math.inf, Outcome.UNDEFINED),
    }
    rows = []
    for window, events in enumerate((4, 0, 4)):
        for model in expected:
            for other in expected:
                if model == other or (window == 2 and model == "b"):
                    continue
                winner, gain, outcome = gains[frozenset((model, other))]
                if outcome is Outcome.BETTER and winner != model:
                    outcome = Outcome.WORSE
                fields = {
                    "outcome": outcome if events else Outcome.UNDEFINED,
                    "information_gain": (gain if winner == model else -gain) if events else None,
                    "reference": other,
                    "n_observed": events,
                    "n_forecast": expected[model],
                    "quantiles": None,
                }
                rows.append(row("batch T/W", model, window, **fields))
    return rows


def test_pairs_are_counted_in_common_windows_only(batch: list[ResultRow]) -> None:
    matrix = pair_matrix(("a", "b", "c", "d"), columns_of_rows(batch))
    assert matrix.models == ("a", "b", "c")  # d has no result
    assert (len(matrix.windows), matrix.left_out) == (2, 1)
    pairs = {(pair.model, pair.other): pair for pair in matrix.pairs}
    assert pairs["a", "b"].counts == {Status.BETTER: 1, Status.UNDEFINED: 1}
    # 4 events of 0.5 nats, and an empty window in which b expected one event more.
    assert pairs["a", "b"].gain == pytest.approx((4 * 0.5 + 1.0) / 4)
    assert pairs["b", "a"].gain == pytest.approx(-(4 * 0.5 + 1.0) / 4)
    assert pairs["c", "b"].gain == math.inf
    assert all(
        pair.gain is None for pair in pair_matrix(("a", "b"), columns_of_rows(batch), independent=False).pairs
    )


@pytest.mark.parametrize("theme", [LIGHT, DARK])
def test_the_matrix_of_pairs_says_outcome_and_gain(batch: list[ResultRow], theme: Theme) -> None:
    first = [row for row in batch if row.label.window == batch[0].label.window]
    (trace,) = pair_figure(pair_matrix(("a", "b", "c"), columns_of_rows(first)), theme).data
    cells = {
        (carried[0], carried[2]): (text, colour)
        for carried, text, colour in zip(trace.customdata, trace.text, trace.marker.color, strict=True)
    }
    assert cells["a", "b"][0] == "▲<br>+0.5"
    assert cells["b", "a"][0] == "▼<br>−0.5"
    assert cells["c", "a"] == ("+0.1", "rgba(0,0,0,0)")
    assert cells["b", "c"][0] == "undef.<br>−∞"
    assert cells["a", "b"][1] != cells["b", "a"][1]
    (counted,) = pair_figure(pair_matrix(("a", "b", "c"), columns_of_rows(batch)), theme).data
    assert "▲1 ▼0<br>+0.75<br>1 undef." in counted.text


def test_a_pair_without_results_is_a_dot() -> None:
    matrix = pair_matrix(("a", "b"), [])
    assert (matrix.models, matrix.pairs) == ((), ())
    assert Pair("a", "b").latest is None


def test_windows_with_a_mark_are_shaded_and_say_why(row: RowMaker) -> None:
    rows = [row("N", window=number) for number in range(5)]
    why = "the catalog may miss events"
    marks = {rows[number].label.window.id: why for number in (1, 2, 4)}
    figure = series_figure(rows, None, LIGHT, marks)
    starts = [shape.x0 for shape in figure.layout.shapes if shape.fillcolor == LIGHT.silent]
    assert starts == [rows[1].label.window.start, rows[4].label.window.start]
    said = [text for trace in figure.data for text in trace.hovertext]
    assert [why in text for text in said] == [False, True, True, False, True]


@pytest.mark.parametrize("counted", [True, False])
def test_a_matrix_with_many_tests_is_broken_into_bands_that_fit(counted: bool) -> None:
    columns = tuple(Column(f"t{number}", None, f"cumulative {number}") for number in range(24))
    matrix = (CountedMatrix if counted else WindowMatrix)(("a",), columns, ())
    parts = bands(matrix)
    assert len(parts) > 1
    assert tuple(column for part in parts for column in part.columns) == columns
    assert {len(part.columns) for part in parts} <= {
        len(columns) // len(parts),
        len(columns) // len(parts) + 1,
    }
    assert all(least_width(part) <= 845 for part in parts)  # what is left of 1,300 pixels
    few = replace(matrix, columns=columns[:5])
    assert bands(few) == [few]
